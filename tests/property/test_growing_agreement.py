"""Tables whose files bring columns (`extra: evolve`) end in the oracle's rows, records, positions and sums."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import event, given, note
from hypothesis import strategies as st
from tests.property.driver import Warehouse, differences, oracle_view

from headgate.testing import oracle
from headgate.testing.oracle import File, Flow, Malformed
from headgate.testing.strategies import PARENTS, Step, contracts, flows, histories, ingest_form, parents, play

MORE = ("more", "Other one")
WORDS = st.sampled_from(["x", "2024-13-01", "y z", None])
"""Values that are of no type but text."""


@dataclass(frozen=True)
class Case:
    flow: Flow
    steps: list[Step]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    made = contracts(types=("int", "text"), limits=False)
    flow = draw(flows(("append", "append", "upsert", "insert", "partition", "replace"), made))
    contract = replace(flow.contract, refuse_at_most=oracle.Limit.of("share", 1))
    flow = replace(flow, contract=contract, on_change=draw(st.sampled_from(["reload", "ignore"])))
    flow = replace(flow, extra="error", twin_files="load", allow_empty=True)
    kinds = ("load", "load", "replay", "full_refresh")
    steps = draw(histories(flow, max_steps=3, kinds=kinds, faults=False))
    grown: dict[tuple[str, str], File] = {}
    for step in steps:
        for name, file in step.files.items():
            grown.setdefault((name, file.identity), draw(_grown(file)))
    given = [
        replace(step, files={name: grown[name, file.identity] for name, file in step.files.items()}) for step in steps
    ]
    return Case(replace(flow, extra="evolve"), given)


@st.composite
def _grown(draw: st.DrawFn, file: File) -> File:
    """The file with some columns that nobody asked for."""
    names = draw(st.lists(st.sampled_from(MORE), unique=True))
    records = [
        one if isinstance(one, Malformed) else {**one, **{name: draw(WORDS) for name in names}} for one in file.records
    ]
    return replace(file, records=tuple(records), columns=(*file.header, *names))


@given(cases())
def test_what_files_bring_is_taken_in_as_the_oracle_does(case: Case) -> None:
    note(ingest_form(case.flow, "orders/*.csv"))
    state, real = parents(), Warehouse(case.flow)
    try:
        for step in case.steps:
            note(f"{step.kind} {step.files} slices={step.slices} picks={step.picks}")
            flow = oracle.brought(state, case.flow)
            if step.kind != "replay":
                state, flow = oracle.grow(state, case.flow, step.files, anew=step.kind == "full_refresh")
            before = state
            state = play(state, flow, step)
            real.play(step)
            if len(state.refusals) > len(before.refusals):  # what a stopped load would have made is not made
                event("stopped")
                return
            real.flow = flow
            event(f"{step.kind} of {flow.disposition}, {len(state.brought.get(flow.table, ()))} columns brought")
            assert differences(real.view(), oracle_view(state)) == []
            assert [law for law in oracle.check_laws(state) if PARENTS not in law] == []
            assert real.findings() == []
    finally:
        real.close()
