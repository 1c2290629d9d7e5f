"""HTML that is safe by construction: whatever is no `Markup` is escaped, and hidden characters are made visible.

Rows of which a page has thousands are written as text with holes, an element being too dear there: what fills the holes
is `Markup`, a number, or what `quoted` or `bdi` made safe.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from headgate.core.text import safe

LONGEST = 72
"""A name is cut after so many characters where it is shown,"""
LONGEST_TITLE = 300
"""and after so many where it is told whole, when pointed at."""

LONGEST_TEXT = 600
"""Nothing that somebody wrote is longer than this on the page."""

_HARMLESS = re.compile(r"[\w .,:/()+-]*", re.ASCII)
"""Nearly every name: nothing in it is escaped."""

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})

_VOID = ("meta", "link", "input", "br", "col")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | int | None | Iterable["Child"]
Attribute = str | int | float | bool | None


def text(value: object) -> Markup:
    """The value as HTML: escaped, unless it is HTML already."""
    return value if isinstance(value, Markup) else _escaped(str(value))


@lru_cache(4096)
def _escaped(value: str) -> Markup:
    """A page says the same names, words and anchors again and again."""
    return Markup(_plain(value))


def quoted(value: str, longest: int = LONGEST_TEXT) -> str:
    """The text cut, escaped and without hidden characters, for a hole in HTML: inside of an element, or of quotes."""
    return _plain(value if len(value) <= longest else clipped(value, longest))


def _plain(value: str) -> str:
    return value if _HARMLESS.fullmatch(value) else safe(value).translate(_ESCAPES)


@lru_cache(256)
def _key(name: str) -> str:
    """The attribute that an argument's name stands for."""
    return name.rstrip("_").replace("_", "-")


def joined(parts: Iterable[Child]) -> Markup:
    """The parts one after the other."""
    inside: list[str] = []
    _add(parts, inside)
    return Markup("".join(inside))


def el(tag: str, *children: Child, **attributes: Attribute) -> Markup:
    """An element. `class_`, `for_`: a trailing underscore is dropped, others become hyphens; None and False: no
    attribute, True: one without a value."""
    head = tag
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        head += f" {_key(name)}" if value is True else f' {_key(name)}="{text(value)}"'
    if tag in _VOID:
        return Markup(f"<{head}>")
    inside: list[str] = []
    _add(children, inside)
    return Markup(f"<{head}>{''.join(inside)}</{tag}>")


def name(value: str, longest: int = LONGEST) -> Markup:
    """A name of somebody's, apart from the direction of the text around it, cut if it is too long to be one."""
    return Markup(bdi(value, longest))


def bdi(value: str, longest: int = LONGEST) -> str:
    """The same, for a hole in HTML."""
    if len(value) <= longest:
        return f"<bdi>{_plain(value)}</bdi>"
    return f'<bdi title="{quoted(value, LONGEST_TITLE)}">{quoted(value, longest)}</bdi>'


def clipped(value: str, longest: int = LONGEST) -> str:
    """The text, or its beginning and an ellipsis."""
    return value if len(value) <= longest else value[: longest - 1] + "…"


def count(number: int) -> str:
    """`1,234,567`."""
    return f"{number:,}"


def many(number: int, one: str, several: str = "") -> str:
    """`1 row`, `1,234 rows`."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def _add(parts: Iterable[Child], inside: list[str]) -> None:
    for part in parts:
        if isinstance(part, Markup):
            inside.append(part)
        elif isinstance(part, str):
            inside.append(_escaped(clipped(part, LONGEST_TEXT)))
        elif isinstance(part, int):
            inside.append(f"{part:,}")
        elif part is not None:
            _add(part, inside)
