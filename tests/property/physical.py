"""The table of typed columns (docs/types.md) in plain Python: what a value of a Parquet column becomes, or that it
doesn't fit, and its canonical text. No SQL, and nothing imported from the kernel."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

from headgate.testing.oracle.values import spelling

ZONE = ZoneInfo("Europe/Paris")
NO = object()
"""What a value becomes that does not fit."""


def becomes(value: Any, logical: str) -> Any:
    """The value as the logical type, NO if it does not convert without loss. A nanosecond moment is a `Nanos`."""
    name, sizes = spelling(logical)
    if value is None:
        return None
    return _BY_NAME["int" if name == "bigint" else name](value, *sizes)


class Nanos(int):
    """A moment of the wall clock in nanoseconds since 1970."""


def _int(value: Any) -> Any:
    whole = value == value and abs(value) != math.inf and value == int(value)
    return int(value) if whole and -(2**63) <= int(value) < 2**63 else NO


def _decimal(value: Any, precision: int, scale: int) -> Any:
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite() or abs(exact) >= 10 ** (precision - scale):
        return NO
    with localcontext() as context:
        context.prec = 1000
        return exact if exact * 10**scale % 1 == 0 else NO


def _double(value: Any) -> Any:
    if isinstance(value, float):
        return value
    near = float(value)
    same = int(near) == value if isinstance(value, int) else Decimal(repr(near)) == value
    return near if same else NO


def _text(value: Any, length: int = 1 << 30) -> Any:
    text = canonical(value)
    return text if len(text) <= length else NO


def _date(value: Any) -> Any:
    moment = _timestamp(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return moment.date() if moment is not NO and moment.time() == time() else NO


def _timestamp(value: Any) -> Any:
    if isinstance(value, Nanos):
        return datetime(1970, 1, 1) + timedelta(microseconds=value // 1000) if value % 1000 == 0 else NO
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)


def _timestamptz(value: Any) -> Any:
    """In the source's zone; a moment that the clocks skip is none. One that comes twice is the earlier or the later."""
    if isinstance(value, datetime) and value.tzinfo:
        return {value}
    moment = _timestamp(value)
    if moment is NO:
        return NO
    found = {moment.replace(tzinfo=ZONE, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return {one for one in found if one.astimezone(ZONE).replace(tzinfo=None) == moment} or NO


_BY_NAME: dict[str, Callable[..., Any]] = {
    "int": _int,
    "decimal": _decimal,
    "double": _double,
    "text": _text,
    "date": _date,
    "timestamp": _timestamp,
    "timestamptz": _timestamptz,
}


def canonical(value: Any) -> str:
    """The value's text in quarantine, and in a text column."""
    if isinstance(value, Nanos):
        seconds, rest = divmod(value, 10**9)
        moment = datetime(1970, 1, 1) + timedelta(seconds=seconds)
        return str(moment) + (f".{rest:09}".rstrip("0") if rest else "")
    if isinstance(value, datetime):
        naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        text = str(naive)
        return (text.rstrip("0") if naive.microsecond else text) + ("+00" if value.tzinfo else "")
    if isinstance(value, float) and value != value:
        return "-nan" if math.copysign(1, value) < 0 else "nan"
    return format(value, "f") if isinstance(value, Decimal) else str(value)
