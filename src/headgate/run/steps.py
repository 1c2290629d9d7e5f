"""What each kind of step does: a load, a model, models that are published together, a task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime
from functools import partial

from headgate.books import ledger
from headgate.books.known import Known
from headgate.core import clock, stop
from headgate.core.protocols import Store
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models.build import How
from headgate.models.model import BuildOutcome, Model
from headgate.project.model import Task
from headgate.run.errand import Errand, Results, relevant, too_long
from headgate.run.flow import Flow, choose
from headgate.run.job import DEFAULT_SLICES, Job, Loaded, Slices
from headgate.run.load import load
from headgate.run.outcome import Done, Status, blocked, missing, unpublished, warned
from headgate.run.pace import Pace
from headgate.run.pipeline import Pipeline, Unit
from headgate.run.stale import asked_for, due_of, held_by_history, inputs_of, missing_inputs, stale
from headgate.run.turn import FOR_FAILURES, kind_of
from headgate.run.watch import Watch


@dataclass(frozen=True)
class Run:
    """A run's settings. `progress(step, rows, phase)` is told how far it is. `fail_fast`: no step is begun after one
    that did not succeed, and that the run can't do without."""

    store: Store
    pipeline: Pipeline
    author: str
    full_refresh: bool = False
    slices: Slices = DEFAULT_SLICES
    progress: Callable[[str, int, str], None] = lambda step, rows, phase: None
    read: Callable[[str, int, int, int], None] = lambda step, rows, done, total: None
    """Is told what a load has read so far: records, and bytes of how many; long before they are committed."""
    fail_fast: bool = False
    threads: int = 1
    """How many steps that don't need each other are carried out at once."""
    again: tuple[str, str] | None = None
    """From when to when models that are built by intervals are built once more."""
    at: datetime = field(default_factory=lambda: clock.now())
    """When it began: what conditions take for now, and the instant of all that snapshots find."""
    left: frozenset[TableRef] | None = None
    """What earlier runs left of rows that failed a test, as far as that is known."""
    earlier: Results = field(default_factory=dict)
    """What became of steps in the run that this one resumes."""
    known: Known = field(default_factory=Known)

    @property
    def anew(self) -> How:
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        return How(self.full_refresh, again=self.again, at=at, left=self.left)


@dataclass(frozen=True)
class Before:
    """What became of the steps before. `late`: by step that is optional and did not succeed, or rests on one, the
    optional steps that did not; `results`: what tasks and conditions can ask."""

    late: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    results: Results = field(default_factory=dict)


