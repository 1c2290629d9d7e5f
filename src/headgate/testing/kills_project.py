"""The project that the kills are practised on: one table of each disposition, one with lines of its own, two models,
new files every day.

Everything is a function of the seed and the day, times of files included: two folders that saw the same days hold the
same project.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headgate.core.protocols import Store, StoreSession
from headgate.core.values import TableRef
from headgate.sql import quote

TABLES = ("raw.baskets", "raw.customers", "raw.events", "raw.members", "raw.orders", "raw.prices", "raw.visits")
_LINES = ("raw.basket_lines",)
_FILES = {
    "ingest/baskets.yml": """\
table: raw.baskets
from: data/baskets/*.ndjson
load: {upsert: id, order_by: at}
refuse_at_most: 50%
columns:
  id: int
  at: int, required
children:
  raw.basket_lines:
    from: lines
    parent: basket_id
    columns:
      item: int, required, key
      pieces: int, required, min(1)
""",
    "ingest/orders.yml": """\
table: raw.orders
from: data/orders/*.csv
load: append
columns:
  id: int, key
  customer: int, required
  day: date, required
  amount: decimal(10,2), required, min(0)
  note: text(20)
""",
    "ingest/customers.yml": """\
table: raw.customers
from: data/customers/*.csv
load: {upsert: id, order_by: changed_at}
columns:
  id: int
  name: text, required
  changed_at: timestamp, required
""",
    "ingest/prices.yml": """\
table: raw.prices
from: data/prices/*.csv
load: replace
refuse_at_most: 50%
columns:
  item: int, key
  price: decimal(8,2), required
""",
    "ingest/members.yml": """\
table: raw.members
from: data/members/*.csv
load: {scd6: id, order_by: at, vanished: close, current: [city]}
refuse_at_most: 50%
columns:
  id: int
  city: text, required, length(1, 6)
  at: timestamp
""",
    "ingest/visits.yml": """\
table: raw.visits
from: data/visits/*.csv
load: {partition: day}
refuse_at_most: 50%
columns:
  day: int
  visitor: int, required
""",
    "ingest/events.yml": """\
table: raw.events
from: data/events/*.csv
load: {insert: id}
columns:
  id: int
  kind: text, required
""",
    "models/spending.sql": """\
{{ config(materialized='table') }}
select c.id, c.name, count(*) as orders, sum(o.amount) as amount
from {{ ref('raw.orders') }} as o join {{ ref('raw.customers') }} as c on c.id = o.customer
group by c.id, c.name
""",
    "models/priced.sql": """\
{{ config(materialized='view') }}
select s.id, s.amount, p.price from {{ ref('spending') }} as s join {{ ref('raw.prices') }} as p on p.item = s.id
""",
    "models/tests.yml": """\
models:
  - name: spending
    columns:
      - name: id
        tests: [not_null, unique]
  - name: priced
    columns:
      - name: price
        tests: [not_null]
""",
}
_MODELS = ("main.priced", "main.spending")
_FIRST_DAY = 1_700_000_000
_ORDERS, _CUSTOMERS, _MEMBERS, _BASKETS = 1500, 300, 200, 150


def write_project(folder: Path, warehouse: str = "duckdb:warehouse.duckdb") -> None:
    """The project without any data."""
    for name, text in {**_FILES, "headgate.yml": f"project: kills\nwarehouse: {warehouse}\n"}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def write_day(folder: Path, seed: int, day: int) -> None:
    """What comes in on the day (from 1): files of orders, changed customers, visits, events and baskets, a snapshot of
    the members, and another price list."""
    dice = random.Random(f"{seed}/{day}")
    _write(folder / "data" / "orders" / f"{day:04}.csv", "id,customer,day,amount,note", _orders(dice, day), day)
    _write(folder / "data" / "customers" / f"{day:04}.csv", "id,name,changed_at", _customers(dice, day), day)
    _write(folder / "data" / "prices" / "prices.csv", "item,price", _prices(dice, day), day)
    _write(folder / "data" / "members" / f"{day:04}.csv", "id,city,at", _members(dice, day), day)
    _write(folder / "data" / "visits" / f"{day:04}.csv", "day,visitor", _visits(dice, day), day)
    _write(folder / "data" / "events" / f"{day:04}.csv", "id,kind", _events(dice, day), day)
    _write(folder / "data" / "baskets" / f"{day:04}.ndjson", "", _baskets(dice, day), day)


def _write(path: Path, header: str, lines: Sequence[str], day: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *lines] if header else lines) + "\n")
    os.utime(path, (_FIRST_DAY + 86_400 * day,) * 2)


def _orders(dice: random.Random, day: int) -> list[str]:
    first = (day - 1) * _ORDERS
    lines = []
    for number in range(first + 1, first + _ORDERS + 1):
        customer, amount = dice.randint(1, _CUSTOMERS), f"{dice.randint(0, 99_999) / 100:.2f}"
        good = f"{number},{customer},2024-01-{day % 28 + 1:02},{amount},n{number % 7}"
        bad = [
            f"{number},{customer},2024-02-30,{amount},no such day",
            f"{number},{customer},2024-01-01,-{amount},below nothing",
            f"{dice.randint(1, number)},{customer},2024-01-01,{amount},a key of before",
            f"{number},,2024-01-01,{amount},no customer",
            f"{number},{customer}",
            f'{number},"{customer}" x,2024-01-01,{amount},torn',
        ]
        lines.append(dice.choice(bad) if dice.random() < 0.03 else good)
    return lines


def _customers(dice: random.Random, day: int) -> list[str]:
    """On the first day everybody, then some: twice in a file, older than what is known, or without a name."""
    some = range(1, _CUSTOMERS + 1) if day == 1 else dice.choices(range(1, _CUSTOMERS + 1), k=_CUSTOMERS // 2)
    return [
        f"{one},{'' if dice.random() < 0.02 else f'name {dice.randint(1, 9)}'},"
        f"2024-01-01 {max(0, day - dice.choice([0, 0, 0, 3])) % 24:02}:{dice.randint(0, 59):02}"
        for one in some
    ]


def _prices(dice: random.Random, day: int) -> list[str]:
    return [
        f"{item},{'free' if dice.random() < 0.02 else f'{dice.randint(1, 999) + day / 100:.2f}'}"
        for item in range(1, 2 * _CUSTOMERS)
    ]


def _members(dice: random.Random, day: int) -> list[str]:
    """Most of them: some moved, some came back, some are gone, and some live in a city that is refused."""
    return [
        f"{one},{dice.choice(['Bonn', 'Kiel', 'Ulm'] * 9 + ['Frankfurt'])},2024-01-01 00:{day % 60:02}:{one % 60:02}"
        for one in range(1, _MEMBERS)
        if dice.random() < 0.9
    ]


def _visits(dice: random.Random, day: int) -> list[str]:
    """Those of the day, and those of the day before once more, corrected."""
    return [f"{dice.choice([day, max(1, day - 1)])},{dice.choice(['', *range(1, 40)])}" for _ in range(300)]


def _events(dice: random.Random, day: int) -> list[str]:
    """Some are told for the first time, some once more."""
    return [f"{dice.randint(max(1, day - 2) * 100, day * 100 + 99)},{dice.choice('abcd')}" for _ in range(200)]


def _baskets(dice: random.Random, day: int) -> list[str]:
    """Some are new, some come again with other lines or too late; a few have a line that is wrong."""
    found = []
    for _ in range(_BASKETS):
        lines = [
            {"item": item, "pieces": dice.randint(0 if dice.random() < 0.02 else 1, 9)}
            for item in dice.sample(range(1, 40), dice.randint(0, 5))
        ]
        at = max(0, day - dice.choice([0, 0, 0, 2]))
        found.append(json.dumps({"id": dice.randint(1, 4 * _BASKETS), "at": at, "lines": lines}))
    return found


def state(store: Store) -> dict[str, Counter[Any]]:
    """What two runs of the same days must agree on, part by part, as multisets.

    Rows of tables and models (without `_hg_load`), open quarantine records, positions, sums of the entries, and the
    names of all relations, so that nothing may be left over.
    """
    with store.session() as session:
        return _state(session)


def _state(session: StoreSession) -> dict[str, Counter[Any]]:
    parts = {f"rows of {name}": _rows(session, name) for name in (*TABLES, *_LINES, *_MODELS)}
    parts["open records"] = """SELECT table_name, partition, record, reasons, raw, "row" FROM _headgate.quarantine
                               WHERE status = 'open'"""
    parts["positions"] = "SELECT flow, stream, partition, position FROM _headgate.position"
    parts["sums"] = """SELECT table_name, sum(rows_read), sum(rows_quarantined), sum(rows_loaded + rows_deduplicated)
                       FROM _headgate.entry GROUP BY 1"""
    parts["relations"] = """SELECT table_schema, table_name, table_type FROM information_schema.tables
                            WHERE table_schema NOT IN ('information_schema', 'pg_catalog')"""
    return {name: Counter(session.execute(select)) for name, select in parts.items()}


def _rows(session: StoreSession, name: str) -> str:
    table = TableRef.parse(name)
    names = [column for column, _ in session.columns(table) or [] if column != "_hg_load"]
    return f"SELECT {quote.columns(names)} FROM {quote.table(table)}"
