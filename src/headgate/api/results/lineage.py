"""The answer of `lineage`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from headgate.api.results.answer import Answer
from headgate.core.errors import Finding
from headgate.core.records import dataclass


@dataclass(frozen=True)
class LineageTable(Answer):
    """A table of a lineage: `kind` file (what a load reads), table (loaded), model, exposure or external.

    `complete`: every column is known. `doubt`: why its query could not be taken apart, so that each of its columns is
    said to come of everything that it reads; else empty. `unknown`: names in its query that nothing is known of.
    `detail` of an exposure: type, owner, url.
    """

    name: str
    kind: Literal["file", "table", "model", "exposure", "external"]
    columns: tuple[str, ...] = ()
    complete: bool = True
    doubt: str = ""
    unknown: tuple[str, ...] = ()
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LineageEdge(Answer):
    """A column (`from_column` of `from_table`) flows into another.

    `from_column` is None for a column that is not known, and for `kind` rows: which rows the table has. `to_column` is
    None for which rows the table has, and so for every column of it, or for a column that is not known. `direct`: the
    value is made of it (`kind` identity, transformation, aggregation); else it decides which value it is (conditional,
    window), or which rows there are (filter, join, group_by, sort, rows). `depth`: how many tables away, from 1.
    """

    from_table: str
    from_column: str | None
    to_table: str
    to_column: str | None
    kind: str
    direct: bool
    depth: int


@dataclass(frozen=True)
class LineageResult(Answer):
    """Where columns come from (`up`) and what is made of them (`down`), nearest first.

    `table` and `column`: what was asked for; None for all of the project, and for all columns of the table.
    `findings`: what exposures depend on and is not there.
    """

    table: str | None
    column: str | None
    tables: tuple[LineageTable, ...] = ()
    up: tuple[LineageEdge, ...] = ()
    down: tuple[LineageEdge, ...] = ()
    findings: tuple[Finding, ...] = ()
