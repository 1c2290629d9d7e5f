"""The careful way: every well-formed record set apart by our own splitter, written so that no parser can disagree."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from headgate.adapters.files.records import CHUNK, Dialect, Splitter
from headgate.adapters.files.shape import RESERVED
from headgate.adapters.files.text import Format, Mark, write
from headgate.adapters.files.window import Window, counted
from headgate.core.records import dataclass
from headgate.sql import quote as sql

FLOOR = 2 << 20
"""DuckDB's own bound on the length of a line, the least we ask for."""


PLAIN = Dialect()


@dataclass(frozen=True)
class Spooled:
    """Well-formed records at `good` (record number first), malformed ones at `bad` (number, line, raw, message).

    `longest`: bytes of the longest line, of either.
    """

    good: Path
    bad: Path
    malformed: int
    longest: int
    dialect: Dialect


def spooled_dialect(dialect: Dialect) -> Dialect:
    """The dialect of a spool: the file's delimiter; a quote is always there and always doubled."""
    mark = dialect.quote or b'"'
    return Dialect(dialect.delim, mark, mark)


class Spooler:
    """Writes one range of a scanned text the careful way."""

    def __init__(self, window: Window, form: Format) -> None:
        self._window = window
        self._splitter = form.cutter(window.scan.head)
        self._in = form.dialect
        self._out = spooled_dialect(self._in)
        marks = self._out.quote + b"\r" + (b"" if self._in.doubled else self._in.escape)
        self._special = re.compile(b"[" + b"".join(b"\\x%02x" % mark for mark in marks) + b"]")
        self._longest = 0
        self._malformed = 0
        self._bad: list[bytes] = []

    def run(self, start: Mark, end: Mark, good: Path, bad: Path) -> Spooled:
        """Writes records from `start` to `end`."""
        with bad.open("wb") as refused:
            write(good, self._flush(self._good(start, end), refused.write))
        return Spooled(good, bad, self._malformed, self._longest, self._out)

    def _flush(self, chunks: Iterator[bytes], refuse: Callable[[bytes], object]) -> Iterator[bytes]:
        for chunk in chunks:
            refuse(b"".join(self._bad))
            self._bad.clear()
            yield chunk

    def _good(self, start: Mark, end: Mark) -> Iterator[bytes]:
        for mark, buf in self._window.pieces(start, end):
            lines = self._bulk(mark, buf)
            yield lines if lines is not None else b"".join(self._piece(mark, buf))

    def _bulk(self, mark: Mark, buf: bytes) -> bytes | None:
        """A piece in which every line is one good record without a quote, a comment or a carriage return."""
        tally = self._splitter.tally(buf)
        if not tally or not tally.strict or tally.ends == "crlf" or self._special.search(buf):
            return None
        lines = buf.split(b"\n")
        if not lines[-1]:
            lines.pop()
        fields = self._splitter.fields - 1
        if b"" in lines or any(line.count(self._in.delim) != fields for line in lines):
            return None
        self._longest = max(self._longest, len(buf) if len(lines) < 3 else max(map(len, lines)))
        first = mark.records + 1
        glue = b"%d" + self._in.delim.replace(b"%", b"%%") + b"%b\n"
        return b"".join([glue % pair for pair in enumerate(lines, first)])

    def _piece(self, mark: Mark, buf: bytes) -> Iterator[bytes]:
        tidy = self._tidy(buf)
        for number, line, extent in counted(self._splitter, mark, buf):
            start, stop, _, problem = extent
            if problem:
                self._refuse(number, self._window.line_of(number, line), buf[start:stop], problem)
                continue
            raw = buf[start:stop]
            keep = tidy or not self._special.search(raw) or self._tidy(raw)
            body = raw if keep else self._canonical(buf, start)
            self._longest = max(self._longest, len(body))
            yield b"%d%b%b\n" % (number, self._in.delim, body)

    def _tidy(self, buf: bytes) -> bool:
        """Whether quotes stand only where they open, close or are doubled: such records go as they are."""
        return bool(self._in.quote) and b"\r" not in buf and self._splitter.tally(buf) is not None

    def _canonical(self, buf: bytes, start: int) -> bytes:
        walked = self._splitter.walk(buf, start)
        assert isinstance(walked, tuple)
        values = self._splitter.values(buf, walked[0])
        return self._in.delim.join(self._field(value, quoted) for value, quoted in values)

    def _field(self, value: bytes, quoted: bool) -> bytes:
        mark = self._out.quote
        if quoted or self._special.search(value):
            return mark + value.replace(mark, mark * 2) + mark
        return value

    def _refuse(self, number: int, line: int, raw: bytes, problem: str) -> None:
        row = quoted_line(number, line, shown(raw), problem)
        self._malformed += 1
        self._longest = max(self._longest, len(row))
        self._bad.append(row)


