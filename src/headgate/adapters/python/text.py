"""Records as text: one canonical text per value, so that dicts are judged by the lexical table (docs/types.md)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from itertools import zip_longest
from typing import Any, ClassVar
from uuid import UUID

from headgate.adapters.python.arrow import RESERVED, Exact, pyarrow

_LONG_DECIMAL = 400
"""Digits beyond which no type takes a decimal: such a one keeps its exponent."""


class NoText(Exception):
    """A value or a key of a record has no text; says why, without the value."""


def text(value: object) -> str | None:
    """The value's canonical text; None for NULL. Raises NoText."""
    made = _TEXTS.get(type(value))
    if made is not None:
        return made(value)
    return _other(value)


def _bool(value: object) -> str:
    return "true" if value else "false"


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        return str(value).lower().replace("infinity", "inf")
    long = abs(value.adjusted()) > _LONG_DECIMAL or len(value.as_tuple().digits) > _LONG_DECIMAL
    return str(value) if long else format(value, "f")


def _datetime(value: datetime) -> str | None:
    if value != value:  # pandas' NaT
        return None
    offset = value.utcoffset()
    if offset is not None and offset.total_seconds() % 60:
        value = value.astimezone(UTC)  # an offset with seconds has no text that a type accepts
    return value.isoformat(sep=" ")


def _bytes(value: bytes | bytearray | memoryview) -> str:
    return "\\x" + bytes(value).hex()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_inside)


def _inside(value: object) -> object:
    """What JSON shall write for a value that it does not know."""
    return dict(value) if isinstance(value, Mapping) else text(value)


_TEXTS: dict[type, Callable[[Any], str | None]] = {
    str: lambda value: value,
    type(None): lambda value: None,
    bool: _bool,
    int: str,
    float: repr,
    Decimal: _decimal,
    datetime: _datetime,
    date: date.isoformat,
    time: time.isoformat,
    UUID: str,
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: _bytes,
    dict: _json,
    list: _json,
    tuple: _json,
}


def _other(value: object) -> str | None:
    """The text of what is derived from a known type, of enums, and of the scalars of numpy and pandas."""
    if isinstance(value, Enum):
        return text(value.value)
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    # A float of numpy is a float whose repr says so; a datetime of pandas has its own, longer isoformat.
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, str):
        return str.__str__(value)
    for kind in (Decimal, datetime, date, time, UUID, bytes):
        if isinstance(value, kind):
            return _TEXTS[kind](value)
    if isinstance(value, Mapping):
        return _json(dict(value))
    return _numpy(value)


def _numpy(value: object) -> str | None:
    """The text of a scalar of numpy, which this package does not import."""
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        if type(value).__name__ == "datetime64":
            return None if str(value) == "NaT" else str(value)
        inner = value.item()  # type: ignore[attr-defined]
        if type(inner) in _TEXTS:
            return text(inner)
    raise NoText(f"a value of type {type(value).__name__!r} has no text")


class TextRows:
    """Gathers records as rows of text. Columns are the keys in order of first sight; letter case does not count."""

    METADATA: ClassVar[dict[str, str] | None] = None
    MAKERS: ClassVar[Mapping[type, Callable[[Any], str | None]]] = _TEXTS
    other: Callable[[Any], str | None] = staticmethod(_other)
    NONE: ClassVar[bool] = False
    """None has a text of its own."""

    def __init__(self) -> None:
        self.columns: list[str] = []
        self._places: dict[object, int] = {RESERVED: -1}
        self._by_lower: dict[str, int] = {RESERVED: -1}
        self._variants = False
        self._rows: list[list[str | None] | str] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, record: Mapping[Any, Any]) -> None:
        """Takes the record; one that has no text is kept as the reason why."""
        try:
            self._rows.append(self._texts(record))
        except NoText as error:
            self._rows.append(str(error))
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            self._rows.append(f"a value has no text ({type(error).__name__})")

    def refuse(self, why: str) -> None:
        """Takes a record that could not be read."""
        self._rows.append(why)

    def _texts(self, record: Mapping[Any, Any]) -> list[str | None]:
        row: list[str | None] = [None] * len(self.columns)
        places, makers, other = self._places, self.MAKERS, self.other
        for key, value in record.items():
            place = places.get(key)
            if place is None:
                place = self._new(key)
                row += [None] * (len(self.columns) - len(row))
            if place >= 0 and (value is not None or self.NONE):
                made = makers.get(type(value), other)
                try:
                    row[place] = made(value)
                except NoText as error:
                    raise NoText(f"column {key!r}: {error}") from None
        if self._variants:
            self._no_double(record)
        return row

    def _new(self, key: object) -> int:
        """The place of a key that was not seen before."""
        if not isinstance(key, str):
            raise NoText(f"a key is of type {type(key).__name__!r}, not text")
        try:
            key.encode()
        except UnicodeEncodeError:
            raise NoText("a key is no text in UTF-8") from None
        if not key:
            raise NoText("a key is empty")
        lower = key.lower()
        place = self._by_lower.get(lower)
        if place is None:
            place = self._by_lower[lower] = len(self.columns)
            self.columns.append(key)
        else:
            self._variants = True
        self._places[key] = place
        return place

    def _no_double(self, record: Mapping[Any, Any]) -> None:
        if len({key.lower() for key in record}) < len(record):
            raise NoText("two keys differ in upper and lower case only")

    def table(self) -> Exact:
        """Everything taken since the last call, as a table of text; what has no text, by place."""
        refused = {place: row for place, row in enumerate(self._rows) if isinstance(row, str)}
        rows = [row for row in self._rows if not isinstance(row, str)]
        try:
            made = self._built(rows)
        except UnicodeEncodeError:
            for place, row in enumerate(self._rows):
                if not isinstance(row, str) and not _encodes(row):
                    refused[place] = "a value is no text in UTF-8"
            rows = [row for place, row in enumerate(self._rows) if place not in refused and not isinstance(row, str)]
            made = self._built(rows)
        self._rows = []
        return Exact(made, refused)

    def _built(self, rows: list[list[str | None]]) -> Any:
        pa = pyarrow()
        width = len(self.columns)
        lists = list(zip_longest(*rows)) if rows else []
        lists += [(None,) * len(rows)] * (width - len(lists))
        made = pa.table([pa.array(values, pa.string()) for values in lists], names=self.columns)
        return made.replace_schema_metadata(self.METADATA)


def _encodes(row: list[str | None]) -> bool:
    try:
        "".join(value for value in row if value).encode()
    except UnicodeEncodeError:
        return False
    return True
