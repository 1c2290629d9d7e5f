"""Rules under `rules:` that are more than a condition."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pytest

from headgate.contracts.batch import BatchRule, Share
from headgate.contracts.model import Contract, RowRule, Threshold, UniqueRule
from headgate.contracts.short import as_upsert, parse_lines
from headgate.contracts.verify import verify
from headgate.core.errors import ContractError

COLUMNS = {"id": "int", "day": "date", "status": "text", "closed": "timestamp", "amount": "decimal(9,2)"}


def contract(rule: dict[str, Any]) -> Contract:
    return parse_lines(COLUMNS, {"r": rule})


def batch(rule: dict[str, Any]) -> BatchRule:
    (made,) = contract(rule).batches
    return made


def mistake(rule: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(ContractError) as error:
        contract(rule)
    return error.value.finding.code, error.value.finding.what


def test_a_check_says_severity_and_share() -> None:
    (rule,) = contract({"check": "amount > 0", "severity": "warn", "mostly": "95.0%"}).rows
    assert (rule.code, rule.column, rule.sql, rule.severity) == ("r", None, "amount > 0", "warn")
    assert rule.mostly == Share("95")


@pytest.mark.parametrize(
    ("status", "closed", "passes"),
    [("closed", None, False), ("closed", "2024-01-01", True), ("open", None, True), (None, None, True)],
)
def test_a_conditional_rule_asks_some_rows_only(status: str | None, closed: str | None, passes: bool) -> None:
    (rule,) = contract({"when": "status = 'closed'", "then": "closed is not null"}).rows
    with duckdb.connect() as connection:
        row = connection.execute(f"SELECT {rule.sql} FROM (SELECT ? AS status, ? AS closed)", [status, closed])
        assert row.fetchall() == [(passes,)]
    assert rule.message == "must satisfy closed is not null where status = 'closed'"


def test_a_condition_says_what_a_refused_row_is_told() -> None:
    (rule,) = contract({"check": "amount > 0", "message": "must  cost\nsomething"}).rows
    assert rule.message == "must cost something"
    (rule,) = contract({"when": "status = 'a'", "then": "amount > 0", "message": "must cost"}).rows
    assert rule.message == "must cost"


def test_unique_over_several_columns_has_the_name_of_the_rule() -> None:
    (rule,) = contract({"unique": ["id", "day"], "keep": "last"}).uniques
    assert rule == UniqueRule("r", ("id", "day"), "last", "must be unique", rule.where)


def test_a_reference_of_several_columns_has_the_name_of_the_rule() -> None:
    made = contract({"references": "raw.days", "columns": ["id", "day"], "to": ["number", "on"]})
    (rule,) = made.references
    assert (rule.code, rule.column, rule.pairs) == ("r", "id, day", (("id", "number"), ("day", "on")))
    assert (rule.message, rule.unmatched) == ("must stand in raw.days (number, on)", "quarantine")
    assert made.targets == ("raw.days",)
    (rule,) = contract(
        {"references": "days", "columns": ["id", "day"], "unmatched": "null", "mostly": "99%"}
    ).references
    assert (rule.to_table, rule.to_columns, rule.unmatched) == ("main.days", ("id", "day"), "null")
    told = {"references": "days", "columns": ["id"], "unmatched": "warn", "message": "must be a  day\nof ours"}
    (rule,) = contract(told).references
    assert (rule.unmatched, rule.message) == ("warn", "must be a day of ours")


def test_a_reference_of_one_column_keeps_its_fingerprint() -> None:
    # As it was when references knew one column only: a table's contract is not another one for that.
    made = parse_lines({"id": "int, key", "customer": "int, references(raw.customers.id, unmatched=warn)"})
    assert made.digest() == "21697990221306ac"


@pytest.mark.parametrize(
    ("rule", "value", "history", "holds"),
    [
        ({"rows": "1000.."}, 1000, [], True),
        ({"rows": "1000.."}, 999, [], False),
        ({"rows": "..5"}, 6, [], False),
        ({"rows": "5"}, 5, [], True),
        ({"rows": "5"}, 4, [], False),
        ({"rows": "0.5x..2x", "of": "last 3"}, 1, [], True),
        ({"rows": "0.5x..2x", "of": "last 3"}, 50, [9, 100, 100, 900], True),
        ({"rows": "0.5x..2x", "of": "last 3"}, 49, [9, 100, 100, 900], False),
        ({"rows": "0.5x..2x", "of": "last 2"}, 301, [100, 200], False),
        ({"rows": "0.5x..2x", "of": "last 2"}, 300, [100, 200], True),
        ({"sql": "sum(amount)", "between": ["0", "0.3"]}, 0.1 + 0.2, [], False),
        ({"sql": "sum(amount)", "between": ["0", "0.3"]}, Decimal("0.3"), [], True),
        ({"sql": "sum(amount)", "above": "0"}, 0, [], False),
        ({"sql": "sum(amount)", "above": "0", "max": "9"}, 9, [], True),
        ({"sql": "sum(amount)", "below": "0"}, 0, [], False),
        ({"sql": "sum(amount)", "min": "0"}, None, [], True),
        ({"sql": "avg(amount)", "min": "0"}, float("nan"), [], False),
        ({"sql": "avg(amount)", "min": "0"}, float("inf"), [], True),
        ({"freshness": "closed", "within": "1d2h"}, 93600.0, [], True),
        ({"freshness": "closed", "within": "1d2h"}, 93600.5, [], False),
    ],
)
def test_a_number_of_the_load_is_within_its_bounds(
    rule: dict[str, Any], value: Any, history: list[int], holds: bool
) -> None:
    assert batch(rule).holds(value, history) is holds


def test_freshness_is_the_age_in_seconds() -> None:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for kind in ("TIMESTAMPTZ", "TIMESTAMP"):
            relation = f"(SELECT CAST(now() - INTERVAL 2 HOUR AS {kind}) AS closed UNION ALL SELECT NULL)"
            sql = batch({"freshness": "closed", "within": "26h"}).sql
            ((age,),) = connection.execute(f"SELECT {sql} FROM {relation}").fetchall()
            assert round(age) == 7200


def test_thresholds_name_rule_share_and_what_counts() -> None:
    made = parse_lines(
        COLUMNS
        | {"id": "int, required, between(0, 9), unique, mostly(95%)", "day": "date, references(t.d, mostly=9%)"},
        {"c": {"check": "id > 0", "mostly": ">99%"}, "u": {"unique": ["id", "day"], "mostly": "1%"}},
    )
    shown = [(one.code, one.column, str(one.share), one.values_only, one.severity) for one in made.thresholds]
    assert shown == [
        ("required", "id", "95%", False, "error"),
        ("between", "id", "95%", True, "error"),
        ("c", None, ">99%", False, "error"),
        ("unique", "id", "95%", True, "error"),
        ("u", "id, day", "1%", True, "error"),
        ("references", "day", "9%", True, "error"),
    ]


@pytest.mark.parametrize(
    ("share", "broken", "counted", "kept"),
    [
        ("95", 5, 100, True),
        ("95", 6, 100, False),
        ("99.9", 1, 1000, True),
        ("100", 1, 10**6, False),
        ("95", 0, 0, True),
    ],
)
def test_a_share_is_exact(share: str, broken: int, counted: int, kept: bool) -> None:
    rule = RowRule("c", None, "true", "", mostly=Share(share))
    assert Threshold(rule, Share(share)).kept(broken, counted) is kept


def test_more_than_a_share_excludes_the_share() -> None:
    rule = RowRule("c", None, "true", "")
    assert not Threshold(rule, Share("95", more=True)).kept(5, 100)
    assert Threshold(rule, Share("95", more=True)).kept(4, 100)


def test_a_key_takes_no_share() -> None:
    made = parse_lines({"id": "int, key, min(0), mostly(95%)"})
    assert [(one.code, one.column) for one in made.thresholds] == [("min", "id")]
    upsert = as_upsert(parse_lines({"id": "int, required, mostly(95%)"}), ["id"])
    assert upsert.thresholds == ()


@pytest.mark.parametrize(
    ("rule", "code", "what"),
    [
        ({"chek": "id > 0"}, "missing-key", "does not say what must hold"),
        ({"check": "id > 0", "rows": "5.."}, "missing-key", "says check and rows at once"),
        ({"check": "id > 0", "mostley": "5%"}, "unknown-key", "unknown key 'mostley' (did you mean 'mostly'?)"),
        ({"check": "id > 0", "mostly": "101%"}, "bad-value", "'101%' is no share from 0% to 100%"),
        ({"check": "id > 0", "mostly": "0.95"}, "bad-value", "'0.95' is no share from 0% to 100%"),
        ({"check": "id > 0", "severity": "warning"}, "bad-value", "severity can't be 'warning' (did you mean 'warn'?)"),
        ({"check": ""}, "bad-value", "check must be one value"),
        ({"when": "id > 0"}, "missing-key", "then is missing"),
        ({"unique": ["id", "dya"]}, "unknown-column", "unknown column 'dya' (did you mean 'day'?)"),
        ({"unique": ["id", "id"]}, "bad-value", "the columns must be different ones"),
        ({"references": "raw.t"}, "missing-key", "columns is missing"),
        ({"references": "a.b.c", "columns": ["id", "day"]}, "bad-value", "'a.b.c' does not name a table"),
        (
            {"references": "raw.t", "columns": ["id", "dya"]},
            "unknown-column",
            "unknown column 'dya' (did you mean 'day'?)",
        ),
        ({"references": "raw.t", "columns": ["id", "id"]}, "bad-value", "the columns must be different ones"),
        (
            {"references": "raw.t", "columns": ["id", "day"], "to": ["id"]},
            "bad-value",
            "to names 1 column beside 2 columns, or one of them twice",
        ),
        (
            {"references": "raw.t", "columns": ["id", "day"], "to": ["x", "x"]},
            "bad-value",
            "to names 2 columns beside 2 columns, or one of them twice",
        ),
        (
            {"references": "raw.t", "columns": ["id"], "unmatched": "nul"},
            "bad-value",
            "unmatched can't be 'nul' (did you mean 'null'?)",
        ),
        ({"references": "raw.t", "columns": ["id"], "keep": "last"}, "unknown-key", "unknown key 'keep'"),
        ({"rows": "10000..5"}, "bad-value", "no number of rows is in '10000..5'"),
        ({"rows": "many"}, "bad-value", "'many' is no range of rows"),
        ({"rows": ".."}, "bad-value", "'..' is no range of rows"),
        ({"rows": "1.5.."}, "bad-value", "'1.5..' is no whole number of rows"),
        ({"rows": "0.5x..2x"}, "bad-value", "multiples (x) need of: last n"),
        ({"rows": "5..", "of": "last 7"}, "bad-value", "of: last n needs multiples"),
        ({"rows": "0.5x..", "of": "last week"}, "bad-value", "'last week' does not say how many loads"),
        ({"sql": "sum(amount)"}, "missing-key", "sql needs a bound"),
        ({"sql": "sum(amount)", "between": ["0"]}, "bad-value", "between takes 2 numbers, not 1"),
        ({"sql": "sum(amount)", "min": "a lot"}, "bad-value", "'a lot' is no number"),
        ({"sql": "sum(amount)", "min": "1", "above": "0"}, "bad-value", "above sets a bound that is set already"),
        ({"sql": "sum(amount)", "between": ["2", "1"]}, "bad-value", "no number is within the bounds"),
        ({"freshness": "status", "within": "26h"}, "rule-mismatch", "freshness does not fit a column of type text"),
        ({"freshness": "closed"}, "missing-key", "within is missing"),
        ({"freshness": "closed", "within": "soon"}, "bad-value", "'soon' is no length of time"),
    ],
)
def test_mistakes(rule: dict[str, Any], code: str, what: str) -> None:
    assert mistake(rule) == (code, f"rule 'r': {what}")


@pytest.mark.parametrize(
    ("line", "code", "what"),
    [
        ("int, multiple_of(0)", "bad-literal", "'0' is not above 0"),
        ("double, multiple_of(2)", "rule-mismatch", "multiple_of does not fit a column of type double"),
        ("int, unique(severity=warn)", "rule-syntax", "unique always refuses"),
        ("int, min(0, severity=low)", "rule-syntax", "severity can't be 'low'"),
        ("int, min(0, mostly=95)", "bad-literal", "'95' is no share from 0% to 100%"),
        ("int, references(t.a, unmatched=drop)", "rule-syntax", "unmatched can't be 'drop'"),
        ("text(3), length(5, *)", "bad-literal", "no text(3) has 5 characters"),
    ],
)
def test_mistakes_of_columns(line: str, code: str, what: str) -> None:
    with pytest.raises(ContractError) as error:
        parse_lines({"a": line})
    assert (error.value.finding.code, error.value.finding.what) == (code, what)


def test_what_becomes_of_values_that_are_not_there() -> None:
    line = "int, references(t.a), references(t.b, unmatched=quarantine), references(t.c, unmatched=null)"
    made = parse_lines({"a": f"{line}, references(t.d, unmatched=warn)"})
    assert [rule.unmatched for rule in made.references] == ["quarantine", "quarantine", "null", "warn"]
    warned = parse_lines({"a": f"{line}, warn"})
    assert [rule.unmatched for rule in warned.references] == ["warn", "quarantine", "null"]
    assert (
        parse_lines({"a": "int, references(t.a)"}).digest()
        != parse_lines({"a": "int, references(t.a, unmatched=null)"}).digest()
    )


def test_a_rule_says_its_own_severity() -> None:
    made = parse_lines({"a": "int, min(0), max(9, severity=error), references(t.a, unmatched=refuse), warn"})
    assert [(rule.code, rule.severity) for rule in made.rows] == [("min", "warn"), ("max", "error")]
    assert [rule.severity for rule in made.references] == ["error"]
    made = parse_lines({"a": "text, required(severity=warn), in('severity=warn')"})
    assert not made.columns[0].required
    assert [(rule.code, rule.args, rule.severity) for rule in made.rows] == [
        ("required", (), "warn"),
        ("in", ("severity=warn",), "error"),
    ]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"sql": "sum(amount)", "min": "0"}, None),
        ({"sql": "count(*) FILTER (WHERE status = 'open')", "min": "0"}, None),
        ({"sql": "amount", "min": "0"}, "not-an-aggregate"),
        ({"sql": "max(status)", "min": "0"}, "not-an-aggregate"),
        ({"sql": "sum(amonut)", "min": "0"}, "unknown-column"),
        ({"sql": "(select 1)", "min": "0"}, "not-a-row-condition"),
        ({"sql": "sum(amount), 1", "min": "0"}, "not-an-aggregate"),
        ({"sql": "sum(random())", "min": "0"}, "volatile-condition"),
        ({"when": "statsu = 'x'", "then": "id > 0"}, "unknown-column"),
        ({"when": "status = 'x'", "then": "id"}, "not-a-condition"),
    ],
)
def test_the_engine_is_asked(rule: dict[str, Any], code: str | None) -> None:
    assert [finding.code for finding in verify(contract(rule))] == ([code] if code else [])
