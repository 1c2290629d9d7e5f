"""Answers to JSON and back: one walk over the dataclass's own fields, so that no key is written down twice."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


_PLAIN = frozenset({str, int, bool, type(None)})


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind))


def encode(value: Any) -> Any:
    """The value as JSON-able data: a dataclass as an object of its fields, everything else by `cell`."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if is_dataclass(kind):
        return {name: encode(getattr(value, name)) for name in _names(kind)}
    if isinstance(value, Mapping):
        return {_key(key): encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    return cell(value)


def decode(kind: type[T], data: Any) -> T:
    """The `kind` that `encode` made `data` from. Unknown keys are ignored, so that a newer sender can be read."""
    result: T = _decode(kind, data)
    return result


def cell(value: Any) -> Any:
    """One value of a table as JSON can hold it, without loss of digits.

    NULL, booleans and integers of any size stay; finite floats stay, others are `NaN`, `Infinity`, `-Infinity`;
    decimals are plain digits; dates, times and time stamps are ISO 8601 text; bytes are `\\x` and hexadecimal digits;
    lists and structs are taken apart; anything else is its text.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _not_finite(value)
    if isinstance(value, Mapping):
        return {_key(key): cell(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [cell(item) for item in value]
    return _text(value)


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _key(key: Any) -> str:
    key = cell(key)
    return key if isinstance(key, str) else str(key)


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date | time | datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _interval(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return "\\x" + bytes(value).hex()
    return str(value)


def _interval(value: timedelta) -> str:
    """`3 days 04:05:06.000007` or `-04:05:06`: one sign for all of it, no days where there are none."""
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    hours, rest = divmod(value.seconds, 3600)
    clock = f"{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"
    if value.microseconds:
        clock += f".{value.microseconds:06d}"
    return f"{sign}{value.days} days {clock}" if value.days else sign + clock


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _decode(kind: Any, data: Any) -> Any:
    if is_dataclass(kind):
        hints = _hints(kind)  # type: ignore[arg-type]
        return kind(**{name: _decode(hints[name], item) for name, item in data.items() if name in hints})  # type: ignore[operator]
    origin = get_origin(kind)
    if origin is tuple:
        return tuple(_decode(get_args(kind)[0], item) for item in data)
    if origin in (Union, types.UnionType):
        inner = next(arm for arm in get_args(kind) if arm is not type(None))
        return None if data is None else _decode(inner, data)
    return data
