"""A source's value as a contract's type: accepted only if nothing is lost."""

from __future__ import annotations

import re

from headgate.core.records import dataclass
from headgate.types import jsonvalue
from headgate.types.forms import Form
from headgate.types.lexical import read
from headgate.types.logical import LogicalType, of_engine
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


def converted(expr: str, before: str, after: str) -> str:
    """`expr` of the engine's type `before` as the engine's type `after`; NULL where something would be lost.

    Raises ValueError where no value could fit.
    """
    made = conversion(expr, before, of_engine(after))
    if made is None:
        raise ValueError(f"no {before} is a {after}")
    return made.value


def conversion(
    expr: str, physical: str, logical: LogicalType, *, timezone: str = "UTC", form: Form | None = None
) -> Conversion | None:
    """How `expr`, of the engine's type `physical` (as DESCRIBE spells it), becomes `logical`; None if it never can.

    `expr` is evaluated several times, so it must not be volatile. `timezone` (an IANA name) tells what moments without
    zone mean as timestamptz; a moment that its clocks skip is not accepted. The session's TimeZone must be UTC.
    `form`: how texts are written; values that have a type in the source are not looked at by it.
    Raises ValueError if `physical` can't be read.
    """
    expr = expr if _QUOTED.fullmatch(expr) else f"({expr})"
    kind = parse_physical(physical)
    if kind.name == jsonvalue.PHYSICAL and form is not None:
        expr, value = _formed(expr, form, logical, timezone)
        typed: Typed | None = Typed(value)
    elif kind.name == jsonvalue.PHYSICAL:
        typed = Typed(jsonvalue.read(expr, logical, timezone))
    elif kind.name in _AS_TEXT and (kind.name != "BIGNUM" or logical.name in _NUMERIC):
        text = expr if kind.name == "VARCHAR" else f"CAST({expr} AS VARCHAR)"
        if form is not None and kind.name != "BIGNUM":
            expr = f"({form.received(text)})"
            text = f"({form.plain(expr, logical)})"
        typed = Typed(read(text, logical, timezone), logical.name == "text" and logical.length is None)
    else:
        typed = convert_typed(expr, kind, logical, timezone)
    if typed is None:
        return None
    return Conversion(typed.value, None if typed.total else f"(({typed.value}) IS NULL) = ({expr} IS NULL)")


def _formed(raw: str, form: Form, logical: LogicalType, timezone: str) -> tuple[str, str]:
    """What was received of a JSON value, and its value: how texts are written holds for strings."""
    string = f"prefix({raw}, '\"')"
    received = f"CASE WHEN {string} THEN {form.received(f'({jsonvalue.text(raw)})')} ELSE {raw} END"
    plain = read(f"({form.plain(f'({received})', logical)})", logical, timezone)
    return f"({received})", f"CASE WHEN {string} THEN {plain} ELSE {jsonvalue.read(raw, logical, timezone)} END"
