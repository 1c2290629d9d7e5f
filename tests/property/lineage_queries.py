"""Drawn models over small tables: every construct that lineage follows, with results that do not depend on chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

SOURCES: dict[str, tuple[str, ...]] = {"s1": ("a", "b", "c", "k"), "s2": ("a", "d", "k"), "s3": ("e", "f")}
ROWS = 7


@dataclass(frozen=True)
class Query:
    """`columns`: names of the output columns, all of them whole numbers."""

    sql: str
    columns: tuple[str, ...]
    reads: tuple[str, ...]


Table = tuple[str, tuple[str, ...]]
Draw = Callable[..., object]


def contents() -> st.SearchStrategy[dict[str, list[list[int]]]]:
    """Rows for the sources, of few values, so that keys meet and groups have several rows."""
    cell = st.integers(0, 3)
    return st.fixed_dictionaries(
        {
            name: st.lists(st.lists(cell, min_size=len(columns), max_size=len(columns)), min_size=ROWS, max_size=ROWS)
            for name, columns in SOURCES.items()
        }
    )


@st.composite
def pipelines(draw: st.DrawFn, longest: int = 4) -> list[tuple[str, Query]]:
    """Models by name, each of which reads sources and models before it."""
    tables: list[Table] = list(SOURCES.items())
    models = []
    for number in range(draw(st.integers(1, longest))):
        query = draw(queries(tables))
        models.append((f"m{number}", query))
        tables.append((f"m{number}", query.columns))
    return models


@st.composite
def queries(draw: st.DrawFn, tables: Sequence[Table]) -> Query:
    # What was made last is read more often, so that models make chains.
    one = draw(st.sampled_from([*tables, *tables[-1:] * 2]))
    two = draw(st.sampled_from(tables))
    return draw(st.sampled_from(FORMS))(draw, one, two)


def _some(draw: st.DrawFn, table: Table) -> str:
    return draw(st.sampled_from(table[1]))


def _value(draw: st.DrawFn, prefix: str, table: Table) -> str:
    """An expression over one table that is never an error."""
    x, y, z = (f"{prefix}{_some(draw, table)}" for _ in range(3))
    return draw(
        st.sampled_from(
            (
                x,
                f"{x} + {y}",
                f"case when {x} > 1 then {y} else {z} end",
                f"coalesce({x}, {y})",
                f"if({x} = {y}, 1, {z})",
                f"greatest({x}, {y})",
                f"({x} * 2)::bigint",
                f"length(repeat('x', abs({x})::int % 4))",
                f"len(list_filter([{x}, {y}], v -> v > 1))",
                f"{{'p': {x}, 'q': {y}}}.p",
                f"list_sum([i + 1 for i in [{x}, {y}] if i > 0])",
            )
        )
    )


def _condition(draw: st.DrawFn, prefix: str, table: Table) -> str:
    x, y = (f"{prefix}{_some(draw, table)}" for _ in range(2))
    return draw(st.sampled_from((f"{x} > 0", f"{x} <> {y}", f"{x} is not null and {y} < 3", f"{x} in (0, 1, 2)")))


def _plain(draw: st.DrawFn, one: Table, two: Table) -> Query:
    where = f" where {_condition(draw, '', one)}" if draw(st.booleans()) else ""
    sql = f"select {_value(draw, '', one)} as x, {_value(draw, '', one)} as y, x + 1 as z from {one[0]}{where}"
    return Query(sql, ("x", "y", "z"), (one[0],))


def _join(draw: st.DrawFn, one: Table, two: Table) -> Query:
    kind = draw(st.sampled_from(("", "left", "right", "full", "inner")))
    on = f"l.{_some(draw, one)} = r.{_some(draw, two)}"
    tables = f"{one[0]} l {kind} join {two[0]} r on {on}"
    sql = f"select {_value(draw, 'l.', one)} x, {_value(draw, 'r.', two)} y from {tables}"
    return Query(sql, ("x", "y"), (one[0], two[0]))


def _using(draw: st.DrawFn, one: Table, two: Table) -> Query:
    kind = draw(st.sampled_from(("", "left", "right", "full")))
    left, right = f"(select {_some(draw, one)} as j, {_some(draw, one)} as x from {one[0]})", two[0]
    right = f"(select {_some(draw, two)} as j, {_some(draw, two)} as y from {right})"
    return Query(f"select * from {left} as l {kind} join {right} as r using (j)", ("j", "x", "y"), (one[0], two[0]))


def _half(draw: st.DrawFn, one: Table, two: Table) -> Query:
    kind = draw(st.sampled_from(("semi", "anti")))
    on = f"l.{_some(draw, one)} = r.{_some(draw, two)}"
    sql = f"select {_some(draw, one)} as x, {_value(draw, '', one)} as y from {one[0]} l {kind} join {two[0]} r on {on}"
    return (
        Query(sql.replace(" as x, ", " as x, "), ("x", "y"), (one[0], two[0]))
        if one[0] != two[0]
        else _plain(draw, one, two)
    )


def _group(draw: st.DrawFn, one: Table, two: Table) -> Query:
    key, summed = _some(draw, one), _some(draw, one)
    aggregate = draw(
        st.sampled_from(
            (
                f"sum({summed})",
                f"count(distinct {summed})",
                f"max({summed}) filter (where {_condition(draw, '', one)})",
                f"list({summed} order by {summed})[1]",
            )
        )
    )
    by = draw(st.sampled_from((f"group by {key}", "group by 1", "group by all")))
    having = draw(st.sampled_from(("", " having count(*) > 1", f" having min({_some(draw, one)}) < 2")))
    sql = f"select {key} as g, ({aggregate})::bigint as s, count(*) as n from {one[0]} {by}{having}"
    return Query(sql, ("g", "s", "n"), (one[0],))


def _window(draw: st.DrawFn, one: Table, two: Table) -> Query:
    x, p, o = (_some(draw, one) for _ in range(3))
    function = draw(st.sampled_from((f"sum({x})", "rank()", "dense_rank()", f"max({x})", "count(*)")))
    over = draw(st.sampled_from((f"over (partition by {p} order by {o})", "over w", f"over (order by {o})")))
    qualify = draw(
        st.sampled_from(("", f" qualify rank() over (partition by {p} order by {o}) <= 2", " qualify w > 0"))
    )
    sql = f"select {x} as x, ({function} {over})::bigint as w from {one[0]} window w as (partition by {p} order by {o})"
    return Query(sql + qualify, ("x", "w"), (one[0],))


def _set(draw: st.DrawFn, one: Table, two: Table) -> Query:
    word = draw(st.sampled_from(("union all", "union", "except", "intersect", "except all", "union all by name")))
    left = f"select {_value(draw, '', one)} as x, {_some(draw, one)} as y from {one[0]}"
    right = f"select {_some(draw, two)} as y, {_value(draw, '', two)} as x from {two[0]}"
    return Query(f"{left} {word} {right}", ("x", "y"), (one[0], two[0]))


def _cte(draw: st.DrawFn, one: Table, two: Table) -> Query:
    inner = draw(st.sampled_from(FLAT))(draw, one, two)
    sql = f"with base as ({inner.sql}), again as (select *, {_value(draw, '', ('', inner.columns))} as more from base)"
    return Query(f"{sql} select * from again", (*inner.columns, "more"), inner.reads)


def _nested(draw: st.DrawFn, one: Table, two: Table) -> Query:
    inner = draw(st.sampled_from(FLAT))(draw, one, two)
    dropped, kept = inner.columns[0], inner.columns[1:]
    star = f"* exclude ({dropped}) replace ({_value(draw, '', ('', inner.columns))} as {kept[0]})"
    return Query(f"select {star} from ({inner.sql}) as inner_one", kept, inner.reads)


def _renamed(draw: st.DrawFn, one: Table, two: Table) -> Query:
    first = one[1][0]
    return Query(f"select t.* rename ({first} as renamed) from {one[0]} as t", ("renamed", *one[1][1:]), (one[0],))


def _scalar(draw: st.DrawFn, one: Table, two: Table) -> Query:
    on = f"o.{_some(draw, one)} = i.{_some(draw, two)}"
    inner = f"select max(i.{_some(draw, two)}) from {two[0]} as i where {on}"
    sql = f"select o.{_some(draw, one)} as x, ({inner}) as m from {one[0]} as o"
    return Query(sql, ("x", "m"), (one[0], two[0]))


def _exists(draw: st.DrawFn, one: Table, two: Table) -> Query:
    x, y = f"o.{_some(draw, one)}", f"i.{_some(draw, two)}"
    test = draw(
        st.sampled_from(
            (
                f"exists (select 1 from {two[0]} as i where {x} = {y})",
                f"{x} in (select {y} from {two[0]} as i where {_condition(draw, 'i.', two)})",
                f"not exists (select 1 from {two[0]} as i where {x} < {y})",
            )
        )
    )
    return Query(f"select {_value(draw, 'o.', one)} as x, {_some(draw, one)} as y from {one[0]} as o where {test}",
                 ("x", "y"), (one[0], two[0]))  # fmt: skip


def _distinct(draw: st.DrawFn, one: Table, two: Table) -> Query:
    x, y = _some(draw, one), _some(draw, one)
    head = draw(st.sampled_from(("distinct", f"distinct on ({x})")))
    return Query(f"select {head} {x} as x, {y} as y from {one[0]} order by {x}, {y}", ("x", "y"), (one[0],))


def _limited(draw: st.DrawFn, one: Table, two: Table) -> Query:
    x = _some(draw, one)
    order = ", ".join(f"t.{name}" for name in (x, *one[1]))
    return Query(
        f"select t.{x} as x, t.{one[1][-1]} as y from {one[0]} as t order by {order} limit 3", ("x", "y"), (one[0],)
    )


def _pivot(draw: st.DrawFn, one: Table, two: Table) -> Query:
    on, used, key = (_some(draw, one) for _ in range(3))
    inner = f"(select {on} as p, {used} as u, {key} as g from {one[0]})"
    sql = draw(
        st.sampled_from(
            (
                f"select g, n0, n1 from {inner} pivot (sum(u) for p in (0 as n0, 1 as n1) group by g)",
                f"select * from (pivot {inner} on p in (0, 1) using max(u) group by g) as t(g, n0, n1)",
            )
        )
    )
    return Query(sql, ("g", "n0", "n1"), (one[0],))


def _unpivot(draw: st.DrawFn, one: Table, two: Table) -> Query:
    first, second = one[1][0], one[1][1]
    inner = f"(select {first} as u1, {second} as u2, {one[1][-1]} as stays from {one[0]})"
    return Query(f"select stays, v from {inner} unpivot (v for n in (u1, u2))", ("stays", "v"), (one[0],))


def _lateral(draw: st.DrawFn, one: Table, two: Table) -> Query:
    x, y = f"o.{_some(draw, one)}", f"i.{_some(draw, two)}"
    form = draw(
        st.sampled_from(
            (
                f"{one[0]} as o, lateral (select sum({y}) as v from {two[0]} as i where {y} >= {x}) as l",
                f"{one[0]} as o, unnest([{x}, o.{one[1][0]}]) as l(v)",
                f"{one[0]} as o, (select unnest(range(0, (abs({x}) % 3)::bigint)) as v) as l",
            )
        )
    )
    return Query(f"select o.{_some(draw, one)} as x, l.v::bigint as y from {form}", ("x", "y"),
                 (one[0], two[0]) if two[0] in form else (one[0],))  # fmt: skip


def _recursive(draw: st.DrawFn, one: Table, two: Table) -> Query:
    x, y = _some(draw, one), _some(draw, one)
    start = f"select {x} as n, {y} as tag from {one[0]}"
    step = "select n + 1, r.tag from r where n < 3"
    return Query(f"with recursive r as ({start} union all {step}) select * from r", ("n", "tag"), (one[0],))


def _row(draw: st.DrawFn, one: Table, two: Table) -> Query:
    return Query(f"select t.{_some(draw, one)} as x, (q.st).v as y from {one[0]} as t join "
                 f"(select {{'v': {_some(draw, two)}, 'w': {_some(draw, two)}}} as st from {two[0]}) as q "
                 f"on q.st.w = t.{_some(draw, one)}", ("x", "y"), (one[0], two[0]))  # fmt: skip


FLAT = (_plain, _join, _using, _group, _window, _set, _scalar, _distinct)
FORMS = (*FLAT, *FLAT, _half, _cte, _nested, _renamed, _exists, _limited, _pivot, _unpivot, _lateral, _recursive, _row)
