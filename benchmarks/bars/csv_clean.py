"""5 M x 16 CSV without a fault, against DuckDB's own typed CREATE TABLE AS of the same file."""

from __future__ import annotations

from pathlib import Path

from benchmarks import data, harness, project
from benchmarks.bars import parquet_row_rules

TYPES = {
    "orderkey": "BIGINT",
    "partkey": "BIGINT",
    "suppkey": "BIGINT",
    "linenumber": "BIGINT",
    "quantity": "DECIMAL(12,2)",
    "extendedprice": "DECIMAL(12,2)",
    "discount": "DECIMAL(12,2)",
    "tax": "DECIMAL(12,2)",
    "returnflag": "VARCHAR",
    "linestatus": "VARCHAR",
    "shipdate": "DATE",
    "commitdate": "DATE",
    "receiptdate": "DATE",
    "shipinstruct": "VARCHAR",
    "shipmode": "VARCHAR",
    "comment": "VARCHAR",
}
INGEST = parquet_row_rules.INGEST.replace("data/*.parquet", "data/*.csv")


def prepare(folder: Path, scale: float) -> None:
    project.write(folder, {"lineitem": INGEST}, [("data/lineitem.csv", data.lineitem_csv(scale))])


def reference(folder: Path) -> None:
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in TYPES.items())
    options = f"auto_detect=false, header=true, delim=',', quote='\"', escape='\"', columns={{{columns}}}"
    project.create_table_as(folder, f"select * from read_csv('{folder}/project/data/lineitem.csv', {options})")


BAR = harness.Bar(
    "csv_clean",
    "CSV 5 M x 16, 8 row rules, no faults",
    (harness.Limit("CPU s", 1.6, ratio=True),),
    {
        harness.REFERENCE: harness.Side(
            lambda folder: harness.child("csv_clean", "reference", folder), project.forget_reference
        ),
        harness.SUBJECT: harness.Side(harness.run_project, project.forget, parquet_row_rules.check),
    },
)
