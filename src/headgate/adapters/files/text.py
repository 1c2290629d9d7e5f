"""A CSV file made readable: UTF-8 text on disk, its header, and what one pass over it finds."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from pathlib import Path
from typing import Protocol

from headgate.adapters.files.compress import Hashed, compressed, recoded, unpacked
from headgate.adapters.files.origin import member_of, open_file, opened, unreadable
from headgate.adapters.files.records import Block, Dialect, Extent, Splitter, Tally
from headgate.core.errors import AdapterError
from headgate.core.records import dataclass

BOM = b"\xef\xbb\xbf"
HEAD = 1 << 20
"""Bytes within which the header and the kind of line end must show."""


Spool = Callable[[str], Path]
"""Names a new temporary file for the kind of content given."""


class Cutter(Protocol):
    """Tells where records begin and end in a text."""

    def extents(self, buf: bytes, pos: int = 0, eof: bool = True) -> Iterator[Extent]: ...
    def newlines(self, buf: bytes, start: int = 0, stop: int | None = None) -> int: ...
    def tally(self, block: bytes) -> Tally | None: ...
    def blocks(self, read: Callable[[int], bytes], offset: int = 0) -> Iterator[Block]: ...


class Layout(Protocol):
    """How a text is to be read: its encoding, what stands at its head, and where its records are."""

    @property
    def encoding(self) -> str: ...
    def prepare(self, origin: Path, spool: Spool) -> Text: ...
    def head(self, origin: Path, start: bytes) -> Head: ...
    def cutter(self, head: Head) -> Cutter: ...


@dataclass(frozen=True)
class Format:
    """How a CSV is to be read: dialect, encoding, whether it has a header, and the names if it has none."""

    dialect: Dialect
    encoding: str = "utf-8"
    header: bool = True
    names: tuple[str, ...] = ()

    def prepare(self, origin: Path, spool: Spool) -> Text:
        return prepare(origin, self.encoding, spool)

    def start(self, origin: Path) -> bytes:
        """The text's beginning: its header and some records, if there are any."""
        return peek(origin, self.encoding)

    def head(self, origin: Path, start: bytes) -> Head:
        return read_head(origin, self, start)

    def cutter(self, head: Head) -> Splitter:
        return Splitter(self.dialect, len(head.names), head.lone_cr)


@dataclass(frozen=True)
class Head:
    """The columns' names, and where the records begin: byte offset and physical line (1-based).

    `simple` if an engine that skips the first line finds the same beginning. `ends`: line end of the header.
    """

    names: tuple[str, ...]
    offset: int
    line: int
    lone_cr: bool
    simple: bool
    ends: str = ""


@dataclass(frozen=True)
class Text:
    """UTF-8 text at `path`, made from the file `origin`, whose own bytes have `digest` ("" if not yet hashed).

    `begins`: where each record begins in the origin, if lines of the text are not its lines.
    """

    origin: Path
    path: Path
    digest: str = ""
    begins: Sequence[int] | None = None


@dataclass(frozen=True)
class Mark:
    """A place between two records: byte offset, records before it, physical line (1-based)."""

    offset: int
    records: int
    line: int


@dataclass(frozen=True)
class Scan:
    """One pass over a file: where each block begins, what it holds, and the end. `digest` of the file's own bytes."""

    head: Head
    marks: tuple[Mark, ...]
    tallies: tuple[Tally, ...]
    end: Mark
    digest: str
    longest: int
    offsets: tuple[int, ...] = field(repr=False, default=())

    @property
    def start(self) -> Mark:
        return Mark(self.head.offset, 0, self.head.line)

    def block_at(self, offset: int) -> int:
        """The number of the block in which the offset lies."""
        return bisect.bisect_right(self.offsets, offset) - 1

    def block_end(self, number: int) -> Mark:
        return self.marks[number + 1] if number + 1 < len(self.marks) else self.end


def prepare(origin: Path, encoding: str, spool: Spool) -> Text:
    """Text that an engine can read: the file itself, or its decompressed and recoded content in a temporary file."""
    if not compressed(origin) and encoding == "utf-8" and member_of(origin) is None:
        return Text(origin, origin)
    path = spool("text")
    with opened(origin) as file:
        hashed = Hashed(file)
        write(path, _decoded(origin, hashed.read, encoding))
        return Text(origin, path, hashed.digest())


def _decoded(origin: Path, read: Callable[[int], bytes], encoding: str) -> Iterator[bytes]:
    chunks = unpacked(origin, read)
    return chunks if encoding == "utf-8" else recoded(origin, chunks, encoding)


def write(path: Path, chunks: Iterable[bytes]) -> None:
    """Writes the chunks to a new temporary file. *Errors*: AdapterError `no-space` where the disk refuses."""
    with path.open("wb") as out:
        for chunk in chunks:
            try:
                out.write(chunk)
            except OSError as error:
                raise AdapterError.of(
                    "no-space", f"cannot write a temporary file: {error.strerror}", path, "free some disk space"
                ) from error


def peek(origin: Path, encoding: str, size: int = HEAD) -> bytes:
    """About the first `size` bytes of the text."""
    with opened(origin) as file:
        try:
            found = b""
            for chunk in _decoded(origin, file.read, encoding):
                found += chunk
                if len(found) >= size:
                    break
            return found
        except OSError as error:
            raise unreadable(origin, error) from error


