"""The engine's spelling of a column type, as a tree."""

from __future__ import annotations

import re

from headgate.core.records import dataclass
from headgate.sql.quote import ident

_PUNCTUATION = ("", "(", ")", "[", "]", ",")
NESTED = frozenset({"STRUCT", "LIST", "ARRAY", "MAP", "UNION"})


@dataclass(frozen=True)
class Physical:
    """A type of the engine.

    `text` is its spelling, fit for a CAST. `name` is the type's name without arguments, in capitals (`DECIMAL`, `ENUM`,
    `TIMESTAMP WITH TIME ZONE`), or one of STRUCT, LIST, ARRAY, MAP, UNION. `fields`: name and type of the members of
    STRUCT and UNION (an empty name where a struct has no names). MAP has `key` and `value`, LIST and ARRAY `value`.
    """

    text: str
    name: str
    precision: int = 0
    scale: int = 0
    fields: tuple[tuple[str, Physical], ...] = ()
    key: Physical | None = None
    value: Physical | None = None

    @property
    def nested(self) -> bool:
        return self.name in NESTED

    @property
    def unnamed(self) -> bool:
        """True if a struct without names is in it: DuckDB shows such a type, but reads it in no CAST."""
        inner = [kind for _, kind in self.fields] + [kind for kind in (self.key, self.value) if kind]
        here = self.name == "STRUCT" and not self.fields[0][0]
        return here or any(kind.unnamed for kind in inner)

    def without_arrays(self) -> Physical:
        """The same type with a list for every array of fixed size."""
        if self.key and self.value:
            return _mapped(self.key.without_arrays(), self.value.without_arrays())
        if self.value:
            return _listed(self.value.without_arrays())
        if self.fields:
            return _with_fields(self.name, [(name, kind.without_arrays()) for name, kind in self.fields])
        return self

    def leaves(self) -> list[Physical]:
        """The scalar types inside, or the type itself if it is one."""
        inner = [kind for _, kind in self.fields] + [kind for kind in (self.key, self.value) if kind]
        return [leaf for kind in inner for leaf in kind.leaves()] if self.nested else [self]


def _listed(item: Physical, size: str = "") -> Physical:
    return Physical(f"{item.text}[{size}]", "ARRAY" if size else "LIST", value=item)


def _mapped(key: Physical, value: Physical) -> Physical:
    return Physical(f"MAP({key.text}, {value.text})", "MAP", key=key, value=value)


def _with_fields(name: str, fields: list[tuple[str, Physical]]) -> Physical:
    inner = ", ".join(f"{ident(field)} {kind.text}" if field else kind.text for field, kind in fields)
    return Physical(f"{name}({inner})", name, fields=tuple(fields))


_TOKEN = re.compile(r"""\s*("(?:[^"]|"")*"|'(?:[^']|'')*'|[^\s()\[\],"']+|[()\[\],])\s*""")


def parse_physical(text: str) -> Physical:
    """The tree of a type as `DESCRIBE` spells it, e.g. `STRUCT(a INTEGER, "b c" DECIMAL(5,2)[])`. Raises ValueError."""
    parser = _Parser(_tokens(text))
    tree = parser.kind()
    if parser.at != len(parser.tokens):
        raise ValueError(f"cannot read the type {text!r}")
    return tree


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise ValueError(f"cannot read the type {text!r}")
        tokens.append(match[1])
        at = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.at = tokens, 0

    def peek(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise ValueError(f"cannot read the type {' '.join(self.tokens)!r}")
        self.at += 1
        return token

    def kind(self) -> Physical:
        tree = self.base()
        while self.peek() == "[":
            self.take("[")
            size = "" if self.peek() == "]" else self.take()
            self.take("]")
            tree = _listed(tree, size)
        return tree

    def base(self) -> Physical:
        words = [self.take()]
        while self.peek() not in _PUNCTUATION:
            words.append(self.take())
        if words[0] in _PUNCTUATION:
            raise ValueError(f"cannot read the type {' '.join(self.tokens)!r}")
        text = " ".join(words)
        if self.peek() != "(":
            return Physical(text, text.upper())
        self.take("(")
        tree = self.arguments(text.upper())
        self.take(")")
        return tree

    def arguments(self, name: str) -> Physical:
        if name in ("STRUCT", "UNION"):
            fields = [self.field()]
            while self.peek() == ",":
                self.take(",")
                fields.append(self.field())
            return _with_fields(name, fields)
        if name == "MAP":
            key = self.kind()
            self.take(",")
            return _mapped(key, self.kind())
        return self.plain(name)

    def field(self) -> tuple[str, Physical]:
        # An unnamed member begins with its type; WITH is reserved, so `TIME WITH TIME ZONE` is no field called TIME.
        if self.peek(1) in _PUNCTUATION or self.peek(1) == "WITH":
            return "", self.kind()
        name = self.take()
        if name.startswith('"'):
            name = name[1:-1].replace('""', '"')
        return name, self.kind()

    def plain(self, name: str) -> Physical:
        given = [self.take()]
        while self.peek() == ",":
            self.take(",")
            given.append(self.take())
        text = f"{name}({', '.join(given)})"
        if name == "DECIMAL":
            return Physical(text, name, int(given[0]), int(given[1]))
        return Physical(text, name)
