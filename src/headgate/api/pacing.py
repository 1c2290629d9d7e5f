"""What a run tells about its steps, put together for whoever watches it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from headgate.api.results import Progress
from headgate.run.pace import ENDED


@dataclass
class Pacing:
    """A run as it goes on, told by any thread. Steps that end are counted once; `told` hears of one thing at a time."""

    told: Callable[[Progress], None]
    steps: int = 0
    _last: dict[str, Progress] = field(default_factory=dict)
    _ended: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def phase(self, step: str, rows: int, phase: str) -> None:
        """The step is in this phase. What is committed is less than what was read, which is what is shown."""
        with self._lock:
            last = self._last.get(step)
            if phase == ENDED:
                self.ended(step)
            elif last is None or not rows:
                self._tell(Progress(step, rows, phase))
            else:
                phase = last.phase if last.phase == "writing" else phase
                self._tell(Progress(step, max(rows, last.rows), phase, last.bytes, last.bytes_total))

    def read(self, step: str, rows: int, done: int, total: int) -> None:
        """The step has read so much; what is left when all was read is to be written."""
        with self._lock:
            self._tell(Progress(step, rows, "writing" if 0 < total <= done else "loading", done, total))

    def ended(self, step: str) -> None:
        """The step has ended, or was not begun at all."""
        with self._lock:
            if step not in self._ended:
                self._ended.add(step)
                self._tell(Progress(step, 0, ENDED))

    def _tell(self, news: Progress) -> None:
        self._last[news.step] = news
        counted = Progress(news.step, news.rows, news.phase, news.bytes, news.bytes_total, len(self._ended), self.steps)
        self.told(counted)
