"""2 M x 16 rows into PostgreSQL with 8 row rules, against a bare adbc_ingest of the same rows: 60% of its speed."""

from __future__ import annotations

from pathlib import Path

from benchmarks import data, harness, server
from benchmarks.bars.parquet_row_rules import COLUMNS, TABLE

INGEST = f"""
    table: raw.lineitem
    from: data/*.parquet
    columns:{COLUMNS}
"""
DDL = """create table lineitem (orderkey bigint, partkey bigint, suppkey bigint, linenumber bigint,
    quantity numeric(12,2), extendedprice numeric(12,2), discount numeric(12,2), tax numeric(12,2), returnflag text,
    linestatus text, shipdate date, commitdate date, receiptdate date, shipinstruct text,
    shipmode text, comment text)"""
CAST = """select * replace (partkey::bigint as partkey, suppkey::bigint as suppkey, linenumber::bigint as linenumber)
    from '{}'"""


def prepare(folder: Path, scale: float) -> None:
    server.project_at(folder, {"lineitem": INGEST}, [("data/lineitem.parquet", server.lines(scale))], "bench_append")


def reset_reference(folder: Path) -> None:
    server.anew("bench_plain")
    server.run("bench_plain", DDL)


def reset_subject(folder: Path) -> None:
    server.anew("bench_append")


def reference(folder: Path) -> None:
    server.ingest("bench_plain", CAST.format(folder / "project/data/lineitem.parquet"), "lineitem")


def check(output: str, scale: float) -> harness.Values:
    found = harness.counts(output, TABLE)
    assert found["loaded"] == found["read"] == data.rows(0.4 * scale, 5_000_000), found
    return {}


BAR = harness.Bar(
    "postgres_append",
    "PostgreSQL append of 2 M x 16, 8 row rules, to bare adbc_ingest",
    (harness.Limit("wall s", 1 / 0.6, ratio=True),),
    {
        harness.REFERENCE: harness.Side(
            lambda folder: harness.child("postgres_append", "reference", folder), reset_reference
        ),
        harness.SUBJECT: harness.Side(harness.run_project, reset_subject, check),
    },
)
