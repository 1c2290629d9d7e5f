"""What is left of a build whose rows fail a test: to be looked at, until the next success or for some days."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core.values import TableRef
from headgate.models.left import left_ref

ORDERS = "table: raw.orders\nfrom: data/*.csv\ncolumns: {id: int, amount: int}\n"
TABLE = "{{ config(materialized='table') }}\n"
NEW = "{{ config(materialized='incremental', unique_key='id') }}\n"
ALL = "select id, amount from {{ ref('raw.orders') }}"
TESTED = "models: [{name: sales, tests: [{expression: amount > 0}], columns: [{name: id, tests: [unique]}]}]\n"
LEFT = "gold.sales__hg_failed"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    files = {
        "ingest/orders.yml": ORDERS,
        "data/1.csv": "id,amount\n1,10\n2,20\n",
        "models/gold/sales.sql": TABLE + ALL,
        "models/gold/sales.yml": TESTED,
    }
    made = Folder.make(tmp_path, files)
    assert made.run().status == "ok"
    return made


def standing(folder: Folder) -> list[str]:
    return [row[0] for row in folder.behind("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'gold'")]


@pytest.mark.parametrize("head", [TABLE, NEW])
def test_rows_that_fail_are_left_until_the_next_success(folder: Folder, head: str) -> None:
    folder.write("models/gold/sales.sql", head + ALL)
    folder.run()
    folder.write("data/2.csv", "id,amount\n3,-1\n4,40\n4,41\n" if head == TABLE else "id,amount\n3,-1\n4,40\n")
    answer = folder.run()
    found = next(one for one in answer.findings if "expression" in one.what)
    assert found.evidence["left"] == LEFT
    assert f"the whole build is left in {LEFT}" in found.fix
    assert folder.rows(str(found.evidence["query"])) == [(3, -1)]
    assert (3, -1) in folder.rows(f"SELECT id, amount FROM {LEFT}")
    assert folder.rows("SELECT id FROM gold.sales ORDER BY id") == [(1,), (2,)]
    assert folder.codes() == []
    if head == TABLE:
        unique = next(one for one in answer.findings if "unique" in one.what)
        assert folder.rows(str(unique.evidence["query"])) == [(4, 40), (4, 41)]
    folder.write("data/2.csv", "id,amount\n")
    folder.write("ingest/orders.yml", ORDERS + "on_change: reload\n")
    assert folder.run().status == "ok"
    assert standing(folder) == ["sales"]


def test_what_another_failure_left_makes_room(folder: Folder) -> None:
    for amount in (-1, -2):
        folder.write("data/2.csv", f"id,amount\n3,{amount}\n")
        folder.write("ingest/orders.yml", ORDERS + "on_change: reload\n")
        folder.run()
        assert folder.rows(f"SELECT amount FROM {LEFT} WHERE id = 3") == [(amount,)]
    assert sorted(standing(folder)) == ["sales", "sales__hg_failed"]


def test_it_is_collected_by_age_and_nothing_else_is(folder: Folder) -> None:
    folder.write("data/2.csv", "id,amount\n3,-1\n")
    folder.run()
    folder.behind("CREATE TABLE gold.mine__hg_failed (id INTEGER)")
    folder.write("models/gold/sales.sql", TABLE + ALL + " where false and")  # it is not built any more
    folder.run()
    assert sorted(standing(folder)) == ["mine__hg_failed", "sales", "sales__hg_failed"]
    folder.behind(f"COMMENT ON TABLE {LEFT} IS '2024-01-01T00:00:00.000000+00:00'")
    folder.run()
    assert sorted(standing(folder)) == ["mine__hg_failed", "sales"]


def test_a_view_leaves_nothing_behind(folder: Folder) -> None:
    folder.write("models/gold/sales.sql", ALL)
    folder.write("data/2.csv", "id,amount\n3,-1\n")
    (found,) = folder.run().findings
    assert "left" not in found.evidence
    assert folder.rows(str(found.evidence["query"])) == [(3, -1)]
    assert standing(folder) == ["sales"]


def test_long_names_that_begin_alike_are_told_apart() -> None:
    one, two = (left_ref(TableRef("gold", "x" * 60 + end)) for end in "ab")
    assert one != two
    assert len(one.name.encode()) <= 63
