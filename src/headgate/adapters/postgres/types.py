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


def holds(value: str, engine_type: str) -> str | None:
    """The engine's condition under which PostgreSQL can keep the value; None where it always can."""
    if engine_type in ("VARCHAR", "JSON"):
        return f"NOT contains(CAST({value} AS VARCHAR), chr(0))"
    if engine_type in ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"):
        # The engine writes years before Christ in a way of its own; what has no year (infinity) is no matter.
        return f"NOT ({value} < CAST('0001-01-01' AS {engine_type}) AND isfinite({value}))"
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
