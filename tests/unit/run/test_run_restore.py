"""A table that was replaced is kept until the next time, and comes back whole: rows, books, refused records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.project_kit import Folder

from headgate.core import faults
from headgate.core.errors import CommitError

COLUMNS = "columns:\n  id: int, key\n  amount: int, min(0)\n"
KEPT = "raw.orders__hg_kept"


def folder_of(tmp_path: Path, load: str = "append", columns: str = COLUMNS) -> Folder:
    text = f"table: raw.orders\nfrom: data/*.csv\nload: {load}\nrefuse_at_most: 100%\n" + columns
    folder = Folder.make(tmp_path, {"ingest/orders.yml": text, "data/a.csv": "id,amount\n1,10\n2,20\n3,-30\n"})
    assert folder.run().status == "ok"
    return folder


def content(folder: Folder, table: str = "raw.orders") -> list[tuple[Any, ...]]:
    return folder.behind(f"SELECT * FROM {table} ORDER BY ALL")


def positions(folder: Folder) -> dict[str, Any]:
    found = folder.behind("SELECT partition, position FROM _headgate.position WHERE stream = 'data'")
    return dict(found)  # type: ignore[arg-type]


def refreshed(folder: Folder) -> Folder:
    """The same folder after a full refresh that read other content, and one more load."""
    folder.write("data/a.csv", "id,amount\n1,11\n5,-55\n")
    assert folder.step("raw.orders", full_refresh=True).status == "ok"
    folder.write("data/b.csv", "id,amount\n6,66\n")
    assert folder.run().status == "ok"
    return folder


def test_a_full_refresh_that_was_a_mistake_is_undone(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    was, stood = content(folder), positions(folder)
    refreshed(folder)
    assert content(folder, KEPT) == was
    now, stands = content(folder), positions(folder)
    made = folder.open().restore("raw.orders")
    assert (made.rows_before, made.rows_after, made.position) == (2, 2, "back")
    assert (content(folder), content(folder, KEPT)) == (was, now)
    assert positions(folder) == stood
    assert folder.refused("raw.orders") == [("a.csv", 3, [("min", "amount")])]
    assert [entry.kind for entry in folder.open().ledger("raw.orders").entries] == ["restore", "load", "load", "load"]
    assert folder.codes() == []
    folder.open().restore("raw.orders")
    assert (content(folder), positions(folder)) == (now, stands)
    assert folder.refused("raw.orders") == [("a.csv", 2, [("min", "amount")])]
    assert folder.codes() == []
    assert folder.step("raw.orders").status == "skipped"


def test_the_next_run_loads_what_came_since_and_nothing_twice(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    folder.step("raw.orders", full_refresh=True)
    folder.write("data/b.csv", "id,amount\n6,66\n")
    folder.run()
    folder.open().restore("raw.orders")
    step = folder.step("raw.orders")
    assert (step.rows_read, step.rows_loaded, step.reason) == (1, 1, "1 new file")
    assert [row[0] for row in folder.rows("SELECT id FROM raw.orders ORDER BY id")] == [1, 2, 6]
    assert folder.codes() == []
    edit = (tmp_path / "ingest/orders.yml").read_text()
    folder.write("ingest/orders.yml", edit.replace("min(0)", "min(-100)"))
    assert folder.open().replay(all=True).rows_loaded == 1
    assert folder.codes() == []


def test_a_bad_delivery_of_a_replaced_table_is_given_up(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "replace")
    folder.write("data/a.csv", "id,amount\n7,7\n")
    folder.run()
    assert folder.open().restore("raw.orders").position == "seen"
    assert [row[0] for row in folder.rows("SELECT id FROM raw.orders ORDER BY id")] == [1, 2]
    assert folder.step("raw.orders").status == "skipped"
    assert folder.codes() == []
    folder.write("data/a.csv", "id,amount\n8,8\n")
    assert folder.step("raw.orders").rows_loaded == 1
    assert [row[0] for row in folder.rows("SELECT id FROM raw.orders ORDER BY id")] == [8]
    assert folder.codes() == []


def test_an_upsert_goes_on_with_the_restored_rows(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "{upsert: id}")
    folder.write("data/b.csv", "id,amount\n2,200\n")
    folder.run()
    folder.step("raw.orders", full_refresh=True)
    folder.open().restore("raw.orders")
    assert folder.codes() == []
    folder.write("data/c.csv", "id,amount\n2,201\n9,9\n")
    assert folder.step("raw.orders").rows_loaded == 2
    assert folder.rows("SELECT id, amount FROM raw.orders ORDER BY id") == [(1, 10), (2, 201), (9, 9)]
    assert folder.codes() == []


def test_only_the_last_table_is_kept_and_only_by_a_load_that_succeeds(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "replace")
    for number in (7, 8):
        folder.write("data/a.csv", f"id,amount\n{number},{number}\n")
        folder.run()
    folder.write("data/a.csv", "id,amount\n")
    assert folder.run().status == "refused"
    assert [row[0] for row in content(folder, KEPT)] == [7]
    assert [row[0] for row in content(folder)] == [8]
    tables = folder.behind("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'raw' ORDER BY 1")
    assert tables == [("orders",), ("orders__hg_kept",)]
    assert folder.codes() == []


def test_columns_and_types_taken_from_the_data_come_back(tmp_path: Path) -> None:
    folder = Folder.make(
        tmp_path, {"ingest/o.yml": "table: raw.orders\nfrom: data/*.csv\n", "data/a.csv": "id\n1\n2\n"}
    )
    folder.run()
    folder.write("data/a.csv", "id,name\nx,zed\n")
    folder.step("raw.orders", full_refresh=True)
    folder.open().restore("raw.orders")
    assert folder.codes() == []
    assert [column.name for column in folder.open().schema_history("raw.orders").changes[0].columns] == ["id"]
    folder.write("data/b.csv", "id\n3\n")
    folder.write("data/a.csv", "id\n1\n2\n")
    folder.write("ingest/o.yml", "table: raw.orders\nfrom: data/*.csv\non_change: ignore\n")
    assert folder.step("raw.orders").rows_loaded == 1
    assert folder.rows("SELECT id FROM raw.orders ORDER BY id") == [(1,), (2,), (3,)]
    folder.open().restore("raw.orders")
    assert folder.rows("SELECT id, name FROM raw.orders") == [("x", "zed")]
    assert folder.codes() == []


def test_models_read_the_restored_rows(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    folder.write(
        "models/total.sql", "{{ config(materialized='table') }}\nselect sum(amount) as s from {{ ref('raw.orders') }}\n"
    )
    folder.run()
    refreshed(folder)
    assert folder.rows("SELECT s FROM main.total") == [(77,)]
    folder.open().restore("raw.orders")
    (tmp_path / "data/b.csv").unlink()
    folder.write("data/a.csv", "id,amount\n1,10\n2,20\n3,-30\n")
    folder.write("ingest/orders.yml", (tmp_path / "ingest/orders.yml").read_text() + "on_change: ignore\n")
    folder.run()
    assert folder.rows("SELECT s FROM main.total") == [(30,)]


@pytest.mark.parametrize("how", ["never replaced", "no table", "dropped", "a model"])
def test_where_nothing_is_kept_nothing_changes(tmp_path: Path, how: str) -> None:
    folder = folder_of(tmp_path)
    name = "raw.orders"
    if how == "dropped":
        folder.step("raw.orders", full_refresh=True)
        folder.behind(f"DROP TABLE {KEPT}")
    if how == "no table":
        folder.write("ingest/x.yml", "table: raw.x\nfrom: data/x/*.csv\n")
        name = "raw.x"
    if how == "a model":
        folder.write("models/m.sql", "{{ config(materialized='table') }}\nselect 1 as x\n")
        folder.run()
        folder.run(full_refresh=True)
        name = "m"
    with pytest.raises(CommitError) as caught:
        folder.open().restore(name)
    assert caught.value.finding.code == "nothing-kept"
    assert folder.codes() == []


def test_kept_rows_that_somebody_changed_stay_where_they_are(tmp_path: Path) -> None:
    folder = refreshed(folder_of(tmp_path))
    folder.behind(f"DELETE FROM {KEPT} WHERE id = 1")
    now = content(folder)
    with pytest.raises(CommitError) as caught:
        folder.open().restore("raw.orders")
    assert caught.value.finding.code == "kept-edited"
    assert content(folder) == now
    assert folder.codes() == []


def test_an_index_of_a_user_is_no_reason_to_stop(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    folder.behind("CREATE INDEX mine ON raw.orders (id)")
    assert folder.step("raw.orders", full_refresh=True).status == "ok"
    assert folder.codes() == []


@pytest.mark.parametrize("point", faults.POINTS)
def test_a_crash_leaves_one_table_or_the_other(tmp_path: Path, point: str) -> None:
    folder = refreshed(folder_of(tmp_path))
    now, then = content(folder), content(folder, KEPT)

    def die(reached: str) -> None:
        if reached == point:
            raise SystemExit(point)

    faults.install(die)
    try:
        with pytest.raises(SystemExit):
            folder.open().restore("raw.orders")
    finally:
        faults.install(None)
    kept = point in ("after_commit", "before_ack")
    assert (content(folder), content(folder, KEPT)) == ((then, now) if kept else (now, then))
    assert folder.codes() == []
