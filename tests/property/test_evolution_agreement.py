"""A real table follows any edit of its contract exactly where the oracle's does, and ends in the same rows."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import event, given, note
from hypothesis import strategies as st
from tests.property.driver import Warehouse, differences, ingest_of

from headgate.core.errors import CommitError
from headgate.testing import oracle
from headgate.testing.oracle import Column, Contract, File, Flow
from headgate.testing.oracle.evolution import DEFAULTS
from headgate.testing.strategies import Step, ingest_form, play

TEXTS = {
    "int": ["0", "7", "-120", "12345678"],
    "decimal(6,2)": ["0.00", "1.50", "-9999.99", "3.25"],
    "decimal(8,3)": ["0.500", "12345.678", "-1.250"],
    "decimal(22,2)": ["1.00", "99999999999999999999.99"],
    "text": ["7", "1.5", "x", "2024-01-02", ""],
    "date": ["2024-01-02", "0001-01-01"],
    "timestamp": ["2024-01-02T00:00:00", "2024-01-02T10:30:00"],
    "bool": ["true", "false"],
}
KINDS = st.sampled_from(sorted(TEXTS))
CODES = {"frozen": "contract-misfit", "required": "evolve-required", "lossy": "evolve-lossy"}


@st.composite
def edits(draw: st.DrawFn) -> tuple[Flow, Flow, dict[str, File]]:
    """A flow, the same after an edit of its contract, and the files that were loaded before it."""
    kinds = draw(st.lists(KINDS, min_size=1, max_size=3))
    before = tuple(Column(f"c{number}", kind) for number, kind in enumerate(kinds))
    rows = draw(st.integers(0, 3))
    texts = [[draw(st.none() | st.sampled_from(TEXTS[kind])) for kind in kinds] for _ in range(rows)]
    names = tuple(column.name for column in before)
    after = [edited for column in before for edited in draw(_edited(column))]
    if draw(st.booleans()) or not after:
        after.append(Column("n", draw(KINDS), required=draw(st.sampled_from([None, None, "error", "warn"]))))
    words = {case: draw(st.sampled_from(["evolve"] * 5 + ["freeze"])) for case in DEFAULTS}
    flow = Flow("raw.orders", Contract(before))
    file = File("1", tuple(dict(zip(names, row, strict=True)) for row in texts), names)
    ordered = tuple(draw(st.permutations(after)))
    return flow, replace(flow, contract=Contract(ordered), evolution=tuple(words.items())), {"a": file}


@st.composite
def _edited(draw: st.DrawFn, column: Column) -> list[Column]:
    how = draw(st.sampled_from(["keep", "keep", "drop", "rename", "retype", "both"]))
    if how == "drop":
        return []
    kind = draw(KINDS) if how in ("retype", "both") else column.type
    if (column.type, kind) == ("timestamp", "text"):
        kind = column.type  # the oracle and the engine write a moment in two ways
    if how in ("rename", "both"):
        return [Column(f"r{column.name}", kind, was=(column.name,))]
    return [replace(column, type=kind)]


def followed(real: Warehouse, after: Flow, files: dict[str, File]) -> str:
    """Runs the edited flow; the code of what kept the table as it was, "" where it followed."""
    real.ingest = ingest_of(after)
    try:
        real.play(Step("load", files))
    except CommitError as error:
        return error.finding.code
    real.flow = after
    return ""


@given(edits())
def test_a_table_follows_an_edit_as_the_oracle_does(case: tuple[Flow, Flow, dict[str, File]]) -> None:
    flow, after, files = case
    note(ingest_form(flow, "orders/*.csv") + ingest_form(after, "orders/*.csv"))
    state, real = play(oracle.State(), flow, Step("load", files)), Warehouse(flow)
    try:
        real.play(Step("load", files))
        expected = ""
        try:
            state = oracle.evolve(state, after, flow.contract)
        except oracle.Kept as kept:
            expected = CODES[kept.code]
        event(expected or "followed")
        assert followed(real, after, files) == expected
        assert differences(real.view(), oracle.view(state)) == []
        assert oracle.check_laws(state) == []
        assert real.findings() == []
    finally:
        real.close()
