"""One unit of a run, as often as it may be tried: retries, the end of its time, what it says in the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import field

from headgate.books.ledger import Counts
from headgate.core import clock
from headgate.core.errors import ContractError, HeadgateError, InternalError
from headgate.core.records import dataclass
from headgate.core.usage import usage
from headgate.project.model import Retries, StepSettings
from headgate.run import failures
from headgate.run.outcome import Done, Status, unpublished
from headgate.run.pace import ENDED, WAITING
from headgate.run.pipeline import Unit
from headgate.run.retry import may_pass, told_to_pass, waits
from headgate.run.steps import Attempt, Before, Run
from headgate.run.turn import kind_of
from headgate.run.watch import Watch


def _settings(run: Run, unit: Unit) -> StepSettings:
    """Those of the unit: of models that are published together, the shortest timeout and the most attempts."""
    said = [run.pipeline.settings[step.name] for step in unit]
    timeouts = [one.timeout for one in said if one.timeout is not None]
    retries = [one.retries for one in said if one.retries is not None]
    most = max(retries, key=lambda one: one.attempts, default=None)
    return StepSettings(timeout=min(timeouts, default=None), retries=most)


_PHASES = {"load": "reading", "model": "building", "task": "running"}


@dataclass(frozen=True)
class Way:
    """How attempts are made: `pause` waits for so many seconds; `halted`: that the whole run ends; `watched` is told of
    every attempt while it runs."""

    pause: Callable[[float], object]
    halted: threading.Event = field(default_factory=threading.Event)
    watched: Callable[[Watch], AbstractContextManager[object]] = nullcontext


def timed(run: Run, unit: Unit, met: Before, way: Way) -> list[Done]:
    """The same as `tried`, with what it took; each step of the unit has an equal share."""
    began, before = clock.monotonic(), usage()
    found = tried(run, unit, met, way)
    after = usage()
    for done in found:
        done.seconds = (clock.monotonic() - began) / len(unit)
        done.cpu_secs, done.peak_bytes = (after.cpu_secs - before.cpu_secs) / len(unit), after.peak_bytes
        run.progress(done.id, done.counts.read, ENDED)
    return found


def tried(run: Run, unit: Unit, met: Before, way: Way) -> list[Done]:
    """What became of the unit in the end, after as many attempts as it may have."""
    settings = _settings(run, unit)
    pauses = waits(settings.retries or Retries())
    attempt = Attempt(run, Watch(run.store, unit[0].name), met)
    number = 0
    while True:
        number += 1
        pause = next(pauses, None)
        for step in unit:
            run.progress(step.name, 0, _PHASES[kind_of(unit)])
        attempt.last = pause is None
        watch = Watch(run.store, unit[0].name, settings.timeout, way.halted)
        with way.watched(watch):
            found, again = _attempted(attempt, unit, watch)
        if pause is None or not again:
            for done in found:
                done.attempts = number
            return found
        for step in unit:
            run.progress(step.name, 0, f"{WAITING}{number + 1}")
        way.pause(pause)
        if way.halted.is_set():
            raise KeyboardInterrupt


def _attempted(attempt: Attempt, unit: Unit, watch: Watch) -> tuple[list[Done], bool]:
    """What became of the unit in one attempt, and whether another one may end otherwise."""
    attempt.store = watch
    try:
        with watch.running():
            found = attempt.carry_out(unit)
    except InternalError:
        raise
    except Exception as error:
        if watch.halted.is_set():
            raise KeyboardInterrupt from error
        overdue = watch.overdue()
        again = overdue is None and may_pass(watch.store, error)
        told = overdue or error
        if isinstance(told, HeadgateError):
            return _failed(unit, told, attempt), again
        if again and not attempt.last:
            return [], True
        raise
    failed = [done for done in found if done.status == "failed"]
    if failed and (overdue := watch.overdue()):
        return _failed(unit, overdue, attempt), False
    return found, bool(failed) and all(told_to_pass(done.findings) for done in failed)


def _failed(unit: Unit, error: HeadgateError, attempt: Attempt) -> list[Done]:
    """The first step with the error, the others as not published; what the load had committed is counted."""
    first = unit[0]
    status: Status = "refused" if isinstance(error, ContractError) else "failed"
    committed = attempt.loaded if attempt.loaded.begun else None
    counts = committed.counts if committed else Counts()
    extra = [one for one in attempt.loaded.findings if one.code == "dead-letter"]
    told = Done(first.name, kind_of(unit), status, error.finding.what, counts, [*error.findings, *extra])
    told.failure = failures.of_error(error)
    if kind_of(unit) == "task" and "output" in error.finding.evidence:
        told.result = dict(error.finding.evidence)
    return [told, *(unpublished(one.name, first.name) for one in unit[1:])]
