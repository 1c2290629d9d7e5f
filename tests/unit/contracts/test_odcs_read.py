"""What a document of ODCS comes to, clause by clause."""

from __future__ import annotations

import json

import duckdb
import pytest

from headgate.contracts.model import Contract
from headgate.contracts.odcs import read
from headgate.contracts.render import conditions, lines
from headgate.core.errors import HeadgateError
from headgate.project import document

Q, QI = "logicalType: string, quality: [{", "logicalType: integer, quality: [{"
T, N = "logicalType: string, logicalTypeOptions: {", "logicalType: number, logicalTypeOptions: {"
HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: c\nversion: 1.2.0\nstatus: active\n"


def contract(text: str, table: str = "raw.orders", name: str | None = None) -> Contract:
    return read.read(document.read(text, "orders.odcs.yaml"), table, name)


def prop(body: str) -> Contract:
    """A contract of one object with one property `a` of this body."""
    return contract(f"{HEAD}schema:\n- name: orders\n  properties:\n  - {{name: a, {body}}}\n")


def told(made: Contract) -> list[tuple[str, str]]:
    return [(note.code, note.what) for note in made.notes]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("logicalType: string", "text"),
        ("logicalType: integer", "int"),
        ("logicalType: number", "decimal(38,9)"),
        (N + "format: f64}", "double"),
        ("logicalType: integer, logicalTypeOptions: {format: u8}", "int, between(0, 255)"),
        ("logicalType: integer, logicalTypeOptions: {format: u64}", "decimal(38,0)"),
        ("logicalType: number, physicalType: 'NUMBER(10, 2)'", "decimal(10,2)"),
        ("logicalType: number, physicalType: DOUBLE PRECISION", "double"),
        ("logicalType: string, physicalType: VARCHAR2(3)", "text(3)"),
        ("logicalType: string, physicalType: char(36), logicalTypeOptions: {format: uuid}", "text(36)"),
        (T + "format: uuid}", "uuid"),
        ("logicalType: timestamp", "timestamp"),
        ("logicalType: timestamp, logicalTypeOptions: {timezone: true}", "timestamptz"),
        ("logicalType: timestamp, physicalType: TIMESTAMP WITH TIME ZONE", "timestamptz"),
        ("logicalType: date, physicalType: timestamp(6)", "timestamp"),
        ("physicalType: BIGINT", "bigint"),
        ("logicalType: boolean", "bool"),
        ("logicalType: array", "json"),
        ("description: no type", "text"),
        ("logicalType: integer, primaryKey: true, required: true", "int, key"),
        ("logicalType: integer, required: true, unique: true", "int, required, unique"),
        ("logicalType: integer, physicalName: Order ID", "int, from('Order ID')"),
        ("logicalType: string, classification: Restricted", "text, pii"),
        (T + "minLength: 2}", "text, length(2, *)"),
        (T + "maxLength: 2}", "text, length(2)"),
        (
            T + r"pattern: '^\d+$'}",
            r"text, pattern('^\d+$')",
        ),
        (
            N + "minimum: 0.1, exclusiveMaximum: 1e3}",
            "decimal(38,9), min(0.1), below(1000)",
        ),
        (
            "logicalType: date, logicalTypeOptions: {minimum: '2024-01-01', maximum: '2024-12-31'}",
            "date, between(2024-01-01, 2024-12-31)",
        ),
        ("logicalType: integer, logicalTypeOptions: {multipleOf: 5}", "int, multiple_of(5)"),
        (Q + "metric: nullValues, mustBe: 0}]", "text, required"),
        (Q + "metric: nullValues, mustBeLessThan: 1}]", "text, required"),
        (
            Q + "metric: nullValues, mustBeLessThan: 5, unit: percent}]",
            "text, required, mostly(>95%)",
        ),
        (
            Q + "metric: nullValues, mustBeBetween: [0, 5], unit: percent}]",
            "text, required, mostly(95%)",
        ),
        (
            Q + "metric: missingValues, arguments: {missingValues: [null, '', N/A]}, mustBe: 0}]",
            "text, required, not_in('', 'N/A')",
        ),
        (
            Q + "metric: missingValues, arguments: {missingValues: ['']}, mustBe: 0}]",
            "text, not_in('')",
        ),
        (
            QI + "metric: missingValues, arguments: {missingValues: [null, 'N/A']}, mustBe: 0}]",
            "int, required",
        ),
        (
            Q + "metric: invalidValues, arguments: {validValues: [a, NO, a]}, mustBe: 0, severity: warning}]",
            "text, in(a, NO), warn",
        ),
        (
            Q + "metric: invalidValues, arguments: {pattern: '^a'}, mustBe: 0}]",
            "text, pattern('^a')",
        ),
        (QI + "metric: duplicateValues, mustBe: 0}]", "int, unique"),
        ("logicalType: integer, relationships: [{to: customers.id}]", "int, references(main.customers.id)"),
        ("logicalType: integer, relationships: [{to: [customers.id]}]", "int, references(main.customers.id)"),
    ],
)
def test_a_property_is_a_line(body: str, line: str) -> None:
    assert lines(prop(body)) == {"a": line}


