"""What flows into the columns and the rows of a query, construct by construct."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.sql.lineage.flow import ANY, ROWS, SAME, Flow, Flows
from headgate.sql.lineage.known import Dialect, Known, Macro, Traced
from headgate.sql.lineage.trace import trace

TABLES = {
    "main.t": Known("t", ("a", "b", "c", "k", "l")),
    "main.r": Known("r", ("q", "z", "k")),
    "main.open": Known.by_name("open"),
    'odd."na.me': Known('odd."na.me', ("we\nird", "Ünï")),
}


def traced(sql: str, dialect: Dialect = "duckdb", macros: tuple[Macro, ...] = ()) -> Traced:
    named: dict[str, tuple[Macro, ...]] = {}
    for one in macros:
        named[one.name] = (*named.get(one.name, ()), one)
    return trace(sql, dialect, TABLES, ["t", "r"], named)


def text(flows: Flows) -> str:
    """`t.a` for identity, `t.a:filter` for the rest; which rows a table has is left out."""
    return " ".join(
        sorted(
            f"{one.table}.{one.column}" + (f":{one.kind}" if one.kind != "identity" else "")
            for one in flows
            if one.column != ROWS
        )
    )


def columns(sql: str, dialect: Dialect = "duckdb") -> dict[str, str]:
    found = traced(sql, dialect)
    assert found.doubt == ""
    return {name: text(flows) for name, flows in found.columns}


@pytest.mark.parametrize(
    ("sql", "expected", "rows"),
    [
        ("select a, b + 1 as x from t where c > 1", {"a": "t.a", "x": "t.b:transformation"}, "t.c:filter"),
        ("select T.A as x from main.T", {"x": "t.a"}, ""),
        ("from t select a", {"a": "t.a"}, ""),
        ("select * exclude (a, c, k) rename (b as d) from t", {"d": "t.b", "l": "t.l"}, ""),
        (
            "select * replace (k + 1 as k) from r join (select a from t) s on s.a = r.q",
            {"q": "r.q", "z": "r.z", "k": "r.k:transformation", "a": "t.a"},
            "r.q:join t.a:join",
        ),
        ("select k from t full join r using (k)", {"k": "r.k t.k"}, "r.k:join t.k:join"),
        ("select k from t left join r using (k)", {"k": "t.k"}, "r.k:join t.k:join"),
        ("select r.k from t natural join r", {"k": "r.k"}, "r.k:join t.k:join"),
        ("select a from t semi join r on t.k = r.k", {"a": "t.a"}, "r.k:join t.k:join"),
        ("select sum(a) as s, count(*) as n from t", {"s": "t.a:aggregation", "n": ""}, ""),
        ("select a as g, max(b) as m from t group by 1", {"g": "t.a", "m": "t.b:aggregation"}, "t.a:group_by"),
        (
            "select a, count(*) as n from t group by all having max(b) > 1",
            {"a": "t.a", "n": ""},
            "t.a:group_by t.b:filter",
        ),
        (
            "select case when a > 1 then b else c end as x from t",
            {"x": "t.a:conditional t.b:transformation t.c:transformation"},
            "",
        ),
        (
            "select sum(a) filter (where b > 1) over (partition by c order by k) as w from t",
            {"w": "t.a:aggregation t.b:conditional t.c:window t.k:window"},
            "",
        ),
        ("select rank() over w as r from t window w as (order by b) qualify r = 1", {"r": "t.b:window"}, "t.b:filter"),
        ("select string_agg(a, ',' order by b) as s from t", {"s": "t.a:aggregation t.b:sort"}, ""),
        ("select distinct a from t", {"a": "t.a"}, "t.a:group_by"),
        ("select a from t order by b limit 3", {"a": "t.a"}, "t.b:sort"),
        ("select a from t union all select q from r", {"a": "r.q t.a"}, ""),
        ("select a from t union select q from r", {"a": "r.q t.a"}, "r.q:group_by t.a:group_by"),
        ("select a from t except select q from r", {"a": "t.a"}, "r.q:filter t.a:filter"),
        ("select a, b from t union all by name select z as b, q as a from r", {"a": "r.q t.a", "b": "r.z t.b"}, ""),
        ("with x as (select a as y from t) select y from x as x2", {"y": "t.a"}, ""),
        (
            "with recursive c(n, g) as (select a, b from t union all select n + 1, g from c where n < 3) "
            "select * from c, (select q from r) as k",
            {"n": "t.a t.a:transformation", "g": "t.b", "q": "r.q"},
            None,
        ),
        (
            "select {'p': a, 'q': b}.q as x, st['p'] as y from (select *, {'p': c} as st from t)",
            {"x": "t.b", "y": "t.c"},
            "",
        ),
        ("select MAP {a: b} as m from t", {"m": "t.a:transformation t.b:transformation"}, ""),
        (
            "select a.upper() as x, list_transform(l, v -> v + b) as y, [v for v in l if v > k] as z from t",
            {
                "x": "t.a:transformation",
                "y": "t.b:transformation t.l:transformation",
                "z": "t.k:conditional t.l:conditional t.l:transformation",
            },
            "",
        ),
        ("select a + 1 as x, x * 2 as y from t", {"x": "t.a:transformation", "y": "t.a:transformation"}, ""),
        (
            "select (select max(q) from r where r.k = t.k) as m from t",
            {"m": "r.k:filter r.q:aggregation t.k:filter"},
            "",
        ),
        ("select a from t where exists (select 1 from r where r.q = t.b)", {"a": "t.a"}, "r.q:filter t.b:filter"),
        ("select a from t where b in (select q from r)", {"a": "t.a"}, "r.q:filter t.b:filter"),
        (
            "select o.v from t, lateral (select t.a + r.q as v from r where r.z = t.b) as o",
            {"v": "r.q:transformation t.a:transformation"},
            "r.z:filter t.b:filter",
        ),
        ("select u.x from t, unnest(t.l) as u(x)", {"x": "t.l:transformation"}, "t.l:join"),
        (
            "select v, n from t unpivot (v for n in (a, b))",
            {"v": "t.a:transformation t.b:transformation", "n": ""},
            "t.a:filter t.b:filter",
        ),
        ("select j.* from (t join r on t.a = r.q) as j(x)", None, "r.q:join t.a:join"),
        ("select x from (values (1, 2)) v(x, y)", {"x": ""}, ""),
        ('select v."we\nird" as "A.b" from odd."""na.me" as v', {"A.b": 'odd."na.me.we\nird'}, ""),
        ('select ünï from odd."""na.me"', {"ünï": 'odd."na.me.Ünï'}, ""),
    ],
)
def test_what_flows_into_columns_and_rows(sql: str, expected: dict[str, str] | None, rows: str | None) -> None:
    found = traced(sql)
    assert (found.doubt, found.unknown) == ("", ())
    if expected is not None:
        assert {name: text(flows) for name, flows in found.columns} == expected
        assert found.rest is None
    if rows is not None:
        assert text(found.rows) == rows


