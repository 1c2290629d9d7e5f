"""Templates that only call words with literals, `{{ ref('orders') }}`: most models, read without a template engine.

What they render to, and the lines that errors name, are those of Jinja; anything else is left to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from headgate.core.records import dataclass

_TEXT = r"""'[^'\\\r\n{}%#]*'|"[^"\\\r\n{}%#]*\""""
_ITEM = rf"{_TEXT}|[0-9]{{1,15}}|true|false|True|False|none|None"
_LIST = rf"\[\s*(?:(?:{_TEXT})\s*(?:,\s*(?:{_TEXT})\s*)*,?\s*)?\]"
_ARGUMENT = rf"(?:[A-Za-z_]\w*\s*=\s*)?(?:{_ITEM}|{_LIST})"
_GIVEN_ALL = rf"\s*(?:{_ARGUMENT}\s*(?:,\s*{_ARGUMENT}\s*)*,?\s*)?"
_CALL = re.compile(rf"[ \t]*(?P<word>ref|source|config|var|env_var)\((?P<given>{_GIVEN_ALL})\)\s*\}}\}}", re.ASCII)
_GIVEN = re.compile(rf"(?:(?P<name>[A-Za-z_]\w*)\s*=\s*)?(?P<value>{_LIST}|{_ITEM})", re.ASCII)
_TEXTS = re.compile(_TEXT)
_OTHERS = re.compile(r"\{%|\{#|\r")
"""Blocks and comments; Jinja makes one kind of line end of all."""
_CONSTANTS = {"true": True, "false": False, "none": None}


@dataclass(frozen=True)
class Said:
    """A call of a word with its arguments, and the line on which it stands."""

    word: str
    line: int
    given: tuple[object, ...] = ()
    options: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True)
class Literal:
    """Such a template: text, and words between it."""

    parts: tuple[str | Said, ...]

    @property
    def said(self) -> Iterator[Said]:
        return (part for part in self.parts if isinstance(part, Said))

    def render(self, words: Mapping[str, object]) -> str:
        """The text with what the words answer. What a word raises leaves this frame, whose `part` tells the line."""
        made = []
        for part in self.parts:
            if isinstance(part, str):
                made.append(part)
            else:
                made.append(str(words[part.word](*part.given, **dict(part.options))))  # type: ignore[operator]
        return "".join(made)


def literal(text: str) -> Literal | None:
    """The template, or None where it is more than that."""
    if _OTHERS.search(text):
        return None
    parts: list[str | Said] = []
    at, line = 0, 1
    while (begin := text.find("{{", at)) >= 0:
        found = _CALL.match(text, begin + 2)
        said = _said(found, line + text.count("\n", at, begin)) if found else None
        if found is None or said is None:
            return None
        parts += [text[at:begin], said]
        line += text.count("\n", at, found.end())
        at = found.end()
    return Literal((*parts, text[at:]))


def _said(found: re.Match[str], line: int) -> Said | None:
    plain: list[object] = []
    named: dict[str, object] = {}
    for one in _GIVEN.finditer(found["given"]):
        name, value = one["name"], _value(one["value"])
        if name in named or (name is None and named):
            return None  # Jinja says what is wrong with it
        if name is None:
            plain.append(value)
        else:
            named[name] = value
    return Said(found["word"], line, tuple(plain), tuple(named.items()))


def _value(text: str) -> object:
    if text[0] == "[":
        return [one[1:-1] for one in _TEXTS.findall(text)]
    if text[0] in "'\"":
        return text[1:-1]
    return int(text) if text.isdigit() else _CONSTANTS[text.lower()]
