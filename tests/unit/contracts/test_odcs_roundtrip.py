"""Written as ODCS and read again, a contract means the same, and the document keeps the standard."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.contracts.contract_kit import contracts, with_lists

from headgate.contracts.model import Child, Contract
from headgate.contracts.odcs import read, write
from headgate.contracts.short import as_upsert, parse_lines
from headgate.core.errors import ContractError
from headgate.project import document


@settings(max_examples=40, deadline=None)
@given(contracts(), st.sampled_from(write.WRITTEN))
def test_odcs_means_the_same(made: Contract, version: str) -> None:
    assert_it_means_the_same(made, version)


@settings(max_examples=12, deadline=None)
@given(with_lists(), st.sampled_from(write.WRITTEN))
def test_lists_that_are_tables_mean_the_same(made: Contract, version: str) -> None:
    assert_it_means_the_same(made, version)


def test_elements_that_are_documents_mean_the_same() -> None:
    lines = Child("raw.t", "docs", parse_lines({"doc": "json, required, from('.')"}), (("id", "t_id"),), "position")
    assert_it_means_the_same(replace(parse_lines({"id": "int, key"}), children=(lines,)), "v3.1.0")


def assert_it_means_the_same(made: Contract, version: str) -> None:
    text = write.text(write.document(made, "raw.orders", version))
    again = read.read(document.read(text, "orders.odcs.yaml"), "raw.orders")
    assert again.digest() == made.digest()
    assert again.notes == ()


def test_an_upsert_means_the_same() -> None:
    made = as_upsert(parse_lines({"id": "int, min(0)", "day": "date, required(severity=warn)"}), ["id", "day"])
    text = write.text(write.document(made, "raw.orders"))
    again = as_upsert(read.read(document.read(text, "orders.odcs.yaml"), "raw.orders"), ["id", "day"])
    assert again.digest() == made.digest()


def test_what_the_standard_can_say_is_said_in_its_words() -> None:
    lines = {
        "id": "bigint, key",
        "mail": "text, required, length(3, 99), pattern('^[^@ ]+@[^@ ]+$'), pii, unique, from('E-Mail')",
        "country": "text(2), in(FR, 'NO', severity=warn)",
        "amount": "decimal(9,2), between(0, 9.5), multiple_of(0.01), references(raw.prices.amount)",
        "share": "double, above(0), below(1)",
    }
    rules = {"some": {"rows": "10.."}, "day": {"unique": ["id", "mail"]}}
    found = write.document(parse_lines(lines, rules), "raw.orders")
    (table,) = found["schema"]
    id_, mail, country, amount, share = table["properties"]
    assert id_["primaryKey"] is True
    assert mail["physicalName"] == "E-Mail"
    assert mail["classification"] == "restricted"
    assert mail["unique"] is True
    assert mail["logicalTypeOptions"] == {"pattern": "^[^@ ]+@[^@ ]+$", "minLength": 3, "maxLength": 99}
    assert country["quality"] == [
        {"metric": "invalidValues", "arguments": {"validValues": ["FR", "NO"]}, "mustBe": 0, "severity": "warning"}
    ]
    assert amount["logicalTypeOptions"] == {"minimum": 0, "maximum": 9.5, "multipleOf": 0.01}
    assert amount["relationships"] == [{"type": "foreignKey", "to": "raw.prices.amount"}]
    assert share["logicalTypeOptions"] == {"exclusiveMinimum": 0, "exclusiveMaximum": 1}
    assert table["quality"] == [
        {"name": "day", "metric": "duplicateValues", "arguments": {"properties": ["id", "mail"]}, "mustBe": 0},
        {"name": "some", "metric": "rowCount", "mustBeGreaterOrEqualTo": 10},
    ]
    assert "customProperties" not in str(found)


def test_references_are_relationships_of_columns_and_of_the_object() -> None:
    lines = {
        "id": "int, key",
        "carrier": "text, references(raw.carriers.id, unmatched=warn, mostly=99%)",
        "number": "int",
        "leg of": "int",
    }
    rules = {
        "spaced": {"references": "raw.legs", "columns": ["id", "leg of"]},
        "route": {"references": "raw.routes", "columns": ["carrier", "number"], "to": ["airline", "no"]},
        "alone": {"references": "flights", "columns": ["number"], "unmatched": "null", "message": "must fly"},
    }
    made = parse_lines(lines, rules)
    (table,) = write.document(made, "raw.flights")["schema"]
    mostly = [{"property": "headgateUnmatched", "value": "warn"}, {"property": "headgateMostly", "value": "99%"}]
    assert table["properties"][1]["relationships"] == [
        {"type": "foreignKey", "to": "raw.carriers.id", "customProperties": mostly}
    ]
    assert table["relationships"] == [
        {
            "id": "route",
            "type": "foreignKey",
            "from": ["flights.carrier", "flights.number"],
            "to": ["raw.routes.airline", "raw.routes.no"],
        },
        {
            "id": "alone",
            "type": "foreignKey",
            "from": ["flights.number"],
            "to": ["main.flights.number"],
            "customProperties": [
                {"property": "headgateUnmatched", "value": "null"},
                {"property": "headgateMessage", "value": "must fly"},
            ],
        },
    ]
    # The standard has no way to name this one's column.
    assert [item["name"] for item in table["quality"]] == ["spaced"]
    text = write.text(write.document(made, "raw.flights"))
    again = read.read(document.read(text, "flights.odcs.yaml"), "raw.flights")
    assert again.digest() == made.digest()
    assert again.notes == ()


def test_an_old_version_is_not_written() -> None:
    with pytest.raises(ContractError, match=r"'v3\.0\.2' is not written"):
        write.document(parse_lines({"a": "int"}), "t", "v3.0.2")


def test_former_names_come_back() -> None:
    made = parse_lines({"id": "int, key, was(no, 'old id')", "on": "date, format('dd.MM.yyyy'), null('-'), was(day)"})
    back = read.read(document.read(write.text(write.document(made, "raw.orders")), "orders.odcs.yaml"), "raw.orders")
    assert [column.was for column in back.columns] == [("no", "old id"), ("day",)]
    assert back.digest() == made.digest()
