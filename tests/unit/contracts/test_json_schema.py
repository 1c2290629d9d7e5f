"""JSON Schema in: what each keyword comes to. And out: what a contract says as a schema."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headgate.contracts.document import read_json
from headgate.contracts.json_schema.read import read
from headgate.contracts.json_schema.write import schema
from headgate.contracts.model import Contract
from headgate.contracts.render import conditions, lines
from headgate.contracts.short import parse_lines
from headgate.contracts.verify import verify
from headgate.core.errors import ContractError


def contract(value: Any) -> Contract:
    return read(read_json(json.dumps(value), "o.schema.json"))


def line(prop: Any, **more: Any) -> str:
    made = contract({"type": "object", "properties": {"a": prop}, **more})
    assert made.notes == ()
    assert conditions(made) == {}
    return lines(made)["a"]


@pytest.mark.parametrize(
    ("prop", "expected"),
    [
        ({"type": "string"}, "text"),
        ({"type": "integer"}, "bigint"),
        ({"type": "number"}, "double"),
        ({"type": "boolean"}, "bool"),
        ({"type": ["string", "null"]}, "text"),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": "string", "format": "date-time"}, "timestamptz"),
        ({"type": "string", "format": "uuid"}, "uuid"),
        ({"type": "string", "format": "date", "minLength": 1}, "text, length(1, *)"),
        ({"type": "string", "minLength": 1, "maxLength": 5}, "text, length(1, 5)"),
        ({"type": "string", "maxLength": 5.0}, "text, length(5)"),
        ({"type": "string", "pattern": "^a"}, "text, pattern('^a')"),
        ({"type": "string", "enum": ["NO", "a b", 5]}, "text, in(NO, 'a b')"),
        ({"enum": ["a", None]}, "text, in(a)"),
        ({"enum": [1, 2.5]}, "double, in(1, 2.5)"),
        ({"const": True}, "bool, in(true)"),
        ({"type": "integer", "minimum": 0.5, "maximum": 9.5}, "bigint, min(1), max(9)"),
        ({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10}, "bigint, above(0), below(10)"),
        ({"type": "integer", "minimum": -1e30}, "bigint"),
        ({"type": "number", "minimum": 0.1}, "double, min(0.1)"),
        ({"type": "number", "multipleOf": 0.01}, "decimal(38,9), multiple_of(0.01)"),
        (True, "json"),
        ({"title": "any"}, "json"),
    ],
)
def test_a_property_is_a_line(prop: Any, expected: str) -> None:
    assert line(prop) == expected


def test_required_columns_may_be_null_where_the_type_says_so() -> None:
    assert line({"type": "string"}, required=["a"]) == "text, required"
    assert line({"type": ["null", "string"]}, required=["a"]) == "text"
    made = contract({"required": ["b"], "properties": {"a": True}})
    assert lines(made) == {"a": "json", "b": "json, required"}


def test_references_and_joined_objects_are_one_row() -> None:
    made = contract(
        {
            "allOf": [{"$ref": "#/definitions/base"}, {"properties": {"b": {"type": "integer"}}}],
            "definitions": {"base": {"type": "object", "properties": {"a": {"$ref": "#/definitions/name~1x"}}},
                            "name/x": {"type": "string"}},
        }
    )  # fmt: skip
    assert lines(made) == {"a": "text", "b": "bigint"}


def test_the_rest_is_conditions_named_by_pointer() -> None:
    made = contract(
        {
            "properties": {
                "a": {"type": "object", "required": ["x"], "properties": {"x": {"type": "string", "maxLength": 2}}},
                "b": {"type": "array", "items": {"type": "integer"}},
                "c": {"type": "string", "not": {"const": "x"}},
            },
            "dependentRequired": {"a": ["b"]},
        }
    )
    assert lines(made) == {"a": "json", "b": "json", "c": "text"}
    assert list(conditions(made)) == [
        "properties/a/type",
        "properties/a/required",
        "properties/a/properties/x/type",
        "properties/a/properties/x/maxLength",
        "properties/b/type",
        "properties/b/items",
        "properties/c/not",
        "dependentRequired",
    ]
    assert verify(made) == []


@pytest.mark.parametrize(
    ("prop", "pointer"),
    [
        ({"type": "string", "pattern": "(?=a)"}, "/properties/a/pattern"),
        ({"type": "array", "uniqueItems": True}, "/properties/a/uniqueItems"),
        ({"type": "object", "patternProperties": {"a": True}}, "/properties/a/patternProperties"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "/properties/a/additionalProperties"),
        ({"type": "object", "properties": {"x": {"enum": [[1]]}}}, "/properties/a/properties/x/enum"),
        ({"type": "array", "contains": {"const": 1}, "minContains": 2}, "/properties/a/minContains"),
        ({"anyOf": [{"$ref": "#/properties/a"}]}, "/properties/a"),
    ],
)
def test_what_has_no_condition_is_listed_by_pointer(prop: Any, pointer: str) -> None:
    notes = contract({"properties": {"a": prop}}).notes
    assert {note.code for note in notes} == {"not-enforced"}
    assert pointer in {note.evidence["pointer"] for note in notes} or "contains itself" in notes[0].what


@pytest.mark.parametrize(
    ("text", "code", "where", "what"),
    [
        ('{"a": 1,\n "a": 2}', "json-syntax", "s.json:2:2", "the key 'a' stands twice"),
        ('{"a": tru}', "json-syntax", "s.json:1:7", "begins no value"),
        ('{"a": 1} x', "json-syntax", "s.json:1:10", "something follows"),
        ('["a"', "json-syntax", "s.json:1:5", "expected ','"),
        ("[" * 200, "json-syntax", "s.json:1:102", "nested more than 100"),
        ('{"$schema": "http://json-schema.org/draft-04/schema#"}', "json-schema-invalid", "s.json:1:2", "is not read"),
        ('{"type": "array"}', "json-schema-invalid", "s.json:1:1", "rows are objects"),
        ('{"type": "object"}', "json-schema-invalid", "s.json:1:1", "no properties"),
        ('{"properties": {"a": {"type": "text"}}}', "json-schema-invalid", "s.json:1:23", "unknown type 'text'"),
        ('{"properties": {"a": {"minLength": -1}}}', "json-schema-invalid", "s.json:1:23", "minLength must be a whole"),
        ('{"properties": {"a": {"$ref": "#/x"}}}', "json-schema-invalid", "s.json:1:23", "leads nowhere"),
        ('{"properties": {"a": {"$ref": "x.json"}}}', "json-schema-invalid", "s.json:1:23", "outside of the file"),
        ('{"properties": {"a": {"$ref": "#/properties/a"}}}', "json-schema-invalid", "s.json:1:23", "refers to itself"),
        ('{"properties": {"_hg_a": {"type": "string"}}}', "reserved-name", "s.json:1:17", "can't be a column's name"),
    ],
)
def test_mistakes_stand_at_their_place(text: str, code: str, where: str, what: str) -> None:
    with pytest.raises(ContractError) as error:
        read(read_json(text, "s.json"))
    finding = error.value.finding
    assert (finding.code, finding.where) == (code, where)
    assert what in finding.what


def test_a_contract_as_a_schema() -> None:
    made = parse_lines(
        {
            "id": "int, key",
            "name": "text(9), required, pattern('^a'), from('The name')",
            "amount": "decimal(9,2), between(0, 9.5), in(1, 2), multiple_of(0.5)",
            "kind": "text, not_in(a), length(2, *), in(x, y, severity=warn)",
            "day": "date, min(2024-01-01)",
        },
        {"r": "id > 0"},
    )
    found, notes = schema(made, "raw.orders")
    assert found == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "raw.orders",
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "The name": {"type": "string", "maxLength": 9, "pattern": "^a"},
            "amount": {
                "type": ["number", "null"],
                "minimum": 0,
                "maximum": 9.5,
                "enum": [1, 2, None],
                "multipleOf": 0.5,
            },
            "kind": {"type": ["string", "null"], "not": {"enum": ["a"]}, "minLength": 2},
            "day": {"type": ["string", "null"], "format": "date"},
        },
        "required": ["id", "The name"],
    }
    assert [note.what.partition(" is not")[0] for note in notes] == ["kind.in", "day.min", "r", "key of id"]
