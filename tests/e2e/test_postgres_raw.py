"""Landing raw in PostgreSQL, and loading from there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from tests.unit.project_kit import Folder

READING = "table: silver.{0}\nfrom: {{table: bronze.{0}}}\nextra: ignore\n"
LANDING = "table: bronze.{0}\nfrom: data/*.{1}\nland: raw\non_change: reload\n"
ORDERS = "columns:\n  id: int, key\n  amount: decimal(8,2), required\n"
EVENTS = "columns:\n  id: int, key\n  price: decimal(8,3)\n  city: text, from('to.city'), required\n"


def asked(url: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(sql.encode()).fetchall()


def test_what_is_landed_in_postgres_is_loaded_from_there(tmp_path: Path, postgres: str) -> None:
    folder = Folder(tmp_path)
    folder.write("headgate.yml", f"project: p\nwarehouse: {postgres}\n")
    for name, kind, columns in (("orders", "csv", ORDERS), ("events", "ndjson", EVENTS)):
        folder.write(f"ingest/b_{name}.yml", LANDING.format(name, kind))
        folder.write(f"ingest/s_{name}.yml", READING.format(name) + columns)
    folder.write("data/a.csv", 'id,amount\n1,10.00\n2,ten\n3,5,6\n4,""\n5,\n')
    folder.write("data/a.ndjson", '{"id": 1, "price": 1.10, "to": {"city": "Oslo"}}\n{"id": 2, "to": {}}\nx\n')
    assert folder.open().check().ok
    assert folder.run().status == "ok"
    landed = asked(postgres, "SELECT id, amount, _hg_record FROM bronze.orders ORDER BY 3")
    assert landed == [("1", "10.00", 1), ("2", "ten", 2), ("4", "", 4), ("5", None, 5)]
    assert asked(postgres, "SELECT CAST(document AS text) FROM bronze.events ORDER BY _hg_record")[0] == (
        '{"id": 1, "price": 1.10, "to": {"city": "Oslo"}}',
    )
    assert asked(postgres, "SELECT id, CAST(price AS text), city FROM silver.events") == [(1, "1.100", "Oslo")]
    assert folder.refused("silver.events") == [("a.ndjson", 2, [("required", "city")])]
    assert [one[:2] for one in folder.refused("silver.orders")] == [("a.csv", 2), ("a.csv", 4), ("a.csv", 5)]
    raws = [one.raw for one in folder.open().quarantine("silver.orders").records]
    assert raws == ["2,ten", '4,""', "5,"]

    folder.write("data/a.csv", "id,amount,note\n1,11.00,x\n")
    folder.write("data/b.csv", "id,amount\n7,7\n8,8,\n")
    steps = {step.id: step for step in folder.run().steps}
    assert steps["bronze.orders"].reason == "added note text; 1 changed file, 1 new file"
    assert asked(postgres, "SELECT id FROM silver.orders ORDER BY 1") == [(1,), (7,)]
    (bad,) = folder.open().quarantine("bronze.orders").records
    folder.open().quarantine_fix([bad.id], raw="8,8", reason="comma", replay=True)
    assert folder.step("silver.orders", "silver.orders").rows_loaded == 1
    assert asked(postgres, "SELECT id FROM silver.orders ORDER BY 1") == [(1,), (7,), (8,)]
    assert folder.codes() == []
    assert {step.status for step in folder.run().steps} == {"skipped"}
