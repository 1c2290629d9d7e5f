"""`headgate ledger adjust`: a change by hand is accepted, with who and why; anything else is refused clearly."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.cli.main import main
from headgate.core import environ
from headgate.core.errors import CommitError, InternalError, ProjectError

FILES = {
    "ingest/orders.yml": """
        table: raw.orders
        from: data/orders/*.csv
        columns:
          id: int, key
          amount: int, required
        """,
    "ingest/prices.yml": """
        table: raw.prices
        from: data/prices/*.csv
        load: {upsert: sku, order_by: day}
        columns:
          sku: text
          day: int
        """,
    "ingest/rates.yml": """
        table: raw.rates
        from: data/rates/*.csv
        load: replace
        columns:
          name: text
        """,
    "models/gold/total.sql": (
        "{{ config(materialized='table') }}\nselect sum(amount) as total from {{ ref('raw.orders') }}"
    ),
    "data/orders/1.csv": "id,amount\n1,10\n2,20\n3,30\n",
    "data/prices/1.csv": "sku,day\nx,1\ny,1\n",
    "data/rates/1.csv": "name\na\nb\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder.make(tmp_path, FILES)
    assert made.run().status == "ok"
    return made


@pytest.mark.parametrize(
    ("sql", "added", "removed", "adjusted"),
    [
        ("DELETE FROM raw.orders WHERE id = 2", 0, 1, {"1": -1}),
        ("INSERT INTO raw.orders VALUES (9, 90, 0), (8, 80, 77), (7, 70, 1)", 3, 0, {"1": 1, "2": 2}),
        ("UPDATE raw.orders SET _hg_load = 5 WHERE id > 1", 0, 0, {"1": -2, "2": 2}),
        ("TRUNCATE raw.orders", 0, 3, {"1": -3}),
    ],
)
def test_a_change_by_hand_is_red_until_it_is_adjusted(
    folder: Folder, sql: str, added: int, removed: int, adjusted: dict[str, int]
) -> None:
    folder.behind(sql)
    assert "law-origin" in folder.codes()
    made = folder.open().adjust("raw.orders", "as the till says")
    assert folder.codes() == []
    assert (made.rows_before, made.rows_added, made.rows_removed) == (3, added, removed)
    assert made.rows_after == folder.rows("SELECT count(*) FROM raw.orders")[0][0] == 3 + added - removed
    [entry] = [one for one in folder.open().ledger("raw.orders").entries if one.kind == "adjust"]
    assert entry.detail["reason"] == "as the till says"
    assert entry.detail["by"] == environ.user() != ""
    assert entry.detail["adjusted"] == adjusted


def test_loads_go_on_after_an_adjustment(folder: Folder) -> None:
    folder.behind("DELETE FROM raw.orders WHERE id = 1", "INSERT INTO raw.orders VALUES (50, 5, 0)")
    folder.open().adjust("raw.orders", "first")
    folder.write("data/orders/2.csv", "id,amount\n1,11\n50,5\n60,6\n")
    step = folder.step("raw.orders")
    assert (step.rows_loaded, step.rows_quarantined) == (2, 1)  # 1 is free again, 50 is taken
    assert folder.codes() == []
    folder.behind("DELETE FROM raw.orders WHERE id = 60")
    folder.open().adjust("raw.orders", "second")
    assert folder.codes() == []
    assert [one.seq for one in folder.open().ledger("raw.orders").entries if one.kind == "adjust"] == [2, 1]


@pytest.mark.parametrize("adjusted", [True, False])
@pytest.mark.parametrize("load", ["0", "1", "2", "3", "99", "-3", "NULL"])
def test_a_row_made_by_hand_can_be_replaced_by_an_upsert(folder: Folder, load: str, adjusted: bool) -> None:
    """Whatever entry it names: none, one that exists, or one that is yet to come."""
    folder.behind(
        "ALTER TABLE raw.prices ALTER COLUMN _hg_load DROP NOT NULL",
        f"INSERT INTO raw.prices VALUES ('z', 0, {load})",
    )
    if adjusted:
        folder.open().adjust("raw.prices", "a new product")
        assert folder.rows("SELECT _hg_load FROM raw.prices WHERE sku = 'z'") == [(1 if load == "1" else 2,)]
    folder.write("data/prices/2.csv", "sku,day\nz,5\nx,5\n")
    step = folder.step("raw.prices")
    assert step.rows_loaded == 2
    assert folder.rows("SELECT sku, day FROM raw.prices ORDER BY 1") == [("x", 5), ("y", 1), ("z", 5)]
    if adjusted:
        assert folder.codes() == []
    else:
        assert {"law-table", "law-origin"} >= set(folder.codes()) != set()
        folder.open().adjust("raw.prices", "a new product")
        assert folder.codes() == []


def test_a_row_by_hand_that_names_the_entry_to_come_stops_the_load_until_it_is_adjusted(folder: Folder) -> None:
    folder.behind("INSERT INTO raw.orders VALUES (9, 90, 2)")
    folder.write("data/orders/2.csv", "id,amount\n4,40\n")
    with pytest.raises(InternalError) as caught:
        folder.run()
    assert caught.value.finding.code == "books-unbalanced"
    assert "headgate audit" in caught.value.finding.fix
    assert folder.rows("SELECT count(*) FROM raw.orders") == [(4,)]
    folder.open().adjust("raw.orders", "mine")
    assert folder.step("raw.orders").rows_loaded == 1
    assert folder.codes() == []


def test_an_adjusted_table_can_be_replaced(folder: Folder) -> None:
    folder.behind("INSERT INTO raw.rates VALUES ('c', 0)", "DELETE FROM raw.rates WHERE name = 'a'")
    folder.open().adjust("raw.rates", "why not")
    folder.write("data/rates/1.csv", "name\na\nd\ne\n")
    assert folder.step("raw.rates").rows_loaded == 3
    assert folder.codes() == []
    assert folder.run("raw.orders", full_refresh=True).status == "ok"
    assert folder.codes() == []


@pytest.mark.parametrize(
    ("table", "sql", "code", "fix"),
    [
        ("raw.orders", "SELECT 1", "nothing-to-adjust", "headgate audit"),
        ("raw.nothing", "SELECT 1", "unknown-table", "headgate plan"),
        ("raw.later", "SELECT 1", "table-unknown", "headgate ledger"),
        ("raw.orders", "DROP TABLE raw.orders", "table-missing", "headgate run --full-refresh raw.orders"),
        ("gold.total", "DELETE FROM gold.total", "model-table", "headgate run --full-refresh gold.total"),
        ("gold.total", "SELECT 1", "model-table", "headgate run --full-refresh gold.total"),
        ("raw.rates", "ALTER TABLE raw.rates DROP COLUMN _hg_load", "column-missing", "--full-refresh raw.rates"),
    ],
)
def test_what_cannot_be_adjusted_is_refused_and_nothing_is_written(
    folder: Folder, table: str, sql: str, code: str, fix: str
) -> None:
    folder.write("ingest/later.yml", "table: raw.later\nfrom: data/later/*.csv\n")
    folder.behind(sql)
    before = folder.behind("SELECT * FROM _headgate.entry ORDER BY ALL")
    with pytest.raises((CommitError, ProjectError)) as caught:
        folder.open().adjust(table, "I say so")
    assert caught.value.finding.code == code
    assert caught.value.finding.where == table
    assert fix in caught.value.finding.fix
    assert folder.behind("SELECT * FROM _headgate.entry ORDER BY ALL") == before


def test_the_way_out_for_a_models_table_helps(folder: Folder) -> None:
    folder.behind("DELETE FROM gold.total")
    assert folder.codes() == ["law-table"]
    assert folder.run("gold.total", full_refresh=True).status == "ok"
    assert folder.codes() == []
    assert folder.rows("SELECT total FROM gold.total") == [(60,)]


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_an_adjustment_needs_a_reason(folder: Folder, reason: str) -> None:
    folder.behind("DELETE FROM raw.orders WHERE id = 1")
    with pytest.raises(ProjectError) as caught:
        folder.open().adjust("raw.orders", reason)
    assert caught.value.finding.code == "reason-missing"
    assert "law-table" in folder.codes()


def test_the_command_says_what_it_did_and_how_a_refusal_ends(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.behind("DELETE FROM raw.orders WHERE id = 1")
    words = ["ledger", "adjust", "raw.orders", "--reason", "spoiled", "--project", str(folder.root)]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "3 -> 2 rows" in told
    assert "spoiled" in told
    assert environ.user() in told
    assert main(words) == 1
    assert "error[nothing-to-adjust]" in capsys.readouterr().err
