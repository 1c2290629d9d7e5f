"""10 M x 12 Parquet, 8 rules of which one unique, a refuse limit, 1% bad rows, against a plain CREATE TABLE AS."""

from __future__ import annotations

from pathlib import Path

from benchmarks import data, harness, project

TABLE = "raw.orders"
INGEST = """
    table: raw.orders
    from: data/*.parquet
    columns:
      id:          bigint, unique
      customer_id: bigint, required
      status:      text, in(new, paid, shipped, delivered)
      amount:      decimal(12,2), min(0)
      order_date:  date
      email:       text, pattern('^[^@ ]+@[^@ ]+$')
      country:     text, in(DE, FR, ES, IT, NL)
      quantity:    int, between(1, 100)
      price:       decimal(10,2), max(10000)
      discount:    double
      note:        text
      updated_at:  timestamp
    refuse_at_most: 15%
"""


def prepare(folder: Path, scale: float, bad: float = 0.01) -> None:
    project.write(folder, {"orders": INGEST}, [("data/orders.parquet", data.orders(scale, bad))])


def reference(folder: Path) -> None:
    project.create_table_as(folder, f"select * from '{folder}/project/data/orders.parquet'")


def check(output: str, scale: float, bad: float = 0.01) -> harness.Values:
    found = harness.counts(output, TABLE)
    assert found["read"] == data.rows(scale, 10_000_000), found
    share = found["quarantined"] / found["read"]
    assert 0.8 * bad < share < 1.2 * bad, found
    return {"quarantined": found["quarantined"]}


BAR = harness.Bar(
    "parquet_ten_million",
    "Parquet 10 M x 12, 8 rules, one unique, 1% bad",
    (harness.Limit("CPU s", 1.6, ratio=True), harness.Limit("peak MB", 800, below=True)),
    {
        harness.REFERENCE: harness.Side(
            lambda folder: harness.child("parquet_ten_million", "reference", folder), project.forget_reference
        ),
        harness.SUBJECT: harness.Side(harness.run_project, project.forget, check),
    },
)