def test_a_pivot_gives_each_value_the_aggregate_and_the_key() -> None:
    found = columns("pivot t on k in ('x', 'y') using sum(a) group by b")
    assert found == {"b": "t.b", "x": "t.a:aggregation t.k:conditional", "y": "t.a:aggregation t.k:conditional"}
    assert columns("select b, x from t pivot (max(a) for k in ('x') group by b)")["x"] == (
        "t.a:aggregation t.k:conditional"
    )


def test_tables_of_unknown_columns_pass_names_on() -> None:
    assert columns("select o.x, a from open as o join t on o.i = t.k") == {"x": "open.x", "a": "t.a"}
    found = traced("select * from open")
    assert found.columns == ()
    assert found.rest == {Flow("open", SAME, "identity")}
    assert columns("select y from (select * exclude (z) from open)") == {"y": "open.y"}


def test_which_rows_a_table_has_is_followed_apart() -> None:
    found = traced("select a, (select count(*) from r) as n from t")
    assert found.rows == {Flow("t", ROWS, "rows")}
    assert dict(found.columns)["n"] == {Flow("r", ROWS, "rows")}


def test_what_is_not_understood_comes_of_everything() -> None:
    found = traced("selec a frm t")
    assert found.doubt
    assert {(one.table, one.column) for one in found.rest or ()} == {("t", ANY), ("r", ANY)}
    assert {one.column for one in found.rows} == {ANY, ROWS}
    assert traced("summarize t").doubt == "SUMMARIZE is not taken apart"
    assert traced("select a from t connect by prior a = b").doubt
    assert traced("select " + "(" * 5000 + "a" + ")" * 5000 + " from t").doubt
    unknown = traced("select nobody from r")
    assert unknown.unknown == ("nobody",)
    assert text(dict(unknown.columns)["nobody"]) == "r.k r.q r.z"


