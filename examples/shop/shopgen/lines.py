"""Lines of a delivery and the numbers of their records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shopgen.truth import Kind, Truth


@dataclass(frozen=True)
class Line:
    """One record (or blank line) as it is delivered, without its line end. `kind` says what is wrong with it."""

    data: bytes
    kind: Kind | None = None


def field_text(value: str) -> str:
    """The field as CSV: quoted where it must be."""
    if any(mark in value for mark in ',"\n'):
        return '"' + value.replace('"', '""') + '"'
    return value


def csv_line(fields: Iterable[str]) -> bytes:
    return ",".join(map(field_text, fields)).encode()


def assemble(header: bytes, lines: Iterable[Line], file: str, table: str, truth: Truth, end: bytes = b"\n") -> bytes:
    """The bytes of one file; every fault is written into `truth` with its record and line number."""
    parts = [header]
    record, line = 0, 2
    loaded = 0
    for item in lines:
        kind = item.kind
        blank = kind is not None and kind.fate == "no record"
        record += not blank
        if kind is None:
            loaded += 1
        else:
            truth.planted(kind, file, record, line)
            if not blank:
                truth.count(table, kind.fate)
        parts.append(item.data)
        line += 1 + item.data.count(b"\n")
    truth.count(table, "loaded", loaded)
    return end.join(parts) + end
