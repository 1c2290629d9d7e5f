"""The real gate and books end in the oracle's state, for any contract, files, slicing and history."""

from __future__ import annotations

from hypothesis import given, note
from hypothesis import strategies as st
from tests.property.driver import Warehouse, differences, oracle_view

from headgate.testing import oracle
from headgate.testing.strategies import PARENTS, Step, contracts, flows, histories, ingest_form, parents, play

REFERENCES = (f"{PARENTS}.pid", "raw.orders.id")


@st.composite
def cases(draw: st.DrawFn) -> tuple[oracle.Flow, list[Step]]:
    flow = draw(flows(made=contracts(references=REFERENCES, calls=True)))
    return flow, draw(histories(flow))


@given(cases())
def test_any_history_ends_in_the_state_of_the_oracle(case: tuple[oracle.Flow, list[Step]]) -> None:
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
