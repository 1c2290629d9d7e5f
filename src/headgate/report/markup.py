"""HTML that is safe by construction: whatever is no `Markup` is escaped, and hidden characters are made visible."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from headgate.core.text import safe

LONGEST = 72
"""A name is cut after so many characters where it is shown,"""
LONGEST_TITLE = 300
"""and after so many where it is told whole, when pointed at."""

LONGEST_TEXT = 600
"""Nothing that somebody wrote is longer than this on the page."""

_VOID = ("meta", "link", "input", "br", "col")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | int | None | Iterable["Child"]
Attribute = str | int | float | bool | None


def text(value: object) -> Markup:
    """The value as HTML: escaped, unless it is HTML already."""
    if isinstance(value, Markup):
        return value
    shown = str(value)
    return Markup(shown if shown.isalnum() else escape(safe(shown), quote=True))  # most are numbers and anchors


def joined(parts: Iterable[Child]) -> Markup:
    """The parts one after the other."""
    return Markup("".join(_parts(parts)))


def el(tag: str, *children: Child, **attributes: Attribute) -> Markup:
    """An element. `class_`, `for_`: a trailing underscore is dropped, others become hyphens; None and False: no
    attribute, True: one without a value."""
    head = tag
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        key = name.rstrip("_").replace("_", "-")
        head += f" {key}" if value is True else f' {key}="{text(value)}"'
    if tag in _VOID:
        return Markup(f"<{head}>")
    return Markup(f"<{head}>{''.join(_parts(children))}</{tag}>")


def name(value: str, longest: int = LONGEST) -> Markup:
    """A name of somebody's, apart from the direction of the text around it, cut if it is too long to be one."""
    if len(value) <= longest:
        return el("bdi", value)
    return el("bdi", clipped(value, longest), title=clipped(value, LONGEST_TITLE))


def clipped(value: str, longest: int = LONGEST) -> str:
    """The text, or its beginning and an ellipsis."""
    return value if len(value) <= longest else value[: longest - 1] + "…"


def count(number: int) -> str:
    """`1,234,567`."""
    return f"{number:,}"


def many(number: int, one: str, several: str = "") -> str:
    """`1 row`, `1,234 rows`."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def _parts(parts: Iterable[Child]) -> Iterable[str]:
    for part in parts:
        if isinstance(part, str):
            yield text(part if isinstance(part, Markup) else clipped(part, LONGEST_TEXT))
        elif isinstance(part, int):
            yield f"{part:,}"
        elif part is not None:
            yield from _parts(part)
