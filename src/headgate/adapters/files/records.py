"""Where CSV records begin and end, told without any help from the engine that parses them.

A record is RFC 4180: it ends at `\\n`, `\\r\\n`, or a lone `\\r` in a file that uses nothing else. A quote opens only
at a field's start and closes only before delimiter, line end or end of file, within 1 MiB; where it does not, or where
a record over several lines has the wrong number of fields, the first physical line alone is one malformed record and
reading restarts at the next line. Blank lines and comment lines are no records. A record is malformed also when its
number of fields is wrong, when it is not UTF-8, or when it holds a NUL byte.

Two instruments give the same answer: `Splitter.extents`, exact, record by record; and a tally of a whole block by a
handful of byte counts, which gives up (None) wherever it could be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from headgate.core.records import dataclass

CHUNK = 1 << 18
"""Bytes of a block: small enough for the cache; below LIMIT, so that no quoted field of a usual block is too long."""

LIMIT = 1 << 20
"""Longest quoted field in bytes, quotes included."""

BROKEN = "expected a closing quote before a delimiter or line end"

Extent = tuple[int, int, int, "str | None"]
"""Start, stop (without line end), end (with it), and what it is: "" a good record, None a line that is no record, else
what is wrong."""

Span = tuple[int, int, bool]
"""Start and stop of a field, quotes included, and whether it is quoted."""


@dataclass(frozen=True)
class Dialect:
    """Delimiter, quote ("" for none), escape and comment mark ("" for none): one ASCII byte each."""

    delim: bytes = b","
    quote: bytes = b'"'
    escape: bytes = b'"'
    comment: bytes = b""

    @property
    def doubled(self) -> bool:
        """Whether a quote inside a quoted field is written twice."""
        return self.escape == self.quote


@dataclass(frozen=True)
class Tally:
    """What a block holds: `records`, physical `lines`; `strict` if a strict parser reads it as we do, or raises.

    `ends` is "lf", "crlf" or "" (no line end seen or not known); `spread` if a quoted field holds a line end; `serial`
    if there are quotes or blank lines: DuckDB's parallel reader may then lose or double a row where two threads meet
    (1.5.6, seen with small buffers; often with an error, sometimes without).
    """

    records: int
    lines: int
    strict: bool
    ends: str = ""
    spread: bool = False
    serial: bool = False


@dataclass(frozen=True)
class Block:
    """A run of whole records: `size` bytes at `offset`."""

    offset: int
    size: int
    tally: Tally


def plain(text: bytes) -> bool:
    """Whether the text is UTF-8 without a NUL."""
    if b"\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class Splitter:
    """Splits records of `fields` fields (0: any number). `lone_cr`: a lone carriage return ends a line."""

    def __init__(self, dialect: Dialect, fields: int, lone_cr: bool = False) -> None:
        self.dialect = dialect
        self.fields = fields
        self.lone_cr = lone_cr
        ends = rb"\r\n" if lone_cr else rb"\n"
        self._bare = re.compile(rb"[^" + _set(dialect.delim) + ends + rb"]*+")
        self._end = re.compile(rb"\r\n|\r|\n|\Z" if lone_cr else rb"\r?+(?:\n|\Z)")
        self._newline = re.compile(rb"\r\n|\r|\n" if lone_cr else rb"\n")
        self._quoted = re.compile(_quoted(dialect) if dialect.quote else rb"(?!)")
        self._neat = re.compile(self._neatly() if dialect.quote else rb"(?!)")
        self._record = re.compile(self._whole()) if dialect.quote and fields else None
        marks = dialect.delim + dialect.quote + b"\r\n"
        self._unmarked = bytes(code for code in range(256) if code not in marks)

    def _whole(self) -> bytes:
        mark = re.escape(self.dialect.quote)
        one = rb"(?:" + self._quoted.pattern + rb"|(?!" + mark + rb")" + self._bare.pattern + rb")"
        rest = rb"(?:" + re.escape(self.dialect.delim) + one + rb"){%d}" % (self.fields - 1)
        return one + rest + rb"(?:" + self._end.pattern + rb")"

    def _neatly(self) -> bytes:
        """Text in which every quoted field begins at a field's start and ends at a field's end."""
        mark, delim = _set(self.dialect.quote), _set(self.dialect.delim)
        bare = rb"[^" + mark + rb"]*+"
        field = rb"(?<![^" + delim + rb"\n])" + self._quoted.pattern + rb"(?=[" + delim + rb"\r\n]|\Z)"
        return rb"(?:" + bare + field + rb")*+" + bare

    # -- exact ---------------------------------------------------------------------------------------------------

    def extents(self, buf: bytes, pos: int = 0, eof: bool = True) -> Iterator[Extent]:
        """Every record and skipped line from `pos` on, in order.

        Stops early where more bytes are needed to tell (`eof` False). `buf` may be any run of whole records cut out of
        a file: a record's extent depends only on what stands in it.
        """
        clean = plain(buf)
        size = len(buf)
        while pos < size:
            found = self._next(buf, pos, eof)
            if found is None:
                return
            if not clean and found[3] == "":
                found = (*found[:3], garbage(buf[found[0] : found[1]]))
            yield found
            pos = found[2]

    def _next(self, buf: bytes, pos: int, eof: bool) -> Extent | None:
        line = self._line(buf, pos, eof)
        if line is None:
            return None
        stop, end = line
        dialect = self.dialect
        if stop == pos or (dialect.comment and buf.startswith(dialect.comment, pos)):
            return pos, stop, end, None
        if not dialect.quote or buf.find(dialect.quote, pos, stop) < 0:
            return pos, stop, end, self._count_problem(buf.count(dialect.delim, pos, stop) + 1)
        return self._quoted_record(buf, pos, line, eof)

    def _quoted_record(self, buf: bytes, pos: int, line: tuple[int, int], eof: bool) -> Extent | None:
        match = self._record.match(buf, pos) if self._record else None
        if match and match.end() - pos <= LIMIT and (match.end() < len(buf) or eof):
            end = match.end()
            return pos, self._stop(buf, pos, end), end, ""
        walked = self.walk(buf, pos, eof)
        if walked is None:
            return None
        if isinstance(walked, str):
            return pos, *line, walked
        spans, end = walked
        problem = self._count_problem(len(spans))
        if problem and end != line[1]:
            return pos, *line, f"expected {self.fields} fields; a quoted field runs past the end of the line"
        return pos, spans[-1][1], end, problem

    def _stop(self, buf: bytes, pos: int, end: int) -> int:
        if buf.endswith(b"\n", pos, end):
            end -= 1
        if buf.endswith(b"\r", pos, end):
            end -= 1
        return end

    def _count_problem(self, found: int) -> str:
        if not self.fields or found == self.fields:
            return ""
        return f"expected {self.fields} field{'s' * (self.fields != 1)}, found {found}"

    def _line(self, buf: bytes, pos: int, eof: bool) -> tuple[int, int] | None:
        """Stop and end of the physical line at `pos`."""
        if self.lone_cr:
            match = self._newline.search(buf, pos)
            if not eof and (match is None or match.end() == len(buf)):
                return None
            return (match.start(), match.end()) if match else (len(buf), len(buf))
        stop = buf.find(b"\n", pos)
        if stop < 0:
            if not eof:
                return None
            stop = end = len(buf)
        else:
            end = stop + 1
        return (stop - 1 if buf.endswith(b"\r", pos, stop) else stop), end

    def walk(self, buf: bytes, pos: int, eof: bool = True) -> tuple[list[Span], int] | str | None:
        """The record's fields and its end; or what is wrong with a quote; or None where more bytes are needed."""
        spans: list[Span] = []
        size = len(buf)
        delim, quote = self.dialect.delim, self.dialect.quote
        while True:
            start = pos
            if quote and buf.startswith(quote, pos):
                match = self._quoted.match(buf, pos)
                if not eof and (match is None or size - match.end() < 2) and size - pos <= LIMIT + 2:
                    return None
                if match is None or match.end() - pos > LIMIT:
                    return BROKEN
                pos = match.end()
                if not buf.startswith(delim, pos) and not self._end.match(buf, pos):
                    return BROKEN
                spans.append((start, pos, True))
            else:
                pos = self._bare.match(buf, pos).end()  # type: ignore[union-attr]
                if not eof and size - pos < 2:
                    return None
                spans.append((start, self._bare_stop(buf, start, pos), False))
            if not buf.startswith(delim, pos):
                return spans, self._end.match(buf, pos).end()  # type: ignore[union-attr]
            pos += 1

    def _bare_stop(self, buf: bytes, start: int, stop: int) -> int:
        at_line_end = not buf.startswith(self.dialect.delim, stop)
        return stop - 1 if at_line_end and buf.endswith(b"\r", start, stop) else stop

    def newlines(self, buf: bytes, start: int = 0, stop: int | None = None) -> int:
        """Physical line ends between two places."""
        stop = len(buf) if stop is None else stop
        if not self.lone_cr:
            return buf.count(b"\n", start, stop)
        return buf.count(b"\n", start, stop) + buf.count(b"\r", start, stop) - buf.count(b"\r\n", start, stop)

    def values(self, buf: bytes, spans: list[Span]) -> list[tuple[bytes, bool]]:
        """The fields' contents, unescaped, and whether each was quoted."""
        return [(self._value(buf[start:stop]) if quoted else buf[start:stop], quoted) for start, stop, quoted in spans]

    def _value(self, field: bytes) -> bytes:
        quote, escape = self.dialect.quote, self.dialect.escape
        if self.dialect.doubled:
            return field[1:-1].replace(quote * 2, quote)
        marks = rb"([" + _set(quote) + _set(escape) + rb"])"
        return re.sub(re.escape(escape) + marks, rb"\1", field[1:-1])

    # -- by the block --------------------------------------------------------------------------------------------

    def blocks(self, read: Callable[[int], bytes], offset: int = 0) -> Iterator[Block]:
        """Cuts what `read(size)` gives (empty at the end) into blocks of about 1 MiB that hold whole records."""
        buf, eof, want = b"", False, CHUNK
        while True:
            while not eof and len(buf) < want:
                more = read(want - len(buf))
                eof = not more
                buf += more
            if not buf:
                return
            end, tally = self._cut(buf, eof)
            if not end:
                want = 2 * len(buf)
                continue
            yield Block(offset, end, tally)
            offset += end
            buf, want = buf[end:], CHUNK

    def _cut(self, buf: bytes, eof: bool) -> tuple[int, Tally]:
        end = len(buf) if eof else buf.rfind(b"\n") + 1
        tally = self.tally(buf[:end]) if end else None
        if tally is None and self.dialect.quote and buf.count(self.dialect.quote, 0, end) % 2:
            # The cut fell inside a quoted field, if all is well: cut before the record's line.
            end = buf.rfind(b"\n", 0, buf.rfind(self.dialect.quote, 0, end)) + 1
            tally = self.tally(buf[:end]) if end else None
        return (end, tally) if tally is not None else self._exact(buf, eof)

    def _exact(self, buf: bytes, eof: bool) -> tuple[int, Tally]:
        records = end = 0
        for extent in self.extents(buf, 0, eof):
            records += extent[3] is not None
            end = extent[2]
        return end, Tally(records, self.newlines(buf, 0, end), strict=False)

    def tally(self, block: bytes) -> Tally | None:
        """Counts of a block that ends at a line end or the end of the file; None where only a walk can tell."""
        dialect = self.dialect
        if self.lone_cr or not self.fields or (dialect.comment and dialect.comment in block):
            return None
        bare, inner = block, 0
        if dialect.quote and dialect.quote in block:
            if len(block) > LIMIT or (not dialect.doubled and dialect.escape in block):
                return None
            outside = self._outside(block)
            if outside is None:
                return None
            bare, inner = outside, block.count(b"\n") - outside.count(b"\n")
        return self._tally_bare(block, bare, inner)

    def _even(self, block: bytes) -> int | None:
        """How many lines, if each has all its delimiters and ends in a line feed, and nothing is quoted; else None.

        One look instead of three: what is left of such a block without its values is the same line over and over.
        """
        if self.fields == 1 or b"\r" in block or not block.endswith(b"\n"):  # a blank line of one field looks even
            return None
        left = block.translate(None, self._unmarked)
        lines = len(left) // self.fields
        return lines if left == (self.dialect.delim * (self.fields - 1) + b"\n") * lines else None

    def _tally_bare(self, block: bytes, bare: bytes, inner: int) -> Tally | None:
        if bare is block and (even := self._even(block)) is not None:
            return Tally(even, even, plain(block) and len(block) <= LIMIT, "lf")
        feeds = bare.count(b"\n")
        ends = "lf" if feeds else ""
        if b"\r" in bare:
            if not bare.count(b"\r") == bare.count(b"\r\n") == feeds:
                return None
            ends = "crlf"
        blank = _blank_lines(bare, b"\r\n" if ends == "crlf" else b"\n")
        records = feeds + (not bare.endswith(b"\n")) - blank
        fits = bare.count(self.dialect.delim) == records * (self.fields - 1)
        if inner and not (fits and self._each_fits(bare)):
            return None  # reading restarts inside of a record over several lines that has the wrong number of fields
        # To DuckDB, a blank line is a record where there is only one column; and where one ends in CRLF at the end of
        # its buffer, the LF becomes part of the next value (1.5.6).
        odd = blank and (self.fields == 1 or ends == "crlf")
        strict = fits and plain(block) and not odd and len(block) <= LIMIT
        return Tally(records, feeds + inner, strict, ends, inner > 0, bare is not block or blank > 0)

    def _each_fits(self, bare: bytes) -> bool:
        delim, wanted = self.dialect.delim, self.fields - 1
        return all(line.count(delim) == wanted for line in bare.splitlines() if line)

    def _outside(self, block: bytes) -> bytes | None:
        """The block without what is inside quotes; None unless every quote opens or closes a field, or is doubled."""
        if not self._neat.fullmatch(block):
            return None
        return self.dialect.quote.join(block.split(self.dialect.quote)[::2])


