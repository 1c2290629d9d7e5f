"""The language of conditions: what it says, what it refuses, and what it knows before a run."""

from __future__ import annotations

import ast
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.core.errors import Location, ProjectError
from headgate.project.condition import (
    LONGEST,
    Condition,
    Scope,
    Unanswered,
    Undecided,
    because,
    calendar,
    condition,
    evaluate,
    holds,
)

SATURDAY = datetime(2026, 10, 31, 22, 30, tzinfo=UTC)
NEEDS = {
    "raw.orders": {"status": "ok", "rows_loaded": 3, "rows_quarantined": 0, "result": None},
    "look": {"status": "ok", "rows_loaded": 0, "result": {"found": [4, 5], "name": "north"}},
}


def scope(needs: bool = True, at: datetime = SATURDAY) -> Scope:
    return Scope(at, {"region": "eu", "most": 10}, NEEDS if needs else None)


def read(text: str) -> Condition:
    return condition(text, Location("tasks/x.yml", 3, 7))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("weekday == 'saturday' and day == 31", True),
        ("weekday in ('monday', 'tuesday') or hour < 22", False),
        ("last_day_of_month and not first_day_of_month", True),
        ("date >= '2026-10-31' and month == 10 and year == 2026 and minute == 30", True),
        ("needs['raw.orders'].rows_loaded > 0", True),
        ("0 < needs['raw.orders'].rows_loaded < 3", False),
        ("needs.look.status == 'ok' and needs.look.result.found[1] == 5", True),
        ("5 in needs.look.result.found and len(needs['look'].result['found']) == 2", True),
        ("needs['raw.orders'].result == null", True),
        ("var('region') != 'us' and lower('EU') == var('region')", True),
        ("var('least', 2) + 1 == 3", True),
        ("-var('most') * 2 / 4 % 3 == 1", True),
        ("max(1, 2, abs(-7)) == 7 and min([3, 1]) == 1", True),
        ("true and not false", True),
        ("false and needs.look.result.nothing == 1", False),
    ],
)
def test_what_a_condition_says(text: str, expected: bool) -> None:
    assert holds(read(text), scope()) is expected


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("weekday == 'sunnday'", "compares weekday with 'sunnday' (did you mean 'sunday'?)"),
        ("weekday in ('monday', 7, 'Fri')", "compares weekday with 'Fri'"),
        ("needs.a.status != 'success'", "compares needs.a.status with 'success': it is one of ok, skipped"),
        ("needs.a.rows_loded > 0", "(did you mean 'rows_loaded'?)"),
        ("needs.raw.orders.rows_loaded > 0", "asks 'needs.raw.orders'"),
        ("needs[day].status == 'ok'", "does not say of which step"),
        ("counts.status == 'ok'", "asks 'counts.status' of no step: write needs.counts.status"),
        ("weekdy == 1", "names 'weekdy', which it does not know (did you mean 'weekday'?)"),
        ("var(day) == 1", "does not say which variable"),
        ("var() == 1", "gives var() too few or too many values"),
        ("len('a', 'b') == 1", "gives len() too few"),
        ("min(*[1, 2]) == 1", "gives min() too few"),
        ("len(x=1) == 1", "gives len() too few"),
        ("open('/etc/passwd') == 1", "calls 'open'"),
        ("__import__('os').system('x') == 1", "__import__('os').system"),
        ("day is 3", "compares by `is`"),
        ("[day for day in (1, 2)] == 1", "which a condition can't say"),
        ("(lambda: 1) == 1", "which a condition can't say"),
        ("9 ** 9 ** 9 == 1", "which a condition can't say"),
        ("(day := 3) == 3", "which a condition can't say"),
        ("f'{day}' == '3'", "which a condition can't say"),
        ("day == 3 if true else false", "which a condition can't say"),
        ("b'x' == 1", "which a condition can't say"),
        ("day =", "is no condition: invalid syntax"),
        ("day = 3", "is no condition"),
        ("(" * 500, "is no condition"),
        ("x" * (LONGEST + 1), f"has more than {LONGEST} characters"),
        ("day == '\x00'", "is no condition"),
    ],
)
def test_what_is_no_condition(text: str, what: str) -> None:
    with pytest.raises(ProjectError) as told:
        read(text)
    assert (told.value.finding.code, told.value.finding.where) == ("bad-condition", "tasks/x.yml:3:7")
    assert what in told.value.finding.what


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("day", "is 31, neither true nor false"),
        ("day and true", "takes 'day' for true or false, but it is 31"),
        ("not weekday", "takes 'weekday' for true or false"),
        ("needs.look.result.fund == 1", "asks 'needs.look.result.fund', which is not there (did you mean 'found'?)"),
        ("needs.look.result.found[2] == 1", "which is not there"),
        ("needs.look.result.found.x == 1", "which is not there"),
        ("needs['raw.orders'].result.count > 1", "but needs['raw.orders'].result is null"),
        ("needs['raw.orders'].result < 1", "can't compare null with 1"),
        ("'a' in day", "can't compare 'a' with 31"),
        ("'a' * 1000000 == 'a'", "computes with 'a', which is no number"),
        ("true + 1 == 2", "computes with true, which is no number"),
        ("1 / 0 == 1", "can't compute with 1 and 0"),
        ("len(day) == 1", "can't take len() of 31"),
        ("lower(day) == 'x'", "can't take lower() of 31"),
        ("max(1, 'a') == 1", "can't take max() of 1, 'a'"),
        ("var('regio') == 1", "asks var('regio'), which is not set (did you mean 'region'?)"),
        ("().__class__ == 1", "asks '().__class__', which is not there"),
        ("'a'.upper == 1", "but 'a' is 'a'"),
    ],
)
def test_what_has_no_answer(text: str, what: str) -> None:
    with pytest.raises(Unanswered) as told:
        holds(read(text), scope())
    assert what in str(told.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("weekday == 'monday' and needs.look.rows_loaded > 0", False),
        ("needs.look.rows_loaded > 0 and weekday == 'monday'", False),
        ("needs.look.rows_loaded > 0 or weekday == 'saturday'", True),
        ("needs.look.rows_loaded > 0 and weekday == 'saturday'", None),
        ("not needs.look.rows_loaded > 0", None),
        ("day == 31", True),
    ],
)
def test_what_is_known_before_the_run(text: str, expected: bool | None) -> None:
    if expected is None:
        with pytest.raises(Undecided):
            holds(read(text), scope(needs=False))
    else:
        assert holds(read(text), scope(needs=False)) is expected


