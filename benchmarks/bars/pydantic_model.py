"""1 M x 6 CSV through a Pydantic model with a validator, against the bare loop that validates rows and loads them."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

from benchmarks import data, harness, project

ROWS = 1_000_000
TABLE = "raw.sales"
INGEST = """
    table: raw.sales
    from: data/sales.csv
    contract: {pydantic: schemas.py:SalesRecord}
"""
MODEL = """\
from datetime import date
from decimal import Decimal
from typing import Literal, Optional

from pydantic import BaseModel, Field, field_validator


class SalesRecord(BaseModel):
    order_id: int
    customer_id: str = Field(min_length=1, max_length=20)
    amount: Decimal = Field(max_digits=12, decimal_places=2)
    order_date: date
    channel: Literal["web", "shop"]
    note: str

    @field_validator("amount")
    @classmethod
    def positive(cls, value: Decimal) -> Decimal:
        if value <= 0:
            raise ValueError("amount must be positive")
        return value
"""
SALES = """
    select i as order_id, 'C' || (hash(i) % 50000) as customer_id,
           case when i % 1000 = 7 then -1 else ((1 + hash(i + 1) % 1000000) / 100.0)::DECIMAL(12,2) end as amount,
           date '2026-01-01' + (hash(i + 2) % 180)::INTEGER as order_date,
           ['web', 'shop'][1 + (hash(i + 3) % 2)::BIGINT] as channel, 'note ' || (hash(i + 4) % 100000) as note
    from range({rows}) t(i)"""
PIECE = 100_000


def prepare(folder: Path, scale: float) -> None:
    home = project.write(
        folder, {"sales": INGEST}, [("data/sales.csv", data.copied("sales", scale, ROWS, SALES, "csv"))]
    )
    (home / "schemas.py").write_text(MODEL, encoding="utf-8")
    shutil.rmtree(folder / "reference", ignore_errors=True)
    (folder / "reference").mkdir()
    (folder / "reference" / "schemas.py").write_text(MODEL, encoding="utf-8")


def reference(folder: Path) -> None:
    """Every row validated; the good ones in pieces into DuckDB, the bad ones with their errors in a list."""
    import sys

    from pydantic import ValidationError

    sys.path.insert(0, str(folder / "reference"))
    from schemas import SalesRecord  # type: ignore[import-not-found]

    connection = project.open_reference(folder)
    connection.execute("create table loaded (order_id BIGINT, customer_id VARCHAR, amount DECIMAL(12,2), "
                       "order_date DATE, channel VARCHAR, note VARCHAR)")  # fmt: skip
    validate, good, bad = SalesRecord.model_validate_strings, [], []
    with (folder / "project" / "data" / "sales.csv").open(newline="", encoding="utf-8") as lines:
        for number, row in enumerate(csv.DictReader(lines), 1):
            try:
                good.append(validate(row))
            except ValidationError as error:
                bad.append((number, row, error.errors()))
            if len(good) == PIECE:
                _insert(connection, good)
                good.clear()
    _insert(connection, good)
    connection.close()


def _insert(connection: Any, records: list[Any]) -> None:
    import pyarrow

    names = ("order_id", "customer_id", "amount", "order_date", "channel", "note")
    piece = pyarrow.table({name: [getattr(one, name) for one in records] for name in names})
    connection.register("piece", piece)
    connection.execute("insert into loaded select * from piece")
    connection.unregister("piece")


def check(output: str, scale: float) -> harness.Values:
    found = harness.counts(output, TABLE)
    assert found["read"] == data.rows(scale, ROWS), found
    assert found["quarantined"] == len(range(7, found["read"], 1000)), found
    return {}


BAR = harness.Bar(
    "pydantic_model",
    "CSV 1 M x 6 through a Pydantic model",
    (harness.Limit("CPU s", 1.3, ratio=True),),
    {
        harness.REFERENCE: harness.Side(
            lambda folder: harness.child("pydantic_model", "reference", folder), project.forget_reference
        ),
        harness.SUBJECT: harness.Side(harness.run_project, project.forget, check),
    },
)
