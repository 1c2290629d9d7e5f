"""How a CSV file is written: encoding, delimiter, quote, header. A guess, with the reasons for it."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from headgate.adapters.files.compress import unpacked
from headgate.adapters.files.origin import opened
from headgate.adapters.files.records import Dialect, Splitter
from headgate.adapters.files.text import BOM, HEAD, peek
from headgate.core.records import dataclass

DELIMITERS = (b",", b";", b"\t", b"|")
RECORDS = 500
"""Records of the beginning that are looked at."""
_UNDEFINED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_VALUE = re.compile(
    rb"\s*(?:[+-]?[0-9][0-9.,' ]*%?|[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}(?:[ T].*)?|[^@\s]+@[^@\s]+\.[^@\s]+"
    rb"|true|false|[0-9a-f]{8}-[0-9a-f-]{27})\s*",
    re.IGNORECASE,
)
"""What no header would say: numbers, dates, addresses."""


@dataclass(frozen=True)
class Guess:
    """`options` of the source that are not the default; `columns` as the header names them (or column1, ...).

    `notes`: what was assumed, in words. Of the lines with characters beyond ASCII, `sound` ones are UTF-8 and `broken`
    ones are not: several files of one make are judged by their sum.
    """

    options: dict[str, Any]
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()
    sound: int = 0
    broken: int = 0


@dataclass(frozen=True)
class _Try:
    """A dialect and how it cuts the beginning: `width` fields in most records, in `even` of them (a share)."""

    dialect: Dialect
    records: list[list[bytes]] = field(repr=False)
    width: int = 0
    even: float = 0.0


def guess(path: Path) -> Guess:
    """How the file is written. *Errors*: AdapterError where it can't be read or unpacked."""
    encoding, sound, broken, odd = _encoding(path)
    encoding, notes = (
        (encoding, ["UTF-16, by its byte order mark"]) if encoding else chosen_encoding(sound, broken, odd)
    )
    start = peek(path, encoding)
    body = start[len(BOM) :] if start.startswith(BOM) else start
    best = _best(body, len(start) < HEAD)
    options: dict[str, Any] = {} if encoding == "utf-8" else {"encoding": encoding}
    options |= _marks(best.dialect, tabs=bool(re.search(r"\.tsv(\.\w+)?$", path.name, re.IGNORECASE)))
    if start.startswith(BOM):
        notes.append("a byte order mark was skipped")
    if best.dialect.delim != b",":
        notes.append(f"fields are separated by {_named(best.dialect.delim)}")
    header = _has_header(best.records)
    if not header:
        options["header"] = False
        notes.append("the first line looks like data: columns have numbers for names")
    first = best.records[0] if best.records else []
    names = [value.decode("utf-8", "replace") for value in first] if header else []
    return Guess(
        options, tuple(names or (f"column{number}" for number in range(1, len(first) + 1))), tuple(notes), sound, broken
    )


def _named(mark: bytes) -> str:
    return {b"\t": "tabs", b";": "semicolons", b"|": "bars"}.get(mark, repr(mark.decode()))


def _marks(dialect: Dialect, tabs: bool) -> dict[str, str]:
    usual = Dialect(delim=b"\t") if tabs else Dialect()
    found = {
        name: getattr(dialect, name).decode()
        for name in ("delim", "quote", "comment")
        if getattr(dialect, name) != getattr(usual, name)
    }
    if dialect.escape != dialect.quote:
        found["escape"] = dialect.escape.decode()
    return found


# -- encoding --------------------------------------------------------------------------------------------------------


def _encoding(path: Path) -> tuple[str, int, int, bool]:
    """`utf-16` or nothing; lines that are UTF-8 beyond ASCII, lines that are not; whether cp1252 lacks a byte."""
    chunks = _chunks(path)
    first = next(chunks, b"")
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", 0, 0, False
    sound, broken, odd = 0, 0, False
    for piece in (first, *chunks):
        good, bad = _lines(piece)
        sound, broken = sound + good, broken + bad
        odd = odd or (bad > 0 and _UNDEFINED.search(piece) is not None)
    return "", sound, broken, odd