WORDS = (
    "select",
    "from",
    "t",
    "r",
    "a",
    "b",
    "q",
    "*",
    "(",
    ")",
    ",",
    "as",
    "join",
    "on",
    "=",
    "where",
    "group by",
    "rename",
    "union",
    "with",
    "lateral",
    "pivot",
    "for",
    "in",
    "unnest",
    "over",
    "order by",
    "{",
    "}",
    "'x'",
    ".",
    "case",
    "when",
    "then",
    "end",
    "exclude",
    "replace",
    "1",
    "using",
    "recursive",
    "columns",
    "->",
    "\x00",
    '"',
    "distinct",
)


@given(st.lists(st.sampled_from(WORDS), max_size=14), st.sampled_from(("duckdb", "postgres")))
def test_no_text_is_too_odd(words: list[str], dialect: Dialect) -> None:
    found = traced("select " + " ".join(words), dialect)
    assert found.doubt or found.columns or found.rest is not None


def test_a_wide_query_in_many_steps_takes_no_time_to_speak_of() -> None:
    names = [f"c{number}" for number in range(300)]
    steps = ", ".join(f"s{at + 1} as (select {', '.join(names)} from s{at})" for at in range(20))
    sql = f"with s0 as (select {', '.join(f'a as {name}' for name in names)} from t), {steps} select * from s20"
    found = columns(sql)
    assert list(found) == names
    assert set(found.values()) == {"t.a"}


def test_macros_are_followed_into_their_bodies() -> None:
    scalar = Macro("twice", ("x",), "(x * 2)")
    looked = Macro("looked", ("x",), "(select max(q) from r where z = x)")
    rows = Macro("paid", ("least",), "select a, b from t where c > least", is_table=True)
    endless = Macro("endless", ("x",), "endless(x)")
    macros = (scalar, looked, rows, endless)
    assert text(dict(traced("select twice(a) as x from t", macros=macros).columns)["x"]) == "t.a:transformation"
    found = dict(traced("select looked(b) as x from t", macros=macros).columns)["x"]
    assert text(found) == "r.q:aggregation r.z:filter t.b:filter"
    table = traced("select p.a from paid(3) as p", macros=macros)
    assert text(table.rows) == "t.c:filter"
    assert traced("select endless(a) as x from t", macros=macros).doubt == "the macro endless can't be followed"


def test_postgres_reads_its_own_spelling() -> None:
    sql = "select a::text || '!' as x, count(*) filter (where b > 1) as n from t group by a"
    assert columns(sql, "postgres") == {"x": "t.a:transformation", "n": "t.b:conditional"}
    assert list(columns("select sum(a), lower(b) from t", "postgres")) == ["sum", "lower"]


def test_files_and_functions_are_outside() -> None:
    assert columns("select x from read_csv('a.csv')") == {"x": "READ_CSV('a.csv').x"}
    assert columns("select p.x from 'f.parquet' as p") == {"x": "f.parquet.x"}
    assert columns("select i from range(3) as g(i)") == {"i": ""}
