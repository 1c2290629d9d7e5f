"""A batch of text is taken in only with as many rows as it has records; else the careful way, else not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from headgate.adapters.duckdb.store import DuckDBStore
from headgate.contracts.model import Contract, ContractColumn
from headgate.core.errors import InternalError
from headgate.core.values import Batch, SourceColumn
from headgate.gate.bits import bits_of
from headgate.gate.scan import Scan, add
from headgate.types.logical import LogicalType

CONTRACT = Contract((ContractColumn("a", LogicalType("int"), "a"),))
COLUMNS = (SourceColumn("a", "VARCHAR"),)


@pytest.fixture
def scan() -> Iterator[Scan]:
    store = DuckDBStore(None)
    with store.session() as session:
        made = Scan(session, CONTRACT, bits_of(CONTRACT), "hg_test", "UTC")
        yield made
        made.temp.drop()
    store.close()


def strict(rows: int, records: int, careful: Batch | None) -> Batch:
    """A batch whose parser sees `rows` of its `records`."""
    select = f"SELECT CAST(i AS VARCHAR) AS a FROM range({rows}) AS t(i)"
    again = (lambda: careful) if careful else None
    return Batch("p", select, COLUMNS, records, {}, {}, False, lambda rows: "", row_base=1, careful=again)


def apart(rows: int, records: int) -> Batch:
    """The same batch the careful way: every row with its number."""
    select = f"SELECT i AS _hg_row, CAST(i * 10 AS VARCHAR) AS a FROM range(1, {rows + 1}) AS t(i)"
    return replace(strict(0, records, None), relation=select, row_base=None)


def values(scan: Scan) -> list[Any]:
    return [row[0] for row in scan.session.execute(f"SELECT a FROM ({scan.sql}) AS s ORDER BY _hg_id")]


@pytest.mark.parametrize("rows", [0, 2, 4])
def test_a_parser_that_sees_other_rows_than_the_splitter_is_not_believed(scan: Scan, rows: int) -> None:
    careful = apart(3, 3)
    assert add(scan, 0, strict(2, 2, apart(2, 2))).row_base == 1
    assert add(scan, 1, strict(rows, 3, careful)) is careful
    assert add(scan, 2, strict(1, 1, apart(1, 1))).row_base == 1
    assert values(scan) == [0, 1, 10, 20, 30, 0]


@pytest.mark.parametrize("rows", [2, 4])
def test_where_the_careful_way_disagrees_too_nothing_is_taken_in(scan: Scan, rows: int) -> None:
    add(scan, 0, strict(2, 2, apart(2, 2)))
    with pytest.raises(InternalError) as caught:
        add(scan, 1, strict(1, 3, apart(rows, 3)))
    assert caught.value.finding.code == "parser-disagrees"
    assert f"counts 3 well-formed records, the parser returned {rows}" in caught.value.finding.what
    assert values(scan) == [0, 1]
