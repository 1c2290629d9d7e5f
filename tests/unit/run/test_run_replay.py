"""Which records a replay takes."""

from __future__ import annotations

from pathlib import Path

from tests.unit.project_kit import Folder

ORDERS = "table: raw.orders\nfrom: data/*.csv\nrefuse_at_most: 1\ncolumns:\n  id: int, key\n  amount: int, required\n"


def test_held_records_are_not_replayed(tmp_path: Path) -> None:
    """They belong to a load that was refused: the next run reads their file again."""
    folder = Folder.make(tmp_path, {"ingest/orders.yml": ORDERS, "data/a.csv": "id,amount\n1,\n2,20\n"})
    folder.run()
    folder.write("data/b.csv", "id,amount\n3,\n4,\n5,50\n")
    assert folder.step("raw.orders").status == "refused"
    folder.write("ingest/orders.yml", ORDERS.replace(", required", ""))
    done = folder.open().replay(all=True)
    assert (done.rows_read, done.rows_loaded) == (1, 1)
    assert folder.step("raw.orders").rows_loaded == 3
    assert folder.behind("SELECT id FROM raw.orders ORDER BY id") == [(1,), (2,), (3,), (4,), (5,)]
    assert folder.codes() == []
