"""Measures what a run has written: how many values are missing in each column, by one pass without reading values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headgate.books.work import LOAD_COLUMN
from headgate.core.protocols import Session
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.sql import quote
from headgate.state.runs import FigureRow

MOST_ROWS = 1_000_000
"""A table of a server with more rows is not measured: finding the rows of one load means reading all of it."""

TABLES = 20
"""So many are measured by one statement."""

Columns = Mapping[str, Sequence[tuple[str, str]]]


@dataclass(frozen=True)
class Written:
    """A table that a run wrote: its version before and after, and how many rows it has now."""

    table: str
    before: int
    after: int
    rows: int


def columns_of_all(session: Session) -> dict[str, list[tuple[str, str]]]:
    """Names and types of the columns of every table and view, in order."""
    rows = session.execute(
        """SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns
           WHERE table_schema NOT IN ('information_schema', 'pg_catalog', '_headgate')
           ORDER BY table_schema, table_name, ordinal_position"""
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for schema, table, column, kind in rows:
        found.setdefault(f"{schema}.{table}", []).append((column, kind))
    return found


def own(columns: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The columns that are not Headgate's."""
    return [(name, kind) for name, kind in columns if not name.startswith("_hg_")]


def tables_of(session: Session) -> set[str]:
    """Everything that holds rows of its own: no views."""
    rows = session.execute(
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
    )
    return {f"{schema}.{name}" for schema, name in rows}


def changed(session: Session, since: str, before: Mapping[str, int]) -> tuple[list[Written], list[tuple[Any, ...]]]:
    """Tables with entries from this time on, and these entries: table, id, end position as JSON."""
    rows = session.execute(
        """SELECT table_name, id, rows_after, end_position FROM _headgate.entry
           WHERE committed_at >= ? AND kind IN ('load', 'build') ORDER BY table_name, id""",
        [since],
    )
    last = {row[0]: row for row in rows}
    found = [Written(name, before.get(name, 0), row[1], row[2]) for name, row in last.items()]
    return found, [(row[0], row[1], row[3]) for row in rows]


def measure(session: Session, written: Sequence[Written], at: str, local: bool) -> list[FigureRow]:
    """The figures of these tables. `local`: the warehouse finds the rows of a load without reading the others."""
    columns, real = columns_of_all(session), tables_of(session)
    wanted = [
        one
        for one in written
        if one.table in real and one.rows and (local or one.rows <= MOST_ROWS) and own(columns.get(one.table, ()))
    ]
    found: list[FigureRow] = []
    for at_once in range(0, len(wanted), TABLES):
        chosen = wanted[at_once : at_once + TABLES]
        sql = " UNION ALL ".join(_counts(number, one, columns[one.table]) for number, one in enumerate(chosen))
        for number, rows, filled in session.execute(sql):
            found += _figures(chosen[number], own(columns[chosen[number].table]), (rows, filled), at)
    return found


def _counts(number: int, one: Written, columns: Sequence[tuple[str, str]]) -> str:
    """The SELECT of the table's number, how many rows it has, and how many values each column has."""
    counts = ", ".join(f"count({quote.ident(name)})" for name, _ in own(columns))
    sql = f"SELECT {number}, count(*), ARRAY[{counts}] FROM {quote.table(TableRef.parse(one.table))}"
    return sql + (f" WHERE {LOAD_COLUMN} > {one.before}" if LOAD_COLUMN in dict(columns) else "")


def _figures(
    one: Written, columns: Sequence[tuple[str, str]], counted: tuple[int, Sequence[int]], at: str
) -> list[FigureRow]:
    rows, filled = counted
    return [
        FigureRow(one.table, one.after, place, name, kind, rows, rows - count, at)
        for place, ((name, kind), count) in enumerate(zip(columns, filled, strict=True))
        if rows
    ]
