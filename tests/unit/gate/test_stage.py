"""A batch copied as it was received: whole, or by the careful way, or not at all."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest

from headgate.adapters.duckdb.store import DuckDBSession
from headgate.core.errors import InternalError
from headgate.core.values import Batch, SourceColumn
from headgate.gate.stage import staged

BATCH = Batch(
    "a.csv",
    "SELECT 'x' AS \"a b\", 'y' AS c UNION ALL SELECT NULL, NULL",
    (SourceColumn("a b", "VARCHAR"), SourceColumn("c", "VARCHAR")),
    2,
    {},
    {},
    rescan=False,
    originals=lambda rows: "",
    row_base=5,
)
CAREFUL = replace(
    BATCH, relation="SELECT CAST(7 AS BIGINT) AS _hg_row, 'x' AS \"a b\", 'y' AS c", row_base=None, malformed=1
)


@pytest.fixture
def session() -> DuckDBSession:
    return DuckDBSession(duckdb.connect())


def test_columns_and_record_numbers(session: DuckDBSession) -> None:
    read, number = staged(session, "t", BATCH)
    assert read is BATCH
    assert session.execute(f"SELECT {number}, c0, c1 FROM t ORDER BY rowid") == [(5, "x", "y"), (6, None, None)]


def test_a_parser_that_lost_a_row_is_not_believed(session: DuckDBSession) -> None:
    lossy = replace(BATCH, records=3)
    with pytest.raises(InternalError) as caught:
        staged(session, "t", lossy)
    assert caught.value.finding.code == "parser-disagrees"


@pytest.mark.parametrize(
    "strict", [replace(BATCH, records=3), replace(BATCH, relation="SELECT CAST('x' AS INTEGER) AS \"a b\", 'y' AS c")]
)
def test_then_the_careful_way_is_taken(session: DuckDBSession, strict: Batch) -> None:
    read, number = staged(session, "t", replace(strict, careful=lambda: CAREFUL))
    assert read is CAREFUL
    assert session.execute(f"SELECT {number}, c0, c1 FROM t") == [(7, "x", "y")]


def test_another_error_is_told_as_it_is(session: DuckDBSession) -> None:
    with pytest.raises(duckdb.CatalogException):
        staged(session, "t", replace(BATCH, relation="SELECT * FROM nothing", careful=lambda: CAREFUL))
