"""What is known about the terminal."""

from __future__ import annotations

import os
from typing import TextIO

from headgate.core.environ import variable
from headgate.core.records import dataclass

_COLOURS = {"red": "31", "green": "32", "yellow": "33"}


@dataclass(frozen=True)
class Screen:
    """How wide the output is (None: not a terminal, no limit), and whether colour is welcome."""

    width: int | None = None
    colour: bool = False

    @classmethod
    def of(cls, stream: TextIO) -> Screen:
        if not stream.isatty():
            return cls()
        return cls(size(stream)[0], variable("NO_COLOR") in (None, "") and variable("TERM") != "dumb")

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self.colour else text


def size(stream: TextIO) -> tuple[int, int]:
    """Columns and lines of the terminal as it is now, 80 and 24 where it does not say; COLUMNS and LINES go before."""
    try:
        found = os.get_terminal_size(stream.fileno())
        columns, lines = found.columns, found.lines
    except (OSError, ValueError):
        columns = lines = 0
    return _told("COLUMNS") or columns or 80, _told("LINES") or lines or 24


def _told(name: str) -> int:
    told = variable(name)
    return int(told) if told and told.isdecimal() else 0
