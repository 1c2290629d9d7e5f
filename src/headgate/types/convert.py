"""A source's value as a contract's type: accepted only if nothing is lost."""

from __future__ import annotations

import re
from dataclasses import dataclass

from headgate.types import jsonvalue
from headgate.types.lexical import read
from headgate.types.logical import LogicalType
from headgate.types.schema import parse_physical
from headgate.types.typed import Typed, convert_typed

_QUOTED = re.compile(r'(?:[A-Za-z_][A-Za-z0-9_]*|"(?:[^"]|"")*")(?:\.(?:[A-Za-z_][A-Za-z0-9_]*|"(?:[^"]|"")*"))*')
_AS_TEXT = ("VARCHAR", "ENUM", "JSON", "BIGNUM")
_NUMERIC = ("int", "bigint", "decimal", "double", "text", "json")


@dataclass(frozen=True)
class Conversion:
    """SQL of a converted column.

    `value` has the type `logical.duckdb` and is NULL where the source's value is NULL or not accepted. `ok` is true or
    false, never NULL: true where the source's value is NULL or accepted; None where every value is. In one SELECT list,
    `value` and `ok` cost no more than `value`, for `ok` repeats it word for word.
    """

    value: str
    ok: str | None


def conversion(expr: str, physical: str, logical: LogicalType, *, timezone: str = "UTC") -> Conversion | None:
    """How `expr`, of the engine's type `physical` (as DESCRIBE spells it), becomes `logical`; None if it never can.

    `expr` is evaluated several times, so it must not be volatile. `timezone` (an IANA name) tells what moments without
    zone mean as timestamptz; a moment that its clocks skip is not accepted. The session's TimeZone must be UTC.
    Raises ValueError if `physical` can't be read.
    """
    expr = expr if _QUOTED.fullmatch(expr) else f"({expr})"
    kind = parse_physical(physical)
    if kind.name == jsonvalue.PHYSICAL:
        typed: Typed | None = Typed(jsonvalue.read(expr, logical, timezone))
    elif kind.name in _AS_TEXT and (kind.name != "BIGNUM" or logical.name in _NUMERIC):
        text = expr if kind.name == "VARCHAR" else f"CAST({expr} AS VARCHAR)"
        typed = Typed(read(text, logical, timezone), logical.name == "text" and logical.length is None)
    else:
        typed = convert_typed(expr, kind, logical, timezone)
    if typed is None:
        return None
    return Conversion(typed.value, None if typed.total else f"(({typed.value}) IS NULL) = ({expr} IS NULL)")
