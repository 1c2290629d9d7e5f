"""L3, its models: a star over a history of users, late facts, unknown members, a snowflake, one big table, features."""

from __future__ import annotations

from pathlib import Path

from tests.unit.project_kit import Folder

USERS = """\
table: raw.users
from: data/users/*.csv
load: {scd2: id, order_by: updated_at}
columns:
  id: int
  city: text
  updated_at: timestamp
"""
ORDERS = """\
table: raw.orders
from: data/orders/*.csv
columns:
  id: int, key
  user_id: int
  sku: text
  amount: decimal(8,2)
  ordered_at: timestamp
"""
PRODUCTS = """\
table: raw.products
from: data/products/*.csv
load: {upsert: sku}
columns:
  sku: text
  category: text
"""
FACTS = """\
{{ config(materialized='table') }}
with by_user as (
{{ hg.lookup_version(ref('raw.orders'), ref('dim_users'), on={'user_id': 'id'}, at='ordered_at', take='user_key',
    valid_from='effective_at', valid_to='expires_at', unmatched='unknown', unknown={'user_key': '-1'}) }}
), by_product as (
{{ hg.lookup('by_user', ref('dim_products'), on='sku', take='product_key', unmatched='unknown',
             unknown={'product_key': '-1'}) }}
)
select id as order_id, user_key, product_key, {{ hg.date_key('ordered_at') }} as date_key, amount from by_product
"""
DIM_USERS = """\
{{ config(materialized='table') }}
{{ hg.scd_dimension(ref('raw.users'), key='user_key', by='id', columns='city', unknown={'city': 'Unknown'}) }}
"""
DIM_PRODUCTS = """\
{{ config(materialized='table') }}
with placed as ({{ hg.lookup(ref('raw.products'), ref('dim_categories'), on='category', take='category_key',
                             unmatched='unknown', unknown={'category_key': '-1'}) }})
{{ hg.dimension('placed', key='product_key', by='sku', columns=['sku', 'category_key'],
                unknown={'sku': 'Unknown', 'category_key': '-1'}) }}
"""
DIM_CATEGORIES = """\
{{ config(materialized='table') }}
with categories as (select distinct category from {{ ref('raw.products') }} where category is not null)
{{ hg.dimension('categories', key='category_key', by='category', columns='category', unknown={'category': 'Unknown'}) }}
"""
DIM_DATE = "{{ config(materialized='table') }}\n{{ hg.date_dimension('2024-01-01', '2024-12-31') }}"
WIDE = """\
{{ config(materialized='table') }}
select f.order_id, f.amount, u.city, c.category, d.iso_week_label
from {{ ref('fct_orders') }} as f
join {{ ref('dim_users') }} as u using (user_key)
join {{ ref('dim_products') }} as p using (product_key)
join {{ ref('dim_categories') }} as c using (category_key)
join {{ ref('dim_date') }} as d using (date_key)
"""
SPENT = """\
{{ config(materialized='table') }}
select user_id, ordered_at as known_at, sum(amount) over (partition by user_id order by ordered_at) as spent
from {{ ref('raw.orders') }}
"""
FEATURES = """\
{{ config(materialized='table') }}
with labels as (select id, user_id, ordered_at as label_at from {{ ref('raw.orders') }})
{{ hg.as_of('labels', ref('spent'), on='user_id', at='label_at', time='known_at', take='spent', strict=true) }}
"""
TESTS = """\
models:
  - name: dim_users
    columns: [{name: user_key, tests: [not_null, unique]}]
  - name: dim_products
    columns: [{name: product_key, tests: [not_null, unique]}]
  - name: dim_date
    columns: [{name: date_key, tests: [not_null, unique]}]
  - name: fct_orders
    columns:
      - {name: order_id, tests: [not_null, unique]}
      - {name: user_key, tests: [{relationships: {to: ref('dim_users'), field: user_key}}]}
      - {name: product_key, tests: [{relationships: {to: ref('dim_products'), field: product_key}}]}
      - {name: date_key, tests: [{relationships: {to: ref('dim_date'), field: date_key}}]}
  - name: order_features
    columns: [{name: feature_at, tests: [hg.no_leakage: {label_time: label_at, strict: true}]}]
    tests:
      - hg.only_past_values:
          {features: ref('spent'), on: user_id, at: label_at, time: known_at, columns: [spent], strict: true}
"""
FILES = {
    "ingest/users.yml": USERS,
    "ingest/orders.yml": ORDERS,
    "ingest/products.yml": PRODUCTS,
    "models/gold/dim_users.sql": DIM_USERS,
    "models/gold/dim_products.sql": DIM_PRODUCTS,
    "models/gold/dim_categories.sql": DIM_CATEGORIES,
    "models/gold/dim_date.sql": DIM_DATE,
    "models/gold/fct_orders.sql": FACTS,
    "models/gold/orders_wide.sql": WIDE,
    "models/features/spent.sql": SPENT,
    "models/features/order_features.sql": FEATURES,
    "models/gold/models.yml": TESTS,
    "data/users/1.csv": "id,city,updated_at\n1,Rome,2024-01-01 00:00:00\n2,Bonn,2024-01-01 00:00:00\n",
    "data/products/1.csv": "sku,category\nn-1,nuts\nb-1,\n",
    "data/orders/1.csv": "id,user_id,sku,amount,ordered_at\n10,1,n-1,5.00,2024-01-10 09:00:00\n"
    "11,2,b-1,7.00,2024-01-11 00:00:00\n12,3,gone,9.00,2024-01-12 10:00:00\n13,,n-1,1.00,2024-01-13 10:00:00\n",
}
WHO = """\
select f.order_id, u.city, u.is_current, p.sku, f.date_key
from gold.fct_orders f join gold.dim_users u using (user_key) join gold.dim_products p using (product_key) order by 1
"""


