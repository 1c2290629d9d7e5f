"""What changed between two contracts, and whom it breaks."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from headgate.contracts.diff import compare, overall
from headgate.contracts.short import parse_lines
from headgate.core.values import TableRef

TABLE = TableRef.parse("raw.t")


@pytest.mark.parametrize(
    ("old", "new", "verdict", "what"),
    [
        ("int", "bigint", "full", "type int is now bigint"),
        ("int", "decimal(20,1)", "backward", "type int is now decimal(20,1)"),
        ("int", "decimal(5,0)", "breaking", "type int is now decimal(5,0)"),
        ("text(3)", "text", "backward", "type text(3) is now text"),
        ("text", "text(3)", "forward", "type text is now text(3)"),
        ("decimal(9,2)", "decimal(12,3)", "backward", "type decimal(9,2) is now decimal(12,3)"),
        ("decimal(9,2)", "decimal(9,3)", "breaking", "type decimal(9,2) is now decimal(9,3)"),
        ("text", "date", "breaking", "type text is now date"),
        ("int", "int, required", "forward", "rule added: required"),
        ("int, required", "int", "backward", "rule removed: required"),
        ("int", "int, min(0), warn", "full", "rule added: min(0, severity=warn)"),
        ("int, min(0), warn", "int, min(0)", "forward", "rule changed: min(0, severity=warn) is now min(0)"),
        ("int, min(0)", "int, min(0), warn", "backward", "rule changed: min(0) is now min(0, severity=warn)"),
        ("int, min(0)", "int, min(-5)", "backward", "rule changed: min(0) is now min(-5)"),
        ("int, between(0, 5)", "int, between(1, 4)", "forward", "rule changed: between(0, 5) is now between(1, 4)"),
        ("int, between(0, 5)", "int, between(1, 9)", "breaking", "rule changed: between(0, 5) is now between(1, 9)"),
        ("text, length(2, *)", "text, length(3, *)", "forward", "rule changed: length(2, *) is now length(3, *)"),
        ("text, length(5)", "text, length(9)", "backward", "rule changed: length(5) is now length(9)"),
        ("text, in(a)", "text, in(a, b)", "backward", "rule changed: in(a) is now in(a, b)"),
        ("text, not_in(a)", "text, not_in(a, b)", "forward", "rule changed: not_in(a) is now not_in(a, b)"),
        ("text, in(a)", "text, in(b)", "breaking", "rule changed: in(a) is now in(b)"),
        ("text, unique", "text, unique(keep=last)", "breaking", "rule changed: unique is now unique(keep=last)"),
        ("text", "text, references(t.a)", "forward", "rule added: references(main.t.a)"),
        ("text", "text, from('A')", "breaking", "is fed from 'A' now, before from 'a'"),
        ("date", "date, format('dd.MM.yyyy')", "breaking", "its texts are written in another way"),
        ("text", "text, pii", "full", "is personal data now"),
    ],
)
def test_a_change_of_a_column(old: str, new: str, verdict: str, what: str) -> None:
    (change,) = compare(parse_lines({"a": old}), parse_lines({"a": new}), TABLE)
    assert (change.what, change.column, change.verdict) == (what, "a", verdict)


PAIR = {"references": "raw.p", "columns": ["a", "b"], "to": ["x", "y"]}


@pytest.mark.parametrize(
    ("old", "new", "verdict", "what"),
    [
        ({}, PAIR, "forward", "added"),
        (PAIR, {}, "backward", "removed"),
        ({}, PAIR | {"unmatched": "warn"}, "full", "added"),
        (PAIR | {"unmatched": "null"}, {}, "full", "removed"),
        (PAIR, PAIR | {"unmatched": "warn"}, "backward", "changed"),
        (PAIR | {"unmatched": "warn"}, PAIR, "forward", "changed"),
        (PAIR, PAIR | {"unmatched": "null"}, "breaking", "changed"),
        (PAIR, PAIR | {"mostly": "99%"}, "forward", "changed"),
        (PAIR | {"mostly": "99%"}, PAIR | {"unmatched": "warn"}, "backward", "changed"),
        (PAIR | {"mostly": "99%"}, PAIR | {"mostly": "9%"}, "breaking", "changed"),
        (PAIR | {"mostly": "99%"}, PAIR | {"mostly": "99%", "to": ["y", "x"]}, "breaking", "changed"),
        (PAIR, PAIR | {"columns": ["b", "a"], "to": ["y", "x"]}, "full", "changed"),
        (PAIR, PAIR | {"to": ["y", "x"]}, "breaking", "changed"),
        (PAIR, PAIR | {"references": "raw.q"}, "breaking", "changed"),
        (PAIR | {"unmatched": "warn"}, PAIR | {"unmatched": "warn", "to": ["y", "x"]}, "full", "changed"),
        (PAIR | {"unmatched": "null"}, PAIR | {"unmatched": "null", "to": ["y", "x"]}, "breaking", "changed"),
    ],
)
def test_a_change_of_a_reference_of_several_columns(old: Any, new: Any, verdict: str, what: str) -> None:
    columns = {"a": "int", "b": "int"}
    before, after = (parse_lines(columns, {"p": rule} if rule else {}) for rule in (old, new))
    (change,) = compare(before, after, TABLE)
    assert (change.what, change.column, change.verdict) == (f"rule 'p' {what}", None, verdict)


def test_a_contract_is_like_itself() -> None:
    made = parse_lines({"a": "int, key", "b": "text, pattern('x'), pattern('y')"}, {"r": "a > 0", "n": {"rows": "1.."}})
    assert compare(made, made, TABLE) == ()
    assert overall(()) == "full"


def test_columns_and_the_sql_that_it_takes() -> None:
    old = parse_lines({"a": "int", "b": "text(3)", "c": "int"})
    new = parse_lines({"a": "decimal(20,0)", "b": "text", "d e": "date", "e": "int, required"})
    changes = compare(old, new, TABLE)
    assert [(one.column, one.verdict) for one in changes] == [
        ("a", "backward"),
        ("b", "backward"),
        ("c", "breaking"),
        ("d e", "full"),
        ("e", "forward"),
    ]
    assert overall(changes) == "breaking"
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA raw; CREATE TABLE raw.t (a BIGINT, b VARCHAR, c BIGINT)")
        for change in changes:
            if change.sql:
                connection.execute(change.sql)
        rows = connection.execute("SELECT column_name, column_type FROM (DESCRIBE raw.t)").fetchall()
    assert rows == [("a", "DECIMAL(20,0)"), ("b", "VARCHAR"), ("d e", "DATE"), ("e", "BIGINT")]


def test_changes_in_both_directions_break() -> None:
    changes = compare(parse_lines({"a": "int, min(0)"}), parse_lines({"a": "int, max(0)"}), TABLE)
    assert [one.verdict for one in changes] == ["backward", "forward"]
    assert overall(changes) == "breaking"


def test_rules_across_columns() -> None:
    old = parse_lines({"a": "int"}, {"gone": "a > 0", "other": "a > 1"}, {"s": "a = 5"})
    new = parse_lines(
        {"a": "int"}, {"other": "a > 2", "new": {"rows": "1.."}, "mild": {"check": "a > 3", "severity": "warn"}}
    )
    assert [(one.what, one.verdict) for one in compare(old, new, TABLE)] == [
        ("rule 'gone' removed", "backward"),
        ("rule 'other' changed", "breaking"),
        ("rule 'mild' added", "full"),
        ("rule 'new' added", "forward"),
        ("what is skipped has changed", "breaking"),
    ]


def test_other_words_for_a_refused_row_change_nothing() -> None:
    old, new = ({"r": {"check": "a > 0", "message": said}} for said in ("must cost", "must cost something"))
    (change,) = compare(parse_lines({"a": "int"}, old), parse_lines({"a": "int"}, new), TABLE)
    assert (change.what, change.verdict) == ("rule 'r' has other words", "full")