def shown(raw: bytes) -> str:
    """The text as received; bytes that are no text as `\\xff`, a NUL as `\\x00`."""
    text = raw.decode("utf-8", "backslashreplace")
    return text.replace("\0", "\\x00")


def quoted_line(*fields: int | str | None) -> bytes:
    """One line of a temporary CSV: text quoted, None as nothing."""
    return ",".join(_cell(field) for field in fields).encode() + b"\n"


def _cell(value: int | str | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else '"' + value.replace('"', '""') + '"'


def write_originals(
    window: Window,
    form: Format,
    numbers: Iterable[int],
    extra: Mapping[str, str | None],
    nulls: Sequence[bytes],
    path: Path,
) -> int:
    """Writes record number, line, raw text and the row as JSON for these records; the longest line in bytes."""
    longest = 0
    splitter = form.cutter(window.scan.head)

    def lines() -> Iterator[bytes]:
        nonlocal longest
        for number, line, buf, extent in window.numbered(numbers):
            texts = None if extent[3] else _texts(splitter, buf, extent[0], nulls)
            named = None if texts is None else dict(zip(window.scan.head.names, texts, strict=True))
            row = None if named is None else json.dumps({**named, **extra}, ensure_ascii=False)
            text = quoted_line(number, line, shown(buf[extent[0] : extent[1]]), row)
            longest = max(longest, len(text))
            yield text

    write(path, lines())
    return longest


def _texts(splitter: Splitter, buf: bytes, start: int, nulls: Sequence[bytes]) -> list[str | None]:
    """The record's fields."""
    walked = splitter.walk(buf, start)
    assert isinstance(walked, tuple)
    values = splitter.values(buf, walked[0])
    return [None if value in nulls and not quoted else value.decode("utf-8") for value, quoted in values]


def original_rows(table: Table) -> str:
    """The SELECT that a batch's `originals` gives, of record number, line, raw text and row in a temporary file."""
    named = f'CAST(c0 AS BIGINT) AS {sql.ident(RESERVED)}, CAST(c1 AS BIGINT) AS line, c2 AS raw, c3 AS "row"'
    return f"SELECT {named} FROM {table.read()}"


def malformed_rows(table: Table) -> str:
    """A batch's `malformed_relation`, of record number, line, raw text and message in a temporary file."""
    named = f"CAST(c0 AS BIGINT) AS {sql.ident(RESERVED)}, CAST(c1 AS BIGINT) AS line, c2 AS raw, c3 AS message"
    return f"SELECT {named} FROM {table.read()}"


@dataclass(frozen=True)
class Table:
    """A text file as DuckDB shall read it. Columns are named c0, c1, ...; all are VARCHAR."""

    path: Path
    columns: int
    dialect: Dialect = PLAIN
    nulls: Sequence[bytes] = (b"",)
    header: bool = False
    longest: int = 0
    parallel: bool = True
    crlf: bool = False
    lines: bool = False
    """Nothing delimits, nothing quotes: the one column is the line."""

    def read(self) -> str:
        """The `read_csv(...)` call: everything is said, nothing is guessed."""
        columns = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(self.columns))
        line = max(FLOOR, self.longest + CHUNK)
        marks = [b"", b"", b""] if self.lines else [self.dialect.delim, self.dialect.quote, self.dialect.escape]
        delim, quote, escape = (sql.literal(mark.decode()) for mark in marks)
        nulls = ", ".join(sql.literal(null.decode()) for null in self.nulls)
        options = [
            sql.literal(str(self.path)),
            f"columns = {{{columns}}}",
            "auto_detect = false",
            f"header = {str(self.header).lower()}",
            f"delim = {delim}",
            f"quote = {quote}",
            f"escape = {escape}",
            *([f"nullstr = [{nulls}]"] if self.nulls else []),
            "allow_quoted_nulls = false",
            "strict_mode = true",
            "comment = ''",
            "compression = 'none'",
            "hive_partitioning = false",
            f"max_line_size = {line}",
        ]
        if line > FLOOR:
            options.append(f"buffer_size = {line * 4}")
        if not self.crlf:
            options.append("new_line = '\\n'")
        if not self.parallel:
            options.append("parallel = false")
        return f"read_csv({', '.join(options)})"
