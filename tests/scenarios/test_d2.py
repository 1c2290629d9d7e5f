"""D2: staging, a mart and a fact with the tests of a schema.yml; each test reports exactly its rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.unit.project_kit import Folder

from headgate.project.read import read_project

BARE = """\
version: 2
models:
  - name: fct_orders
    tests:
      - row_count: {min: 1}
    columns:
      - name: order_id
        tests: [unique, not_null]
      - name: revenue
        tests:
          - not_null
          - positive_value: {least: 0}
      - name: user_id
        tests:
          - relationships: {to: ref('stg_users'), field: user_id}
"""
ARGUMENTS = (
    BARE.replace("tests:", "data_tests:")
    .replace("{min: 1}", "{arguments: {min: 1}}")
    .replace("{least: 0}", "{arguments: {least: 0}}")
    .replace(
        "{to: ref('stg_users'), field: user_id}", "\n              arguments: {to: ref('stg_users'), field: user_id}"
    )
)
FILES = {
    "ingest/users.yml": "table: raw.users\nfrom: users.csv\ncolumns: {id: int, name: text, deleted_at: date}\n",
    "ingest/orders.yml": "table: raw.orders\nfrom: orders/*.csv\n"
    "columns: {id: int, user: int, day: date, revenue: int}\n",
    "ingest/seen.yml": "table: raw.seen\nfrom: seen.csv\ncolumns: {user: int, day: date}\n",
    "users.csv": "id,name,deleted_at\n1,ANNA,\n2,Bob,2024-01-01\n3,cleo,\n",
    "seen.csv": "user,day\n1,2024-01-01\n1,2024-01-01\n3,2024-01-01\n3,2024-01-02\n",
    "orders/1.csv": "id,user,day,revenue\n1,1,2024-01-01,10\n2,3,2024-01-01,20\n",
    "macros/clean.sql": "{% macro clean(column) %}lower(trim({{ column }})){% endmacro %}\n",
    "tests/generic/positive_value.sql": """\
{% test positive_value(model, column_name, least=0) %}
select * from {{ model }} where {{ column_name }} <= {{ least }}
{% endtest %}
""",
    "tests/orders_have_days.sql": "select o.* from {{ ref('fct_orders') }} as o where o.day is null\n",
    "models/staging/stg_users.sql": (
        "select id as user_id, {{ clean('name') }} as name from {{ source('raw', 'users') }} where deleted_at is null\n"
    ),
    "models/marts/daily_active_users.sql": """\
{{ config(materialized='table') }}
select day, count(distinct user) as users
from {{ ref('seen') }} join {{ ref('stg_users') }} on user_id = user group by day
""",
    "models/marts/fct_orders.sql": """\
{{ config(materialized='table') }}
select id as order_id, user as user_id, day, revenue from {{ source('raw', 'orders') }}
""",
}


def test_each_test_reports_exactly_its_rows(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, {**FILES, "models/marts/schema.yml": BARE})
    assert folder.run().status == "ok"
    assert folder.behind("FROM staging.stg_users ORDER BY 1") == [(1, "anna"), (3, "cleo")]
    assert folder.behind("SELECT users FROM marts.daily_active_users ORDER BY day") == [(2,), (1,)]
    # A duplicate id, no revenue, no revenue to speak of, a user who is gone, no day.
    bad = "1,1,2024-01-02,5\n3,1,2024-01-02,\n4,3,2024-01-02,0\n5,2,2024-01-02,7\n6,1,,8\n"
    folder.write("orders/2.csv", "id,user,day,revenue\n" + bad)
    answer = folder.run()
    assert [(step.id, step.status) for step in answer.steps if step.status != "skipped"] == [
        ("raw.orders", "ok"), ("fct_orders", "failed"),
    ]  # fmt: skip
    reported = {
        str(one.evidence["check"]): (
            one.evidence["rows"],
            sorted(row[0] for row in folder.rows(str(one.evidence["query"]))),
        )
        for one in answer.findings
    }
    assert reported == {
        "unique_fct_orders_order_id": (2, [1, 1]),
        "not_null_fct_orders_revenue": (1, [3]),
        "positive_value_fct_orders_revenue_2": (1, [4]),
        "relationships_fct_orders_user_id": (1, [5]),
        "orders_have_days": (1, [6]),
    }
    assert folder.behind("SELECT order_id FROM marts.fct_orders ORDER BY 1") == [(1,), (2,)]


def test_both_spellings_are_the_same_tests(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, {**FILES, "models/marts/schema.yml": BARE})
    bare = [replace(one, where=None) for model in read_project(tmp_path).models for one in model.tests]
    folder.write("models/marts/schema.yml", ARGUMENTS)
    spelled = [replace(one, where=None) for model in read_project(tmp_path).models for one in model.tests]
    assert bare == spelled
    assert len(bare) == 6