def test_the_values_that_decided_are_told() -> None:
    asked, seen = read("weekday == 'monday' or needs.look.result.name == 'south'"), scope()
    assert holds(asked, seen) is False
    assert because(asked, seen) == (
        "when: weekday == 'monday' or needs.look.result.name == 'south'"
        " (weekday is 'saturday', needs.look.result.name is 'north')"
    )


def test_a_long_value_is_not_told_whole() -> None:
    asked = read("var('v') == 'x'")
    seen = Scope(SATURDAY, {"v": "y" * 500})
    assert holds(asked, seen) is False
    assert len(because(asked, seen)) < 100


def test_which_steps_and_variables_it_speaks_of() -> None:
    asked = read("needs.b.rows_read > needs['raw.a'].rows_read and var('x') == var('y', 1) and needs.b.status == 'ok'")
    assert (asked.needs, asked.variables) == (("b", "raw.a"), ("x",))


def test_depth_is_no_danger() -> None:
    assert holds(read("not " * 160 + "true"), scope()) is True
    with pytest.raises(ProjectError, match="bad-condition"):
        read("-" * 990 + "1 == 1")


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.sampled_from(["UTC", "Pacific/Auckland", "America/St_Johns"]))
def test_the_calendar_is_that_of_its_zone(day: date, zone: str) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
    told = calendar(noon.astimezone(UTC).astimezone(ZoneInfo(zone)))
    assert told["date"] == day.isoformat()
    assert told["weekday"] == day.strftime("%A").lower()
    assert told["last_day_of_month"] is ((day + timedelta(days=1)).month != day.month)
    assert told["first_day_of_month"] is (day.day == 1)


@given(st.text(alphabet="abdyneds.[]()'\"<>=!+-*/%0123456789, \\{}:;@&|~^\n", max_size=60))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    try:
        asked = read(text)
        found = evaluate(asked, scope())
    except (ProjectError, Unanswered):
        return
    assert isinstance(found, bool | int | float | str | list | dict | None)
    assert not any(isinstance(node, ast.Lambda) for node in ast.walk(ast.parse(text.strip(), mode="eval")))
