"""Files with other columns than the contract's end as in the oracle, under every word for them."""

from __future__ import annotations

from hypothesis import given, note
from hypothesis import strategies as st
from tests.property.driver import Warehouse, differences, oracle_view

from headgate.testing.oracle import Column, Contract, File, Flow, Malformed
from headgate.testing.strategies import Step, ingest_form, parents, play

KNOWN, UNKNOWN = ("id", "a", "b"), ("x", "y")
TEXT = st.sampled_from([None, "1", "2", "z"])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Flow, list[Step]]:
    required = st.sampled_from([None, None, "error", "warn"])
    columns = tuple(Column(name, "int", required=draw(required)) for name in KNOWN)
    extra, missing = draw(st.sampled_from(["error", "ignore", "quarantine"])), draw(st.sampled_from(["error", "null"]))
    flow = Flow("raw.orders", Contract(columns), extra=extra, missing=missing)  # type: ignore[arg-type]
    names = draw(st.sets(st.sampled_from(["a.csv", "b.csv", "c.csv"]), min_size=1))
    files = {name: draw(_file(name)) for name in sorted(names)}
    loads = [Step("load", {name: file}) for name, file in files.items()]
    return flow, [*(loads if draw(st.booleans()) else [Step("load", files)]), Step("replay")]


@st.composite
def _file(draw: st.DrawFn, name: str) -> File:
    lacking = draw(st.sets(st.sampled_from(KNOWN), max_size=1))
    names = tuple(n for n in (*KNOWN, *UNKNOWN[: draw(st.integers(0, 2))]) if n not in lacking)
    rows = draw(st.lists(st.tuples(*(TEXT for _ in names)), max_size=4))
    records: list[dict[str, str | None] | Malformed] = [dict(zip(names, row, strict=True)) for row in rows]
    if draw(st.booleans()):
        records.append(Malformed('"open'))
    return File(name, tuple(records), names)


@given(cases())
def test_files_with_other_columns_end_as_in_the_oracle(case: tuple[Flow, list[Step]]) -> None:
    flow, steps = case
    note(ingest_form(flow, "orders/*.csv"))
    state, real = parents(), Warehouse(flow)
    files: dict[str, File] = {}
    try:
        for step in steps:
            files |= step.files
            step = Step(step.kind, dict(files) if step.kind == "load" else {})
            state = play(state, flow, step)
            real.play(step)
            assert differences(real.view(), oracle_view(state)) == []
            assert real.findings() == []
    finally:
        real.close()
