"""A JSON Schema of rows as a Contract: each property is a column.

What the short form can say of a column of a simple type becomes its rules. The rest, down to nested values, becomes
conditions named by their JSON pointers. A column that is NULL is a member that is not there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from headgate.contracts import bounds, ecma
from headgate.contracts.assembly import Assembly, Line, quoted, word
from headgate.contracts.document import Document, Path, pointer
from headgate.contracts.json_schema import dialect
from headgate.contracts.json_schema.dialect import KEYWORDS, UNSUPPORTED, check, refuse, resolve, types
from headgate.contracts.json_schema.members import flat
from headgate.contracts.json_schema.saying import expected
from headgate.contracts.json_schema.sql import ROW, Compiler, Unsupported
from headgate.contracts.model import Contract
from headgate.sql.quote import ident

_COLUMN = {"string": "text", "integer": "bigint", "number": "double", "boolean": "bool"}
_FORMATS = {"date": "date", "date-time": "timestamptz", "uuid": "uuid"}
_BOUNDS = {"minimum": "min", "maximum": "max", "exclusiveMinimum": "above", "exclusiveMaximum": "below"}
_SIMPLE = {
    "string": ("minLength", "maxLength", "pattern", "enum", "const"),
    "integer": (*_BOUNDS, "multipleOf", "enum", "const"),
    "number": (*_BOUNDS, "multipleOf", "enum", "const"),
    "boolean": ("enum", "const"),
}
"""Keywords that the short form can say, by type."""

_INT = 2**63


def read(document: Document) -> Contract:
    """The contract of the schema's objects.

    `Contract.notes` lists by pointer what is checked by no rule (`not-enforced`).
    *Errors*: ContractError `json-schema-invalid`, and those of `short.parse`.
    """
    dialect.dialect(document)
    reading = _Reading(document)
    reading.read()
    return reading.made.contract()


class _Reading:
    def __init__(self, document: Document) -> None:
        self.made, self.document = Assembly(document), document
        self.compiler = Compiler(document)
        self.required: set[str] = set()
        self.properties: dict[str, tuple[Any, Path]] = {}
        self.rest: list[tuple[Mapping[str, Any], str, Path]] = []

    def read(self) -> None:
        self._collect(self.document.value, ())
        if not self.properties:
            raise refuse(self.document, (), "the schema has no properties", "describe an object: properties: {...}")
        for name, (schema, path) in self.properties.items():
            self._column(name, schema, path)
        self.compiler.columns = {line.name: _as_json(line) for line in self.made.lines}
        for schema, key, path in self.rest:
            self._condition(schema, key, ROW, path, ())

    def _collect(self, schema: Any, path: Path) -> None:
        """The properties of the object and of what it is joined of; all other keywords are kept for later."""
        schema, path = resolve(self.document, schema, path)
        check(self.document, schema, path)
        if not isinstance(schema, dict) or (types(schema) and "object" not in types(schema)):
            raise refuse(self.document, path, "rows are objects", "describe one row: type: object")
        for key, value in schema.items():
            where = (*path, key)
            if key == "properties":
                for name, one in value.items():
                    other = self.properties.get(name)
                    joined = one if other is None else {"allOf": [other[0], one]}
                    self.properties[name] = (joined, (*where, name))
            elif key == "required":
                self.required |= {str(name) for name in value}
            elif key == "allOf":
                for number, one in enumerate(value):
                    self._collect(one, (*where, number))
            elif key == "additionalProperties" and isinstance(value, bool):
                continue
            elif key in KEYWORDS and key not in ("type", "$ref", "then", "else"):
                self.rest.append((schema, key, path))
            elif key in UNSUPPORTED:
                self._unsupported(Unsupported(key, where))
        for name in sorted(self.required - set(self.properties)):
            self.properties[name] = (True, (*path, "required"))

    def _unsupported(self, error: Unsupported) -> None:
        what = f"{error} at {pointer(error.path)}"
        self.made.unenforced(what, error.path, "write it as a condition under rules:, or leave it out")

    def _column(self, name: str, schema: Any, path: Path) -> None:
        place = self.document.at(path)
        line = Line(name, place, "json")
        self.made.lines.append(line)
        schema, path = resolve(self.document, schema, path)
        check(self.document, schema, path)
        if isinstance(schema, bool):
            if not schema:
                nothing = {"check": f"{ident(name)} IS NULL", "message": "must not be there"}
                self.made.rule(pointer(path)[1:], nothing, place)
            return self._require(line, name in self.required)
        kinds = _kinds(schema)
        plain = [kind for kind in kinds if kind != "null"]
        done: set[str] = {"type"}
        if len(plain) == 1 and plain[0] in _COLUMN:
            done |= self._simple(line, plain[0], schema, path)
        else:
            done -= {"type"} if kinds else set()
        self._require(line, name in self.required and "null" not in kinds)
        x = _as_json(line)
        for key in schema:
            if key not in done:
                self._condition(schema, key, x, path, (f"{ident(name)} IS NULL",))
        return None

    def _require(self, line: Line, required: bool) -> None:
        if required:
            line.pieces.insert(0, ("required", line.where))

    def _simple(self, line: Line, kind: str, schema: Mapping[str, Any], path: Path) -> set[str]:
        """The rules of a column of a simple type; the keywords that are done by them."""
        line.type, line.type_where = _COLUMN[kind], self.document.at((*path, "type"))
        form = _FORMATS.get(schema.get("format", ""))
        if kind == "string" and form is not None and not any(key in schema for key in _SIMPLE["string"]):
            line.type = form
            return {"type", "format"}
        if kind == "number" and "multipleOf" in schema:
            line.type = "decimal(38,9)"
        done = {"type"}
        for key in _SIMPLE[kind]:
            if key in schema:
                done.add(key)
                self._rule(line, kind, schema, key, path)
        return done

    def _rule(self, line: Line, kind: str, schema: Mapping[str, Any], key: str, path: Path) -> None:
        where, value = self.document.at((*path, key)), schema[key]
        if key == "pattern":
            try:
                line.call("pattern", [quoted(ecma.to_re2(value))], where)
            except ecma.Untranslatable as error:
                self._unsupported(Unsupported(f"the pattern ({error})", (*path, key)))
        elif key == "minLength":
            line.call(
                "length", [str(int(value)), str(int(schema["maxLength"])) if "maxLength" in schema else "*"], where
            )
        elif key == "maxLength":
            if "minLength" not in schema:
                line.call("length", [str(int(value))], where)
        elif key in ("enum", "const"):
            self._listed(line, kind, schema, key, path)
        elif key == "multipleOf":
            line.call("multiple_of", [bounds.plain(Decimal(value))], where)
        else:
            self._bound(line, kind, key, Decimal(value), path)

    def _listed(self, line: Line, kind: str, schema: Mapping[str, Any], key: str, path: Path) -> None:
        """`in`, of the values that the type has; where it has none of them, no value is good."""
        where = self.document.at((*path, key))
        values = [one for one in (schema[key] if key == "enum" else [schema[key]]) if _is_a(kind, one)]
        if values:
            line.call("in", list(dict.fromkeys(quoted(_text(one)) for one in values)), where)
        else:
            nothing = {"check": f"{ident(line.name)} IS NULL", "message": expected(key, schema[key])}
            self.made.rule(pointer((*path, key))[1:], nothing, where)

    def _bound(self, line: Line, kind: str, key: str, value: Decimal, path: Path) -> None:
        """A bound; of whole numbers the next whole one within it."""
        where, rule = self.document.at((*path, key)), _BOUNDS[key]
        if kind == "integer":
            upper = rule in ("max", "below")
            if value != value.to_integral_value():
                rule, value = ("max", Decimal(math.floor(value))) if upper else ("min", Decimal(math.ceil(value)))
            if (value >= _INT) if upper else (value < -_INT):
                return
        line.call(rule, [word(bounds.plain(value))], where)

    def _condition(self, schema: Mapping[str, Any], key: str, x: str, path: Path, guards: tuple[str, ...]) -> None:
        """Add what a keyword asks of a value, nested properties one by one; note what has no condition."""
        for found in flat(self.compiler, schema, key, x, path, guards):
            if isinstance(found, Unsupported):
                self._unsupported(found)
            else:
                asked = {"check": found.sql, "message": found.says}
                self.made.rule(pointer(found.path)[1:], asked, self.document.at(found.path))


def _kinds(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The types of the schema; where it names none, those of the values that it lists."""
    named = types(schema)
    if named or not ("enum" in schema or "const" in schema):
        return named
    values = schema["enum"] if "enum" in schema else [schema["const"]]
    found = dict.fromkeys(
        "null" if one is None else next((k for k in _SIMPLE if _is_a(k, one)), "object") for one in values
    )
    if set(found) == {"integer", "number"}:
        return ("number",)
    return tuple(found)


def _kind_of(value: Any) -> str:
    return next((kind for kind in _SIMPLE if _is_a(kind, value)), "object")


def _is_a(kind: str, value: Any) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    return kind == "number" or (value == int(value) and -_INT <= value < _INT)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return bounds.plain(Decimal(value)) if isinstance(value, int | Decimal) else str(value)


def _as_json(line: Line) -> str:
    """The column's value as JSON; NULL where it is NULL."""
    name = ident(line.name)
    return name if line.type == "json" else f"to_json({name})"