def read_head(origin: Path, form: Format, start: bytes) -> Head:
    """The header of the text that begins with `start` (whole if shorter than HEAD).

    *Errors*: AdapterError `no-header`, `bad-header`.
    """
    skip = len(BOM) if start.startswith(BOM) else 0
    eof = len(start) < HEAD
    lone_cr = _lone_cr(start, form.dialect)
    splitter = Splitter(form.dialect, 0, lone_cr)
    if not form.header:
        return Head(form.names or _numbered(splitter, start, skip, eof), skip, 1, lone_cr, simple=skip == 0)
    first = next((extent for extent in splitter.extents(start, skip, eof) if extent[3] is not None), None)
    if first is None:
        raise AdapterError.of(
            "no-header",
            "the file has no header line",
            origin,
            "deliver it with a header line, or set `header: false` and `columns:`",
        )
    begin, stop, end, problem = first
    if problem:
        raise _bad_header(origin, problem)
    simple = begin == skip and not splitter.newlines(start, begin, stop)
    line = 1 + splitter.newlines(start, 0, end)
    names = _names(origin, splitter, start, begin)
    return Head(names, end, line, lone_cr, simple, _ends(start[stop:end]))


def width(form: Format, start: bytes) -> int:
    """How many fields the first well-formed record has in the text that begins with `start`; 0 if there is none."""
    skip = len(BOM) if start.startswith(BOM) else 0
    splitter = Splitter(form.dialect, 0, _lone_cr(start, form.dialect))
    return _fields(splitter, start, skip, len(start) < HEAD)


def _ends(line_end: bytes) -> str:
    return {b"\n": "lf", b"\r\n": "crlf", b"": ""}.get(line_end, "other")


def _lone_cr(start: bytes, dialect: Dialect) -> bool:
    """Whether lines end in a lone carriage return: there is one, and no line feed outside quotes."""
    if b"\r" not in start:
        return False
    bare = b"".join(start.split(dialect.quote)[::2]) if dialect.quote else start
    if dialect.quote and start.count(dialect.quote) % 2 and b"\n" not in start:
        bare = start  # a quote that nothing closes must not hide the line ends behind it
    return b"\r" in bare and b"\n" not in bare and not (bare.count(b"\r") == 1 and bare.endswith(b"\r"))


def _numbered(splitter: Splitter, start: bytes, skip: int, eof: bool) -> tuple[str, ...]:
    return tuple(f"column{number}" for number in range(1, (_fields(splitter, start, skip, eof) or 1) + 1))


def _fields(splitter: Splitter, start: bytes, skip: int, eof: bool) -> int:
    """How many fields the first well-formed record has; 0 if there is none."""
    for begin, _, _, problem in splitter.extents(start, skip, eof):
        walked = splitter.walk(start, begin) if problem == "" else None
        if isinstance(walked, tuple):
            return len(walked[0])
    return 0


def _names(origin: Path, splitter: Splitter, start: bytes, begin: int) -> tuple[str, ...]:
    walked = splitter.walk(start, begin)
    if not isinstance(walked, tuple):
        raise _bad_header(origin, "a quote in the header is not closed")
    names = tuple(value.decode("utf-8") for value, _ in splitter.values(start, walked[0]))
    seen: set[str] = set()
    for number, name in enumerate(names, 1):
        if not name:
            raise _bad_header(origin, f"column {number} of the header has no name")
        if name.lower() in seen:
            raise _bad_header(origin, f"the header names {name!r} twice (upper and lower case are the same)")
        seen.add(name.lower())
    return names


def _bad_header(origin: Path, what: str) -> AdapterError:
    fix = "mend the header line, or set `header: false` and `columns:`"
    made = AdapterError.of("bad-header", what, f"{origin}:1", fix)
    assert isinstance(made, AdapterError)
    return made


def scan(text: Text, form: Layout) -> Scan:
    """Counts and hashes: one pass over the text."""
    with open_file(text.path) as file:
        try:
            return _scan(text, form, Hashed(file))
        except OSError as error:
            raise unreadable(text.origin, error) from error


def _scan(text: Text, form: Layout, file: Hashed) -> Scan:
    start = file.read(HEAD)
    head = form.head(text.origin, start)
    pending = [start[head.offset :]]

    def read(size: int) -> bytes:
        return (pending.pop() if pending else b"") or file.read(size)

    cutter = form.cutter(head)
    marks: list[Mark] = []
    tallies: list[Tally] = []
    longest = 0
    at = Mark(head.offset, 0, head.line)
    for block in cutter.blocks(read, head.offset):
        marks.append(at)
        tallies.append(block.tally)
        longest = max(longest, block.size)
        at = _after(at, block)
    offsets = tuple(mark.offset for mark in marks)
    return Scan(head, tuple(marks), tuple(tallies), at, text.digest or file.digest(), longest, offsets)


def _after(mark: Mark, block: Block) -> Mark:
    return Mark(block.offset + block.size, mark.records + block.tally.records, mark.line + block.tally.lines)
