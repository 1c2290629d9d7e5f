"""What a task is given, and what it gives back: values by name, results of what it needs, its own result as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from pathlib import Path

from headgate.core.errors import Finding, HeadgateError, ProjectError
from headgate.core.records import dataclass
from headgate.project import secrets
from headgate.project.condition import ROWS, Condition, Scope, Unanswered, evaluate, in_zone
from headgate.project.model import Task
from headgate.project.secrets import Secret
from headgate.run.watch import Watch

HIDDEN = "***"
MOST_RESULT = 64_000
"""Characters of a result that the history keeps."""
Results = Mapping[str, Mapping[str, object]]
"""By step, what became of it, as `needs.NAME` of an expression tells it."""


@dataclass(frozen=True)
class Home:
    """Where tasks are at work: the project's folder, one for temporary files, and the variables of the project."""

    root: Path = Path()
    temp: Path = Path()
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Errand:
    """One task, about to run. `needs`: what became of the steps that it needs."""

    task: Task
    watch: Watch
    home: Home
    needs: Results
    at: datetime

    def scope(self, timezone: str = "UTC") -> Scope:
        return Scope(in_zone(self.at, timezone), self.home.variables, self.needs)

    def given(self) -> Given:
        """The values of `with:`. *Errors*: ProjectError `secret-missing`, `condition-unanswered`."""
        found = Given()
        found.values = {name: self._value(value, found) for name, value in self.task.values.items()}
        return found

    def computed(self, asked: Condition) -> object:
        try:
            return evaluate(asked, self.scope())
        except Unanswered as error:
            raise unanswered(self.task.name, asked, error) from None

    def _value(self, value: object, found: Given) -> object:
        if isinstance(value, Condition):
            return self.computed(value)
        if isinstance(value, dict):
            return {key: self._value(part, found) for key, part in value.items()}
        if isinstance(value, list):
            return [self._value(part, found) for part in value]
        if not isinstance(value, str):
            return value
        known = secrets.resolve(value, self.home.root, self.task.where)
        if isinstance(known, Secret):
            found.hide(known, self.home.root, self.task)
            return known.reveal()
        return known


@dataclass
class Given:
    """The values of a task, and which texts in whatever it says are to be hidden."""

    values: dict[str, object] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)

    def hide(self, secret: Secret, root: Path, task: Task) -> None:
        for name in secret.names:
            text = secrets.resolve(f"${{secret:{name}}}", root, task.where)
            assert isinstance(text, Secret)
            self.hidden |= {text.reveal(), json.dumps(text.reveal())[1:-1]} - {""}

    def masked(self, text: str) -> str:
        """The text without its secrets; longer ones first, of which others may be parts."""
        for one in sorted(self.hidden, key=len, reverse=True):
            text = text.replace(one, HIDDEN)
        return text


def unanswered(name: str, asked: Condition, error: Exception) -> HeadgateError:
    """An expression that has no value, now that the results are there."""
    what = f"{name}: {asked.text!r} {error}"
    fix = "mend the expression, or ask first whether it is there: needs.x.status == 'ok' and needs.x.result.n > 0"
    return ProjectError.of("condition-unanswered", what, asked.where, fix)


@dataclass
class Performed:
    """What a task gave back: `result` is plain data, without secrets."""

    result: object = None
    findings: list[Finding] = field(default_factory=list)


def performed(task: Task, result: object, given: Given) -> Performed:
    """The result as JSON can hold it. *Errors*: ProjectError `bad-result`."""
    try:
        text = given.masked(json.dumps(result, allow_nan=False))
        return Performed(json.loads(text))
    except (TypeError, ValueError, RecursionError) as error:
        what = f"{task.name} gives back what JSON can't hold: {type(error).__name__}"
        fix = "return numbers, texts, true, false, None, lists, or dicts of these with texts as keys"
        raise ProjectError.of("bad-result", what, task.where, fix) from None


def kept(result: object) -> str:
    """The result as the history keeps it: JSON, or nothing where there is none or too much of it."""
    text = "" if result is None else json.dumps(result, allow_nan=False)
    return text if len(text) <= MOST_RESULT else ""


def too_long(done: Performed, task: Task) -> list[Finding]:
    """What to tell of a result that the history can't keep."""
    if done.result is None or kept(done.result):
        return []
    what = f"the result of {task.name} has more than {MOST_RESULT:,} characters: only steps of this run see it"
    return [Finding("result-too-long", "warning", what, str(task.where), "return less, and write the rest to a table")]


def relevant(needs: Sequence[str], results: Results) -> Results:
    """What became of these steps; those that are no part of the run are absent."""
    absent = {"status": "absent", **dict.fromkeys(ROWS, 0), "result": None}
    return {name: results.get(name, absent) for name in needs}
