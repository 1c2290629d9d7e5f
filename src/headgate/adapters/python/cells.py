"""A value of Python as a text that says what it is, and back: the cells of records that a model judges.

A cell is JSON. What JSON has no form for stands in an object with one key: `{"$decimal": "1.50"}`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar
from uuid import UUID

from headgate.adapters.python.text import NoText, TextRows, text

_KINDS: tuple[tuple[type, str], ...] = (
    (Decimal, "$decimal"),
    (datetime, "$datetime"),
    (date, "$date"),
    (time, "$time"),
    (UUID, "$uuid"),
    (bytes, "$bytes"),
    (tuple, "$tuple"),
    (set, "$set"),
    (frozenset, "$frozenset"),
    (timedelta, "$timedelta"),
)


def encode(value: object) -> str:
    """The cell. Raises NoText for what has none."""
    return json.dumps(_shown(value), ensure_ascii=False)


def decode(cell: str) -> Any:
    """The value of the cell."""
    return json.loads(cell, object_hook=_restored)


def _shown(value: object) -> object:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Enum):
        return _shown(value.value)
    if isinstance(value, list):
        return [_shown(one) for one in value]
    if isinstance(value, Mapping):
        return _object(value)
    for kind, mark in _KINDS:
        if isinstance(value, kind):
            return {mark: _written(value, mark)}
    made = text(value)  # scalars of numpy and pandas, bytearray and what else has a text
    return _scalar(value, made)


def _scalar(value: object, made: str | None) -> object:
    if made is None or isinstance(value, str):
        return made
    if isinstance(value, bool | int | float) or type(value).__module__ == "numpy":
        try:
            return json.loads(made)
        except ValueError:
            return float(made) if made.lower() in ("nan", "inf", "-inf") else made
    return {"$bytes": made} if made.startswith("\\x") else made


def _object(value: Mapping[Any, Any]) -> object:
    if not all(isinstance(key, str) for key in value):
        return {"$dict": [[_shown(key), _shown(one)] for key, one in value.items()]}
    made = {key: _shown(one) for key, one in value.items()}
    return {"$dict": [list(pair) for pair in made.items()]} if any(key.startswith("$") for key in made) else made


def _written(value: Any, mark: str) -> object:
    if mark in ("$tuple", "$set", "$frozenset"):
        return [_shown(one) for one in value]
    if mark == "$timedelta":
        return [value.days, value.seconds, value.microseconds]
    if mark == "$decimal":
        return str(value)
    if mark in ("$datetime", "$time", "$date"):
        if value != value:  # pandas' NaT
            raise NoText("a moment that is none has no text")
        return value.isoformat()
    return text(value)


_RESTORE: dict[str, Callable[[Any], Any]] = {
    "$decimal": Decimal,
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$uuid": UUID,
    "$bytes": lambda written: bytes.fromhex(written[2:]),
    "$tuple": tuple,
    "$set": set,
    "$frozenset": frozenset,
    "$timedelta": lambda parts: timedelta(*parts),
    "$dict": dict,
}


def _restored(made: dict[str, Any]) -> Any:
    if len(made) == 1:
        ((mark, written),) = made.items()
        if mark in _RESTORE:
            return _RESTORE[mark](written)
    return made


class CellRows(TextRows):
    """Gathers records as rows of cells: None is the cell `null`, and NULL what a record lacks."""

    METADATA: ClassVar[dict[str, str] | None] = {"headgate": "cells"}
    MAKERS: ClassVar[Mapping[type, Callable[[Any], str | None]]] = {}
    other = staticmethod(encode)
    NONE: ClassVar[bool] = True


def is_cells(schema: Any) -> bool:
    """Whether a table of this schema holds cells."""
    return (schema.metadata or {}).get(b"headgate") == b"cells"
