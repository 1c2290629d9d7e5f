"""JSON documents cut into records: brackets and quotes are all that is looked at, so no parser's mistakes are shared.

The document is written anew with one record per line. What stands between two commas is one record, well-formed or
not; where brackets or quotes don't match, nobody can tell records apart, and the file is refused.
"""

from __future__ import annotations

import mmap
import re
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headgate.adapters.files.compress import digest
from headgate.adapters.files.lines import Lines
from headgate.adapters.files.origin import corrupt, open_file
from headgate.adapters.files.text import BOM, Spool, Text, prepare, write
from headgate.core.errors import AdapterError
from headgate.core.records import dataclass

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\[\x00-\xff][^"\\]*+)*+"|[\[\]{},"]')
_BLANK = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"[^"\\]*+(?:\\[\x00-\xff][^"\\]*+)*+"')
_BREAKS = re.compile(rb"[\r\n]+")
_BARE = re.compile(rb'[^\[\]{},": \t\r\n]*+')
NOTHING = b","
"""What is written for an element that is not there: between two commas, or behind the last."""
_CLOSES = {b"[": b"]", b"{": b"}"}


@dataclass(frozen=True)
class Document(Lines):
    """`records`: the keys that lead to the array; none: the array at the top, or the values there."""

    records: tuple[str, ...] = ()

    def prepare(self, origin: Path, spool: Spool) -> Text:
        text = prepare(origin, self.encoding, spool)
        lines: array[int] = array("Q")
        path = spool("records")
        with open_file(text.path) as file:
            if not file.seek(0, 2):
                write(path, ())
            else:
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as buf:
                    write(path, _lines(buf, Cut(buf, origin, self.records), lines))
        return Text(origin, path, text.digest or digest(origin), lines)


def _lines(buf: Any, cut: Cut, begins: array[int]) -> Iterator[bytes]:
    line, last = 1, 0
    for start, end in cut.records():
        line += _breaks(buf, last, start)
        last = start
        begins.append(line)
        yield (_BREAKS.sub(b" ", _marked(buf[start:end])) or NOTHING) + b"\n"


def _marked(raw: bytes) -> bytes:
    """The record with line breaks inside of strings, which JSON forbids, as a control character, which it forbids, too:
    between values they are blanks."""
    if b"\n" not in raw and b"\r" not in raw:
        return raw
    return _STRING.sub(lambda match: _BREAKS.sub(b"\x0b", match[0]), raw)


def _breaks(buf: Any, start: int, stop: int) -> int:
    return bytes(buf[start:stop]).count(b"\n")


class Cut:
    """Walks over a document. *Errors*: AdapterError `corrupt-file`, `no-records`."""

    def __init__(self, buf: Any, origin: Path, path: tuple[str, ...]) -> None:
        self._buf, self._origin, self._path = buf, origin, path
        self._start = len(BOM) if buf[: len(BOM)] == BOM else 0

    def records(self) -> Iterator[tuple[int, int]]:
        """Start and end of every record."""
        at = self._skip(self._start)
        if self._path:
            at = self._lead(at)
            if self._buf[at : at + 1] != b"[":
                raise self._no_records("is no array")
            yield from self._elements(at)
            return
        if self._buf[at : at + 1] != b"[":
            yield from self._values(at)
            return
        end = at
        for start, end in self._elements(at):
            yield start, end
        end = self._skip(self._skip(self._after) if self._after else end)
        if end < len(self._buf):
            raise self._broken("something stands behind the array", end)

    def _values(self, at: int) -> Iterator[tuple[int, int]]:
        while at < len(self._buf):
            end = self._end(at)
            yield at, end
            at = self._skip(end)

    def _elements(self, at: int) -> Iterator[tuple[int, int]]:
        """What stands between the commas of the array that begins at `at`."""
        at = self._skip(at + 1)
        if self._buf[at : at + 1] == b"]":
            self._after = at + 1
            return
        while True:
            start, depth = at, 0
            for match in _TOKEN.finditer(self._buf, at):
                mark = match[0]
                if mark == b'"':
                    raise self._broken("a quote is not closed", match.start())
                if mark in _CLOSES:
                    depth += 1
                elif mark in (b"]", b"}") and depth:
                    depth -= 1
                elif not depth and mark in (b",", b"]", b"}"):
                    break
            else:
                raise self._broken("the array is not closed", len(self._buf))
            if mark == b"}":
                raise self._broken("a bracket closes that was not opened", match.start())
            yield start, start + len(self._buf[start : match.start()].rstrip(b" \t\r\n"))
            at = self._skip(match.end())
            if mark == b"]":
                self._after = match.end()
                return

    _after = 0
    """Behind the array's end, once it was met."""

    def _end(self, at: int) -> int:
        """Behind the value that begins at `at`."""
        mark = self._buf[at : at + 1]
        if mark not in (b"[", b"{"):
            match = _STRING.match(self._buf, at) or _BARE.match(self._buf, at)
            assert match is not None
            if match.end() == at:
                raise self._broken("expected a value", at)
            return int(match.end())
        depth = 0
        for match in _TOKEN.finditer(self._buf, at):
            if match[0] == b'"':
                raise self._broken("a quote is not closed", match.start())
            depth += (match[0] in _CLOSES) - (match[0] in (b"]", b"}"))
            if not depth:
                return int(match.end())
        raise self._broken("a bracket is not closed", at)

    def _lead(self, at: int) -> int:
        """Where the value begins that the path leads to."""
        import json

        for key in self._path:
            if self._buf[at : at + 1] != b"{":
                raise self._no_records(f"has no object with a key {key!r}")
            at = self._skip(at + 1)
            while True:
                match = _STRING.match(self._buf, at)
                if match is None:
                    raise self._no_records(f"has no key {key!r}")
                colon = self._skip(match.end())
                if self._buf[colon : colon + 1] != b":":
                    raise self._broken("expected a colon behind a key", colon)
                at = self._skip(colon + 1)
                try:
                    if json.loads(match[0]) == key:
                        break
                except ValueError:
                    pass
                at = self._skip(self._end(at))
                if self._buf[at : at + 1] == b",":
                    at = self._skip(at + 1)
        return at

    def _skip(self, at: int) -> int:
        match = _BLANK.match(self._buf, at)
        return int(match.end()) if match else at

    def _broken(self, what: str, at: int) -> AdapterError:
        return corrupt(self._origin, f"records can't be told apart: {what} (byte {at})")

    def _no_records(self, what: str) -> AdapterError:
        named = ".".join(self._path)
        fix = "correct `records:`; it names the keys that lead to the array, with dots between"
        made = AdapterError.of("no-records", f"`records: {named}`: the document {what}", self._origin, fix)
        assert isinstance(made, AdapterError)
        return made
