"""Records that are lines: counted by their line ends, whatever stands in them. Blank lines are no records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from headgate.adapters.files.records import CHUNK, Block, Extent, Tally, garbage, plain
from headgate.adapters.files.text import BOM, Head, Spool, Text, prepare
from headgate.core.records import dataclass

_BLANKS = b" \t\r"


class LineSplitter:
    """Lines end at a line feed; a carriage return before it belongs to the end. `odd` tells of a block whether some
    line in it must be looked at by itself."""

    def __init__(self, odd: Callable[[bytes], bool] = lambda block: False) -> None:
        self._odd = odd

    def extents(self, buf: bytes, pos: int = 0, eof: bool = True) -> Iterator[Extent]:
        """Every line from `pos` on, in order; stops early where more bytes are needed to tell (`eof` False)."""
        clean = plain(buf)
        while pos < len(buf):
            feed = buf.find(b"\n", pos)
            if feed < 0 and not eof:
                return
            stop, end = (len(buf), len(buf)) if feed < 0 else (feed, feed + 1)
            stop -= buf.endswith(b"\r", pos, stop)
            line = buf[pos:stop]
            if not line.strip(_BLANKS):
                yield pos, stop, end, None
            else:
                yield pos, stop, end, "" if clean else garbage(line)
            pos = end

    def newlines(self, buf: bytes, start: int = 0, stop: int | None = None) -> int:
        """Line ends between two places."""
        return buf.count(b"\n", start, len(buf) if stop is None else stop)

    def tally(self, block: bytes) -> Tally:
        """Counts of a block that ends at a line end or the end of the file; `strict` where every line is a record, is
        text, ends in a line feed alone and is not odd."""
        feeds = block.count(b"\n")
        blank = _blank_lines(block, feeds)
        records = feeds + (not block.endswith(b"\n")) - blank
        strict = not blank and b"\r" not in block and plain(block) and not self._odd(block)
        return Tally(records, feeds, strict, "lf" if feeds else "")

    def blocks(self, read: Callable[[int], bytes], offset: int = 0) -> Iterator[Block]:
        """Cuts what `read(size)` gives (empty at the end) into blocks that hold whole lines."""
        buf, eof, want = b"", False, CHUNK
        while True:
            while not eof and len(buf) < want:
                more = read(want - len(buf))
                eof = not more
                buf += more
            if not buf:
                return
            end = len(buf) if eof else buf.rfind(b"\n") + 1
            if not end:
                want = 2 * len(buf)
                continue
            yield Block(offset, end, self.tally(buf[:end]))
            offset += end
            buf, want = buf[end:], CHUNK


def _blank_lines(block: bytes, feeds: int) -> int:
    """Lines that are empty or hold blanks only."""
    if block.startswith(b"{") and block.count(b"\n{") == feeds - block.endswith(b"\n"):
        return 0
    if not (b"\n\n" in block or b"\n\r" in block or b"\n " in block or b"\n\t" in block or block[:1] in b"\n\r \t"):
        return 0
    lines = block.split(b"\n")
    return sum(not line.strip(_BLANKS) for line in lines) - (block.endswith(b"\n") or not block)


@dataclass(frozen=True)
class Lines:
    """A text without a header. A byte order mark is dropped."""

    encoding: str = "utf-8"
    odd: Callable[[bytes], bool] = lambda block: False

    def prepare(self, origin: Path, spool: Spool) -> Text:
        return prepare(origin, self.encoding, spool)

    def head(self, origin: Path, start: bytes) -> Head:
        skip = len(BOM) if start.startswith(BOM) else 0
        return Head((), skip, 1, lone_cr=False, simple=skip == 0)

    def cutter(self, head: Head) -> LineSplitter:
        return LineSplitter(self.odd)
