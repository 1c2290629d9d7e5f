"""What is kept of every run: plain rows, as `.headgate/state.db` holds them."""

from __future__ import annotations

from dataclasses import MISSING, field, fields
from functools import cache
from typing import Any, NamedTuple

from headgate.core.records import dataclass

RUNNING, KILLED = "running", "killed"


@dataclass(frozen=True)
class RunRow:
    """One run. `status`: running | ok | refused | failed | interrupted | killed (its process is gone, it never ended).

    `origin`: run, or ledger where the entry of the history was made anew from the books: what only the run knew
    (steps that wrote nothing, durations, resources, findings) is None or missing then. `failure`: who must act, empty
    where nothing failed. `pid` and `host` tell whether a run that is `running` still lives.
    """

    id: str
    command: str
    begun_at: str
    ended_at: str = ""
    status: str = RUNNING
    failure: str = ""
    seconds: float | None = None
    cpu_secs: float | None = None
    peak_bytes: int | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_deduplicated: int = 0
    rows_skipped: int = 0
    author: str = ""
    origin: str = "run"
    pid: int = 0
    host: str = ""
    findings: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class StepRow:
    """One step of a run, `number` from 1. `rows_after`: rows of its table afterwards; `bytes`: of the files it read;
    `passed`: it was left out by its condition or trigger rule; `result`: what a task gave back, as JSON, if anything.
    """

    run: str
    number: int
    id: str
    kind: str
    status: str
    reason: str = ""
    failure: str = ""
    seconds: float | None = None
    cpu_secs: float | None = None
    peak_bytes: int | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_deduplicated: int = 0
    rows_skipped: int = 0
    rows_after: int | None = None
    bytes: int | None = None
    findings: list[Any] = field(default_factory=list)
    passed: int = 0
    result: str = ""


class FigureRow(NamedTuple):
    """How many of `rows` rows have no value in a column: of those that a load wrote, or of a whole built table.

    `entry`: the table's version then; `type` of the column in the warehouse's spelling.
    """

    table_name: str
    entry: int
    place: int
    column_name: str
    type: str
    rows: int
    nulls: int
    at: str = ""


def names(kind: type) -> tuple[str, ...]:
    """The columns of a row."""
    return tuple(defaults(kind))


def defaults(kind: type) -> dict[str, Any]:
    """The columns of a row, in their order, and what each says where nobody says otherwise; MISSING where it must."""
    return _defaults(kind)


@cache
def _defaults(kind: type) -> dict[str, Any]:
    if kind is FigureRow:
        return {name: FigureRow._field_defaults.get(name, MISSING) for name in FigureRow._fields}
    return {item.name: item.default for item in fields(kind)}
