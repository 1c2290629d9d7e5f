"""Typed Parquet columns, from file to table through the public API: every value as the table of docs/types.md says."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.property.physical import NO, Nanos, becomes, canonical

from headgate.api.project import Project
from headgate.api.results import QuarantineRecord

pytestmark = pytest.mark.slow


def _at(scale: int, values: st.SearchStrategy[Decimal]) -> st.SearchStrategy[Decimal]:
    def exact(value: Decimal) -> Decimal:
        with localcontext() as context:
            context.prec = 60
            return (value + 0).quantize(Decimal(1).scaleb(-scale))

    return values.map(exact)


EDGES = [
    bound + step for bound in (0, 100, 1000, 2**53, -(2**53), 10**10, 2**63 - 2, -(2**63) + 1) for step in (-1, 0, 1)
]
LONGS = st.sampled_from(EDGES) | st.integers(-(2**63), 2**63 - 1)
UNSIGNED = st.sampled_from([0, 7, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1])
SMALL = st.integers(-(2**31), 2**31 - 1) | st.integers(-1001, 1001)
DOUBLES = st.floats() | st.sampled_from(
    [0.1, 0.30000000000000004, 12.34, -0.0, 3.0, 2.5, 1e22, 9007199254740993.5, 2.0**63, -(2.0**63), 1e-7, 99999.99]
)
MONEY = _at(4, st.decimals(-(10**10) + 1, 10**10 - 1, places=4) | st.decimals(-99, 99, places=1))
WIDE = _at(10, st.decimals(-(10**20), 10**20, places=10) | st.decimals(-99, 99, places=2))
DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))
RECENT = st.dates(date(1975, 1, 1), date(2100, 12, 31))
MIDNIGHTS = RECENT.map(lambda day: datetime(day.year, day.month, day.day))
NEAR_SHIFTS = st.builds(
    lambda shift, minutes: shift + timedelta(minutes=minutes),
    st.sampled_from([datetime(2024, 3, 31, 2), datetime(2024, 10, 27, 2)]),
    st.integers(-90, 90),
)
WALL = st.datetimes(datetime(1975, 1, 1), datetime(2100, 12, 31)) | NEAR_SHIFTS | MIDNIGHTS
MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)) | MIDNIGHTS
NANOS = st.integers(-(10**18), 4 * 10**18).map(Nanos) | st.integers(-(10**15), 10**15).map(lambda us: Nanos(us * 1000))
NIGHTS = st.integers(-10_000, 40_000).map(lambda day: Nanos(day * 86_400 * 10**9))
INSTANTS = MOMENTS.map(lambda moment: moment.replace(tzinfo=UTC))

PAIRS: list[tuple[pa.DataType, st.SearchStrategy[Any], tuple[str, ...]]] = [
    (pa.int64(), LONGS, ("int", "decimal(12,2)", "decimal(38,0)", "double", "text", "text(4)")),
    (pa.uint64(), UNSIGNED, ("bigint", "double", "text")),
    (pa.int32(), SMALL, ("int", "decimal(5,2)", "double")),
    (pa.float64(), DOUBLES, ("int", "decimal(10,2)", "decimal(38,9)", "decimal(18,2)", "double", "text")),
    (pa.decimal128(14, 4), MONEY, ("int", "decimal(12,2)", "decimal(14,4)", "decimal(9,4)", "double", "text(7)")),
    (pa.decimal128(38, 10), WIDE, ("bigint", "decimal(38,2)", "decimal(38,20)", "double", "text")),
    (pa.date32(), DAYS, ("date", "timestamp", "text")),
    (pa.date32(), RECENT, ("timestamptz",)),
    (pa.timestamp("us"), MOMENTS, ("date", "timestamp", "text")),
    (pa.timestamp("us"), WALL, ("timestamptz",)),
    (pa.timestamp("ns"), NANOS | NIGHTS, ("date", "timestamp")),
    (pa.timestamp("us", "UTC"), INSTANTS, ("timestamptz", "text", "text(22)")),
]  # fmt: skip
COLUMNS = [(f"c{number}", *pair) for number, pair in enumerate((a, b, to) for a, b, tos in PAIRS for to in tos)]
Rows = Sequence[Mapping[str, Any]]

rows = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, _, values, _ in COLUMNS}), min_size=1, max_size=6
)


def deliver(root: Path, table: str, made: Rows) -> None:
    """The rows as a Parquet file of one column per pair, and the ingest file that asks for the pair's other type."""
    arrays = [
        pa.array([int(v) if isinstance(v := row[name], Nanos) else v for row in made], kind)
        for name, kind, _, _ in COLUMNS
    ]
    (root / table).mkdir(parents=True)
    (root / "ingest").mkdir(exist_ok=True)
    pq.write_table(pa.table(arrays, [name for name, *_ in COLUMNS]), root / table / "a.parquet", row_group_size=2)
    source = f"{{parquet: {{path: {table}/*.parquet, timezone: Europe/Paris}}}}"
    columns = "".join(f"  {name}: {to}\n" for name, _, _, to in COLUMNS)
    (root / "ingest" / f"{table}.yml").write_text(f"table: {table}\nfrom: {source}\ncolumns:\n{columns}")


def refused(row: Mapping[str, Any]) -> list[str]:
    """The columns whose value does not fit, in the contract's order."""
    return [name for name, _, _, to in COLUMNS if becomes(row[name], to) is NO]


def same(real: Any, expected: Any) -> bool:
    if isinstance(expected, set):
        return real in expected
    return repr(real) == repr(expected) if isinstance(expected, float) else real == expected


def check_refused(made: Rows, records: Sequence[QuarantineRecord]) -> None:
    found = {one.position["record"]: one for one in records}
    for number, row in enumerate(made, 1):
        expected = [("type", name) for name in refused(row)]
        reasons = [(reason.rule, reason.column) for reason in found[number].reasons] if number in found else []
        assert reasons == expected
        if number in found:
            assert found[number].row == {name: v if v is None else canonical(v) for name, v in row.items()}


def check_loaded(made: Rows, path: Path) -> None:
    names = ", ".join(name for name, *_ in COLUMNS)
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        loaded = connection.execute(f"SELECT {names} FROM fits ORDER BY rowid").fetchall()
    assert len(loaded) == len(made)
    for row, values in zip(made, loaded, strict=True):
        for (name, kind, _, to), value in zip(COLUMNS, values, strict=True):
            assert same(value, becomes(row[name], to)), f"{kind} {row[name]!r} -> {to}"


@given(rows)
def test_typed_columns_convert_without_loss_or_are_refused(made: Rows) -> None:
    fits = [{name: v if name not in refused(row) else None for name, v in row.items()} for row in made]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "headgate.yml").write_text("project: p\nwarehouse: duckdb:w.duckdb\n")
        deliver(root, "every", made)
        deliver(root, "fits", fits)
        with Project.open(root) as project:
            done = project.run()
            assert (done.status, done.balanced) == ("ok", True)
            assert {step.id: step.rows_quarantined for step in done.steps} == {
                "main.every": sum(bool(refused(row)) for row in made),
                "main.fits": 0,
            }
            check_refused(made, project.quarantine("every", limit=None).records)
            assert project.audit().findings == ()
        check_loaded(fits, root / "w.duckdb")
