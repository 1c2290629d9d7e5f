"""Properties within objects and arrays of ODCS, as a schema of the JSON value that the column holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from headgate.contracts.document import Document, Path
from headgate.contracts.json_schema.members import flat
from headgate.contracts.json_schema.sql import Compiler, Condition, Unsupported
from headgate.contracts.odcs.types import BITS
from headgate.core.errors import Location
from headgate.sql.quote import ident
from headgate.types import lexical
from headgate.types.logical import LogicalType

_TYPES = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "object": "object",
    "array": "array",
    "map": "object",
    "vector": "array",
    "date": "string",
    "timestamp": "string",
    "time": "string",
}
_SAME = (
    "minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required",
)  # fmt: skip
"""Options that JSON Schema calls the same."""

OPTIONS = ("minProperties", "maxProperties", "required", "minItems", "maxItems", "uniqueItems", "dimensions")
"""Options of objects and lists."""

_UNMET = ("unique", "primaryKey", "quality", "relationships")
"""Keys that would be a check, and of a nested value are none."""

_MOMENT, _ISO = "logicalType", ("date", "timestamp", "time")


def has(prop: Mapping[str, Any]) -> bool:
    """Whether the property says what is in it."""
    options = prop.get("logicalTypeOptions") or {}
    return bool(prop.get("properties") or prop.get("items") or any(key in options for key in OPTIONS))


Asked = list[tuple[Condition, Location]]
Unmet = list[tuple[str, Path]]


def read(document: Document, prop: Mapping[str, Any], path: Path) -> tuple[Asked, Unmet]:
    """What is asked of the values of a property of type json, named by where it stands in the value; NULL passes.
    Beside it what is asked and not checked."""
    made = _Schema(document)
    schema, name = made.of(prop, path, ()), prop["name"]
    compiler = Compiler(Document(schema, document.path), own={_MOMENT: _moment})
    found = [one for key in schema for one in flat(compiler, schema, key, ident(name), (), (f"{ident(name)} IS NULL",))]
    asked = [
        (replace(one, path=(name, *one.path)), document.at(made.origin(one.path)))
        for one in found
        if isinstance(one, Condition)
    ]
    failed = [(f"{one} in {name!r}", made.origin(one.path)) for one in found if isinstance(one, Unsupported)]
    return asked, made.unmet + failed


def _moment(kind: str, x: str) -> str:
    text = f"json_extract_string({x}, '$')"
    return f"json_type({x}) <> 'VARCHAR' OR {lexical.read(text, LogicalType(kind), 'UTC')} IS NOT NULL"


@dataclass
class _Schema:
    """The schema of one property, and where each of its parts stands in the document."""

    document: Document
    origins: dict[Path, Path] = field(default_factory=dict)
    unmet: list[tuple[str, Path]] = field(default_factory=list)

    def origin(self, path: Path) -> Path:
        return next(self.origins[path[:length]] for length in range(len(path), -1, -1) if path[:length] in self.origins)

    def of(self, prop: Mapping[str, Any], path: Path, at: Path) -> dict[str, Any]:
        """The schema of the property's value, at `at` of the whole schema."""
        self.origins[at] = path
        made: dict[str, Any] = {}
        logical = prop.get("logicalType")
        if logical is not None:
            made["type"] = _TYPES[logical] if prop.get("required") or not at else [_TYPES[logical], "null"]
        if logical in _ISO:
            made[_MOMENT] = "timestamptz" if _zoned(prop) else logical
        self._options(made, prop, path, at)
        if prop.get("enum") and at:
            made["enum"] = [one["value"] for one in prop["enum"]] + ([] if prop.get("required") else [None])
        for key in _UNMET if at else ():
            if prop.get(key):
                self.unmet.append((f"{key} of the nested {prop.get('name', 'items')!r}", (*path, key)))
        self._members(made, prop, path, at)
        if isinstance(prop.get("items"), dict):
            made["items"] = self.of(prop["items"], (*path, "items"), (*at, "items"))
        return made

    def _options(self, made: dict[str, Any], prop: Mapping[str, Any], path: Path, at: Path) -> None:
        for key, value in (prop.get("logicalTypeOptions") or {}).items():
            where = (*path, "logicalTypeOptions", key)
            if key in _SAME:
                self.origins[(*at, key)] = where
                made[key] = list(value) if key == "required" and isinstance(value, list) else value
            elif key == "format" and value in BITS:
                low, high = BITS[value]
                made["minimum"], made["maximum"] = made.get("minimum", low), made.get("maximum", high)
            elif key == "dimensions" and isinstance(value, int | Decimal):
                made["minItems"] = made["maxItems"] = value
            elif key == "format" and at and prop.get("logicalType") in _ISO:
                made.pop(_MOMENT, None)
                self.unmet.append((f"the format of the nested {prop.get('name', 'items')!r}", where))

    def _members(self, made: dict[str, Any], prop: Mapping[str, Any], path: Path, at: Path) -> None:
        for number, one in enumerate(prop.get("properties") or []):
            here = (*path, "properties", number)
            name = str(one.get("physicalName") or one["name"])
            made.setdefault("properties", {})[name] = self.of(one, here, (*at, "properties", name))
            if one.get("required"):
                made["required"] = list(dict.fromkeys([*made.get("required", []), name]))
                self.origins.setdefault((*at, "required"), here)


def _zoned(prop: Mapping[str, Any]) -> bool:
    options = prop.get("logicalTypeOptions") or {}
    return prop.get("logicalType") == "timestamp" and options.get("timezone") is True
