"""Literals of the short form: text into a typed SQL literal, only where nothing is lost."""

from __future__ import annotations

import math
import re
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from headgate.core.records import dataclass
from headgate.sql.quote import literal
from headgate.types.logical import LogicalType

_INT = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")
_DOUBLE = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?")
_ZONE = re.compile(r"(.{10}.*?)(?:([Zz])|([+-])([0-9]{2})(?::?([0-9]{2}))?)")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TRUE = {"true", "t", "yes", "y", "on", "1"}
_FALSE = {"false", "f", "no", "n", "off", "0"}
_LONGEST = 400
"""A longer number fits no type; keeps Python's own limits on digits out of the way."""


@dataclass(frozen=True)
class Literal:
    """`text` is canonical, `sql` a typed literal, `value` a Python value that orders as the column does."""

    text: str
    sql: str
    value: Any


def read(kind: LogicalType, text: str) -> Literal:
    """The literal of type `kind` that the text names. Raises ValueError with what was expected."""
    try:
        canonical, value = _READERS[kind.name](kind, text)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} does not convert to {kind} without loss") from error
    sql = literal(canonical) if kind.name == "text" else f"CAST({literal(canonical)} AS {kind.duckdb})"
    return Literal(canonical, sql, value)


def _match(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.fullmatch(text)
    if match is None or len(text) > _LONGEST:
        raise ValueError(text)
    return match


def _int(kind: LogicalType, text: str) -> tuple[str, int]:
    value = int(_match(_INT, text)[0])
    if not -(2**63) <= value < 2**63:
        raise ValueError(text)
    return str(value), value


def _decimal(kind: LogicalType, text: str) -> tuple[str, Decimal]:
    value = Decimal(_match(_DECIMAL, text)[0])
    whole, _, fraction = format(value.copy_abs(), "f").partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    if len(fraction) > kind.scale or len(whole) > kind.precision - kind.scale:
        raise ValueError(text)
    sign = "-" if value < 0 else ""
    return sign + (whole or "0") + ("." + fraction if fraction else ""), value


def _double(kind: LogicalType, text: str) -> tuple[str, float]:
    mantissa = _match(_DOUBLE, text)[1]
    value = float(text)
    if math.isinf(value) or (value == 0 and mantissa.strip("0.")):
        raise ValueError(text)
    value += 0.0  # no negative zero: it equals zero
    return repr(value).removesuffix(".0"), value


def _text(kind: LogicalType, text: str) -> tuple[str, str]:
    if "\x00" in text or (kind.length is not None and len(text) > kind.length):
        raise ValueError(text)
    return text, text


def _bool(kind: LogicalType, text: str) -> tuple[str, bool]:
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(text)
    return ("true", True) if word in _TRUE else ("false", False)


def _date(kind: LogicalType, text: str) -> tuple[str, date]:
    value = date(*(int(part) for part in _match(_DATE, text).groups()))
    return value.isoformat(), value


def _time(kind: LogicalType, text: str) -> tuple[str, time]:
    hour, minute, second, fraction = _match(_TIME, text).groups()
    digits = (fraction or "").ljust(6, "0")
    if digits[6:].strip("0"):
        raise ValueError(text)
    value = time(int(hour), int(minute), int(second or 0), int(digits[:6]))
    return value.isoformat(), value


def _timestamp(kind: LogicalType, text: str) -> tuple[str, datetime]:
    day, rest = _date(kind, text[:10])[1], text[10:]
    if rest and rest[0] not in "T ":
        raise ValueError(text)
    value = datetime.combine(day, _time(kind, rest[1:])[1] if rest else time())
    return value.isoformat(" "), value


def _timestamptz(kind: LogicalType, text: str) -> tuple[str, datetime]:
    zone = _ZONE.fullmatch(text)
    bare, offset = text, timedelta()
    if zone is not None:
        bare = zone[1]
        offset = timedelta(hours=int(zone[4] or 0), minutes=int(zone[5] or 0)) * (-1 if zone[3] == "-" else 1)
        if int(zone[4] or 0) > 15 or int(zone[5] or 0) > 59:
            raise ValueError(text)
    value = _timestamp(kind, bare)[1].replace(tzinfo=timezone(offset)).astimezone(UTC)
    return value.replace(tzinfo=None).isoformat(" ") + "+00", value


def _uuid(kind: LogicalType, text: str) -> tuple[str, str]:
    value = str(uuid.UUID(_match(_UUID, text)[0]))
    return value, value


_READERS: dict[str, Any] = {
    "int": _int,
    "bigint": _int,
    "decimal": _decimal,
    "double": _double,
    "text": _text,
    "bool": _bool,
    "date": _date,
    "time": _time,
    "timestamp": _timestamp,
    "timestamptz": _timestamptz,
    "uuid": _uuid,
}
