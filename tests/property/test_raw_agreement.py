"""Files landed raw and loaded from there end in the state of files that were loaded at once."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hypothesis import event, given, note, settings
from hypothesis import strategies as st
from tests.property.driver import PARENT_FILE, Warehouse, memory_file
from tests.property.test_crashes import Crash, MortalStore, play_through

from headgate.adapters.table.source import TableSource
from headgate.core import faults
from headgate.core.errors import ContractError
from headgate.project.model import Ingest
from headgate.project.read import read_project
from headgate.run.flow import Flow
from headgate.run.job import Job, Loaded, Slices
from headgate.run.load import load
from headgate.run.replay import replay
from headgate.sql import quote
from headgate.testing import called, oracle
from headgate.testing.memory import MemorySource
from headgate.testing.strategies import (
    PARENTS,
    Step,
    contracts,
    crash_schedules,
    flows,
    histories,
    ingest_form,
    parents,
    play,
)

REFERENCES = (f"{PARENTS}.pid", "raw.orders.id")
BRONZE = "bronze.orders"


def landing_form(flow: oracle.Flow) -> str:
    """The file that lands what the flow reads: where a removed file is to take its rows with it, as a whole."""
    how = "replace" if flow.disposition == "replace" else "append"
    empty = "allow_empty: true\n" if flow.allow_empty else ""
    return (
        f"table: {BRONZE}\nfrom: orders/*.csv\nland: raw\nload: {how}\non_change: reload\nrefuse_at_most: 100%\n"
        f"twin_files: {flow.twin_files}\n{empty}"
    )


def ingests_of(flow: oracle.Flow) -> tuple[Ingest, Ingest]:
    """The landing and what reads it, as a user's files say them."""
    reading = ingest_form(replace(flow, on_change="error", twin_files="load"), f"{{table: {BRONZE}}}")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "ingest").mkdir()
        (root / "headgate.yml").write_text("project: p\n")
        (root / "ingest" / "parents.yml").write_text(PARENT_FILE)
        (root / "ingest" / "bronze.yml").write_text(landing_form(flow))
        (root / "ingest" / "orders.yml").write_text(reading)
        (root / "rules").mkdir()
        (root / called.FILE).write_text(called.SOURCE)
        made = {str(one.table): one for one in read_project(root).ingests}
        for rule in (rule for one in made.values() if one.contract for rule in one.contract.calls):
            rule.program.loaded()  # while its file is there
    return made[BRONZE], made[flow.table]


@dataclass
class Medallion(Warehouse):
    """A warehouse in which every step lands first, and loads what was landed then."""

    slices: Slices = field(default_factory=Slices)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.landing, self.ingest = ingests_of(self.flow)

    def flows(self, step: Step) -> tuple[Flow, Flow]:
        files = {name: memory_file(file) for name, file in step.files.items()}
        bronze = Flow(self.landing, MemorySource(files, step.slices), None)
        source = TableSource({"table": BRONZE}, Path("."), Path("."))
        return bronze, Flow(self.ingest, source, self.ingest.contract, bronze)

    def real_flow(self, step: Step) -> Flow:
        return self.flows(step)[1]

    def play(self, step: Step) -> Loaded | None:
        if step.kind == "replay":
            self.replay([])
            return None
        bronze, silver = self.flows(step)
        anew = step.kind == "full_refresh"
        with suppress(ContractError):
            if load(Job(self.store, bronze, "test", full_refresh=anew)).status != "refused":
                return load(Job(self.store, silver, "test", full_refresh=anew, slices=self.slices))
        return None

    def replay(self, ids: Any) -> None:
        """All that is open in both tables."""
        for flow in self.flows(Step("replay")):
            replay(self.store, flow, None, "test")

    def stands(self) -> dict[str, Counter[Any]]:
        """Rows of the loaded table, and open records of both."""
        with self.store.session() as session:
            known = session.columns(self.ingest.table) is not None
            rows = Counter(self._rows(session)) if known else Counter()
            found = Counter(self._open(session))
            landed = replace(self.flow, table=BRONZE)
            found += Counter(replace_flow(self, landed)._open(session))
        return {"rows": rows, "open": found}

    def landed(self, names: list[str]) -> Counter[Any]:
        """The records that stand in the landing: their file, their number, and the texts of these columns."""
        with self.store.session() as session:
            there = dict(session.columns(self.landing.table) or [])
            if not there:
                return Counter()
            listed = "".join(f", {f't.{quote.ident(n)}' if n in there else 'NULL'}" for n in names)
            found = session.execute(
                f"""SELECT e.partition, t._hg_record{listed} FROM {BRONZE} AS t JOIN _headgate.entry AS e
                    ON e.table_name = '{BRONZE}' AND e.id = t._hg_load"""
            )
        return Counter(found)


def replace_flow(real: Medallion, flow: oracle.Flow) -> Any:
    """The same warehouse, asked about another table."""
    other = object.__new__(Warehouse)
    other.__dict__ |= {**real.__dict__, "flow": flow}
    return other


