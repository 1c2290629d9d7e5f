"""YAML with a place for every value. Scalars are text as written: `NO` stays "NO", 1.10 stays "1.10"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from typing import Any

from headgate.contracts.grammar import PlacedText
from headgate.core.errors import Edit, Finding, HeadgateError, Location, ProjectError, nearest
from headgate.core.records import dataclass

_ESCAPES = {"x": 4, "u": 6, "U": 10}
"""Length of a double-quoted escape by its letter; every other one is two characters long."""


@dataclass(frozen=True)
class Scalar:
    """A value as text. `empty` where nothing at all was written, `plain` where it stands neither in quotes nor as a
    block. `placed` knows the place of each character."""

    text: str
    where: Location
    placed: PlacedText
    empty: bool = False
    plain: bool = False


@dataclass(frozen=True)
class Sequence:
    items: tuple[Node, ...]
    where: Location


@dataclass(frozen=True)
class Mapping:
    """Keys in the order written, each with its own place."""

    entries: tuple[tuple[Scalar, Node], ...]
    where: Location

    def get(self, key: str) -> Node | None:
        return next((value for name, value in self.entries if name.text == key), None)

    def key(self, key: str) -> Scalar | None:
        return next((name for name, _ in self.entries if name.text == key), None)

    def names(self) -> list[str]:
        return [name.text for name, _ in self.entries]


Node = Scalar | Sequence | Mapping


def read(text: str, path: str) -> Node | None:
    """The one document of the text; None where it holds nothing. `path` is how errors name the file.

    *Errors*: ProjectError yaml-syntax, duplicate-key, unknown-anchor, at line and column.
    """
    import yaml

    text = text.replace("\r\n", "\n")
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Composer(text, path).document(yaml.parse(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = _inside(text, path, mark) if mark else Location(path)
        edits = _quoted(text, where)
        raise _syntax(error.problem or "this is not YAML", where, _fix(text, where), edits) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        where = Location(path, before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise _syntax(f"{error.reason} (character {error.character!r})", where, "remove it") from error
    except yaml.YAMLError as error:
        raise _syntax(str(error).splitlines()[0], Location(path), "mend the file") from error


def _inside(text: str, path: str, mark: Any) -> Location:
    """The mark's place; behind the last line, the end of that line."""
    lines = text.rstrip("\n").split("\n")
    if mark.line >= len(lines):
        return Location(path, len(lines), len(lines[-1]) + 1)
    return Location(path, mark.line + 1, mark.column + 1)


def _syntax(what: str, where: Location, fix: str, edits: tuple[Edit, ...] = ()) -> HeadgateError:
    return ProjectError(Finding("yaml-syntax", "error", what, str(where), fix, edits=edits))


_BARE = re.compile(r"(\s*(?:- +)?[\w.]+: +)([^\s'\"\[{|>&*!#%@`][^\n]*?: [^\n]*?)(?:\s+#.*)?\s*")
"""`key: value` where the value holds a colon and a blank, and stands in no quotes or brackets."""


def _quoted(text: str, where: Location) -> tuple[Edit, ...]:
    """The line's value in quotes, where their lack is what YAML stumbled over."""
    lines = text.split("\n")
    line = lines[where.line - 1] if 0 < where.line <= len(lines) else ""
    found = _BARE.fullmatch(line)
    if found is None:
        return ()
    value = found[2]
    return (Edit.at(Location(where.path, where.line, found.start(2) + 1), value, "'" + value.replace("'", "''") + "'"),)


def _fix(text: str, where: Location) -> str:
    lines = text.split("\n")
    line = lines[where.line - 1] if 0 < where.line <= len(lines) else ""
    if "\t" in line:
        return "indent with spaces, YAML takes no tabs"
    if line.count(": ") > 1:
        return "put a value that holds a colon and a blank in quotes"
    return "check the indentation, quotes and brackets of this line and the one before"


@dataclass
class _Frame:
    """A collection that is still open."""

    where: Location
    anchor: str | None
    pairs: bool
    nodes: list[Node] = field(default_factory=list)


