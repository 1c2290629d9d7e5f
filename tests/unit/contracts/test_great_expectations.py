"""What an expectation comes to, and Python's patterns in RE2."""

from __future__ import annotations

import re
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.contracts.document import Document
from headgate.contracts.ecma import Untranslatable
from headgate.contracts.great_expectations import read
from headgate.contracts.great_expectations.bind import bind, is_known
from headgate.contracts.great_expectations.conditions import CONDITIONS, SAID
from headgate.contracts.great_expectations.regex import to_re2
from headgate.contracts.model import Contract
from headgate.contracts.render import conditions, lines
from headgate.contracts.short import parse_lines
from headgate.core.errors import ContractError

NAME_X, NAME_Y = (f"regexp_matches(CAST(\"name\" AS VARCHAR), '{char}')" for char in "xy")
KNOWN = {"id": "bigint", "amount": "decimal(9,2)", "day": "date", "name": "text", "ok": "bool"}


def bound(source: str) -> Contract:
    return bind(read.of_python(source, "suite.py"), parse_lines(KNOWN))


def line(source: str) -> str:
    """The one line that is not as it was."""
    made = bound(source)
    assert made.notes == ()
    (changed,) = [text for name, text in lines(made).items() if text != KNOWN[name]]
    return changed


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("d.expect_column_values_to_not_be_null('id')", "bigint, required"),
        ("d.expect_column_values_to_not_be_null('id', 0.95)", "bigint, required, mostly(95%)"),
        ("d.expect_column_values_to_not_be_null('id', mostly=1.0)", "bigint, required"),
        ("d.expect_column_values_to_be_unique('id')", "bigint, unique(keep=none)"),
        ("d.expect_column_values_to_be_between('id', 1, 5)", "bigint, between(1, 5)"),
        ("d.expect_column_values_to_be_between('id', 1.0, None)", "double, min(1)"),
        ("d.expect_column_values_to_be_between('amount', 0.5)", "decimal(9,2), min(0.5)"),
        ("d.expect_column_values_to_be_between('id', min_value=1, strict_min=True)", "bigint, above(1)"),
        ("d.expect_column_values_to_be_between('id', max_value=1, strict_max=True)", "bigint, below(1)"),
        ("d.expect_column_values_to_be_between('name', 0, 9)", "double, between(0, 9)"),
        ("d.expect_column_values_to_be_between('name', '2024-01-01', '2024-12-31')",
         "date, between(2024-01-01, 2024-12-31)"),
        ("d.expect_column_values_to_be_between('day', '2024-01-01')", "date, min(2024-01-01)"),
        ("d.expect_column_values_to_be_in_set('name', ['a', 'b', None, 'a'])", "text, in(a, b)"),
        ("d.expect_column_values_to_be_in_set('id', {1, 2.0, 'x'})", "bigint, in(1, 2)"),
        ("d.expect_column_values_to_be_in_set('ok', [True])", "bool, in(true)"),
        ("d.expect_column_values_to_not_be_in_set('name', ('', 'N/A'))", "text, not_in('', 'N/A')"),
        ("d.expect_column_value_lengths_to_be_between('name', 2)", "text, length(2, *)"),
        ("d.expect_column_value_lengths_to_be_between('name', max_value=5)", "text, length(0, 5)"),
        ("d.expect_column_value_lengths_to_equal('name', 3)", "text, length(3, 3)"),
        ("d.expect_column_values_to_be_of_type('id', 'str')", "text"),
        ("d.expect_column_values_to_be_in_type_list('amount', ['float', 'float64'])", "double"),
        ("gxe.ExpectColumnValuesToNotBeNull(column='id', severity='warning')", "bigint, required, warn"),
        ("gxe.ExpectColumnValuesToNotBeNull(column='id', severity=FailureSeverity.WARNING)", "bigint, required, warn"),
        ("ExpectationConfiguration('expect_column_values_to_not_be_null', {'column': 'id'})", "bigint, required"),
        ("ExpectationConfiguration(type='expect_column_values_to_not_be_null', kwargs={'column': 'id', 'mostly': .5})",
         "bigint, required, mostly(50%)"),
        ("C = 'id'\nd.expect_column_values_to_not_be_null(C, meta={'by': me()})", "bigint, required"),
    ],
)  # fmt: skip
def test_an_expectation_of_a_column_is_a_rule(source: str, expected: str) -> None:
    assert line(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("d.expect_table_row_count_to_be_between(10, 20)", {"table_row_count_to_be_between": {"rows": "10..20"}}),
        ("d.expect_table_row_count_to_equal(7)", {"table_row_count_to_equal": {"rows": "7"}}),
        ("d.expect_column_mean_to_be_between('amount', 1, 2.5)",
         {"amount_mean_to_be_between": {"sql": 'avg("amount")', "between": ["1", "2.5"]}}),
        ("d.expect_column_unique_value_count_to_be_between('name', min_value=3)",
         {"name_unique_value_count_to_be_between": {"sql": 'count(DISTINCT "name")', "min": "3"}}),
        ("d.expect_column_values_to_be_null('name')", {"name_values_to_be_null": '"name" IS NULL'}),
        ("d.expect_compound_columns_to_be_unique(['id', 'day'])",
         {"compound_columns_to_be_unique": {"unique": ["id", "day"], "keep": "none"}}),
        ("d.expect_column_pair_values_a_to_be_greater_than_b('id', 'amount', or_equal=True, mostly=0.9)",
         {"pair_values_a_to_be_greater_than_b": {"check": '"id" >= "amount"', "mostly": "90%"}}),
        ("d.expect_column_values_to_not_match_regex('name', 'x')",
         {"name_values_to_not_match_regex": "NOT regexp_matches(CAST(\"name\" AS VARCHAR), 'x')"}),
        ("d.expect_column_pair_values_A_to_be_greater_than_B('id', 'amount')",
         {"pair_values_a_to_be_greater_than_b": '"id" > "amount"'}),
        ("d.expect_column_values_to_match_regex_list('name', ['x', 'y'], match_on='all', mostly=0.9)",
         {"name_values_to_match_regex_list": {
             "check": f"{NAME_X} AND {NAME_Y}",
             "mostly": "90%"}}),
        ("d.expect_column_values_to_not_match_regex_list('name', ['x', 'y'])",
         {"name_values_to_not_match_regex_list":
             f"NOT ({NAME_X} OR {NAME_Y})"}),
        ("d.expect_column_values_to_match_strftime_format('name', '%d.%m.%Y')",
         {"name_values_to_match_strftime_format":
             "try_strptime(\"name\", '%d.%m.%Y') IS NOT NULL OR \"name\" IS NULL"}),
        ("d.expect_column_values_to_be_json_parseable('name')",
         {"name_values_to_be_json_parseable": 'json_valid(CAST("name" AS VARCHAR))'}),
        ("d.expect_multicolumn_sum_to_equal(['id', 'amount'], 7.5)",
         {"multicolumn_sum_to_equal": '"id" + "amount" = 7.5'}),
        ("gxe.ExpectSelectColumnValuesToBeUniqueWithinRecord(column_list=['id', 'amount', 'day'])",
         {"select_column_values_to_be_unique_within_record":
             '"id" <> "amount" AND "id" <> "day" AND "amount" <> "day"'}),
        ("d.expect_column_values_to_match_regex('id', '^[0-9]{2}')",
         {"id_values_to_match_regex": "regexp_matches(CAST(\"id\" AS VARCHAR), '\\A[0-9]{2}')"}),
    ],
)  # fmt: skip
def test_others_are_named_rules(source: str, expected: dict[str, Any]) -> None:
    made = bound(source)
    assert made.notes == ()
    assert {name: _wordless(rule) for name, rule in conditions(made).items()} == expected


