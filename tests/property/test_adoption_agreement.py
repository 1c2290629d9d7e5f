"""A table that somebody else made is adopted as the oracle adopts it, and loaded into from then on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import pytest
from hypothesis import event, given, note
from hypothesis import strategies as st
from tests.property.driver import Warehouse, differences, oracle_view

from headgate.contracts.evolution import Policy
from headgate.core.errors import ContractError
from headgate.core.values import TableRef
from headgate.run.adopt import Wanted, adopt
from headgate.sql import quote
from headgate.testing import oracle
from headgate.testing.oracle import File, Flow, Malformed
from headgate.testing.strategies import (
    PARENTS,
    TYPES,
    Step,
    contracts,
    files,
    flows,
    histories,
    ingest_form,
    parents,
    play,
)

TEXTUAL = [kind for kind in TYPES if kind != "binary"]
"""Bytes have no text that every store writes alike: a column of texts never becomes one of bytes."""


@dataclass(frozen=True)
class Case:
    flow: Flow
    rows: File
    steps: list[Step]
    source: Literal["seen", "new"]
    quarantine: bool


@st.composite
def cases(draw: st.DrawFn) -> Case:
    flow = draw(flows(("append", "upsert", "insert", "partition", "replace"), contracts(types=TEXTUAL, calls=True)))
    names = tuple(column.read_as for column in flow.contract.columns)
    drawn = draw(files(flow, faults=False))
    records = [one for one in drawn.records if not isinstance(one, Malformed)]
    rows = File("", tuple({name: one[name] for name in names} for one in records), names)
    steps = draw(histories(flow, max_steps=3, kinds=("load", "load", "replay", "full_refresh")))
    return Case(flow, rows, steps, draw(st.sampled_from(["seen", "new"])), draw(st.integers(0, 3)) > 0)


def stand(real: Warehouse, rows: File) -> None:
    """Makes the table as somebody would who knows nothing of Headgate: every column holds texts."""
    columns = real.flow.contract.columns
    with real.store.session() as session:
        table = TableRef.parse(real.flow.table)
        session.execute(f"CREATE SCHEMA IF NOT EXISTS {quote.ident(table.schema)}")
        session.create(table, [(column.name, "VARCHAR") for column in columns])
        for record in rows.records:
            assert not isinstance(record, Malformed)
            values = [record[column.read_as] for column in columns]
            marks = ", ".join("?" * len(values))
            session.execute(f"INSERT INTO {quote.table(table)} VALUES ({marks})", values)


@given(cases())
def test_an_adopted_table_is_that_of_the_oracle_and_so_is_what_comes_after(case: Case) -> None:
    flow, first = case.flow, case.steps[0]
    note(ingest_form(flow, "orders/*.csv") + f"{case.rows} {case.source} {case.quarantine}")
    real = Warehouse(flow)
    try:
        stand(real, case.rows)
        real.ingest = replace(real.ingest, evolution=Policy.all("evolve"))
        wanted = Wanted("test", case.source, case.quarantine)
        try:
            state = oracle.adopt(parents(), flow, case.rows, first.files, case.source, case.quarantine)
        except oracle.Kept:
            state = parents()
        if not state.entries:
            with pytest.raises(ContractError, match=r"adopt-refused|refuse-limit"):
                adopt(real.store, real.real_flow(first), wanted)
            assert real.findings() == []
            event("refused")
            return
        adopt(real.store, real.real_flow(first), wanted)
        event(f"adopted for {flow.disposition}, {len(state.quarantine)} refused")
        assert differences(real.view(), oracle_view(state)) == []
        for step in case.steps:
            note(f"{step.kind} {step.files} slices={step.slices} picks={step.picks}")
            state = play(state, flow, step)
            real.play(step)
            assert differences(real.view(), oracle_view(state)) == []
            assert [law for law in oracle.check_laws(state) if PARENTS not in law] == []
            assert real.findings() == []
    finally:
        real.close()
