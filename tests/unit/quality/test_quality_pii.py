"""Personal data is recognised, and never shown."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from tests.unit.quality.quality_kit import profiled

from headgate.quality.pii import by_name, by_values, shape
from headgate.quality.profile import masked


@pytest.mark.parametrize(
    ("name", "table", "kind"),
    [
        ("email", "raw.t", "email"),
        ("E-Mail", "raw.t", "email"),
        ("firstName", "raw.t", "name"),
        ("name", "raw.customers", "name"),
        ("name", "raw.products", ""),
        ("date_of_birth", "raw.t", "birth"),
        ("Phone Number", "raw.t", "phone"),
        ("amount", "raw.customers", ""),
        ("emails_sent", "raw.t", ""),
    ],
)
def test_by_name(name: str, table: str, kind: str) -> None:
    assert by_name(name, table) == kind


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a@x.org", "b@y.de"], "email"),
        (["+49 30 1234567", "+33 1 23 45 67 89"], "phone"),
        (["4111111111111111", "5500000000000004"], "card"),
        (["4111111111111112", "5500000000000005"], ""),
        (["DE89370400440532013000", "FR1420041010050500013M02606"], "account"),
        (["2026-01-01", "2026-01-02"], ""),
        (["1234567", "7654321"], ""),
        (["a@x.org", "b", "c"], ""),
        ([], ""),
    ],
)
def test_by_values(values: list[str], kind: str) -> None:
    assert by_values(values) == kind


def test_a_shape_keeps_no_letter_and_no_digit() -> None:
    assert shape("Ämilie.O'Hara7@x.org") == "Aaaaaa.A'Aaaa9@a.aaa"


def test_no_personal_value_leaves_a_masked_profile(tmp_path: Path) -> None:
    people = [f"zoe{number}@example.org" for number in (17, 18, 19)]
    text = "email,tag\n" + "".join(f"{one},7\n" for one in [*people, people[0]])
    found = masked(profiled(tmp_path, text))
    assert [one.pii for one in found.columns] == ["email", ""]
    said = json.dumps(dataclasses.asdict(found))
    assert "zoe" not in said
    assert "aaa99@aaaaaaa.aaa" in said


def test_numbers_of_cards_are_masked_too(tmp_path: Path) -> None:
    numbers = ["4111111111111111", "5500000000000004"]
    found = masked(profiled(tmp_path, "x,card_no\n" + "".join(f"a{one},{one}\n" for one in numbers)))
    said = json.dumps(dataclasses.asdict(found.column("card_no")))
    assert found.column("card_no").pii == "card"
    assert not any(one in said for one in numbers)
    assert found.column("card_no").mean is None
