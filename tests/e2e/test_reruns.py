"""What happens to files and folders between two runs."""

from __future__ import annotations

import os

import pytest

from conftest import Lab

CHANGED = "id,amount\n1,1.50\n2,30\n4,4\n"


def test_a_deleted_file_takes_no_rows_away(orders: Lab) -> None:
    orders.ok("run")
    (orders.root / "data/orders/1.csv").unlink()
    assert orders.step()["status"] == "skipped"
    assert orders.rows("SELECT count(*) FROM raw.orders") == [[2]]
    assert orders.ok("audit")["balanced"] is True


def test_a_touched_file_is_the_same_file(orders: Lab) -> None:
    orders.ok("run")
    os.utime(orders.root / "data/orders/1.csv", ns=(1, 1))
    assert orders.step()["status"] == "skipped"


@pytest.mark.parametrize("how", ["error", "ignore", "reload"])
def test_a_changed_file(orders: Lab, how: str) -> None:
    orders.edit("ingest/orders.yml", "columns:", f"on_change: {how}\ncolumns:")
    orders.ok("run")
    orders.write({"data/orders/1.csv": CHANGED})
    ran = orders.headgate("run", "--json")
    step = ran.json()["steps"][0]
    if how == "error":
        found = ran.json()["findings"][0]
        assert (ran.code, step["status"], found["code"]) == (1, "refused", "file-changed-since")
        assert "would stop" in orders.ok("plan")["steps"][0]["reason"]
    else:
        assert (ran.code, step["status"]) == (0, "skipped" if how == "ignore" else "ok")
    amounts = [[1, "1.50"], [2, "30.00"], [4, "4.00"]] if how == "reload" else [[1, "1.50"], [2, "3.00"]]
    assert orders.rows("SELECT id, amount FROM raw.orders ORDER BY id") == amounts
    assert orders.ok("quarantine", "list")["total"] == (0 if how == "reload" else 1)
    assert orders.ok("audit")["balanced"] is True


def test_moving_the_data_and_renaming_the_yaml_double_nothing(orders: Lab) -> None:
    orders.ok("run")
    (orders.root / "data").rename(orders.root / "moved")
    (orders.root / "ingest/orders.yml").rename(orders.root / "ingest/renamed.yaml")
    orders.edit("ingest/renamed.yaml", "data/orders", "moved/orders")
    assert orders.step()["status"] == "skipped"
    orders.root.rename(orders.root.with_name("elsewhere"))
    moved = Lab(orders.root.with_name("elsewhere"))
    assert moved.step()["status"] == "skipped"
    assert moved.rows("SELECT count(*) FROM raw.orders") == [[2]]
    assert moved.ok("audit")["balanced"] is True


def test_a_full_refresh_reads_everything_again(orders: Lab) -> None:
    orders.ok("run")
    orders.write({"data/orders/1.csv": CHANGED})
    step = orders.step("--full-refresh", "raw.orders")
    assert (step["status"], step["rows_read"], step["rows_loaded"]) == ("ok", 3, 3)
    assert orders.rows("SELECT count(*) FROM raw.orders") == [[3]]
    (orders.root / "data/orders/1.csv").unlink()
    assert orders.fails(1, "run", "--full-refresh")["code"] == "empty-replace"
    assert orders.rows("SELECT count(*) FROM raw.orders") == [[3]]
    assert orders.ok("audit")["balanced"] is True


def test_a_contract_that_no_longer_fits_stops_until_the_table_is_loaded_anew(orders: Lab) -> None:
    orders.ok("run")
    orders.edit("ingest/orders.yml", "decimal(12,2)", "decimal(12,3)")
    orders.write({"data/orders/2.csv": "id,amount\n9,9.125\n"})
    for command in ("check", "run"):
        found = orders.fails(1, command)
        assert (found["code"], "--full-refresh raw.orders" in found["fix"]) == ("contract-misfit", True)
    assert orders.step("--full-refresh", "raw.orders")["rows_loaded"] == 3
    assert orders.rows("SELECT amount FROM raw.orders WHERE id = 9") == [["9.125"]]
    assert orders.ok("audit")["balanced"] is True


def test_two_lines_are_an_ingest_and_run_takes_names(lab: Lab) -> None:
    lab.write({"data/a.csv": "id,day\n1,2024-01-02\n", "data/b.csv": "x\n1\n"})
    lab.write({"ingest/a.yml": "table: a\nfrom: data/a.csv\n", "ingest/b.yml": "table: raw.b\nfrom: data/b.csv\n"})
    answer = lab.ok("run", "a")
    assert [(step["id"], step["rows_loaded"]) for step in answer["steps"]] == [("main.a", 1)]
    assert [row[:2] for row in lab.rows("DESCRIBE a")][:2] == [["id", "BIGINT"], ["day", "DATE"]]
    assert [step["status"] for step in lab.ok("plan")["steps"]] == ["skip", "run"]
