"""What conditions and trigger rules say of a run before it begins, as far as it can be known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from headgate.core import clock
from headgate.project.condition import Condition
from headgate.project.model import Task, Trigger
from headgate.run.pipeline import Pipeline
from headgate.run.turn import Moment, foreseen

if TYPE_CHECKING:
    from collections.abc import Iterable

Foreseen = tuple[bool | None, str]
"""Whether a step's turn will come (None: that depends on others), and why."""

_ALWAYS = "a task runs each time"
_RULES: Mapping[Trigger, str] = {
    "all_done": "whatever becomes of what it needs (trigger_rule all_done)",
    "one_success": "if one of those that it needs succeeds (trigger_rule one_success)",
}
_FAILURES: Mapping[Trigger, str] = {
    "one_failed": "trigger_rule one_failed: it runs where something that it needs fails",
    "all_failed": "trigger_rule all_failed: it runs where all that it needs fails",
}


class Foresight:
    """`passed`: the steps so far of which it is known that a condition or a trigger rule leaves them out."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._moment = Moment(clock.now(), pipeline.home.variables)
        self.passed: set[str] = set()

    def of(self, name: str) -> Foreseen:
        """Of a load or a model: what its condition says, and those of the models that are published with it."""
        asked = [(mate, self._pipeline.settings[mate].when) for mate in self._pipeline.groups.mates(name)]
        return self._first(name, ((mate, one) for mate, one in asked if one is not None))

    def task(self, task: Task) -> Foreseen:
        """Of a task: what its trigger rule says, then its condition."""
        left = [name for name in self._pipeline.needs(task) if name in self.passed]
        if task.trigger in _FAILURES:
            return self._pass(task.name, _FAILURES[task.trigger])
        if task.trigger == "all_success" and left:
            return self._pass(task.name, f"trigger_rule all_success: {left[0]} will be skipped")
        when = self._pipeline.settings[task.name].when
        verdict, why = self._first(task.name, [(task.name, when)] if when is not None else [])
        return verdict, why or _RULES.get(task.trigger, _ALWAYS)

    def _first(self, name: str, asked: Iterable[tuple[str, Condition]]) -> Foreseen:
        open_, words = False, []
        for mate, one in asked:
            verdict, why = foreseen(one, self._moment)
            if verdict is False:
                told = why if mate == name else f"{why}, of {mate}: they are published together"
                return self._pass(name, told)
            open_ = open_ or verdict is None
            words += [why] if verdict is None else []
        return (None if open_ else True), "; ".join(words)

    def _pass(self, name: str, why: str) -> Foreseen:
        self.passed.add(name)
        return False, why
