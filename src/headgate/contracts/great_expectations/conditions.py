"""Expectations that become conditions of a row, as SQL. NULL passes where the expectation leaves NULL out."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from headgate.contracts.assembly import quoted
from headgate.contracts.bounds import plain
from headgate.contracts.great_expectations.regex import to_re2
from headgate.contracts.great_expectations.suite import Expectation, Unfit, is_number
from headgate.sql.quote import ident

Typed = Callable[[str], str]
"""The type of a column, as the short form writes it."""


def _column(one: Expectation, key: str = "column") -> str:
    return ident(str(one.kwargs[key]))


def _columns(one: Expectation) -> list[str]:
    listed = one.kwargs["column_list"]
    if not isinstance(listed, list) or len(listed) < 2:
        raise Unfit("column_list is no list of columns")
    return [ident(str(name)) for name in listed]


def _null(one: Expectation, typed: Typed) -> str:
    return f"{_column(one)} IS NULL"


def _finds(one: Expectation, pattern: Any) -> str:
    if not isinstance(pattern, str):
        raise Unfit("the pattern is no text")
    return f"regexp_matches(CAST({_column(one)} AS VARCHAR), {quoted(to_re2(pattern))})"


def finds(one: Expectation, typed: Typed) -> str:
    """`regex` is found in the value's text."""
    return _finds(one, one.kwargs.get("regex"))


def _not_regex(one: Expectation, typed: Typed) -> str:
    return f"NOT {finds(one, typed)}"


def _patterns(one: Expectation) -> list[str]:
    listed = one.kwargs.get("regex_list")
    if not isinstance(listed, list) or not listed:
        raise Unfit("regex_list is no list of patterns")
    return [_finds(one, pattern) for pattern in listed]


def _regex_list(one: Expectation, typed: Typed) -> str:
    words = {"any": " OR ", "all": " AND "}
    how = one.kwargs.get("match_on") or "any"
    if how not in words:
        raise Unfit("match_on is any or all")
    return words[how].join(_patterns(one))


def _not_regex_list(one: Expectation, typed: Typed) -> str:
    return f"NOT ({' OR '.join(_patterns(one))})"


def _pair(one: Expectation, typed: Typed) -> str:
    symbol = "=" if one.type.endswith("equal") else ">=" if one.kwargs.get("or_equal") else ">"
    return f"{_column(one, 'column_A')} {symbol} {_column(one, 'column_B')}"


def _json(one: Expectation, typed: Typed) -> str:
    return f"json_valid(CAST({_column(one)} AS VARCHAR))"


def _strftime(one: Expectation, typed: Typed) -> str:
    form = one.kwargs.get("strftime_format")
    if not isinstance(form, str) or "%" not in form:
        raise Unfit("strftime_format is no format")
    if typed(str(one.kwargs["column"])) != "text":
        raise Unfit("every value is a date or time: its text is gone once it is one")
    return f"try_strptime({_column(one)}, {quoted(form)}) IS NOT NULL OR {_column(one)} IS NULL"


def _sum(one: Expectation, typed: Typed) -> str:
    total = one.kwargs.get("sum_total")
    if total is None or not is_number(total):
        raise Unfit("sum_total is no number")
    return f"{' + '.join(_columns(one))} = {plain(Decimal(total))}"


def _apart(one: Expectation, typed: Typed) -> str:
    columns = _columns(one)
    return " AND ".join(f"{left} <> {right}" for at, left in enumerate(columns) for right in columns[at + 1 :])


SAID = {
    "expect_column_values_to_be_null": "must be null",
    "expect_column_values_to_not_match_regex": "must not match {regex!r}",
    "expect_column_values_to_match_regex": "must match {regex!r}",
    "expect_column_values_to_match_regex_list": "must match {regex_list}",
    "expect_column_values_to_not_match_regex_list": "must match none of {regex_list}",
    "expect_column_values_to_match_strftime_format": "must be written as {strftime_format}",
    "expect_column_values_to_be_json_parseable": "must be JSON",
    "expect_column_pair_values_a_to_be_greater_than_b": "{column_A} must be greater than {column_B}",
    "expect_column_pair_values_to_be_equal": "{column_A} must be equal to {column_B}",
    "expect_multicolumn_sum_to_equal": "the sum of {column_list} must be {sum_total}",
    "expect_select_column_values_to_be_unique_within_record": "{column_list} must be different from each other",
    "expect_multicolumn_values_to_be_unique": "{column_list} must be different from each other",
}
"""What a refused row is told."""


def said(one: Expectation) -> str:
    """What a refused row is told of an expectation whose arguments are there."""
    plain = {key: _listed(value) for key, value in one.kwargs.items()}
    text = SAID[one.type].format(**plain)
    return text.replace(" greater than ", " at least ") if one.kwargs.get("or_equal") else text


def _listed(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


CONDITIONS: dict[str, Callable[[Expectation, Typed], str]] = {
    "expect_column_values_to_be_null": _null,
    "expect_column_values_to_not_match_regex": _not_regex,
    "expect_column_values_to_match_regex_list": _regex_list,
    "expect_column_values_to_not_match_regex_list": _not_regex_list,
    "expect_column_values_to_match_strftime_format": _strftime,
    "expect_column_values_to_be_json_parseable": _json,
    "expect_column_pair_values_a_to_be_greater_than_b": _pair,
    "expect_column_pair_values_to_be_equal": _pair,
    "expect_multicolumn_sum_to_equal": _sum,
    "expect_select_column_values_to_be_unique_within_record": _apart,
    "expect_multicolumn_values_to_be_unique": _apart,
}
"""*Errors* of each: Unfit and Untranslatable where it can't be one, KeyError for an argument that is missing."""
