"""Plain text for a terminal: hostile characters made visible, widths measured, counts with separators."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from headgate.core.text import safe as safe


def width(text: str) -> int:
    """How many cells of a terminal the text takes: two for wide characters, none for combining ones."""
    return len(text) if text.isascii() else sum(map(_cells, text))


@lru_cache(maxsize=1 << 14)
def _cells(character: str) -> int:
    if character in _JOINING or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


_JOINING = frozenset(map(chr, (*range(0x1F3FB, 0x1F400), *range(0x1160, 0x1200))))
"""Colours of the emoji before them, and the vowels and finals of a Korean syllable that is written apart."""


def clip(text: str, cells: int) -> str:
    """The text if it fits, else its beginning and `…`, in exactly at most `cells`."""
    if len(text) * 2 <= cells or width(text) <= cells:
        return text
    kept, used = [], 1
    for character in text:
        used += _cells(character)
        if used > cells:
            break
        kept.append(character)
    return "".join(kept) + "…"


def pad(text: str, cells: int, right: bool = False) -> str:
    """The text filled up with blanks to `cells`; `right` puts it at the right end."""
    blanks = " " * max(0, cells - width(text))
    return blanks + text if right else text + blanks


def count(number: int) -> str:
    """`1,234,567`."""
    return f"{number:,}"


def many(number: int, one: str, several: str = "") -> str:
    """`1 row`, `1,234 rows`; `several` where the plural is not made with an s."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"
