"""Types of the engine and of PostgreSQL, and which values PostgreSQL can't keep."""

from __future__ import annotations

import re

PHYSICAL = {
    "BIGINT": "bigint",
    "INTEGER": "integer",
    "DOUBLE": "double precision",
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "TIME": "time without time zone",
    "UUID": "uuid",
    "JSON": "json",
    "BLOB": "bytea",
}
ENGINE = {kind: name for name, kind in PHYSICAL.items()}
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")


def physical(engine_type: str) -> str:
    """PostgreSQL's name of the engine's type, as `format_type` spells it. Raises KeyError for types no contract has."""
    decimal = _DECIMAL.fullmatch(engine_type)
    return f"numeric({decimal[1]},{decimal[2]})" if decimal else PHYSICAL[engine_type]


def declared(engine_type: str) -> str:
    """The type of a new column. Texts compare byte by byte, as in the engine."""
    return physical(engine_type) + (' COLLATE "C"' if engine_type == "VARCHAR" else "")


_KNOWN = {
    "smallint": "SMALLINT",
    "real": "FLOAT",
    "character varying": "VARCHAR",
    "character": "VARCHAR",
    "jsonb": "JSON",
    "name": "VARCHAR",
}
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")


def engine_type(stored: str) -> str:
    """The engine's type that takes every value of a column of this type; text where there is none of its own."""
    numeric = _NUMERIC.fullmatch(stored)
    if numeric and int(numeric[1]) <= 38:
        return f"DECIMAL({numeric[1]},{numeric[2]})"
    plain = re.sub(r"\(\d+\)", "", stored)
    return ENGINE.get(plain) or _KNOWN.get(plain) or "VARCHAR"


def recast(value: str, before: str, after: str) -> str:
    """PostgreSQL's cast. A whole double becomes the text that the engine writes, with its fraction."""
    cast = f"CAST({value} AS {physical(after)})"
    if (before, after) != ("DOUBLE", "VARCHAR"):
        return cast
    return f"CASE WHEN {cast} ~ '^-?[0-9]+$' THEN {cast} || '.0' ELSE {cast} END"


def staged(engine_type: str) -> str:
    """The type of a column of a temporary table: JSON as text, because its own type has no equality."""
    return declared("VARCHAR" if engine_type == "JSON" else engine_type)


def holds(value: str, engine_type: str) -> tuple[str, str] | None:
    """The engine's condition under which PostgreSQL keeps the value, and what to tell else; None if it always does."""
    if engine_type in ("VARCHAR", "JSON"):
        return f"NOT contains(CAST({value} AS VARCHAR), chr(0))", "PostgreSQL keeps no text with a NUL character"
    if engine_type == "DATE":
        inside = f"{value} BETWEEN DATE '0001-01-01' AND DATE '5874897-12-31'"
        return f"({inside} OR NOT isfinite({value}))", "the warehouse keeps dates from year 1 to 5874897"
    if engine_type in ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE"):
        # The engine writes years before Christ in a way of its own; what has no year (infinity) is no matter.
        since = f"NOT ({value} < CAST('0001-01-01' AS {engine_type}) AND isfinite({value}))"
        return since, "the warehouse keeps moments from year 1 on"
    return None


def written(name: str, engine_type: str, lossy: bool) -> str:
    """The engine's expression whose CSV text PostgreSQL reads as the same value.

    `lossy`: a NUL, which no text of PostgreSQL can hold, is shown as its symbol instead of failing.
    """
    if engine_type == "BLOB":
        return f"'\\x' || hex({name})"
    if lossy and engine_type in ("VARCHAR", "JSON"):
        return f"replace(CAST({name} AS VARCHAR), chr(0), '\u2400')"
    return name
