"""An upsert that keeps what was deleted ends in the oracle's state, whatever comes in which order."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, note
from hypothesis import strategies as st
from tests.property.driver import Warehouse, differences, oracle_view

from headgate.testing import oracle
from headgate.testing.strategies import PARENTS, Step, _equals, contracts, flows, histories, ingest_form, parents, play


@st.composite
def cases(draw: st.DrawFn) -> tuple[oracle.Flow, list[Step]]:
    flow = draw(flows(("upsert",), contracts(types=("int", "text"))))
    flow = replace(flow, deleted_if=_equals("deleted_if", "n", 4), keep_deleted="gone")
    kinds = ("load", "load", "load", "replay", "full_refresh")
    return flow, draw(histories(flow, max_steps=4, kinds=kinds))


@given(cases())
def test_deleted_rows_stay_and_say_so(case: tuple[oracle.Flow, list[Step]]) -> None:
    flow, steps = case
    note(ingest_form(flow, "orders/*.csv"))
    state, real = parents(), Warehouse(flow)
    try:
        for step in steps:
            note(f"{step.kind} {step.files} slices={step.slices} picks={step.picks}")
            state = play(state, flow, step)
            real.play(step)
            assert differences(real.view(), oracle_view(state)) == []
            assert [law for law in oracle.check_laws(state) if PARENTS not in law] == []
            assert real.findings() == []
    finally:
        real.close()
