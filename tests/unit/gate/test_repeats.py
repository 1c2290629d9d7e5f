"""Values that occur twice are found among the late ones, whatever the order of the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.adapters.duckdb.store import DuckDBSession, DuckDBStore
from headgate.contracts.model import Contract, ContractColumn
from headgate.core.values import Batch
from headgate.gate import repeats
from headgate.gate.bits import bits_of
from headgate.gate.repeats import suspects
from headgate.gate.scan import Scan, Span
from headgate.types.logical import LogicalType

NOTHING = Batch("p", "", (), 0, {}, {}, True, lambda rows: "")


@pytest.fixture(scope="module")
def session() -> Iterator[DuckDBSession]:
    store = DuckDBStore(None)
    with store.session() as opened:
        yield opened
    store.close()


@pytest.fixture(autouse=True, scope="module")
def at_any_size() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "LEAST", 0)
        patch.setattr(repeats, "PROBE", 1000)
        yield


def scan_of(session: DuckDBSession, selects: list[str], rows: int, kind: str = "int") -> Scan:
    """One span per SELECT of `a`, so that the scan is their UNION ALL."""
    contract = Contract((ContractColumn("a", LogicalType(kind), "a"),))
    scan = Scan(session, contract, bits_of(contract), "hg_test", "UTC")
    for part, select in enumerate(selects):
        scan.spans.append(Span(part, NOTHING, part * rows, rows, 1, False, f"SELECT a, {part} FROM ({select})"))
    return scan


def found(scan: Scan) -> set[object] | None:
    try:
        table = suspects(scan, "a")
        return None if table is None else {row[0] for row in scan.session.execute(f"SELECT value FROM {table}")}
    finally:
        scan.temp.drop()


def listed(values: list[int | None]) -> str:
    rows = ", ".join(
        f"({number}, CAST({'NULL' if one is None else one} AS BIGINT))" for number, one in enumerate(values)
    )
    return f"SELECT a FROM (VALUES {rows}) AS t(n, a)"


@given(st.lists(st.lists(st.none() | st.integers(-4, 12), min_size=1, max_size=30), min_size=1, max_size=3))
@settings(deadline=None)
def test_every_value_that_occurs_twice_is_a_suspect(session: DuckDBSession, parts: list[list[int | None]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "SHARE", 1)
        late = found(scan_of(session, [listed(one) for one in parts], max(map(len, parts))))
    seen = Counter(value for one in parts for value in one if value is not None)
    assert late is not None
    assert {value for value, times in seen.items() if times > 1} <= late
    assert late <= set(seen)


def test_growing_values_make_few_suspects_in_as_many_rows_as_threads_share(session: DuckDBSession) -> None:
    rows = 500_000
    growing = f"SELECT CASE WHEN i % 1000 = 7 THEN i - 5 ELSE i END AS a FROM range({rows}) AS t(i)"
    assert found(scan_of(session, [growing], rows)) == {number + 2 for number in range(0, rows, 1000)}


def test_dates_grow_too(session: DuckDBSession) -> None:
    days = "SELECT DATE '2026-01-01' + CAST(i // 2 * 2 AS INTEGER) AS a FROM range(20) AS t(i) WHERE i % 2 = 0 OR i = 9"
    assert found(scan_of(session, [days], 100, "date")) == {date(2026, 1, 1) + timedelta(days=8)}


@pytest.mark.parametrize("select", [
    "SELECT -i AS a FROM range(5000) AS t(i)",
    "SELECT CASE WHEN i < 2000 THEN i ELSE -i END AS a FROM range(5000) AS t(i)",
])  # fmt: skip
def test_values_that_do_not_grow_are_all_looked_at(session: DuckDBSession, select: str) -> None:
    assert found(scan_of(session, [select], 5000)) is None


def test_texts_and_small_loads_are_all_looked_at(session: DuckDBSession, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "SELECT CAST(i AS VARCHAR) AS a FROM range(10) AS t(i)"
    assert found(scan_of(session, [words], 10, "text")) is None
    monkeypatch.setattr(repeats, "LEAST", 11)
    assert found(scan_of(session, [listed([1, 2])], 10)) is None
