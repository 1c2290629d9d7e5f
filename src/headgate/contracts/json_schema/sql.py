"""A schema as an SQL condition on a JSON value: true where a validator accepts it, false where not, never NULL.

`x` is an expression of type JSON that is not NULL (a JSON null is a value). What has no condition raises Unsupported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from decimal import Decimal
from typing import Any

from headgate.contracts import bounds, ecma
from headgate.contracts.document import Document, Path
from headgate.contracts.json_schema.dialect import DEEPEST, KEYWORDS, UNSUPPORTED, check, refuse, resolve, types
from headgate.contracts.json_schema.saying import expected
from headgate.core.records import dataclass
from headgate.sql.quote import literal

_NUMBERS = "('BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE', 'DECIMAL')"
_WHOLE = "('BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT')"
_KINDS = {
    "null": "= 'NULL'",
    "boolean": "= 'BOOLEAN'",
    "object": "= 'OBJECT'",
    "array": "= 'ARRAY'",
    "string": "= 'VARCHAR'",
    "number": f"IN {_NUMBERS}",
}
_COMPARE = {"minimum": ">=", "maximum": "<=", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}


class Unsupported(ValueError):
    """A keyword that has no condition; `path` is where it stands."""

    def __init__(self, what: str, path: Path) -> None:
        super().__init__(what)
        self.path = path


@dataclass(frozen=True)
class Condition:
    """One keyword of a schema, and what it asks of a value, as SQL and in words."""

    path: Path
    sql: str
    says: str


ROW = "_hg_row"
"""Stands for the row itself as an object: its members are the columns that are not NULL."""


@dataclass
class Compiler:
    """Conditions of the schemas of one document. `columns`: what a member of the row is, as JSON.

    `own`: keywords of the caller's, each with what makes its value and an expression a condition.
    """

    document: Document
    columns: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, Callable[[Any, str], str]] = field(default_factory=dict)
    depth: int = 0
    variables: int = 0

    def holds(self, schema: Any, x: str, path: Path) -> str:
        """The whole schema as one condition. Raises Unsupported, ContractError `json-schema-invalid`."""
        schema, path = resolve(self.document, schema, path)
        check(self.document, schema, path)
        if isinstance(schema, bool):
            return "true" if schema else "false"
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unsupported("a schema that contains itself", path)
        try:
            found = [self.keyword(schema, key, x, path) for key in schema]
        finally:
            self.depth -= 1
        return " AND ".join(f"({one.sql})" for one in found if one is not None) or "true"

    def keyword(self, schema: Mapping[str, Any], key: str, x: str, path: Path) -> Condition | None:
        """What one keyword of a schema asks; None for one that asks nothing. Raises as `holds`."""
        where = (*path, key)
        if key in UNSUPPORTED:
            raise Unsupported(key, where)
        if key == "if":
            return Condition(where, self._branches(schema, x, path), expected(key, None))
        if key in self.own:
            sql = self.own[key](schema[key], x)
            return Condition(where, f"coalesce({sql}, false)", expected(key, schema[key]))
        if key not in KEYWORDS or key in ("then", "else"):
            return None
        made = self._keyword(schema, key, schema[key], x, path)
        return None if made is None else Condition(where, f"coalesce({made}, false)", expected(key, schema[key]))

    def member(self, x: str, key: str) -> str:
        """The member of an object; NULL where it has none."""
        if x == ROW:
            return self.columns.get(key, "CAST(NULL AS JSON)")
        escaped = key.replace("~", "~0").replace("/", "~1")
        return f"json_extract({x}, {literal('/' + escaped)})"

    def _keyword(self, schema: Mapping[str, Any], key: str, value: Any, x: str, path: Path) -> str | None:
        where = (*path, key)
        if key == "type":
            return " OR ".join(_of_type(name, x) for name in types(schema)) or "false"
        if key in ("enum", "const"):
            values = value if key == "enum" else [value]
            return " OR ".join(_equals(one, x, where) for one in values) or "false"
        if key in _COMPARE or key == "multipleOf":
            return f"{_kind(x)} NOT IN {_NUMBERS} OR {_number(key, value, x)}"
        if key in ("minLength", "maxLength", "pattern"):
            return f"{_kind(x)} <> 'VARCHAR' OR {_text(key, value, x, where)}"
        if key in ("allOf", "anyOf", "oneOf"):
            parts = [f"({self.holds(one, x, (*where, number))})" for number, one in enumerate(value)]
            if key == "oneOf":
                return " + ".join(f"CAST({part} AS INTEGER)" for part in parts) + " = 1"
            return (" AND " if key == "allOf" else " OR ").join(parts)
        if key == "not":
            return f"NOT ({self.holds(value, x, where)})"
        if key in _ARRAY:
            sql = _ARRAY[key](self, schema, value, x, where)
            return None if sql is None else f"{_kind(x)} <> 'ARRAY' OR ({sql})"
        if key in _OBJECT:
            if x == ROW and key in _OF_KEYS:
                raise Unsupported(key, where)
            sql = _OBJECT[key](self, schema, value, x, where)
            return None if sql is None else f"{_kind(x)} <> 'OBJECT' OR ({sql})"
        return None

    def _branches(self, schema: Mapping[str, Any], x: str, path: Path) -> str:
        condition = self.holds(schema["if"], x, (*path, "if"))
        then, other = (self.holds(schema.get(key, True), x, (*path, key)) for key in ("then", "else"))
        return f"CASE WHEN {condition} THEN {then} ELSE {other} END"

    def variable(self) -> str:
        """A name for a lambda's parameter that no other has."""
        self.variables += 1
        return f"_v{self.variables}"


