"""A byte-by-byte reading of the record rules, written without a look at the splitter: slow, and obvious."""

from __future__ import annotations

from dataclasses import dataclass

LIMIT = 1 << 20


@dataclass(frozen=True)
class Row:
    """One record: raw bytes without line end, fields (value, quoted) or None if malformed, physical line."""

    raw: bytes
    fields: tuple[tuple[bytes, bool], ...] | None
    line: int


@dataclass(frozen=True)
class Rules:
    delim: int = ord(",")
    quote: int | None = ord('"')
    escape: int | None = ord('"')
    comment: int | None = None
    lone_cr: bool = False


def line_end(data: bytes, pos: int, rules: Rules) -> int | None:
    """Length of the line end at `pos` (0 at the end of the data), None if there is none."""
    rest = data[pos:]
    if not rest:
        return 0
    if rest[0] == 10:
        return 1
    if rest[0] == 13:
        if rest[1:2] == b"\n":
            return 2
        if rules.lone_cr or len(rest) == 1:
            return 1
    return None


def read(data: bytes, fields: int, rules: Rules) -> list[Row]:
    rows: list[Row] = []
    pos, line = 0, 1
    while pos < len(data):
        stop = pos
        while line_end(data, stop, rules) is None:
            stop += 1
        physical_end = stop + (line_end(data, stop, rules) or 0)
        if stop == pos or (rules.comment is not None and data[pos] == rules.comment):
            pos, line = physical_end, line + 1
            continue
        parsed = record(data, pos, rules)
        if parsed is None or (len(parsed[0]) != fields and parsed[2] != physical_end):
            rows.append(Row(data[pos:stop], None, line))
            pos, line = physical_end, line + 1
            continue
        found, record_stop, end = parsed
        raw = data[pos:record_stop]
        good = len(found) == fields and 0 not in raw and is_utf8(raw)
        rows.append(Row(raw, tuple(found) if good else None, line))
        line += count_lines(data[pos:end], rules)
        pos = end
    return rows


def count_lines(text: bytes, rules: Rules) -> int:
    if rules.lone_cr:
        return len(text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")) - 1
    return text.count(b"\n")


def is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def record(data: bytes, pos: int, rules: Rules) -> tuple[list[tuple[bytes, bool]], int, int] | None:
    fields: list[tuple[bytes, bool]] = []
    while True:
        quoted = rules.quote is not None and data[pos : pos + 1] == bytes([rules.quote])
        value = bytearray()
        if quoted:
            opened = pos
            pos += 1
            while True:
                if pos >= len(data):
                    return None
                byte = data[pos]
                if byte == rules.escape and rules.escape != rules.quote:
                    if pos + 1 >= len(data):
                        return None
                    if data[pos + 1] not in (rules.escape, rules.quote):
                        value.append(byte)
                    value.append(data[pos + 1])
                    pos += 2
                elif byte == rules.quote:
                    if rules.escape == rules.quote and data[pos + 1 : pos + 2] == bytes([byte]):
                        value.append(byte)
                        pos += 2
                        continue
                    pos += 1
                    break
                else:
                    value.append(byte)
                    pos += 1
            if pos - opened > LIMIT:
                return None
        else:
            while line_end(data, pos, rules) is None and data[pos] != rules.delim:
                value.append(data[pos])
                pos += 1
        fields.append((bytes(value), quoted))
        ending = line_end(data, pos, rules)
        if ending is not None:
            return fields, pos, pos + ending
        if data[pos] != rules.delim:
            return None
        pos += 1
