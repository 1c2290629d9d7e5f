"""Findings as text for people. Loads nothing of the API: a wrong command line is answered at once."""

from __future__ import annotations

from collections.abc import Iterable

from headgate.cli.screen import Screen
from headgate.cli.text import safe
from headgate.core.errors import Finding

_LEVELS = {"error": "red", "warning": "yellow", "info": "green"}


def findings(items: Iterable[Finding], screen: Screen) -> list[str]:
    """Each finding on its lines: level and code, what, where, fix."""
    lines: list[str] = []
    for item in items:
        first, *more = item.what.splitlines() or [""]
        lines.append(f"{screen.paint(f'{item.level}[{item.code}]', _LEVELS[item.level])}: {safe(first)}")
        lines += [f"  {safe(line)}" for line in more]
        lines += [f"  {name} {safe(text)}" for name, text in (("where:", item.where), ("fix:  ", item.fix)) if text]
    return lines
