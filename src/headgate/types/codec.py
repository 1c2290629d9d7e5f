"""Rows as text and back without loss.

The canonical text of a scalar is what the lexical table accepts wherever the table has that type: `\\xDEADBEEF` for
bytes, `nan`, `inf` and `-inf` for doubles, `2024-01-02 03:04:05.5` for timestamps. Nested values are JSON in which
every scalar is its canonical text in a JSON string: a struct is an object, a list an array, a map an array of
[key, value], a union [tag, value], a struct without names an array.

Needs a session whose TimeZone is UTC.
"""

from __future__ import annotations

from collections.abc import Sequence

from headgate.core.values import SourceColumn
from headgate.sql.quote import ident, literal
from headgate.types import jsonvalue
from headgate.types.schema import Physical, parse_physical

_INTERVAL = r"^(?:(-?\d+) years? ?)?(?:(-?\d+) months? ?)?(?:(-?\d+) days? ?)?(?:(-)?(\d+):(\d\d):(\d\d)(?:\.(\d+))?)?$"


def encode(expr: str, physical: str) -> str:
    """SQL of the canonical text (VARCHAR) of `expr`, a value of the type `physical`; NULL stays NULL.

    *Guarantee*: `decode` of it is the same value for every type that DuckDB reads from files. Not for VARIANT and
    GEOMETRY, whose text drops the inner type, nor for an array or union of structs without names.
    """
    kind = parse_physical(physical)
    return f"CAST({_encoded(expr, kind, 0)} AS VARCHAR)" if kind.nested else _scalar_text(expr, kind)


def decode(expr: str, physical: str) -> str:
    """SQL of the value of type `physical` that `encode` turned into the text `expr`; NULL stays NULL."""
    kind = parse_physical(physical)
    if not kind.nested:
        return _scalar_value(expr, kind)
    # DuckDB has no CASE over arrays: they are lists until all is put together.
    loose = kind.without_arrays()
    value = _decoded(f"CAST({expr} AS JSON)", loose, 0)
    return value if loose.text == kind.text else _cast(value, kind)


def encode_row(columns: Sequence[SourceColumn], prefix: str = "") -> str:
    """SQL of a JSON object (VARCHAR): source column name -> canonical text or null.

    `columns` are read under their own names, behind `prefix.` if one is given.
    """
    dot = prefix + "." if prefix else ""
    pairs = [f"{literal(column.name)}, {encode(dot + ident(column.name), column.physical)}" for column in columns]
    return f"CAST(json_object({', '.join(pairs)}) AS VARCHAR)"


def decode_column(row_expr: str, column: SourceColumn) -> str:
    """SQL of the column's value, of its physical type, from the text that `encode_row` made; NULL if absent."""
    return decode(f"json_extract_string({row_expr}, {_pointer(column.name)})", column.physical)


def _pointer(name: str) -> str:
    # A JSON pointer (RFC 6901) has two escapes only; the `$."..."` paths of DuckDB can't name a key that holds a quote.
    return literal("/" + name.replace("~", "~0").replace("/", "~1"))


def _scalar_text(expr: str, kind: Physical) -> str:
    text = f"CAST({expr} AS VARCHAR)"
    if kind.name == jsonvalue.PHYSICAL:
        return jsonvalue.encode(expr)
    if kind.name == "BLOB":
        return f"('\\x' || hex({expr}))"
    if kind.name == "DECIMAL" and kind.precision == kind.scale:
        return (
            f"regexp_replace({text}, '^(-?)\\.', '\\10.')"  # DuckDB writes .50 only where no digit before is possible
        )
    return text


def _scalar_value(expr: str, kind: Physical) -> str:
    if kind.name == "VARCHAR":
        return expr
    if kind.name == jsonvalue.PHYSICAL:
        return jsonvalue.decode(expr)
    if kind.name == "BLOB":
        return f"unhex(substr({expr}, 3))"
    return _interval(expr) if kind.name == "INTERVAL" else f"CAST({expr} AS {kind.text})"


def _interval(expr: str) -> str:
    """DuckDB's own cast fails for long intervals that it can write, so the parts are read one by one."""
    years, months, days, sign, hours, minutes, seconds, fraction = (
        f"nullif(regexp_extract({expr}, {literal(_INTERVAL)}, {group}), '')" for group in range(1, 9)
    )
    month_sum = f"coalesce({years}::BIGINT, 0) * 12 + coalesce({months}::BIGINT, 0)"
    micros = (
        f"coalesce((({hours}::HUGEINT * 60 + {minutes}::HUGEINT) * 60 + {seconds}::HUGEINT) * 1000000"
        f" + rpad(coalesce({fraction}, ''), 6, '0')::HUGEINT, 0)"
    )
    signed = f"(CASE WHEN {sign} = '-' THEN -({micros}) ELSE {micros} END)::BIGINT"
    parts = f"to_months(({month_sum})::INTEGER) + to_days(coalesce({days}::INTEGER, 0)) + to_microseconds({signed})"
    return f"CASE WHEN {expr} IS NOT NULL THEN {parts} END"