class _Composer:
    """Parser events into nodes. A stack instead of recursion, so that depth is no danger."""

    def __init__(self, text: str, path: str) -> None:
        self._text, self._path = text, path
        self._anchors: dict[str, Node] = {}
        self._stack: list[_Frame] = []
        self._root: Node | None = None

    def document(self, events: Iterator[Any]) -> Node | None:
        documents = 0
        for event in events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    raise _syntax("a second document begins", self._where(event), "keep one document per file")
            elif kind in ("SequenceStartEvent", "MappingStartEvent"):
                self._no_tag(event)
                self._stack.append(_Frame(self._where(event), event.anchor, kind == "MappingStartEvent"))
            elif kind in ("SequenceEndEvent", "MappingEndEvent"):
                frame = self._stack.pop()
                self._add(
                    self._mapping(frame) if frame.pairs else Sequence(tuple(frame.nodes), frame.where), frame.anchor
                )
            elif kind == "AliasEvent":
                self._add(self._alias(event), None)
            elif kind == "ScalarEvent":
                self._no_tag(event)
                self._add(self._scalar(event), event.anchor)
        root = self._root
        return None if isinstance(root, Scalar) and root.empty else root

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = node
        if self._stack:
            self._stack[-1].nodes.append(node)
        else:
            self._root = node

    def _where(self, event: Any) -> Location:
        return Location(self._path, event.start_mark.line + 1, event.start_mark.column + 1)

    def _no_tag(self, event: Any) -> None:
        if event.tag and event.tag != "!":
            raise _syntax(f"the tag {event.tag} is not understood", self._where(event), "remove it: values are text")

    def _alias(self, event: Any) -> Node:
        if event.anchor not in self._anchors:
            what = f"unknown anchor {event.anchor!r}{nearest(event.anchor, self._anchors)}"
            raise ProjectError.of("unknown-anchor", what, self._where(event), f"write &{event.anchor} before its use")
        return self._anchors[event.anchor]

    def _scalar(self, event: Any) -> Scalar:
        where = self._where(event)
        text: str = event.value
        raw = self._text[event.start_mark.index : event.end_mark.index]
        quoted = 1 if event.style in ("'", '"') else 0
        straight = raw[quoted : len(raw) - quoted] == text
        offsets = () if straight else _align(text, raw, event.style or "", where)
        placed = PlacedText(text, self._path, where.line, where.column + quoted, offsets)
        return Scalar(text, where, placed, empty=not text and not event.style and not raw, plain=not event.style)

    def _mapping(self, frame: _Frame) -> Mapping:
        entries: dict[str, tuple[Scalar, Node]] = {}
        merged: list[Mapping] = []
        for key, value in zip(frame.nodes[::2], frame.nodes[1::2], strict=True):
            if not isinstance(key, Scalar):
                raise _syntax("a key must be plain text", key.where, "write `key: value`")
            if key.text == "<<" and not key.placed.offsets and key.where == key.placed.at(0):
                merged.extend(_merged(value, key))
            elif key.text in entries:
                what = f"{key.text!r} is written twice, first at {entries[key.text][0].where}"
                raise ProjectError.of("duplicate-key", what, key.where, "remove one of the two")
            else:
                entries[key.text] = (key, value)
        for other in merged:
            for key, value in other.entries:
                entries.setdefault(key.text, (key, value))
        return Mapping(tuple(entries.values()), frame.where)


def _merged(value: Node, key: Scalar) -> list[Mapping]:
    """The mappings behind a merge key, the first one winning."""
    nodes = value.items if isinstance(value, Sequence) else (value,)
    if not all(isinstance(node, Mapping) for node in nodes):
        raise _syntax("<< merges mappings only", key.where, "write `<<: *anchor` of a mapping")
    return [node for node in nodes if isinstance(node, Mapping)]


def _align(text: str, raw: str, style: str, where: Location) -> tuple[tuple[int, int], ...]:
    """Line and column of every character of a scalar that was folded, indented or escaped."""
    at = (raw.find("\n") + 1) if style in ("|", ">") else len(style)
    found = []
    for char in text:
        at, behind = _next(char, raw, at, style)
        found.append(_place(raw, min(at, max(len(raw) - 1, 0)), where))
        at = behind
    return tuple(found)


def _next(char: str, raw: str, at: int, style: str) -> tuple[int, int]:
    """Where the character stands in the raw text from `at` on, and the offset behind it."""
    if style == '"' and raw.startswith("\\", at) and not raw.startswith("\\\n", at):
        return at, at + _ESCAPES.get(raw[at + 1 : at + 2], 2)
    if raw.startswith(char, at):
        return at, at + (2 if style == "'" and char == "'" else 1)
    behind = at
    while behind < len(raw) and (raw[behind].isspace() or raw.startswith("\\\n", behind)):
        behind += 1
    if char in " \n":  # a folded line break stands for it
        return at, behind
    if style == '"' and raw.startswith("\\", behind):
        return behind, behind + _ESCAPES.get(raw[behind + 1 : behind + 2], 2)
    return behind, behind + (2 if style == "'" and char == "'" else 1)


def _place(raw: str, at: int, where: Location) -> tuple[int, int]:
    lines = raw.count("\n", 0, at)
    if not lines:
        return where.line, where.column + at
    return where.line + lines, at - raw.rfind("\n", 0, at)