def _wordless(rule: str | dict[str, Any]) -> str | dict[str, Any]:
    """A condition without what a refused row is told."""
    if isinstance(rule, str) or "message" not in rule:
        return rule
    rest = {key: value for key, value in rule.items() if key != "message"}
    return rest["check"] if list(rest) == ["check"] else rest


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("d.expect_column_values_to_match_regex('id', '^[0-9]{2}')", "must match '^[0-9]{2}'"),
        ("d.expect_column_values_to_be_null('name')", "must be null"),
        ("d.expect_column_values_to_match_regex_list('name', ['x', 'y'])", "must match x, y"),
        ("d.expect_column_values_to_match_strftime_format('name', '%d.%m')", "must be written as %d.%m"),
        ("d.expect_column_pair_values_a_to_be_greater_than_b('id', 'amount')", "id must be greater than amount"),
        ("d.expect_column_pair_values_a_to_be_greater_than_b('id', 'amount', True)", "id must be at least amount"),
        ("d.expect_multicolumn_sum_to_equal(['id', 'amount'], 7.5)", "the sum of id, amount must be 7.5"),
    ],
)
def test_a_refused_row_is_told_what_was_expected(source: str, message: str) -> None:
    (rule,) = bound(source).rows
    assert rule.message == message


def test_every_condition_says_something() -> None:
    assert set(SAID) >= set(CONDITIONS)


