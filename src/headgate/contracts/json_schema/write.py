"""A Contract as a JSON Schema (2020-12) of its rows; what a schema can't say is listed."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from headgate.contracts import ecma
from headgate.contracts.model import Contract, ContractColumn, RowRule
from headgate.core.errors import Finding

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES: dict[str, dict[str, Any]] = {
    "int": {"type": "integer"},
    "bigint": {"type": "integer"},
    "decimal": {"type": "number"},
    "double": {"type": "number"},
    "text": {"type": "string"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string"},
    "timestamptz": {"type": "string", "format": "date-time"},
    "time": {"type": "string"},
    "uuid": {"type": "string", "format": "uuid"},
    "json": {},
    "binary": {"type": "string"},
}
_KEYS = {
    "min": ("minimum",),
    "max": ("maximum",),
    "above": ("exclusiveMinimum",),
    "below": ("exclusiveMaximum",),
    "between": ("minimum", "maximum"),
    "multiple_of": ("multipleOf",),
}
_NUMBERS = ("int", "bigint", "decimal", "double")


def schema(contract: Contract, table: str) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """The schema, and a `not-written` finding for each rule that it does not say.

    Properties have the names of the source. Columns without `required` may be null or absent. Rules that only warn are
    not written: a schema has no warnings.
    """
    notes: list[Finding] = []
    properties = {column.source: _property(contract, column, notes) for column in contract.columns}
    found: dict[str, Any] = {"$schema": DIALECT, "title": table, "type": "object", "properties": properties}
    if required := [column.source for column in contract.columns if column.required]:
        found["required"] = required
    rest: list[tuple[str, object]] = [(one.code, one.where) for one in contract.rows if one.column is None]
    rest += [(f"{one.code} of {', '.join(one.columns)}", one.where) for one in contract.uniques]
    rest += [(f"{one.code} of {one.column}", one.where) for one in contract.references]
    rest += [(one.name, one.where) for one in contract.batches] + [(name, contract.where) for name, _ in contract.skips]
    rest += [("refuse_at_most", contract.where)] if contract.refuse_at_most else []
    notes += [_unwritten(name, where) for name, where in rest]
    return found, tuple(notes)


def text(found: dict[str, Any]) -> str:
    """The schema as JSON."""
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _unwritten(name: str, where: object) -> Finding:
    return Finding("not-written", "warning", f"{name} is not in the schema: JSON Schema can't say it", str(where or ""))


def _property(contract: Contract, column: ContractColumn, notes: list[Finding]) -> dict[str, Any]:
    found = dict(_TYPES[column.type.name])
    if column.type.length is not None:
        found["maxLength"] = column.type.length
    for rule in (one for one in contract.rows if one.column == column.name and one.code != "required"):
        keywords = _keywords(column, rule) if rule.severity == "error" and rule.mostly is None else None
        if keywords is None or any(key in found and found[key] != value for key, value in keywords.items()):
            notes.append(_unwritten(f"{column.name}.{rule.code}", rule.where))
        else:
            found |= keywords
    if not column.required and "type" in found:
        found["type"] = [found["type"], "null"]
        if "enum" in found:
            found["enum"] = [*found["enum"], None]
    return found


def _keywords(column: ContractColumn, rule: RowRule) -> dict[str, Any] | None:
    """The keywords that say the rule; None where there are none."""
    numeric = column.type.name in _NUMBERS
    if rule.code in _KEYS:
        values = [_number(arg) for arg in rule.args] if numeric else [None]
        return dict(zip(_KEYS[rule.code], values, strict=True)) if None not in values else None
    if rule.code == "length":
        low, high = rule.args if len(rule.args) == 2 else ("0", rule.args[0])
        least = {"minLength": int(low)} if int(low) else {}
        return least if high == "*" else least | {"maxLength": int(high)}
    if rule.code == "pattern":
        return _pattern(rule.args[0])
    if rule.code in ("in", "not_in"):
        values = [_value(column, arg) for arg in rule.args]
        if None in values or column.type.name not in (*_NUMBERS, "text", "bool", "date"):
            return None
        return {"enum": values} if rule.code == "in" else {"not": {"enum": values}}
    return None


def _pattern(pattern: str) -> dict[str, Any] | None:
    try:
        return {"pattern": pattern} if ecma.to_re2(pattern) == pattern else None
    except ecma.Untranslatable:
        return None


def _value(column: ContractColumn, arg: str) -> Any:
    if column.type.name == "bool":
        return arg == "true"
    return _number(arg) if column.type.name in _NUMBERS else arg


def _number(text: str) -> int | float | None:
    value = Decimal(text)
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else None
