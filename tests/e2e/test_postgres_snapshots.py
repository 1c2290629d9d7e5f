"""Models that keep rows in a PostgreSQL database: snapshots, rows left of a failed build, contracts on merged rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.unit.project_kit import Folder

HEAD = "id,region,name,seen\n"
FILES = {
    "ingest/customers.yml": """\
table: raw.customers
from: data/*.csv
load: replace
allow_empty: true
on_change: reload
columns: {id: int, region: text, name: text, seen: timestamptz}
""",
    "models/gold/timed.sql": """\
{{ config(materialized='snapshot', unique_key=['ID', 'region'], strategy='timestamp', updated_at='seen',
          hard_deletes='new_record') }}
select * from {{ ref('raw.customers') }}
""",
    "models/gold/compared.yml": """\
snapshots:
  - name: compared
    relation: ref('customers')
    config:
      unique_key: [id, region]
      strategy: check
      check_cols: all
      hard_deletes: invalidate
      dbt_valid_to_current: "date '9999-12-31'"
    columns: [{name: name, tests: [not_null]}, {name: dbt_scd_id, tests: [unique]}]
""",
    "models/gold/reader.sql": "select id, name from {{ ref('compared') }} where dbt_valid_to = '9999-12-31'\n",
    "data/1.csv": HEAD + "1,,Ann,2024-01-01 00:00:00Z\n2,b,Bob,2024-01-02 00:00:00Z\n",
}

pytestmark = [pytest.mark.services, pytest.mark.slow]


def test_versions_are_kept_and_failures_left(tmp_path: Path, postgres: str) -> None:
    def asked(sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(postgres, autocommit=True) as connection:
            return connection.execute(sql.encode()).fetchall()

    folder = Folder.make(tmp_path, FILES)
    folder.write("headgate.yml", f"project: lab\nwarehouse: {postgres}\n")
    assert folder.run().status == "ok"
    folder.write("data/1.csv", HEAD + "2,b,Rob,2024-02-02 00:00:00Z\n")
    assert folder.run().status == "ok"
    folder.write("data/1.csv", HEAD + "1,,Ann,2024-01-01 00:00:00Z\n2,b,Rob,2024-02-02 00:00:00Z\n")
    assert folder.run().status == "ok"
    timed = "SELECT id, name, dbt_is_deleted, dbt_valid_to IS NULL FROM gold.timed ORDER BY id, dbt_valid_from"
    assert asked(timed) == [
        (1, "Ann", "False", False), (1, "Ann", "True", False), (1, "Ann", "False", True),
        (2, "Bob", "False", False), (2, "Rob", "False", True),
    ]  # fmt: skip
    compared = "SELECT id, name, dbt_valid_to = '9999-12-31' FROM gold.compared ORDER BY id, dbt_valid_from"
    standing = [(1, "Ann", False), (1, "Ann", True), (2, "Bob", False), (2, "Rob", True)]
    assert asked(compared) == standing
    assert asked("SELECT id, name FROM gold.reader ORDER BY id") == [(1, "Ann"), (2, "Rob")]
    assert asked("SELECT count(*) - count(DISTINCT dbt_scd_id) FROM gold.timed") == [(0,)]
    assert folder.codes() == []
    folder.write("data/1.csv", HEAD + "1,,,2024-03-01 00:00:00Z\n2,b,Rob,2024-02-02 00:00:00Z\n")
    (finding,) = folder.run().findings
    assert finding.evidence["left"] == "gold.compared__hg_failed"
    assert len(folder.rows(str(finding.evidence["query"]))) == 1
    assert asked(compared) == standing
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'gold' ORDER BY 1"
    assert asked(tables) == [("compared",), ("compared__hg_failed",), ("reader",), ("timed",)]
    assert folder.codes() == []
    folder.write("data/1.csv", HEAD + "1,,Eve,2024-03-02 00:00:00Z\n2,b,Rob,2024-02-02 00:00:00Z\n")
    assert folder.run().status == "ok"
    assert asked(tables) == [("compared",), ("reader",), ("timed",)]
    folder.write("data/1.csv", HEAD + "1,,,2024-03-01 00:00:00Z\n")
    folder.run()
    old = [f"COMMENT ON TABLE gold.compared__hg_failed IS '{when}'" for when in ("mine", "2024-01-01T00:00:00+00:00")]
    for comment, left in zip(old, (True, False), strict=True):
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(comment.encode())
        folder.run("raw.customers")
        assert (("compared__hg_failed",) in asked(tables)) == left
    assert folder.codes() == []


MERGED = {
    "ingest/orders.yml": "table: raw.orders\nfrom: data/*.csv\ncolumns: {id: int, amount: int, seen: timestamp}\n",
    "models/gold/good.sql": """\
{{ config(materialized='incremental', unique_key='id') }}
select id, amount, seen from {{ ref('raw.orders') }}
{% if is_incremental() %} where seen > (select max(seen) from {{ this }}) {% endif %}
""",
    "models/gold/good.yml": """\
models:
  - name: good
    contract:
      columns: {id: int, amount: "int, required, min(0)", seen: timestamp}
""",
    "data/1.csv": "id,amount,seen\n1,10,2024-01-01 00:00:00\n2,-5,2024-01-02 00:00:00\n3,30,2024-01-03 00:00:00\n",
}


def test_new_rows_are_split_and_merged(tmp_path: Path, postgres: str) -> None:
    folder = Folder.make(tmp_path, MERGED)
    folder.write("headgate.yml", f"project: lab\nwarehouse: {postgres}\n")
    assert folder.run().status == "ok"
    folder.write(
        "data/2.csv", "id,amount,seen\n1,11,2024-01-04 00:00:00\n4,-4,2024-01-05 00:00:00\n,1,2024-01-06 00:00:00\n"
    )
    step = folder.step("good")
    assert (step.rows_read, step.rows_loaded, step.rows_quarantined) == (3, 1, 2)
    folder.write("models/gold/good.yml", MERGED["models/gold/good.yml"].replace("min(0)", "min(-9)"))
    assert folder.open().replay(table="gold.good").rows_loaded == 2
    assert folder.rows("SELECT id, amount FROM gold.good ORDER BY id") == [(1, 11), (2, -5), (3, 30), (4, -4)]
    assert folder.codes() == []
    models = MERGED["models/gold/good.yml"] + "    tests: [{row_count: {max: 4}}]\n"
    folder.write("models/gold/good.yml", models)
    folder.write("data/3.csv", "id,amount,seen\n5,50,2024-01-07 00:00:00\n")
    (finding,) = folder.run().findings
    assert finding.evidence["left"] == "gold.good__hg_failed"
    assert folder.rows("SELECT id FROM gold.good__hg_failed") == [(5,)]
    assert folder.codes() == []
