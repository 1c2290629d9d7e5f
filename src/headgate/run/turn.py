"""Whether a step's turn comes: what the steps that it needs did, by its trigger rule, and then its condition."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from headgate.core.errors import HeadgateError
from headgate.core.records import dataclass
from headgate.project.condition import Condition, Scope, Unanswered, Undecided, because, holds, in_zone
from headgate.project.model import Task, Trigger
from headgate.run import failures
from headgate.run.errand import Results, relevant, unanswered
from headgate.run.flow import Flow
from headgate.run.outcome import Done, Kind, blocked, passed_over, unpublished
from headgate.run.pipeline import Pipeline, Unit

BAD = ("refused", "failed", "blocked")
FOR_FAILURES: Collection[Trigger] = ("all_done", "one_failed", "all_failed")
"""Tasks that are there for what did not succeed, also where a run ends at the first step that does not."""


def kind_of(unit: Unit) -> Kind:
    return "load" if isinstance(unit[0], Flow) else "task" if isinstance(unit[0], Task) else "model"


@dataclass(frozen=True)
class Met:
    """What became of the steps before. `passed`: those that a condition or a trigger rule left out; `bad`: those that
    did not succeed and that the run can't do without."""

    results: Results
    passed: Collection[str]
    bad: Collection[str]


def triggered(task: Task, needs: Collection[str], met: Met) -> Done | None:
    """The task as blocked or skipped by its trigger rule; None where its turn comes.

    Steps that are no part of the run don't count. One that is optional and did not succeed has failed for the rules
    that ask for failures, and holds nobody up.
    """
    here = [name for name in needs if name in met.results]
    failed = [name for name in here if met.results[name]["status"] in BAD]
    hard = [name for name in failed if name in met.bad]
    passed = [name for name in here if name in met.passed]
    rule = task.trigger
    if rule == "all_done" or (rule == "one_failed" and failed) or (rule == "all_failed" and here == failed != []):
        return None
    if rule in ("one_failed", "all_failed"):
        succeeded = next((name for name in here if name not in failed), None)
        why = "nothing that it needs failed" if not failed else f"{succeeded} did not fail"
        return passed_over(task.name, "task", f"trigger_rule {rule}: {why}")
    if rule == "one_success" and any(name not in failed and name not in passed for name in here):
        return None
    if hard:
        return blocked(task.name, "task", f"{hard[0]} did not succeed")
    if rule == "one_success":
        return passed_over(task.name, "task", f"trigger_rule {rule}: nothing that it needs succeeded")
    if rule == "all_success" and passed:
        return passed_over(task.name, "task", f"trigger_rule {rule}: {passed[0]} was skipped")
    return None


@dataclass(frozen=True)
class Moment:
    """When a run began, and the variables of its project."""

    at: datetime
    variables: Mapping[str, object]

    def scope(self, asked: Condition, needs: Results | None) -> Scope:
        return Scope(in_zone(self.at, asked.timezone), self.variables, needs)


def conditioned(pipeline: Pipeline, unit: Unit, results: Results, moment: Moment) -> list[Done]:
    """All of the unit as skipped where the condition of one of its steps is false, or as failed where it has no answer;
    nothing where their turn comes."""
    for step in unit:
        asked = pipeline.settings[step.name].when
        if asked is None:
            continue
        scope = moment.scope(asked, relevant(pipeline.needs(step), results))
        try:
            if holds(asked, scope):
                continue
            found = passed_over(step.name, kind_of(unit), because(asked, scope))
        except Unanswered as error:
            found = _failed(step.name, kind_of(unit), asked, error)
        return _each(unit, found)
    return []


def _each(unit: Unit, first: Done) -> list[Done]:
    """What became of one step, and with it of those that are published together with it."""
    if not first.passed:
        return [first if step.name == first.id else unpublished(step.name, first.id) for step in unit]
    why = f"{first.reason}, of {first.id}: they are published together"
    return [first if step.name == first.id else passed_over(step.name, first.kind, why) for step in unit]


def _failed(name: str, kind: Kind, asked: Condition, error: Unanswered) -> Done:
    told: HeadgateError = unanswered(name, asked, error)
    done = Done(name, kind, "failed", told.finding.what, findings=list(told.findings))
    done.failure = failures.PROJECT
    return done


def foreseen(asked: Condition, moment: Moment) -> tuple[bool | None, str]:
    """What a condition says before the run, and why; None where that depends on what steps will do."""
    scope = moment.scope(asked, None)
    try:
        return holds(asked, scope), because(asked, scope)
    except Undecided:
        return None, f"when: {asked.text}"
    except Unanswered as error:
        return None, f"would fail: {asked.text} {error}"
