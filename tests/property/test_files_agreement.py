"""Real CSV files on disk, through the public API, end in the oracle's state: any contract, history, spelling of CSV."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from tests.property.disk import Disk, differences, template
from tests.property.dress import Called, Columnar, Dress, dresses, wearable

from headgate.adapters.python import reader
from headgate.testing import oracle
from headgate.testing.strategies import PARENTS, Step, contracts, flows, histories, ingest_form, parents, play

pytestmark = pytest.mark.slow

REFERENCES = (f"{PARENTS}.pid", "raw.orders.id")


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield template(Path(folder) / "template")


def positional(flow: oracle.Flow) -> tuple[str, ...]:
    """The columns of a file without a header, in an order that is not the contract's."""
    names = tuple(reversed([column.read_as for column in flow.contract.columns]))
    return (*names, "more") if flow.extra == "ignore" else names


@st.composite
def cases(draw: st.DrawFn) -> tuple[oracle.Flow, list[Step], Dress]:
    flow = draw(flows(made=contracts(references=REFERENCES, calls=True)))
    steps = draw(histories(flow))
    return flow, steps, wearable(draw(dresses), [file for step in steps for file in step.files.values()])


def agrees(made: Path, case: tuple[oracle.Flow, list[Step], Dress | Columnar | Called]) -> None:
    flow, steps, dress = case
    note(ingest_form(flow, dress.source(positional(flow))))
    note(str(dress))
    state, files = parents(), {}
    with tempfile.TemporaryDirectory() as folder:
        disk = Disk.make(made, Path(folder) / "p", flow, dress, positional(flow))
        for step in map(disk.real, steps):
            note(f"{step.kind} {step.files} picks={step.picks}")
            files = files if step.kind == "replay" else step.files
            before, state = state, play(state, flow, step)
            status = disk.play(step)
            seen, expected = disk.view(), disk.expected(state, files)
            if len(state.entries) == len(before.entries) and not expected["held"]:
                del expected["held"]  # a run that judged nothing may leave what an earlier one held back
            assert differences(seen, expected) == []
            assert (status in ("refused", "failed")) == (len(state.refusals) > len(before.refusals))
            assert disk.findings() == []
            assert disk.leftovers() == []


@given(case=cases())
def test_any_history_of_csv_files_ends_in_the_state_of_the_oracle(
    made: Path, case: tuple[oracle.Flow, list[Step], Dress]
) -> None:
    agrees(made, case)


@settings(max_examples=max(5, settings.default.max_examples // 3))
@given(case=cases())
def test_text_columns_of_parquet_get_the_verdicts_of_the_oracle(
    made: Path, case: tuple[oracle.Flow, list[Step], Dress]
) -> None:
    agrees(made, (*case[:2], Columnar()))


@st.composite
def calls(draw: st.DrawFn) -> tuple[oracle.Flow, list[Step], Called]:
    """A function knows no twins, does not say when it is all there is, and in its dicts no column is missing."""
    made = flows(made=contracts(references=REFERENCES, calls=True))
    flow = replace(draw(made), twin_files="load", vanished="keep")
    return flow, draw(histories(flow, faults=False)), Called(draw(st.sampled_from(["dicts", "arrow", "mixed"])))


@settings(max_examples=max(10, settings.default.max_examples // 2))
@given(case=calls(), rows=st.sampled_from([1, 2, 3, 500_000]), memory=st.sampled_from([1, 1 << 30]))
def test_what_a_function_yields_gets_the_verdicts_of_the_oracle(
    made: Path, case: tuple[oracle.Flow, list[Step], Called], rows: int, memory: int
) -> None:
    with patch.object(reader, "SLICE_ROWS", rows), patch.object(reader, "MEMORY_BYTES", memory):
        agrees(made, case)
