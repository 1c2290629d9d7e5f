"""Loads that replace whole partitions, and loads that leave what is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core.errors import ProjectError

COLUMNS = "columns:\n  day: date\n  id: int, key\n  amount: int\n"
SALES = f"table: raw.sales\nfrom: data/*.csv\nload: {{partition: day}}\n{COLUMNS}"
EVENTS = "table: raw.events\nfrom: data/*.csv\nload: {insert: id}\ncolumns:\n  id: int\n  what: text, required\n"
ROWS = "SELECT CAST(day AS VARCHAR), id FROM raw.sales ORDER BY ALL"


def sales(tmp_path: Path, first: str, more: str = "") -> Folder:
    folder = Folder.make(tmp_path, {"ingest/sales.yml": SALES + more, "data/a.csv": "day,id,amount\n" + first})
    assert folder.step("raw.sales").status == "ok"
    return folder


def test_a_partition_that_is_delivered_again_is_replaced(tmp_path: Path) -> None:
    folder = sales(tmp_path, "2024-01-01,1,10\n2024-01-01,2,20\n2024-01-02,3,30\n")
    folder.write("data/b.csv", "day,id,amount\n2024-01-02,4,1\n2024-01-03,2,2\n")
    step = folder.step("raw.sales")
    # Order 2 is another's now: its key stands in a partition that stays.
    assert (step.status, step.rows_loaded, step.rows_quarantined) == ("refused", 0, 1)
    folder.write("data/b.csv", "day,id,amount\n2024-01-02,4,1\n2024-01-03,5,2\n2024-01-02,3,3\n")
    step = folder.step("raw.sales")
    assert (step.rows_read, step.rows_loaded, step.rows_quarantined) == (3, 3, 0)
    assert folder.behind(ROWS) == [
        ("2024-01-01", 1), ("2024-01-01", 2), ("2024-01-02", 3), ("2024-01-02", 4), ("2024-01-03", 5),
    ]  # fmt: skip
    assert folder.codes() == []
    counted = "SELECT rows_before, rows_inserted, rows_removed, rows_after FROM _headgate.entry WHERE id = 2"
    assert folder.behind(counted) == [(3, 3, 1, 5)]


def test_a_key_of_the_replaced_partition_is_free(tmp_path: Path) -> None:
    folder = sales(tmp_path, "2024-01-01,1,10\n")
    folder.write("data/b.csv", "day,id,amount\n2024-01-01,1,11\n")
    assert folder.step("raw.sales").rows_loaded == 1
    assert folder.behind("SELECT id, amount FROM raw.sales") == [(1, 11)]
    assert folder.codes() == []


def test_bad_records_deliver_their_partition_too_and_replay_into_it(tmp_path: Path) -> None:
    folder = sales(tmp_path, "2024-01-01,1,x\n2024-01-01,2,20\n2024-01-02,3,y\n", "refuse_at_most: 100%\n")
    assert folder.behind("SELECT key FROM _headgate.quarantine ORDER BY id") == [
        ('["2024-01-01"]',), ('["2024-01-02"]',),
    ]  # fmt: skip
    folder.write("data/b.csv", "day,id,amount\n2024-01-01,1,z\n2024-01-01,4,40\n")
    folder.step("raw.sales")
    assert folder.behind(ROWS) == [("2024-01-01", 4)]
    status = "SELECT id, status FROM _headgate.quarantine ORDER BY id"
    assert folder.behind(status) == [(1, "superseded"), (2, "open"), (3, "open")]
    assert folder.codes() == []
    again = folder.open().replay(all=True)
    assert (again.rows_read, again.rows_quarantined) == (2, 2)
    assert folder.behind(ROWS) == [("2024-01-01", 4)]
    assert folder.codes() == []


def test_a_partition_whose_only_record_is_bad_is_empty(tmp_path: Path) -> None:
    folder = sales(tmp_path, "2024-01-01,1,10\n2024-01-02,2,20\n", "refuse_at_most: 100%\n")
    folder.write("data/b.csv", "day,id,amount\n2024-01-01,1,x\n")
    folder.step("raw.sales")
    assert folder.behind(ROWS) == [("2024-01-02", 2)]
    assert folder.codes() == []


def test_what_was_replayed_is_not_superseded_by_a_later_delivery(tmp_path: Path) -> None:
    bounded = SALES.replace("amount: int", "amount: int, max(50)") + "refuse_at_most: 100%\n"
    folder = Folder.make(tmp_path, {"ingest/sales.yml": bounded, "data/a.csv": "day,id,amount\n2024-01-01,1,90\n"})
    folder.step("raw.sales")
    folder.write("ingest/sales.yml", SALES)
    assert folder.open().replay(all=True).rows_loaded == 1
    folder.write("data/b.csv", "day,id,amount\n2024-01-01,1,91\n")
    folder.step("raw.sales")
    assert folder.behind(ROWS) == [("2024-01-01", 1)]
    assert folder.behind("SELECT status FROM _headgate.quarantine") == [("replayed",)]
    assert folder.codes() == []


def test_a_record_of_no_partition_comes_too_late_after_a_later_load(tmp_path: Path) -> None:
    lenient = SALES.replace("date\n", "text, pattern('^2024')\n") + "refuse_at_most: 100%\n"
    folder = Folder.make(tmp_path, {"ingest/sales.yml": lenient, "data/a.csv": "day,id,amount\n,1,1\nodd,2,2\n"})
    folder.step("raw.sales")
    assert folder.behind("SELECT key FROM _headgate.quarantine ORDER BY id") == [(None,), ('["odd"]',)]
    folder.write("ingest/sales.yml", SALES.replace("date\n", "text, pattern('.')\n") + "refuse_at_most: 100%\n")
    assert folder.open().replay(all=True).rows_loaded == 1
    assert folder.codes() == []
    folder.write("data/b.csv", "day,id,amount\nx,9,9\n")
    folder.step("raw.sales")
    folder.open().replay(all=True)
    [(reasons, key)] = folder.behind("SELECT reasons, key FROM _headgate.quarantine WHERE status = 'open'")
    assert '"required"' in reasons
    assert '"replay"' in reasons
    assert key is None
    assert folder.codes() == []


def test_a_partition_load_stops_at_five_percent_like_a_replacement(tmp_path: Path) -> None:
    folder = sales(tmp_path, "2024-01-01,1,10\n")
    folder.write("data/b.csv", "day,id,amount\n" + "2024-01-01,1,x\n" * 6 + "2024-01-01,2,2\n" * 94)
    assert folder.step("raw.sales").status == "refused"
    assert folder.behind(ROWS) == [("2024-01-01", 1)]
    assert folder.codes() == []


def test_a_changed_file_takes_its_rows_and_its_partitions_with_it(tmp_path: Path) -> None:
    folder = sales(tmp_path, "2024-01-01,1,10\n2024-01-02,2,20\n", "on_change: reload\n")
    folder.write("data/b.csv", "day,id,amount\n2024-01-03,3,30\n")
    folder.step("raw.sales")
    folder.write("data/a.csv", "day,id,amount\n2024-01-03,7,70\n")
    folder.step("raw.sales")
    assert folder.behind(ROWS) == [("2024-01-03", 7)]
    assert folder.codes() == []


def test_insert_leaves_what_the_table_knows(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, {"ingest/events.yml": EVENTS, "data/a.csv": "id,what\n1,a\n1,b\n2,c\n,d\n"})
    step = folder.step("raw.events")
    assert (step.rows_loaded, step.rows_deduplicated, step.rows_quarantined) == (2, 1, 1)
    folder.write("data/b.csv", "id,what\n2,other\n3,e\n3,\n")
    step = folder.step("raw.events")
    assert (step.rows_loaded, step.rows_deduplicated, step.rows_quarantined) == (1, 1, 1)
    assert folder.behind("SELECT id, what FROM raw.events ORDER BY id") == [(1, "a"), (2, "c"), (3, "e")]
    [(details,)] = folder.behind("SELECT details FROM _headgate.entry WHERE id = 2")
    assert '"deduplicated":{"repeated":1}' in details
    assert folder.codes() == []


@pytest.mark.parametrize(
    ("load", "what"),
    [
        ("partition", "partition has no column"),
        ("{partition: dy}", "load names column 'dy', which the contract does not have (did you mean 'day'?)"),
        ("{partition: [day, day]}", "partition names a column twice"),
        ("{insert: [id, day]}", "insert names id, day, but the key is id"),
        ("{partition: day, order_by: id}", "order_by does not go with partition"),
    ],
)
def test_mistakes_are_told(load: str, what: str, tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, {"ingest/sales.yml": SALES.replace("{partition: day}", load)})
    with pytest.raises(ProjectError) as caught:
        folder.run()
    assert what in [one.what for one in caught.value.findings]
