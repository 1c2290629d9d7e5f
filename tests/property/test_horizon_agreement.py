"""An insert with a horizon ends in the oracle's state, in whatever order times come and however they were sliced."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, note, settings
from hypothesis import strategies as st
from tests.property.driver import Warehouse, differences, oracle_view

from headgate.testing import oracle
from headgate.testing.strategies import Step, contracts, flows, histories, ingest_form, parents, play

SOME = settings(max_examples=max(5, settings().max_examples // 3))


@st.composite
def cases(draw: st.DrawFn) -> tuple[oracle.Flow, list[Step]]:
    """Times are drawn from a few days, so that chains of them are near each other."""
    flow = draw(flows(("insert",), contracts(types=("int",), keeps=("first", "last"))))
    kind = draw(st.sampled_from(["date", "timestamp", "timestamptz"]))
    contract = replace(flow.contract, columns=(*flow.contract.columns, oracle.Column("seen", kind)))
    within = timedelta(hours=draw(st.sampled_from([24, 36, 72])))
    flow = replace(flow, contract=contract, by="seen", within=within)
    steps = draw(histories(flow, max_steps=4, kinds=("load", "load", "load", "replay", "full_refresh")))
    days = draw(st.lists(st.integers(1, 9), min_size=30, max_size=30))
    moments = [f"2024-01-0{day}" + (" 12:30" if kind != "date" and day % 2 else "") for day in days]
    return flow, [replace(step, files={n: _timed(f, moments) for n, f in step.files.items()}) for step in steps]


def _timed(file: oracle.File, moments: list[str]) -> oracle.File:
    """The file with other times where it has good ones; the same ones for the same file."""
    records = []
    for number, record in enumerate(file.records):
        if not isinstance(record, oracle.Malformed) and record.get("seen"):
            good = not (set(record["seen"] or "") - set("0123456789-T:.Z +"))
            record = {**record, "seen": moments[(number + 7 * int(file.identity)) % len(moments)] if good else "x"}
        records.append(record)
    return replace(file, records=tuple(records))


@SOME
@given(cases())
def test_what_enters_is_what_enters_in_the_oracle(case: tuple[oracle.Flow, list[Step]]) -> None:
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
