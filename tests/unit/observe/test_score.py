"""Scores are shares of judgements, counted by hand."""

from __future__ import annotations

import pytest

from headgate.contracts import short
from headgate.contracts.grammar import PlacedText
from headgate.contracts.model import Contract
from headgate.observe.facts import Judged
from headgate.observe.score import Score, rules_of, score, total


def contract(columns: dict[str, str], rules: dict[str, str] | None = None) -> Contract:
    def placed(texts: dict[str, str]) -> list[tuple[PlacedText, PlacedText]]:
        return [(PlacedText(name, "f"), PlacedText(text, "f")) for name, text in texts.items()]

    return short.parse(placed(columns), placed(rules or {}), [], None, None)


ORDERS = {
    "id": "int, key",
    "amount": "decimal(8,2), required, min(0)",
    "note": "text",
    "who": "int, references(raw.b.id)",
}


def test_every_question_of_a_contract_has_one_dimension() -> None:
    found: dict[str, list[str]] = {}
    for dimension, name in rules_of(contract(ORDERS, {"sound": "amount < 10"})):
        found.setdefault(dimension, []).append(name)
    assert found == {
        "validity": ["record", "id.type", "amount.type", "who.type", "amount.min"],
        "completeness": ["id.required", "amount.required"],
        "uniqueness": ["id.key"],
        "consistency": ["sound", "who.references"],
    }


def test_a_score_is_the_share_of_judgements_that_passed() -> None:
    broken = {"amount.required": 5, "amount.min": 10, "id.key": 1, "sound": 20, "who.references": 20, "amount.type": 0}
    found = score(contract(ORDERS, {"sound": "amount < 10"}), Judged(100, broken), 1.0)
    assert found.dimensions == {
        "completeness": pytest.approx(1 - 5 / 200),
        "validity": pytest.approx(1 - 10 / 500),
        "uniqueness": pytest.approx(0.99),
        "consistency": pytest.approx(0.8),
        "timeliness": 1.0,
    }
    assert found.total == pytest.approx((0.975 + 0.98 + 0.99 + 0.8 + 1) / 5)


def test_what_nobody_asked_has_no_score() -> None:
    found = score(contract({"note": "text"}), Judged(10), None)
    assert found.dimensions == {
        "completeness": None, "validity": 1.0, "uniqueness": None, "consistency": None, "timeliness": None}  # fmt: skip
    assert score(None, Judged(10), None).total is None
    assert score(contract({"note": "text"}), Judged(0), None).total is None


def test_the_total_is_the_mean_over_tables_that_have_a_score() -> None:
    def of(value: float | None) -> Score:
        return Score(
            value, dict.fromkeys(("completeness", "validity", "uniqueness", "consistency", "timeliness"), value)
        )

    assert total([of(1.0), of(0.5), of(None)]).total == pytest.approx(0.75)
    assert total([]).total is None
