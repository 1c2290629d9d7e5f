"""Unit tests: the model's SELECT over given rows, against the rows that are expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headgate.core.errors import Location, ProjectError
from headgate.core.values import TableRef
from headgate.models.compile import compile_models
from headgate.models.context import Settings
from headgate.models.model import Model, ModelSource
from headgate.models.unit import Fixture, UnitSpec
from headgate.models.unittests import failures

WHERE = Location("models/u.yml", 3, 5)
SQL = """\
{{ config(materialized='incremental') }}
select day, sum(amount) as amount, count(*) as n, {{ var('k', 0) }} as k from {{ ref('raw.orders') }}
{% if is_incremental() %} where day > (select max(day) from {{ this }}) {% endif %} group by day
"""


def rows(*given: dict[str, object]) -> Fixture:
    return Fixture(WHERE, given)


def compiled(spec: UnitSpec, *more: ModelSource, text: str = SQL) -> Model:
    source = ModelSource("daily", Path("models/daily.sql"), text, "gold", unit_tests=(spec,))
    found = compile_models([source, *more], [TableRef("raw", "orders")], "", Settings())
    return next(one for one in found if one.name == "daily")


@pytest.fixture
def standing(session: Any) -> Any:
    session.execute("CREATE SCHEMA raw")
    session.execute("CREATE TABLE raw.orders (id BIGINT, day DATE, amount DECIMAL(9,2), _hg_load BIGINT)")
    return session


ORDERS = rows({"day": "2024-01-01", "amount": 2}, {"Day": "2024-01-01", "amount": "2.5"}, {"day": "2024-01-02"})


def test_rows_take_the_types_of_the_relation_and_expected_ones_those_of_the_model(standing: Any) -> None:
    expect = rows({"amount": "4.500", "day": "2024-01-01"}, {"day": "2024-01-02", "amount": None})
    spec = UnitSpec("sums", WHERE, (("ref('orders')", ORDERS),), expect)
    assert failures(standing, "daily", compiled(spec).unit_tests) == []


def test_a_difference_is_told_row_by_row(standing: Any) -> None:
    expect = rows({"day": "2024-01-01", "n": 2}, {"day": "2024-01-01", "n": 2})
    spec = UnitSpec("sums", WHERE, (("source('raw', 'orders')", ORDERS),), expect)
    (finding,) = failures(standing, "daily", compiled(spec).unit_tests)
    assert (finding.code, finding.where) == ("unit-test-failed", "models/u.yml:3:5")
    assert finding.what == (
        "unit test 'sums' of model 'daily': {day: 2024-01-01, n: 2} expected and not given; "
        "{day: 2024-01-02, n: 1} given and not expected"
    )
    assert (finding.evidence["missing"], finding.evidence["extra"]) == ([["2024-01-01", 2]], [["2024-01-02", 1]])


def test_the_incremental_form_reads_what_is_given_for_itself(standing: Any) -> None:
    given = (("this", rows({"day": "2024-01-01"})), ("ref('orders')", ORDERS))
    spec = UnitSpec("new", WHERE, given, rows({"day": "2024-01-02", "k": 7}), {"k": 7}, incremental=True)
    model = compiled(spec)
    assert failures(standing, "daily", model.unit_tests) == []
    standing.execute("CREATE SCHEMA gold")
    standing.execute("CREATE TABLE gold.daily (day DATE)")
    assert failures(standing, "daily", model.unit_tests) == []


def test_no_rows_are_rows_and_sql_is_taken_as_it_is(standing: Any) -> None:
    empty = UnitSpec("empty", WHERE, (("ref('orders')", rows()),), rows())
    select = Fixture(WHERE, sql="select date '2024-01-01' as day, 5 as amount")
    wanted = Fixture(WHERE, sql="select 1 as n, '2024-01-01' as day")
    plain = UnitSpec("sql", WHERE, (("ref('orders')", select),), wanted)
    for spec in (empty, plain):
        assert failures(standing, "daily", compiled(spec).unit_tests) == []


def test_where_nothing_stands_values_are_what_they_look_like(session: Any) -> None:
    given = rows({"day": "a", "amount": 1}, {"day": "a", "amount": 0.5})
    spec = UnitSpec("guess", WHERE, (("ref('orders')", given),), rows({"day": "a", "amount": 1.5}))
    assert failures(session, "daily", compiled(spec).unit_tests) == []


@pytest.mark.parametrize(
    ("given", "expect", "what"),
    [
        (rows({"dya": 1}), rows({"n": 1}), "raw.orders has no column 'dya' (did you mean 'day'?)"),
        (rows({"day": "2024-01-01"}), rows({"m": 1}), "the model has no column 'm'"),
        (rows({"day": "never"}), rows({"n": 1}), "never"),
        (Fixture(WHERE, sql="select 1 as day"), rows({"n": 1}), "amount"),
    ],
)
def test_a_test_that_cannot_be_run_says_why(standing: Any, given: Fixture, expect: Fixture, what: str) -> None:
    spec = UnitSpec("broken", WHERE, (("ref('orders')", given),), expect)
    (finding,) = failures(standing, "daily", compiled(spec).unit_tests)
    assert (finding.code, finding.where, what in finding.what) == ("unit-test", "models/u.yml:3:5", True)


OTHER = ModelSource("other", Path("models/other.sql"), "select 1 as id", "gold")


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ((), "gives no rows for raw.orders, which model 'daily' reads"),
        (
            (("ref('orders')", ORDERS), ("ref('other')", ORDERS)),
            "gives rows for other, which model 'daily' does not read",
        ),
        ((("ref('ordres')", ORDERS),), "ref('ordres'): there is no model or loaded table of that name"),
        ((("orders", ORDERS),), "'orders' names no input"),
    ],
)
def test_what_is_given_is_what_is_read(given: tuple[tuple[str, Fixture], ...], what: str) -> None:
    with pytest.raises(ProjectError) as caught:
        compiled(UnitSpec("t", WHERE, given, rows()), OTHER)
    assert what in caught.value.finding.what
    assert caught.value.finding.where == "models/u.yml:3:5"


def test_a_unit_test_is_a_part_of_the_fingerprint_wherever_it_stands() -> None:
    def fingerprint(expect: Fixture) -> str:
        return compiled(UnitSpec("t", WHERE, (("ref('orders')", ORDERS),), expect)).fingerprint

    assert fingerprint(rows({"n": 1})) != fingerprint(rows({"n": 2}))
    assert fingerprint(rows({"n": 1})) == fingerprint(Fixture(Location("elsewhere.yml", 9), ({"n": 1},)))
