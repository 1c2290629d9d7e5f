"""Rows and columns: answers of `query` and `schema history`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from headgate.api.results.answer import Answer
from headgate.api.wire import cell
from headgate.core.records import dataclass


@dataclass(frozen=True)
class ResultColumn(Answer):
    """A column of a query or a table: its name and its type in the warehouse's spelling."""

    name: str
    type: str


@dataclass(frozen=True)
class SchemaChange(Answer):
    """An entry behind which a table had other columns, or another contract (its digest). `columns`: from then on.

    `version`: the contract's number among those that the table had.
    """

    at: str
    table: str
    entry: str
    kind: str
    changes: tuple[str, ...]
    contract: str
    by: str
    columns: tuple[ResultColumn, ...] = ()
    version: int = 0


@dataclass(frozen=True)
class SchemaHistory(Answer):
    """What the columns of tables have been, newest first. `total` counts all; `changes` may be fewer."""

    total: int
    changes: tuple[SchemaChange, ...] = ()


@dataclass(frozen=True)
class QueryResult(Answer):
    """Rows of a query as JSON-able values (see `headgate.api.wire.cell`). `total` counts the rows cut off, too."""

    columns: tuple[ResultColumn, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: int

    @classmethod
    def of(
        cls, columns: Iterable[tuple[str, str]], rows: Iterable[Sequence[Any]], total: int | None = None
    ) -> QueryResult:
        """The answer for `(name, type)` pairs and rows of Python values. `total`: all rows, if `rows` were cut."""
        cells = tuple(tuple(cell(value) for value in row) for row in rows)
        heads = tuple(ResultColumn(name, kind) for name, kind in columns)
        return cls(heads, cells, len(cells) if total is None else total)
