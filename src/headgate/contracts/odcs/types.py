"""The types of ODCS: `logicalType`, `physicalType` and what `logicalTypeOptions` say about them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from headgate.types.logical import LogicalType, parse

FAMILIES = {
    "string": ("text", "uuid", "binary", "json"),
    "integer": ("int", "bigint", "decimal"),
    "number": ("decimal", "double", "int", "bigint"),
    "boolean": ("bool",),
    "date": ("date", "timestamp", "timestamptz", "time"),
    "timestamp": ("timestamp", "timestamptz"),
    "time": ("time",),
    "object": ("json",),
    "array": ("json",),
    "map": ("json",),
    "vector": ("json",),
}
"""The types that a logicalType may be, the likeliest first. 3.0 had no timestamp and time: there they were dates."""

LOGICAL = {
    "int": "integer",
    "bigint": "integer",
    "decimal": "number",
    "double": "number",
    "text": "string",
    "bool": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "timestamptz": "timestamp",
    "time": "time",
    "uuid": "string",
    "json": "object",
    "binary": "string",
}
"""The logicalType that each type is written as."""

EXACT = LogicalType("decimal", 38, 9)
"""A number without any digits said: exact, or refused."""

BITS = {
    "i8": (-(2**7), 2**7 - 1),
    "i16": (-(2**15), 2**15 - 1),
    "i32": (-(2**31), 2**31 - 1),
    "u8": (0, 2**8 - 1),
    "u16": (0, 2**16 - 1),
    "u32": (0, 2**32 - 1),
}
"""Bounds of the integer formats that are narrower than an int."""

_VENDORS = {
    "int2": "int",
    "int4": "int",
    "int16": "int",
    "int32": "int",
    "int64": "bigint",
    "tinyint": "int",
    "mediumint": "int",
    "byteint": "int",
    "hugeint": "decimal(38,0)",
    "char": "text",
    "character": "text",
    "character varying": "text",
    "nvarchar": "text",
    "nchar": "text",
    "varchar2": "text",
    "nvarchar2": "text",
    "clob": "text",
    "double precision": "double",
    "float4": "double",
    "float8": "double",
    "float32": "double",
    "float64": "double",
    "dec": "decimal",
    "number": "decimal",
    "bignumeric": "decimal",
    "bit": "bool",
    "timestamp without time zone": "timestamp",
    "timestamp_ntz": "timestamp",
    "datetime2": "timestamp",
    "timestamp with time zone": "timestamptz",
    "timestamp with local time zone": "timestamptz",
    "timestamp_tz": "timestamptz",
    "timestamp_ltz": "timestamptz",
    "datetimeoffset": "timestamptz",
    "time without time zone": "time",
    "uniqueidentifier": "uuid",
    "guid": "uuid",
    "jsonb": "json",
    "variant": "json",
    "struct": "json",
    "super": "json",
    "bytea": "binary",
    "varbinary": "binary",
    "raw": "binary",
}
_SPELLING = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_ ]*?)\s*(?:\(\s*([0-9]+)\s*(?:,\s*([0-9]+)\s*)?\))?\s*")


def physical(text: str) -> LogicalType | None:
    """The type that a `physicalType` names, in our own words or those of common databases; None for another."""
    try:
        return parse(text)
    except ValueError:
        pass
    match = _SPELLING.fullmatch(text)
    name = _VENDORS.get(match[1].lower(), match[1].lower()) if match else ""
    digits = [one for one in match.groups()[1:] if one is not None] if match else []
    if name == "decimal" and not digits:
        return EXACT
    spelled = f"{name}({','.join(digits)})" if digits and name in ("decimal", "numeric", "text") else name
    try:
        return parse(spelled)
    except ValueError:
        return None


def type_of(prop: Mapping[str, Any]) -> tuple[LogicalType, str]:
    """The type of a property, and which of its keys had no say ("" for none).

    `logicalType` decides, `physicalType` makes it narrower where it is of the same family.
    """
    logical, spelled = prop.get("logicalType"), prop.get("physicalType")
    options = prop.get("logicalTypeOptions") or {}
    found = physical(spelled) if isinstance(spelled, str) else None
    if logical is None:
        return (found, "") if found is not None else (LogicalType("text"), "physicalType" if spelled else "")
    family = FAMILIES[logical]
    if found is not None and found.name in family:
        return found, ""
    return _plain(logical, options), "physicalType" if spelled else ""


def _plain(logical: str, options: Mapping[str, Any]) -> LogicalType:
    form = options.get("format")
    if logical == "number":
        return LogicalType("double") if form in ("f32", "f64") else EXACT
    if logical == "integer" and form in ("u64", "i128", "u128"):
        return LogicalType("decimal", 38, 0)
    if logical == "string" and form in ("uuid", "binary"):
        return LogicalType("uuid") if form == "uuid" else LogicalType("text")
    if logical == "timestamp" and options.get("timezone") is True:
        return LogicalType("timestamptz")
    return LogicalType(FAMILIES[logical][0])


def logical_of(kind: LogicalType) -> dict[str, Any]:
    """The keys of a property that say the type."""
    found: dict[str, Any] = {"logicalType": LOGICAL[kind.name], "physicalType": str(kind)}
    if kind.name == "timestamptz":
        found["logicalTypeOptions"] = {"timezone": True}
    if kind.name == "uuid":
        found["logicalTypeOptions"] = {"format": "uuid"}
    return found
