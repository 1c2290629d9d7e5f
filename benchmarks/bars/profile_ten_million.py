"""`headgate profile` of 10 M x 12 Parquet against one hand-written pass of SQL with the same measures, and its peak."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import data, harness

FILE = "orders.parquet"
QUANTILES = "[0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]"
NUMBERS = ("BIGINT", "INTEGER", "DOUBLE", "DECIMAL")


def prepare(folder: Path, scale: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).unlink(missing_ok=True)
    (folder / FILE).symlink_to(data.orders(scale))


def reference(folder: Path) -> None:
    """Of every column NULLs, bounds, distinct values and the ten most frequent; mean, deviation and quantiles of
    numbers and moments; lengths of texts: in one SELECT.
    """
    import duckdb

    connection = duckdb.connect()
    path = str(folder / FILE)
    described = connection.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
    parts = [part for name, kind, *_ in described for part in _measures(f'"{name}"', kind)]
    ((rows, *_),) = connection.execute(f"SELECT count(*), {', '.join(parts)} FROM '{path}'").fetchall()
    print(rows)


def _measures(name: str, kind: str) -> list[str]:
    found = [f"count({name})", f"min({name})", f"max({name})", f"approx_count_distinct({name})"]
    found.append(f"approx_top_k({name}, 10)")
    if kind.startswith(NUMBERS):
        value = f"CAST({name} AS DOUBLE)"
        return [*found, f"avg({value})", f"stddev_samp({value})", f"approx_quantile({value}, {QUANTILES})"]
    if kind in ("DATE", "TIMESTAMP"):
        return [*found, f"approx_quantile({name}, {QUANTILES})"]
    return [*found, f"min(length({name}))", f"max(length({name}))", f"avg(length({name}))"]


def check_reference(output: str, scale: float) -> harness.Values:
    assert int(output) == data.rows(scale, 10_000_000)
    return {}


def check(output: str, scale: float) -> harness.Values:
    (table,) = json.loads(output)["tables"]
    assert table["rows"] == data.rows(scale, 10_000_000)
    assert [column["filled"] > 0 for column in table["columns"]] == [True] * 12
    return {}


BAR = harness.Bar(
    "profile_ten_million",
    "Profile of Parquet 10 M x 12, to one pass of SQL",
    (
        harness.Limit("CPU s", 1.1, ratio=True),
        harness.Limit("wall s", 1.1, ratio=True),
        harness.Limit("peak MB", 400),
    ),
    {
        harness.REFERENCE: harness.Side(
            lambda folder: harness.child("profile_ten_million", "reference", folder),
            lambda folder: None,
            check_reference,
        ),
        harness.SUBJECT: harness.Side(
            lambda folder: harness.headgate("profile", str(folder / FILE), "--json"), lambda folder: None, check
        ),
    },
)
