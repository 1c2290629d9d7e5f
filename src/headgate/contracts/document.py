"""A file of a contract as plain data that knows where each of its values stands."""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from decimal import Decimal
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from headgate.core.errors import ContractError, Location
from headgate.core.records import dataclass

Path = tuple[str | int, ...]
"""Keys and indexes from the root to a value."""

DEEPEST = 100
"""Levels of nesting that are read."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_YAML_NUMBER = re.compile(r"[-+]?(?:[0-9]+(\.[0-9]*)?|(\.[0-9]+))([eE][-+]?[0-9]+)?")
_BLANKS = re.compile(r"[ \t\n\r]*")
_WORDS = {"true": True, "false": False, "null": None}
_LONGEST = 400


@dataclass(frozen=True)
class Document:
    """`value`: dicts, lists, text, int, Decimal, bool, None. `places`: where values (for keys: their key) stand."""

    value: Any
    path: str
    places: Mapping[Path, Location] = field(default_factory=dict, repr=False)

    def at(self, path: Path) -> Location:
        """The place of the value at the path, or of the nearest one around it that is known."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return Location(self.path)


def pointer(path: Path) -> str:
    """The path as a JSON pointer (RFC 6901): `/schema/0/name`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def number(text: str) -> int | Decimal | None:
    """The number that a plain YAML 1.2 scalar or a JSON text is, exactly; None where it is none."""
    match = _YAML_NUMBER.fullmatch(text)
    if match is None or len(text) > _LONGEST:
        return None
    return int(text) if not any(match.groups()) else Decimal(text)


def plain(text: str) -> Any:
    """The value of a plain scalar by the core schema of YAML 1.2: `NO` is text, `1.10` a number."""
    if text.lower() in ("true", "false") and text in ("true", "false", "True", "False", "TRUE", "FALSE"):
        return text.lower() == "true"
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    found = number(text)
    return text if found is None else found


def floats(value: Any) -> Any:
    """The value with doubles for its decimals, as other tools read it."""
    if isinstance(value, dict):
        return {key: floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [floats(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value of the tree with its path, from the root down."""
    yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from walk(item, (*path, key))


def read_json(text: str, path: str) -> Document:
    """The document of a JSON text.

    *Errors*: ContractError `json-syntax` at line and column; a key that stands twice in one object is an error, too.
    """
    reader = _Json(text, path)
    value = reader.value((), 0)
    reader.blanks()
    if reader.at < len(text):
        raise reader.error("something follows the end", reader.at)
    return Document(value, path, reader.places)


class _Json:
    def __init__(self, text: str, path: str) -> None:
        self.text, self.path, self.at = text, path, 0
        self.places: dict[Path, Location] = {}
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def place(self, at: int) -> Location:
        line = bisect.bisect_right(self.starts, at)
        return Location(self.path, line, at - self.starts[line - 1] + 1)

    def error(self, what: str, at: int) -> Exception:
        return ContractError.of("json-syntax", f"this is not JSON: {what}", self.place(at), "mend the file")

    def blanks(self) -> None:
        match = _BLANKS.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def value(self, path: Path, depth: int) -> Any:
        self.blanks()
        if depth > DEEPEST:
            raise self.error(f"it is nested more than {DEEPEST} levels deep", self.at)
        self.places.setdefault(path, self.place(self.at))
        char = self.text[self.at : self.at + 1]
        if char == "{":
            return self._object(path, depth)
        if char == "[":
            return self._array(path, depth)
        if char == '"':
            return self._string()
        for word, value in _WORDS.items():
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        match = _NUMBER.match(self.text, self.at)
        if match is None or len(match[0]) > _LONGEST:
            raise self.error(f"{char!r} begins no value" if char else "it ends too early", self.at)
        self.at = match.end()
        return Decimal(match[0]) if match[1] or match[2] else int(match[0])

    def _object(self, path: Path, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for start in self._members("{", "}"):
            if self.text[self.at : self.at + 1] != '"':
                raise self.error("a key must stand in double quotes", self.at)
            key = self._string()
            if key in found:
                raise self.error(f"the key {key!r} stands twice in one object", start)
            self.places[(*path, key)] = self.place(start)
            self._take(":")
            found[key] = self.value((*path, key), depth + 1)
        return found

    def _array(self, path: Path, depth: int) -> list[Any]:
        found: list[Any] = []
        for _ in self._members("[", "]"):
            found.append(self.value((*path, len(found)), depth + 1))
        return found

    def _members(self, opening: str, closing: str) -> Iterator[int]:
        """Where each member begins; the reader is behind the closing bracket at the end."""
        self._take(opening)
        self.blanks()
        if self.text.startswith(closing, self.at):
            self.at += 1
            return
        while True:
            self.blanks()
            yield self.at
            self.blanks()
            if self.text.startswith(closing, self.at):
                self.at += 1
                return
            self._take(",")

    def _take(self, char: str) -> None:
        self.blanks()
        if not self.text.startswith(char, self.at):
            raise self.error(f"expected {char!r}", self.at)
        self.at += 1

    def _string(self) -> str:
        try:
            found, self.at = scanstring(self.text, self.at + 1, True)
        except json.JSONDecodeError as error:
            raise self.error(error.msg.lower(), error.pos) from error
        return str(found)
