"""The Python source keeps what every source must keep: stable and moving, of dicts and of Arrow."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from headgate.adapters.python.source import PythonSource
from headgate.testing.source_suite import DuckSession, Rows, SourceKit, SourceSuite, Traits

LISTING = """
import hashlib, json, pathlib
import pyarrow as pa

DATA = pathlib.Path(__file__).parents[1] / "data"

def listing():
    return {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(DATA.glob("*.json"))}

def records(partition):
    return json.loads((DATA / f"{partition}.json").read_text())
"""

STABLE_DICTS = """
def rows(partition):
    for a, b in records(partition):
        yield {"a": a, "b": b}
"""

MOVING_DICTS = """
def rows(partition, position):
    if not records(partition):
        return [pa.table({"a": pa.nulls(0), "b": pa.nulls(0)})]
    return (
        ({"a": a, "b": b}, number)
        for number, (a, b) in enumerate(records(partition), 1)
        if number > (position or 0)
    )
"""

STABLE_ARROW = """
def rows(partition):
    made = records(partition)
    for start in range(0, len(made), 7):
        a, b = zip(*made[start:start + 7])
        yield pa.table({"a": pa.array(a, pa.string()), "b": pa.array(b, pa.string())})
"""


class PythonKit:
    def __init__(self, folder: Path, code: str, replay: str) -> None:
        self.session = DuckSession()
        self.folder = folder
        self.tmp = folder / "tmp"
        for name in ("tmp", "data", "sources"):
            (folder / name).mkdir()
        (folder / "sources" / "x.py").write_text(LISTING + code)
        self.replay = replay

    def put(self, name: str, rows: Rows) -> None:
        (self.folder / "data" / f"{name}.json").write_text(json.dumps(rows))

    def partition(self, name: str) -> str:
        return name

    def source(self) -> PythonSource:
        options = {"function": "sources/x.py:rows", "partitions": "sources/x.py:listing", "replay": self.replay}
        return PythonSource(options, self.folder, self.tmp)


class Suite(SourceSuite):
    traits = Traits(twins=False, watches=False, columns=False, nothing="no-partitions")


class TestStableDicts(Suite):
    @pytest.fixture
    def kit(self, tmp_path: Path) -> SourceKit:
        return PythonKit(tmp_path, STABLE_DICTS, "stable")


class TestStableArrow(Suite):
    @pytest.fixture
    def kit(self, tmp_path: Path) -> SourceKit:
        return PythonKit(tmp_path, STABLE_ARROW, "stable")


class TestMovingDicts(Suite):
    @pytest.fixture
    def kit(self, tmp_path: Path) -> SourceKit:
        return PythonKit(tmp_path, MOVING_DICTS, "moving")


def test_an_identity_is_that_of_the_content(tmp_path: Path) -> None:
    kit = PythonKit(tmp_path, STABLE_DICTS, "stable")
    kit.put("one", [("1", None)])
    (partition,) = kit.source().partitions({})
    with_end = kit.source()
    with_end.partitions({})
    reader = with_end.open(kit.session, partition, None)
    batch = reader.read(10, 10**6)
    assert batch is not None
    assert batch.end["identity"] == hashlib.sha256((tmp_path / "data" / "one.json").read_bytes()).hexdigest()
    reader.close()