@pytest.mark.parametrize(
    ("body", "rules"),
    [
        ("quality: [{name: few, metric: nullValues, mustBeLessThan: 10}]",
         {"few": {"sql": 'count(*) FILTER (WHERE NOT ("a" IS NOT NULL))', "below": "10"}}),
        ("quality: [{metric: duplicateValues, mustBeLessOrEqualTo: 3, severity: warning}]",
         {"a_duplicate_values": {
             "sql": 'count(*) FILTER (WHERE "a" IS NOT NULL) - count(DISTINCT ("a")) FILTER (WHERE "a" IS NOT NULL)',
             "max": "3", "severity": "warn"}}),
        ("quality: [{name: n, metric: rowCount, mustBeBetween: [1, 5]}]", {"n": {"rows": "1..5"}}),
        ("quality: [{name: n, metric: rowCount, mustBeGreaterThan: 1}]", {"n": {"rows": "2.."}}),
        ("quality: [{name: n, metric: rowCount, mustBe: 7}]", {"n": {"rows": "7"}}),
        ("quality: [{name: t, type: sql, query: 'SELECT max({property}) FROM {object}', mustBeGreaterThan: 0}]",
         {"t": {"sql": 'max("a")', "above": "0"}}),
        ("quality: [{name: t, type: sql, query: 'select count(*) from orders where a > 1', mustBe: 0}]",
         {"t": {"sql": "count(*) FILTER (WHERE a > 1)", "equals": "0"}}),
        ("quality: [{name: t, type: custom, engine: headgate, implementation: a > 'x'}]", {"t": "a > 'x'"}),
    ],
)  # fmt: skip
def test_quality_about_the_load_is_a_named_rule(body: str, rules: dict[str, object]) -> None:
    assert conditions(prop("logicalType: string, " + body)) == rules


@pytest.mark.parametrize(
    ("body", "code", "what"),
    [
        ("logicalType: string, description: x", "metadata-only", "schema.properties.description is metadata only"),
        ("logicalType: string, classification: public", "metadata-only", "schema.properties.classification"),
        ("logicalType: integer, physicalType: GEOGRAPHY", "metadata-only", "schema.properties.physicalType"),
        (T + "format: email}", "metadata-only", "logicalTypeOptions.format"),
        (
            T + "pattern: '(?=a)'}",
            "not-enforced",
            "the pattern of 'a' is not checked",
        ),
        ("logicalType: array, logicalTypeOptions: {uniqueItems: true}", "not-enforced", "uniqueItems in 'a' is not"),
        (
            "logicalType: object, properties: [{name: b, logicalType: string, unique: true}]",
            "not-enforced",
            "unique of the nested 'b' is not checked",
        ),
        (
            "logicalType: array, items: {logicalType: string, logicalTypeOptions: {pattern: '(?=a)'}}",
            "not-enforced",
            "the pattern (look-around has no counterpart in RE2) in 'a' is not checked",
        ),
        (
            "logicalType: array, items: {logicalType: date, logicalTypeOptions: {format: dd.MM.yyyy}}",
            "not-enforced",
            "the format of the nested 'items' is not checked",
        ),
        ("logicalType: integer, relationships: [{to: [x.a, x.b]}]", "not-enforced", "the relationship of 'a'"),
        (
            Q + "type: text, name: t, description: nice}]",
            "metadata-only",
            "quality 't' is text",
        ),
        (
            Q + "type: custom, name: t, engine: soda, implementation: x}]",
            "not-enforced",
            "quality 't'",
        ),
        (
            Q + "type: sql, name: t, query: 'select 1 from a join b', mustBe: 1}]",
            "not-enforced",
            "quality 't'",
        ),
        (Q + "name: t, metric: nullValues, mustNotBe: 3}]", "not-enforced", "quality 't'"),
        (
            Q + "name: t, metric: nullValues, mustBeGreaterThan: 3}]",
            "not-enforced",
            "quality 't'",
        ),
        (
            Q + "name: t, metric: duplicateValues, mustBe: 0, severity: info}]",
            "not-enforced",
            "quality 't'",
        ),
    ],
)
def test_what_is_not_checked_is_told(body: str, code: str, what: str) -> None:
    ((found, said),) = told(prop(body))
    assert found == code
    assert what in said


