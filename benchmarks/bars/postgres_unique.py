"""The same 2 M x 16 rows into PostgreSQL with a unique rule, too: 35% of the speed of a bare adbc_ingest."""

from __future__ import annotations

from pathlib import Path

from benchmarks import harness, server
from benchmarks.bars import postgres_append
from benchmarks.bars.parquet_row_rules import COLUMNS

INGEST = f"""
    table: raw.lineitem
    from: data/*.parquet
    columns:{COLUMNS.replace("bigint, required", "bigint, key")}
"""


def prepare(folder: Path, scale: float) -> None:
    server.project_at(folder, {"lineitem": INGEST}, [("data/lineitem.parquet", server.lines(scale))], "bench_unique")


def reset_subject(folder: Path) -> None:
    server.anew("bench_unique")


BAR = harness.Bar(
    "postgres_unique",
    "PostgreSQL append of 2 M x 16 with a unique rule, to bare adbc_ingest",
    (harness.Limit("wall s", 1 / 0.35, ratio=True),),
    {
        harness.REFERENCE: harness.Side(
            lambda folder: harness.child("postgres_append", "reference", folder), postgres_append.reset_reference
        ),
        harness.SUBJECT: harness.Side(harness.run_project, reset_subject, postgres_append.check),
    },
)
