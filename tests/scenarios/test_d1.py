"""D1: a staging view and an incremental daily mart: late and midnight rows, by the usual filter and by intervals."""

from __future__ import annotations

from pathlib import Path

from tests.unit.project_kit import Folder

STAGING = """\
select id as order_id, customer, cast(amount as decimal(10, 2)) as amount, status, created_at
from {{ source('raw', 'orders') }} where status is not null
"""
DAILY = """\
select cast(created_at as date) as date_day, count(distinct customer) as customers,
    sum(amount) as revenue, avg(amount) as average
from {{ ref('stg_orders') }}
{% if is_incremental() %}
where created_at > (select max(date_day) from {{ this }})
{% endif %}
group by 1
"""
USUAL = "{{ config(materialized='incremental', unique_key='date_day', incremental_strategy='merge') }}\n"
BY_DAY = USUAL.replace(") }}", ", time_column='date_day', lookback=1) }}")
FILES = {
    "ingest/orders.yml": """\
table: raw.orders
from: data/*.csv
columns: {id: int, customer: text, amount: text, status: text, created_at: timestamp}
""",
    "models/staging/stg_orders.sql": STAGING,
    "models/marts/daily.sql": USUAL + DAILY,
    "models/marts/by_day.sql": BY_DAY + DAILY,
    "data/1.csv": "id,customer,amount,status,created_at\n1,a,10.50,paid,2024-01-01 09:00:00\n"
    "2,b,1.00,paid,2024-01-02 00:00:00\n3,b,2.00,,2024-01-02 08:00:00\n4,c,20.00,new,2024-01-02 10:00:00\n",
}
SECOND = (
    "id,customer,amount,status,created_at\n5,d,500.00,paid,2024-01-01 23:59:59\n6,a,4.00,paid,2024-01-02 23:00:00\n"
    "7,e,7.00,paid,2024-01-03 00:00:00\n"
)


def rows(folder: Folder, table: str) -> list[tuple[object, ...]]:
    return folder.behind(f"SELECT date_day::text, customers, revenue::text, average FROM marts.{table} ORDER BY 1")


def test_the_usual_rows_with_a_finding_or_the_true_ones(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, FILES)
    folder.run()
    first = [("2024-01-01", 1, "10.50", 10.5), ("2024-01-02", 2, "21.00", 10.5)]
    assert rows(folder, "daily") == rows(folder, "by_day") == first
    folder.write("data/2.csv", SECOND)
    steps = {step.id: step for step in folder.run().steps}
    # The late row of the 1st is never read, and the 2nd is built again without its midnight row.
    assert rows(folder, "daily") == [first[0], ("2024-01-02", 2, "24.00", 12.0), ("2024-01-03", 1, "7.00", 7.0)]
    (finding,) = steps["daily"].warnings
    assert (finding.code, finding.where) == ("late-rows-lost", "models/marts/daily.sql:6")
    assert finding.what == (
        "model 'daily' takes rows where created_at > max(date_day): a row that arrives with an earlier created_at than "
        "max(date_day) of the table is never read, nor is one with exactly that value (midnight, where it is a date)"
    )
    assert [(one.code, one.where) for one in folder.open().check().findings] == [(finding.code, finding.where)]
    assert steps["by_day"].warnings == ()
    assert rows(folder, "by_day") == [
        ("2024-01-01", 2, "510.50", 255.25),
        ("2024-01-02", 3, "25.00", 25 / 3),
        ("2024-01-03", 1, "7.00", 7.0),
    ]
    entries = folder.open().ledger().total
    assert {step.status for step in folder.run().steps} == {"skipped"}
    assert folder.open().ledger().total == entries
    assert folder.codes() == []
