"""Answers of `init` and `profile`."""

from __future__ import annotations

from headgate.api.results.answer import Answer
from headgate.core.errors import Finding
from headgate.core.records import dataclass
from headgate.quality.model import TableProfile


@dataclass(frozen=True)
class LeftAlone(Answer):
    """A file that was not touched or not taken, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class InitTable(Answer):
    """A table that `init` wrote an ingest file for: what it was written from, and what was taken for true."""

    table: str
    file: str
    path: str
    files: int
    rows: int
    malformed: int
    columns: int
    key: tuple[str, ...]
    load: str
    references: tuple[str, ...] = ()
    suggested: int = 0
    assumed: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class InitResult(Answer):
    """What `init` did. `ok`: everything that was named became a table, and `check` finds no error in the project."""

    ok: bool
    project: str
    tables: tuple[InitTable, ...] = ()
    written: tuple[str, ...] = ()
    left: tuple[LeftAlone, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class ProfileResult(Answer):
    """The profiles of tables, models or files, in the order asked for."""

    tables: tuple[TableProfile, ...] = ()
