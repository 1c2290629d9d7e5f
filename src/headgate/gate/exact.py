"""Python's values as columns of Arrow: exactly, or told by place which ones the column can't keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from headgate.adapters.python.arrow import pyarrow
from headgate.core.records import dataclass
from headgate.types.logical import LogicalType

_NONE = type(None)


@dataclass(frozen=True)
class Kept:
    """`array`: the values, NULL where one is not kept; `lost`: the places of those."""

    array: Any
    lost: tuple[int, ...] = ()


def kept(values: Sequence[Any], kind: LogicalType, zone: str = "UTC") -> Kept:
    """The values (None for NULL) as the type keeps them. `zone`: of a moment without one, under timestamptz."""
    arrow, natural, make = _column(kind, zone)
    if natural and set(map(type, values)) <= natural:
        with suppress(Exception):  # some value does not fit: which one is found out below
            return Kept(pyarrow().array(values, arrow))
    return _one_by_one(values, arrow, make)


def _one_by_one(values: Sequence[Any], arrow: Any, make: Callable[[Any], Any]) -> Kept:
    pa = pyarrow()
    made: list[Any] = []
    lost: list[int] = []
    for place, value in enumerate(values):
        try:
            one = None if value is None else make(value)
            if one is not None:
                pa.array([one], arrow)
        except Exception:  # whatever a value of the user's own class does when it is looked at
            one = None
            lost.append(place)
        made.append(one)
    return Kept(pa.array(made, arrow), tuple(lost))


def _column(kind: LogicalType, zone: str) -> tuple[Any, set[type], Callable[[Any], Any]]:
    """Arrow's type; the Python types that it takes exactly as they are; and what makes such a value of another."""
    pa = pyarrow()
    match kind.name:
        case "int" | "bigint":
            return pa.int64(), {int, _NONE}, _instance(int, bool)
        case "double":
            return pa.float64(), {float, _NONE}, _double
        case "decimal":
            return pa.decimal128(kind.precision, kind.scale), {Decimal, _NONE}, _decimal
        case "bool":
            return pa.bool_(), {bool, _NONE}, _instance(bool)
        case "date":
            return pa.date32(), {date, _NONE}, _instance(date, datetime)
        case "time":
            return pa.time64("us"), set(), _naive(time)
        case "timestamp":
            return pa.timestamp("us"), set(), _naive(datetime)
        case "timestamptz":
            return pa.timestamp("us", "UTC"), set(), lambda value: _moment(value, zone)
        case "uuid":
            return pa.string(), set(), lambda value: str(_instance(UUID)(value))
        case "binary":
            return pa.binary(), {bytes, _NONE}, _instance(bytes)
        case "json":
            return pa.string(), set(), _json
    return pa.string(), {str, _NONE}, _text


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _instance(cls: type, *but: type) -> Callable[[Any], Any]:
    def make(value: Any) -> Any:
        value = _plain(value)
        if not isinstance(value, cls) or (but and isinstance(value, but)):
            raise TypeError
        return value

    return make


def _double(value: Any) -> float:
    value = _plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    made = float(value)
    if isinstance(value, int) and int(made) != value:
        raise ValueError
    return made


def _decimal(value: Any) -> Decimal:
    value = _plain(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
        raise TypeError
    return Decimal(value)


def _naive(cls: type) -> Callable[[Any], Any]:
    def make(value: Any) -> Any:
        value = _plain(value)
        if not isinstance(value, cls) or value.tzinfo is not None:  # type: ignore[attr-defined]
            raise TypeError
        return value

    return make


def _moment(value: Any, zone: str) -> datetime:
    """The moment in UTC; one that the clocks of the zone skip is none."""
    value = _plain(value)
    if not isinstance(value, datetime):
        raise TypeError
    if value.tzinfo is not None:
        return value.astimezone(UTC)
    if zone == "UTC":
        return value.replace(tzinfo=UTC)
    local = value.replace(tzinfo=ZoneInfo(zone))
    moment = local.astimezone(UTC)
    if moment.astimezone(local.tzinfo).replace(tzinfo=None) != value:
        raise ValueError
    return moment


def _text(value: Any) -> str:
    """Text, or what Pydantic writes as text: addresses, URLs, durations."""
    value = _plain(value)
    if isinstance(value, str):
        return str.__str__(value)
    from pydantic_core import to_jsonable_python

    made = to_jsonable_python(value)
    if not isinstance(made, str):
        raise TypeError
    return made


def _json(value: Any) -> str:
    from pydantic_core import to_json

    return to_json(value, by_alias=False, inf_nan_mode="strings", fallback=_first_generation).decode()


def _first_generation(value: Any) -> Any:
    from pydantic.v1.json import pydantic_encoder

    return pydantic_encoder(value)
