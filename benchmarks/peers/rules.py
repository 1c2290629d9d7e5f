"""The table, the ten rules that every side is given, and how many rows break each of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import data

CUSTOMERS = 495_000
EMAIL = "^[^@ ]+@[^@ ]+$"
STATUSES = ("new", "paid", "shipped", "delivered")
COUNTRIES = ("DE", "FR", "ES", "IT", "NL")

BROKEN = {
    "id.unique": "select count(*) - count(distinct id) from orders",
    "customer_id.required": "select count(*) from orders where customer_id is null",
    "customer_id.references": "select count(*) from orders where customer_id not in (select id from customers)",
    "status.in": f"select count(*) from orders where status not in {STATUSES}",
    "amount.min": "select count(*) from orders where amount < 0",
    "order_date.required": "select count(*) from orders where order_date is null",
    "email.pattern": f"select count(*) from orders where not regexp_matches(email, '{EMAIL}')",
    "country.in": f"select count(*) from orders where country not in {COUNTRIES}",
    "quantity.between": "select count(*) from orders where quantity not between 1 and 100",
    "price.max": "select count(*) from orders where price > 10000",
}
"""What breaks each rule; of equal ids those behind the first, which is how many values stand twice here."""


def rows(scale: float) -> int:
    return data.rows(scale, 10_000_000)


def orders(scale: float) -> Path:
    """10 M x 12 as Parquet, 1% of the rows break a rule."""
    return data.orders(scale)


def customers(scale: float) -> Path:
    """The ids that orders refer to, but for one in a hundred."""
    query = f"select 1 + i as id from range({CUSTOMERS}) t(i) limit {{rows}}"
    return data.copied("customers", 1, CUSTOMERS, query, "parquet")


def truth(scale: float) -> dict[str, int]:
    """How many rows break each rule, by plain SQL."""
    import duckdb

    connection: Any = duckdb.connect()
    connection.execute(f"create view orders as from '{orders(scale)}'")
    connection.execute(f"create view customers as from '{customers(scale)}'")
    return {name: connection.execute(sql).fetchone()[0] for name, sql in BROKEN.items()}
