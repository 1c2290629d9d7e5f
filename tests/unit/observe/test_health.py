"""Each question of health, asked of tables made by hand: what is usual passes, what is not is told with its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headgate.contracts.model import Limit
from headgate.observe import health
from headgate.observe.facts import Judged, Load, TableFacts, figures_of
from headgate.observe.health import Check, freshness, nulls, quarantine, schema, volume
from headgate.state.history import History
from headgate.state.runs import FigureRow, RunRow

NOW = datetime(2026, 6, 30, 6, tzinfo=UTC)  # a Tuesday
DAY = timedelta(days=1)


def loaded(rows: Sequence[int], every: timedelta = DAY, last: datetime = NOW) -> TableFacts:
    at = [last - every * back for back in reversed(range(len(rows)))]
    loads = tuple(Load(when.isoformat(), number, number, 0, "load") for when, number in zip(at, rows, strict=True))
    return TableFacts("raw.a", len(rows), sum(rows), loads[-1].at if loads else "", loads)


def word(remark: health.Remark | None) -> str:
    return remark.status if remark else "ok"


@pytest.mark.parametrize(
    ("age", "declared", "expected"),
    [
        (timedelta(hours=26), 26 * 3600, "ok"),
        (timedelta(hours=26, seconds=1), 26 * 3600, "bad"),
        (timedelta(hours=35), None, "ok"),  # daily so far: 36 hours may pass
        (timedelta(hours=37), None, "bad"),
    ],
)
def test_a_table_is_fresh_for_as_long_as_is_declared_or_usual(
    age: timedelta, declared: int | None, expected: str
) -> None:
    assert word(freshness(loaded([1] * 10), declared, NOW + age)) == expected


def test_a_stale_table_says_how_old_it_is_and_what_it_may_be() -> None:
    remark = freshness(loaded([1] * 3), 3600, NOW + timedelta(hours=27))
    assert remark is not None
    assert remark.what == "last loaded 27 hours ago, 60 minutes are declared"
    assert remark.evidence == {"age_secs": 97200, "limit_secs": 3600, "limit": "declared"}


def test_weekends_without_loads_are_learned() -> None:
    days = [day for day in range(40) if (NOW - DAY * day).weekday() < 5]
    loads = tuple(Load((NOW - DAY * day).isoformat(), 1, 1, 0, "load") for day in reversed(days))
    table = replace(loaded([1]), loads=loads)
    assert word(freshness(table, None, NOW + timedelta(days=4))) == "ok"
    assert word(freshness(table, None, NOW + timedelta(days=5))) == "bad"


def test_a_past_that_is_too_short_tells_nothing() -> None:
    assert word(freshness(loaded([1] * 5), None, NOW + 100 * DAY)) == "unknown"
    assert word(volume(loaded([1, 1, 1, 1, 1000]))) == "unknown"
    assert word(volume(TableFacts("raw.a"))) == "unknown"


def test_a_model_has_no_pace_of_its_own() -> None:
    table = loaded([1] * 10)
    built = replace(table, loads=tuple(replace(load, kind="build") for load in table.loads))
    assert word(freshness(built, None, NOW + 100 * DAY)) == "unknown"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([100] * 8 + [199], "ok"),
        ([100] * 8 + [51], "ok"),
        ([100] * 8 + [203], "bad"),
        ([100] * 8 + [49], "bad"),
        ([100] * 8 + [0], "bad"),
        ([0] * 8 + [1], "ok"),
        ([10, 1000, 20, 900, 15, 1100, 12, 950, 500], "ok"),  # whose sizes vary may vary
        ([100, 100, 5000, 100, 100, 100, 110], "ok"),  # one odd load moves no bound
    ],
)
def test_a_load_has_about_as_many_rows_as_those_before(rows: list[int], expected: str) -> None:
    assert word(volume(loaded(rows, every=timedelta(hours=1)))) == expected


def test_a_weekday_is_compared_with_its_like() -> None:
    weeks = [1000, 1000, 1000, 1000, 1000, 10, 10] * 5  # the last day is a Tuesday's eve: a weekend of 10
    table = loaded(weeks, last=datetime(2026, 6, 28, tzinfo=UTC))
    assert word(volume(table)) == "ok"
    remark = volume(loaded([*weeks[:-1], 1000], last=datetime(2026, 6, 28, tzinfo=UTC)))
    assert remark is not None
    assert remark.what == "the last load had 1,000 rows; 5 to 21 are usual, of 4 loads on the same weekday"


def measured(shares: Sequence[float], rows: int = 1000) -> TableFacts:
    figures = tuple(
        (FigureRow("raw.a", entry, 0, "email", "VARCHAR", rows, round(rows * share)),)
        for entry, share in enumerate(shares, 1)
    )
    return TableFacts("raw.a", len(shares), rows, figures=figures)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([0.02] * 8 + [0.06], "ok"),
        ([0.02] * 8 + [0.08], "bad"),
        ([0.9] * 8 + [0.1], "ok"),  # a column that fills up is no trouble
        ([0.1, 0.5, 0.2, 0.6, 0.1, 0.5, 0.3, 0.7], "ok"),
        ([0.0] * 5 + [0.06], "bad"),
        ([0.0] * 4 + [1.0], "unknown"),
    ],
)
def test_a_column_is_not_emptier_than_usual(shares: list[float], expected: str) -> None:
    assert word(nulls(measured(shares))) == expected


@pytest.mark.parametrize("shares", [[0.02] * 8 + [0.08], [0.0] * 5 + [0.06], [0.02] * 8 + [0.06], [0.0] * 9, [0.3] * 2])
def test_what_is_read_of_former_measurements_is_enough_to_judge(shares: list[float], tmp_path: Path) -> None:
    """Of columns that miss few values now, nothing older is read."""
    whole = measured(shares)
    beside = [one[0]._replace(place=1, column_name="id", nulls=0) for one in whole.figures]
    with History(tmp_path) as history:
        history.put(*(row for one in whole.figures for row in one), *beside)
        read = tuple(figures_of(history)["raw.a"])
    assert len(read) == len(shares)
    assert nulls(replace(whole, figures=read)) == nulls(whole)
    assert all(row.column_name == "email" for one in read[:-1] for row in one)


def test_a_handful_of_rows_proves_nothing_about_a_share() -> None:
    assert word(nulls(measured([0.0] * 8 + [0.5], rows=4))) == "ok"
    assert word(nulls(measured([0.0] * 8 + [1.0], rows=100))) == "bad"


def test_an_emptier_column_is_named_with_its_shares() -> None:
    remark = nulls(measured([0.02] * 8 + [0.5]))
    assert remark is not None
    assert remark.what == "email: 50.0% missing, 2.0% is usual"
    assert remark.evidence == {"email": {"share": 0.5, "usual": 0.02}}


SHAPE = (("id", "BIGINT"), ("name", "VARCHAR"))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (SHAPE, None),
        (SHAPE[::-1], None),
        (SHAPE[:1], "name is gone"),
        ((*SHAPE, ("more", "DATE")), "more is new"),
        (None, "the table is gone"),
        ((("id", "VARCHAR"), SHAPE[1]), "id was BIGINT, is VARCHAR"),
    ],
)
def test_a_table_has_the_columns_it_was_left_with(
    columns: tuple[tuple[str, str], ...] | None, said: str | None
) -> None:
    figures = tuple(FigureRow("raw.a", 3, at, name, kind, 1, 0) for at, (name, kind) in enumerate(SHAPE))
    table = TableFacts("raw.a", 3, columns=columns, known=SHAPE, figures=(figures,))
    remark = schema(table)
    assert (remark.what if remark else None) == said


def test_types_of_an_older_version_are_not_compared() -> None:
    figures = (FigureRow("raw.a", 2, 0, "id", "VARCHAR", 1, 0),)
    assert schema(TableFacts("raw.a", 3, columns=SHAPE, known=SHAPE, figures=(figures,))) is None


@pytest.mark.parametrize(
    ("waiting", "limit", "expected"),
    [(0, Limit(rows=0), "ok"), (5, Limit(share=0.05), "ok"), (6, Limit(share=0.05), "bad"), (1, Limit(rows=0), "bad")],
)
def test_no_more_records_wait_than_may(waiting: int, limit: Limit, expected: str) -> None:
    table = TableFacts("raw.a", judged=Judged(100), open=waiting)
    assert word(quarantine(table, limit)) == expected


def test_the_last_run_is_the_last_that_has_ended() -> None:
    ok = RunRow("a", "headgate run", "2026-06-01T00:00:00", status="ok")
    assert health.last_run([]).status == "unknown"
    assert health.last_run([replace(ok, status="running"), ok]).status == "ok"
    check = health.last_run([replace(ok, status="killed", failure="interrupted"), ok])
    assert (check.status, check.remarks[0].what) == (
        "bad", "the run of 2026-06-01T00:00 ended as killed (interrupted)")  # fmt: skip


def test_checks_come_in_their_order_and_one_bad_table_makes_a_check_bad() -> None:
    tables = {"raw.a": loaded([1] * 10), "raw.b": replace(loaded([1] * 9 + [900]), name="raw.b")}
    found = health.checks(tables, [], Check("books", "ok", 2), health.Bounds(), NOW)
    assert tuple(check.name for check in found) == health.NAMES
    assert {check.name: check.status for check in found if check.status == "bad"} == {"volume": "bad", "schema": "bad"}
    assert [remark.table for check in found if check.name == "volume" for remark in check.remarks] == ["raw.b"]


@pytest.mark.parametrize(
    ("secs", "said"),
    [(1, "1 second"), (119, "119 seconds"), (120, "2 minutes"), (97_200, "27 hours"), (200_000, "2 days")],
)
def test_a_span_is_told_in_the_largest_unit_of_which_there_are_two(secs: float, said: str) -> None:
    assert health.span(secs) == said
