"""What an edit of a query does: told from its text, and proven by running both."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.models.change import change, same


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("select a from t", "SELECT a\n  FROM t -- all of it"),
        ("select (a + b) * c as x from t", "select ((a + b)) * (c) as x from t"),
        ("select a x from t join u using (k) order by a", "select a as x from t JOIN u USING (k) order by a"),
        ("select sum(a) as s from t", "SELECT SUM(a) AS s FROM t"),
        ("select cast(a as int) x from t /* c */", "select CAST(a AS INT) x from t"),
    ],
)
def test_another_way_to_write_it_is_no_change(old: str, new: str) -> None:
    assert same(old, new, "duckdb")
    assert change(old, new, "duckdb").verdict == "none"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("select (a + b) * c as x from t", "select a + b * c as x from t"),
        ("select strlen(a) as x from t", "select length(a) as x from t"),
        ("select a from t where s = 'A'", "select a from t where s = 'a'"),
        ("select j->'$.A' as x from t", "select j->'$.a' as x from t"),
        ('select "A" as x from t', 'select "a" as x from t'),
        ("select a as x from t", "select a as X from t"),
        ("select 'a' 'b' as x", "select 'a'\n'b' as x"),
        ("selec a", "selec  b"),
        ("select a from t join u using (k)", "select a from t left join u using (k)"),
        ("select a - (b - c) as x from t", "select a - b - c as x from t"),
        ("select not (a = b) as x from t", "select (not a) = b as x from t"),
        ("selec (a)", "selec a"),
    ],
)
def test_what_may_mean_something_else_is_a_change(old: str, new: str) -> None:
    assert not same(old, new, "duckdb")
    assert change(old, new, "duckdb").verdict == "breaking"


@pytest.mark.parametrize(
    ("old", "new", "added"),
    [
        ("select a from t", "select a, b + 1 as c from t", ("c",)),
        ("select a from t", "select b as c, a from t", ("c",)),
        ("select a, count(*) as n from t group by a", "select a, count(*) as n, sum(b) as s from t group by a", ("s",)),
        ("select a from t", "select a, sum(b) over () as s from t", ("s",)),
        ("select * from t", "select *, a + 1 as z from t", ("z",)),
        ("select a from t where b > 1", "select a, b from t where b > 1", ("b",)),
        (
            "with c as (select b as q from t) select q from c",
            "with c as (select b as q from t) select q, 1 as b from c",
            ("b",),
        ),
    ],
)
def test_more_columns_are_additive(old: str, new: str, added: tuple[str, ...]) -> None:
    found = change(old, new, "duckdb")
    assert (found.verdict, found.added, found.removed, found.altered, found.rows) == ("additive", added, (), (), False)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("select a from t", "select a, sum(b) as s from t"),
        ("select a from t", "select a, unnest([1, 2]) as u from t"),
        ("select a from t", "select a, anybodys_macro(b) as u from t"),
        ("select distinct a from t", "select distinct a, b from t"),
        ("select a from t group by all", "select a, b from t group by all"),
        ("select a, count(*) as n from t group by 1", "select b, a, count(*) as n from t group by 1"),
        ("select a from t order by b limit 1", "select a, 0 - a as b from t order by b limit 1"),
        (
            "select a, max(b) as m from t group by a having x > 1",
            "select a, max(b) as m, 1 as x from t group by a having x > 1",
        ),
        ("select a from t limit 3", "select a, b from t limit 3"),
        ("select a, b from t", "select b, a, 1 as c from t"),
        ("select a from t union select b from t", "select a, 1 as c from t union select b, 2 from t"),
        ("select length(a) as x from t", "select strlen(a) as x, b from t"),
    ],
)
def test_what_may_touch_rows_or_other_columns_is_not_additive(old: str, new: str) -> None:
    assert change(old, new, "duckdb").verdict == "breaking"


def test_a_breaking_edit_says_which_columns() -> None:
    found = change("select a, b, c from t", "select a, b + 1 as b, c as d from t", "duckdb")
    assert (found.added, found.removed, found.altered, found.rows) == (("d",), ("c",), ("b",), False)
    assert change("select a from t", "select a from t where b > 1", "duckdb").rows


ITEMS = (
    "a",
    "b as x",
    "a + b as y",
    "count(*) over () as n",
    "sum(b) as s",
    "case when a > 1 then b end as a2",
    "c",
    "max(c) over (order by a) as m",
    "unnest([a, b]) as u",
    "b as c",
)
TAILS = (
    "",
    " where b > 0",
    " group by a",
    " group by all",
    " order by 1",
    " order by y",
    " order by a limit 2",
    " group by 1",
    " qualify n > 1",
    " where x > 1",
)


@given(
    items=st.lists(st.sampled_from(ITEMS), min_size=1, max_size=4, unique=True),
    tail=st.sampled_from(TAILS),
    more=st.sampled_from(ITEMS),
    at=st.integers(0, 4),
    head=st.sampled_from(("select ", "select distinct ")),
)
def test_an_additive_edit_leaves_the_other_columns_as_they_were(
    items: list[str], tail: str, more: str, at: int, head: str
) -> None:
    old = f"{head}{', '.join(items)} from t{tail}"
    edited = [*items[:at], more, *items[at:]]
    new = f"{head}{', '.join(edited)} from t{tail}"
    if change(old, new, "duckdb").verdict != "additive":
        return
    with duckdb.connect() as connection:
        connection.execute(
            "create table t as select * from (values (1, 2, 3), (2, 0, 1), (1, 5, 5), (3, 1, 0)) v(a, b, c)"
        )
        try:
            before = connection.sql(old)
            connection.sql(new)
        except duckdb.Error:
            return
        names = ", ".join(f'"{name}"' for name in before.columns)
        after = connection.sql(f"select {names} from ({new})")
        assert sorted(map(repr, before.fetchall())) == sorted(map(repr, after.fetchall()))
