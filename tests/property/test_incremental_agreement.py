"""An incremental model built in steps holds what its SELECT gives over all rows, whatever comes late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import event, given
from hypothesis import strategies as st

from headgate.adapters.duckdb.store import DuckDBSession
from headgate.books import ledger, record, tables
from headgate.books.record import Joined, Made
from headgate.books.schema import migrate
from headgate.core.protocols import StoreSession
from headgate.core.values import TableRef
from headgate.models.build import How, build
from headgate.models.compile import compile_models
from headgate.models.model import Model, ModelSource
from headgate.models.names import read_view_sql
from headgate.run.build import write_entry

ORDERS, SHOPS = TableRef("raw", "orders"), TableRef("raw", "shops")
CONFIG = "{{{{ config(materialized='incremental', time_column='t', interval='{grain}') }}}}\n"
VIEW = "select t, k, v + 0 as v from {{ ref('orders') }} where v <> 3 or v is null"
SELECTS = (
    "select * from {{ ref('orders') }}",
    "select date_trunc('day', t) as t, count(*) as n, sum(v) as v from {{ ref('stg') }} group by 1",
    "select cast(t as date) as t, k, max(v) as v from {{ ref('part') }} group by all",
    "select o.t, o.v, s.v as other from {{ ref('stg') }} as o join {{ ref('shops') }} as s using (k)",
)
"""Rows as they are; grouped, over a view; by the day, over an ephemeral model; a join of two loaded tables."""

MOMENTS = [None, *(f"2024-0{month}-{day} {time}" for month in (1, 2) for day in ("01", "02", "09")
                   for time in ("00:00:00", "17:30:00"))]  # fmt: skip
ROWS = st.lists(
    st.tuples(st.sampled_from(MOMENTS), st.integers(0, 2), st.one_of(st.none(), st.integers(0, 4))), max_size=4
)


@dataclass(frozen=True)
class Step:
    """What happens to a loaded table before the next build: rows come; every row of key `moved` has another time."""

    table: TableRef
    rows: list[tuple[str | None, int, int | None]]
    moved: int | None


STEPS = st.lists(
    st.builds(Step, st.sampled_from((ORDERS, ORDERS, SHOPS)), ROWS, st.sampled_from((*[None] * 9, 1))),
    min_size=1,
    max_size=2,
)
FIRST = (
    Step(ORDERS, [("2024-01-02 10:00:00", 1, 1), ("2024-02-01 00:00:00", 2, 2), (None, 1, 4)], None),
    Step(SHOPS, [(None, 1, 7), (None, 2, 8)], None),
)


@contextmanager
def warehouse() -> Iterator[StoreSession]:
    with duckdb.connect() as connection:
        session = DuckDBSession(connection)
        migrate(session)
        session.execute("CREATE SCHEMA raw")
        for table in (ORDERS, SHOPS):
            session.execute(f"CREATE TABLE {table} (t TIMESTAMP, k BIGINT, v BIGINT, _hg_load BIGINT)")
            tables.register(session, str(table))
            for statement in read_view_sql(table, ["t", "k", "v"]):
                session.execute(statement)
        yield session


def happen(session: StoreSession, step: Step) -> None:
    """As a load would do it: rows that name their entry, and an entry that says what became of those of before."""
    state = ledger.table_state(session, step.table)
    assert state is not None
    for moment, key, value in step.rows:
        session.execute(f"INSERT INTO {step.table} VALUES (?, ?, ?, ?)", [moment, key, value, state.version + 1])
    moved = 0
    if step.moved is not None:
        ((moved,),) = session.execute(
            f"UPDATE {step.table} SET t = t + INTERVAL '8 days' WHERE k = ? AND _hg_load <= ?",
            [step.moved, state.version],
        )
    rows = session.execute(f"SELECT count(*) FROM {step.table}")[0][0]
    joined = Joined(len(step.rows), int(moved), 0)
    record.add(session, step.table, state.version, int(rows), Made("load", "a", "me", {}, joined=joined))


def models(select: str, grain: str) -> list[Model]:
    texts = {
        "part": "{{ config(materialized='ephemeral') }} select * from {{ ref('stg') }} where k > 0",
        "stg": VIEW,
        "m": CONFIG.format(grain=grain) + select,
    }
    sources = [ModelSource(name, Path(f"models/{name}.sql"), text, "gold") for name, text in texts.items()]
    return sorted(compile_models(sources, [ORDERS, SHOPS]), key=lambda model: model.name == "m")


def made(session: StoreSession, model: Model) -> Any:
    state = ledger.table_state(session, model.target)
    write = partial(write_entry, model, {"materialized": model.materialized}, "me")
    outcome = build(session, model, "a", write, None, How(seen=state.version if state else 0))
    assert outcome.status == "built", outcome.findings
    return ledger.last_build(session, model.target)


@given(STEPS, st.sampled_from(SELECTS), st.sampled_from(("day", "month")))
def test_what_is_built_in_steps_is_what_the_select_gives(steps: list[Step], select: str, grain: str) -> None:
    with warehouse() as session:
        view, model = models(select, grain)
        for step in FIRST:
            happen(session, step)
        made(session, view)
        made(session, model)
        for step in steps:
            happen(session, step)
            entry = made(session, model)
            built = entry.facts["intervals"]["built"]
            event("all" if "all" in built else "late" if built["late"] else "newest")
            ((stands, counted),) = session.execute(
                f"SELECT count(*), (SELECT count(*) FROM ({model.sql}) AS q) FROM {model.target}"
            )
            assert stands == counted == entry.rows_after
            assert session.execute(f"(FROM {model.target}) EXCEPT ALL ({model.sql})") == []
