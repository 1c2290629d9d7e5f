"""The Parquet source keeps what every source must keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.adapters.files.parquet import ParquetSource
from headgate.sql.quote import literal
from headgate.testing.source_suite import DuckSession, Rows, SourceKit, SourceSuite


class ParquetKit:
    def __init__(self, folder: Path) -> None:
        self.session = DuckSession()
        self.folder = folder
        self.tmp = folder / "tmp"
        self.tmp.mkdir()
        (folder / "data").mkdir()

    def put(self, name: str, rows: Rows) -> None:
        path = literal(str(self.folder / "data" / self.partition(name)))
        self.session.execute("CREATE OR REPLACE TABLE t (a VARCHAR, b VARCHAR)")
        for row in rows:
            self.session.execute("INSERT INTO t VALUES (?, ?)", row)
        self.session.execute(f"COPY t TO {path} (FORMAT parquet)")

    def partition(self, name: str) -> str:
        return f"{name}.parquet"

    def source(self) -> ParquetSource:
        return ParquetSource({"path": "data/*.parquet"}, self.folder, self.tmp)


class TestParquet(SourceSuite):
    @pytest.fixture
    def kit(self, tmp_path: Path) -> SourceKit:
        return ParquetKit(tmp_path)
