"""A Pandera schema over the Parquet file, read by Polars: `python pandera.py FOLDER [prepare]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

if len(sys.argv) > 2:
    sys.exit(0)  # nothing to make: the file is read as it is

# Not as `pandera`: this file has the same name.
sys.path.pop(0)
import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

folder = Path(sys.argv[1])
facts = json.loads((folder / "facts.json").read_text())
known = pl.read_parquet(facts["customers"])["id"].implode()


def there(data: pa.PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col(data.key).is_in(known))


schema = pa.DataFrameSchema(
    {
        "id": pa.Column(pl.Int64, unique=True, name="id"),
        "customer_id": pa.Column(pl.Int64, pa.Check(there, name="references", ignore_na=True)),
        "status": pa.Column(pl.String, pa.Check.isin(facts["statuses"], name="in")),
        "amount": pa.Column(pl.Decimal(12, 2), pa.Check.ge(0, name="min")),
        "order_date": pa.Column(pl.Date),
        "email": pa.Column(pl.String, pa.Check.str_matches(facts["email"], name="pattern")),
        "country": pa.Column(pl.String, pa.Check.isin(facts["countries"], name="in")),
        "quantity": pa.Column(pl.Int32, pa.Check.in_range(1, 100, name="between")),
        "price": pa.Column(pl.Decimal(10, 2), pa.Check.le(10000, name="max")),
    }
)
NAMES = {
    "not_nullable": "required",
    "field_uniqueness": "unique",
    "isin": "in",
    "in_range": "between",
    "str_matches": "pattern",
    "greater_than_or_equal_to": "min",
    "less_than_or_equal_to": "max",
}

found = {"order_date.required": 0}
try:
    schema.validate(pl.read_parquet(facts["orders"]), lazy=True)
except SchemaErrors as error:
    cases = error.failure_cases
    for column, check, rows in cases.group_by("column", "check").len().iter_rows():
        name = NAMES.get(check.partition("(")[0], check)
        found[f"{column}.{name}"] = rows // 2 if name == "unique" else rows  # both rows of a value are told
print(json.dumps(found))
