"""What a refused row is told of one keyword of a schema."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from headgate.contracts import bounds

_KINDS = {
    "null": "null",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "number": "a number",
    "string": "a text",
    "integer": "a whole number",
}
_SAID = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be above {}",
    "exclusiveMaximum": "must be below {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "pattern": "must match {!r}",
    "minItems": "must have at least {} items",
    "maxItems": "must have at most {} items",
    "minProperties": "must have at least {} members",
    "maxProperties": "must have at most {} members",
    "const": "must be {}",
    "logicalType": "must be a {}",
}
_OTHERS = {
    "items": "every item must be as items says",
    "prefixItems": "the first items must be as prefixItems says",
    "additionalItems": "the other items must be as additionalItems says",
    "contains": "an item must be as contains says",
    "anyOf": "must be as one or more of anyOf say",
    "oneOf": "must be as exactly one of oneOf says",
    "allOf": "must be as all of allOf say",
    "not": "must not be as not says",
    "if": "must be as then says where if holds, and as else says where not",
    "properties": "the members must be as properties says",
    "additionalProperties": "must have no members but those that properties names",
    "propertyNames": "every member's name must be as propertyNames says",
}
MOST = 12
"""So many values of `enum` are listed."""


def expected(key: str, value: Any) -> str:
    """What is expected, never a value of the row."""
    if key == "type":
        kinds = value if isinstance(value, list) else [value]
        return "must be " + " or ".join(_KINDS[kind] for kind in kinds)
    if key == "enum":
        listed = ", ".join(map(_plain, value[:MOST]))
        return f"must be one of {listed}" + (", ..." if len(value) > MOST else "")
    if key == "required":
        return f"must have the members {', '.join(map(str, value))}"
    if key == "dependentRequired":
        pairs = "; ".join(f"{', '.join(map(str, others))} with {name}" for name, others in value.items())
        return f"must have the members {pairs}"
    if key in _SAID:
        return _SAID[key].format(value if isinstance(value, str) else _plain(value))
    return _OTHERS.get(key, f"must be as {key} says")


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else bounds.plain(Decimal(value))
