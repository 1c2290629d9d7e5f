"""What only the engine can say: patterns and conditions, at their place."""

from __future__ import annotations

import subprocess
import sys

import pytest

from headgate.contracts.grammar import PlacedText
from headgate.contracts.model import Contract
from headgate.contracts.short import parse, parse_lines
from headgate.contracts.verify import verify

COLUMNS = {"id": "int, key", "Status": "text, pattern('^[a-z]+$')", "amount": "decimal(12,2)", "é": "timestamptz"}


def told(condition: str) -> list[tuple[str, str, str]]:
    findings = verify(parse_lines(COLUMNS, {"r": condition}))
    return [(finding.code, finding.what.removeprefix("rule 'r': "), finding.where) for finding in findings]


@pytest.mark.parametrize(
    "condition",
    [
        "amount >= 0",
        "status <> 'closed' or \"é\" is not null",
        '"AMOUNT" > 1 -- with a comment',
        "amount between 0 and 100 /* inside */ and id in (1, 2)",
        "é <= now() and current_date > date '2020-01-01'",
        "list_contains([1, 2], id)",
        "case when id > 1 then amount > 0 else true end",
        "try_cast(Status as int) > 3",
        "len(list_filter([1, 2], lambda x: x > id)) > 0",
        "true",
    ],
)
def test_good_conditions(condition: str) -> None:
    assert told(condition) == []


@pytest.mark.parametrize(
    ("condition", "code", "what", "column"),
    [
        ("amount > 0 and amont < 5", "unknown-column", "unknown column 'amont' (did you mean 'amount'?)", 19),
        ("é is null or zzz = 1", "unknown-column", "unknown column 'zzz'", 17),
        ("rowid > 1", "unknown-column", "unknown column 'rowid'", 4),
        ("id > 0 and _hg_row = 1", "unknown-column", "unknown column '_hg_row'", 15),
        ("_hg_checked is null", "unknown-column", "unknown column '_hg_checked'", 4),
        ("amount", "not-a-condition", "this is a value of type decimal(12,2), not a condition", 4),
        ("id > 0, true", "not-a-condition", "this is a value of type struct(boolean, boolean), not a condition", 4),
        ("count(*) > 1", "not-a-row-condition", "a condition on one row can't hold an aggregate", 4),
        ("id = max(id)", "not-a-row-condition", "a condition on one row can't hold an aggregate", 4),
        ("1 = row_number() over ()", "not-a-row-condition", "a condition on one row can't hold a window function", 8),
        ("id in (select 1)", "not-a-row-condition", "a condition on one row can't hold a query", 7),
        ("exists(select 1)", "not-a-row-condition", "a condition on one row can't hold a query", 4),
        ("columns(*) is null", "not-a-row-condition", "a condition on one row can't hold a star", 4),
        ("id = $1", "not-a-row-condition", "a condition on one row can't hold a parameter", 4),
        ("id > 0 or random() < 1", "volatile-condition", "random() does not give the same answer for the same row", 14),
        ("uuid() is null", "volatile-condition", "uuid() does not give the same answer for the same row", 4),
        ("nextval('s') > 0", "volatile-condition", "nextval() does not give the same answer for the same row", 4),
        (
            "getvariable('x') > 0",
            "volatile-condition",
            "getvariable() does not give the same answer for the same row",
            4,
        ),
        ("id > > 1", "condition-syntax", 'syntax error at or near ">"', 9),
        ("id >", "condition-syntax", "this is not one whole condition", 7),
        ("true) or (true", "condition-syntax", 'syntax error at or near ")"', 8),
        ("true) from t; drop table t; select (true", "condition-syntax", 'syntax error at or near ")"', 8),
        ("true from t", "condition-syntax", "this is not one whole condition", 14),
        ("true; select true", "condition-syntax", 'syntax error at or near ";"', 8),
        ("true /*", "condition-syntax", None, None),
        ("fooo(id) > 1", "condition-syntax", "Scalar Function with name fooo does not exist!", 4),
        ("amount > 'x' || 1 and Status + 1", "condition-syntax", None, 4),
    ],
)
def test_bad_conditions(condition: str, code: str, what: str | None, column: int | None) -> None:
    findings = told(condition)
    assert len(findings) == 1
    assert findings[0][0] == code
    assert what is None or findings[0][1] == what
    assert column is None or findings[0][2] == f"<text>:5:{column}"


def test_rendered_text() -> None:
    findings = verify(parse_lines({"credit": "int"}, {"positive": "credt > 0"}))
    assert findings[0].render() == (
        "error[unknown-column]: rule 'positive': unknown column 'credt' (did you mean 'credit'?)\n"
        "  where: <text>:2:11\n"
        "  fix:   use the contract's columns: credit"
    )


@pytest.mark.parametrize(
    ("pattern", "reason"), [("(", "missing ): ("), ("(?=a)", "invalid perl operator: (?="), ("[", None)]
)
def test_patterns_are_compiled(pattern: str, reason: str | None) -> None:
    (finding,) = verify(parse_lines({"a": f"text, pattern('{pattern}')"}))
    assert (finding.code, finding.where) == ("bad-pattern", "<text>:1:18")
    assert reason is None or finding.what == f"the pattern of 'a' is not a regular expression of RE2: {reason}"


def test_skips_are_bound_at_the_place_that_is_given() -> None:
    name, text = PlacedText("s", "f.yml", 9, 3), PlacedText("idd = 1", "f.yml", 9, 6)
    made = parse([(PlacedText("id", "f.yml"), PlacedText("int", "f.yml"))], skips=[(name, text)])
    (finding,) = verify(made, {"skip.s": text.place()})
    assert (finding.what, finding.where) == ("skip 's': unknown column 'idd' (did you mean 'id'?)", "f.yml:9:6")


def test_every_condition_is_told() -> None:
    findings = verify(parse_lines(COLUMNS, {"a": "x > 1", "b": "id > 1", "c": "amount"}, {"d": "count(*) > 1"}))
    assert [finding.what.partition(":")[0] for finding in findings] == ["rule 'a'", "rule 'c'", "skip 'd'"]


def test_a_contract_without_conditions_needs_no_engine() -> None:
    code = (
        "import sys\n"
        "from headgate.contracts.short import parse_lines\n"
        "from headgate.contracts.verify import verify\n"
        "assert verify(parse_lines({'a': 'int, min(0)'})) == []\n"
        "assert 'duckdb' not in sys.modules and 'yaml' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_compiled_rules_bind() -> None:
    made: Contract = parse_lines(
        {
            "a": "double, min(0), max(1)",
            "b": "text(3), length(1, 2), in(a, b), pattern('a')",
            "c": "timestamptz, between(2024-01-01, 2025-01-01)",
            "d": "uuid, required, in(6f9619ff-8b86-d011-b42d-00cf4fc964ff)",
        }
    )
    again = parse_lines(
        {"a": "double", "b": "text(3)", "c": "timestamptz", "d": "uuid"},
        {f"r{n}": rule.sql for n, rule in enumerate(made.rows)},
    )
    assert len(again.rows) == 8
    assert verify(again) == []
