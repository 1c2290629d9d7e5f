"""Logical types: what a contract may say a column is."""

from __future__ import annotations

import re

from headgate.core.records import dataclass

ALIASES = {
    "int": "int",
    "integer": "int",
    "bigint": "bigint",
    "int8": "bigint",
    "long": "bigint",
    "smallint": "int",
    "decimal": "decimal",
    "numeric": "decimal",
    "double": "double",
    "float": "double",
    "real": "double",
    "text": "text",
    "string": "text",
    "varchar": "text",
    "bool": "bool",
    "boolean": "bool",
    "date": "date",
    "timestamp": "timestamp",
    "datetime": "timestamp",
    "timestamptz": "timestamptz",
    "time": "time",
    "uuid": "uuid",
    "json": "json",
    "binary": "binary",
    "bytes": "binary",
    "blob": "binary",
}

PHYSICAL = {
    "int": "BIGINT",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
    "time": "TIME",
    "uuid": "UUID",
    "json": "JSON",
    "binary": "BLOB",
}


@dataclass(frozen=True)
class LogicalType:
    """`name` is canonical (a value of ALIASES). decimal has `precision` and `scale`, text a `length` in characters."""

    name: str
    precision: int = 0
    scale: int = 0
    length: int | None = None

    @property
    def duckdb(self) -> str:
        """The DuckDB type of the column in a table."""
        if self.name == "decimal":
            return f"DECIMAL({self.precision},{self.scale})"
        return PHYSICAL[self.name]

    def __str__(self) -> str:
        if self.name == "decimal":
            return f"decimal({self.precision},{self.scale})"
        return f"text({self.length})" if self.length is not None else self.name


def of_engine(physical: str) -> LogicalType:
    """The logical type of a column that has this type of the engine. Raises ValueError for any other type."""
    if physical.startswith("DECIMAL"):
        return parse(physical.lower())
    found = next((name for name, kind in PHYSICAL.items() if kind == physical), None)
    if found is None:
        raise ValueError(f"no logical type is kept as {physical!r}")
    return LogicalType(found)


_SPELLING = re.compile(r"\s*([A-Za-z0-9_]+)\s*(?:\(\s*([0-9]+)\s*(?:,\s*([0-9]+)\s*)?\))?\s*")


def parse(text: str) -> LogicalType:
    """The logical type that the text names, e.g. `decimal(12, 2)`. Raises ValueError with the reason."""
    match = _SPELLING.fullmatch(text)
    name = ALIASES.get(match[1].lower()) if match else None
    if not match or name is None:
        raise ValueError(f"unknown type {text.strip()!r}")
    first, second = match[2], match[3]
    if name == "decimal":
        return _decimal(text, first, second)
    if name == "text" and first and not second:
        return LogicalType("text", length=int(first))
    if first:
        raise ValueError(f"type {name!r} takes no arguments")
    return LogicalType(name)


def _decimal(text: str, first: str | None, second: str | None) -> LogicalType:
    if first is None:
        raise ValueError(f"{text.strip()!r} needs a precision and a scale, e.g. decimal(12,2)")
    precision, scale = int(first), int(second or 0)
    if not 1 <= precision <= 38 or scale > precision:
        raise ValueError(f"{text.strip()!r}: the precision is 1 to 38 and the scale at most the precision")
    return LogicalType("decimal", precision, scale)
