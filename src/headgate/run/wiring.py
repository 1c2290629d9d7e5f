"""How tasks stand among loads and models: what each needs, what each comes before, and the order of all steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from headgate.core.errors import Finding, ProjectError, nearest
from headgate.project.condition import Condition
from headgate.project.model import Task, Word
from headgate.project.tasks import computed
from headgate.run.selector import Node, Selection, Web

Wires = Mapping[str, tuple[str, ...]]


def node_of(task: Task) -> Node:
    path = task.where.path
    parts = [part.lower() for part in path.split("/")[1:-1]]
    folders = tuple(".".join(parts[:length]) for length in range(1, len(parts) + 1))
    return Node(task.name, "task", (task.name.lower(),), folders, path)


def wires(web: Web, tasks: Sequence[Task]) -> Wires:
    """By step, the steps that it waits for because tasks say so; `web` has all steps, and what tables need.

    A step that is named is meant whatever it is. A pattern (`*`, `tag:daily`, a folder) means loads and models, and
    under `needs:` tasks that have no pattern there themselves; never the task, nor what comes behind it (`needs`) or
    is needed by it (`before`). So `needs: "*"` is everything that the task can wait for.
    *Errors*: ProjectError with every word that means nothing, `bad-condition`.
    """
    made = _Wiring(web)
    for task in tasks:
        made.join(task)
    loose = {task.name for task in tasks if any(not made.is_exact(word) for word in task.needs)}
    for task in tasks:
        made.come_before(task, made.patterns(task, task.before) - _names(tasks))
    for task in tasks:
        made.wait_for(task, made.patterns(task, task.needs) - loose)
    made.problems += [one for task in tasks for one in _unwired(task, made.edges.get(task.name, ()))]
    if made.problems:
        raise ProjectError(*made.problems)
    return {name: tuple(found) for name, found in made.edges.items()}


def _names(tasks: Iterable[Task]) -> set[str]:
    return {task.name for task in tasks}


class _Wiring:
    """`edges`: what is added to the needs of the web, in the order in which it was said."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.edges: dict[str, list[str]] = {}
        self.problems: list[Finding] = []
        self._exact = {name: node.id for node in reversed(web.nodes) for name in node.names}

    def is_exact(self, word: Word) -> bool:
        return word.text.lower() in self._exact

    def join(self, task: Task) -> None:
        """The edges of what is named."""
        for word in task.needs:
            if self.is_exact(word):
                self._add(task.name, [self._exact[word.text.lower()]])
        for word in task.before:
            if self.is_exact(word):
                self._add(self._exact[word.text.lower()], [task.name])

    def patterns(self, task: Task, words: Sequence[Word]) -> set[str]:
        """What the other words choose, whichever that is."""
        found: set[str] = set()
        for word in words:
            if not self.is_exact(word):
                found |= self._meant(word)
        return found - {task.name}

    def come_before(self, task: Task, names: set[str]) -> None:
        if names:
            for name in self._ordered(names - self._now().upstream([task.name])):
                self._add(name, [task.name])

    def wait_for(self, task: Task, names: set[str]) -> None:
        if names:
            self._add(task.name, self._ordered(names - self._now().downstream([task.name])))

    def _meant(self, word: Word) -> set[str]:
        try:
            if "state:" in word.text.lower():
                what = f"{word.text!r} chooses by what is known when a run begins"
                raise ProjectError.of("bad-selector", what, word.where, "name steps, folders or tags")
            return Selection.of([word.text]).chosen(self.web)
        except ProjectError as error:
            self.problems += [replace(one, where=str(word.where)) for one in error.findings]
            return set()

    def _add(self, name: str, needed: Iterable[str]) -> None:
        edges = self.edges.setdefault(name, [])
        edges += [one for one in needed if one not in edges]

    def _now(self) -> Web:
        needs = {**self.web.needs}
        for name, added in self.edges.items():
            needs[name] = frozenset((*needs.get(name, ()), *added))
        return Web(self.web.nodes, needs)

    def _ordered(self, names: set[str]) -> list[str]:
        return [node.id for node in self.web.nodes if node.id in names]


def _unwired(task: Task, needs: Sequence[str]) -> list[Finding]:
    """Steps whose results its values speak of, and that it does not wait for."""
    return [
        _speaks(task.name, name, needs, str(one.where))
        for one in computed([task.values, task.does])
        for name in one.needs
        if name not in needs
    ]


def conditions(web: Web, asked: Mapping[str, Condition]) -> list[Finding]:
    """Steps whose results the condition of another speaks of, which does not need them."""
    return [
        _speaks(step, name, sorted(web.needs[step]), str(one.where))
        for step, one in asked.items()
        for name in one.needs
        if name not in web.needs[step]
    ]


def _speaks(step: str, name: str, needs: Sequence[str], where: str) -> Finding:
    what = f"{step} does not need {name!r}, whose result it speaks of{nearest(name, needs)}"
    listed = ", ".join(needs) or "nothing"
    fix = f"speak of what it needs ({listed}), or have it wait: a task by needs: [{name}], others by before: of a task"
    return Finding("bad-condition", "error", what, where, fix)


def arranged(names: Sequence[str], needs: Sequence[set[int]]) -> list[int]:
    """The numbers of the named units in their order, but each behind all that it needs.

    *Errors*: ProjectError `step-cycle`.
    """
    made: dict[int, None] = {}
    for first in range(len(names)):
        way = [first]
        while way:
            before = min((one for one in needs[way[-1]] if one not in made and one != way[-1]), default=None)
            if before is None:
                made[way.pop()] = None
            elif before in way:
                raise _circle([names[one] for one in [*way[way.index(before) :], before]])
            else:
                way.append(before)
    return list(made)


def _circle(names: Sequence[str]) -> ProjectError:
    what = f"steps wait for each other in a circle: {' -> '.join(names)}"
    fix = "take one of the names out of needs: or before: of a task"
    return ProjectError(Finding("step-cycle", "error", what, names[0], fix))