def test_what_can_be_a_rule_is_read_with_its_positions() -> None:
    assert [name for name in read.POSITIONS if not is_known(name)] == []
    assert set(read.POSITIONS) >= set(CONDITIONS)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("d.expect_column_values_to_be_between('id', low, 5)", "known only when the program runs"),
        ("X = 1\nX = 2\nd.expect_column_values_to_be_between('id', X)", "known only when the program runs"),
        ("d.expect_column_values_to_not_be_null(**args)", "known only when the program runs"),
        ("d.expect_column_kl_divergence_to_be_less_than('name', make(), 0.1)", "condition under rules:"),
        ("d.expect_column_values_to_match_strftime_format('day', '%d.%m.%Y')", "every value is a date"),
        ("d.expect_column_values_to_match_strftime_format('name', 'day')", "no format"),
        ("d.expect_column_values_to_match_regex_list('name', 'x')", "no list of patterns"),
        ("d.expect_column_values_to_match_regex_list('name', ['x'], 'some')", "any or all"),
        ("d.expect_multicolumn_sum_to_equal(['id'], 3)", "no list of columns"),
        ("d.expect_multicolumn_sum_to_equal(['id', 'amount'], 'x')", "no number"),
        ("d.expect_column_values_to_be_between('ok', 0, 1, row_condition='id > 1')", "row_condition"),
        ("d.expect_column_values_to_be_between('id')", "it has no bound"),
        ("d.expect_column_values_to_not_be_null('id', mostly=95)", "between 0 and 1"),
        ("d.expect_column_values_to_match_regex('name', '(?=a)')", "look-around"),
        ("d.expect_column_value_lengths_to_be_between('id', 1, 2)", "has no length"),
        ("d.expect_column_sum_to_be_between('name', 1, 2)", "not a number"),
        ("d.expect_column_values_to_be_of_type('id', 'object')", "names no type"),
        ("gxe.ExpectColumnValuesToBeUnique(column='id', severity='warning')", "unique always refuses"),
        ("d.expect_column_pair_values_to_be_equal('id')", "'column_B' is missing"),
        ("d.expect_column_values_to_not_be_null('id')\nd.expect_column_values_to_not_be_null('id', 0.5)", "before"),
    ],
)
def test_what_can_not_be_checked_is_listed_by_line(source: str, why: str) -> None:
    (note,) = bound("\n\n" + source).notes
    assert note.code == "not-enforced"
    assert why in f"{note.what} {note.fix}"
    assert note.where == f"suite.py:{len(source.splitlines()) + 2}:1"


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: read.of_python("x = (", "s.py"), "this is no Python"),
        (lambda: read.of_python("x = 1", "s.py"), "no expectation is made"),
        (lambda: read.of_document(Document({"a": 1}, "s.json")), "it has no expectations"),
        (lambda: read.of_document(Document({"expectations": [{"kwargs": {}}]}, "s.json")), "expectation 1 has no type"),
    ],
)
def test_no_suite(make: Any, what: str) -> None:
    with pytest.raises(ContractError, match=what):
        make()


TEXTS = ["", "a", "ab", "b\n", "é", "٣", "5", " ", "\x85", "a b", "_", "\x1f", "😀", "A", "\n", "a\nb", "ß1"]


def found(pattern: str) -> list[bool]:
    with duckdb.connect() as connection:
        rows = [connection.execute("SELECT regexp_matches(?, ?)", [text, pattern]).fetchone() for text in TEXTS]
    return [row is not None and row[0] for row in rows]


@pytest.mark.parametrize(
    "pattern",
    [r"^\d$", r"^\D$", r"\w", r"\W", r"^\s", r"^\S+$", r"[^\w]", r"[^\W]", r"^a.b$", r"(?s)a.b", r"b$", r"b\Z",
     r"^(?P<x>a|b)+?$",
     r"(?a)^\w$", r"a{1,2}", r"[a-c\d]+", "(?x) a  b # c", r"\Aa", r"^$", r"(a|b$)", r"(?a)\bb"],
)  # fmt: skip
def test_a_pattern_of_python_finds_the_same(pattern: str) -> None:
    assert found(to_re2(pattern)) == [re.search(pattern, text) is not None for text in TEXTS]


@pytest.mark.filterwarnings("ignore:Possible")
@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from(r"ab\[]^(){}|.*+?$,-dwsDWSZA01é"), max_size=9))
def test_every_pattern_finds_the_same_or_is_refused(pattern: str) -> None:
    try:
        made = to_re2(pattern)
    except Untranslatable:
        return
    assert found(made) == [re.search(pattern, text) is not None for text in TEXTS]


@pytest.mark.parametrize(
    "pattern", ["(?i)a", "(?m)^a", r"\b", "a$b", "(?=a)", r"(a)\1", "a{2000}", "(", "(?>a)", r"[\Wa]"]
)
def test_other_patterns_of_python_are_refused(pattern: str) -> None:
    with pytest.raises(Untranslatable):
        to_re2(pattern)
