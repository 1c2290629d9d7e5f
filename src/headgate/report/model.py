"""What stands on the page, as plain data. Times are ISO 8601 text in UTC; shares are from 0 to 1; None is not known.

Tuples, because a page of a large project has tens of thousands of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

Status = Literal["ok", "bad", "unknown"]
_UNSCORED: Mapping[str, float | None] = MappingProxyType({})


class Remark(NamedTuple):
    """What a check has to say of a table (empty: of the project)."""

    table: str
    status: Status
    what: str
    fix: str = ""


class Check(NamedTuple):
    """One question of health, and its answer. `judged`: tables that it could be answered for."""

    name: str
    status: Status
    judged: int
    remarks: tuple[Remark, ...] = ()


class Run(NamedTuple):
    """One run. `status`: running | ok | refused | failed | interrupted | killed. `seconds` None: it was not timed."""

    id: str
    at: str
    status: str
    failure: str = ""
    seconds: float | None = None
    cpu_secs: float | None = None
    peak_bytes: int | None = None
    read: int = 0
    loaded: int = 0
    quarantined: int = 0
    deduplicated: int = 0
    skipped: int = 0


class Step(NamedTuple):
    """One step of the last run. `passed`: its condition or its trigger rule left it out."""

    id: str
    kind: str
    status: str
    reason: str = ""
    seconds: float | None = None
    rows: int | None = None
    bytes: int | None = None
    findings: tuple[str, ...] = ()
    passed: bool = False


class Link(NamedTuple):
    """What flows into a column, or into the rows of a table: `column` of `table`, by `kind`, in the words of lineage.

    `column` None: which rows that table has; "": some column of it that is not known.
    """

    table: str
    column: str | None
    kind: str


class Column(NamedTuple):
    """One column. `missing`: the share of rows without a value. `comes_from`: what it is made of, and what decides
    which value it has; empty where nobody traced it."""

    name: str
    type: str
    rules: tuple[str, ...] = ()
    description: str = ""
    pii: bool = False
    missing: float | None = None
    comes_from: tuple[Link, ...] = ()


class Table(NamedTuple):
    """One table or view. `layer`: the schema it stands in. `kind`: load, table, view. `source`: what it is loaded from.
    `reads`: names of the tables that it is made of. `loads`: rows of its loads, the oldest first. `scores`: by
    dimension. `fresh`: ok, bad, or unknown where nothing says how old it may be; `at` is when it was loaded last.
    `rows_from`: what decides which rows it has.
    """

    name: str
    layer: str
    kind: str
    rows: int | None = None
    at: str = ""
    fresh: Status = "unknown"
    stale_secs: float | None = None
    loads: tuple[int, ...] = ()
    open: int = 0
    quality: float | None = None
    scores: Mapping[str, float | None] = _UNSCORED
    description: str = ""
    source: str = ""
    how: str = ""
    reads: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    bad: bool = False
    rows_from: tuple[Link, ...] = ()


class Exposure(NamedTuple):
    """What reads tables outside of the project. `kind`: dashboard, notebook, analysis, ml, application."""

    name: str
    kind: str
    owner: str = ""
    url: str = ""
    reads: tuple[Link, ...] = ()


class Entry(NamedTuple):
    """One line of the ledger."""

    at: str
    table: str
    id: int
    kind: str
    partition: str
    read: int
    loaded: int
    quarantined: int
    deduplicated: int
    skipped: int
    rows_after: int


class Sample(NamedTuple):
    """A refused record as it may be shown: where it stood, and what it says."""

    where: str
    text: str


class Reason(NamedTuple):
    """A rule, and how many refused records that wait broke it."""

    table: str
    rule: str
    column: str
    message: str
    number: int
    samples: tuple[Sample, ...] = ()


class Fates(NamedTuple):
    """Records read by all loads there ever were, and what became of them. `since`: when the first one was committed."""

    read: int = 0
    loaded: int = 0
    quarantined: int = 0
    deduplicated: int = 0
    skipped: int = 0
    since: str = ""


class Page(NamedTuple):
    """Everything. `tables` in the order of the pipeline. `*_total`: how many there are, where not all are listed."""

    project: str
    warehouse: str
    at: str
    version: str
    checks: tuple[Check, ...]
    tables: tuple[Table, ...] = ()
    runs: tuple[Run, ...] = ()
    runs_total: int = 0
    steps: tuple[Step, ...] = ()
    entries: tuple[Entry, ...] = ()
    entries_total: int = 0
    reasons: tuple[Reason, ...] = ()
    waiting: int = 0
    fates: Fates = Fates()
    quality: float | None = None
    scores: Mapping[str, float | None] = _UNSCORED
    masked: bool = False
    """Whether values of columns marked `pii` were hidden in the samples."""
    exposures: tuple[Exposure, ...] = ()
