"""Which steps are meant: the words behind `run`, `plan` and `check`, in dbt's manner, over loads and models at once.

A word is a name, a glob (`gold.*`), a folder or schema (`gold`) or `method:value`; `+` in front takes what it needs,
`+` behind what needs it, a number beside the `+` says how far, `@` all that needs it and whatever they need. Commas
between words mean all of them at once; several words mean any of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from fnmatch import fnmatchcase
from typing import Literal

from headgate.core.errors import Finding, ProjectError, nearest
from headgate.core.records import dataclass

METHODS = ("tag", "path", "source", "state", "kind", "resource_type", "config.materialized")
STATES = ("new", "modified", "stale")
_WORD = re.compile(r"(?P<at>@)?(?:(?P<up>[0-9]*)(?P<needs>\+))?(?P<body>[^+@]+)(?:(?P<used>\+)(?P<down>[0-9]*))?")
_GLOB = re.compile(r"[*?\[]")
_SYNTAX = "write orders, +orders, 2+orders, orders+, orders+1, @orders, gold.*, tag:daily or path:models/gold"

States = Callable[[], Mapping[str, set[str]]]
"""By word of `STATES`, the steps that are so; asked only where a selection speaks of them."""


@dataclass(frozen=True)
class Node:
    """One step that can be chosen. `names`: all that it may be called, without regard to case; `folders`: dotted names
    of the folders and the schema that it stands in; `path`: of its file, in the project."""

    id: str
    kind: Literal["load", "model", "task"]
    names: tuple[str, ...]
    folders: tuple[str, ...] = ()
    path: str = ""
    tags: tuple[str, ...] = ()
    materialized: str = ""


@dataclass(frozen=True)
class Web:
    """All steps, in the order of a run, and by each of them what it needs, one step away. `parts`: ephemeral models,
    which are parts of steps."""

    nodes: tuple[Node, ...]
    needs: Mapping[str, frozenset[str]]
    parts: tuple[str, ...] = ()
    used: Mapping[str, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        users: dict[str, set[str]] = {}
        for name, needed in self.needs.items():
            for one in needed:
                users.setdefault(one, set()).add(name)
        object.__setattr__(self, "used", {name: frozenset(found) for name, found in users.items()})

    def upstream(self, names: Iterable[str], far: int | None = None) -> set[str]:
        return _reached(names, self.needs, far)

    def downstream(self, names: Iterable[str], far: int | None = None) -> set[str]:
        return _reached(names, self.used, far)


def _reached(names: Iterable[str], edges: Mapping[str, frozenset[str]], far: int | None) -> set[str]:
    """These and everything that the edges lead to, at most so many steps away."""
    found, edge = set(names), set(names)
    while edge and far != 0:
        edge = {other for name in edge for other in edges.get(name, ())} - found
        found |= edge
        far = None if far is None else far - 1
    return found


@dataclass(frozen=True)
class Selection:
    """What was asked for. Without `include` that is every step."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @classmethod
    def of(cls, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Selection:
        """A word may hold several, with blanks between them."""
        return cls(tuple(_split(include)), tuple(_split(exclude)))

    def chosen(self, web: Web, states: States | None = None) -> set[str]:
        """The steps that are meant. Without `states`, words are only looked at for mistakes where they speak of them.

        *Errors*: ProjectError `bad-selector`, `unknown-step`, `nothing-matches`.
        """
        asked = _Asked(web, states)
        found = asked.union(self.include) if self.include else {node.id for node in web.nodes}
        return found - asked.union(self.exclude)


EVERYTHING = Selection()


def _split(words: Sequence[str]) -> list[str]:
    return [part for word in words for part in (word.split() or [word])]


@dataclass
class _Asked:
    web: Web
    states: States | None

    def union(self, words: Sequence[str]) -> set[str]:
        return {name for word in words for name in self._all_of(word)}

    def _all_of(self, word: str) -> set[str]:
        """The intersection of what stands between commas."""
        first, *rest = [self._one(word, part) for part in word.split(",")]
        return first.intersection(*rest)

    def _one(self, word: str, part: str) -> set[str]:
        read = _WORD.fullmatch(part)
        if read is None or (read["at"] and (read["needs"] or read["used"])):
            raise _wrong(f"{word!r} is no selection of steps" + (f": {part!r}" if part != word else ""), word)
        found = self._named(read["body"])
        if read["at"]:
            return self.web.upstream(self.web.downstream(found))
        up = self.web.upstream(found, _far(read["up"])) if read["needs"] else found
        down = self.web.downstream(found, _far(read["down"])) if read["used"] else found
        return up | down

    def _named(self, body: str) -> set[str]:
        method, colon, value = body.partition(":")
        if not colon:
            return self._by_name(body)
        if method not in METHODS or not value:
            hint = nearest(method, METHODS) if method not in METHODS else ""
            what = f"unknown method {method!r}{hint}" if method not in METHODS else f"{method}: names nothing"
            raise _wrong(f"{what} in {body!r}", body, "the methods are " + ", ".join(METHODS))
        name = method.replace("config.", "").replace("resource_type", "kind")
        found: set[str] = getattr(self, f"_by_{name}")(value)
        return found

    def _by_name(self, name: str) -> set[str]:
        low, nodes = name.lower(), self.web.nodes
        exact = {node.id for node in nodes if low in node.names}
        if exact:
            return exact
        if _GLOB.search(name):
            found = {node.id for node in nodes if any(fnmatchcase(one, low) for one in node.names)}
        else:
            found = {node.id for node in nodes if low in node.folders}
        if found:
            return found
        if part := next((one for one in self.web.parts if one.lower() == low.rpartition(".")[2]), None):
            raise _part(part, name)
        known = {one for node in nodes for one in (node.id, *node.folders)}
        if _GLOB.search(name):
            raise _nothing(name, "name", name, ())
        finding = Finding(
            "unknown-step",
            "error",
            f"the project has no table or model {name!r}{nearest(name, sorted(known))}",
            name,
            "see what there is: headgate plan",
        )
        raise ProjectError(finding)

    def _by_tag(self, value: str) -> set[str]:
        return self._matching("tag", value, lambda node: node.tags)

    def _by_kind(self, value: str) -> set[str]:
        return self._matching("kind", value, lambda node: (node.kind,))

    def _by_materialized(self, value: str) -> set[str]:
        return self._matching("config.materialized", value, lambda node: filter(None, (node.materialized,)))

    def _by_source(self, value: str) -> set[str]:
        """Loads, by table or by schema."""
        return self._matching("source", value, lambda node: (*node.names, *node.folders) if node.kind == "load" else ())

    def _by_path(self, value: str) -> set[str]:
        """Steps whose file is that one, or stands below that folder."""
        folder = value.removeprefix("./").rstrip("/")

        def places(node: Node) -> list[str]:
            parts = node.path.split("/")
            return ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]

        return self._matching("path", folder, places)

    def _by_state(self, value: str) -> set[str]:
        if value not in STATES:
            raise _wrong(f"no step can be {value!r}{nearest(value, STATES)}", value, "use one of " + ", ".join(STATES))
        return set() if self.states is None else set(self.states()[value])

    def _matching(self, method: str, value: str, of: Callable[[Node], Iterable[str]]) -> set[str]:
        low = value.lower()
        found = {node.id for node in self.web.nodes if any(fnmatchcase(one.lower(), low) for one in of(node))}
        if not found:
            raise _nothing(f"{method}:{value}", method, value, {one for node in self.web.nodes for one in of(node)})
        return found


def _far(number: str | None) -> int | None:
    return int(number) if number else None


def _part(model: str, name: str) -> ProjectError:
    what = f"model {model!r} is ephemeral: it is a part of the queries that read it, and no step of its own"
    fix = "name a model that reads it (headgate plan lists all), or make it a view: {{ config(materialized='view') }}"
    return ProjectError(Finding("unknown-step", "error", what, name, fix))


def _wrong(what: str, where: str, fix: str = _SYNTAX) -> ProjectError:
    return ProjectError(Finding("bad-selector", "error", what, where, fix))


def _nothing(word: str, method: str, value: str, known: Iterable[str]) -> ProjectError:
    what = f"no step matches {word!r}{nearest(value, sorted(known))}"
    fix = "see what there is: headgate plan"
    return ProjectError(Finding("nothing-matches", "error", what, word, fix, {"method": method, "value": value}))
