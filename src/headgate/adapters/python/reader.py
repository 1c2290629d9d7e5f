"""Reads one partition of a function: in slices that can be gone on behind, never all of it in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headgate.adapters.python.feed import Chunk, Feed
from headgate.adapters.python.slice import Held, Sealed, Slice, release, seal
from headgate.core.errors import AdapterError, HeadgateError
from headgate.core.protocols import Engine
from headgate.core.records import dataclass
from headgate.core.values import Batch, Position

if TYPE_CHECKING:
    from headgate.adapters.python.code import Code

SLICE_ROWS, SLICE_BYTES = 500_000, 128 << 20
WHOLE = 1 << 60
"""Whoever asks for so many rows wants all that is left in one batch."""
MEMORY_BYTES = 256 << 20
"""What the slices of all readers of a source may hold; a slice that would hold more goes to files."""


@dataclass
class Memory:
    """Bytes of rows that the readers of one source hold."""

    held: int = 0


@dataclass(frozen=True)
class Call:
    """One partition of the function. `again`: every run calls it anew, from the last position (else it is read once).

    `stable`: a position and a number of records behind it name a place; else only positions do.
    """

    code: Code
    function: Callable[..., Any]
    partition: str
    identity: Any
    stable: bool
    again: bool
    tmp: Path
    memory: Memory
    cells: bool = False


@dataclass
class _Place:
    """Where reading stands: the last position given, records since it, records in all."""

    at: Any = None
    after: int = 0
    records: int = 0


class PythonReader:
    """Reads what the function gives behind a position. The last two batches stay readable.

    A stable source is cut anywhere, at about 500,000 rows or 128 MB; a moving one only where it gave a position.
    """

    def __init__(self, session: Engine, call: Call, at: Position | None) -> None:
        self._session, self._call = session, call
        self._place = _Place(at["at"], 0, int(at["records"])) if at else _Place()
        self._start = at
        self._behind = int(at["after"]) if at else 0
        self._drop = self._behind
        self._place.records -= self._drop
        if self._drop and not call.stable:
            raise self._lost_place()
        self._done = bool(at and at["done"] and not call.again)
        self._chunks: Iterator[Chunk] | None = None
        self._chunk: Chunk | None = None
        self._offset = 0
        self._slice: Slice | None = None
        self._safe = replace(self._place)
        self._failed: HeadgateError | None = None
        self._broken: Slice | None = None
        self._kept: deque[Held] = deque()

    def read(self, max_rows: int, max_bytes: int) -> Batch | None:
        """The next batch; None where nothing is left and the position would not move.

        Where the function fails, what it gave before is a batch still, as far as it can be gone on behind it; the error
        comes with the next call. All that is left can't be had then: the error comes at once.
        *Errors*: those of `Feed`; AdapterError `source-shrank`, `no-space`, `unreadable-type`.
        """
        while len(self._kept) > 1:
            self._release(self._kept.popleft())
        if self._failed is not None:
            raise self._failed
        if self._done:
            return None
        whole = max_rows >= WHOLE
        rows = max_rows if whole else min(max_rows, SLICE_ROWS)
        size = max_bytes if whole else min(max_bytes, SLICE_BYTES)
        with self._call.code.running():
            made, self._done = self._filled(rows, size, whole)
        if self._done and self._drop:
            raise self._shrank()
        return self._batch(made)

    def cut_off(self) -> Batch | None:
        """What was read when reading failed, and is part of no batch: to be looked at, not to be committed."""
        made, self._broken = self._broken, None
        if made is None or not made.records:
            return None
        self._slice = None
        start = self._start or self._beginning()
        about = Sealed(self._call.partition, start, start, made.records, self._call.code.file)
        batch, held = seal(self._session, made, about)
        self._call.memory.held += held.size
        self._kept.append(held)
        return batch

    def close(self) -> None:
        """Forgets the batches and removes their files; closes a generator."""
        if self._slice is not None:
            self._slice.discard()
            self._slice = None
        while self._kept:
            self._release(self._kept.popleft())
        self._chunks, self._chunk, self._done = None, None, True

    def _release(self, held: Held) -> None:
        release(self._session, held)
        self._call.memory.held -= held.size

    def _filled(self, rows: int, size: int, whole: bool) -> tuple[Slice, bool]:
        """Reads until the slice is full and can be cut (False), or the function ends (True)."""
        made = self._slice = Slice(self._place.records + self._drop + 1, self._call.tmp)
        while True:
            try:
                chunk = self._next()
            except HeadgateError as error:
                if whole or not self._saved(made):
                    self._broken = made
                    raise
                self._failed = error
                return made, False
            if chunk is None:
                return made, True
            full = self._take(made, chunk, rows, size)
            if self._call.memory.held + made.held > MEMORY_BYTES:
                made.spill()
            if full:
                return made, False

    def _saved(self, made: Slice) -> bool:
        """Cuts the slice behind what can be gone on; False where that is nothing."""
        safe = self._place if self._call.stable else self._safe
        records = safe.records - made.first + 1
        if records <= 0:
            return False
        made.keep(records)
        self._place = safe
        return True

    def _next(self) -> Chunk | None:
        """The chunk at hand, or the next one."""
        if self._chunks is None:
            given = {"position": self._place.at, "partition": self._call.partition}
            self._chunks = Feed(self._call.code, self._call.function, given, self._call.cells).chunks()
        if self._chunk is None:
            self._chunk, self._offset = next(self._chunks, None), 0
        return self._chunk

    def _take(self, made: Slice, chunk: Chunk, rows: int, size: int) -> bool:
        """Takes as much of the chunk as fits; True where the slice ends there."""
        self._skip(chunk)
        left = chunk.records - self._offset
        per = max(chunk.table.nbytes // max(chunk.records, 1), 1)
        room = min(rows - made.records, max((size - made.size) // per, 0 if made.records else 1))
        upto, cut = self._cut(chunk, room) if left >= room else (chunk.records, False)
        self._move(made, chunk, upto)
        if upto == chunk.records:
            self._chunk = None
        return cut

    def _skip(self, chunk: Chunk) -> None:
        """Passes over records that an earlier load took."""
        if self._drop:
            taken = min(self._drop, chunk.records - self._offset)
            self._drop -= taken
            self._pass(chunk, self._offset + taken)

    def _cut(self, chunk: Chunk, room: int) -> tuple[int, bool]:
        """Where in the chunk the slice ends: at its room, or at the first position behind it; (end, False) if none."""
        wanted = self._offset + room
        if self._call.stable:
            return wanted, True
        marks = [place for place, _ in chunk.marks if place >= max(wanted, self._offset)]
        return (marks[0], True) if marks else (chunk.records, False)

    def _move(self, made: Slice, chunk: Chunk, upto: int) -> None:
        start, refused = self._offset, chunk.refused
        here = {place - start: why for place, why in refused.items() if start <= place < upto}
        before = sum(place < start for place in refused)
        table = chunk.table.slice(start - before, upto - start - len(here))
        made.add(table, upto - start, here, chunk.text)
        self._pass(chunk, upto)

    def _pass(self, chunk: Chunk, upto: int) -> None:
        """Moves the place to `upto`, through the positions given on the way."""
        place = self._place
        place.records += upto - self._offset
        place.after += upto - self._offset
        for number, position in chunk.marks:
            if self._offset <= number <= upto:
                place.at, place.after = position, upto - number
                self._safe = _Place(position, 0, place.records - place.after)
        self._offset = upto

    def _batch(self, made: Slice) -> Batch | None:
        end = self._position()
        if not made.records and self._start == end:
            return None
        uncovered = self._place.after if self._done and self._call.again and not self._call.stable else 0
        about = Sealed(self._call.partition, self._start or self._beginning(), end, uncovered, self._call.code.file)
        batch, held = seal(self._session, made, about)
        self._slice, self._start = None, end
        self._call.memory.held += held.size
        self._kept.append(held)
        return batch

    def _position(self) -> Position:
        after = self._place.after if self._call.stable else 0
        return {
            "at": self._place.at,
            "after": after,
            "records": self._place.records,
            "done": self._done,
            "identity": self._call.identity,
        }

    def _beginning(self) -> Position:
        return {"at": None, "after": 0, "records": 0, "done": False, "identity": self._call.identity}

    def _lost_place(self) -> HeadgateError:
        call = self._call
        what = f"the last load stopped {self._drop} records behind a position, and {call.code.file} is moving now"
        fix = "say replay: stable for one more run, or read it anew: headgate run --full-refresh"
        return AdapterError.of("position-lost", what, call.code.line_of(call.function), fix)

    def _shrank(self) -> HeadgateError:
        call = self._call
        what = (
            f"{call.code.name_of(call.function)} said replay: stable, but gave {self._behind - self._drop} of the "
            f"{self._behind} records that were read behind its position before"
        )
        fix = "say replay: moving and give positions, or read it anew: headgate run --full-refresh"
        return AdapterError.of("source-shrank", what, call.code.line_of(call.function), fix)
