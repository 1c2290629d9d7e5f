"""The CSV source keeps what every source must keep: plain, gzip and zstd, and recoded."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard

from headgate.adapters.files.csv import CsvSource
from headgate.testing.source_suite import DuckSession, Rows, SourceKit, SourceSuite


def line(row: tuple[str | None, ...]) -> str:
    return ",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in row) + "\n"


class CsvKit:
    def __init__(self, folder: Path, suffix: str, encoding: str) -> None:
        self.session = DuckSession()
        self.folder = folder
        self.tmp = folder / "tmp"
        self.tmp.mkdir()
        (folder / "data").mkdir()
        self.suffix = suffix
        self.encoding = encoding

    def put(self, name: str, rows: Rows) -> None:
        data = ("a,b\n" + "".join(map(line, rows))).encode(self.encoding)
        if self.suffix == ".gz":
            data = gzip.compress(data, mtime=0)
        elif self.suffix == ".zst":
            data = zstandard.ZstdCompressor().compress(data)
        path = self.folder / "data" / self.partition(name)
        path.write_bytes(data)

    def partition(self, name: str) -> str:
        return f"{name}.csv{self.suffix}"

    def source(self) -> CsvSource:
        return CsvSource({"path": f"data/*.csv{self.suffix}", "encoding": self.encoding}, self.folder, self.tmp)


class TestPlain(SourceSuite):
    @pytest.fixture
    def kit(self, tmp_path: Path) -> SourceKit:
        return CsvKit(tmp_path, "", "utf-8")


class TestGzip(SourceSuite):
    @pytest.fixture
    def kit(self, tmp_path: Path) -> SourceKit:
        return CsvKit(tmp_path, ".gz", "utf-8")


class TestZstd(SourceSuite):
    @pytest.fixture
    def kit(self, tmp_path: Path) -> SourceKit:
        return CsvKit(tmp_path, ".zst", "utf-8")


class TestRecoded(SourceSuite):
    @pytest.fixture
    def kit(self, tmp_path: Path) -> SourceKit:
        return CsvKit(tmp_path, "", "utf-16")