def test_repeated_metadata_is_told_once_with_every_place() -> None:
    text = "schema:\n- name: o\n  properties:\n  - name: a\n    description: x\n  - name: b\n    description: y\n"
    (note,) = contract(HEAD + text).notes
    assert note.what == "schema.properties.description (2 times) is metadata only: nothing is checked by it"
    assert note.where == "orders.odcs.yaml:10:5"
    assert note.evidence == {"places": ["orders.odcs.yaml:10:5", "orders.odcs.yaml:12:5"]}


def test_latency_is_freshness() -> None:
    text = (
        "schema: [{name: orders, properties: [{name: at, logicalType: timestamp}]}]\n"
        "slaProperties: [{property: latency, value: 4, unit: h, element: orders.at},"
        " {property: retention, value: 3, unit: y}]\n"
    )
    made = contract(HEAD + text)
    assert conditions(made) == {"latency_at": {"freshness": "at", "within": "4h"}}
    assert [code for code, _ in told(made)] == ["metadata-only"]


TWO = "schema: [{name: orders, physicalName: raw.orders, properties: [{name: a, logicalType: integer,"
TWO += " relationships: [{to: c.id}]}]},"
TWO += " {name: c, physicalName: crm.customers, properties: [{name: id, logicalType: integer}]}]\n"


def related(*relations: str, at: int = 0) -> str:
    """Two objects with relationships at one of them."""
    listed = [f", relationships: [{', '.join(relations)}]" if at == number else "" for number in (0, 1)]
    flights = "[{name: id, id: f1, logicalType: integer}, {name: carrier, id: f2, logicalType: string},"
    flights += " {name: number, id: f3, logicalType: integer}, {name: more, id: f4, logicalType: object}]"
    routes = "[{name: airline, id: r1, logicalType: string}, {name: no, id: r2, logicalType: integer}]"
    text = f"schema: [{{name: flights, id: fl, physicalName: raw.flights, properties: {flights}{listed[0]}}},"
    return f"{HEAD}{text} {{name: routes, id: ro, physicalName: raw.routes, properties: {routes}{listed[1]}}}]\n"


PAIR = {"references": "raw.routes", "columns": ["carrier", "number"], "to": ["airline", "no"]}
PAIRS = "from: [flights.carrier, flights.number], to: [routes.airline, routes.no]"
FULL = "from: [/schema/fl/properties/f2, schema/fl/properties/f3],"
FULL += " to: [/schema/ro/properties/r1, schema/ro/properties/r2]"


@pytest.mark.parametrize(
    ("relation", "name", "rule"),
    [
        (f"{{id: known-route, {PAIRS}}}", "known-route", PAIR),
        (f"{{{PAIRS}}}", "references_carrier_number", PAIR),
        (f"{{type: foreignKey, {FULL}}}", "references_carrier_number", PAIR),
        (f"{{{PAIRS.replace('flights.', 'raw.flights.').replace('routes.', 'raw.routes.')}}}", "", PAIR),
        (f"{{{PAIRS.replace('flights.', 'lake.raw.flights.')}}}", "", PAIR),
        (f"{{{PAIRS.replace('routes.', 'crm.routes.')}}}", "", {**PAIR, "references": "crm.routes"}),
        ("{id: a, from: [flights.number], to: [elsewhere.no]}", "a", {"references": "main.elsewhere"}),
        (f"{{{PAIRS}, customProperties: [{{property: headgateUnmatched, value: warn}}]}}", "", {"unmatched": "warn"}),
    ],
)
@pytest.mark.parametrize("at", [0, 1])
def test_a_relationship_of_several_columns_is_a_rule(
    relation: str, name: str, rule: dict[str, object], at: int
) -> None:
    # Wherever it stands: what `from` names is what is checked.
    made = contract(related(relation, at=at), "raw.flights")
    assert told(made) == []
    ((code, found),) = conditions(made).items()
    assert isinstance(found, dict)
    assert code == (name or "references_carrier_number")
    assert found | rule == found
    assert str(made.references[0].where).startswith("orders.odcs.yaml:6:")


