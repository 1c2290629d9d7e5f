"""Plain text for a terminal: hostile characters made visible, widths measured, counts with separators."""

from __future__ import annotations

import unicodedata

_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Control, format (also those that turn the direction of writing), surrogate, line and paragraph separator."""

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def safe(text: str) -> str:
    """The text with every character escaped that would move the cursor, colour the screen or hide something."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def width(text: str) -> int:
    """How many cells of a terminal the text takes: two for wide characters, none for combining ones."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


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
