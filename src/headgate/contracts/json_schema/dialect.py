"""What a schema may say: its dialect, its keywords and the types of their values, its local references."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from headgate.contracts.document import Document, Path, pointer
from headgate.core.errors import ContractError, Finding, nearest

DIALECTS = ("2020-12", "2019-09", "draft-07", "draft-06")
UNSUPPORTED = (
    "patternProperties", "dependentSchemas", "dependencies", "unevaluatedProperties", "unevaluatedItems", "minContains",
    "maxContains", "$dynamicRef", "$recursiveRef",
)  # fmt: skip
"""Keywords that some value may fail, and that have no condition here. Any other that is unknown fails no value."""

_COUNT, _NUMBER, _SCHEMA, _SCHEMAS, _MAP = "count", "number", "schema", "schemas", "map"
_BOOL, _TEXT, _ANY = "bool", "text", "any"
KEYWORDS = {
    "type": _ANY,
    "enum": "list",
    "const": _ANY,
    "multipleOf": _NUMBER,
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "exclusiveMinimum": _NUMBER,
    "exclusiveMaximum": _NUMBER,
    "minLength": _COUNT,
    "maxLength": _COUNT,
    "pattern": _TEXT,
    "items": _ANY,
    "prefixItems": _SCHEMAS,
    "additionalItems": _SCHEMA,
    "contains": _SCHEMA,
    "minItems": _COUNT,
    "maxItems": _COUNT,
    "uniqueItems": _BOOL,
    "properties": _MAP,
    "required": "list",
    "additionalProperties": _SCHEMA,
    "propertyNames": _SCHEMA,
    "minProperties": _COUNT,
    "maxProperties": _COUNT,
    "dependentRequired": "object",
    "allOf": _SCHEMAS,
    "anyOf": _SCHEMAS,
    "oneOf": _SCHEMAS,
    "not": _SCHEMA,
    "if": _SCHEMA,
    "then": _SCHEMA,
    "else": _SCHEMA,
    "$ref": _TEXT,
}
"""Keywords that are checked, and what their value must be."""

TYPES = ("null", "boolean", "object", "array", "number", "string", "integer")
DEEPEST = 30


def refuse(document: Document, path: Path, what: str, fix: str = "mend the schema") -> ContractError:
    """The error about one value of the schema."""
    said = f"{pointer(path) or 'the schema'}: {what}"
    return ContractError(Finding("json-schema-invalid", "error", said, str(document.at(path)), fix))


def dialect(document: Document) -> None:
    """Nothing, if the schema's dialect is read; without `$schema` it is 2020-12. Raises ContractError."""
    named = document.value.get("$schema") if isinstance(document.value, dict) else None
    if named is not None and not any(word in str(named) for word in DIALECTS):
        what = f"the dialect {named!r} is not read"
        raise refuse(document, ("$schema",), what, f"use one of {', '.join(DIALECTS)}")


def check(document: Document, schema: Any, path: Path) -> None:
    """Nothing, if the values of the schema's own keywords are of their kinds. Raises ContractError."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise refuse(document, path, "this is no schema", "write an object, true or false")
    if len(path) > 3 * DEEPEST:
        raise refuse(document, path, "schemas are nested too deep")
    for key, value in schema.items():
        kind = KEYWORDS.get(key)
        if kind is not None and not _is(kind, value):
            raise refuse(document, (*path, key), f"{key} must be {_WANTED[kind]}")
        if kind == _NUMBER and key == "multipleOf" and value <= 0:
            raise refuse(document, (*path, key), "multipleOf must be above 0")
    for name in types(schema):
        if name not in TYPES:
            fix = f"use one of {', '.join(TYPES)}"
            raise refuse(document, (*path, "type"), f"unknown type {name!r}{nearest(str(name), TYPES)}", fix)


_WANTED = {
    "count": "a whole number from 0 on",
    "number": "a number",
    "schema": "a schema",
    "schemas": "a list of schemas",
    "map": "an object of schemas",
    "bool": "true or false",
    "text": "text",
    "list": "a list",
    "object": "an object",
}


def _is(kind: str, value: Any) -> bool:
    numeric = isinstance(value, int | Decimal) and not isinstance(value, bool)
    schema = isinstance(value, dict | bool)
    return {
        "count": numeric and value >= 0 and value == int(value),
        "number": numeric,
        "schema": schema,
        "schemas": isinstance(value, list) and bool(value) and all(isinstance(one, dict | bool) for one in value),
        "map": isinstance(value, dict) and all(isinstance(one, dict | bool) for one in value.values()),
        "bool": isinstance(value, bool),
        "text": isinstance(value, str),
        "list": isinstance(value, list),
        "object": isinstance(value, dict),
        "any": True,
    }[kind]


def types(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The types that the schema allows; none where it allows all."""
    named = schema.get("type")
    if named is None:
        return ()
    return tuple(named) if isinstance(named, list) else (named,)


def resolve(document: Document, schema: Any, path: Path) -> tuple[Any, Path]:
    """The schema with its local `$ref` followed, and where that is. Raises ContractError.

    What stands beside a `$ref` holds, too: it is joined by allOf.
    """
    seen: set[str] = set()
    while isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
        ref = schema["$ref"]
        if ref in seen:
            raise refuse(document, (*path, "$ref"), f"{ref!r} refers to itself")
        seen.add(ref)
        beside = {key: value for key, value in schema.items() if key in KEYWORDS and key != "$ref"}
        if beside:
            return {"allOf": [{"$ref": ref}, beside]}, path
        schema, path = _follow(document, ref, (*path, "$ref"))
    return schema, path


def _follow(document: Document, ref: str, where: Path) -> tuple[Any, Path]:
    if not ref.startswith("#"):
        raise refuse(document, where, f"{ref!r} is outside of the file", "put the schema under $defs")
    value: Any = document.value
    path: Path = ()
    for part in ref[1:].split("/")[1:]:
        key: Any = part.replace("~1", "/").replace("~0", "~")
        key = int(key) if isinstance(value, list) and key.isdigit() else key
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            raise refuse(document, where, f"{ref!r} leads nowhere") from None
        path = (*path, key)
    return value, path
