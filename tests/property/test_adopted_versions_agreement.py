"""A history that somebody else keeps is adopted, or left alone, as the oracle says, and loads go on from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import pytest
from hypothesis import event, given, note, settings
from hypothesis import strategies as st
from tests.property.driver import Warehouse, differences, oracle_view

from headgate.contracts.evolution import Policy
from headgate.core.errors import HeadgateError
from headgate.core.values import TableRef
from headgate.run.adopt import Wanted, adopt
from headgate.sql import quote
from headgate.testing import oracle
from headgate.testing.strategies import Step, contracts, flows, histories, ingest_form, parents, play

Texts = dict[str, str | None]


@dataclass(frozen=True)
class Case:
    flow: oracle.Flow
    rows: list[Texts]
    steps: list[Step]
    source: Literal["seen", "new"]


SOME = settings(max_examples=max(5, settings().max_examples // 3))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Versions that loads of such a flow made; of every second case, one is changed by hand."""
    flow = draw(flows(("scd2",), contracts(types=("int", "text", "date"), limits=False)))
    for _ in range(4):  # most drawn histories of a strict contract have no row
        state = parents()
        for step in draw(histories(flow, max_steps=2, kinds=("load",), faults=False)):
            state = play(state, flow, step)
        if state.rows(flow.table):
            break
    source = {column.name: column.read_as for column in flow.contract.columns}
    rows: list[Texts] = [
        {source.get(name, name): oracle.written(value) for name, value in row.items() if name != "_hg_load"}
        for row in state.rows(flow.table)
    ]
    if rows and draw(st.booleans()):
        field = draw(st.sampled_from(["valid_from", "valid_to", "valid_to", "is_current", source["n"], source["id"]]))
        texts = st.sampled_from(["true", "false"] if field == "is_current" else [None, "1", "2", "3", "4", "5"])
        rows[draw(st.integers(0, len(rows) - 1))][field] = draw(texts)
    steps = draw(histories(flow, max_steps=2, kinds=("load", "load", "full_refresh")))
    return Case(flow, rows, steps, draw(st.sampled_from(["seen", "new"])))


def stand(real: Warehouse, rows: list[Texts]) -> None:
    """The table as another tool left it: its own columns hold texts, the times and words of versions what they are."""
    flow, table = real.flow, TableRef.parse(real.flow.table)
    beside = [("valid_from", "BIGINT"), ("valid_to", "BIGINT"), ("is_current", "BOOLEAN")]
    beside += [(name, "BIGINT") for _, name in flow.latest]
    typed = [(column.name, "VARCHAR") for column in flow.contract.columns] + beside
    fed = [*(column.read_as for column in flow.contract.columns), *(name for name, _ in beside)]
    with real.store.session() as session:
        session.execute(f"CREATE SCHEMA IF NOT EXISTS {quote.ident(table.schema)}")
        session.create(table, typed)
        for row in rows:
            marks = ", ".join(f"CAST(? AS {kind})" for _, kind in typed)
            session.execute(f"INSERT INTO {quote.table(table)} VALUES ({marks})", [row[name] for name in fed])


@SOME
@given(cases())
def test_a_history_is_adopted_as_the_oracle_adopts_it_and_goes_on(case: Case) -> None:
    flow, first = case.flow, case.steps[0]
    note(ingest_form(flow, "orders/*.csv") + f"{case.rows} {case.source}")
    rows = oracle.File("", tuple(case.rows), tuple(case.rows[0]) if case.rows else ())
    real = Warehouse(flow)
    try:
        stand(real, case.rows)
        real.ingest = replace(real.ingest, evolution=Policy.all("evolve"))
        wanted = Wanted("test", case.source, quarantine=True)
        try:
            state = oracle.adopt(parents(), flow, rows, first.files, case.source, True)
        except oracle.Kept as kept:
            event(str(kept))
            with pytest.raises(HeadgateError, match=r"adopt-refused|adopt-unfit"):
                adopt(real.store, real.real_flow(first), wanted)
            assert real.findings() == []
            return
        adopt(real.store, real.real_flow(first), wanted)
        event(f"adopted {len(case.rows)}")
        assert differences(real.view(), oracle_view(state)) == []
        for step in case.steps:
            note(f"{step.kind} {step.files} slices={step.slices}")
            state = play(state, flow, step)
            real.play(step)
            assert differences(real.view(), oracle_view(state)) == []
            assert real.findings() == []
    finally:
        real.close()