@dataclass
class Attempt:
    """One try of a unit. `last`: nobody tries again; `loaded`: what earlier attempts of the load did."""

    run: Run
    store: Watch
    before: Before
    last: bool = True
    loaded: Loaded = field(default_factory=lambda: Loaded("skipped", "nothing new"))

    def carry_out(self, unit: Unit) -> list[Done]:
        """What became of each step of it. Raises whatever ends it early."""
        if isinstance(unit[0], Flow):
            return [self._load(unit[0])]
        if isinstance(unit[0], Task):
            return [self._task(unit[0])]
        models = tuple(one for one in unit if isinstance(one, Model))
        return [self._model(models[0])] if len(models) == 1 else self._together(models)

    def _task(self, task: Task) -> Done:
        from headgate.run.perform import perform

        pipeline = self.run.pipeline
        needs = relevant(pipeline.needs(task), self.before.results)
        done = perform(Errand(task, self.store, pipeline.home, needs, self.run.at))
        findings = [*done.findings, *too_long(done, task)]
        rests_on = () if task.trigger in FOR_FAILURES else self._rests_on(task)
        return Done(task.name, "task", "ok", "", findings=findings, stale=rests_on, result=done.result)

    def _load(self, flow: Flow) -> Done:
        unmet = self._unmet(flow)
        if unmet:
            return unmet
        rests_on = self._rests_on(flow)
        self.run.known.forget(flow.tables)
        loaded = load(self._job(flow, rests_on), self.loaded)
        findings = loaded.findings + warned(flow.name, loaded.counts)
        status: Status = "ok" if loaded.status == "ok" else "refused" if loaded.status == "refused" else "skipped"
        return Done(flow.name, "load", status, loaded.reason, loaded.counts, findings, stale=rests_on)

    def _job(self, flow: Flow, rests_on: tuple[str, ...]) -> Job:
        run = self.run
        facts = {"stale": list(rests_on)} if rests_on else {}

        def progress(rows: int) -> None:
            run.progress(flow.name, rows, "loading")
            stop.check()

        pace = Pace(partial(run.read, flow.name))
        return Job(self.store, flow, run.author, run.full_refresh, run.slices, progress, self.last, facts, pace)

    def _unmet(self, flow: Flow) -> Done | None:
        """The step as blocked if it would read something, and a table that it refers to was never loaded."""
        needs = [name for name in flow.contract.targets if name != flow.name] if flow.contract else []
        if not needs:
            return None
        from headgate.run.bronze import bound

        with self.store.session() as session:
            versions = ledger.table_versions(session)
            lacking = [need for need in needs if not versions.get(need)]
            if not lacking:
                return None
            state = ledger.table_state(session, flow.table)
            choice = choose(bound(flow, session), ledger.seats(session, flow.name), state, self.run.full_refresh)
        if not choice.readings:
            return None
        why = f"it refers to {lacking[0]}, which has not been loaded yet"
        return missing(flow.name, "load", lacking[0], why)

    def _model(self, model: Model) -> Done:
        run = self.run
        rests_on = self._rests_on(model)
        inputs = inputs_of(model, run.pipeline, rests_on)
        with self.store.session() as session:
            versions = run.known.versions(session, inputs.tables.values())
            lacking = missing_inputs(session, inputs, run.known)
            reason = asked_for(model, run.anew) or stale(session, model, inputs, run.known)
            held = held_by_history(session, model, reason)
        if held is not None:
            return Done(model.name, "model", "failed", held.what, findings=[held], stale=rests_on)
        if lacking:
            return missing(model.name, "model", lacking[0], f"{lacking[0]} has not been loaded or built yet")
        if reason is None:
            return Done(model.name, "model", "skipped", "nothing changed", stale=rests_on)
        run.known.forget([model.target])
        inputs = replace(inputs, versions=versions)
        if model.split is not None:
            from headgate.run.publish import Wanted, publish

            return _built(
                publish(self.store, Wanted(((model, inputs),), anew=run.anew), run.author)[0], reason, rests_on
            )
        from headgate.run.build import build_model

        outcome = build_model(self.store, model, inputs, run.author, run.anew)
        if outcome is None:
            return Done(model.name, "model", "skipped", "another run has built it", stale=rests_on)
        return _built(outcome, reason, rests_on)

    def _together(self, models: tuple[Model, ...]) -> list[Done]:
        """Models that are published together: none is, unless every one that is due can be."""
        run = self.run
        names = {model.name for model in models}
        late = self._rests_on(*models)
        reads = {model.name: inputs_of(model, run.pipeline, late) for model in models}
        with self.store.session() as session:
            due = due_of(session, models, reads, run.anew, run.known)
            for model in models:
                lacking = [one for one in missing_inputs(session, reads[model.name], run.known) if one not in names]
                if lacking:
                    why = f"{lacking[0]} has not been loaded or built yet"
                    told = missing(model.name, "model", lacking[0], why)
                    return [told if one is model else unpublished(one.name, model.name) for one in models]
                if (held := held_by_history(session, model, due.get(model.name))) is not None:
                    told = Done(model.name, "model", "failed", held.what, findings=[held], stale=late)
                    return [told if one is model else unpublished(one.name, model.name) for one in models]
        wanted = tuple((model, reads[model.name]) for model in models if model.name in due)
        if not wanted:
            return [Done(model.name, "model", "skipped", "nothing changed", stale=late) for model in models]
        from headgate.run.publish import Wanted, publish

        run.known.forget(model.target for model, _ in wanted)
        group = run.pipeline.groups.of[models[0].name]
        outcomes = publish(self.store, Wanted(wanted, group, run.anew), run.author)
        return _told(models, outcomes, due, late)

    def _rests_on(self, *steps: Flow | Model | Task) -> tuple[str, ...]:
        needed = (name for step in steps for name in self.run.pipeline.needs(step))
        return tuple(dict.fromkeys(one for name in needed for one in self.before.late.get(name, ())))


def held_up(pipeline: Pipeline, unit: Unit, bad: Mapping[str, str]) -> list[Done]:
    """All of the unit as blocked, where one of its steps needs one that did not succeed; else nothing."""
    for step in unit:
        need = next((need for need in pipeline.needs(step) if need in bad), None)
        if need is not None:
            held = blocked(step.name, kind_of(unit), f"{need} did not succeed")
            return [held if one is step else unpublished(one.name, step.name) for one in unit]
    return []


def _built(outcome: BuildOutcome, reason: str, rests_on: tuple[str, ...]) -> Done:
    words: dict[str, Status] = {"built": "ok", "failed": "failed", "refused": "refused"}
    status, findings = words[outcome.status], list(outcome.findings)
    if status == "ok":
        findings += warned(str(outcome.target), outcome.counts)
    why = reason if status == "ok" else outcome.findings[0].what
    return Done(outcome.model, "model", status, why, outcome.counts, findings, stale=rests_on)


def _told(
    models: Sequence[Model], outcomes: Sequence[BuildOutcome], due: Mapping[str, str], rests_on: tuple[str, ...]
) -> list[Done]:
    culprit = next((one.model for one in outcomes if one.status != "built" and one.findings), "")
    by_name = {one.model: one for one in outcomes}
    found = []
    for model in models:
        if model.name not in due:
            found.append(Done(model.name, "model", "skipped", "nothing changed", stale=rests_on))
        elif culprit and model.name != culprit:
            found.append(unpublished(model.name, culprit))
        else:
            found.append(_built(by_name[model.name], due[model.name], rests_on))
    return found
