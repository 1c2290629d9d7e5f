"""Answers of `run` and `plan`."""

from __future__ import annotations

from typing import Literal

from headgate.api.results.answer import Answer
from headgate.core.errors import Finding
from headgate.core.records import dataclass

StepStatus = Literal["ok", "skipped", "refused", "failed", "blocked"]
RunStatus = Literal["ok", "refused", "failed"]


@dataclass(frozen=True)
class Progress:
    """How far a run is: `rows` records so far in `phase` (reading, loading, writing, building, ended ...) of `step`.

    `bytes` of the step's files were read, of `bytes_total` that are to be (0: not known). `ended` of `steps` steps of
    the run have ended (0: not known).
    """

    step: str
    rows: int
    phase: str
    bytes: int = 0
    bytes_total: int = 0
    ended: int = 0
    steps: int = 0


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
    """What became of one step of a run. `id` is the table of a load, the name of a model or a task.

    `status`: ok | skipped (nothing to do, or, with `passed`, left out by its condition or trigger rule) | refused (a
    declared limit stopped it) | failed | blocked (a step that it needs did not succeed). `rows_read` = loaded +
    quarantined + deduplicated + skipped, all 0 for a model without a contract. `attempts`: how often it was tried, 0
    where it was not. `stale`: optional steps that did not succeed, and whose former rows it rests on. `optional`: the
    run does without it. `result`: what a task gave back, as plain data.
    """

    id: str
    kind: Literal["load", "model", "task"]
    status: StepStatus
    reason: str = ""
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_deduplicated: int = 0
    rows_skipped: int = 0
    warnings: tuple[Finding, ...] = ()
    seconds: float = 0.0
    attempts: int = 0
    stale: tuple[str, ...] = ()
    optional: bool = False
    children: tuple[ChildRows, ...] = ()
    passed: bool = False
    result: object = None


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
class PlanIntervals(Answer):
    """What a backfill asks of a model: `count` intervals of the `grain`, the first of which begins at `first`, the last
    at `last`. `whole`: nothing stands yet, so all of it is built."""

    grain: str
    first: str
    last: str
    count: int
    whole: bool = False


@dataclass(frozen=True)
class PlanStep(Answer):
    """What a run would do with one step, and why. `sql`: how its table would follow an edit of its contract first.

    `rows_read` and `rows_quarantined` are those of the last build of a model with a contract; else 0. `change`: of a
    model whose SQL was edited since it was built. `stale`: optional steps that did not succeed before its last build,
    and that still have work to do. `intervals`: what `--backfill` asks of a model by time.
    """

    id: str
    kind: Literal["load", "model", "task"]
    status: Literal["run", "skip"]
    reason: str
    sql: tuple[str, ...] = ()
    rows_read: int = 0
    rows_quarantined: int = 0
    change: PlanChange | None = None
    stale: tuple[str, ...] = ()
    intervals: PlanIntervals | None = None


@dataclass(frozen=True)
class PlanResult(Answer):
    """The steps of a run in their order; the exposures that read what it would change; `notes`: why none is left;
    `command`: the run that would do it."""

    steps: tuple[PlanStep, ...] = ()
    exposures: tuple[PlanExposure, ...] = ()
    notes: tuple[Finding, ...] = ()
    command: str = "headgate run"
