"""Models with a contract, and models that are published together, in a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.unit.project_kit import Folder

from headgate.core import faults

TABLE = "{{ config(materialized='table') }}\n"
FILES = {
    "ingest/orders.yml": """\
table: raw.orders
from: data/*.csv
columns:
  id: int
  amount: decimal(9,2)
  note: text
""",
    "models/gold/lines.sql": TABLE + "select id, amount * 2 as amount, note from {{ ref('raw.orders') }}\n",
    "models/gold/totals.sql": TABLE + "select sum(amount) as total from {{ ref('lines') }}\n",
    "models/gold/orders.sql": TABLE + "select id from {{ ref('raw.orders') }}\n",
    "models/gold/view.sql": "select * from {{ ref('lines') }}\n",
    "models/gold/models.yml": """\
groups:
  - name: sales
    publish_together: [lines, totals, orders]
models:
  - name: lines
    contract:
      columns:
        id: int, key
        amount: decimal(9,2), min(0)
        note: text, required
""",
    "data/a.csv": 'id,amount,note\n1,1.50,x\n2,-3,y\n1,2.25,"two\nlines"\n3,5,\n',
}

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
def folder(tmp_path: Path, postgres: str) -> Folder:
    made = Folder.make(tmp_path, FILES)
    made.write("headgate.yml", f"project: lab\nwarehouse: {postgres}\n")
    return made


@pytest.fixture(autouse=True)
def no_faults() -> Iterator[None]:
    yield
    faults.install(None)


def asked(url: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(sql.encode()).fetchall()


def test_rows_are_split_replayed_and_built_again(folder: Folder, postgres: str) -> None:
    answer = folder.run()
    steps = {step.id: (step.status, step.rows_read, step.rows_loaded, step.rows_quarantined) for step in answer.steps}
    assert steps["lines"] == ("ok", 4, 1, 3)
    assert asked(postgres, "SELECT id, amount::text, note FROM gold.view") == [(1, "3.00", "x")]
    assert folder.refused("gold.lines") == [
        ("lines", 2, [("key", "id")]),
        ("lines", 3, [("min", "amount")]),
        ("lines", 4, [("required", "note")]),
    ]
    record = folder.open().quarantine("gold.lines", rule="required").records[0]
    folder.open().quarantine_fix([record.id], set={"note": "'mended'"}, reason="called", replay=True)
    assert asked(postgres, "SELECT note FROM gold.lines ORDER BY id") == [("x",), ("mended",)]
    assert folder.codes() == []
    folder.run()
    assert asked(postgres, "SELECT total::text FROM gold.totals") == [("13.00",)]
    folder.write("data/b.csv", "id,amount,note\n4,1,z\n")
    folder.run()
    assert asked(postgres, "SELECT note FROM gold.view ORDER BY id") == [("x",), ("z",)]
    assert folder.codes() == []


def test_a_limit_keeps_the_old_table_of_a_single_model(folder: Folder, postgres: str) -> None:
    text = FILES["models/gold/models.yml"].partition("models:\n")
    folder.write("models/gold/models.yml", text[1] + text[2])
    folder.run()
    folder.write("models/gold/models.yml", text[1] + text[2] + "      refuse_at_most: 1\n")
    assert [one.code for one in folder.run().findings] == ["refuse-limit"]
    assert len(folder.refused("gold.lines", "held")) == 3
    assert asked(postgres, "SELECT count(*) FROM gold.lines") == [(1,)]
    assert folder.codes() == []


@pytest.mark.parametrize("point", ["after_stage", "after_decide", "after_write"])
def test_killed_in_the_swap_readers_see_the_old_tables(folder: Folder, postgres: str, point: str) -> None:
    class Killed(BaseException):
        pass

    seen = "SELECT (SELECT count(*) FROM gold.orders), (SELECT count(*) FROM gold.lines), total::text FROM gold.totals"
    folder.run()
    folder.write("data/b.csv", "id,amount,note\n4,1,z\n")
    folder.run("raw.orders")
    for nth in range(1, 20):
        reached = 0

        def kill(name: str, nth: int = nth) -> None:
            nonlocal reached
            reached += name == point
            if name == point and reached == nth:
                raise Killed

        faults.install(kill)
        try:
            folder.run("totals")
        except Killed:
            faults.install(None)
            assert asked(postgres, seen) == [(4, 1, "3.00")]
            assert folder.codes() == []
        else:
            break
    assert nth > 2
    assert asked(postgres, seen) == [(5, 2, "5.00")]
    faults.install(None)
    assert folder.codes() == []
