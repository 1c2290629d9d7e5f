"""Values: the lexical table (text -> value of a logical type), and how values are compared and written.

A value is an int, Decimal, float, str (text and json), bool, date, datetime (naive for `timestamp`, aware and in UTC
for `timestamptz`), time, UUID or bytes; None is NULL.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any, NoReturn
from uuid import UUID
from zoneinfo import ZoneInfo

Value = Any
ALIASES = {
    "int": "int integer smallint",
    "bigint": "bigint int8 long",
    "decimal": "decimal numeric",
    "double": "double float real",
    "text": "text string varchar",
    "bool": "bool boolean",
    "date": "date",
    "timestamp": "timestamp datetime",
    "timestamptz": "timestamptz",
    "time": "time",
    "uuid": "uuid",
    "json": "json",
    "binary": "binary bytes blob",
}
_CANONICAL = {alias: name for name, aliases in ALIASES.items() for alias in aliases.split()}
_SPELLING = re.compile(r"\s*([A-Za-z0-9_]+)\s*(?:\(\s*([0-9]+)\s*(?:,\s*([0-9]+)\s*)?\))?\s*")

_INT = re.compile(r"([+-]?)([0-9]+)")
_DECIMAL = re.compile(r"([+-]?)(?:([0-9]+)\.?([0-9]*)|\.([0-9]+))")
_DOUBLE = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DOUBLE_WORD = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?")
_STAMP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9:.]+?))?")
_ZONED = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9:.]+))?(Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)?")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BINARY = re.compile(r"\\x((?:[0-9a-fA-F]{2})*)")
_TRUE = frozenset(["true", "t", "yes", "y", "on", "1"])
_FALSE = frozenset(["false", "f", "no", "n", "off", "0"])


class NotAccepted(ValueError):
    """The text is no value of the type; the message says what was expected, never the text."""


def spelling(text: str) -> tuple[str, tuple[int, ...]]:
    """The type's canonical name and its numbers: `numeric(12, 2)` -> `("decimal", (12, 2))`."""
    match = _SPELLING.fullmatch(text)
    if not match or match[1].lower() not in _CANONICAL:
        raise ValueError(f"unknown type {text!r}")
    name = _CANONICAL[match[1].lower()]
    numbers = tuple(int(number) for number in match.groups()[1:] if number is not None)
    if name == "decimal":
        return name, (*numbers, 0)[:2]
    return name, numbers


def canonical_spelling(text: str) -> str:
    """The one way in which messages write the type: `numeric(12, 2)` -> `decimal(12,2)`."""
    name, numbers = spelling(text)
    return name + (f"({','.join(map(str, numbers))})" if numbers else "")


def accept(text: str | None, type_spelling: str, zone: str = "UTC") -> Value:
    """The value that the text stands for, without loss. None stands for NULL and is accepted by every type.

    `zone` is the source's zone, an IANA name or `+HH:MM`, for `timestamptz` texts that have none.
    Errors: NotAccepted, with the message `expected <type>`.
    """
    if text is None:
        return None
    name, numbers = spelling(type_spelling)
    try:
        if name == "timestamptz":
            return _timestamptz(text, zone)
        if name in ("decimal", "text"):
            return (_decimal if name == "decimal" else _text)(text, *numbers)
        return _PLAIN[name](text)
    except (NotAccepted, ValueError, OverflowError, RecursionError):
        raise NotAccepted(f"expected {canonical_spelling(type_spelling)}") from None


def _no() -> NoReturn:
    raise NotAccepted


def _full(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    return pattern.fullmatch(text) or _no()


def _integer(text: str) -> int:
    sign, digits = _full(_INT, text).groups()
    digits = digits.lstrip("0") or "0"
    if len(digits) > 19:
        _no()
    value = int(sign + digits)
    return value if -(2**63) <= value < 2**63 else _no()


def _decimal(text: str, precision: int, scale: int) -> Decimal:
    sign, whole, after, only_after = _full(_DECIMAL, text).groups()
    whole, fraction = (whole or "").lstrip("0"), after or only_after or ""
    if len(whole) > precision - scale or fraction[scale:].strip("0"):
        _no()
    digits = tuple(map(int, (whole + fraction[:scale].ljust(scale, "0")) or "0"))
    negative = sign == "-" and any(digits)
    return Decimal((int(negative), digits, -scale))


def _double(text: str) -> float:
    if _DOUBLE_WORD.fullmatch(text):
        return float(text)
    mantissa = _full(_DOUBLE, text)[1]
    value = float(text)
    if math.isinf(value) or (value == 0 and mantissa.strip("0.")):
        _no()
    return value


def _text(text: str, length: int | None = None) -> str:
    return text if length is None or len(text) <= length else _no()


def _bool(text: str) -> bool:
    word = text.lower() if text.isascii() else ""
    return True if word in _TRUE else False if word in _FALSE else _no()


def _date(text: str) -> date:
    return date(*map(int, _full(_DATE, text).groups()))


def _time(text: str) -> time:
    hour, minute, second, fraction = _full(_TIME, text).groups()
    if fraction and fraction[6:].strip("0"):
        _no()
    micros = int((fraction or "")[:6].ljust(6, "0"))
    return time(int(hour), int(minute), int(second or 0), micros)


def _timestamp(text: str) -> datetime:
    day, clock = _full(_STAMP, text).groups()
    return datetime.combine(_date(day), _time(clock) if clock is not None else time())


def _timestamptz(text: str, zone: str) -> datetime:
    """An instant that leaves the years 0001-9999 once it is in UTC is not accepted."""
    day, clock, offset = _full(_ZONED, text).groups()
    local = datetime.combine(_date(day), _time(clock) if clock is not None else time())
    return local.replace(tzinfo=_offset(offset) if offset else _zone(zone)).astimezone(UTC)


def _zone(zone: str) -> tzinfo:
    return _offset(zone) if zone[:1] in ("+", "-") else ZoneInfo(zone)


def _offset(text: str) -> tzinfo:
    if text in ("Z", "z"):
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 15 or minutes > 59:
        _no()
    delta = timedelta(hours=hours, minutes=minutes)
    return timezone(-delta if text[0] == "-" else delta)


def _uuid(text: str) -> UUID:
    return UUID(_full(_UUID, text)[0])


def _json(text: str) -> str:
    """RFC 8259 (blanks around the value belong to its grammar); a lone surrogate escape is no Unicode, so no value."""
    parsed = json.loads(text, parse_constant=lambda _: _no(), parse_int=lambda _: 0, parse_float=lambda _: 0)
    json.dumps(parsed, ensure_ascii=False).encode()
    return text


def _binary(text: str) -> bytes:
    return bytes.fromhex(_full(_BINARY, text)[1])


_PLAIN: dict[str, Callable[[str], Value]] = {
    "int": _integer,
    "bigint": _integer,
    "double": _double,
    "bool": _bool,
    "date": _date,
    "timestamp": _timestamp,
    "time": _time,
    "uuid": _uuid,
    "json": _json,
    "binary": _binary,
}


def rank(value: Value) -> tuple[int, Value]:
    """What equality and order of values are decided by: NaN equals itself and is the greatest number."""
    return (1, 0) if isinstance(value, float) and math.isnan(value) else (0, value)


def written(value: Value) -> str | None:
    """Canonical text, the same for equal values and different for different ones of a type; None for NULL.

    Decimals keep their scale, a `double` is its shortest text (`nan`, `inf`, `-inf`), times are ISO 8601 with as many
    digits of the second as needed, binary is `\\x` and lower-case hexadecimal digits.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
