"""What is known about the terminal, and the line on it that shows progress."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from headgate.cli.text import clip, count, pad, safe
from headgate.core import clock
from headgate.core.environ import variable

if TYPE_CHECKING:
    from headgate.api.results import Progress

_COLOURS = {"red": "31", "green": "32", "yellow": "33"}
_PAUSE_SECS = 0.1


@dataclass(frozen=True)
class Screen:
    """How wide the output is (None: not a terminal, no limit), and whether colour is welcome."""

    width: int | None = None
    colour: bool = False

    @classmethod
    def of(cls, stream: TextIO) -> Screen:
        if not stream.isatty():
            return cls()
        return cls(_width(stream), variable("NO_COLOR") in (None, "") and variable("TERM") != "dumb")

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self.colour else text


def _width(stream: TextIO) -> int:
    told = variable("COLUMNS")
    if told and told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


class Meter:
    """One line of progress that writes over itself on a terminal; silent where there is none.

    Moves by carriage return and blanks alone, so that it also works where colours and cursor codes are unwelcome.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._width = _width(stream) - 1 if stream.isatty() and variable("TERM") != "dumb" else 0
        self._shown = ("", "")
        self._due = 0.0
        self._dirty = False

    def __call__(self, progress: Progress) -> None:
        what = (progress.step, progress.phase)
        if not self._width or (what == self._shown and clock.monotonic() < self._due):
            return
        rows = f"  {count(progress.rows)} rows" if progress.rows else ""
        line = clip(safe(f"{progress.step}  {progress.phase}{rows}"), self._width)
        self._write("\r" + pad(line, self._width))
        self._shown, self._due, self._dirty = what, clock.monotonic() + _PAUSE_SECS, True

    def clear(self) -> None:
        """Takes the line away."""
        if self._dirty:
            self._write("\r" + " " * self._width + "\r")
            self._dirty = False

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
