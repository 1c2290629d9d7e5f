"""A contract's column may have any name, also one that the gate's own SQL uses."""

from __future__ import annotations

import pytest

from headgate.adapters.duckdb.store import DuckDBStore
from headgate.books.audit import audit
from headgate.books.schema import migrate
from headgate.contracts.model import Contract, ContractColumn, ReferenceRule, RowRule, UniqueRule
from headgate.core.errors import Location
from headgate.core.values import TableRef
from headgate.project.model import Ingest, LoadSpec, SourceSpec
from headgate.run.flow import Flow
from headgate.run.job import Job
from headgate.run.load import load
from headgate.run.replay import replay
from headgate.sql.quote import ident
from headgate.testing.memory import MemoryFile, MemorySource
from headgate.types.logical import parse

NAMES = [
    "why", "held", "key", "bit", "keep", "state", "acc", "good", "fate", "rank", "value", "record", "reasons", "raw",
    "row", "src", "scan", "s", "t", "v", "k", "r", "u", "select", "rowid", "partition", "x y", 'a"b', "é", "a.b", "a'b",
    "first", "latest", "line", "old", "new", "accepted", "id",
]  # fmt: skip


@pytest.mark.parametrize("disposition", ["append", "upsert"])
@pytest.mark.parametrize("name", NAMES)
def test_a_column_of_any_name_is_judged_and_loaded(name: str, disposition: str) -> None:
    column = ContractColumn(name, parse("int"), name, required=True, key=True)
    other = ContractColumn("other", parse("int"), "other")
    contract = Contract(
        (column, other),
        (RowRule("required", name, f"{ident(name)} IS NOT NULL", "required"),),
        (UniqueRule("unique", (name,), "first", "unique"),),
        (ReferenceRule(("other",), "raw.names", (name,), "known"),),
        skips=(("nine", f"{ident(name)} = 9"),),
    )
    keys = (name,) if disposition == "upsert" else ()
    spec = LoadSpec(disposition, keys, name if keys else None)
    place = Location("ingest.yml")
    ingest = Ingest(TableRef("raw", "names"), SourceSpec("memory", {}, place), spec, contract)
    rows = [("1", "1"), ("1", "2"), ("2", "7"), ("x", "1"), ("9", None), (None, None), ("3", "1")]
    records = tuple({name: one, "other": two} for one, two in rows)
    flow = Flow(ingest, MemorySource({"a": MemoryFile("1", (name, "other"), records)}), contract)
    store = DuckDBStore(None)
    try:
        with store.session() as session:
            migrate(session)
        counts = load(Job(store, flow, "test")).counts
        assert (counts.read, counts.skipped) == (7, 1)
        assert counts.read == counts.loaded + counts.quarantined + counts.deduplicated + counts.skipped
        again = replay(store, flow, None, "test")
        assert again is not None
        assert again.read == counts.quarantined
        with store.session() as session:
            assert audit(session).findings == ()
            held = session.execute(f"SELECT {ident(name)} FROM raw.names ORDER BY 1")
        assert next(row[0] for row in held) == 1
    finally:
        store.close()
