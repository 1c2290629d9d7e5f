"""Models as a user builds, breaks and mends them."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import Lab

TOTAL = "{{ config(materialized='table') }}\nselect count(*) as n, sum(amount) as s\nfrom {{ ref('stg') }}\n"


@pytest.fixture
def built(orders: Lab) -> Lab:
    orders.write(
        {
            "models/stg.sql": "select * from {{ ref('raw.orders') }}\n",
            "models/gold/total.sql": TOTAL,
            "models/gold/last.sql": "select n + 1 as m from {{ ref('total') }}\n",
            "models/tests.yml": "models:\n  - name: total\n    tests:\n      - expression: n < 3\n",
        }
    )
    orders.ok("run")
    return orders


def statuses(answer: Any) -> dict[str, str]:
    return {step["id"]: step["status"] for step in answer["steps"]}


def test_a_loaded_table_shows_models_its_contract_and_nothing_else(built: Lab) -> None:
    assert [column["name"] for column in built.ok("query", "FROM stg")["columns"]] == ["id", "amount"]
    assert built.rows("FROM gold.total") == [[2, "4.50"]]
    assert set(statuses(built.ok("run")).values()) == {"skipped"}
    assert {step["status"] for step in built.ok("plan")["steps"]} == {"skip"}


def test_a_failing_test_keeps_the_old_table_and_blocks_what_reads_it(built: Lab) -> None:
    built.write({"data/orders/2.csv": "id,amount\n7,1\n"})
    ran = built.headgate("run", "--json")
    answer = ran.json()
    assert (ran.code, answer["status"]) == (1, "failed")
    assert statuses(answer) == {"raw.orders": "ok", "stg": "ok", "total": "failed", "last": "blocked"}
    found = answer["findings"][0]
    assert (found["code"], found["where"]) == ("check-failed", "models/tests.yml:4:9")
    assert built.rows("FROM gold.total") == [[2, "4.50"]]
    assert built.rows(found["evidence"]["query"]) == [[3, "5.50"]]
    built.edit("models/tests.yml", "n < 3", "n < 30")
    assert statuses(built.ok("run")) == {"raw.orders": "skipped", "stg": "skipped", "total": "ok", "last": "ok"}
    assert built.rows("FROM gold.last") == [[4]]


def test_a_view_becomes_a_table_and_a_view_again(built: Lab) -> None:
    kind = "SELECT table_type FROM information_schema.tables WHERE table_schema = 'gold' AND table_name = 'total'"
    for old, new, is_now in (("'table'", "'view'", "VIEW"), ("'view'", "'table'", "BASE TABLE")):
        built.edit("models/gold/total.sql", old, new)
        assert statuses(built.ok("run", "total"))["total"] == "ok"
        assert built.rows(kind) == [[is_now]]
        assert built.rows("FROM gold.last") == [[3]]


BROKEN = {
    "select count(*) as n,,\nfrom {{ ref('stg') }}\n": ("model-sql", 1, ""),
    "{{ config(materialized='table') }}\n\nselect\n  summ(amount) as n from {{ ref('stg') }}\n": (
        "model-sql",
        4,
        "sum",
    ),
    "select 1 as n from {{ ref('stgg') }}\n": ("unknown-ref", 1, "did you mean 'stg'?"),
    "select 1 as n\nfrom {{ reff('stg') }}\n": ("model-template", 2, "did you mean 'ref'?"),
    "select 1 as n from {{ ref('last') }}\n": ("model-cycle", 1, "last -> total -> last"),
    "select 1 as n; drop table raw.orders\n": ("model-not-select", 0, "2 statements"),
}


@pytest.mark.slow
def test_a_broken_model_is_told_with_its_line_and_publishes_nothing(built: Lab) -> None:
    for text, (code, line, said) in BROKEN.items():
        built.write({"models/gold/total.sql": text})
        ran = built.headgate("run", "--json")
        found = ran.json()["findings"][0]
        path = "models/gold/last.sql" if code == "model-cycle" else "models/gold/total.sql"
        assert ran.code in (1, 2), text
        where = ":".join(found["where"].split(":")[:2])
        assert (found["code"], where) == (code, f"{path}:{line}" if line else path), text
        assert said in found["what"], text
        assert built.rows("FROM gold.total") == [[2, "4.50"]]
    built.write({"models/gold/total.sql": TOTAL})
    assert set(statuses(built.ok("run")).values()) == {"skipped"}


def test_a_model_is_named_with_or_without_its_schema(built: Lab) -> None:
    assert list(statuses(built.ok("run", "+gold.total"))) == ["raw.orders", "stg", "total"]
    assert list(statuses(built.ok("run", "+LAST"))) == ["raw.orders", "stg", "total", "last"]
    assert list(statuses(built.ok("run", "gold.total"))) == ["total"]
    assert "did you mean 'total'?" in built.fails(2, "run", "totl")["what"]


def test_a_model_before_its_table_is_loaded_is_blocked(orders: Lab) -> None:
    orders.write({"models/stg.sql": "select * from {{ ref('raw.orders') }}\n"})
    ran = orders.headgate("run", "stg", "--json")
    assert (ran.code, ran.json()["steps"][0]["status"]) == (1, "blocked")
    assert "raw.orders" in ran.json()["steps"][0]["reason"]