def _blank_lines(text: bytes, newline: bytes) -> int:
    if not text.startswith(newline) and b"\n" + newline not in text:
        return 0
    lines = text.split(newline)
    return lines.count(b"") - (lines[-1] == b"")


def _set(mark: bytes) -> bytes:
    """The byte inside a regular expression's brackets."""
    return b"\\x%02x" % mark[0]


def _quoted(dialect: Dialect) -> bytes:
    quote, escape = re.escape(dialect.quote), re.escape(dialect.escape)
    if dialect.doubled:
        return quote + rb"(?:[^" + _set(dialect.quote) + rb"]++|" + quote + quote + rb")*+" + quote
    inner = rb"[^" + _set(dialect.quote) + _set(dialect.escape) + rb"]++|" + escape + rb"[\x00-\xff]"
    return quote + rb"(?:" + inner + rb")*+" + quote


def garbage(raw: bytes) -> str:
    """What is wrong with the bytes; "" if they are text."""
    if b"\0" in raw:
        return "expected no NUL byte"
    return "" if plain(raw) else "expected valid text in the file's encoding"


def whole_record(
    text: str, names: Sequence[str], dialect: Dialect, nulls: Sequence[bytes]
) -> dict[str, str | None] | str:
    """The text as one record of these columns; or what is wrong with it, where it is none or more than one."""
    buf = text.encode("utf-8", "surrogatepass")
    splitter = Splitter(dialect, len(names))
    extents = [extent for extent in splitter.extents(buf) if extent[3] is not None]
    if len(extents) != 1:
        return f"expected one record, found {len(extents)}"
    start, _, _, problem = extents[0]
    if problem:
        return problem
    walked = splitter.walk(buf, start)
    assert isinstance(walked, tuple)
    values = [
        None if value in nulls and not quoted else value.decode("utf-8")
        for value, quoted in splitter.values(buf, walked[0])
    ]
    return dict(zip(names, values, strict=True))
