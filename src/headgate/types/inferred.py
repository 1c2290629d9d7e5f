"""Which logical type a physical one stands for, where nobody said one; and what is tried on text."""

from __future__ import annotations

from headgate.types.logical import LogicalType, parse

CANDIDATES = ("bigint", "decimal", "double", "bool", "date", "timestamp", "timestamptz", "uuid")
"""Tried in this order on text; what fits none stays text."""

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_OF_PHYSICAL = {
    "BOOLEAN": "bool",
    "DATE": "date",
    "TIME": "time",
    "UUID": "uuid",
    "BLOB": "binary",
    "JSON": "json",
    "FLOAT": "double",
    "DOUBLE": "double",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}


def of_physical(physical: str) -> LogicalType:
    """The logical type of an engine's type, as `DESCRIBE` spells it; text where none is closer."""
    if physical.startswith("DECIMAL"):
        return parse(physical.lower())
    if physical.startswith("TIMESTAMP") and physical != "TIMESTAMP WITH TIME ZONE":
        return LogicalType("timestamp")
    if physical in _INTEGERS:
        return LogicalType("bigint")
    if physical.endswith("]") or physical.startswith(("STRUCT", "MAP", "UNION")):
        return LogicalType("json")
    return LogicalType(_OF_PHYSICAL.get(physical, "text"))


def roomy_decimal(whole: int, fraction: int) -> LogicalType | None:
    """The decimal for numbers of so many digits before and behind the point, with room for greater ones."""
    if whole + fraction > 38:
        return None
    return LogicalType("decimal", 18 if whole + fraction <= 15 else 38, fraction)
