"""JSON Schema as contract: the verdict of a validator, on flat rows and on nested ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.project_kit import Folder

from headgate.contracts.document import read_json
from headgate.contracts.json_schema.read import read
from headgate.contracts.json_schema.write import schema as written
from headgate.contracts.model import Contract
from headgate.contracts.verify import verify
from headgate.sql.quote import ident
from headgate.types.convert import conversion

jsonschema = pytest.importorskip("jsonschema")

DRAFTS = ("https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#")
TEXTS = st.sampled_from(["", "a", "ab", "abc", "b1", "é", "10", "x y"])
INTS = st.integers(-5, 12)
FLOATS = st.sampled_from([0.5, -1.25, 3.0, 7.5, 100.0])
PATTERNS = st.sampled_from(["^a", "b$", r"^\w+$", r"\d", "^.{2}$", r"^[^\s]*$", "a|é"])
STRING = {"minLength": st.integers(0, 3), "maxLength": st.integers(0, 3), "pattern": PATTERNS,
          "enum": st.lists(TEXTS, min_size=1, max_size=3, unique=True), "const": TEXTS}  # fmt: skip
NUMBER = {"minimum": INTS, "maximum": INTS, "exclusiveMinimum": FLOATS, "exclusiveMaximum": FLOATS,
          "enum": st.lists(INTS, min_size=1, max_size=3, unique=True)}  # fmt: skip
INTEGER = {**NUMBER, "multipleOf": st.integers(1, 4), "const": INTS}


def keywords(kind: str, of: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"type": st.just(kind)}, optional=of)


SCALARS = st.one_of(
    keywords("string", STRING), keywords("integer", INTEGER), keywords("number", NUMBER), keywords("boolean", {})
)


def deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = keywords(
        "object",
        {
            "properties": st.dictionaries(st.sampled_from(["x", "y", "z/~"]), inner, min_size=1, max_size=2),
            "required": st.lists(st.sampled_from(["x", "y"]), unique=True),
            "additionalProperties": st.booleans(),
            "minProperties": st.integers(0, 2),
            "maxProperties": st.integers(0, 2),
            "propertyNames": st.just({"maxLength": 2}),
            "dependentRequired": st.just({"x": ["y"]}),
        },
    )
    arrays = keywords(
        "array",
        {"items": inner, "minItems": st.integers(0, 2), "maxItems": st.integers(0, 2), "contains": inner},
    )
    both = st.lists(inner, min_size=1, max_size=2)
    joined = st.one_of(
        st.fixed_dictionaries({"anyOf": both}),
        st.fixed_dictionaries({"allOf": both}),
        st.fixed_dictionaries({"oneOf": both}),
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"if": inner, "then": inner, "else": inner}),
        st.fixed_dictionaries({"type": st.just(["string", "integer", "null"])}),
    )
    return st.one_of(objects, arrays, joined)


NESTED = st.recursive(st.one_of(SCALARS, st.booleans()), deeper, max_leaves=4)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), INTS, FLOATS, TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["x", "y", "z/~", "long"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def accepts(schema: dict[str, Any], row: dict[str, Any]) -> bool:
    return bool(jsonschema.validators.validator_for(schema)(schema).is_valid(row))


def contract(schema: dict[str, Any]) -> Contract:
    made = read(read_json(json.dumps(schema), "rows.schema.json"))
    assert made.notes == ()
    return made


def verdicts(made: Contract, rows: list[dict[str, Any]]) -> list[bool]:
    """Whether each row, received as JSON, converts and keeps every row rule of the contract."""
    assert verify(made) == []
    values, fit = [], []
    for column in made.columns:
        name = ident(column.name)
        text = name if column.type.name == "json" else f"json_extract_string({name}, '$')"
        converted = conversion(f"CAST({text} AS VARCHAR)", "VARCHAR", column.type)
        assert converted is not None
        values.append(f"{converted.value} AS {name}")
        fit.append(converted.ok or "true")
    rules = " AND ".join(f"coalesce(({rule.sql}), true)" for rule in made.rows) or "true"
    select = f"SELECT _n, {', '.join(values)}, {' AND '.join(fit)} AS _ok FROM received"
    with duckdb.connect() as connection:
        listed = ", ".join(f"{ident(column.name)} JSON" for column in made.columns)
        connection.execute(f"CREATE TABLE received (_n INTEGER, {listed})")
        for number, row in enumerate(rows):
            cells = [json.dumps(row[one.name]) if one.name in row else None for one in made.columns]
            connection.execute(f"INSERT INTO received VALUES ({', '.join('?' * (len(cells) + 1))})", [number, *cells])
        found = connection.execute(f"SELECT _ok AND {rules} FROM ({select}) ORDER BY _n").fetchall()
    return [row[0] for row in found]


VALUE_OF = {"string": TEXTS, "integer": INTS, "number": FLOATS, "boolean": st.booleans()}


@st.composite
def flat(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    properties = draw(st.dictionaries(st.sampled_from("abc"), SCALARS, min_size=1, max_size=3))
    schema = {
        "$schema": draw(st.sampled_from(DRAFTS)),
        "type": "object",
        "properties": properties,
        "required": draw(st.lists(st.sampled_from(sorted(properties)), unique=True)),
    }
    row = st.fixed_dictionaries({}, optional={name: VALUE_OF[one["type"]] for name, one in properties.items()})
    return schema, draw(st.lists(row, min_size=1, max_size=6))


def as_csv(names: list[str], rows: list[dict[str, Any]]) -> str:
    """The rows as CSV, behind their number: a member that is not there is an empty field, empty text is in quotes."""
    lines = [",".join(["number", *names])]
    for number, row in enumerate(rows):
        lines.append(",".join([str(number), *("" if name not in row else _cell(row[name]) for name in names)]))
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return '"' + text + '"'


@settings(max_examples=20, deadline=None)
@given(case=flat())
def test_flat_rows_get_the_verdict_of_a_validator(tmp_path_factory: pytest.TempPathFactory, case: Any) -> None:
    schema, rows = case
    names = list(schema["properties"])
    numbered = {**schema, "properties": {"number": {"type": "integer"}, **schema["properties"]}}
    project = Folder.make(
        tmp_path_factory.mktemp("v3"),
        {
            "ingest/r.yml": "table: raw.r\nfrom: data/*.csv\ncontract: contracts/r.schema.json\n",
            "contracts/r.schema.json": json.dumps(numbered),
            "data/a.csv": as_csv(names, [*rows, *rows]),
        },
    )
    (step,) = project.run().steps
    good = sum(accepts(schema, row) for row in rows)
    assert (step.rows_loaded, step.rows_read) == (2 * good, 2 * len(rows))


@settings(max_examples=60, deadline=None)
@given(case=flat())
def test_flat_typed_rows_get_the_verdict_of_a_validator(case: Any) -> None:
    schema, rows = case
    assert verdicts(contract(schema), rows) == [accepts(schema, row) for row in rows]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(DRAFTS[:1]), st.dictionaries(st.sampled_from("ab"), NESTED, min_size=1), st.data())
def test_nested_rows_get_the_verdict_of_a_validator(
    draft: str, properties: dict[str, Any], data: st.DataObject
) -> None:
    schema = {"$schema": draft, "type": "object", "properties": properties}
    made = contract(schema)
    free = [column.name for column in made.columns if column.type.name == "json"]
    row = st.fixed_dictionaries({}, optional={name: VALUES.filter(lambda value: value is not None) for name in free})
    rows = data.draw(st.lists(row, min_size=1, max_size=5))
    assert verdicts(made, rows) == [accepts(schema, row) for row in rows]


def test_conditions_across_columns(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"status": {"enum": ["open", "closed"]}, "closed": {"type": "string", "format": "date"}},
        "required": ["status"],
        "if": {"properties": {"status": {"const": "closed"}}},
        "then": {"required": ["closed"]},
        "else": {"not": {"required": ["closed"]}},
    }
    rows = [{"status": "open"}, {"status": "closed"}, {"status": "closed", "closed": "2024-01-01"},
            {"status": "open", "closed": "2024-01-01"}]  # fmt: skip
    found = verdicts(contract(schema), rows)
    assert found == [accepts(schema, row) for row in rows] == [True, False, True, False]


@settings(max_examples=40, deadline=None)
@given(case=flat())
def test_written_again_a_schema_gives_the_same_verdicts(case: Any) -> None:
    schema, rows = case
    again, notes = written(contract(schema), "raw.r")
    if not notes:
        assert [accepts(again, row) for row in rows] == [accepts(schema, row) for row in rows]
