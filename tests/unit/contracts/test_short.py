"""Every rule of the short form: what it lets pass, what it says, where its mistakes stand."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from headgate.contracts.model import Contract, Limit, RowRule
from headgate.contracts.short import as_upsert, parse_lines
from headgate.core.errors import ContractError


def contract(line: str) -> Contract:
    return parse_lines({"a": line})


def passes(rule: RowRule, kind: str, value: Any) -> bool | None:
    with duckdb.connect() as connection:
        row = connection.execute(f'SELECT ({rule.sql}) FROM (SELECT CAST(? AS {kind}) AS "a")', [value]).fetchone()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("line", "message", "good", "bad"),
    [
        ("int, required", "required", [0], [None]),
        ("int, min(0)", "must be at least 0", [0, 5, None], [-1]),
        ("int, max(+5)", "must be at most 5", [5, -9, None], [6]),
        ("decimal(9,2), between(0, 9.50)", "must be between 0 and 9.5", ["0", "9.5", None], ["-0.01", "9.51"]),
        ("double, min(1)", "must be at least 1", [1.0, "inf", None], [0.9, "nan"]),
        ("double, max(1)", "must be at most 1", [1.0, "-inf", None], [1.1, "nan"]),
        ("double, between(0, 1)", "must be between 0 and 1", [0.0, 1.0], ["nan", 1.1]),
        ("date, min(2024-01-01)", "must be at least 2024-01-01", ["2024-01-01", None], ["2023-12-31"]),
        ("time, max(08:30)", "must be at most 08:30:00", ["08:30:00"], ["08:30:01"]),
        ("text, length(3)", "must have at most 3 characters", ["", "éé👍", None], ["abcd"]),
        ("text, length(2, 3)", "must have 2 to 3 characters", ["ab", "abc", None], ["", "a", "abcd"]),
        ("text, length(2, 2)", "must have 2 characters", ["ab"], ["abc"]),
        ("text, pattern('b+')", "must match 'b+'", ["abbc", None], ["ac", ""]),
        ("text, pattern('^it''s$')", "must match '^it''s$'", ["it's"], ["its", "it's "]),
        ("text(2), in(FR, 'DE', \"E'\")", "must be one of FR, DE, E'", ["FR", "E'", None], ["fr", ""]),
        ("text, in('', null)", "must be one of '', null", ["", "null", None], ["x"]),
        ("int, in(01, 2)", "must be one of 1, 2", [1, None], [3]),
        ("bool, in(yes)", "must be one of true", [True, None], [False]),
        ("int, above(1)", "must be above 1", [2, None], [1, 0]),
        ("double, above(0.5)", "must be above 0.5", ["inf", 0.6], [0.5, "nan"]),
        ("decimal(9,2), below(9.50)", "must be below 9.5", ["9.49", None], ["9.50", "10"]),
        ("double, below(1)", "must be below 1", ["-inf", 0.9], [1.0, "nan"]),
        ("date, above(2024-01-01)", "must be above 2024-01-01", ["2024-01-02"], ["2024-01-01"]),
        ("int, multiple_of(5)", "must be a multiple of 5", [0, -10, None], [4]),
        ("decimal(38,9), multiple_of(0.1)", "must be a multiple of 0.1", ["12345678901234567890123456789.3"], ["0.15"]),
        ("text, length(2, *)", "must have at least 2 characters", ["éé", None], ["a", ""]),
        ("text, not_in(a, '')", "must be none of a, ''", ["b", None], ["a", ""]),
        ("uuid, in(6F9619FF-8B86-D011-B42D-00CF4FC964FF)", None, ["6f9619ff-8b86-d011-b42d-00cf4fc964ff"], []),
    ],
)
def test_row_rules(line: str, message: str | None, good: list[Any], bad: list[Any]) -> None:
    made = contract(line)
    (rule,) = made.rows
    assert message is None or rule.message == message
    kind = made.columns[0].type.duckdb
    verdicts = [passes(rule, kind, value) for value in (*good, *bad)]
    assert verdicts == [True] * len(good) + [False] * len(bad)


def test_a_long_list_is_cut_in_the_message_only() -> None:
    (rule,) = contract(f"int, in({', '.join(map(str, range(12)))})").rows
    assert rule.message == "must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... (12 values)"
    assert passes(rule, "BIGINT", 11) is True


def test_names_are_quoted_whatever_they_hold() -> None:
    made = parse_lines({'a "b"': "text, pattern('x')", "drop table t; --": "int, required"})
    assert made.rows[0].sql == '"a ""b""" IS NULL OR regexp_matches("a ""b""", \'x\')'
    assert made.rows[1].sql == '"drop table t; --" IS NOT NULL'


def test_flags_source_and_references() -> None:
    made = contract("int, pii, from('Order ''ID'''), references(raw.customers.id), references(t.id)")
    assert (made.columns[0].pii, made.columns[0].source) == (True, "Order 'ID'")
    first, second = made.references
    assert (first.to_table, first.to_columns, first.message) == (
        "raw.customers",
        ("id",),
        "must stand in raw.customers.id",
    )
    assert second.to_table == "main.t"
    assert str(first.where) == "<text>:1:47"


@pytest.mark.parametrize(
    ("rule", "keep"),
    [("unique", "first"), ("unique()", "first"), ("unique( keep = last )", "last"), ("unique(keep=none)", "none")],
)
def test_unique(rule: str, keep: str) -> None:
    (made,) = contract(f"int, {rule}").uniques
    assert (made.code, made.columns, made.keep) == ("unique", ("a",), keep)


def test_key_columns_make_one_composite_rule_behind_the_unique_ones() -> None:
    made = parse_lines({"b": "int, key", "u": "int, unique", "a": "int, min(1), key, required"})
    assert [(rule.code, rule.columns) for rule in made.uniques] == [("unique", ("u",)), ("key", ("b", "a"))]
    assert made.key == ("b", "a")
    assert [(rule.column, rule.code) for rule in made.rows] == [("b", "required"), ("a", "min"), ("a", "required")]
    assert [column.required for column in made.columns] == [True, False, True]


def test_warn_covers_other_rules_but_never_key_or_unique() -> None:
    made = parse_lines({"a": "int, warn, min(0), required, references(t.a)", "k": "int, key, max(9), unique, warn"})
    assert [(rule.code, rule.severity) for rule in made.rows] == [
        ("min", "warn"),
        ("required", "warn"),
        ("required", "error"),
        ("max", "warn"),
    ]
    assert made.references[0].severity == "warn"
    assert [column.required for column in made.columns] == [False, True]


def test_conditions_come_last_and_keep_their_text() -> None:
    made = parse_lines({"a": "int, min(0)"}, {"r": " a > 0  and\n a < 9 "}, {"s": "a = 1 -- no"}, Limit(rows=5))
    assert made.rows[1] == RowRule(
        "r", None, "a > 0  and\n a < 9", "must satisfy a > 0 and a < 9", where=made.rows[1].where
    )
    # The line break keeps the comment from swallowing a parenthesis behind it.
    assert made.skips == (("s", "a = 1 -- no\n"),)
    assert made.refuse_at_most == Limit(rows=5)


def test_upsert_makes_the_identity_required_and_untested() -> None:
    made = as_upsert(
        parse_lines({"a": "int, min(0)", "b": "int, max(3), required, warn", "u": "int, unique"}), ["a", "b"]
    )
    assert [(rule.column, rule.code, rule.severity) for rule in made.rows] == [
        ("a", "required", "error"),
        ("a", "min", "error"),
        ("b", "max", "warn"),
        ("b", "required", "error"),
    ]
    assert [rule.code for rule in made.uniques] == ["unique"]
    assert [(column.required, column.key) for column in made.columns] == [(True, True), (True, True), (False, False)]
    keyed = as_upsert(parse_lines({"a": "int, key"}), ["a"])
    assert keyed.uniques == ()
    assert len(keyed.rows) == 1


def test_places_do_not_count_in_the_digest() -> None:
    spaced = contract("int ,  min( 0 ),  unique , references( t.a )")
    assert spaced.digest() == contract("int, min(0), unique, references(t.a)").digest()
    assert spaced.digest() != contract("int, min(1), unique, references(t.a)").digest()


MISTAKES = [
    ("required", "missing-type", 4, "column 'a' has no type", "write the type first: a: text, required"),
    ("in(a, b)", "missing-type", 4, "column 'a' has no type", "write the type first: a: text, in(a, b)"),
    ("int required", "rule-syntax", 7, "expected a comma behind 'int'", "put a comma behind the type: a: int, ..."),
    ("txt", "unknown-type", 4, "unknown type 'txt' (did you mean 'text'?)", None),
    ("decimal", "unknown-type", 4, "'decimal' needs a precision and a scale, e.g. decimal(12,2)", None),
    (
        "decimal(40,2)",
        "unknown-type",
        4,
        "'decimal(40,2)': the precision is 1 to 38 and the scale at most the precision",
        None,
    ),
    ("text, reqired", "unknown-rule", 10, "unknown rule 'reqired' (did you mean 'required'?)", None),
    ("text, Required", "unknown-rule", 10, "unknown rule 'Required' (did you mean 'required'?)", None),
    ("text, not null", "unknown-rule", 10, "unknown rule 'not null' (did you mean 'required'?)", None),
    ("text, accepted_values(a)", "unknown-rule", 10, "unknown rule 'accepted_values' (did you mean 'in'?)", None),
    ("int, key(3)", "rule-syntax", 12, "key takes no arguments", "write key"),
    ("int, min(1), min(1)", "duplicate-rule", 17, "min is written twice", "remove one of the two"),
    ("int, min(3.5)", "bad-literal", 13, "'3.5' does not convert to int without loss", None),
    ("int, min(1, 2)", "rule-syntax", 9, "min takes 1 argument, not 2", "write min(0)"),
    ("int, between(1)", "rule-syntax", 9, "between takes 2 arguments, not 1", "write between(0, 100)"),
    ("int, in()", "rule-syntax", 9, "in takes at least 1 argument, not 0", "write in(a, b)"),
    ("int, between(5, 1)", "bad-literal", 17, "no value is between 5 and 1", "swap the bounds"),
    ("int, in(1, 01)", "bad-literal", 15, "'01' is listed twice", "remove one of the two"),
    ("text, min(3)", "rule-mismatch", 10, "min does not fit a column of type text", "use length(...) for texts"),
    ("json, in(a)", "rule-mismatch", 10, "in does not fit a column of type json", None),
    ("int, length(3)", "rule-mismatch", 9, "length does not fit a column of type int", None),
    ("int, pattern('a')", "rule-mismatch", 9, "pattern does not fit a column of type int", None),
    ("text, pattern(a+)", "rule-syntax", 18, "the pattern is not in quotes", "write pattern('a+')"),
    ("text, length(5, 2)", "bad-literal", 17, "no text has 5 to 2 characters", "swap the bounds"),
    ("text, length(-1)", "bad-literal", 17, "'-1' is not a number of characters", None),
    ("text(2), length(3, 4)", "bad-literal", 20, "no text(2) has 3 characters", "widen the type"),
    ("text(2), in(FRA)", "bad-literal", 16, "'FRA' does not convert to text(2) without loss", None),
    ("int, unique(keep=all)", "rule-syntax", 16, "unique takes no 'keep=all'", "write keep=first, last or none"),
    ("int, references(id)", "rule-syntax", 20, "'id' does not name a column of a table", None),
    ("int, references(a.b.c.d)", "rule-syntax", 20, "'a.b.c.d' does not name a column of a table", None),
    ("int, from('')", "rule-syntax", 14, "the name in the source is empty", "write from('Order ID')"),
    ("int, min(1", "rule-syntax", 12, "the parenthesis is never closed", "add the closing parenthesis"),
]


@pytest.mark.parametrize(("line", "code", "column", "what", "fix"), MISTAKES)
def test_mistakes(line: str, code: str, column: int, what: str, fix: str | None) -> None:
    with pytest.raises(ContractError) as caught:
        contract(line)
    (finding,) = caught.value.findings
    assert finding.render().startswith(f"error[{code}]: {what}\n  where: <text>:1:{column}\n  fix:   {fix or ''}")
    assert finding.fix


def test_all_mistakes_are_told_together() -> None:
    with pytest.raises(ContractError) as caught:
        parse_lines(
            {"a": "int, min(x), reqired", "A": "txt", "_hg_x": "int"}, {"min": "a > 0", "r": " "}, {"s": "a = 1"}
        )
    assert [(finding.code, finding.where) for finding in caught.value.findings] == [
        ("bad-literal", "<text>:1:13"),
        ("unknown-rule", "<text>:1:17"),
        ("unknown-type", "<text>:2:4"),
        ("duplicate-column", "<text>:2:1"),
        ("reserved-name", "<text>:3:1"),
        ("reserved-name", "<text>:4:1"),
        ("empty-condition", "<text>:5:4"),
    ]


@pytest.mark.parametrize(
    ("limit", "refused", "read", "stops"),
    [
        (Limit(share=0.29), 29, 100, False),
        (Limit(share=0.29), 30, 100, True),
        (Limit(share=0.07), 7, 100, False),
        (Limit(share=0.05), 1, 20, False),
        (Limit(share=1.0), 9, 9, False),
        (Limit(share=0.0), 1, 10**9, True),
        (Limit(share=0.5), 0, 0, False),
        (Limit(rows=0), 1, 9, True),
        (Limit(rows=5), 5, 5, False),
    ],
)
def test_a_limit_stops_only_above_it(limit: Limit, refused: int, read: int, stops: bool) -> None:
    assert limit.exceeded(refused, read) is stops
