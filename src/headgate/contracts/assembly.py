"""A contract put together from a file of another kind: lines of the short form whose every piece knows its place there.

The short form reads them as if they had been written by hand, so a contract of any origin has the same rules, the same
messages and the same checks, and every mistake is told at its place in the file that it came from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from headgate.contracts import named, short
from headgate.contracts.document import Document, Path, pointer
from headgate.contracts.grammar import PlacedText
from headgate.contracts.model import Contract, Limit
from headgate.core.errors import Finding, Level, Location

_WORD = re.compile(r"[A-Za-z0-9_.:+-]+")


def word(text: str) -> str:
    """An argument of a rule, in quotes where it must."""
    return text if _WORD.fullmatch(text) else quoted(text)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@dataclass
class Line:
    """One column while it is put together."""

    name: str
    where: Location
    type: str = "text"
    type_where: Location | None = None
    pieces: list[tuple[str, Location]] = field(default_factory=list)

    def add(self, piece: str, where: Location) -> None:
        """Add a rule of the short form; one that is there already is not added again."""
        if piece not in [text for text, _ in self.pieces]:
            self.pieces.append((piece, where))

    def call(self, rule: str, args: list[str], where: Location) -> None:
        self.add(f"{rule}({', '.join(args)})" if args else rule, where)

    def has(self, piece: str) -> bool:
        return any(text == piece for text, _ in self.pieces)

    def placed(self) -> tuple[PlacedText, PlacedText]:
        """Name and line, each character at the place of its piece."""
        text, offsets = "", list[tuple[int, int]]()
        for piece, where in [(self.type, self.type_where or self.where), *self.pieces]:
            addition = (", " if text else "") + piece
            text += addition
            offsets += [(where.line, where.column)] * len(addition)
        name = PlacedText(self.name, self.where.path, offsets=((self.where.line, self.where.column),) * len(self.name))
        return name, PlacedText(text, self.where.path, offsets=tuple(offsets))


@dataclass
class Assembly:
    """A whole contract while it is put together. `notes` say what of the document has no effect."""

    document: Document
    lines: list[Line] = field(default_factory=list)
    rules: list[tuple[str, str | Mapping[str, Any], Location]] = field(default_factory=list)
    skips: list[tuple[str, str, Location]] = field(default_factory=list)
    limit: Limit | None = None
    version: str = ""
    notes: list[Finding] = field(default_factory=list)

    def note(self, code: str, level: Level, what: str, path: Path, fix: str = "") -> None:
        evidence = {"pointer": pointer(path)}
        self.notes.append(Finding(code, level, what, str(self.document.at(path)), fix, evidence))

    def unenforced(self, what: str, path: Path, why: str = "") -> None:
        """A check that the document asks for and that is not made."""
        fix = why or "write it as a condition under rules: in a contract of the short form"
        self.note("not-enforced", "warning", f"{what} is not checked", path, fix)

    def line(self, name: str) -> Line | None:
        return next((line for line in self.lines if line.name == name), None)

    def rule(self, name: str, value: str | Mapping[str, Any], where: Location) -> None:
        """Add an entry of `rules:` under this name, or one like it that is still free."""
        taken = {other for other, _, _ in self.rules} | short.RESERVED_CODES
        base, number = re.sub(r"\W+", "_", name).strip("_") or "rule", 1
        free = name if name and name not in taken else base
        while free in taken:
            number += 1
            free = f"{base}_{number}"
        self.rules.append((free, value, where))

    def contract(self) -> Contract:
        """The contract. *Errors*: ContractError, as `short.parse`, with places in the document."""
        rules = [(self._at(name, where), _placed(value, where)) for name, value, where in self.rules]
        skips = [(self._at(name, where), self._at(sql, where)) for name, sql, where in self.skips]
        made = short.parse([line.placed() for line in self.lines], rules, skips, self.limit, self.document.at(()))
        return replace(made, version=self.version, notes=tuple(self.notes))

    @staticmethod
    def _at(text: str, where: Location) -> PlacedText:
        return PlacedText(text, where.path, where.line, where.column, ((where.line, where.column),) * max(1, len(text)))


def _placed(value: str | Mapping[str, Any], where: Location) -> named.Value:
    if isinstance(value, str):
        return Assembly._at(value, where)
    made = named.plain(value, where.path)
    assert isinstance(made, named.Form)
    parts = tuple(
        replace(
            part,
            key=Assembly._at(part.key.text, where),
            values=tuple(Assembly._at(one.text, where) for one in part.values),
        )
        for part in made.parts
    )
    return named.Form(parts, where)
