"""Any rows under any contract: a model publishes and quarantines what the oracle says of the same rows in a file."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from tests.property.driver import Warehouse, differences, oracle_view
from tests.property.postgres import emptied

from headgate.adapters.postgres.store import PostgresStore
from headgate.core.errors import Location
from headgate.core.values import TableRef
from headgate.models.compile import compile_models
from headgate.models.model import BuildOutcome, Model, ModelContract, ModelSource
from headgate.run.publish import Wanted, publish
from headgate.run.replay import replay
from headgate.run.split import flow_of
from headgate.run.stale import Inputs
from headgate.sql import quote
from headgate.testing import oracle
from headgate.testing.strategies import PARENTS, TABLE, Step, contracts, parents, play, records, short_form

pytestmark = pytest.mark.slow

Rows = tuple[oracle.File, ...]
PARENT = TableRef.parse(PARENTS)


@dataclass(frozen=True)
class Case:
    """Rows of builds that follow each other, each under one contract; `header` is the order of the SELECT's columns."""

    flow: oracle.Flow
    header: tuple[str, ...]
    builds: Rows


@st.composite
def cases(draw: st.DrawFn) -> Case:
    contract = draw(contracts(references=(f"{PARENTS}.pid", "raw.orders.id")))
    flow = oracle.Flow(TABLE, contract, allow_empty=True)
    header = tuple(draw(st.permutations([column.read_as for column in contract.columns])))
    return Case(
        flow, header, tuple(draw(_file(flow, header, str(number))) for number in range(draw(st.integers(1, 3))))
    )


@st.composite
def _file(draw: st.DrawFn, flow: oracle.Flow, header: tuple[str, ...], identity: str) -> oracle.File:
    """Rows in the order in which a model's are numbered: by their columns from left to right, NULL last."""
    drawn = draw(st.lists(records(flow, header), min_size=1, max_size=8))
    rows = [one for one in drawn if not isinstance(one, oracle.Malformed)]
    rows.sort(key=lambda row: [(row[name] is None, (row[name] or "").encode()) for name in header])
    return oracle.File(identity, tuple(rows), header)


def model_of(house: Warehouse, case: Case) -> Model:
    assert house.ingest.contract is not None
    split = ModelContract(house.ingest.contract, Location("models/raw/orders.yml", 1))
    text = "{{ config(materialized='table') }}\nselect * from src"
    source = ModelSource("orders", Path("models/raw/orders.sql"), text, "raw", (), split)
    return compile_models([source], [PARENT])[0]


def fill(house: Warehouse, file: oracle.File) -> None:
    names = [quote.ident(name) for name in file.header]
    with house.store.session() as session:
        session.execute("CREATE SCHEMA IF NOT EXISTS main")
        session.execute("DROP TABLE IF EXISTS main.src")
        session.execute(f"CREATE TABLE main.src ({', '.join(f'{name} VARCHAR' for name in names)})")
        for row in reversed([one for one in file.records if not isinstance(one, oracle.Malformed)]):
            texts = ["NULL" if row[name] is None else quote.literal(str(row[name])) for name in file.header]
            session.execute(f"INSERT INTO main.src VALUES ({', '.join(texts)})")


def built(house: Warehouse, model: Model) -> BuildOutcome:
    tables = {PARENTS: PARENT} if PARENTS in model.inputs else {}
    return publish(house.store, Wanted(((model, Inputs(tables, tuple(tables.values()))),)), "test")[0]


def shown(house: Warehouse) -> dict[str, dict[str, Any]]:
    with house.store.session() as session:
        if session.columns(TableRef.parse(TABLE)) is None:
            return {}
    return without_positions(house.view())


def without_positions(view: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """A build goes on from no position. `partition` is the file of the oracle, the model of ours."""
    found = {}
    for table, parts in view.items():
        kept = {name: part for name, part in parts.items() if name != "positions"}
        kept["open"] = Counter({one[1:]: rows for one, rows in parts["open"].items()})
        found[table] = kept
    return found


def agrees(house: Warehouse, case: Case) -> None:
    note(short_form(case.flow.contract))
    model, state = model_of(house, case), parents()
    for file in case.builds:
        note(str(file.records))
        fill(house, file)
        before, state = state, oracle.full_refresh(state, case.flow, {"orders": file})
        outcome = built(house, model)
        stopped = len(state.refusals) > len(before.refusals)
        assert (outcome.status == "refused") == stopped, outcome.findings
        if not stopped:
            check_multiset(house, outcome, file)
        assert differences(shown(house), without_positions(oracle_view(state))) == []
        assert house.findings() == []
    state = play(state, case.flow, Step("replay"))
    with house.store.session() as session:
        ids = [row[0] for row in session.execute("SELECT id FROM _headgate.quarantine WHERE status = 'open'")]
    if ids:
        replay(house.store, flow_of(model), ids, "test")
    assert differences(shown(house), without_positions(oracle_view(state))) == []
    assert house.findings() == []


def check_multiset(house: Warehouse, outcome: BuildOutcome, file: oracle.File) -> None:
    """Published, quarantined and skipped rows are the model's, counted where they stand."""
    with house.store.session() as session:
        published = session.execute(f"SELECT count(*) FROM {TABLE}")[0][0]
        refused = session.execute("SELECT count(*) FROM _headgate.quarantine WHERE status = 'open'")[0][0]
    assert published + refused + outcome.counts.skipped == len(file.records)


@given(case=cases())
def test_a_model_is_split_as_the_oracle_says(case: Case) -> None:
    house = Warehouse(case.flow)
    try:
        agrees(house, case)
    finally:
        house.close()


@pytest.mark.services
@settings(max_examples=max(10, settings.default.max_examples // 4))
@given(case=cases())
def test_a_model_is_split_as_the_oracle_says_in_postgres(postgres_of_worker: str, case: Case) -> None:
    emptied(postgres_of_worker)
    with tempfile.TemporaryDirectory() as folder:
        house = Warehouse(
            case.flow, opened=lambda path: PostgresStore(postgres_of_worker, "the warehouse", Path(folder))
        )
        try:
            agrees(house, case)
        finally:
            house.close()
