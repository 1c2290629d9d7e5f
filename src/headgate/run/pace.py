"""How far a load is: records and bytes that were read, of the bytes that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from headgate.core.values import Batch, Position
from headgate.run.flow import Reading

ENDED = "ended"
"""The phase of a step that has ended, whatever became of it."""

WAITING = "waiting for attempt "
"""The beginning of the phase of a step that is tried again."""


@dataclass
class Pace:
    """One load as it goes on. `told(rows, bytes, total)` hears of every part that was read.

    Bytes are those of files as they lie on disk; a source that knows no sizes has a total of 0.
    """

    told: Callable[[int, int, int], None] = lambda rows, done, total: None
    rows: int = 0
    total: int = 0
    _done: dict[str, int] = field(default_factory=dict)

    def begun(self, readings: Iterable[Reading]) -> None:
        """These partitions are to be read; a load that is begun again reads them again."""
        self.rows, self._done = 0, {}
        self.total = sum(one.partition.size - _before(one) for one in readings)
        self._tell()

    def read(self, reading: Reading, batch: Batch) -> None:
        """The batch was read and judged; the partition's rows up to its end are."""
        self.rows += batch.total
        self._done[reading.partition.name] = _bytes(batch.end, reading) - _before(reading)
        self._tell()

    def _tell(self) -> None:
        self.told(self.rows, max(0, min(sum(self._done.values()), self.total)), self.total)


def _before(reading: Reading) -> int:
    """Bytes that an earlier load has read."""
    partly = reading.partition.status == "partial" and reading.seat is not None
    return _bytes(reading.seat.position, reading) if partly and reading.seat is not None else 0


def _bytes(position: Position, reading: Reading) -> int:
    """How many bytes of the partition lie before the position. What is compressed is counted as if it were not, at
    most to its end."""
    size = reading.partition.size
    if position.get("done"):
        return size
    offset = position.get("offset", 0)
    return min(offset, size) if isinstance(offset, int) else 0