QUIET = "project: p\nreport: {after_run: no}\nwarehouse: "


def failed(folder: Folder) -> list[tuple[str, str]]:
    return [(step.id, step.status) for step in folder.run().steps if step.status not in ("ok", "skipped")]


def test_a_late_fact_finds_the_version_of_its_time_and_a_missing_one_the_unknown_member(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, {**FILES, "headgate.yml": f"{QUIET}duckdb:w.duckdb\n"})
    assert failed(folder) == []
    assert folder.open().check().findings == ()
    first = [
        (10, "Rome", True, "n-1", 20240110),
        (11, "Bonn", True, "b-1", 20240111),
        (12, "Unknown", True, "Unknown", 20240112),
        (13, "Unknown", True, "n-1", 20240113),
    ]
    assert folder.behind(WHO) == first
    assert folder.behind("select order_id, city, category, iso_week_label from gold.orders_wide order by 1") == [
        (10, "Rome", "nuts", "2024-W02"),
        (11, "Bonn", "Unknown", "2024-W02"),
        (12, "Unknown", "Unknown", "2024-W02"),
        (13, "Unknown", "nuts", "2024-W02"),
    ]
    before = folder.behind("select user_key from gold.dim_users where city = 'Rome'")

    # A user moves, another one arrives after his order, and an order of before the move arrives last.
    folder.write("data/users/2.csv", "id,city,updated_at\n1,Oslo,2024-02-01 00:00:00\n3,Kyiv,2024-01-12 10:00:00\n")
    folder.write(
        "data/orders/2.csv",
        "id,user_id,sku,amount,ordered_at\n14,1,n-1,2.00,2024-01-31 23:59:59\n15,1,n-1,3.00,2024-02-01 00:00:00\n",
    )
    assert failed(folder) == []
    assert folder.behind(WHO) == [
        (10, "Rome", False, "n-1", 20240110),
        first[1],
        (12, "Kyiv", True, "Unknown", 20240112),
        first[3],
        (14, "Rome", False, "n-1", 20240131),
        (15, "Oslo", True, "n-1", 20240201),
    ]
    assert folder.behind("select user_key from gold.dim_users where city = 'Rome'") == before
    assert folder.behind("select id, spent from features.order_features order by id") == [
        (10, None), (11, None), (12, None), (13, None), (14, 5), (15, 7),
    ]  # fmt: skip
    twins(folder)
    assert folder.codes() == []


def test_what_would_multiply_rows_is_not_published(tmp_path: Path, postgres: str) -> None:
    folder = Folder.make(tmp_path, {**FILES, "headgate.yml": f"{QUIET}{postgres}\n"})
    assert failed(folder) == []
    assert folder.open().check().findings == ()
    assert [row[:2] for row in folder.rows(WHO)] == [(10, "Rome"), (11, "Bonn"), (12, "Unknown"), (13, "Unknown")]
    assert folder.rows("select count(*) from gold.orders_wide") == [(4,)]
    twins(folder)


def twins(folder: Folder) -> None:
    """A dimension with a key twice, and features that are joined as if the future were known."""
    rows = folder.rows("select count(*) from gold.fct_orders")
    folder.write("models/gold/dim_products.sql", DIM_PRODUCTS + "union all select 'twin', 'n-1', '-1'")
    folder.write("models/features/order_features.sql", FEATURES.replace(", strict=true", ""))
    found = {one.evidence.get("model"): one for one in folder.run().findings if one.level == "error"}
    twice = found["fct_orders"]
    assert (twice.code, twice.where, twice.evidence["keys"]) == ("lookup-duplicates", "models/gold/fct_orders.sql", 1)
    assert twice.what == "model 'fct_orders': the key (sku) is there more than once in what is looked up: 1 key"
    assert folder.rows(twice.evidence["query"]) == [("n-1", 2)]
    assert (found["order_features"].code, found["order_features"].evidence["rows"]) == ("check-failed", rows[0][0] - 1)
    assert folder.rows("select count(*) from gold.fct_orders") == rows
