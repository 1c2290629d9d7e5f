"""Models that are functions: all works as for SELECTs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.unit.project_kit import Folder

from headgate.core import faults
from headgate.core.errors import Finding
from headgate.models.python import build

ORDERS = (
    "table: raw.orders\nfrom: data/*.csv\n"
    "columns:\n  id: int, key\n  day: date\n  amount: decimal(12,2)\n  pieces: int\n"
)
DATA = "id,day,amount,pieces\n1,2024-05-01,10.50,1\n2,2024-05-01,2.25,\n3,2024-05-02,7.00,5\n"
FIRST, SECOND = date(2024, 5, 1), date(2024, 5, 2)
ROWS = [
    (1, FIRST, Decimal("10.50"), 1),
    (2, FIRST, Decimal("2.25"), None),
    (3, SECOND, Decimal("7.00"), 5),
]


@pytest.fixture(autouse=True)
def no_faults() -> Iterator[None]:
    yield
    faults.install(None)


def made(root: Path, files: dict[str, str]) -> Folder:
    """A project whose runs write no page, which takes longer than they do."""
    page = "project: p\nwarehouse: duckdb:w.duckdb\nreport: {after_run: false}\n"
    return Folder.make(root, {"headgate.yml": page, **files})


def folder_of(root: Path, code: str, more: dict[str, str] | None = None) -> Folder:
    files = {"ingest/orders.yml": ORDERS, "data/a.csv": DATA, "models/gold/daily.py": code}
    return made(root, files | (more or {}))


def columns(folder: Folder, table: str = "gold.daily") -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in folder.behind(f"DESCRIBE {table}")]


def rows(folder: Folder, table: str = "gold.daily") -> list[tuple[Any, ...]]:
    return sorted(folder.behind(f"FROM {table}"), key=repr)


def failure(folder: Folder) -> Finding:
    """Why the run failed."""
    found = folder.run()
    assert found.status == "failed"
    assert found.findings[0].fix
    return found.findings[0]


def test_a_library_that_is_missing_is_named_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(tmp_path, "import polars as pl\ndef model(orders: pl.DataFrame):\n    return orders\n")
    folder.write("models/gold/daily.py", "def model(orders: 'polars.DataFrame'):\n    return orders\n")
    monkeypatch.setitem(sys.modules, "polars", None)
    found = failure(folder)
    assert (found.code, found.fix) == ("missing-extra", "pip install polars")
    assert "parameter 'orders'" in found.what


def test_an_error_that_may_pass_is_tried_again(tmp_path: Path) -> None:
    code = (
        "import pathlib\nfrom headgate import TransientError\n\ndef model(orders):\n"
        "    seen = pathlib.Path(__file__).with_name('seen')\n"
        "    if not seen.exists():\n        seen.touch()\n        raise TransientError\n    return orders\n"
    )
    retries = "models:\n  - name: daily\n    config: {retries: {attempts: 2, wait: 1ms}}\n"
    folder = folder_of(tmp_path, code, {"models/gold/models.yml": retries})
    step = folder.step("daily")
    assert (step.status, step.attempts) == ("ok", 2)


def test_it_is_rebuilt_for_its_code_and_for_modules_of_the_project_and_for_nothing_else(tmp_path: Path) -> None:
    code = "from shared.money import twice\n\ndef model(orders):\n    return orders.project(twice('amount'))\n"
    folder = folder_of(tmp_path, code, {"shared/money.py": "def twice(name):\n    return f'{name} * 2 as twice'\n"})
    folder.run()
    folder.write("models/gold/daily.py", "# why\n" + code.replace("orders.project", "orders . project"))
    folder.write("shared/money.py", 'def twice(name):\n    "Doubles."\n    return f"{name} * 2 as twice"\n')
    assert folder.step("daily").status == "skipped"
    folder.write("shared/money.py", "def twice(name):\n    return f'{name} * 3 as twice'\n")
    plan = folder.open().plan(["daily"])
    assert [(one.status, one.change and one.change.verdict) for one in plan.steps] == [("run", "breaking")]
    assert folder.step("daily").reason == "its code, checks, contract or engine changed"
    assert sorted(str(row[0]) for row in rows(folder)) == ["21.00", "31.50", "6.75"]


def test_neither_check_nor_plan_runs_the_file(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        "import pathlib\npathlib.Path(__file__).with_name('ran').touch()\n\ndef model(orders):\n    return orders\n",
    )
    units = (
        "unit_tests:\n  - name: u\n    model: daily\n    given: [{input: ref('orders'), rows: []}]\n"
        "    expect: {rows: []}\n"
    )
    folder.run("raw.orders")
    folder.write("models/gold/models.yml", units)
    assert {one.code for one in folder.open().check().findings} == {"unit-test-later"}
    folder.open().plan()
    assert not (folder.root / "models/gold/ran").exists()


def test_two_projects_do_not_see_each_others_modules(tmp_path: Path) -> None:
    code = (
        "import beside\nfrom shared.name import NAME\nimport pyarrow as pa\n\n"
        "def model():\n    return pa.table({'a': [NAME + beside.NAME]})\n"
    )
    for name in ("one", "two"):
        more = {"shared/name.py": f"NAME = '{name} '\n", "models/gold/beside.py": f"NAME = '{name}'\n"}
        folder = folder_of(tmp_path / name, code, more)
        path = list(sys.path)
        folder.run()
        assert rows(folder) == [(f"{name} {name}",)]
        assert (sys.path, "shared" in sys.modules, "beside" in sys.modules) == (path, False, False)


def test_a_failed_check_keeps_its_rows_to_be_looked_at(tmp_path: Path) -> None:
    tests = "models:\n  - name: daily\n    columns:\n      - name: pieces\n        tests: [not_null]\n"
    code = "import pyarrow as pa\ndef model(orders: pa.Table):\n    return orders\n"
    folder = folder_of(tmp_path, code, {"models/gold/models.yml": tests})
    found = failure(folder)
    assert found.code == "check-failed"
    assert folder.rows(found.evidence["query"]) == [(2, "2024-05-01", "2.25", None)]
    folder.write("models/gold/daily.py", code.replace("return orders", "return orders.drop_null()"))
    assert folder.step("daily").status == "ok"
    assert folder.behind("SELECT count(*) FROM information_schema.tables WHERE table_name LIKE '%failed'") == [(0,)]


def test_a_contract_splits_its_rows(tmp_path: Path) -> None:
    contract = (
        "models:\n  - name: daily\n    contract:\n      columns:\n        id: int, key\n        day: date\n"
        "        amount: decimal(12,2), min(5)\n        pieces: int\n"
    )
    code = "import polars as pl\ndef model(orders: pl.DataFrame):\n    return orders\n"
    folder = folder_of(tmp_path, code, {"models/gold/models.yml": contract})
    step = folder.step("daily")
    assert (step.rows_read, step.rows_loaded, step.rows_quarantined) == (3, 2, 1)
    assert folder.refused("gold.daily") == [("daily", 2, [("min", "amount")])]
    assert folder.codes() == []


INCREMENTAL = (
    "import pyarrow as pa\nfrom headgate import config\n\n"
    "@config(materialized='incremental', unique_key='id')\n"
    "def model(orders: pa.Table, this: pa.Table | None):\n"
    "    stands = set(this['id'].to_pylist()) if this is not None else set()\n"
    "    new = [one not in stands for one in orders['id'].to_pylist()]\n"
    "    return orders.filter(pa.array(new))\n"
)


def test_an_incremental_model_is_given_the_rows_that_stand(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, INCREMENTAL)
    assert folder.step("daily").status == "ok"
    folder.behind("UPDATE gold.daily SET pieces = 77 WHERE id = 1")
    folder.write("data/b.csv", "id,day,amount,pieces\n4,2024-05-03,1.00,1\n")
    step = folder.step("daily")
    assert (step.status, step.rows_read) == ("ok", 1)
    assert [(row[0], row[3]) for row in rows(folder)] == [(1, 77), (2, None), (3, 5), (4, 1)]
    assert folder.step("daily", full_refresh=True).status == "ok"
    assert [row[3] for row in rows(folder)] == [1, None, 5, 1]
    assert folder.codes() == []


def test_intervals_take_what_is_new_of_all_rows(tmp_path: Path) -> None:
    code = (
        "from headgate import config\n\n@config(materialized='incremental', time_column='day', lookback=0)\n"
        "def model(orders):\n    return orders\n"
    )
    folder = folder_of(tmp_path, code)
    folder.run()
    folder.behind("UPDATE gold.daily SET pieces = 77 WHERE id = 1")
    folder.write("data/b.csv", "id,day,amount,pieces\n4,2024-05-03,1.00,1\n")
    folder.run()
    assert [(row[0], row[3]) for row in rows(folder)] == [(1, 77), (2, None), (3, 5), (4, 1)]


def test_a_group_is_published_together_and_a_member_reads_new_rows(tmp_path: Path) -> None:
    more = {
        "models/gold/total.py": "def model(daily):\n    return daily.aggregate('count(*) as n')\n",
        "models/gold/models.yml": "groups:\n  - name: g\n    publish_together: [daily, total]\n",
    }
    folder = folder_of(tmp_path, "def model(orders):\n    return orders\n", more)
    folder.run()
    folder.write("data/b.csv", "id,day,amount,pieces\n4,2024-05-03,1.00,1\n")
    folder.run()
    assert rows(folder, "gold.total") == [(4,)]
    folder.write("models/gold/total.py", "def model(daily):\n    raise ValueError\n")
    folder.write("data/c.csv", "id,day,amount,pieces\n5,2024-05-03,1.00,1\n")
    assert {one.id: one.status for one in folder.run().steps} == {
        "raw.orders": "ok",
        "daily": "blocked",
        "total": "failed",
    }
    assert (len(rows(folder)), rows(folder, "gold.total")) == (4, [(4,)])


def test_a_model_of_a_dbt_project_runs_as_it_is(tmp_path: Path) -> None:
    code = (
        "def model(dbt, session):\n    dbt.config(materialized='incremental', unique_key='id')\n"
        "    found = dbt.ref('orders')\n    source = dbt.source('raw', 'orders')\n"
        "    if dbt.is_incremental:\n"
        "        newest = dbt.this.aggregate('max(id)').fetchone()[0]\n        found = found.filter(f'id > {newest}')\n"
        "    assert dbt.config.get('unique_key') == 'id'\n    assert session.sql('select 1').fetchone() == (1,)\n"
        "    return found if len(source) else None\n"
    )
    folder = folder_of(tmp_path, code)
    folder.run()
    folder.behind("UPDATE gold.daily SET pieces = 77 WHERE id = 1")
    folder.write("data/b.csv", "id,day,amount,pieces\n4,2024-05-03,1.00,1\n")
    folder.run()
    assert [(row[0], row[3]) for row in rows(folder)] == [(1, 77), (2, None), (3, 5), (4, 1)]


def test_rows_to_add_are_never_taken_for_all_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "stands", lambda *_: True)
    folder = folder_of(
        tmp_path, INCREMENTAL.replace("this['id'].to_pylist()", "[1]").replace("this is not None", "True")
    )
    folder.run("raw.orders")
    folder.behind("CREATE SCHEMA gold", "CREATE TABLE gold.daily (id BIGINT)")
    assert failure(folder).code == "commit-contested"
    assert folder.behind("SELECT count(*) FROM gold.daily") == [(0,)]


def test_an_input_that_can_not_be_computed_is_told_without_its_values(tmp_path: Path) -> None:
    more = {"models/broken.sql": "select cast('secret' || id as int) as n from {{ ref('orders') }}"}
    code = "import pyarrow as pa\ndef model(broken: pa.Table):\n    return broken\n"
    found = failure(folder_of(tmp_path, code, more))
    assert (found.code, found.where, "secret" in found.render()) == ("model-sql", "models/gold/daily.py", False)


UNITS = (
    "unit_tests:\n  - name: doubled\n    model: daily\n    given:\n      - input: ref('orders')\n"
    "        rows: [{id: 1, amount: 2.50}]\n    expect:\n      rows: [{id: 1, twice: 5.00}]\n"
    "  - name: only_new\n    model: added\n    overrides: {macros: {is_incremental: true}}\n"
    "    given:\n      - {input: ref('orders'), rows: [{id: 1}, {id: 2}]}\n      - {input: this, rows: [{id: 1}]}\n"
    "    expect:\n      rows: [{id: 2}]\n"
)


def test_unit_tests_call_the_function_with_the_rows_that_they_give(tmp_path: Path) -> None:
    code = "def model(orders):\n    return orders.project('id, amount * 2 as twice')\n"
    folder = folder_of(tmp_path, code, {"models/gold/models.yml": UNITS, "models/gold/added.py": INCREMENTAL})
    assert folder.run().status == "ok"
    folder.write("models/gold/daily.py", code.replace("* 2", "* 3"))
    found = failure(folder)
    assert (found.code, "twice: 5" in found.what, "twice: 7.5" in found.what) == ("unit-test-failed", True, True)


def test_a_process_that_dies_leaves_the_old_table(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "def model(orders):\n    return orders\n")
    folder.run()
    folder.write("models/gold/daily.py", "def model(orders):\n    return orders.limit(1)\n")
    for point in ("before_write", "after_stage", "after_write"):

        def die(name: str, point: str = point) -> None:
            if name == point:
                raise KeyboardInterrupt

        faults.install(die)
        with pytest.raises(KeyboardInterrupt):
            folder.run("daily")
        faults.install(None)
        assert len(folder.behind("FROM gold.daily")) == 3
    assert folder.step("daily").status == "ok"
    assert len(rows(folder)) == 1
