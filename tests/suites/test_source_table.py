"""A table that was landed raw keeps what every source must keep: rows of text, and JSON documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.adapters.duckdb.store import DuckDBSession, DuckDBStore
from headgate.adapters.table.landing import Chain, Landed, Landing
from headgate.adapters.table.source import TableSource
from headgate.core.values import SourceColumn, TableRef
from headgate.testing.source_suite import Rows, SourceKit, SourceSuite, Traits
from headgate.types.jsonvalue import PHYSICAL

TABLE = TableRef("bronze", "t")


class TableKit:
    """Rows are put as a landing would: each delivery is an entry, and another one of the same name takes its place."""

    columns = (SourceColumn("a", "VARCHAR"), SourceColumn("b", "VARCHAR"))
    documents = False

    def __init__(self, folder: Path, session: DuckDBSession) -> None:
        self.folder, self.tmp = folder, folder / "tmp"
        self.tmp.mkdir()
        self.session = session
        self.session.execute("CREATE SCHEMA bronze")
        self.session.execute(
            f"CREATE TABLE bronze.t ({', '.join(f'{c.name} VARCHAR' for c in self.columns)}, "
            "_hg_record BIGINT, _hg_load BIGINT)"
        )
        self.rows: dict[str, Rows] = {}
        self.chains: dict[str, Chain] = {}
        self.entries = 0

    def put(self, name: str, rows: Rows) -> None:
        if self.rows.get(name) == rows:
            return
        before = self.chains.get(name, Chain(name, 0, ()))
        for one in before.entries:
            self.session.execute(f"DELETE FROM bronze.t WHERE _hg_load = {one.id}")
        self.entries += 1
        marks = ", ".join("?" * len(self.columns))
        for number, row in enumerate(rows, 1):
            self.session.execute(f"INSERT INTO bronze.t VALUES ({marks}, {number}, {self.entries})", self.values(row))
        landed = Landed(self.entries, len(rows), self.columns, self.documents)
        self.chains[name] = Chain(name, before.generation + 1, (landed,))
        self.rows[name] = rows

    def values(self, row: tuple[str | None, str | None]) -> list[str | None]:
        return list(row)

    def partition(self, name: str) -> str:
        return name

    def source(self) -> TableSource:
        stored = dict(self.session.columns(TABLE) or [])
        landing = Landing(self.session, TABLE, stored, dict(sorted(self.chains.items())))
        return TableSource({"table": str(TABLE)}, self.folder, self.tmp, landing)


class DocumentKit(TableKit):
    columns = (SourceColumn("document", PHYSICAL),)
    documents = True

    def values(self, row: tuple[str | None, str | None]) -> list[str | None]:
        return [json.dumps(dict(zip("ab", row, strict=True)))]


class TestRows(SourceSuite):
    traits = Traits(twins=False, nothing="nothing-landed")

    @pytest.fixture
    def kit(self, tmp_path: Path) -> Iterator[SourceKit]:
        with DuckDBStore(None).session() as session:
            yield TableKit(tmp_path, session)


class TestDocuments(SourceSuite):
    traits = Traits(twins=False, columns=False, nothing="nothing-landed")

    @pytest.fixture
    def kit(self, tmp_path: Path) -> Iterator[SourceKit]:
        with DuckDBStore(None).session() as session:
            yield DocumentKit(tmp_path, session)
