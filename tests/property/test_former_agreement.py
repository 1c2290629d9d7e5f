"""An upsert that keeps former values ends in the oracle's state, however it was sliced, and whatever comes late."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, note, settings
from hypothesis import strategies as st
from tests.property.driver import Warehouse, differences, oracle_view

from headgate.testing import oracle
from headgate.testing.strategies import PARENTS, Step, contracts, flows, histories, ingest_form, parents, play

REFERENCES = (f"{PARENTS}.pid",)

SOME = settings(max_examples=max(5, settings().max_examples // 3))


@st.composite
def cases(draw: st.DrawFn) -> tuple[oracle.Flow, list[Step]]:
    flow = draw(flows(("upsert",), contracts(types=("int", "text"), references=REFERENCES, limits=False)))
    columns = [column.name for column in flow.contract.columns[1:]]
    flow = replace(flow, previous=tuple((name, f"{name}_before") for name in columns[:2]))
    return flow, draw(histories(flow, max_steps=4, kinds=("load", "load", "load", "replay", "full_refresh")))


@SOME
@given(cases())
def test_former_values_are_those_of_the_oracle(case: tuple[oracle.Flow, list[Step]]) -> None:
    flow, steps = case
    note(ingest_form(flow, "orders/*.csv"))
    state, real = parents(), Warehouse(flow)
    try:
        for step in steps:
            note(f"{step.kind} {step.files} slices={step.slices} picks={step.picks}")
            state = play(state, flow, step)
            real.play(step)
            assert differences(real.view(), oracle_view(state)) == []
            assert real.findings() == []
    finally:
        real.close()
