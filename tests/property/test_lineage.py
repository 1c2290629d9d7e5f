"""Lineage against an independent trace: change the values of one source column, and see which model columns change."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.property.lineage_queries import SOURCES, Query, contents, pipelines

from headgate.core.values import TableRef
from headgate.models.lineage import Surroundings, trace_models
from headgate.models.model import Model
from headgate.sql.lineage.flow import ROWS
from headgate.sql.lineage.known import Known
from headgate.sql.lineage.walk import Lineage, Node

Rows = dict[str, list[list[int]]]
Column = tuple[str, str]


def lineage_of(models: list[tuple[str, Query]]) -> Lineage:
    loaded = {TableRef("main", name): Known(name, columns) for name, columns in SOURCES.items()}
    compiled = [
        Model(name, TableRef("main", name), "view", query.sql, query.reads, "", (), Path(f"{name}.sql"), query.sql)
        for name, query in models
    ]
    return Lineage(trace_models(compiled, Surroundings("duckdb", loaded)))


def fill(connection: duckdb.DuckDBPyConnection, rows: Rows) -> None:
    for name, listing in rows.items():
        columns = SOURCES[name]
        listed = ", ".join(f"({', '.join(map(str, row))})" for row in listing)
        connection.execute(f"create or replace table {name} as select * from (values {listed}) t({', '.join(columns)})")


def seen(connection: duckdb.DuckDBPyConnection, models: list[tuple[str, Query]]) -> dict[Column, list[str]]:
    """The values of every column of every model, as a multiset."""
    found = {}
    for name, query in models:
        rows = connection.execute(f"select * from {name}").fetchall()
        for at, column in enumerate(query.columns):
            found[name, column] = sorted(repr(row[at]) for row in rows)
    return found


def changes(models: list[tuple[str, Query]], rows: Rows) -> Iterator[tuple[Column, set[Column]]]:
    """Each source column, and the model columns that changed when its values did."""
    with duckdb.connect(config={"threads": 1}) as connection:
        fill(connection, rows)
        for name, query in models:
            connection.execute(f"create view {name} as {query.sql}")
        before = seen(connection, models)
        read = {name for _, query in models for name in query.reads}
        for table, columns in SOURCES.items():
            if table not in read:
                continue
            for at, column in enumerate(columns):
                changed: set[Column] = set()
                for other in (lambda value: (value + 1) % 4, lambda value: 3 - value, lambda value: 7):
                    edited = [[*row[:at], other(row[at]), *row[at + 1 :]] for row in rows[table]]
                    fill(connection, {table: edited})
                    after = seen(connection, models)
                    changed |= {one for one in before if before[one] != after[one]}
                fill(connection, {table: rows[table]})
                yield (table, column), changed


def claimed(lineage: Lineage, models: list[tuple[str, Query]], source: Column) -> set[Column]:
    """The model columns that the lineage says the source column flows into, directly or not."""
    reached = {hop.target for hop in lineage.down([Node(*source)])}
    return {
        (name, column)
        for name, query in models
        for column in query.columns
        if Node(name, column) in reached or Node(name, ROWS) in reached
    }


@pytest.mark.slow
@given(models=pipelines(), rows=contents())
def test_every_column_that_changes_is_in_the_lineage(models: list[tuple[str, Query]], rows: Rows) -> None:
    lineage = lineage_of(models)
    for name, query in models:
        assert lineage.columns(name) == query.columns, query.sql
        assert not lineage.tables[name].doubt
        assert not lineage.tables[name].unknown, query.sql
    for source, changed in changes(models, rows):
        assert changed <= claimed(lineage, models, source), (source, changed - claimed(lineage, models, source))


@given(models=pipelines(), node=st.data())
def test_up_and_down_are_the_same_way(models: list[tuple[str, Query]], node: st.DataObject) -> None:
    lineage = lineage_of(models)
    name, query = node.draw(st.sampled_from(models))
    column = node.draw(st.sampled_from(query.columns))
    above = {hop.source for hop in lineage.up([Node(name, column)])}
    for source in above:
        below = {hop.target for hop in lineage.down([source])}
        assert Node(name, column) in below or Node(name, ROWS) in below


def test_the_trace_notices_a_missing_edge() -> None:
    query = Query("select a as x, b as y from s1 where c > 0", ("x", "y"), ("s1",))
    rows = {name: [[1] * len(columns), [0] * len(columns)] for name, columns in SOURCES.items()}
    found = dict(changes([("m0", query)], rows))
    assert found["s1", "a"] == {("m0", "x")}
    assert found["s1", "c"] == {("m0", "x"), ("m0", "y")}
    assert found["s1", "k"] == set()


SHARP = (
    ("m0", Query("select a as x, b as y, c as z from s1 where k > 0", ("x", "y", "z"), ("s1",))),
    ("m1", Query("select l.x, r.d as v from m0 l join s2 r on r.k = l.y", ("x", "v"), ("m0", "s2"))),
    ("m2", Query("select v, sum(x) over (partition by v) as w from m1", ("v", "w"), ("m1",))),
    ("m3", Query("with q as (select {'p': x, 'q': v} as st from m1) select st.p as p, 1 as one from q", ("p", "one"),
                 ("m1",))),
    ("m4", Query("select e as u, (select max(a) from s2) as top from s3 union all select f, 0 from s3", ("u", "top"),
                 ("s3", "s2"))),
)  # fmt: skip


def test_in_plain_models_every_column_of_the_lineage_changes() -> None:
    drawn = random.Random(1)
    rows = {name: [[drawn.randrange(4) for _ in columns] for _ in range(24)] for name, columns in SOURCES.items()}
    lineage = lineage_of(list(SHARP))
    for source, changed in changes(list(SHARP), rows):
        assert claimed(lineage, list(SHARP), source) == changed, source
