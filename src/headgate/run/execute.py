"""Carries out the steps of a run, one after the other.

A step whose input failed is blocked, the others go on. One that an error ended that may pass is tried again, one that
takes too long is ended, and one that is optional leaves what needs it with the rows that it had published before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

from headgate.books.ledger import Counts
from headgate.core import clock, stop
from headgate.core.errors import ContractError, HeadgateError, InternalError
from headgate.project.model import Retries, StepSettings
from headgate.run.flow import Flow
from headgate.run.outcome import Done, Kind, Status, blocked, unpublished
from headgate.run.retry import may_pass, told_to_pass, waits
from headgate.run.selector import EVERYTHING, Selection, States
from headgate.run.steps import Attempt, Run, Unit, held_up
from headgate.run.watch import Watch

__all__ = ["Done", "Run", "execute"]


def execute(run: Run, select: Selection = EVERYTHING, states: States | None = None) -> Iterator[Done]:
    """Each step's outcome as it ends."""
    flows, models = run.pipeline.select(select, states)
    units: list[Unit] = [*((flow,) for flow in flows), *run.pipeline.units(models)]
    standing = _Standing(run)
    for unit in units:
        began = clock.monotonic()
        for done in standing.blocked(unit) or _tried(run, unit, standing):
            done.seconds = (clock.monotonic() - began) / len(unit)
            standing.note(done)
            yield done
        if stop.signalled():  # a library may have taken the exception for an error of its own
            raise KeyboardInterrupt


@dataclass
class _Standing:
    """What became of the steps so far: those that hold others up, and those that others do without.

    `late`: by step that is optional and did not succeed, or rests on one, the optional steps that did not.
    """

    run: Run
    bad: dict[str, str] = field(default_factory=dict)
    late: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def note(self, done: Done) -> None:
        done.optional = self.run.pipeline.settings[done.id].optional
        if done.bad and done.optional:
            self.late[done.id] = (done.id, *done.stale)
        elif done.bad:
            self.bad[done.id] = done.status
        elif done.stale:
            self.late[done.id] = done.stale

    def blocked(self, unit: Unit) -> list[Done]:
        """All of the unit as blocked, or nothing."""
        if self.bad and self.run.fail_fast:
            why = f"{next(iter(self.bad))} did not succeed, and the run ends at the first that does not (--fail-fast)"
            return [blocked(step.name, _kind(unit), why) for step in unit]
        return held_up(unit, self.bad)


def _kind(unit: Unit) -> Kind:
    return "load" if isinstance(unit[0], Flow) else "model"


def _settings(run: Run, unit: Unit) -> StepSettings:
    """Those of the unit: of models that are published together, the shortest timeout and the most attempts."""
    said = [run.pipeline.settings[step.name] for step in unit]
    timeouts = [one.timeout for one in said if one.timeout is not None]
    retries = [one.retries for one in said if one.retries is not None]
    most = max(retries, key=lambda one: one.attempts, default=None)
    return StepSettings(timeout=min(timeouts, default=None), retries=most)


def _tried(run: Run, unit: Unit, standing: _Standing) -> list[Done]:
    """What became of the unit in the end, after as many attempts as it may have."""
    settings = _settings(run, unit)
    pauses = waits(settings.retries or Retries())
    attempt = Attempt(run, run.store, standing.late)
    number = 0
    while True:
        number += 1
        pause = next(pauses, None)
        for step in unit:
            run.progress(step.name, 0, "reading" if isinstance(step, Flow) else "building")
        attempt.last = pause is None
        found, again = _attempted(attempt, unit, settings.timeout)
        if pause is None or not again:
            return [replace(done, attempts=number) for done in found]
        for step in unit:
            run.progress(step.name, 0, f"waiting for attempt {number + 1}")
        clock.pause(pause)


def _attempted(attempt: Attempt, unit: Unit, timeout: float | None) -> tuple[list[Done], bool]:
    """What became of the unit in one attempt, and whether another one may end otherwise."""
    run = attempt.run
    watch = Watch(run.store, unit[0].name, timeout) if timeout is not None else None
    if watch:
        attempt.store = watch
    try:
        with watch.running() if watch else nullcontext():
            found = attempt.carry_out(unit)
    except InternalError:
        raise
    except Exception as error:
        late = watch.why() if watch else None
        again = late is None and may_pass(run.store, error)
        told = late or error
        if isinstance(told, HeadgateError):
            return _failed(unit, told, attempt), again
        if again and not attempt.last:
            return [], True
        raise
    failed = [done for done in found if done.status == "failed"]
    return found, bool(failed) and all(told_to_pass(done.findings) for done in failed)


def _failed(unit: Unit, error: HeadgateError, attempt: Attempt) -> list[Done]:
    """The first step with the error, the others as not published; what the load had committed is counted."""
    first = unit[0]
    status: Status = "refused" if isinstance(error, ContractError) else "failed"
    committed = attempt.loaded if attempt.loaded.begun else None
    counts = committed.counts if committed else Counts()
    extra = [one for one in attempt.loaded.findings if one.code == "dead-letter"]
    told = Done(first.name, _kind(unit), status, error.finding.what, counts, [*error.findings, *extra])
    return [told, *(unpublished(one.name, first.name) for one in unit[1:])]
