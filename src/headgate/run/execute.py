"""Carries out the steps of a run, one after the other; a step whose input failed is blocked, the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from headgate.books import ledger
from headgate.books.ledger import Counts
from headgate.core.clock import monotonic
from headgate.core.errors import ContractError, Finding, HeadgateError, InternalError
from headgate.core.protocols import Store
from headgate.models.model import Model
from headgate.run.build import build_model, inputs_of, missing_inputs, stale
from headgate.run.flow import Flow, choose
from headgate.run.load import DEFAULT_SLICES, Job, Slices, load
from headgate.run.pipeline import Pipeline

Status = Literal["ok", "skipped", "refused", "failed", "blocked"]


@dataclass
class Done:
    """What became of one step. `findings`: why it did not succeed, and what deserves attention."""

    id: str
    kind: Literal["load", "model"]
    status: Status
    reason: str = ""
    counts: Counts = field(default_factory=Counts)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def bad(self) -> bool:
        return self.status in ("refused", "failed", "blocked")


@dataclass(frozen=True)
class Run:
    """A run's settings. `progress(step, rows, phase)` is told how far it is."""

    store: Store
    pipeline: Pipeline
    author: str
    full_refresh: bool = False
    slices: Slices = DEFAULT_SLICES
    progress: Callable[[str, int, str], None] = lambda step, rows, phase: None


def execute(run: Run, select: Sequence[str] = ()) -> Iterator[Done]:
    """Each step's outcome as it ends."""
    flows, models = run.pipeline.select(select)
    bad: set[str] = set()
    steps: list[Flow | Model] = [*flows, *models]
    for step in steps:
        began = monotonic()
        run.progress(step.name, 0, "reading" if isinstance(step, Flow) else "building")
        done = _guarded(run, step, bad)
        done.seconds = monotonic() - began
        if done.bad:
            bad.add(done.id)
        yield done


def _guarded(run: Run, step: Flow | Model, bad: set[str]) -> Done:
    kind: Literal["load", "model"] = "load" if isinstance(step, Flow) else "model"
    try:
        return _load(run, step, bad) if isinstance(step, Flow) else _model(run, step, bad)
    except ContractError as error:
        return Done(step.name, kind, "refused", error.finding.what, findings=list(error.findings))
    except InternalError:
        raise
    except HeadgateError as error:
        return Done(step.name, kind, "failed", error.finding.what, findings=list(error.findings))


def _load(run: Run, flow: Flow, bad: set[str]) -> Done:
    blocked = _blocked(flow.name, "load", [rule.to_table for rule in flow.contract.references], bad) if (
        flow.contract
    ) else None  # fmt: skip
    blocked = blocked or _unmet(run, flow)
    if blocked:
        return blocked
    job = Job(
        run.store,
        flow,
        run.author,
        run.full_refresh,
        run.slices,
        lambda rows: run.progress(flow.name, rows, "loading"),
    )
    loaded = load(job)
    findings = loaded.findings + _warned(flow.name, loaded.counts)
    status: Status = "ok" if loaded.status == "ok" else "refused" if loaded.status == "refused" else "skipped"
    return Done(flow.name, "load", status, loaded.reason, loaded.counts, findings)


def _warned(table: str, counts: Counts) -> list[Finding]:
    """One finding per rule that only warns and was broken."""
    of_rows = [
        Finding("rule-warning", "warning", _broke(rows, rule), table, "", {"rule": rule, "rows": rows})
        for rule, rows in counts.details.get("warnings", {}).items()
    ]
    return of_rows + [
        Finding("batch-warning", "warning", f"{rule}: {what}", table, "see what was delivered", {"rule": rule})
        for rule, what in counts.details.get("breaches", {}).items()
    ]


def _broke(rows: int, rule: str) -> str:
    return f"1 loaded row breaks {rule}" if rows == 1 else f"{rows:,} loaded rows break {rule}"


def _unmet(run: Run, flow: Flow) -> Done | None:
    """The step as blocked if it would read something, and a table that it refers to was never loaded."""
    needs = [rule.to_table for rule in flow.contract.references if rule.to_table != flow.name] if flow.contract else []
    if not needs:
        return None
    with run.store.session() as session:
        versions = ledger.table_versions(session)
        missing = [need for need in needs if not versions.get(need)]
        if not missing:
            return None
        state = ledger.table_state(session, flow.table)
        choice = choose(flow, ledger.seats(session, flow.name), state, run.full_refresh)
    if not choice.readings:
        return None
    return _missing(flow.name, "load", missing[0], f"it refers to {missing[0]}, which has not been loaded yet")


def _missing(name: str, kind: Literal["load", "model"], need: str, why: str) -> Done:
    """The step as blocked, because nothing has made what it needs."""
    fix = f"see what keeps {need} from being made: headgate plan, headgate check"
    return Done(name, kind, "blocked", why, findings=[Finding("input-missing", "error", why, name, fix)])


def _model(run: Run, model: Model, bad: set[str]) -> Done:
    inputs = inputs_of(model, run.pipeline)
    blocked = _blocked(model.name, "model", list(inputs.tables), bad)
    if blocked:
        return blocked
    with run.store.session() as session:
        missing = missing_inputs(session, inputs)
        reason = "full refresh" if run.full_refresh else stale(session, model, inputs)
    if missing:
        return _missing(model.name, "model", missing[0], f"{missing[0]} has not been loaded or built yet")
    if reason is None:
        return Done(model.name, "model", "skipped", "nothing changed")
    outcome = build_model(run.store, model, inputs, run.author)
    status: Status = "ok" if outcome.status == "built" else "failed"
    why = reason if status == "ok" else outcome.findings[0].what
    return Done(model.name, "model", status, why, findings=list(outcome.findings))


def _blocked(name: str, kind: Literal["load", "model"], needs: Sequence[str], bad: set[str]) -> Done | None:
    for need in needs:
        if need in bad and need != name:
            return Done(name, kind, "blocked", f"{need} did not succeed")
    return None
