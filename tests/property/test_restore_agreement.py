"""A real table that is replaced and restored, again and again, ends in the oracle's state."""

from __future__ import annotations

from hypothesis import event, given, note
from hypothesis import strategies as st
from tests.property.driver import Warehouse, differences, oracle_view

from headgate.testing import oracle
from headgate.testing.strategies import PARENTS, Step, StepKind, contracts, flows, histories, ingest_form, parents, play

KINDS: tuple[StepKind, ...] = ("load", "replay", "full_refresh", "restore", "restore")


@st.composite
def cases(draw: st.DrawFn) -> tuple[oracle.Flow, list[Step]]:
    made = flows(made=contracts())
    flow = draw(made.filter(lambda flow: flow.twin_files == "load"))
    steps = draw(histories(flow, max_steps=4, kinds=("load", "load", "full_refresh")))
    tail = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3))
    files = steps[-1].files
    then = [Step(kind, {} if kind == "replay" else files) for kind in ("full_refresh", "restore", *tail)]
    return flow, [*steps[: draw(st.integers(1, len(steps)))], *then]


@given(cases())
def test_a_history_with_restores_ends_in_the_state_of_the_oracle(case: tuple[oracle.Flow, list[Step]]) -> None:
    flow, steps = case
    note(ingest_form(flow, "orders/*.csv"))
    state, real = parents(), Warehouse(flow)
    try:
        for step in steps:
            note(f"{step.kind} {step.files} slices={step.slices} picks={step.picks}")
            state = play(state, flow, step)
            real.play(step)
            event(f"{step.kind} of {flow.disposition}" if flow.table in state.kept else "nothing kept")
            assert differences(real.view(), oracle_view(state)) == []
            assert [law for law in oracle.check_laws(state) if PARENTS not in law] == []
            assert real.findings() == []
    finally:
        real.close()