def _kind(x: str) -> str:
    if x == ROW:
        return "'OBJECT'"
    return f"json_type({x})"


def _of_type(name: str, x: str) -> str:
    if name == "integer":
        whole = f"TRY_CAST({x} AS DOUBLE) = trunc(TRY_CAST({x} AS DOUBLE))"
        return f"({_kind(x)} IN {_NUMBERS} AND {whole})"
    return f"{_kind(x)} {_KINDS[name]}"


def _equals(value: Any, x: str, path: Path) -> str:
    if value is None:
        return f"{_kind(x)} = 'NULL'"
    if isinstance(value, bool):
        return f"({_kind(x)} = 'BOOLEAN' AND CAST({x} AS VARCHAR) = '{str(value).lower()}')"
    if isinstance(value, str):
        return f"({_kind(x)} = 'VARCHAR' AND {_string(x)} = {literal(value)})"
    if isinstance(value, int | Decimal):
        return f"({_kind(x)} IN {_NUMBERS} AND {_compared(x, '=', Decimal(value))})"
    raise Unsupported("a list or an object among the values", path)


def _string(x: str) -> str:
    return f"json_extract_string({x}, '$')"


def _compared(x: str, symbol: str, bound: Decimal) -> str:
    """Whole numbers exactly where the bound is one, all else as doubles."""
    text = literal(bounds.plain(bound))
    near = f"TRY_CAST({x} AS DOUBLE) {symbol} CAST({text} AS DOUBLE)"
    if bound != bound.to_integral_value() or abs(bound) >= 10**38:
        return near
    exact = f"TRY_CAST(CAST({x} AS VARCHAR) AS DECIMAL(38,0)) {symbol} CAST({text} AS DECIMAL(38,0))"
    return f"CASE WHEN {_kind(x)} IN {_WHOLE} THEN {exact} ELSE {near} END"


def _number(key: str, value: Any, x: str) -> str:
    bound = Decimal(value)
    if key != "multipleOf":
        return _compared(x, _COMPARE[key], bound)
    step = f"CAST({literal(bounds.plain(bound))} AS DECIMAL(38,9))"
    value = f"TRY_CAST(CAST({x} AS VARCHAR) AS DECIMAL(38,9))"
    # The cast rounds digits beyond the ninth away; that the value is the same as before shows there was none.
    return f"({value} % {step} = 0 AND CAST({value} AS DOUBLE) = TRY_CAST({x} AS DOUBLE))"


def _text(key: str, value: Any, x: str, path: Path) -> str:
    if key != "pattern":
        return f"length({_string(x)}) {'>=' if key == 'minLength' else '<='} {int(value)}"
    try:
        return f"regexp_matches({_string(x)}, {literal(ecma.to_re2(value))})"
    except ecma.Untranslatable as error:
        raise Unsupported(f"the pattern ({error})", path) from error


Make = Callable[[Compiler, Mapping[str, Any], Any, str, Path], str | None]


def _all_of(compiler: Compiler, schema: Any, listed: str, path: Path) -> str:
    name = compiler.variable()
    return f"len(list_filter({listed}, lambda {name}: NOT ({compiler.holds(schema, name, path)}))) = 0"


