"""SQL that turns values of a typed source column into a logical type, without loss or not at all.

A value that DuckDB's cast may change counts only if it is the same after the cast back.
"""

from __future__ import annotations

from headgate.core.records import dataclass
from headgate.types.codec import encode
from headgate.types.lexical import in_zone, strict_json
from headgate.types.logical import LogicalType
from headgate.types.schema import Physical

INTEGER_DIGITS = {
    "TINYINT": 3,
    "SMALLINT": 5,
    "INTEGER": 10,
    "BIGINT": 19,
    "UTINYINT": 3,
    "USMALLINT": 5,
    "UINTEGER": 10,
    "UBIGINT": 20,
    "HUGEINT": 39,
    "UHUGEINT": 39,
}
_WIDER_THAN_BIGINT = ("UBIGINT", "HUGEINT", "UHUGEINT")
_FLOATS = ("FLOAT", "DOUBLE")
_COARSE = ("TIMESTAMP_S", "TIMESTAMP_MS")
_MOMENTS = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")
_TZ = "TIMESTAMP WITH TIME ZONE"
_SAME = {
    ("date", "DATE"),
    ("time", "TIME"),
    ("timestamptz", _TZ),
    ("uuid", "UUID"),
    ("binary", "BLOB"),
    ("bool", "BOOLEAN"),
}
_TEXT_WIDTH = {"BOOLEAN": 5, "UUID": 36, "HUGEINT": 40} | {
    name: digits + (not name.startswith("U")) for name, digits in INTEGER_DIGITS.items() if name != "HUGEINT"
}


@dataclass(frozen=True)
class Typed:
    """`value`: SQL, NULL where the value does not fit; `total`: every value fits."""

    value: str
    total: bool = False


def convert_typed(expr: str, kind: Physical, logical: LogicalType, timezone: str) -> Typed | None:
    """How `expr` of the type `kind` (not text) becomes the logical type; None if no value could."""
    if kind.nested or kind.name == "VARIANT":
        return _nested_json(expr, kind) if logical.name == "json" else None
    if logical.name == "text":
        return _text(expr, kind, logical)
    if (logical.name, kind.name) in _SAME:
        return Typed(expr, total=True)
    if kind.name in INTEGER_DIGITS:
        return _from_integer(expr, kind, logical)
    if kind.name in _FLOATS:
        return _from_float(expr, kind, logical)
    if kind.name == "DECIMAL":
        return _from_decimal(expr, kind, logical)
    if kind.name == "BOOLEAN" and logical.name == "json":
        return Typed(f"to_json({expr})", total=True)
    return _from_moment(expr, kind, logical, timezone)


def _back(expr: str, kind: Physical, target: str) -> Typed:
    value = f"TRY_CAST({expr} AS {target})"
    return Typed(f"CASE WHEN TRY_CAST({value} AS {kind.text}) = {expr} THEN {value} END")


def _back_by_text(expr: str, kind: Physical, target: str) -> Typed:
    """As `_back`, through the shortest text: DuckDB's casts between binary and decimal fractions round twice."""
    value = f"TRY_CAST({expr}::VARCHAR AS {target})"
    return Typed(f"CASE WHEN TRY_CAST({value}::VARCHAR AS {kind.text}) = {expr} THEN {value} END")


def _text(expr: str, kind: Physical, logical: LogicalType) -> Typed | None:
    if kind.name.startswith("GEOMETRY"):
        return None
    text = encode(expr, kind.text)
    width = kind.precision + 3 if kind.name == "DECIMAL" else _TEXT_WIDTH.get(kind.name)
    if logical.length is None or (width is not None and width <= logical.length):
        return Typed(text, total=True)
    return Typed(f"CASE WHEN length({text}) <= {logical.length} THEN {text} END")


def _from_integer(expr: str, kind: Physical, logical: LogicalType) -> Typed | None:
    digits = INTEGER_DIGITS[kind.name]
    match logical.name:
        case "int" | "bigint":
            return Typed(f"TRY_CAST({expr} AS BIGINT)", total=kind.name not in _WIDER_THAN_BIGINT)
        case "decimal":
            return Typed(f"TRY_CAST({expr} AS {logical.duckdb})", total=digits <= logical.precision - logical.scale)
        case "double" if digits <= 10:
            return Typed(f"CAST({expr} AS DOUBLE)", total=True)
        case "double":
            return _back(expr, kind, "DOUBLE")
        case "json":
            return Typed(f"to_json({expr})", total=True)
    return None


