"""Incremental models in a PostgreSQL database: keys with NULL, intervals, columns that are added, two runners."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.unit.project_kit import Folder

FILES = {
    "ingest/orders.yml": """\
table: raw.orders
from: data/*.csv
columns:
  a: int
  b: int
  ts: timestamptz
  amount: decimal(9,2)
""",
    "models/silver/stg.sql": "select a, b, ts, cast(ts as date) as day, amount from {{ ref('raw.orders') }}\n",
    "models/gold/keyed.sql": """\
{{ config(materialized='incremental', unique_key=['A', 'b']) }}
select a, b, ts, amount from {{ ref('stg') }}
{% if is_incremental() %} where ts > (select max(ts) from {{ this }}) {% endif %}
""",
    "models/gold/daily.sql": """\
{{ config(materialized='incremental', time_column='day', on_schema_change='append') }}
select day, sum(amount) as amount from {{ ref('stg') }} group by day
""",
    "models/gold/hourly.sql": """\
{{ config(materialized='incremental', time_column='ts', interval='hour', lookback=1) }}
select ts, amount from {{ ref('stg') }}
""",
    "models/gold/readers.sql": "select count(*) as n from {{ ref('keyed') }}\n",
    "models/gold/models.yml": """\
unit_tests:
  - name: days_are_summed
    model: daily
    given:
      - input: ref('stg')
        rows: [{day: 2024-01-01, amount: 2}, {day: 2024-01-01, amount: 2.5}, {day: 2024-01-02}]
    expect: {rows: [{day: 2024-01-01, amount: 4.5}, {day: 2024-01-02, amount: null}]}
models:
  - name: daily
    columns:
      - name: day
        tests: [unique, not_null]
  - name: keyed
    tests:
      - unique: {columns: [a, b]}
    columns:
      - name: a
        tests:
          - relationships: {to: ref('stg'), field: a}
          - accepted_values: {values: [1, 2, 3, 4]}
""",
    "data/1.csv": "a,b,ts,amount\n1,1,2024-01-01 10:00:00Z,10\n2,,2024-01-02 10:00:00Z,20\n",
}

pytestmark = [pytest.mark.services, pytest.mark.slow]


def test_rows_join_those_that_stand(tmp_path: Path, postgres: str) -> None:
    def asked(sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(postgres, autocommit=True) as connection:
            return connection.execute(sql.encode()).fetchall()

    folder = Folder.make(tmp_path, FILES)
    folder.write("headgate.yml", f"project: lab\nwarehouse: {postgres}\n")
    assert folder.run().status == "ok"
    folder.write(
        "data/2.csv",
        "a,b,ts,amount\n2,,2024-01-03 00:00:00Z,21\n3,,2024-01-03 09:30:00Z,30\n4,1,2024-01-01 23:59:59Z,40\n",
    )
    answer = folder.run()
    assert answer.status == "ok"
    assert asked("SELECT a, b, amount::text FROM gold.keyed ORDER BY a") == [
        (1, 1, "10.00"), (2, None, "21.00"), (3, None, "30.00"),
    ]  # fmt: skip
    days = [("2024-01-01", "50.00"), ("2024-01-02", "20.00"), ("2024-01-03", "51.00")]
    assert asked("SELECT day::text, amount::text FROM gold.daily ORDER BY 1") == days
    assert asked("SELECT count(*), count(DISTINCT ts) FROM gold.hourly") == [(5, 5)]
    assert asked("SELECT n FROM gold.readers") == [(3,)]
    assert folder.codes() == []
    folder.write(
        "models/gold/daily.sql", FILES["models/gold/daily.sql"].replace(" as amount", " as amount, count(*) as n")
    )
    assert folder.step("daily").status == "ok"
    assert asked("SELECT day::text, n FROM gold.daily ORDER BY 1") == [
        ("2024-01-01", None), ("2024-01-02", None), ("2024-01-03", 2),
    ]  # fmt: skip
    models = FILES["models/gold/models.yml"]
    folder.write("models/gold/models.yml", models.replace("amount: 4.5}", "amount: 4.6}"))
    assert [one.code for one in folder.open().check().findings if one.level == "error"] == ["unit-test-failed"]
    assert [one.code for one in folder.run("daily").findings] == ["unit-test-failed"]
    folder.write("models/gold/models.yml", models)
    folder.write("data/3.csv", "a,b,ts,amount\n1,,2024-01-04 00:00:00Z,1\n1,,2024-01-04 00:00:01Z,2\n")
    answer = folder.run("keyed")
    (finding,) = folder.run().findings
    assert (finding.code, len(folder.rows(str(finding.evidence["query"])))) == ("unique-key", 2)
    assert folder.codes() == []
    assert asked("SELECT count(*) FROM pg_namespace WHERE nspname LIKE '\\_hg\\_late%'") == [(0,)]