def _items(compiler: Compiler, schema: Mapping[str, Any], value: Any, x: str, path: Path) -> str | None:
    if isinstance(value, list):  # draft-07's form of prefixItems
        return _prefix(compiler, schema, value, x, path)
    if not isinstance(value, dict | bool):
        raise refuse(compiler.document, path, "items must be a schema")
    return _all_of(compiler, value, _tail(x, len(schema.get("prefixItems", []))), path)


def _prefix(compiler: Compiler, schema: Mapping[str, Any], value: Any, x: str, path: Path) -> str | None:
    parts = []
    for number, one in enumerate(value):
        item = f"json_extract({x}, '$[{number}]')"
        parts.append(f"({item} IS NULL OR ({compiler.holds(one, item, (*path, number))}))")
    return " AND ".join(parts) or None


def _rest(compiler: Compiler, schema: Mapping[str, Any], value: Any, x: str, path: Path) -> str | None:
    first = schema.get("items")
    return _all_of(compiler, value, _tail(x, len(first)), path) if isinstance(first, list) else None


def _tail(x: str, first: int) -> str:
    items = f"json_extract({x}, '$[*]')"
    return f"list_slice({items}, {first + 1}, NULL)" if first else items


def _contains(compiler: Compiler, schema: Mapping[str, Any], value: Any, x: str, path: Path) -> str | None:
    for key in ("minContains", "maxContains"):
        if key in schema:
            raise Unsupported(key, (*path[:-1], key))
    name = compiler.variable()
    condition = compiler.holds(value, name, path)
    return f"len(list_filter(json_extract({x}, '$[*]'), lambda {name}: {condition})) > 0"


def _unique(compiler: Compiler, schema: Mapping[str, Any], value: Any, x: str, path: Path) -> str | None:
    if not value:
        return None
    raise Unsupported("uniqueItems", path)


def _count(function: str, symbol: str) -> Make:
    def make(compiler: Compiler, schema: Mapping[str, Any], value: Any, x: str, path: Path) -> str | None:
        return f"{function.format(x=x)} {symbol} {int(value)}"

    return make


_ARRAY: dict[str, Make] = {
    "items": _items,
    "prefixItems": _prefix,
    "additionalItems": _rest,
    "contains": _contains,
    "uniqueItems": _unique,
    "minItems": _count("json_array_length({x})", ">="),
    "maxItems": _count("json_array_length({x})", "<="),
}


def _properties(compiler: Compiler, schema: Mapping[str, Any], value: Any, x: str, path: Path) -> str | None:
    parts = []
    for key, one in value.items():
        item = compiler.member(x, key)
        parts.append(f"({item} IS NULL OR ({compiler.holds(one, item, (*path, key))}))")
    return " AND ".join(parts) or None


def _required(compiler: Compiler, schema: Mapping[str, Any], value: Any, x: str, path: Path) -> str | None:
    return " AND ".join(f"{compiler.member(x, key)} IS NOT NULL" for key in value) or None


def _additional(compiler: Compiler, schema: Mapping[str, Any], value: Any, x: str, path: Path) -> str | None:
    if value is True:
        return None
    if value is not False:
        raise Unsupported("additionalProperties that is a schema", path)
    if "patternProperties" in schema:
        raise Unsupported("additionalProperties beside patternProperties", path)
    known = ", ".join(literal(key) for key in schema.get("properties", {}))
    name = compiler.variable()
    if not known:
        return f"len(json_keys({x})) = 0"
    return f"len(list_filter(json_keys({x}), lambda {name}: {name} NOT IN ({known}))) = 0"


def _names(compiler: Compiler, schema: Mapping[str, Any], value: Any, x: str, path: Path) -> str | None:
    return _all_of(compiler, value, f"list_transform(json_keys({x}), lambda _k: to_json(_k))", path)


def _dependent(compiler: Compiler, schema: Mapping[str, Any], value: Any, x: str, path: Path) -> str | None:
    parts = []
    for key, others in value.items():
        present = " AND ".join(f"{compiler.member(x, other)} IS NOT NULL" for other in others) or "true"
        parts.append(f"({compiler.member(x, key)} IS NULL OR ({present}))")
    return " AND ".join(parts) or None


_OF_KEYS = ("additionalProperties", "propertyNames", "minProperties", "maxProperties")
_OBJECT: dict[str, Make] = {
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "dependentRequired": _dependent,
    "minProperties": _count("len(json_keys({x}))", ">="),
    "maxProperties": _count("len(json_keys({x}))", "<="),
}