def _from_float(expr: str, kind: Physical, logical: LogicalType) -> Typed | None:
    match logical.name:
        case "int" | "bigint":
            return _back(expr, kind, "BIGINT")
        case "decimal":
            return _float_as_decimal(expr, kind, logical)
        case "double":
            return Typed(f"CAST({expr} AS DOUBLE)", total=True)
        case "json":
            return Typed(f"CASE WHEN isfinite({expr}) THEN to_json({expr}) END")
    return None


def _float_as_decimal(expr: str, kind: Physical, logical: LogicalType) -> Typed:
    value = _back_by_text(expr, kind, logical.duckdb).value
    if kind.name == "DOUBLE" and logical.scale <= 15:
        # Below 15 digits in all the cast rounds once, and so does the cast back: no text is needed.
        near = _back(expr, kind, logical.duckdb).value
        value = f"CASE WHEN abs({expr}) < 1e{15 - logical.scale} THEN {near} ELSE {value} END"
    # The cast of a text with an exponent makes decimals of more digits than the type has (1.5.6).
    limit = f"CAST(1e{logical.precision - logical.scale} AS {kind.text})"
    return Typed(f"CASE WHEN abs({expr}) < {limit} THEN {value} END")


def _from_decimal(expr: str, kind: Physical, logical: LogicalType) -> Typed | None:
    match logical.name:
        case "int" | "bigint":
            if kind.scale == 0:
                return Typed(f"TRY_CAST({expr} AS BIGINT)", total=kind.precision <= 18)
            return _back(expr, kind, "BIGINT")
        case "decimal":
            return _decimal_as_decimal(expr, kind, logical)
        case "double" if kind.precision <= 15:
            return Typed(f"CAST({expr} AS DOUBLE)", total=True)
        case "double":
            return _back_by_text(expr, kind, "DOUBLE")
        case "json":
            return Typed(f"CAST({encode(expr, kind.text)} AS JSON)", total=True)
    return None


def _decimal_as_decimal(expr: str, kind: Physical, logical: LogicalType) -> Typed:
    value = f"TRY_CAST({expr} AS {logical.duckdb})"
    if kind.scale > logical.scale:
        return _back(expr, kind, logical.duckdb)
    return Typed(value, total=kind.precision - kind.scale <= logical.precision - logical.scale)


def _from_moment(expr: str, kind: Physical, logical: LogicalType, timezone: str) -> Typed | None:
    if kind.name == "TIME_NS":
        return _back(expr, kind, "TIME") if logical.name == "time" else None
    if kind.name != "DATE" and kind.name not in _MOMENTS:
        return None
    moment = _as_timestamp(expr, kind)
    match logical.name:
        case "timestamp":
            return moment
        case "timestamptz":
            return Typed(in_zone(moment.value, timezone), total=moment.total and timezone == "UTC")
        case "date" if kind.name in _COARSE:
            return _back(moment.value, Physical("TIMESTAMP", "TIMESTAMP"), "DATE")
        case "date":
            return _back(expr, kind, "DATE")
    return None


def _as_timestamp(expr: str, kind: Physical) -> Typed:
    if kind.name == "TIMESTAMP":
        return Typed(expr, total=True)
    if kind.name in _COARSE:
        return Typed(f"TRY(CAST({expr} AS TIMESTAMP))")  # TRY_CAST raises where the moment is out of range (1.5.6)
    return _back(expr, kind, "TIMESTAMP")


def _nested_json(expr: str, kind: Physical) -> Typed | None:
    if kind.unnamed or any(leaf.name == "VARIANT" for leaf in kind.leaves()):
        return None
    value = f"CASE WHEN {expr} IS NOT NULL THEN to_json({expr}) END"
    if any(_may_break_json(leaf) for leaf in kind.leaves()):
        return Typed(strict_json(f"CAST({value} AS VARCHAR)"))
    return Typed(value, total=True)


def _may_break_json(leaf: Physical) -> bool:
    # NaN has no JSON, a JSON inside may have been read leniently, a decimal without whole digits is written `.5`.
    return leaf.name in (*_FLOATS, "JSON") or 0 < leaf.precision == leaf.scale
