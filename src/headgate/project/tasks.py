"""One file of `tasks/`: a step of the project's own that fills no table: a function, an SQL file, a program."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as Map
from typing import cast, get_args

from headgate.core.errors import HeadgateError, Location, nearest
from headgate.core.records import dataclass
from headgate.project import fields, secrets, settings
from headgate.project.condition import Condition
from headgate.project.fields import Notes
from headgate.project.model import StepSettings, Task, TaskKind, Trigger, Warehouse, Word
from headgate.project.source import function
from headgate.project.yaml import Mapping, Node
from headgate.project.yaml import Sequence as YamlSequence

KINDS = get_args(TaskKind)
TRIGGERS = get_args(Trigger)
KEYS = (
    *KINDS,
    *("with", "needs", "before", "trigger_rule", "connection", "transaction", "retry_on_exit", "description"),
    *settings.KEYS,
)
GIVEN = ("needs", "vars", "query")
"""What every function may take besides its values."""
ONLY = {"connection": "sql", "transaction": "sql", "retry_on_exit": "shell"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COMPUTED = re.compile(r"\{\{(.*)\}\}", re.DOTALL)

Connect = Callable[[Node], Warehouse | None]
"""The connection of headgate.yml that the node names; None and a note where there is none."""


def read(notes: Notes, node: Mapping, name: str, where: Location, connect: Connect) -> Task | None:
    """What the file says; None where that is nothing to do. Everything wrong with it is noted."""
    fields.known(notes, node, KEYS, "a task")
    kinds = [kind for kind in KINDS if node.get(kind) is not None]
    if len(kinds) != 1:
        what = f"a task does one thing, not {len(kinds)}: {', '.join(kinds) or 'nothing is said'}"
        fix = "write one of python: jobs.py:function, sql: file.sql, shell: [program, argument]"
        notes.error("missing-key" if not kinds else "duplicate-key", what, where, fix)
        return None
    [kind] = kinds
    for key, only in ONLY.items():
        if node.get(key) is not None and only != kind:
            place = node.key(key)
            notes.error("bad-value", f"{key} is for {only} tasks", place.where if place else where, f"remove {key}")
    does = _does(notes, node, kind)
    trigger, transaction, exits = node.get("trigger_rule"), node.get("transaction"), node.get("retry_on_exit")
    word = fields.choice(notes, trigger, "trigger_rule", TRIGGERS) if trigger is not None else None
    task = Task(
        name,
        cast(TaskKind, kind),
        does or "",
        where,
        _values(notes, node.get("with"), kind),
        _words(notes, node.get("needs"), "needs"),
        _words(notes, node.get("before"), "before"),
        cast(Trigger, word or "all_success"),
        connect(named) if (named := node.get("connection")) is not None else None,
        bool(fields.flag(notes, transaction, "transaction")) if transaction is not None else True,
        _exits(notes, exits) if exits is not None else (),
        settings.read(notes, node),
    )
    return task if does else None


def _does(notes: Notes, node: Mapping, kind: str) -> str | tuple[str | Condition, ...] | None:
    said = node.get(kind)
    assert said is not None
    if kind == "python":
        return function(notes, said, "python")
    if kind == "sql":
        return _sql_file(notes, said)
    texts = fields.texts(notes, said, "shell")
    if texts is None:
        return None
    for text in texts:
        if secrets.names(text):
            what = "a secret on a command line can be seen by everybody on this machine"
            fix = "give it by name, as an environment variable: with: {TOKEN: '${secret:TOKEN}'}"
            notes.error("bad-value", what, said.where, fix)
    if not isinstance(said, YamlSequence):
        return texts[0]
    words = [_computed_or_text(notes, text, item.where) for text, item in zip(texts, said.items, strict=True)]
    if not words:
        notes.error("bad-value", "shell: names no program", said.where, "write shell: [program, argument]")
    return tuple(word for word in words if word is not None) or None


def _sql_file(notes: Notes, node: Node) -> str | None:
    text = fields.text(notes, node, "sql")
    if text is None:
        return None
    path = text.strip()
    if not path.endswith(".sql") or path.startswith("/") or ".." in path.split("/") or "\x00" in path:
        notes.error("bad-value", f"{text!r} names no SQL file of the project", node.where, "write sql: folder/file.sql")
        return None
    return path


def _words(notes: Notes, node: Node | None, what: str) -> tuple[Word, ...]:
    if node is None or fields.texts(notes, node, what) is None:
        return ()
    items = node.items if isinstance(node, YamlSequence) else (node,)
    return tuple(Word(fields.text(notes, item, what) or "", item.where) for item in items)


def _exits(notes: Notes, node: Node) -> tuple[int, ...]:
    texts = fields.texts(notes, node, "retry_on_exit") or ()
    for text in texts:
        if not (text.isdecimal() and 1 <= int(text) <= 255):
            what = f"retry_on_exit takes exit codes from 1 to 255, not {text!r}"
            notes.error("bad-value", what, node.where, "write retry_on_exit: [75]")
            return ()
    return tuple(map(int, texts))


def _values(notes: Notes, node: Node | None, kind: str) -> dict[str, object]:
    given = fields.mapping(notes, node, "with")
    found = {}
    for name, value in given.entries if given is not None else ():
        if not _NAME.fullmatch(name.text) or (kind == "python" and name.text in GIVEN):
            what = f"{name.text!r} can't name a value of a task"
            notes.error("reserved-name", what, name.where, f"use letters, digits and _; not {', '.join(GIVEN)}")
        found[name.text] = _value(notes, value)
    return found


def _value(notes: Notes, node: Node) -> object:
    """Plain data; a text in `{{ }}` is computed when the task runs, `${secret:NAME}` is looked up then."""
    if isinstance(node, Mapping):
        return {key.text: _value(notes, value) for key, value in node.entries}
    if isinstance(node, YamlSequence):
        return [_value(notes, item) for item in node.items]
    found = fields.value(node)
    if not isinstance(found, str):
        return found
    try:
        secrets.check(found, node.where)
    except HeadgateError as error:
        notes.take(error)
    return _computed_or_text(notes, found, node.where)


def _computed_or_text(notes: Notes, text: str, where: Location) -> str | Condition | None:
    """`{{ expression }}`, or the text as it is."""
    found = _COMPUTED.fullmatch(text.strip())
    return settings.computed(notes, found[1].strip(), where) if found is not None else text


def computed(value: object) -> list[Condition]:
    """Every expression in a task's values."""
    if isinstance(value, Condition):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [one for part in parts for one in computed(part)]


