"""What `explain` says of a step, and what stands out in a query that was run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.adapters.postgres.profile import profile as postgres_profile
from headgate.core.errors import ProjectError
from headgate.core.profile import Operator, Profile
from headgate.core.values import TableRef
from headgate.models.names import read_view
from headgate.run.explain import _findings

FILES = {
    "ingest/orders.yml": "table: raw.orders\nfrom: data/*.csv\ncolumns:\n  id: int, key\n  grp: int\n",
    "data/1.csv": "id,grp\n" + "".join(f"{number},{number % 7}\n" for number in range(300)),
    "models/daily.sql": "select grp, count(*) as n from {{ ref('raw.orders') }} as o group by grp",
    "models/pairs.sql": "select a.id, b.id as other from {{ ref('raw.orders') }} a, {{ ref('raw.orders') }} b",
    "models/grown.sql": "{{ config(materialized='incremental', unique_key='id') }}\n"
    "select * from {{ ref('raw.orders') }} {% if is_incremental() %} where id > 5 {% endif %}",
}


def codes(profile: Profile) -> list[str]:
    return [one.code for one in _findings(profile, "m")]


def test_a_step_says_what_it_reads_and_why_it_would_run(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, FILES)
    before = folder.open().explain("daily")
    assert (before.status, before.reason, before.inputs) == ("run", "not built yet", ("raw.orders",))
    with pytest.raises(ProjectError, match="has not been loaded"):
        folder.open().explain("daily", analyze=True)
    folder.run()
    after = folder.open().explain("daily")
    assert (after.status, after.reason, after.adds) == ("skip", "nothing changed", False)
    assert "group by grp" in after.sql
    load = folder.open().explain("raw.orders")
    assert (load.kind, load.file, load.sql, load.reason) == ("load", "ingest/orders.yml", "", "nothing new")
    folder.write("data/2.csv", "id,grp\n1000,1\n")
    assert folder.open().explain("daily").reason == "raw.orders changes"


def test_only_one_step_is_explained(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, FILES | {"models/gold/a.sql": "select 1 as a", "models/gold/b.sql": "select 1 as b"})
    for name in ("gold", "*", "kind:model"):
        with pytest.raises(ProjectError, match="steps, and one is explained at a time"):
            folder.open().explain(name)
    with pytest.raises(ProjectError, match="did you mean 'daily'"):
        folder.open().explain("dayly")
    assert folder.open().explain("GOLD.A").id == folder.open().explain("a").id == "a"


def test_a_task_says_what_it_waits_for(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, FILES | {"tasks/tell.yml": "shell: [echo, done]\nneeds: [daily]\n"})
    told = folder.open().explain("tell")
    assert (told.kind, told.table, told.file, told.inputs) == ("task", "", "tasks/tell.yml", ("daily",))
    assert (told.status, told.materialized) == ("run", "shell")
    with pytest.raises(ProjectError, match="has no query"):
        folder.open().explain("tell", analyze=True)


def test_of_an_incremental_model_the_sql_is_that_of_the_next_run(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, FILES)
    assert "id > 5" not in folder.open().explain("grown").sql
    folder.run("raw.orders", "grown")
    adding = folder.open().explain("grown")
    assert adding.adds
    assert "id > 5" in adding.sql
    anew = folder.open().explain("grown", full_refresh=True)
    assert not anew.adds
    assert "id > 5" not in anew.sql


def test_analyze_runs_the_query_and_writes_nothing(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, FILES)
    folder.run("raw.orders")
    answer = folder.open().explain("pairs", analyze=True)
    assert answer.analysis is not None
    assert [one.code for one in answer.analysis.findings] == ["analyze-cross-product"]
    assert "90,000 rows" in answer.analysis.findings[0].what
    scans = [one for one in answer.analysis.operators if one.scanned is not None]
    assert [(one.rows, one.scanned) for one in scans] == [(300, 300), (300, 300)]
    assert folder.behind("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'pairs'") == [(0,)]
    # No view for models stood yet: the table was read itself, and none was made.
    view = read_view(TableRef("raw", "orders"))
    assert folder.behind(f"SELECT count(*) FROM duckdb_views() WHERE schema_name = '{view.schema}'") == [(0,)]
    assert type(answer).from_json(json.loads(json.dumps(answer.to_json()))) == answer


def test_a_load_and_sql_that_fails_can_not_be_analyzed(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, FILES | {"models/bad.sql": "select nope from {{ ref('raw.orders') }}"})
    folder.run("raw.orders")
    with pytest.raises(ProjectError, match="has no query of its own") as refused:
        folder.open().explain("raw.orders", analyze=True)
    assert refused.value.finding.code == "no-query"
    with pytest.raises(ProjectError, match="nope") as failed:
        folder.open().explain("bad", analyze=True)
    assert (failed.value.finding.code, failed.value.finding.where) == ("model-sql", "models/bad.sql")


JOIN = Operator(0, "HASH_JOIN", "k = k", 90_000, 0.1, "join", 30_000, inputs=(30_000, 1_000))
SCAN = Operator(1, "SEQ_SCAN", "big, k=5", 600, 0.1, "scan", 600, 600_000, filtered=True)


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        (JOIN, ["analyze-fan-out"]),
        (Operator(0, "HASH_JOIN", "k = k", 30_001, 0.1, "join", 30_000, inputs=(30_000, 1_000)), []),
        (Operator(0, "Nested Loop", "", 90_000, 0.1, "join", 90_000, inputs=(30_000, 0)), []),
        (SCAN, ["analyze-no-pruning"]),
        (Operator(1, "SEQ_SCAN", "big", 600_000, 0.1, "scan", 600_000, 600_000), []),
        (Operator(1, "SEQ_SCAN", "big, k>5", 500_000, 0.1, "scan", 500_000, 600_000, filtered=True), []),
        (Operator(1, "SEQ_SCAN", "id=5", 1, 0.1, "scan", 1, 122_880, filtered=True), []),
        (Operator(0, "CROSS_PRODUCT", "", 9_000_000, 0.1, "cross"), ["analyze-cross-product"]),
        (Operator(0, "CROSS_PRODUCT", "", 9, 0.1, "cross"), []),
        (Operator(1, "SEQ_SCAN", "big", 200_000, 0.1, "scan", 1_000, 200_000), ["analyze-estimate"]),
        (Operator(1, "SEQ_SCAN", "big", 0, 0.1, "scan", 50_000, 50_000), ["analyze-estimate"]),
        (Operator(1, "SEQ_SCAN", "big", 9_000, 0.1, "scan", 1, 9_000), []),
        (Operator(1, "PROJECTION", "", 200_000, 0.1, "other", 1_000), []),
    ],
)
def test_only_what_stands_out_is_told(operator: Operator, expected: list[str]) -> None:
    assert codes(Profile(0.1, 0, (operator,))) == expected


def test_what_went_to_disk_is_told() -> None:
    (finding,) = _findings(Profile(0.1, 64_000_000, ()), "m")
    assert (finding.code, finding.what) == ("analyze-spill", "64 MB did not fit in memory and went to disk")


def node(kind: str, rows: float, *plans: dict[str, object], loops: int = 1, **more: object) -> dict[str, object]:
    return {
        "Node Type": kind, "Actual Rows": rows, "Actual Loops": loops, "Plan Rows": rows, "Actual Total Time": 2.0,
        "Plans": list(plans), **{name.replace("_", " "): value for name, value in more.items()},
    }  # fmt: skip


def test_a_profile_of_postgres_counts_rows_over_all_loops() -> None:
    scan = node("Seq Scan", 10, Relation_Name="orders", Filter="(k = 5)", Rows_Removed_by_Filter=990)
    lookup = node("Index Scan", 3, loops=10, Relation_Name="items", Index_Cond="(k = o.k)")
    loop = node("Nested Loop", 30, scan, lookup, Join_Type="Inner", Temp_Written_Blocks=2)
    made = postgres_profile([{"Plan": loop, "Planning Time": 1.0, "Execution Time": 4.0}])
    assert (made.seconds, made.spilled) == (0.005, 16384)
    join, first, second = made.operators
    assert (join.role, join.rows, join.inputs, join.depth) == ("join", 30, (10, 0), 0)
    assert (first.rows, first.scanned, first.filtered, first.depth) == (10, 1000, True, 1)
    assert (second.rows, second.scanned, second.seconds) == (30, None, 0.02)


def test_a_nested_loop_without_any_condition_is_a_cross_product() -> None:
    sides = node("Seq Scan", 300, Relation_Name="a"), node("Materialize", 300, loops=300)
    (loop, *_) = postgres_profile(json.dumps([{"Plan": node("Nested Loop", 90_000, *sides)}])).operators
    assert loop.role == "cross"
    (loop, *_) = postgres_profile([{"Plan": node("Nested Loop", 90_000, *sides, Join_Filter="(a < b)")}]).operators
    assert loop.role == "join"


def test_postgres_profiles_a_model_without_writing(tmp_path: Path, postgres: str) -> None:
    folder = Folder.make(tmp_path, FILES)
    folder.write("headgate.yml", f"project: p\nwarehouse: {postgres}\n")
    folder.run("raw.orders")
    answer = folder.open().explain("pairs", analyze=True)
    assert answer.analysis is not None
    assert [one.code for one in answer.analysis.findings] == ["analyze-cross-product"]
    assert [one.name for one in answer.analysis.operators if one.scanned == 300]
    assert folder.rows("SELECT count(*) FROM pg_class WHERE relname = 'pairs'") == [(0,)]
    # The server takes one statement: a second one behind it does not run.
    folder.write("models/pairs.sql", "select 1 as x); create table public.evil (a int); select (2")
    with pytest.raises(ProjectError):
        folder.open().explain("pairs", analyze=True)
    assert folder.rows("SELECT count(*) FROM pg_class WHERE relname = 'evil'") == [(0,)]
