"""Texts that the project's YAML reader reads back as they are, and comments that stay comments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

_KEY = re.compile(r"[^\W\d]\w*", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./*()<>=', -]*[A-Za-z0-9)*']|[A-Za-z0-9]")
WIDE = 80
"""Comments behind longer lines stand right behind them."""
_FLOW = re.compile(r"[A-Za-z0-9_./*-]+")


def key(name: str) -> str:
    """A mapping's key."""
    return name if _KEY.fullmatch(name) else quoted(name)


def scalar(text: str) -> str:
    """A value behind `key: `; plain where YAML surely reads the same text back."""
    return text if _PLAIN.fullmatch(text) and "  " not in text else quoted(text)


def quoted(text: str) -> str:
    """The text in double quotes."""
    # JSON's escapes are YAML's, except that YAML knows no surrogate pairs and no raw DEL or C1 controls.
    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() or char == " " else _escape(char) for char in escaped)


def _escape(char: str) -> str:
    return f"\\U{ord(char):08x}" if ord(char) > 0xFFFF else f"\\u{ord(char):04x}"


def flow(value: Any) -> str:
    """A value inside `{...}`: a mapping, a list, true, false or a text."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key(name)}: {flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if _FLOW.fullmatch(str(value)) else quoted(str(value))


def shown(text: str, most: int = 60) -> str:
    """The text for a comment: on one line, cut, hostile characters as escapes."""
    cut = text if len(text) <= most else text[:most] + "..."
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in cut)


def aligned(lines: Iterable[tuple[str, str, str]], indent: str = "  ") -> list[str]:
    """Lines of `key: value  # comment`, values and comments one below the other as far as that is no waste."""
    items = list(lines)
    keys = _column(len(name) + 1 for name, _, _ in items)
    made = [f"{indent}{f'{name}:'.ljust(keys)} {value}" for name, value, _ in items]
    wide = _column(len(line) for line in made if len(line) <= WIDE)
    comments = [comment for _, _, comment in items]
    return [
        f"{line.ljust(wide)}  # {comment}" if comment else line for line, comment in zip(made, comments, strict=True)
    ]


def _column(sizes: Iterable[int]) -> int:
    """The widest, leaving out those that are much wider than most."""
    found = sorted(sizes)
    usual = found[len(found) // 2] if found else 0
    return max((size for size in found if size <= max(2 * usual, 24)), default=0)
