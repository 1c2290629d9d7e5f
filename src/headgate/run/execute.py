"""Carries out the steps of a run, one after the other; a step whose input failed is blocked, the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from headgate.books import ledger
from headgate.books.ledger import Counts
from headgate.core.clock import monotonic
from headgate.core.errors import ContractError, Finding, HeadgateError, InternalError
from headgate.core.protocols import Store
from headgate.core.usage import usage
from headgate.models.build import How
from headgate.models.model import BuildOutcome, Model
from headgate.run import failures
from headgate.run.build import asked_for, build_model, due_of, inputs_of, missing_inputs, stale
from headgate.run.flow import Flow, choose
from headgate.run.load import DEFAULT_SLICES, Job, Slices, load
from headgate.run.pipeline import Pipeline
from headgate.run.publish import Wanted, publish

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
    cpu_secs: float = 0.0
    peak_bytes: int = 0
    failure: str = ""
    """Who must act, as `run.failures` names them; empty where the step succeeded."""

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
    again: tuple[str, str] | None = None
    """From when to when models that are built by intervals are built once more."""

    @property
    def anew(self) -> How:
        return How(self.full_refresh, again=self.again)


def execute(run: Run, select: Sequence[str] = ()) -> Iterator[Done]:
    """Each step's outcome as it ends."""
    flows, models = run.pipeline.select(select)
    bad: set[str] = set()
    steps: list[tuple[Flow, ...] | tuple[Model, ...]] = [*((flow,) for flow in flows), *run.pipeline.units(models)]
    for unit in steps:
        began, before = monotonic(), usage()
        for step in unit:
            run.progress(step.name, 0, "reading" if isinstance(step, Flow) else "building")
        for done in _guarded(run, unit, bad):
            used = usage()
            done.seconds = (monotonic() - began) / len(unit)
            done.cpu_secs, done.peak_bytes = (used.cpu_secs - before.cpu_secs) / len(unit), used.peak_bytes
            if done.bad:
                bad |= {done.id, *(str(table) for step in unit if isinstance(step, Flow) for table in step.tables)}
                done.failure = done.failure or failures.of_status(done.status)
            yield done


def _guarded(run: Run, unit: tuple[Flow, ...] | tuple[Model, ...], bad: set[str]) -> list[Done]:
    """What became of a load, of a model, or of models that are published together."""
    first = unit[0]
    try:
        if isinstance(first, Flow):
            return [_load(run, first, bad)]
        models = cast(tuple[Model, ...], unit)
        if len(models) > 1:
            return _together(run, models, bad)
        return [_model(run, first, bad)]
    except InternalError:
        raise
    except HeadgateError as error:
        status: Status = "refused" if isinstance(error, ContractError) else "failed"
        kind: Literal["load", "model"] = "load" if isinstance(first, Flow) else "model"
        told = [Done(first.name, kind, status, error.finding.what, findings=list(error.findings))]
        told[0].failure = failures.of_error(error)
        return told + [_unpublished(one.name, first.name) for one in unit[1:]]


def _load(run: Run, flow: Flow, bad: set[str]) -> Done:
    blocked = _blocked(flow.name, "load", flow.contract.targets if flow.contract else (), bad)
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
    of_rows += [
        Finding("value-nulled", "warning", _emptied(rows, rule), table, "", {"rule": rule, "rows": rows})
        for rule, rows in counts.details.get("nulled", {}).items()
    ]
    return of_rows + [
        Finding("batch-warning", "warning", f"{rule}: {what}", table, "see what was delivered", {"rule": rule})
        for rule, what in counts.details.get("breaches", {}).items()
    ]


def _emptied(rows: int, rule: str) -> str:
    column = rule.removesuffix(".references")
    which = "1 row was" if rows == 1 else f"{rows:,} rows were"
    return f"{which} loaded with NULL in {column}: the referenced table has no such value"


def _broke(rows: int, rule: str) -> str:
    return f"1 loaded row breaks {rule}" if rows == 1 else f"{rows:,} loaded rows break {rule}"


def _unmet(run: Run, flow: Flow) -> Done | None:
    """The step as blocked if it would read something, and a table that it refers to was never loaded."""
    needs = [name for name in flow.contract.targets if name != flow.name] if flow.contract else []
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
        reason = asked_for(model, run.anew) or stale(session, model, inputs)
    if missing:
        return _missing(model.name, "model", missing[0], f"{missing[0]} has not been loaded or built yet")
    if reason is None:
        return Done(model.name, "model", "skipped", "nothing changed")
    if model.split is None:
        outcome = build_model(run.store, model, inputs, run.author, run.anew)
        if outcome is None:
            return Done(model.name, "model", "skipped", "another run has built it")
        return _built(outcome, reason)
    return _built(publish(run.store, Wanted(((model, inputs),)), run.author)[0], reason)


def _built(outcome: BuildOutcome, reason: str) -> Done:
    words: dict[str, Status] = {"built": "ok", "failed": "failed", "refused": "refused"}
    status, findings = words[outcome.status], list(outcome.findings)
    if status == "ok":
        findings += _warned(str(outcome.target), outcome.counts)
    why = reason if status == "ok" else outcome.findings[0].what
    return Done(outcome.model, "model", status, why, outcome.counts, findings)


def _together(run: Run, models: tuple[Model, ...], bad: set[str]) -> list[Done]:
    """Models that are published together: none is, unless every one that is due can be."""
    reads = {model.name: inputs_of(model, run.pipeline) for model in models}
    names = {model.name for model in models}
    for model in models:
        blocked = _blocked(model.name, "model", list(reads[model.name].tables), bad)
        if blocked:
            return [blocked if one is model else _unpublished(one.name, model.name) for one in models]
    with run.store.session() as session:
        due = due_of(session, models, reads, run.anew)
        for model in models:
            missing = [one for one in missing_inputs(session, reads[model.name]) if one not in names]
            if missing:
                why = f"{missing[0]} has not been loaded or built yet"
                told = _missing(model.name, "model", missing[0], why)
                return [told if one is model else _unpublished(one.name, model.name) for one in models]
    wanted = tuple((model, reads[model.name]) for model in models if model.name in due)
    if not wanted:
        return [Done(model.name, "model", "skipped", "nothing changed") for model in models]
    outcomes = publish(run.store, Wanted(wanted, run.pipeline.groups.of[models[0].name], run.anew), run.author)
    return _told(models, outcomes, due)


def _told(models: Sequence[Model], outcomes: Sequence[BuildOutcome], due: Mapping[str, str]) -> list[Done]:
    culprit = next((one.model for one in outcomes if one.status != "built" and one.findings), "")
    by_name = {one.model: one for one in outcomes}
    found = []
    for model in models:
        if model.name not in due:
            found.append(Done(model.name, "model", "skipped", "nothing changed"))
        elif culprit and model.name != culprit:
            found.append(_unpublished(model.name, culprit))
        else:
            found.append(_built(by_name[model.name], due[model.name]))
    return found


def _unpublished(name: str, culprit: str) -> Done:
    return Done(name, "model", "blocked", f"{culprit} did not succeed, and they are published together")


def _blocked(name: str, kind: Literal["load", "model"], needs: Sequence[str], bad: set[str]) -> Done | None:
    for need in needs:
        if need in bad and need != name:
            return Done(name, kind, "blocked", f"{need} did not succeed")
    return None