def by_name(notes: Notes, found: Iterable[Task], taken: Iterable[str]) -> tuple[Task, ...]:
    """The tasks by their names, of which each belongs to one step alone. `taken`: those of loads and models."""
    others = {name.lower(): name for name in taken}
    made: dict[str, Task] = {}
    for task in found:
        first = made.setdefault(task.name.lower(), task)
        if first is not task or task.name.lower() in others:
            other = f"a task in {first.where}" if first is not task else "a table or model"
            what = f"a task can't be called {task.name}: {other} has that name"
            notes.error("duplicate-task", what, task.where, "rename the file: a task is called as its file")
    return tuple(sorted(made.values(), key=lambda task: task.name))


@dataclass(frozen=True)
class Known:
    """What headgate.yml declares for all steps."""

    pools: Map[str, int]
    variables: Map[str, object]


def agree(notes: Notes, every: Sequence[StepSettings], tasks: Sequence[Task], known: Known) -> None:
    """Notes pools and variables that conditions and values name, and that nobody declared."""
    settings.known_pools(notes, every, known.pools)
    asked = [one.when for one in every if one.when is not None]
    for one in [*asked, *(found for task in tasks for found in computed([task.values, task.does]))]:
        _variables(notes, one, known.variables)


def _variables(notes: Notes, asked: Condition, known: Map[str, object]) -> None:
    """Notes every variable that an expression can't do without, and that is not set."""
    for name in asked.variables:
        if name not in known:
            what = f"var({name!r}) is not set{nearest(name, known)}"
            fix = f"set it under vars: in headgate.yml, or with --vars '{name}: value', or write var({name!r}, default)"
            notes.error("unknown-var", what, asked.where, fix)
