"""Python models in a PostgreSQL warehouse: inputs come over with their types, rows go back with theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from tests.unit.project_kit import Folder
from tests.unit.run.test_run_python_models import DATA, INCREMENTAL, ORDERS

TYPES = (
    "select id, amount, amount / 3 as third, cast(pieces as smallint) as pieces, day,"
    " cast('2024-05-01 12:00+02' as timestamptz) as at from {{ ref('orders') }}"
)
FILES = {
    "ingest/orders.yml": ORDERS,
    "data/a.csv": DATA,
    "models/gold/typed.sql": "{{ config(materialized='table') }}\n" + TYPES,
    "models/gold/same.py": "import pyarrow as pa\ndef model(typed: pa.Table):\n    return typed\n",
    "models/gold/big.py": "def model(orders):\n    return orders"
    ".aggregate('day, sum(amount) as a, sum(pieces) as p, true as yes', 'day')\n",
    "models/gold/part.py": INCREMENTAL,
    "models/gold/split.py": "import polars as pl\ndef model(orders: pl.LazyFrame):\n    return orders\n",
    "models/gold/fails.py": "import pyarrow as pa\ndef model(orders: pa.Table):\n    return orders\n",
    "models/gold/lists.py": "import pyarrow as pa\ndef model():\n    return pa.table({'a': [[1]]})\n",
    "models/gold/nul.py": "import pyarrow as pa\ndef model():\n    return pa.table({'a': ['\\0']})\n",
    "models/gold/models.yml": "models:\n  - name: split\n    contract:\n      columns:\n        id: int, key, max(2)\n"
    "        day: date\n        amount: decimal(12,2)\n        pieces: int\n  - name: fails\n"
    "    columns: [{name: pieces, tests: [not_null]}]\n"
    "groups:\n  - name: both\n    publish_together: [big, after]\n"
    "unit_tests:\n  - name: u\n    model: big\n    given:\n      - input: ref('orders')\n"
    "        rows: [{day: 2024-05-01, amount: 1.5, pieces: 2}]\n    expect: {rows: [{a: 1.50, p: 2}]}\n",
    "models/gold/after.py": "def model(big):\n    return big.aggregate('count(*) as n')\n",
}


def test_python_models_in_postgres(postgres: str, tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, FILES)
    folder.write("headgate.yml", f"project: p\nwarehouse: {postgres}\n")
    first = folder.run()
    told = {one.where.rpartition("/")[2]: one.code for one in first.findings}
    assert told == {"models.yml:10:38": "check-failed", "lists.py:2": "unreadable-type", "nul.py:2": "unreadable-value"}
    assert {one.id: one.status for one in first.steps if one.status != "ok"} == dict.fromkeys(
        ("fails", "lists", "nul"), "failed"
    )
    with psycopg.connect(postgres, autocommit=True) as connection:

        def asked(sql: str) -> list[Any]:
            return connection.execute(sql.encode()).fetchall()

        def kinds(table: str) -> list[str]:
            found = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attnum > 0 AND attrelid = "
            return [row[0] for row in asked(f"{found}'gold.{table}'::regclass ORDER BY attnum")]

        assert asked("SELECT * FROM gold.same EXCEPT SELECT * FROM gold.typed") == []
        assert asked("SELECT count(*), min(third) = 0.75 FROM gold.same") == [(3, True)]
        assert kinds("same")[0:2] == ["bigint", "numeric(12,2)"]
        assert kinds("same")[3:] == ["integer", "date", "timestamp with time zone"]
        assert kinds("big") == ["date", "numeric(38,2)", "numeric(38,0)", "boolean"]
        assert asked("SELECT * FROM gold.after") == [(2,)]
        assert asked("SELECT id FROM gold.split ORDER BY id") == [(1,), (2,)]
        failed = next(one for one in first.findings if one.code == "check-failed")
        assert len(asked(failed.evidence["query"])) == 1
        folder.write("data/b.csv", "id,day,amount,pieces\n4,2024-05-03,1.00,1\n")
        assert {one.id for one in folder.run().steps if one.status == "ok"} >= {"part", "big", "after", "split"}
        assert asked("SELECT id FROM gold.part ORDER BY id") == [(1,), (2,), (3,), (4,)]
        assert asked("SELECT * FROM gold.after") == [(3,)]
    assert folder.codes() == []
