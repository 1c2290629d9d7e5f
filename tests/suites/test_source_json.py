"""The JSON sources keep what every source must keep: lines the fast way and the careful one, packed, and documents."""

from __future__ import annotations

import bz2
import json
from pathlib import Path

import pytest

from headgate.adapters.files.json import JsonSource, NdjsonSource
from headgate.testing.source_suite import DuckSession, Rows, SourceKit, SourceSuite


class JsonKit:
    kind, suffix = NdjsonSource, "ndjson"

    def __init__(self, folder: Path) -> None:
        self.session = DuckSession()
        self.folder = folder
        self.tmp = folder / "tmp"
        self.tmp.mkdir()
        (folder / "data").mkdir()

    def put(self, name: str, rows: Rows) -> None:
        (self.folder / "data" / self.partition(name)).write_bytes(self.content(rows))

    def content(self, rows: Rows) -> bytes:
        lines = [json.dumps({"a": a, "b": b}, ensure_ascii=False, separators=(",", ":")) for a, b in rows]
        return "".join(line + "\n" for line in lines).encode()

    def partition(self, name: str) -> str:
        return f"{name}.{self.suffix}"

    def source(self) -> NdjsonSource:
        return self.kind({"path": f"data/*.{self.suffix}"}, self.folder, self.tmp)


class CarefulKit(JsonKit):
    def content(self, rows: Rows) -> bytes:
        return "".join(json.dumps({"a": a, "b": b}, indent=1).replace("\n", " ") + "\r\n" for a, b in rows).encode()


class PackedKit(JsonKit):
    suffix = "jsonl.bz2"

    def content(self, rows: Rows) -> bytes:
        return bz2.compress(super().content(rows))


class DocumentKit(JsonKit):
    kind, suffix = JsonSource, "json"

    def content(self, rows: Rows) -> bytes:
        return json.dumps(
            {"meta": {"rows": [1]}, "x": {"rows": [{"a": a, "b": b} for a, b in rows]}}, indent=2
        ).encode()

    def source(self) -> NdjsonSource:
        return JsonSource({"path": "data/*.json", "records": "x.rows"}, self.folder, self.tmp)


class _Suite(SourceSuite):
    made: type[JsonKit]

    @pytest.fixture
    def kit(self, tmp_path: Path) -> SourceKit:
        return self.made(tmp_path)


class TestLines(_Suite):
    made = JsonKit


class TestCareful(_Suite):
    made = CarefulKit


class TestPacked(_Suite):
    made = PackedKit


class TestDocument(_Suite):
    made = DocumentKit
