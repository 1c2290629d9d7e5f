"""Excel, fixed width, Avro and ORC keep what every source must keep."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.hostile.xlsx import sheet, workbook

from headgate.core.protocols import Source
from headgate.core.registry import open_source
from headgate.testing.source_suite import DuckSession, Rows, SourceKit, SourceSuite


class Kit:
    kind = ""
    options: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self, folder: Path) -> None:
        self.session = DuckSession()
        self.folder = folder
        self.tmp = folder / "tmp"
        self.tmp.mkdir()
        (folder / "data").mkdir()

    def put(self, name: str, rows: Rows) -> None:
        (self.folder / "data" / self.partition(name)).write_bytes(self.content(rows))

    def content(self, rows: Rows) -> bytes:
        raise NotImplementedError

    def partition(self, name: str) -> str:
        return f"{name}.{self.kind}"

    def source(self) -> Source:
        return open_source(self.kind, {"path": f"data/*.{self.kind}", **self.options}, self.folder, self.tmp)


class ExcelKit(Kit):
    kind = "excel"

    def content(self, rows: Rows) -> bytes:
        return workbook({"S": sheet([["a", "b"], *map(list, rows)])}, packing=zipfile.ZIP_DEFLATED)


class AvroKit(Kit):
    kind = "avro"

    def content(self, rows: Rows) -> bytes:
        import io

        import fastavro

        text = ["null", "string"]
        schema = {"type": "record", "name": "r", "fields": [{"name": one, "type": text} for one in "ab"]}
        out = io.BytesIO()
        records = [{"a": a, "b": b} for a, b in rows]
        fastavro.writer(out, fastavro.parse_schema(schema), records, sync_marker=bytes(16), sync_interval=500)
        return out.getvalue()


class OrcKit(Kit):
    kind = "orc"

    def content(self, rows: Rows) -> bytes:
        import pyarrow as pa
        from pyarrow import orc

        out = pa.BufferOutputStream()
        columns = list(zip(*rows, strict=True)) or [(), ()]
        orc.write_table(pa.table([pa.array(one, pa.string()) for one in columns], names=["a", "b"]), out)
        return bytes(out.getvalue())


class FixedKit(Kit):
    """Texts of eight characters, without blanks around them and none of them empty: a field has no other."""

    kind = "fixed"
    options = {"columns": {"a": "1-4", "b": "5-20"}}  # noqa: RUF012

    def content(self, rows: Rows) -> bytes:
        return "".join(f"{a or '':4}{b or '':16}\n" for a, b in rows).encode()


class _Suite(SourceSuite):
    made: type[Kit]

    @pytest.fixture
    def kit(self, tmp_path: Path) -> SourceKit:
        return self.made(tmp_path)


class TestExcel(_Suite):
    made = ExcelKit


class TestAvro(_Suite):
    made = AvroKit


class TestOrc(_Suite):
    made = OrcKit
