"""A warehouse with every kind of history in it, to be corrupted: see `built`."""

from __future__ import annotations

from pathlib import Path

from tests.unit.project_kit import Folder

CUSTOMERS = """
table: raw.customers
from: data/customers/*.csv
on_change: reload
columns:
  id: int, key
  name: text, required
"""
ORDERS = """
table: raw.orders
from: data/orders/*.csv
columns:
  id: int, key
  customer: int, required, references(raw.customers.id)
  amount: decimal(12,2), min(0)
"""
PRICES = """
table: raw.prices
from: data/prices/*.csv
load: {upsert: sku, order_by: at}
columns:
  sku: text
  price: decimal(8,2), required
  at: date
"""
RATES = """
table: raw.rates
from: data/rates/*.csv
load: {replace: true}
refuse_at_most: 1
columns:
  currency: text, key
  rate: double, required
"""
STOCK = """
table: raw.stock
from: data/stock/*.csv
refuse_at_most: 1
columns:
  sku: text, key
  pieces: int, required
"""
NOTES = """
table: raw.notes
from: data/notes/*.csv
"""
FIRST = {
    "ingest/customers.yml": CUSTOMERS,
    "ingest/orders.yml": ORDERS,
    "ingest/prices.yml": PRICES,
    "ingest/rates.yml": RATES,
    "ingest/stock.yml": STOCK,
    "ingest/notes.yml": NOTES,
    "models/gold/totals.sql": (
        "{{ config(materialized='table') }}\n"
        "select customer, sum(amount) as total from {{ ref('raw.orders') }} group by 1"
    ),
    "models/gold/names.sql": "{{ config(materialized='view') }}\nselect name from {{ ref('raw.customers') }}",
    "data/customers/a.csv": "id,name\n1,Ann\n2,Ben\n2,Bob\n3,\n",
    "data/orders/mon.csv": "id,customer,amount\n10,1,5.00\n11,2,6.00\n12,9,7.00\n13,1,-1\n",
    "data/prices/mon.csv": "sku,price,at\nx,1.00,2024-01-01\ny,2.00,2024-01-01\nz,,2024-01-01\n",
    "data/rates/all.csv": "currency,rate\nEUR,1\nUSD,1.1\nGBP,\n",
    "data/stock/mon.csv": "sku,pieces\nx,1\ny,2\n",
    "data/notes/mon.csv": "id,note\n1,hello\n2,there\n",
}
SECOND = {
    "data/customers/b.csv": "id,name\n9,Zoe\n1,again\n",
    "data/orders/tue.csv": "id,customer,amount\n20,2,1.00\n21,8,2.00\n",
    "data/prices/tue.csv": "sku,price,at\nx,1.50,2024-01-02\n",
    "data/rates/all.csv": "currency,rate\nEUR,1\nUSD,1.2\nJPY,0.006\nGBP,\n",
    "data/stock/tue.csv": "sku,pieces\n,1\n,2\nz,\n",
}
THIRD = {
    "data/customers/a.csv": "id,name\n1,Ann\n2,Ben\n3,Cid\n,nobody\n",
    "data/orders/wed.csv": "id,customer,amount\n30,3,9.00\n",
}


def built(root: Path) -> Folder:
    """The project after three runs, two replays, a reload, a stopped load and an adjustment; its audit is clean."""
    return grown(Folder.make(root, FIRST))


def grown(folder: Folder) -> Folder:
    """The history of `built`, in a folder with the files of FIRST."""
    assert folder.run().status == "ok"
    for name, text in SECOND.items():
        folder.write(name, text)
    assert folder.run().status == "refused"  # raw.stock
    folder.open().replay(table="raw.orders")
    for name, text in THIRD.items():
        folder.write(name, text)
    assert folder.run().status == "refused"
    folder.open().replay(table="raw.orders")
    folder.behind("DELETE FROM raw.orders WHERE id = 10")
    folder.open().adjust("raw.orders", "a test order")
    return folder