def test_a_relationship_of_one_column_is_in_its_line_wherever_it_stands() -> None:
    for at in (0, 1):
        text = related(
            "{from: flights.number, to: routes.no}", "{from: [flights.carrier], to: [routes.airline]}", at=at
        )
        made = contract(text, "raw.flights")
        assert lines(made)["number"] == "int, references(raw.routes.no)"
        assert lines(made)["carrier"] == "text, references(raw.routes.airline)"
        assert conditions(made) == {}
        assert lines(contract(text, "raw.routes")) == {"airline": "text", "no": "int"}


@pytest.mark.parametrize(
    ("relation", "code", "what"),
    [
        ("{from: routes.no, to: flights.id}", "metadata-only", "the relationship of raw.routes is metadata only here"),
        ("{from: [flights.id, routes.no], to: [x.a, x.b]}", "not-enforced", "the relationship is not checked"),
        ("{from: flights.nope, to: routes.no}", "not-enforced", "the relationship is not checked"),
        ("{from: nowhere.id, to: routes.no}", "not-enforced", "the relationship is not checked"),
        ("{from: flights.more.id, to: routes.no}", "not-enforced", "the relationship is not checked"),
        ("{from: flights.number, to: routes.nope}", "not-enforced", "the relationship of 'number' is not checked"),
        ("{from: flights.number, to: other.yaml#/schema/a/properties/b}", "not-enforced", "the relationship of 'nu"),
        ("{from: flights.number, to: lake.crm.routes2.no}", "not-enforced", "the relationship of 'number' is not"),
        ("{from: [flights.id, flights.number], to: [routes.no]}", "not-enforced", "the relationship is not checked"),
        ("{from: [flights.id, flights.number], to: [a.x, b.y]}", "not-enforced", "the relationship is not checked"),
        ("{from: [flights.id, flights.id], to: [a.x, a.y]}", "not-enforced", "the relationship is not checked"),
        ("{from: [flights.id, flights.number], to: [a.b.c.x, a.b.c.y]}", "not-enforced", "the relationship is not"),
        (
            f"{{{PAIRS}, customProperties: [{{property: owner, value: me}}]}}",
            "metadata-only",
            "schema.relationships.customProperties is metadata only",
        ),
    ],
)
def test_a_relationship_that_is_not_checked_is_told(relation: str, code: str, what: str) -> None:
    made = contract(related(relation), "raw.flights")
    (note,) = made.notes
    assert (note.code, note.what[: len(what)]) == (code, what)
    assert note.where.startswith("orders.odcs.yaml:6:")
    assert bool(made.references) is ("customProperties" in relation)


NESTED = """logicalType: object
    properties:
    - {name: mail, logicalType: string, required: true, logicalTypeOptions: {pattern: '^[^@]+@[^@]+$'}}
    - {name: born, logicalType: date}
    - {name: size, logicalType: integer, logicalTypeOptions: {format: u8}, enum: [{value: 1}, {value: 2}]}
    - name: address
      logicalType: object
      properties: [{name: zip, physicalName: Zip, logicalType: string, logicalTypeOptions: {minLength: 3}}]
    - name: items
      logicalType: array
      logicalTypeOptions: {minItems: 1}
      items:
        logicalType: object
        properties: [{name: sku, logicalType: string, required: true}, {name: qty, logicalType: number}]
"""


@pytest.mark.parametrize(
    ("value", "broken"),
    [
        (None, []),
        ({"mail": "a@b"}, []),
        ({"mail": "a@b", "born": None, "size": None, "address": None, "items": None}, []),
        ({"mail": "a@b", "other": 1, "address": {"Zip": "123"}, "items": [{"sku": "x", "qty": 1.5}]}, []),
        ("a@b", ["a/type"]),
        ({}, ["a/required"]),
        ({"mail": None}, ["a/properties/mail/type"]),
        ({"mail": "ab"}, ["a/properties/mail/pattern"]),
        ({"mail": "a@b", "born": "2024-02-30"}, ["a/properties/born/logicalType"]),
        ({"mail": "a@b", "born": 5}, ["a/properties/born/type"]),
        ({"mail": "a@b", "size": 3}, ["a/properties/size/enum"]),
        ({"mail": "a@b", "size": 256}, ["a/properties/size/maximum", "a/properties/size/enum"]),
        ({"mail": "a@b", "address": {"Zip": "12"}}, ["a/properties/address/properties/Zip/minLength"]),
        ({"mail": "a@b", "items": []}, ["a/properties/items/minItems"]),
        ({"mail": "a@b", "items": [{"sku": "x"}, {"qty": 1}]}, ["a/properties/items/items"]),
        ({"mail": "a@b", "items": {"sku": "x"}}, ["a/properties/items/type"]),
    ],
)
def test_what_is_within_a_value_is_judged_member_by_member(value: object, broken: list[str]) -> None:
    text = f"{HEAD}schema:\n- name: orders\n  properties:\n  - name: a\n    {NESTED}"
    made = contract(text)
    assert told(made) == []
    assert lines(made) == {"a": "json"}
    with duckdb.connect() as connection:
        found = []
        for rule in made.rows:
            given = None if value is None else json.dumps(value)
            (row,) = connection.execute(f"SELECT {rule.sql} FROM (SELECT CAST(? AS JSON) AS a)", [given]).fetchall()
            found += [rule] if row == (False,) else []
    assert [rule.code for rule in found] == broken
    assert all(rule.message.startswith("must ") or "must be" in rule.message for rule in found)
    assert all(rule.where is not None and rule.where.line > 7 for rule in made.rows)


