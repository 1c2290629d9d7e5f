"""Answers about refused records: list, show, sample, export, fix, purge, replay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headgate.api.results.answer import Answer
from headgate.core.errors import Finding
from headgate.core.records import dataclass


@dataclass(frozen=True)
class Reason(Answer):
    """One rule that a record broke; `column` is None for a rule across columns. The message never holds a value."""

    rule: str
    column: str | None
    message: str


@dataclass(frozen=True)
class Revision(Answer):
    """One fix of a record: it made revision `revision`; `raw` and `row` are what the record said before."""

    revision: int
    by: str
    at: str
    reason: str
    raw: str | None
    row: Mapping[str, Any] | None


@dataclass(frozen=True)
class QuarantineRecord(Answer):
    """One record kept whole. `raw` is its text as received (None for columnar sources), `row` its columns' text.

    `source` is the partition; `position` says where in it: `record` (1-based) and `line` (text sources only).
    `status`: open | held | replayed | superseded | purged. `masked`: values of columns marked `pii`, and with them the
    whole `raw`, are hidden. `revision` counts its fixes; `revisions` tells of each where records are shown whole.
    """

    id: str
    table: str
    reasons: tuple[Reason, ...]
    source: str
    position: Mapping[str, Any]
    raw: str | None
    row: Mapping[str, Any] | None
    status: str
    at: str = ""
    parent: str | None = None
    revision: int = 0
    masked: bool = False
    revisions: tuple[Revision, ...] = ()


@dataclass(frozen=True)
class QuarantineList(Answer):
    """Records of the quarantine. `total` counts all that match; `records` may be fewer."""

    total: int
    records: tuple[QuarantineRecord, ...] = ()


@dataclass(frozen=True)
class ReasonGroup(Answer):
    """The records of one table that one rule refused: how many there are, and some of them."""

    table: str
    rule: str
    column: str | None
    message: str
    count: int
    records: tuple[QuarantineRecord, ...] = ()


@dataclass(frozen=True)
class QuarantineSample(Answer):
    """Some records of each reason, the most frequent reason first. `total` counts records, each once."""

    total: int
    groups: tuple[ReasonGroup, ...] = ()


@dataclass(frozen=True)
class ExportResult(Answer):
    """The file that was written. `format`: csv | ndjson | parquet; `columns` in the file's order."""

    path: str
    format: str
    records: int
    columns: tuple[str, ...] = ()
    masked: bool = False


@dataclass(frozen=True)
class RecordChange(Answer):
    """What a fix changes in a record of revision `revision`: `columns` maps a name to its text before and after.

    `raw`: the whole text before and after, where that was given; else None.
    """

    id: str
    table: str
    revision: int
    columns: Mapping[str, Any]
    raw: tuple[str | None, ...] | None = None


@dataclass(frozen=True)
class PurgeReceipt(Answer):
    """The entry that tells of a purge: of `emptied` records, `purged` were open. `digest` of what was erased."""

    table: str
    entry: str
    emptied: int
    purged: int
    digest: str


@dataclass(frozen=True)
class PurgeResult(Answer):
    """What was erased, who did it and why; the sums over the receipts, of which each table has one."""

    emptied: int
    purged: int
    reason: str
    by: str
    receipts: tuple[PurgeReceipt, ...] = ()


@dataclass(frozen=True)
class ReplayResult(Answer):
    """What became of the records that were judged again: the sums over the entries written."""

    rows_read: int
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_deduplicated: int = 0
    rows_skipped: int = 0
    entries: int = 0
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class FixResult(Answer):
    """What a fix changed, or would change under `dry_run`: `fixed` of the `chosen` records.

    `malformed`: left out, since only their whole text can be fixed. `changes` may be fewer than `fixed`. `replay`: what
    the replay did that followed, or under `dry_run` would do; None where none was asked for.
    """

    dry_run: bool
    chosen: int
    fixed: int
    malformed: int = 0
    changes: tuple[RecordChange, ...] = ()
    replay: ReplayResult | None = None