def _encoded(expr: str, kind: Physical, depth: int) -> str:
    """SQL of JSON for nested types, of VARCHAR (which JSON functions write as a string) for scalars."""
    if not kind.nested:
        return _scalar_text(expr, kind)
    item = f"_hg{depth}"
    if kind.name in ("LIST", "ARRAY"):
        inner = _encoded(item, _given(kind.value), depth + 1)
        return _unless_null(expr, f"to_json(list_transform({_as_list(expr, kind)}, lambda {item}: {inner}))")
    if kind.name == "MAP":
        pair = f"json_array({_encoded(item + '.key', _given(kind.key), depth + 1)}, " + (
            f"{_encoded(item + '.value', _given(kind.value), depth + 1)})"
        )
        return _unless_null(expr, f"to_json(list_transform(map_entries({expr}), lambda {item}: {pair}))")
    if kind.name == "UNION":
        return _unless_null(expr, _encoded_union(expr, kind, depth))
    parts = [_encoded(_member(expr, kind, place), inner, depth) for place, (_, inner) in enumerate(kind.fields)]
    if not kind.fields[0][0]:
        return _unless_null(expr, f"json_array({', '.join(parts)})")
    pairs = ", ".join(f"{literal(name)}, {part}" for (name, _), part in zip(kind.fields, parts, strict=True))
    return _unless_null(expr, f"json_object({pairs})")


def _encoded_union(expr: str, kind: Physical, depth: int) -> str:
    tag = f"CAST(union_tag({expr}) AS VARCHAR)"
    cases = " ".join(
        f"WHEN {literal(name)} THEN to_json({_encoded(f'union_extract({expr}, {literal(name)})', inner, depth)})"
        for name, inner in kind.fields
    )
    return f"json_array({tag}, CASE {tag} {cases} END)"


def _decoded(expr: str, kind: Physical, depth: int) -> str:
    """SQL of the value; `expr` is JSON."""
    if not kind.nested:
        return _scalar_value(f"({expr} ->> '$')", kind)
    item = f"_hg{depth}"
    items = f"CAST({expr} AS JSON[])"
    if kind.name == "LIST":
        return _cast(f"list_transform({items}, lambda {item}: {_decoded(item, _given(kind.value), depth + 1)})", kind)
    if kind.name == "MAP":
        key = _decoded(_step(item, "/0"), _given(kind.key), depth + 1)
        value = _decoded(_step(item, "/1"), _given(kind.value), depth + 1)
        pairs = f"list_transform({items}, lambda {item}: struct_pack(key := {key}, value := {value}))"
        return _cast(_present(expr, f"map_from_entries({pairs})"), kind)
    if kind.name == "UNION":
        return _decoded_union(expr, kind, depth)
    return _cast(_present(expr, _decoded_struct(expr, kind, depth)), kind)


def _decoded_struct(expr: str, kind: Physical, depth: int) -> str:
    if not kind.fields[0][0]:
        parts = [_decoded(_step(expr, f"/{place}"), inner, depth) for place, (_, inner) in enumerate(kind.fields)]
        return f"row({', '.join(parts)})"
    pairs = [
        f"{ident(name)} := {_decoded(f'json_extract({expr}, {_pointer(name)})', inner, depth)}"
        for name, inner in kind.fields
    ]
    return f"struct_pack({', '.join(pairs)})"


def _decoded_union(expr: str, kind: Physical, depth: int) -> str:
    tag = f"json_extract_string({expr}, '/0')"
    cases = " ".join(
        f"WHEN {literal(name)} THEN "
        + _cast(f"union_value({ident(name)} := {_decoded(_step(expr, '/1'), inner, depth)})", kind)
        for name, inner in kind.fields
    )
    return f"CASE {tag} {cases} END"


def _member(expr: str, kind: Physical, place: int) -> str:
    name = kind.fields[place][0]
    return f"struct_extract({expr}, {literal(name) if name else place + 1})"


def _as_list(expr: str, kind: Physical) -> str:
    return f"CAST({expr} AS {_given(kind.value).text}[])" if kind.name == "ARRAY" else expr


def _step(expr: str, pointer: str) -> str:
    return f"json_extract({expr}, {literal(pointer)})"


def _cast(expr: str, kind: Physical) -> str:
    return expr if kind.unnamed else f"CAST({expr} AS {kind.text})"


def _present(expr: str, then: str) -> str:
    # A missing value is SQL NULL, a NULL inside a nested value is the JSON null.
    return f"CASE WHEN json_type({expr}) <> 'NULL' THEN {then} END"


def _unless_null(expr: str, then: str) -> str:
    return f"CASE WHEN {expr} IS NOT NULL THEN {then} END"


def _given(kind: Physical | None) -> Physical:
    assert kind is not None
    return kind
