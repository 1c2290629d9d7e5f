"""Columns whose texts are written in another way, through files, gate and books."""

from __future__ import annotations

from pathlib import Path

from tests.unit.project_kit import Folder

INGEST = """table: raw.sales
from: {csv: {path: data/*.csv, delim: ";"}}
columns:
  id: int, key
  day: date, required, format('dd.MM.yyyy'), null('-')
  amount: decimal(9,2), number(',', '.'), min(0)
  paid: bool, words('ja', 'nein')
"""
DATA = """id;day;amount;paid
1;31.12.2024;1.234,50;ja
2;2024-12-31;1,00;nein
3;-;1,00;nein
4;01.01.2024;-1,00;nein
5;01.01.2024;1.5;nein
6;01.01.2024;;yes
7;01.01.2024;;
"""


def test_texts_are_read_as_declared(tmp_path: Path) -> None:
    project = Folder.make(tmp_path, {"ingest/s.yml": INGEST, "data/a.csv": DATA})
    assert project.step("raw.sales").rows_loaded == 2
    with project.open() as opened:
        rows = opened.query(
            "SELECT id, CAST(day AS VARCHAR), CAST(amount AS VARCHAR), paid FROM raw.sales ORDER BY id"
        ).rows
        refused = opened.quarantine().records
    assert [list(row) for row in rows] == [[1, "2024-12-31", "1234.50", True], [7, "2024-01-01", None, None]]
    reasons = {(one.row or {})["id"]: [(why.rule, why.column) for why in one.reasons] for one in refused}
    assert reasons == {
        "2": [("type", "day")],
        "3": [("required", "day")],
        "4": [("min", "amount")],
        "5": [("type", "amount")],
        "6": [("type", "paid")],
    }
    assert project.codes() == []