def test_the_object_is_named_or_that_of_the_table() -> None:
    assert lines(contract(HEAD + TWO)) == {"a": "int, references(crm.customers.id)"}
    assert lines(contract(HEAD + TWO, "x.y", "c")) == {"id": "int"}
    assert lines(contract(HEAD + TWO, "x.c")) == {"id": "int"}


def test_old_words_for_quality_are_understood() -> None:
    text = HEAD.replace("v3.1.0", "v3.0.2") + (
        "schema: [{name: o, properties: [{name: a, logicalType: string, quality: ["
        "{type: library, rule: nullCheck}, {rule: duplicateCount, mustBeLessThan: 1, unit: rows},"
        " {rule: validValues, validValues: [x, y]}]}],"
        " quality: [{name: n, rule: rowCount, mustBeGreaterThanOrEqualTo: 5}]}]\n"
    )
    made = contract(text)
    assert lines(made) == {"a": "text, required, in(x, y), unique"}
    assert conditions(made) == {"n": {"rows": "5.."}}


def test_the_enumeration_of_3_2_is_a_list_of_values() -> None:
    text = HEAD.replace("v3.1.0", "v3.2.0") + (
        "schema: [{name: o, properties: [{name: a, logicalType: integer,"
        " enum: [{value: 1, label: one}, {value: 2}]}]}]\n"
    )
    assert lines(contract(text)) == {"a": "int, in(1, 2)"}


@pytest.mark.parametrize(
    ("text", "code", "where", "what"),
    [
        (HEAD.replace("v3.1.0", "v2.2.2"), "odcs-version", "orders.odcs.yaml:1:1", "apiVersion 'v2.2.2' is not read"),
        ("kind: DataContract\n", "odcs-version", "orders.odcs.yaml:1:1", "there is no apiVersion"),
        (HEAD + "schemas: []\n", "odcs-invalid", "orders.odcs.yaml:1:1", "'schemas' was unexpected"),
        (HEAD + "schema:\n- name: o\n  properties:\n  - {name: a, logicalType: text}\n", "odcs-invalid",
         "orders.odcs.yaml:9:15", "/schema/0/properties/0/logicalType is not what ODCS allows: 'text' is not one of"),
        (HEAD, "odcs-object", "orders.odcs.yaml:1:1", "the contract has no schema"),
        (HEAD + "schema: [{name: o}]\n", "odcs-object", "orders.odcs.yaml:6:10", "the object has no properties"),
        (HEAD + TWO, "odcs-object", "orders.odcs.yaml:6:1", "the contract has several objects"),
        (HEAD.replace("active", "retired") + TWO, "contract-retired", "orders.odcs.yaml:5:1", "is retired"),
        (HEAD + "schema:\n- name: o\n  properties:\n  - name: a\n    logicalType: integer\n"
         "    logicalTypeOptions: {minimum: 0.5}\n",
         "bad-literal", "orders.odcs.yaml:11:26", "'0.5' does not convert to int without loss"),
    ],
)  # fmt: skip
def test_mistakes_stand_at_their_place(text: str, code: str, where: str, what: str) -> None:
    with pytest.raises(HeadgateError) as error:
        contract(text, "raw.orders" if code == "contract-retired" else "x.y")
    assert error.value.finding.code == code
    assert error.value.finding.where == where
    assert what in error.value.finding.what


def test_an_object_that_is_not_there_is_told() -> None:
    with pytest.raises(HeadgateError, match=r"no object 'order' \(did you mean 'orders'\?\)"):
        contract(HEAD + TWO, "x.y", "order")
