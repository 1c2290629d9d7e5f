"""What runs now, on a terminal: a line for each step with its rate and what is left, and one for all of them.

Lines are written over in place, ten times a second at most. The cursor is never hidden and the terminal is put into no
mode, so that there is nothing to restore: a process that is killed leaves the last lines, and that is all.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TextIO

from headgate.cli import pace_text
from headgate.cli.screen import size
from headgate.cli.text import clip, safe, width
from headgate.core import clock
from headgate.core.environ import variable

if TYPE_CHECKING:
    from headgate.api.results import Progress

PAUSE_SECS = 0.1
"""No two frames are nearer than this."""

TICK_SECS = 0.5
"""How often clocks go on where nothing else is told."""

FIRST_SECS = 0.3
"""What is over before this is not worth a line."""

MOST = 12
"""Lines for steps, also on a tall terminal."""

ENDED = "ended"
_ERASE = "\x1b[K"
_BELOW = "\x1b[J"


@dataclass
class Shown:
    """A step that runs: since when, and what was told last."""

    since: float
    news: Progress


class Live:
    """Told of progress by any thread. Shows nothing unless `wanted`, and where `stream` is no terminal or a dumb one.

    *Guarantee*: after `clear` nothing of it is on the screen, and no thread of it runs.
    """

    def __init__(self, stream: TextIO, wanted: bool = True, ticks: bool = True) -> None:
        self._stream = stream
        self.shows = wanted and stream.isatty() and variable("TERM") != "dumb"
        self._ticks = ticks
        self._steps: dict[str, Shown] = {}
        self._counted = (0, 0)
        self._begun = self._due = 0.0
        self._drawn: list[int] = []
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __call__(self, news: Progress) -> None:
        if not self.shows:
            return
        with self._lock:
            now = clock.monotonic()
            if not self._begun:
                self._begin(now)
            self._note(news, now)
            self._draw(now)

    def _begin(self, now: float) -> None:
        self._begun, self._due = now, now + FIRST_SECS
        if self._ticks:
            self._thread = threading.Thread(target=self._tick, name="progress", daemon=True)
            self._thread.start()

    def _tick(self) -> None:
        while not clock.awaited(self._over, TICK_SECS):
            self.frame()

    def frame(self) -> None:
        """Shows how long it takes by now."""
        with self._lock:
            if self._begun and not self._over.is_set():
                self._draw(clock.monotonic())

    def _note(self, news: Progress, now: float) -> None:
        if news.steps:
            self._counted = (news.ended, news.steps)
        else:
            self._steps = {name: one for name, one in self._steps.items() if name == news.step}
        if news.phase == ENDED:
            self._steps.pop(news.step, None)
            return
        before = self._steps.get(news.step)
        self._steps[news.step] = Shown(before.since if before else now, replace(news, step=safe(news.step)))

    def _draw(self, now: float) -> None:
        if now < self._due:
            return
        self._due = now + PAUSE_SECS
        columns, lines = size(self._stream)
        self._write(self._over_these(columns) + self._frame(now, columns - 1, lines))

    def _frame(self, now: float, room: int, height: int) -> str:
        texts = [clip(text, max(room, 1)) for text in self._lines(now, room, min(MOST, max(1, height - 2)))]
        self._drawn = [width(text) for text in texts]
        return "\n".join(text + _ERASE for text in texts) + _BELOW

    def _lines(self, now: float, room: int, most: int) -> Iterator[str]:
        steps = list(self._steps.values())
        shown = steps if len(steps) <= most else steps[: most - 1]
        longest = max((width(one.news.step) for one in shown), default=0)
        for one in shown:
            yield pace_text.line(one.news, now - one.since, pace_text.Room(room, longest, self._blocks()))
        if len(shown) < len(steps):
            yield f"and {len(steps) - len(shown)} more"
        if self._counted[1]:
            yield pace_text.total(*self._counted, now - self._begun)

    def _blocks(self) -> str:
        """What a bar is made of: full and empty."""
        try:
            "█░".encode(self._stream.encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            return "#-"
        return "█░"

    def _over_these(self, columns: int) -> str:
        """Back to the first line that stands; one that a narrower terminal has broken counts for several."""
        if not self._drawn:
            return "\r"
        rows = sum(max(1, -(-cells // max(columns, 1))) for cells in self._drawn)
        return "\r" + (f"\x1b[{rows - 1}A" if rows > 1 else "")

    def _take_away(self) -> str:
        away = self._over_these(size(self._stream)[0]) + _BELOW if self._drawn else ""
        self._drawn = []
        return away

    def aside(self, text: str) -> None:
        """Writes whole lines of somebody else above what is shown."""
        with self._lock:
            stood = bool(self._drawn)
            self._write(self._take_away() + text)
            if stood and not self._over.is_set():
                self._due = 0.0
                self._draw(clock.monotonic())

    def clear(self) -> None:
        """Takes everything away, for good."""
        self._over.set()
        with self._lock:
            self._write(self._take_away())
            self.shows = False
        if self._thread is not None:
            self._thread.join()

    def _write(self, text: str) -> None:
        if not text:
            return
        try:
            self._stream.write(text.encode(self._stream.encoding or "ascii", "replace").decode(self._stream.encoding))
            self._stream.flush()
        except (OSError, ValueError):  # a terminal that is gone takes no run with it
            self.shows = False

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Inside, standard output goes to standard error, and what is printed stands above what is shown."""
        if not self.shows:
            with redirect_stdout(self._stream):
                yield
            return
        other: Any = _Aside(self, self._stream)
        with redirect_stdout(other), redirect_stderr(other):
            try:
                yield
            finally:
                self.clear()
                other.rest()


class _Aside(io.TextIOBase):
    """A stream whose lines are written above what is shown; what is no whole line yet waits."""

    def __init__(self, live: Live, stream: TextIO) -> None:
        self._live = live
        self._stream = stream
        self._waiting = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        lines, newline, self._waiting = (self._waiting + text).rpartition("\n")
        if newline:
            self._live.aside(lines + newline)
        return len(text)

    def rest(self) -> None:
        """What was written last and had no end."""
        waiting, self._waiting = self._waiting, ""
        if waiting:
            self._live.aside(waiting + "\n")
