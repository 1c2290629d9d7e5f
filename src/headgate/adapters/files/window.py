"""A scanned text, read in pieces that begin and end between records."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from headgate.adapters.files.origin import open_file
from headgate.adapters.files.records import CHUNK, Extent, Tally
from headgate.adapters.files.text import Cutter, Layout, Mark, Scan, Text, write
from headgate.core.records import dataclass


@dataclass(frozen=True)
class Window:
    """A scanned text, to be read in pieces."""

    text: Text
    form: Layout
    scan: Scan

    @property
    def cutter(self) -> Cutter:
        return self.form.cutter(self.scan.head)

    def line_of(self, number: int, line: int) -> int:
        """The line (or row) of the origin at which the record begins that begins at this line of the text."""
        begins = self.text.begins
        return line if begins is None else int(begins[number - 1])

    def records(self, start: Mark, end: Mark) -> Iterator[tuple[int, int, bytes, Extent]]:
        """Record number, line in the origin, a buffer and the record's extent in it, for every record of a range."""
        cutter = self.cutter
        for mark, buf in self.pieces(start, end):
            for number, line, extent in counted(cutter, mark, buf):
                yield number, self.line_of(number, line), buf, extent

    def pieces(self, start: Mark, end: Mark) -> Iterator[tuple[Mark, bytes]]:
        """The bytes between two places, block by block, each with the place where it begins."""
        with open_file(self.text.path) as file:
            for mark, stop in self._steps(start, end):
                file.seek(mark.offset)
                yield mark, file.read(stop.offset - mark.offset)

    def _steps(self, start: Mark, end: Mark) -> Iterator[tuple[Mark, Mark]]:
        while start.offset < end.offset:
            stop = self.scan.block_end(self.scan.block_at(start.offset))
            stop = stop if stop.offset < end.offset else end
            yield start, stop
            start = stop

    def tallies(self, start: Mark, end: Mark) -> list[Tally]:
        """What each piece between two places holds. Of a block that is cut, only the part inside counts: a strict
        parser may raise for its other part alone.
        """
        found: list[Tally] = []
        for mark, stop in self._steps(start, end):
            number = self.scan.block_at(mark.offset)
            whole = mark == self.scan.marks[number] and stop == self.scan.block_end(number)
            found.append(self.scan.tallies[number] if whole else self._tally(mark, stop))
        return found

    def _tally(self, start: Mark, end: Mark) -> Tally:
        (_, buf), *_ = self.pieces(start, end)
        return self.cutter.tally(buf) or Tally(end.records - start.records, end.line - start.line, strict=False)

    def numbered(self, numbers: Iterable[int]) -> Iterator[tuple[int, int, bytes, Extent]]:
        """Record number, line in the origin, a buffer and the record's extent in it, for each of these numbers."""
        cutter = self.cutter
        firsts = [mark.records + 1 for mark in self.scan.marks]
        wanted: dict[int, set[int]] = {}
        for number in set(numbers):
            if 1 <= number <= self.scan.end.records:
                wanted.setdefault(bisect.bisect_right(firsts, number) - 1, set()).add(number)
        for block in sorted(wanted):
            start, end = self.scan.marks[block], self.scan.block_end(block)
            for _, buf in self.pieces(start, end):
                for number, line, extent in counted(cutter, start, buf):
                    if number in wanted[block]:
                        yield number, self.line_of(number, line), buf, extent

    def cut(self, start: Mark, max_rows: int, max_bytes: int) -> Mark:
        """A place at most about `max_rows` records and `max_bytes` bytes after `start`, at least one record."""
        end = self.scan.end
        if end.records - start.records <= max_rows and end.offset - start.offset <= max_bytes:
            return end
        best = start
        for number in range(self.scan.block_at(start.offset), len(self.scan.marks)):
            mark = self.scan.block_end(number)
            if mark.records - start.records > max_rows or mark.offset - start.offset > max_bytes:
                break
            best = mark
        if best.records == start.records:
            best = self._cut_inside(start, max_rows, max_bytes)
        return end if best.records == end.records else best

    def _cut_inside(self, start: Mark, max_rows: int, max_bytes: int) -> Mark:
        cutter = self.cutter
        best = start
        for mark, buf in self.pieces(start, self.scan.end):
            last, line = 0, mark.line
            for number, (_, _, end, problem) in _numbers(cutter, mark, buf):
                line += cutter.newlines(buf, last, end)
                last = end
                here = Mark(mark.offset + end, number, line)
                full = number - start.records >= max_rows or here.offset - start.offset >= max_bytes
                best = here
                if problem is not None and full:
                    return here
        return best


def _numbers(cutter: Cutter, mark: Mark, buf: bytes) -> Iterator[tuple[int, Extent]]:
    """Every extent with the number of records up to and with it."""
    number = mark.records
    for extent in cutter.extents(buf):
        number += extent[3] is not None
        yield number, extent


def counted(cutter: Cutter, mark: Mark, buf: bytes) -> Iterator[tuple[int, int, Extent]]:
    """Every record of a piece that begins at `mark`: its number, its physical line, its extent."""
    line, last = mark.line, 0
    for number, extent in _numbers(cutter, mark, buf):
        line += cutter.newlines(buf, last, extent[0])
        last = extent[0]
        if extent[3] is not None:
            yield number, line, extent


def copy_range(path: Path, start: int, end: int, target: Path) -> None:
    """Copies bytes `start` to `end` of a file to a new file."""
    with open_file(path) as source:
        source.seek(start)
        write(target, _portions(source, end - start))


def _portions(source: BinaryIO, left: int) -> Iterator[bytes]:

    while left > 0 and (data := source.read(min(CHUNK, left))):
        left -= len(data)
        yield data