def expected(state: oracle.State, flow: oracle.Flow) -> dict[str, Counter[Any]]:
    shown = oracle.view(state).get(flow.table, {})
    return {name: Counter(shown.get(name, {})) for name in ("rows", "open")}


def landed_flow(flow: oracle.Flow, names: list[str]) -> oracle.Flow:
    """What the oracle is to make of the landing: every record enters, as text."""
    columns = tuple(oracle.Column(f"c{place}", "text", name) for place, name in enumerate(names))
    how: Any = "replace" if flow.disposition == "replace" else "append"
    contract = oracle.Contract(columns, refuse_at_most=oracle.Limit.of("share", 1))
    return oracle.Flow(
        BRONZE, contract, how, on_change="reload", twin_files=flow.twin_files, allow_empty=flow.allow_empty,
        missing="null",
    )  # fmt: skip


def in_landing(state: oracle.State, count: int) -> Counter[Any]:
    rows = state.tables.get(BRONZE, [])
    return Counter(tuple(row[f"c{place}"] for place in range(count)) for row in rows)


def settled(flow: oracle.Flow, steps: list[Step]) -> list[Step]:
    """Steps without records that are none, where a file is looked at as a whole: a landing refuses such a record before
    the load sees it."""
    if flow.disposition != "scd2":
        return steps
    return [replace(step, files={name: _well_formed(file) for name, file in step.files.items()}) for step in steps]


def _well_formed(file: oracle.File) -> oracle.File:
    records = tuple(one for one in file.records if not isinstance(one, oracle.Malformed))
    return replace(file, records=records, columns=file.header)


@st.composite
def cases(draw: st.DrawFn, max_steps: int = 4) -> tuple[oracle.Flow, list[Step]]:
    """No load is stopped: a file that was landed is not taken back, so that its load would be stopped again. Twins of
    snapshots are all read: a landing tells twins by the run, a load of snapshots file by file."""
    flow = replace(draw(flows(made=contracts(references=REFERENCES, calls=True))), on_change="reload")
    contract = replace(flow.contract, refuse_at_most=oracle.Limit.of("share", 1))
    if flow.snapshots:
        flow = replace(flow, allow_empty=True, twin_files="load")
    flow = replace(flow, contract=contract)
    steps = settled(flow, draw(histories(flow, max_steps=max_steps, faults=False)))
    return flow, [replace(step, picks=()) for step in steps]


def agree(real: Medallion, state: oracle.State, landing: oracle.State, names: list[str]) -> None:
    assert real.stands() == expected(state, real.flow)
    assert Counter(row[2:] for row in real.landed(names).elements()) == in_landing(landing, len(names))
    assert real.findings() == []


def columns_of(steps: list[Step]) -> list[str]:
    return sorted({name for step in steps for file in step.files.values() for name in file.header})


@settings(max_examples=max(6, settings.default.max_examples // 4))
@given(case=cases(), rows=st.sampled_from([1, 2, 5, 1 << 40]))
def test_landing_first_changes_no_verdict(case: tuple[oracle.Flow, list[Step]], rows: int) -> None:
    flow, steps = case
    note(landing_form(flow) + ingest_form(flow, f"{{table: {BRONZE}}}"))
    names = columns_of(steps)
    raw = landed_flow(flow, names)
    state, landing, real = parents(), oracle.State(), Medallion(flow, slices=Slices(rows, 1 << 60))
    try:
        for step in steps:
            note(f"{step.kind} {step.files} slices={step.slices}")
            state, landing = play(state, flow, step), play(landing, raw, step)
            real.play(step)
            agree(real, state, landing, names)
            event(f"{flow.disposition}: {'some rows' if state.tables.get(flow.table) else 'no rows'}")
    finally:
        real.close()


@st.composite
def crashing(draw: st.DrawFn) -> tuple[oracle.Flow, list[tuple[Step, list[Crash]]]]:
    flow, steps = draw(cases(max_steps=3))
    return flow, [(step, draw(crash_schedules(faults.POINTS, max_commits=5))) for step in steps]


@settings(max_examples=max(4, settings.default.max_examples // 6))
@given(case=crashing(), rows=st.sampled_from([2, 1 << 40]))
def test_crashes_between_landing_and_loading_change_nothing(
    case: tuple[oracle.Flow, list[tuple[Step, list[Crash]]]], rows: int
) -> None:
    flow, steps = case
    names = columns_of([step for step, _ in steps])
    raw = landed_flow(flow, names)
    state, landing = parents(), oracle.State()
    with tempfile.TemporaryDirectory() as folder:
        real = Medallion(flow, Path(folder) / "w.duckdb", MortalStore, slices=Slices(rows, 1 << 60))
        try:
            for step, schedule in steps:
                note(f"{step.kind} {step.files} slices={step.slices} crashes={schedule}")
                state, landing = play(state, flow, step), play(landing, raw, step)
                play_through(real, step, schedule)
                agree(real, state, landing, names)
        finally:
            real.close()
