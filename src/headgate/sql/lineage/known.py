"""What goes into the lineage of a query and what comes out, as plain data: nothing here loads a parser."""

from __future__ import annotations

from typing import Literal

from headgate.core.records import dataclass
from headgate.sql.lineage.flow import Flows

Dialect = Literal["duckdb", "postgres"]


@dataclass(frozen=True)
class Known:
    """A table that a query may read. `more`: it may have other columns than those."""

    name: str
    columns: tuple[str, ...] = ()
    more: bool = False

    @classmethod
    def by_name(cls, name: str) -> Known:
        """A table of which nothing else is known."""
        return cls(name, more=True)


@dataclass(frozen=True)
class Macro:
    """A macro of the warehouse: what it is called with, and the expression or (`is_table`) the query that it stands
    for."""

    name: str
    parameters: tuple[str, ...]
    sql: str
    is_table: bool = False


@dataclass(frozen=True)
class Traced:
    """What the columns of a query, or of a table, are made of.

    `columns`: name and flows of each column that is known. `rest`: flows of any other column; None where there is none.
    `rows`: what decides which rows there are, and with them every column. `doubt`: why nothing could be told apart, so
    that every column is said to come of everything; empty where the query was taken apart. `unknown`: names in the
    query that nothing is known of, which are said to come of everything that could be meant.
    """

    columns: tuple[tuple[str, Flows], ...]
    rest: Flows | None
    rows: Flows
    doubt: str = ""
    unknown: tuple[str, ...] = ()
