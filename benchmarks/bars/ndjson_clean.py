"""5 M x 16 JSON lines without a fault, against DuckDB's own typed CREATE TABLE AS of the same file."""

from __future__ import annotations

from pathlib import Path

from benchmarks import data, harness, project
from benchmarks.bars import parquet_row_rules
from benchmarks.bars.csv_clean import TYPES

INGEST = parquet_row_rules.INGEST.replace("data/*.parquet", "data/*.ndjson")


def prepare(folder: Path, scale: float) -> None:
    project.write(folder, {"lineitem": INGEST}, [("data/lineitem.ndjson", data.lineitem_ndjson(scale))])


def reference(folder: Path) -> None:
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in TYPES.items())
    path = f"{folder}/project/data/lineitem.ndjson"
    project.create_table_as(folder, f"select * from read_ndjson('{path}', columns={{{columns}}})")


BAR = harness.Bar(
    "ndjson_clean",
    "JSON lines 5 M x 16, 8 row rules, no faults",
    (harness.Limit("CPU s", 1.7, ratio=True),),
    {
        harness.REFERENCE: harness.Side(
            lambda folder: harness.child("ndjson_clean", "reference", folder), project.forget_reference
        ),
        harness.SUBJECT: harness.Side(harness.run_project, project.forget, parquet_row_rules.check),
    },
)
