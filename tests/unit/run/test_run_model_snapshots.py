"""Snapshots of models: versions of rows, in dbt's words, and where dbt's users lost some."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core.errors import ProjectError
from headgate.models.compile import compile_models
from headgate.models.model import ModelSource

RAW = """\
table: raw.customers
from: data/*.csv
load: replace
allow_empty: true
on_change: reload
columns: {id: int, region: text, name: text, seen: timestamp}
"""
HEAD = "id,region,name,seen\n"
ALL = "select * from {{ ref('raw.customers') }}"


def config(**settings: object) -> str:
    said = {"materialized": "snapshot", "unique_key": ["id", "region"], **settings}
    return "{{ config(" + ", ".join(f"{key}={value!r}" for key, value in said.items()) + ") }}\n"


TIME = config(strategy="timestamp", updated_at="seen")


def folder_of(root: Path, head: str, rows: str, sql: str = ALL) -> Folder:
    files = {"ingest/customers.yml": RAW, "models/gold/history.sql": head + sql, "data/1.csv": HEAD + rows}
    return Folder.make(root, files)


def go(folder: Folder, rows: str) -> str:
    """Runs over these rows; the status of the snapshot."""
    folder.write("data/1.csv", HEAD + rows)
    return folder.step("history").status


def versions(folder: Folder, columns: str = "id, name, dbt_valid_to is null") -> list[tuple[object, ...]]:
    return folder.behind(f"SELECT {columns} FROM gold.history ORDER BY id, dbt_valid_from")


def sound(folder: Folder, name: str = "history") -> None:
    """What holds of every history: versions of a key follow each other, and one at most is valid now."""
    assert folder.codes() == []
    assert folder.behind(
        f"""SELECT * FROM (SELECT *, lead(dbt_valid_from) OVER (PARTITION BY id, region ORDER BY dbt_valid_from) AS next
           FROM gold.{name}) WHERE dbt_valid_to <= dbt_valid_from OR (next IS NOT NULL AND dbt_valid_to IS NULL)
           OR next < dbt_valid_to"""
    ) == []  # fmt: skip
    assert folder.behind(f"SELECT count(*) - count(DISTINCT dbt_scd_id) FROM gold.{name}") == [(0,)]


def test_versions_by_time(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, TIME, "1,a,Ann,2024-01-01 00:00:00\n2,,Bob,2024-01-02 00:00:00\n")
    now = "{{ config(materialized='table') }} select id, name from {{ ref('history') }} where dbt_valid_to is null"
    folder.write("models/gold/now.sql", now)
    assert folder.run().status == "ok"
    assert folder.step("history").status == "skipped"
    assert go(folder, "1,a,Ann,2024-01-01 00:00:00\n2,,Rob,2024-02-02 00:00:00\n3,c,Cid,2024-02-03 00:00:00\n") == "ok"
    assert versions(folder, "id, name, dbt_valid_from::text, dbt_valid_to::text, dbt_updated_at::text") == [
        (1, "Ann", "2024-01-01 00:00:00", None, "2024-01-01 00:00:00"),
        (2, "Bob", "2024-01-02 00:00:00", "2024-02-02 00:00:00", "2024-01-02 00:00:00"),
        (2, "Rob", "2024-02-02 00:00:00", None, "2024-02-02 00:00:00"),
        (3, "Cid", "2024-02-03 00:00:00", None, "2024-02-03 00:00:00"),
    ]
    entry = folder.open().ledger("gold.history").entries[0]
    assert (entry.rows_read, entry.detail["inserted"], entry.detail["updated"]) == (3, 2, 1)
    said = entry.detail["snapshot"]
    assert (said["new"], said["changed"], said["deleted"]) == (1, 1, 0)
    assert folder.behind("FROM gold.now ORDER BY id") == [(1, "Ann"), (2, "Rob"), (3, "Cid")]
    found = folder.open().lineage("history.dbt_valid_from").up
    assert {one.from_column for one in found if one.depth == 1 and one.direct} == {"seen"}
    folder.write("data/1.csv", HEAD + "1,a,Eve,2024-01-01 00:00:00\n")  # the time of the change did not move
    (finding,) = folder.step("history").warnings
    assert (finding.code, finding.level, finding.evidence["rows"]) == ("change-unseen", "warning", 1)
    assert len(versions(folder)) == 4
    sound(folder)


def test_versions_by_comparison_have_one_instant(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, config(strategy="check", check_cols="all"), "1,a,Ann,\n2,b,,\n3,c,Cid,\n")
    folder.write("models/gold/narrow.sql", config(strategy="check", check_cols=["SEEN"]) + ALL)
    folder.run()
    go(folder, "1,a,,\n2,b,Bob,\n3,c,Cid,\n")
    assert versions(folder) == [
        (1, "Ann", False),
        (1, None, True),
        (2, None, False),
        (2, "Bob", True),
        (3, "Cid", True),
    ]
    assert folder.behind("SELECT count(DISTINCT dbt_valid_from), count(DISTINCT dbt_valid_to) FROM gold.history") == [
        (2, 1)
    ]
    go(folder, "1,a,Ann,\n2,b,Bob,\n3,c,Cid,\n")  # back as it was before
    assert [row for row in versions(folder) if row[0] == 1] == [(1, "Ann", False), (1, None, False), (1, "Ann", True)]
    assert folder.behind("SELECT id, name FROM gold.narrow ORDER BY id") == [(1, "Ann"), (2, None), (3, "Cid")]
    sound(folder)


BACK = {
    "ignored": config(strategy="check", check_cols="all"),
    "history": config(strategy="timestamp", updated_at="seen", hard_deletes="invalidate"),
    "told": config(strategy="timestamp", updated_at="seen", hard_deletes="new_record"),
    "compared": config(strategy="check", check_cols="all", hard_deletes="new_record"),
}


def test_rows_that_go_and_come_back(tmp_path: Path) -> None:
    both = "1,,Ann,2024-01-01 00:00:00\n2,b,Bob,2024-01-01 00:00:00\n"
    folder = folder_of(tmp_path, BACK["history"], both)
    for name, head in BACK.items():
        folder.write(f"models/gold/{name}.sql", head + ALL)
    folder.run()
    go(folder, "2,b,Bob,2024-01-01 00:00:00\n")
    for name in BACK:
        gone = folder.open().ledger(f"gold.{name}").entries[0].detail["snapshot"]
        assert (gone["new"], gone["changed"], gone["deleted"]) == (0, 0, 0 if name == "ignored" else 1)
    go(folder, "2,b,Rob,2024-02-01 00:00:00\n")  # still gone
    go(folder, both.replace("Bob,2024-01", "Rob,2024-02"))
    go(folder, "1,,Eve,2024-03-01 00:00:00\n2,b,Rob,2024-02-01 00:00:00\n")  # dated before the run that saw it again
    told = [("Ann", "False"), ("Ann", "True"), ("Ann", "False"), ("Eve", "False")]
    wanted = {"ignored": ["Ann", "Eve"], "history": ["Ann", "Ann", "Eve"], "told": told, "compared": told}
    for name, expected in wanted.items():
        says = "name, dbt_is_deleted" if expected is told else "name"
        found = folder.behind(f"SELECT {says} FROM gold.{name} WHERE id = 1 ORDER BY dbt_valid_from")
        assert found == [one if isinstance(one, tuple) else (one,) for one in expected], name
        sound(folder, name)


def test_what_can_be_no_version_is_refused(tmp_path: Path) -> None:
    good = "1,,Ann,2024-01-01 00:00:00\n"
    folder = folder_of(tmp_path, TIME, good)
    folder.run()
    for rows, code, what in (
        ("1,,Ann,2024-01-01 00:00:00\n1,,Eve,2024-02-01 00:00:00\n", "unique-key", "2 rows share their unique_key"),
        ("1,,Ann,\n", "updated-at-null", "1 row has no seen, so nobody can say from when they are valid"),
    ):
        folder.write("data/1.csv", HEAD + rows)
        (finding,) = folder.run().findings
        assert finding.code == code
        assert what in finding.what
        assert len(folder.rows(str(finding.evidence["query"]))) == finding.evidence["rows"]
        assert versions(folder) == [(1, "Ann", True)]
    assert go(folder, good.replace("Ann,2024-01", "Eve,2024-03")) == "ok"  # it goes on as if nothing had been
    assert versions(folder) == [(1, "Ann", False), (1, "Eve", True)]
    sound(folder)


def test_columns_come_and_go_and_names_are_yours(tmp_path: Path) -> None:
    names = {"dbt_valid_from": "since", "dbt_valid_to": "till", "dbt_scd_id": "version", "dbt_updated_at": "at"}
    end = "timestamp '9999-12-31 00:00:00'"
    how = {"strategy": "check", "check_cols": "all", "hard_deletes": "invalidate", "dbt_valid_to_current": end}
    head = config(snapshot_meta_column_names=names, **how)
    folder = folder_of(
        tmp_path, head, "1,a,Ann,\n2,b,Bob,\n", "select id, region, name from {{ ref('raw.customers') }}"
    )
    folder.run()
    folder.write(
        "models/gold/history.sql", head + "select id, region, 'x' || id as code from {{ ref('raw.customers') }}"
    )
    assert [one.what for one in folder.step("history").warnings] == [
        "model 'history': column code is new, and NULL in the rows of before"
    ]
    shown = "SELECT id, name, code, till = '9999-12-31' FROM gold.history ORDER BY id, since"
    assert folder.behind(shown) == [
        (1, "Ann", None, False), (1, None, "x1", True), (2, "Bob", None, False), (2, None, "x2", True),
    ]  # fmt: skip
    go(folder, "1,a,Ann,\n")
    assert folder.behind("SELECT id FROM gold.history WHERE till = '9999-12-31'") == [(1,)]
    columns = [row[0] for row in folder.behind("SELECT column_name FROM (DESCRIBE gold.history)")]
    assert columns == ["id", "region", "name", "version", "at", "since", "till", "code"]
    assert folder.codes() == []


def test_a_history_goes_on_as_it_began(tmp_path: Path) -> None:
    how = {"strategy": "check", "check_cols": "all"}
    folder = folder_of(tmp_path, config(**how), "1,a,Ann,\n")
    folder.run()
    other: list[tuple[dict[str, object], str]] = [
        ({"unique_key": ["id"]}, "unique_key is not what its history was written by (id, region)"),
        ({"dbt_valid_to_current": "date '9999-12-31'"}, "dbt_valid_to_current is not what"),
        ({"snapshot_meta_column_names": {"dbt_valid_to": "till"}}, "snapshot_meta_column_names is not what"),
    ]
    for settings, what in other:
        folder.write("models/gold/history.sql", config(**{**how, **settings}) + ALL)
        (finding,) = folder.run().findings
        assert finding.code == "snapshot-changed"
        assert what in finding.what
    assert versions(folder) == [(1, "Ann", True)]


def test_a_full_refresh_keeps_the_history(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, TIME, "1,a,Ann,2024-01-01 00:00:00\n")
    folder.run()
    folder.write("data/1.csv", HEAD + "1,a,Eve,2024-02-01 00:00:00\n")
    plan = {step.id: step.reason for step in folder.open().plan(full_refresh=True).steps}
    assert plan["history"] == "full refresh: a snapshot keeps its history"
    folder.run(full_refresh=True)
    assert versions(folder) == [(1, "Ann", False), (1, "Eve", True)]
    sound(folder)
    folder.behind("DROP TABLE gold.history")  # and it is not begun anew in silence
    (finding,) = folder.run().findings
    assert (finding.code, "run --full-refresh gold.history" in finding.fix) == ("snapshot-gone", True)
    assert folder.step("history", full_refresh=True).status == "ok"
    assert versions(folder) == [(1, "Eve", True)]
    sound(folder)


def test_a_table_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, TIME, "1,a,Ann,2024-01-01 00:00:00\n")
    folder.behind("CREATE SCHEMA gold", "CREATE TABLE gold.history AS SELECT 7 AS mine")
    (finding,) = folder.run().findings
    assert finding.code == "snapshot-place"
    assert folder.behind("FROM gold.history") == [(7,)]


def test_another_kind_does_not_take_the_place_of_a_history(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, TIME, "1,a,Ann,2024-01-01 00:00:00\n")
    folder.run()
    for kind, full in (("table", False), ("incremental", True)):
        folder.write("models/gold/history.sql", f"{{{{ config(materialized='{kind}') }}}} {ALL}")
        (finding,) = folder.run("history", full_refresh=full).findings
        assert finding.code == "snapshot-place"
    assert versions(folder) == [(1, "Ann", True)]
    folder.behind("ALTER TABLE gold.history RENAME TO history_until_now")
    assert folder.step("history").status == "ok"


def test_a_failed_check_keeps_the_history_and_leaves_the_versions(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, TIME, "1,a,Ann,2024-01-01 00:00:00\n")
    columns = "[{name: name, tests: [not_null]}, {name: dbt_scd_id, tests: [unique]}]"
    folder.write("models/gold/history.yml", f"models: [{{name: history, columns: {columns}}}]\n")
    folder.run()
    folder.write("data/1.csv", HEAD + "1,a,,2024-02-01 00:00:00\n")
    (finding,) = folder.run().findings
    assert finding.evidence["left"] == "gold.history__hg_failed"
    assert len(folder.rows(str(finding.evidence["query"]))) == 1
    assert folder.rows("SELECT name FROM gold.history__hg_failed ORDER BY dbt_valid_from") == [("Ann",), (None,)]
    assert versions(folder) == [(1, "Ann", True)]
    assert folder.behind("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'gold' ORDER BY 1") == [
        ("history",), ("history__hg_failed",),
    ]  # fmt: skip
    assert folder.codes() == []


YAML = """\
snapshots:
  - name: history
    relation: ref('raw.customers')
    config:
      schema: kept
      unique_key: [id, region]
      strategy: timestamp
      updated_at: seen
      hard_deletes: invalidate
      tags: [nightly]
    columns:
      - name: dbt_scd_id
        tests: [unique]
"""


def test_yaml_describes_one(tmp_path: Path) -> None:
    files = {
        "ingest/customers.yml": RAW,
        "models/gold/s.yml": YAML,
        "data/1.csv": HEAD + "1,,Ann,2024-01-01 00:00:00\n",
    }
    folder = Folder.make(tmp_path, files)
    assert folder.run().status == "ok"
    assert folder.step("history", "tag:nightly").status == "skipped"
    folder.write("data/1.csv", HEAD)
    folder.run()
    assert folder.behind("SELECT name, dbt_valid_to IS NULL FROM kept.history") == [("Ann", False)]
    folder.write("models/gold/s.yml", YAML.replace("raw.customers", "raw.custmers"))
    with pytest.raises(ProjectError) as caught:
        folder.run()
    assert [(one.code, one.where) for one in caught.value.findings] == [("unknown-ref", "models/gold/s.yml:3")]


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"unique_key": "id"}, "a snapshot needs a strategy"),
        ({"strategy": "check", "check_cols": "all"}, "a snapshot needs to know a row by its key"),
        ({"unique_key": "id", "strategy": "timestmp"}, "strategy='timestmp' is unknown (did you mean 'timestamp'?)"),
        ({"unique_key": "id", "strategy": "timestamp"}, "strategy='timestamp' needs to know when a row changed"),
        ({"unique_key": "id", "strategy": "check"}, "strategy='check' needs to know what to compare"),
        ({"unique_key": "id", "strategy": "check", "check_cols": []}, "check_cols=[] names no columns"),
        ({"unique_key": "id", "strategy": "check", "check_cols": "all", "hard_deletes": "drop"}, "hard_deletes='drop'"),
        ({"unique_key": "id", "strategy": "check", "check_cols": "all", "lookback": 3}, "lookback does not go with"),
        (
            {
                "unique_key": "id", "strategy": "check", "check_cols": "all",
                "snapshot_meta_column_names": {"dbt_valid_from": "dbt_valid_to"},
            },
            "snapshot_meta_column_names gives two columns one name",
        ),
        ({"materialized": "table", "strategy": "check"}, "strategy does not go with materialized='table'"),
    ],
)  # fmt: skip
def test_settings_that_go_wrong_are_told(settings: dict[str, object], what: str) -> None:
    said = {"materialized": "snapshot", **settings}
    text = "{{ config(" + ", ".join(f"{key}={value!r}" for key, value in said.items()) + ") }} select 1 as id"
    with pytest.raises(ProjectError) as caught:
        compile_models([ModelSource("history", Path("models/history.sql"), text)], [])
    assert (caught.value.finding.code, caught.value.finding.fix != "") == ("model-config", True)
    assert caught.value.finding.what.startswith(what)


def test_columns_that_are_not_there_are_told(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, TIME, "1,,Ann,2024-01-01 00:00:00\n")
    for column, sql, what in (
        ("sen", ALL, "updated_at: there is no column 'sen' (did you mean 'seen'?)"),
        ("name", ALL, "updated_at: 'name' is VARCHAR, no date and no timestamp"),
        ("seen", "select *, 1 as dbt_scd_id from {{ ref('raw.customers') }}", "its SELECT gives column 'dbt_scd_id'"),
    ):
        folder.write("models/gold/history.sql", config(strategy="timestamp", updated_at=column) + sql)
        (finding,) = folder.run().findings
        assert finding.code == "model-config"
        assert finding.what.startswith(f"snapshot 'history': {what}")
