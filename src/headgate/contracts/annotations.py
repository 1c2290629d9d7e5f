"""Which logical type keeps the values that an annotation of a Pydantic model stands for."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin
from uuid import UUID

from headgate.types.logical import LogicalType

DIGITS, PLACES = 38, 9
"""Of a Decimal that does not say how many it has."""
_SIMPLE: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (int, "bigint"),
    (float, "double"),
    (str, "text"),
    (bytes, "binary"),
    (datetime, "timestamptz"),
    (date, "date"),
    (time, "time"),
    (UUID, "uuid"),
)
"""In an order in which a subclass stands before its base."""
_BY_NAME = {
    "NaiveDatetime": "timestamp",
    "AwareDatetime": "timestamptz",
    "PastDatetime": "timestamptz",
    "FutureDatetime": "timestamptz",
    "PastDate": "date",
    "FutureDate": "date",
}
"""Classes of Pydantic that are none of the above when a program runs."""
_SECRETS = ("SecretStr", "SecretBytes", "Secret")
_JSON = LogicalType("json")


class NoColumn(Exception):
    """No column keeps such values; says why."""


def logical(annotation: Any, metadata: Sequence[Any] = ()) -> LogicalType:
    """The type of a column for the annotation, None left aside; `metadata`: what else `Annotated` says of it.

    What has several types, or parts, is kept as json. Raises NoColumn.
    """
    if isinstance(annotation, NewType):
        return logical(annotation.__supertype__, metadata)
    if type(annotation).__name__ == "TypeAliasType":
        return logical(annotation.__value__, metadata)
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return logical(inner, [*metadata, *more])
    if origin is Literal:
        return _of_values(get_args(annotation))
    if origin is Union or origin is types.UnionType:
        return _of_union(get_args(annotation), metadata)
    if isinstance(annotation, type) and origin is None:
        return _of_class(annotation, metadata)
    if getattr(annotation, "__metadata__", None):  # pydantic.Json[...] makes its own
        return logical(annotation.__origin__, metadata)
    return _JSON


def _of_union(members: Sequence[Any], metadata: Sequence[Any]) -> LogicalType:
    found = {logical(one, metadata) for one in members if one is not type(None)}
    return found.pop() if len(found) == 1 else _JSON


def _of_values(values: Iterable[Any]) -> LogicalType:
    """The type of which all values are; json where they differ."""
    plain = [value.value if isinstance(value, Enum) else value for value in values]
    found = {_of_class(type(value), ()) for value in plain if value is not None}
    return found.pop() if len(found) == 1 else _JSON


def _of_class(cls: type, metadata: Sequence[Any]) -> LogicalType:
    if cls.__name__ in _SECRETS and cls.__module__.startswith("pydantic"):
        raise NoColumn("a secret hides its value; write str, and pii among its words for Headgate")
    if issubclass(cls, Enum):
        return _of_values(cls)
    if issubclass(cls, Decimal):
        return _decimal([*metadata, cls])
    if cls.__name__ in _BY_NAME and cls.__module__.startswith("pydantic"):
        return LogicalType(_BY_NAME[cls.__name__])
    for known, name in _SIMPLE:
        if issubclass(cls, known):
            return LogicalType(name)
    if cls is object or issubclass(cls, Mapping | list | tuple | set | frozenset) or _is_model(cls):
        return _JSON
    return _by_schema(cls)


def _is_model(cls: type) -> bool:
    return any(base.__module__ in ("pydantic.main", "pydantic.v1.main") for base in cls.__mro__)


def _decimal(says: Sequence[Any]) -> LogicalType:
    digits = _said(says, "max_digits")
    places = _said(says, "decimal_places")
    if places is not None:
        return LogicalType("decimal", max(min(digits or DIGITS, DIGITS), places), places) if places <= DIGITS else (
            LogicalType("decimal", DIGITS, DIGITS)
        )  # fmt: skip
    return LogicalType("decimal", DIGITS, PLACES)


def _said(says: Sequence[Any], name: str) -> int | None:
    inner = [part for one in says for part in getattr(one, "metadata", None) or ()]
    found = [value for one in (*says, *inner) if isinstance(value := getattr(one, name, None), int)]
    return found[-1] if found else None


def _by_schema(cls: type) -> LogicalType:
    """Text where Pydantic writes such a value as text (durations, addresses, URLs), else json."""
    from pydantic import TypeAdapter

    try:
        schema = TypeAdapter(cls).json_schema(mode="serialization")
    except Exception as error:
        raise NoColumn(f"Pydantic can't write a {cls.__name__} as JSON") from error
    return LogicalType("text") if schema.get("type") == "string" else _JSON