def chosen_encoding(sound: int, broken: int, odd: bool = False) -> tuple[str, list[str]]:
    """UTF-8 unless most of the lines that could tell are not, else cp1252, or latin-1 where that lacks a byte."""
    if broken <= sound:
        return "utf-8", [f"UTF-8, though not in {broken} of its lines"] if broken else []
    encoding = "latin-1" if odd else "cp1252"
    return encoding, [f"{encoding}, for {broken} of its lines {'is' if broken == 1 else 'are'} no UTF-8"]


def _chunks(path: Path) -> Iterator[bytes]:
    """The text in pieces that end at line ends."""
    with opened(path) as file:
        rest = b""
        for chunk in unpacked(path, file.read):
            whole, newline, after = (rest + chunk).rpartition(b"\n")
            if newline:
                yield whole + newline
            rest = after
        yield rest


def _lines(piece: bytes) -> tuple[int, int]:
    """Lines with characters beyond ASCII that are UTF-8, and lines that are not."""
    if piece.isascii():
        return 0, 0
    sound = broken = 0
    for line in piece.split(b"\n"):
        if line.isascii():
            continue
        try:
            line.decode()
            sound += 1
        except UnicodeDecodeError:
            broken += 1
    return sound, broken


# -- dialect ---------------------------------------------------------------------------------------------------------


def _best(body: bytes, eof: bool) -> _Try:
    """The dialect that cuts most records into the same number of fields, more of them if in doubt."""
    quote = b"'" if b'"' not in body and re.search(rb"(?:^|[,;\t|])'[^'\n]*'(?:[,;\t|]|\r?$)", body, re.M) else b'"'
    escape = b"\\" if b"\\" + quote in body and quote * 2 not in body else quote
    tries = [_try(Dialect(delim, quote, escape), body, eof) for delim in DELIMITERS]
    split = [one for one in tries if one.width > 1]
    best = max(split, key=lambda one: (round(one.even, 1), one.width, one.even)) if split else tries[0]
    commented = [record for record in best.records if record[0].startswith(b"#") and len(record) != best.width]
    if commented and len(commented) < len(best.records):
        best = _try(replace(best.dialect, comment=b"#"), body, eof)
    return best


def _try(dialect: Dialect, body: bytes, eof: bool) -> _Try:
    records = list(islice(_records(dialect, body, eof), RECORDS))
    widths = Counter(len(record) for record in records)
    if not widths:
        return _Try(dialect, records)
    width, number = max(widths.items(), key=lambda item: (item[1], item[0]))
    return _Try(dialect, records, width, number / len(records))


def _records(dialect: Dialect, body: bytes, eof: bool) -> Iterator[list[bytes]]:
    lone_cr = b"\r" in body and b"\n" not in body
    splitter = Splitter(dialect, 0, lone_cr)
    for begin, _, _, problem in splitter.extents(body, 0, eof):
        walked = splitter.walk(body, begin) if problem == "" else None
        if isinstance(walked, tuple):
            yield [value for value, _ in splitter.values(body, walked[0])]


def _has_header(records: Sequence[list[bytes]]) -> bool:
    """Whether the first record names the columns: no value among them, no name twice, and none found below again."""
    if not records:
        return True
    first = records[0]
    names = [value.strip().lower() for value in first]
    if any(_VALUE.fullmatch(value) for value in first):
        return False
    if not all(names) or len(set(names)) < len(names):  # no good one, but one if there are values below it
        return any(_VALUE.fullmatch(value) for record in records[1:] for value in record)
    again = sum(
        any(record != first and len(record) > at and record[at] == value for record in records[1:])
        for at, value in enumerate(first)
    )
    return again < max(1, len(first) / 2) or len(records) == 1
