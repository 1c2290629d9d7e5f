"""What the verbs answer: frozen data that survives a JSON round trip.

The keys are a contract with programs that read `--json`: `docs/json.md` describes every one of them, and a test
compares the two. Counts are integers and 0 where nothing was read; seconds are numbers; times are ISO 8601 in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from headgate.api.wire import cell, decode, encode
from headgate.core.errors import Edit, Finding
from headgate.quality.counts import TableCount
from headgate.quality.model import TableProfile

StepStatus = Literal["ok", "skipped", "refused", "failed", "blocked"]
RunStatus = Literal["ok", "refused", "failed"]


@dataclass(frozen=True)
class Answer:
    """What every answer can do: become a JSON object, and come back from one as an equal value."""

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = encode(self)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return decode(cls, data)


@dataclass(frozen=True)
class Progress:
    """How far a run is: `rows` records so far in `phase` (reading, judging, writing, building ...) of `step`."""

    step: str
    rows: int
    phase: str


@dataclass(frozen=True)
class ChildRows(Answer):
    """Lines of a child table that a load read, by what became of the records that they are in.

    `rows_read` = loaded + quarantined + deduplicated + skipped; `rows_removed`: lines of records that gave way.
    """

    table: str
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_deduplicated: int = 0
    rows_skipped: int = 0
    rows_removed: int = 0


@dataclass(frozen=True)
class Step(Answer):
    """What became of one step of a run. `id` is the table of a load, the name of a model.

    `status`: ok | skipped (nothing to do) | refused (a declared limit stopped it) | failed | blocked (a step that it
    needs did not succeed). `rows_read` = loaded + quarantined + deduplicated + skipped, all 0 for a model without a
    contract.
    """

    id: str
    kind: Literal["load", "model"]
    status: StepStatus
    reason: str = ""
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_deduplicated: int = 0
    rows_skipped: int = 0
    warnings: tuple[Finding, ...] = ()
    seconds: float = 0.0
    children: tuple[ChildRows, ...] = ()


@dataclass(frozen=True)
class RunResult(Answer):
    """What a run did. `balanced`: every record read by a load that committed has exactly one fate.

    `findings` say why a run is refused or failed; what merely deserves attention is in the steps' `warnings`, and in
    `notes` where it is about no step. `run`: its name in the history of runs.
    """

    status: RunStatus
    balanced: bool
    steps: tuple[Step, ...] = ()
    findings: tuple[Finding, ...] = ()
    run: str = ""
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class PlanFollower(Answer):
    """What is behind an edited model, however far: a model, or an exposure. `reads`: the columns of the edited model
    that flow into it. `touched`: one of them, or which rows there are, may be other than before."""

    name: str
    kind: str
    reads: tuple[str, ...] = ()
    touched: bool = True


@dataclass(frozen=True)
class PlanChange(Answer):
    """What the edit of a model's SQL since its last build does.

    `verdict`: additive (more columns; the others have the values that they had) or breaking (anything else, and what
    can't be told apart). `added`, `removed`, `altered`: columns. `rows`: which rows there are may have changed, and
    with them every column.
    """

    verdict: Literal["additive", "breaking"]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    rows: bool = False
    followers: tuple[PlanFollower, ...] = ()


@dataclass(frozen=True)
class PlanExposure(Answer):
    """An exposure that reads what a run would change: `through` those steps."""

    name: str
    type: str = ""
    owner: str = ""
    url: str = ""
    through: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlanStep(Answer):
    """What a run would do with one step, and why. `sql`: how its table would follow an edit of its contract first.

    `rows_read` and `rows_quarantined` are those of the last build of a model with a contract; else 0. `change`: of a
    model whose SQL was edited since it was built.
    """

    id: str
    kind: Literal["load", "model"]
    status: Literal["run", "skip"]
    reason: str
    sql: tuple[str, ...] = ()
    rows_read: int = 0
    rows_quarantined: int = 0
    change: PlanChange | None = None


@dataclass(frozen=True)
class PlanResult(Answer):
    """The steps of a run in their order; the exposures that read what it would change."""

    steps: tuple[PlanStep, ...] = ()
    exposures: tuple[PlanExposure, ...] = ()


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


@dataclass(frozen=True)
class CheckResult(Answer):
    """`ok` is False if any finding is an error. `applied`: what `--fix` changed in the project's files, and `diff` the
    same as lines of a unified diff."""

    ok: bool
    findings: tuple[Finding, ...] = ()
    applied: tuple[Edit, ...] = ()
    diff: tuple[str, ...] = ()


@dataclass(frozen=True)
class DataCheck(Answer):
    """What was counted in tables as they stand. `ok` is False if an error rule of one of them is broken."""

    ok: bool
    tables: tuple[TableCount, ...] = ()


@dataclass(frozen=True)
class Law(Answer):
    """How often one law of the books was tested, and how often it did not hold."""

    id: str
    title: str
    checked: int
    failed: int


@dataclass(frozen=True)
class AuditResult(Answer):
    """What re-adding the books gave. `tables` and `entries` say over how much of them."""

    balanced: bool
    findings: tuple[Finding, ...] = ()
    laws: tuple[Law, ...] = ()
    tables: int = 0
    entries: int = 0


@dataclass(frozen=True)
class LedgerEntry(Answer):
    """One line of the ledger. `seq` is dense from 1 per partition and generation; `start` and `end` are positions.

    `detail` holds what only some kinds have: inserted, updated, unchanged, deleted, reasons, contract, reason, by.
    """

    id: str
    at: str
    table: str
    partition: str
    generation: int
    seq: int
    kind: str
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_deduplicated: int = 0
    rows_skipped: int = 0
    rows_added: int = 0
    rows_removed: int = 0
    start: Any = None
    end: Any = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LedgerResult(Answer):
    """Entries, newest first. `total` counts all that match; `entries` may be fewer."""

    total: int
    entries: tuple[LedgerEntry, ...] = ()


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


@dataclass(frozen=True)
class AdjustResult(Answer):
    """The entry that accepts a change made by hand: who, why, and by how many rows the table differs."""

    table: str
    reason: str
    by: str
    entry: str
    rows_before: int
    rows_after: int
    rows_added: int
    rows_removed: int


@dataclass(frozen=True)
class RestoreResult(Answer):
    """The table that stands again: its rows, those given up (kept until the next time), and when it had been replaced.

    `position`: `back` (the next run reads again what came since) or `seen` (it waits for other content).
    """

    table: str
    by: str
    entry: str
    rows_before: int
    rows_after: int
    replaced_at: str
    kept: str
    position: Literal["back", "seen"]


@dataclass(frozen=True)
class ContractText(Answer):
    """The contract of a table as text. `format`: short | odcs | json-schema. `findings`: what the text can't say."""

    table: str
    format: str
    text: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class ContractChange(Answer):
    """One difference between two contracts. `column` is None for rules across columns; `sql` changes the table.

    `verdict`: backward (what kept the old one keeps the new), forward (what keeps the new one kept the old), full
    (both) or breaking (neither).
    """

    what: str
    column: str | None
    verdict: str
    sql: str = ""


@dataclass(frozen=True)
class ContractDiff(Answer):
    """What changed from `old` to `new`. `verdict` of all changes together; `failed`: it is the one to fail on."""

    old: str
    new: str
    verdict: str
    failed: bool
    changes: tuple[ContractChange, ...] = ()


@dataclass(frozen=True)
class ResultColumn(Answer):
    """A column of a query or a table: its name and its type in the warehouse's spelling."""

    name: str
    type: str


@dataclass(frozen=True)
class SchemaChange(Answer):
    """An entry behind which a table had other columns, or another contract (its digest). `columns`: from then on."""

    at: str
    table: str
    entry: str
    kind: str
    changes: tuple[str, ...]
    contract: str
    by: str
    columns: tuple[ResultColumn, ...] = ()


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


@dataclass(frozen=True)
class RunStep(Answer):
    """One step of a run as the history keeps it. `rows_after`: rows of its table then; `bytes`: of the files it read.

    What is not known is None: durations and resources of a run that was made anew from the books.
    """

    id: str
    kind: str
    status: str
    reason: str = ""
    failure: str = ""
    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_bytes: int | None = None
    bytes: int | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_deduplicated: int = 0
    rows_skipped: int = 0
    rows_after: int | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class RunRecord(Answer):
    """One run as the history keeps it. `status`: running | ok | refused | failed | interrupted | killed.

    `failure`: who must act (project | data | system | warehouse | input | defect | interrupted). `origin`: run, or
    ledger where it was made anew from the books. `steps` only where one run is asked for.
    """

    id: str
    command: str
    begun_at: str
    ended_at: str
    status: str
    failure: str = ""
    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_bytes: int | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_deduplicated: int = 0
    rows_skipped: int = 0
    author: str = ""
    origin: str = "run"
    steps: tuple[RunStep, ...] = ()


@dataclass(frozen=True)
class RunHistory(Answer):
    """Runs, the latest first. `total` counts all; `runs` may be fewer. `findings`: what became of the history."""

    total: int
    runs: tuple[RunRecord, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class HealthRemark(Answer):
    """What one table (`table` is empty: the project) has to say to a check. `status`: bad | unknown."""

    table: str
    status: str
    what: str
    fix: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class HealthCheck(Answer):
    """One check. `status`: ok | bad | unknown (nothing could be judged yet). `judged`: for how many tables it could."""

    name: str
    status: str
    judged: int
    remarks: tuple[HealthRemark, ...] = ()


@dataclass(frozen=True)
class QualityScore(Answer):
    """Shares from 0 to 1 by dimension, None where nothing tells; `table` is empty for the mean over all tables."""

    table: str
    total: float | None
    completeness: float | None = None
    validity: float | None = None
    uniqueness: float | None = None
    consistency: float | None = None
    timeliness: float | None = None


@dataclass(frozen=True)
class HealthResult(Answer):
    """How the tables are. `ok`: no check is bad. `score`: the mean of `scores`; both tell of the last 30 days."""

    ok: bool
    at: str
    checks: tuple[HealthCheck, ...] = ()
    score: QualityScore = field(default_factory=lambda: QualityScore("", None))
    scores: tuple[QualityScore, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class ReportResult(Answer):
    """The page that was written. `samples`: records of each reason that it shows."""

    path: str
    bytes: int
    tables: int
    samples: int = 0
    findings: tuple[Finding, ...] = ()
