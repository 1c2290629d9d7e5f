"""5 M x 16 Parquet with 8 row rules, all rows good, against a plain CREATE TABLE AS."""

from __future__ import annotations

from pathlib import Path

from benchmarks import data, harness, project

TABLE = "raw.lineitem"
COLUMNS = """
      orderkey:      bigint, required
      partkey:       int, required
      suppkey:       int
      linenumber:    int, between(1, 7)
      quantity:      decimal(12,2), min(1)
      extendedprice: decimal(12,2), min(0)
      discount:      decimal(12,2), between(0, 1)
      tax:           decimal(12,2), max(1)
      returnflag:    text, in(A, N, R)
      linestatus:    text
      shipdate:      date
      commitdate:    date
      receiptdate:   date
      shipinstruct:  text
      shipmode:      text
      comment:       text
"""
INGEST = f"""
    table: raw.lineitem
    from: data/*.parquet
    columns:{COLUMNS}
    refuse_at_most: 5%
"""


def prepare(folder: Path, scale: float) -> None:
    project.write(folder, {"lineitem": INGEST}, [("data/lineitem.parquet", data.lineitem_parquet(scale))])


def reference(folder: Path) -> None:
    project.create_table_as(folder, f"select * from '{folder}/project/data/lineitem.parquet'")


def check(output: str, scale: float) -> harness.Values:
    found = harness.counts(output, TABLE)
    assert found["loaded"] == found["read"] == data.rows(scale, 5_000_000), found
    return {}


BAR = harness.Bar(
    "parquet_row_rules",
    "Parquet 5 M x 16, 8 row rules",
    (harness.Limit("CPU s", 1.5, ratio=True),),
    {
        harness.REFERENCE: harness.Side(
            lambda folder: harness.child("parquet_row_rules", "reference", folder), project.forget_reference
        ),
        harness.SUBJECT: harness.Side(harness.run_project, project.forget, check),
    },
)
