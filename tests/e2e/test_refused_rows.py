"""Refused rows and refused loads: what is kept, looked at, mended and replayed."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import Lab

BAD = 'id,amount\n1,-1\n2,-2\n3,x\nbroken\n"unclosed,5\n'


def ids(lab: Lab, status: str = "open") -> list[str]:
    return [one["id"] for one in lab.ok("quarantine", "list", "--status", status)["records"]]


def test_bad_rows_alone_are_no_failure_and_are_kept_whole(orders: Lab) -> None:
    orders.write({"data/orders/1.csv": BAD})
    step = orders.step()
    assert (step["status"], step["rows_read"], step["rows_loaded"], step["rows_quarantined"]) == ("ok", 5, 0, 5)
    assert orders.rows("FROM raw.orders") == []
    listed = orders.ok("quarantine", "list", "--limit", "4")
    assert (listed["total"], len(listed["records"])) == (5, 4)
    first, _, third, broken = listed["records"]
    assert (first["raw"], first["row"], first["position"]) == (
        "1,-1",
        {"id": "1", "amount": "-1"},
        {"record": 1, "line": 2},
    )
    assert third["reasons"] == [{"rule": "type", "column": "amount", "message": "expected decimal(12,2)"}]
    assert (broken["row"], broken["reasons"][0]["rule"]) == (None, "record")
    assert orders.headgate("quarantine", "list", "--limit", "2").out.count("2 of 5 records") == 1
    shown = orders.headgate("quarantine", "show", broken["id"], first["id"]).out
    assert shown.index("raw: broken") < shown.index("raw: 1,-1")


@pytest.mark.slow
def test_replay_after_mending_the_contract(orders: Lab) -> None:
    orders.write({"data/orders/1.csv": BAD})
    orders.ok("run")
    one, two, three, *_ = ids(orders)
    orders.edit("ingest/orders.yml", "min(0)", "min(-1)")
    assert orders.ok("quarantine", "replay", one, one)["rows_loaded"] == 1
    assert orders.rows("SELECT id, amount FROM raw.orders") == [[1, "-1.00"]]
    again = orders.ok("quarantine", "replay", two, three)
    assert (again["rows_read"], again["rows_quarantined"], again["entries"]) == (2, 2, 1)
    parents = {item["parent"]: item for item in orders.ok("quarantine", "list")["records"] if item["parent"]}
    assert set(parents) == {two, three}
    assert parents[two]["reasons"][0]["message"] == "must be at least -1"
    assert parents[two]["position"] == {"record": 2, "line": 3}
    assert set(ids(orders, "replayed")) == {one, two, three}
    orders.edit("ingest/orders.yml", "min(-1)", "min(-2)")
    by_table = orders.ok("quarantine", "replay", "--table", "raw.orders")
    assert (by_table["rows_read"], by_table["rows_loaded"]) == (4, 1)
    assert orders.ok("quarantine", "replay", "--all")["rows_read"] == 3
    assert orders.ok("audit")["balanced"] is True
    assert orders.step()["status"] == "skipped"


@pytest.mark.slow
def test_ids_that_can_not_be_replayed(orders: Lab) -> None:
    orders.ok("run")
    (one,) = ids(orders)
    orders.edit("ingest/orders.yml", "min(0)", "min(-1)")
    for wrong in ("999999", f" {one}", "1_0", "", "9" * 50):
        assert orders.fails(2, "quarantine", "replay", wrong)["code"] == "unknown-record", wrong
    assert orders.fails(2, "quarantine", "show", one, "abc")["code"] == "unknown-record"
    assert orders.fails(2, "quarantine", "replay", one, "999999")["code"] == "unknown-record"
    assert ids(orders) == [one]
    orders.ok("quarantine", "replay", one)
    settled = orders.fails(2, "quarantine", "replay", one)
    assert (settled["code"], "is replayed" in settled["what"]) == ("record-settled", True)
    assert orders.rows("SELECT count(*) FROM raw.orders") == [[3]]


def test_nothing_to_replay_is_no_failure(lab: Lab) -> None:
    assert lab.ok("quarantine", "replay", "--all")["rows_read"] == 0


def refuse(lab: Lab) -> Any:
    """A second file with more bad rows than are allowed."""
    lab.edit("ingest/orders.yml", "columns:", "refuse_at_most: 1\ncolumns:")
    lab.write({"data/orders/2.csv": "id,amount\n12,-2\n13,-5\n14,4\n"})
    ran = lab.headgate("run", "--json")
    assert ran.code == 1
    return ran.json()


@pytest.mark.slow
def test_a_load_over_its_limit_changes_nothing(orders: Lab) -> None:
    orders.ok("run")
    ledger, rows, opened = orders.ok("ledger"), orders.rows("FROM raw.orders ORDER BY id"), ids(orders)
    answer = refuse(orders)
    assert (answer["status"], answer["balanced"], answer["findings"][0]["code"]) == ("refused", True, "refuse-limit")
    step = answer["steps"][0]
    assert (step["status"], step["rows_read"], step["rows_loaded"], step["rows_quarantined"]) == ("refused", 3, 0, 2)
    assert (orders.ok("ledger"), orders.rows("FROM raw.orders ORDER BY id"), ids(orders)) == (ledger, rows, opened)
    held = orders.ok("quarantine", "list", "--status", "held")["records"]
    assert [(one["raw"], one["status"], bool(one["at"])) for one in held] == [
        ("12,-2", "held", True),
        ("13,-5", "held", True),
    ]
    assert orders.ok("plan")["steps"][0]["status"] == "run"
    assert orders.fails(2, "quarantine", "replay", held[0]["id"])["code"] == "record-settled"
    assert "--status held" in orders.headgate("run").out


def test_a_run_after_mending_the_contract_loads_the_refused_file(orders: Lab) -> None:
    orders.ok("run")
    refuse(orders)
    orders.edit("ingest/orders.yml", "min(0)", "min(-3)")
    step = orders.step()
    assert (step["rows_read"], step["rows_loaded"], step["rows_quarantined"]) == (3, 2, 1)
    assert ids(orders, "held") == []
    assert orders.ok("audit")["balanced"] is True


def test_a_stop_that_held_no_row_does_not_send_people_to_look_at_rows(orders: Lab) -> None:
    orders.ok("run")
    orders.write({"data/orders/1.csv": "id,amount\n1,1.50\n2,9\n"})
    ran = orders.headgate("run")
    assert ran.code == 1
    assert "file-changed-since" in ran.out
    assert "--status held" not in ran.out


def test_a_change_by_hand_is_found_and_can_be_accepted(orders: Lab) -> None:
    import duckdb

    orders.ok("run")
    with duckdb.connect(str(orders.root / "warehouse.duckdb")) as connection:
        connection.execute("DELETE FROM raw.orders WHERE id = 2")
    ran = orders.headgate("audit", "--json")
    assert (ran.code, ran.json()["balanced"]) == (1, False)
    assert "raw.orders" in ran.json()["findings"][0]["where"]
    assert orders.fails(2, "ledger", "adjust", "raw.orders", "--reason", " ")["code"] == "reason-missing"
    done = orders.ok("ledger", "adjust", "RAW.orders", "--reason", 'a "test" order; DROP TABLE x')
    assert (done["rows_before"], done["rows_after"], done["rows_removed"]) == (2, 1, 1)
    entry = orders.ok("ledger")["entries"][0]
    assert (entry["kind"], entry["detail"]["reason"]) == ("adjust", 'a "test" order; DROP TABLE x')
    assert orders.ok("audit")["balanced"] is True
    assert orders.fails(1, "ledger", "adjust", "raw.orders", "--reason", "again")["code"] == "nothing-to-adjust"
