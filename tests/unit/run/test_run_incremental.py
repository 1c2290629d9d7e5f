"""Incremental models: what joins the rows that stand, what is refused, what late rows do."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import WAREHOUSE, Folder

from headgate.adapters.duckdb.store import DuckDBStore
from headgate.core import faults
from headgate.core.errors import ProjectError
from headgate.project.read import read_project
from headgate.run.build import build_model
from headgate.run.pipeline import assemble
from headgate.run.stale import inputs_of

RAW = """\
table: raw.orders
from: data/*.csv
columns:
  a: int
  b: int
  ts: timestamp
  amount: int
"""
HEAD = "a,b,ts,amount\n"
FIRST = HEAD + "1,1,2024-01-01 10:00:00,10\n2,,2024-01-02 10:00:00,20\n"


def folder_of(root: Path, sql: str, yml: str = "models: []\n") -> Folder:
    files = {"ingest/orders.yml": RAW, "data/1.csv": FIRST, "models/gold/t.sql": sql, "models/gold/t.yml": yml}
    return Folder.make(root, files)


def config(**settings: object) -> str:
    said = ", ".join(f"{key}={value!r}" for key, value in {"materialized": "incremental", **settings}.items())
    return f"{{{{ config({said}) }}}}\n"


ALL = "select * from {{ ref('raw.orders') }}"
NEW = ALL + "{% if is_incremental() %} where ts > (select max(ts) from {{ this }}){% endif %}"


def rows(folder: Folder, columns: str = "a, b, amount") -> list[tuple[object, ...]]:
    return folder.behind(f"SELECT {columns} FROM gold.t ORDER BY ALL")


@pytest.mark.parametrize("strategy", ["merge", "delete+insert"])
def test_a_null_in_a_key_is_equal_to_itself(tmp_path: Path, strategy: str) -> None:
    folder = folder_of(tmp_path, config(unique_key=["a", "b"], incremental_strategy=strategy) + NEW)
    folder.run()
    folder.write("data/2.csv", HEAD + "2,,2024-01-03 10:00:00,21\n3,,2024-01-03 11:00:00,30\n")
    step = folder.step("t")
    assert (step.status, step.rows_read, step.rows_loaded) == ("ok", 2, 2)
    assert rows(folder) == [(1, 1, 10), (2, None, 21), (3, None, 30)]
    entry = folder.open().ledger("gold.t").entries[0]
    assert (entry.rows_read, entry.rows_added, entry.rows_removed) == (2, 1, 0)
    assert (entry.detail["inserted"], entry.detail["updated"]) == (1, 1)
    assert folder.codes() == []


def test_rows_are_appended(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, config() + NEW)
    folder.run()
    folder.write("data/2.csv", HEAD + "1,1,2024-01-03 10:00:00,11\n")
    assert folder.step("t").rows_loaded == 1
    assert rows(folder) == [(1, 1, 10), (1, 1, 11), (2, None, 20)]
    assert folder.step("t").status == "skipped"
    assert folder.codes() == []


@pytest.mark.parametrize(("strategy", "first"), [("merge", True), ("delete+insert", False)])
def test_rows_of_one_key_are_refused(tmp_path: Path, strategy: str, first: bool) -> None:
    folder = folder_of(tmp_path, config(unique_key=["a", "b"], incremental_strategy=strategy) + NEW)
    if not first:
        folder.run()
    folder.write("data/2.csv", HEAD + "5,,2024-01-03 10:00:00,1\n5,,2024-01-03 11:00:00,2\n")
    answer = folder.run()
    (finding,) = answer.findings
    assert (answer.status, finding.code, finding.where) == ("failed", "unique-key", "models/gold/t.sql")
    assert finding.what == ("model 't': 2 rows share their unique_key (a, b) with another one, and only one can stand")
    assert len(folder.rows(str(finding.evidence["query"]))) == 2
    if not first:
        assert rows(folder) == [(1, 1, 10), (2, None, 20)]
    assert folder.codes() == []


def test_late_rows_are_found_by_the_load_that_brought_them(tmp_path: Path) -> None:
    sql = config(time_column="day") + (
        "select cast(ts as date) as day, sum(amount) as amount, count(*) as n from {{ ref('raw.orders') }} group by 1"
    )
    folder = folder_of(tmp_path, sql)
    folder.run()
    late = "7,1,2024-01-01 00:00:00,100\n8,1,2023-12-30 12:00:00,1\n9,1,2024-01-05 00:00:00,5\n"
    folder.write("data/2.csv", HEAD + late)
    step = folder.step("t")
    assert rows(folder, "day::text, amount, n") == [
        ("2023-12-30", 1, 1), ("2024-01-01", 110, 2), ("2024-01-02", 20, 1), ("2024-01-05", 5, 1),
    ]  # fmt: skip
    assert step.rows_loaded == 4
    told = folder.open().ledger("gold.t").entries[0].detail["intervals"]
    assert told["built"] == {"since": "2024-01-02", "late": ["2024-01-01"]}
    assert (told["from"], told["last"]) == ("2023-12-30", "2024-01-05")
    assert folder.codes() == []
    assert folder.step("t").status == "skipped"


def test_late_rows_are_found_through_views_and_joins(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, config(time_column="day", lookback=0) + (
        "select o.day, o.amount, s.name from {{ ref('stg') }} as o join {{ ref('raw.shops') }} as s on s.b = o.b"
    ))  # fmt: skip
    folder.write("models/silver/stg.sql", "select cast(ts as date) as day, b, amount from {{ ref('orders') }}")
    folder.write("ingest/shops.yml", "table: raw.shops\nfrom: shops/*.csv\ncolumns:\n  b: int\n  name: text\n")
    folder.write("shops/1.csv", "b,name\n1,one\n")
    folder.run()
    assert rows(folder, "day::text, amount, name") == [("2024-01-01", 10, "one")]
    folder.write(
        "data/2.csv", HEAD + "2,2,2024-01-01 05:00:00,30\n3,2,2024-01-09 00:00:00,40\n4,1,2024-01-05 01:00:00,60\n"
    )
    folder.run()
    folder.write("shops/2.csv", "b,name\n2,two\n")
    folder.write("data/3.csv", HEAD + "5,1,2024-01-02 00:00:00,50\n")
    folder.run()
    # The 1st is found by the new shop alone, the 2nd by the new order.
    built = folder.open().ledger("gold.t").entries[0].detail["intervals"]["built"]
    assert built["late"] == ["2024-01-01", "2024-01-02"]
    assert rows(folder, "day::text, amount, name") == [
        ("2024-01-01", 10, "one"), ("2024-01-01", 30, "two"), ("2024-01-02", 50, "one"), ("2024-01-05", 60, "one"),
        ("2024-01-09", 40, "two"),
    ]  # fmt: skip
    assert folder.behind("SELECT count(*) FROM duckdb_schemas() WHERE schema_name LIKE '_hg_late%'") == [(0,)]


def test_all_is_built_where_rows_of_an_input_changed_unless_a_lookback_is_said(tmp_path: Path) -> None:
    sql = "select cast(ts as date) as day, amount from {{ ref('raw.orders') }}"
    folder = folder_of(tmp_path, config(time_column="day") + sql)
    folder.write("ingest/orders.yml", RAW.replace("columns:", "load: {upsert: a}\ncolumns:"))
    folder.run()
    folder.write("data/2.csv", HEAD + "1,1,2024-01-02 09:00:00,11\n")
    folder.run()
    assert rows(folder, "day::text, amount") == [("2024-01-02", 11), ("2024-01-02", 20)]
    built = folder.open().ledger("gold.t").entries[0].detail["intervals"]["built"]
    assert built == {"all": "rows of raw.orders that were there changed or went"}
    folder.write("models/gold/t.sql", config(time_column="day", lookback=2) + sql)
    folder.run()
    folder.write("data/3.csv", HEAD + "9,1,2024-01-09 09:00:00,90\n1,1,2024-01-03 09:00:00,12\n")
    folder.run()
    assert rows(folder, "day::text, amount") == [("2024-01-02", 20), ("2024-01-03", 12), ("2024-01-09", 90)]
    built = folder.open().ledger("gold.t").entries[0].detail["intervals"]["built"]
    assert (built["lookback"], built["unseen"]) == (2, "rows of raw.orders that were there changed or went")


def test_rows_without_a_time_are_built_each_time(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, config(time_column="ts") + ALL)
    folder.write("data/1.csv", FIRST + "3,3,,30\n")
    folder.run()
    folder.write("data/2.csv", HEAD + "4,4,,40\n5,5,2024-01-02 23:00:00,50\n")
    folder.run()
    assert [row[2] for row in rows(folder)] == [10, 20, 30, 40, 50]
    assert folder.codes() == []


@pytest.mark.parametrize(
    ("policy", "status", "columns", "codes"),
    [
        ("error", "failed", ["a", "b", "ts", "amount"], []),
        ("ignore", "ok", ["a", "b", "ts", "amount"], ["late-rows-lost", "schema-followed"]),
        ("sync_all_columns", "ok", ["a", "b", "ts", "amount", "twice"], ["late-rows-lost", "schema-followed"]),
    ],
)
def test_a_new_column_is_followed_as_declared(
    tmp_path: Path, policy: str, status: str, columns: list[str], codes: list[str]
) -> None:
    head = config(unique_key="a", on_schema_change=policy)
    folder = folder_of(tmp_path, head + NEW)
    folder.run()
    folder.write("models/gold/t.sql", head + NEW.replace("*", "*, 2 * amount as twice"))
    folder.write("data/2.csv", HEAD + "3,3,2024-01-03 10:00:00,30\n")
    answer = folder.run()
    step = next(one for one in answer.steps if one.id == "t")
    assert step.status == status
    found = folder.behind("SELECT column_name FROM (DESCRIBE gold.t)")
    assert [row[0] for row in found] == columns
    assert len(rows(folder)) == (2 if status == "failed" else 3)
    if status == "failed":
        assert [(one.code, one.evidence["changes"]) for one in answer.findings] == [
            ("schema-changed", ["column twice is new"])
        ]
    elif "twice" in columns:
        assert rows(folder, "a, twice") == [(1, None), (2, None), (3, 60)]
    assert [one.code for one in step.warnings if one.code != "built-before"] == codes
    assert folder.codes() == []


def test_sync_drops_a_column_that_is_gone_and_append_keeps_it(tmp_path: Path) -> None:
    for policy, left in (("append", ["a", "ts", "b"]), ("sync", ["a", "ts"])):
        head = config(unique_key="a", on_schema_change=policy)
        folder = folder_of(tmp_path / policy, head + NEW.replace("*", "a, ts, b"))
        folder.run()
        folder.write("models/gold/t.sql", head + NEW.replace("*", "a, ts"))
        folder.write("data/2.csv", HEAD + "3,3,2024-01-03 10:00:00,30\n")
        assert folder.step("t").status == "ok"
        assert [row[0] for row in folder.behind("SELECT column_name FROM (DESCRIBE gold.t)")] == left
        assert len(rows(folder, "a")) == 3


def test_another_type_is_never_squeezed_in(tmp_path: Path) -> None:
    head = config(unique_key="a", on_schema_change="sync")
    folder = folder_of(tmp_path, head + NEW)
    folder.run()
    folder.write("models/gold/t.sql", head + NEW.replace("*", "a, b, ts, amount / 3 as amount"))
    folder.write("data/2.csv", HEAD + "3,3,2024-01-03 10:00:00,10\n")
    (finding,) = folder.run().findings
    assert finding.code == "schema-changed"
    assert "the type of amount from BIGINT to DOUBLE" in finding.what


def test_a_failed_test_keeps_the_table_and_looks_at_all_rows_where_it_must(tmp_path: Path) -> None:
    yml = "models:\n  - name: t\n    columns:\n      - name: amount\n        tests: [unique, not_null]\n"
    folder = folder_of(tmp_path, config() + NEW, yml)
    folder.run()
    folder.write("data/2.csv", HEAD + "3,3,2024-01-03 10:00:00,10\n4,4,2024-01-03 10:00:00,\n")
    answer = folder.run()
    assert sorted((one.code, one.evidence["check"], one.evidence["rows"]) for one in answer.findings) == [
        ("check-failed", "not_null_t_amount", 1),
        ("check-failed", "unique_t_amount", 2),
    ]
    for finding in answer.findings:
        assert len(folder.rows(str(finding.evidence["query"]))) == finding.evidence["rows"]
    assert rows(folder) == [(1, 1, 10), (2, None, 20)]
    assert folder.codes() == []


def test_a_full_refresh_builds_all_rows_anew(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, config(unique_key="a") + NEW)
    folder.run()
    folder.write(
        "models/gold/t.sql", config(unique_key="a") + NEW.replace("select *", "select a, b, ts, -amount as amount")
    )
    step = folder.step("t")
    assert [one.code for one in step.warnings] == ["late-rows-lost", "built-before"]
    assert rows(folder, "amount") == [(10,), (20,)]
    folder.run("t", full_refresh=True)
    assert rows(folder, "amount") == [(-20,), (-10,)]
    assert folder.codes() == []


def test_a_backfill_builds_the_intervals_of_its_time(tmp_path: Path) -> None:
    text = "select cast(ts as date) as day, amount * {{ var('factor', 1) }} as amount from {{ ref('raw.orders') }}"
    folder = folder_of(tmp_path, config(time_column="day") + text)
    folder.run()
    folder.write("headgate.yml", f"warehouse: duckdb:{WAREHOUSE}\nvars: {{factor: 5}}\n")
    answer = folder.open().run(backfill="2024-01-01..2024-01-02")
    (step,) = [one for one in answer.steps if one.id == "t"]
    assert (step.status, step.reason) == ("ok", "asked for from 2024-01-01 to 2024-01-02")
    assert rows(folder, "day::text, amount") == [("2024-01-01", 50), ("2024-01-02", 100)]  # the newest, as always
    folder.write("data/2.csv", HEAD + "3,3,2024-01-03 10:00:00,1\n")
    folder.run()
    folder.write("headgate.yml", f"warehouse: duckdb:{WAREHOUSE}\nvars: {{factor: 7}}\n")
    folder.open().run(["t"], backfill="2024-01-01T12:00:00..2024-01-01T13:00:00")
    assert rows(folder, "day::text, amount") == [("2024-01-01", 70), ("2024-01-02", 100), ("2024-01-03", 7)]
    for wrong in ("2024-01-01", "2024-01-02..2024-01-01", "a..b", "2024-01-01..2024-01-02T00:00:00Z"):
        with pytest.raises(ProjectError) as caught:
            folder.open().run(backfill=wrong)
        assert (caught.value.finding.code, caught.value.finding.where) == ("bad-backfill", "--backfill")


def test_of_two_runners_the_second_finds_it_built(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, config() + ALL)
    folder.run()
    pipeline = assemble(read_project(tmp_path), tmp_path, "engine")
    model = next(one for one in pipeline.models if one.name == "t")
    store, others = DuckDBStore(tmp_path / WAREHOUSE), []

    def other_runner(point: str) -> None:
        if point == "before_write":
            faults.install(None)
            others.append(build_model(store, model, inputs_of(model, pipeline), "other"))

    faults.install(other_runner)
    try:
        assert build_model(store, model, inputs_of(model, pipeline), "first") is None
    finally:
        faults.install(None)
        store.close()
    assert [one.status for one in others] == ["built"]
    assert len(rows(folder)) == 4  # once more than at first, and not twice


def test_killed_anywhere_the_rows_that_stood_are_there(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, config(time_column="ts") + ALL)
    folder.run()
    before = rows(folder)
    folder.write("data/2.csv", HEAD + "1,1,2024-01-03 10:00:00,11\n9,1,2024-01-01 10:00:00,90\n")
    folder.run("raw.orders")
    for point in ("after_stage", "after_decide", "after_write"):

        def stop(name: str, point: str = point) -> None:
            if name == point:
                raise KeyboardInterrupt

        faults.install(stop)
        try:
            with pytest.raises(KeyboardInterrupt):
                folder.run("t")
        finally:
            faults.install(None)
        assert rows(folder) == before
    assert folder.codes() == []
    assert folder.step("t").status == "ok"
    assert rows(folder) == [(1, 1, 10), (1, 1, 11), (2, None, 20), (9, 1, 90)]
    assert folder.codes() == []


def test_a_select_that_fails_over_late_rows_is_the_models_mistake(tmp_path: Path) -> None:
    text = (
        "select cast(ts as date) as day, cast(100 / nullif(amount, 7) as tinyint) as share from {{ ref('raw.orders') }}"
    )
    folder = folder_of(tmp_path, config(time_column="DAY") + text)
    folder.run()
    folder.write("data/2.csv", HEAD + "3,3,2024-01-01 10:00:00,0\n")
    answer = folder.run()
    assert [(one.code, one.where.partition(":")[0]) for one in answer.findings] == [("model-sql", "models/gold/t.sql")]
    assert len(rows(folder, "day")) == 2
    assert folder.codes() == []


def test_an_incremental_model_is_published_with_its_group(tmp_path: Path) -> None:
    groups = "groups:\n  - name: g\n    publish_together: [t, total]\n"
    groups += "models:\n  - name: total\n    tests: [{row_count: {max: 1}}]\n"
    folder = folder_of(tmp_path, config(unique_key="a") + NEW, groups)
    total = "{{ config(materialized='table') }}select sum(amount) as amount from {{ ref('t') }}"
    folder.write("models/gold/total.sql", total)
    assert folder.run().status == "ok"
    folder.write("data/2.csv", HEAD + "1,1,2024-01-03 10:00:00,11\n")
    folder.write("models/gold/total.sql", total + " group by a")
    answer = folder.run()
    assert [one.code for one in answer.findings] == ["check-failed"]
    assert rows(folder) == [(1, 1, 10), (2, None, 20)]
    folder.write("models/gold/total.sql", total)
    assert folder.run().status == "ok"
    assert rows(folder) == [(1, 1, 11), (2, None, 20)]
    assert folder.behind("SELECT amount FROM gold.total") == [(31,)]
    assert folder.codes() == []
