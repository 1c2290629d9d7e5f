"""Column lineage on the page of a real project: named as the page names tables, and walked once."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

FILES = {
    "ingest/orders.yml": (
        "table: raw.orders\nfrom: data/orders/*.csv\n"
        "columns:\n  id: int, key, from('Order ID')\n  day: date\n  amount: decimal(9,2)\n"
    ),
    "data/orders/1.csv": "Order ID,day,amount\n1,2026-06-01,5.00\n",
    "models/gold/daily.sql": (
        "{{ config(materialized='table') }}\n"
        "select day, sum(amount) as revenue from {{ ref('raw.orders') }} where id > 0 group by day\n"
    ),
    "models/gold/gold.yml": (
        "exposures:\n  - name: Board\n    type: dashboard\n    depends_on: [{table: daily, columns: [revenue]}]\n"
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder.make(tmp_path, FILES)
    assert made.run().status == "ok"
    return made


def page(folder: Folder) -> dict[str, str]:
    """The text of each row of the dictionary and of each line of facts, by table and column or term."""
    answer = folder.open().report()
    html = Path(answer.path).read_text(encoding="utf-8")
    found = {}
    for entry in re.findall(r'<details id="[te]\d+".*?</details>', html, re.S):
        name = _text(re.search(r"<summary>.*?</span>", entry, re.S)[0])  # type: ignore[index]
        for term, said in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", entry, re.S):
            found[f"{name}: {term}"] = _text(said)
        for row in re.findall(r'<tr id="t\d+c\d+">(.*?)</tr>', entry, re.S):
            cells = re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)
            found[f"{name}.{_text(cells[0])}"] = " | ".join(map(_text, cells[4:]))
    return found


def _text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_columns_say_where_they_come_from_and_who_uses_them(folder: Folder) -> None:
    told = page(folder)
    assert told["raw.orders.id"] == "Order ID in orders/*.csv | rows of daily"
    assert told["raw.orders.amount"] == "amount in orders/*.csv | daily.revenue aggregation"
    assert told["gold.daily.day"] == "orders.day | "
    assert told["gold.daily.revenue"] == "orders.amount aggregation | Board dashboard"
    assert told["gold.daily: rows by"] == "orders.day group by orders.id filter"
    assert told["gold.daily: read by"] == "Board dashboard"
    assert told["Board: reads"] == "daily.revenue"


def test_what_was_walked_once_is_not_walked_again(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    first = page(folder)
    with sqlite3.connect(folder.root / ".headgate" / "state.db") as state:
        assert state.execute("select count(*) from kept").fetchone()[0] > 0
    monkeypatch.setattr("headgate.sql.lineage.trace.trace", lambda *_: pytest.fail("walked again"))
    assert page(folder) == first
