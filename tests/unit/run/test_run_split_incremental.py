"""Incremental models with a contract: the new rows of a run are split before they join those that stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core import faults
from headgate.core.errors import ProjectError

RAW = "table: raw.orders\nfrom: data/*.csv\ncolumns:\n  id: int\n  amount: int\n  seen: timestamp\n"
NEW = """\
select id, amount, seen from {{ ref('raw.orders') }}
{% if is_incremental() %} where seen > (select max(seen) from {{ this }}) {% endif %}
"""
APPEND = "{{ config(materialized='incremental') }}\n" + NEW
MERGE = "{{ config(materialized='incremental', unique_key='ID') }}\n" + NEW
CONTRACT = """\
models:
  - name: good
    contract:
      columns:
        id: int, required
        amount: int, required, min(0)
        seen: timestamp
"""
HEAD = "id,amount,seen\n"
FIRST = HEAD + "1,10,2024-01-01 00:00:00\n2,-5,2024-01-02 00:00:00\n3,30,2024-01-03 00:00:00\n"


def folder_of(root: Path, sql: str, contract: str = CONTRACT) -> Folder:
    files = {"ingest/orders.yml": RAW, "models/gold/good.sql": sql, "models/gold/good.yml": contract}
    folder = Folder.make(root, {**files, "data/1.csv": FIRST})
    assert folder.run().status == "ok"
    return folder


def more(folder: Folder, rows: str, name: str = "2") -> tuple[str, int, int, int]:
    folder.write(f"data/{name}.csv", HEAD + rows)
    step = folder.step("good")
    return step.status, step.rows_read, step.rows_loaded, step.rows_quarantined


def rows(folder: Folder) -> list[tuple[object, ...]]:
    return folder.behind("SELECT id, amount FROM gold.good ORDER BY ALL")


def test_new_rows_are_split_and_added(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, APPEND)
    assert rows(folder) == [(1, 10), (3, 30)]
    assert folder.step("good").status == "skipped"
    new = "1,11,2024-01-04 00:00:00\n5,-1,2024-01-05 00:00:00\n,7,2024-01-06 00:00:00\n"
    assert more(folder, new) == ("ok", 3, 1, 2)
    assert rows(folder) == [(1, 10), (1, 11), (3, 30)]
    assert [reasons for _, _, reasons in folder.refused("gold.good")] == [
        [("min", "amount")], [("min", "amount")], [("required", "id")],
    ]  # fmt: skip
    entry = folder.open().ledger("gold.good").entries[0]
    assert (entry.kind, entry.rows_read, entry.rows_added, entry.rows_removed) == ("build", 3, 1, 0)
    assert folder.codes() == []
    folder.write("models/gold/reader.sql", "select * from {{ ref('good') }}\n")
    folder.run()
    assert folder.behind("SELECT * FROM gold.reader LIMIT 0") == []
    columns = [row[0] for row in folder.behind("SELECT column_name FROM (DESCRIBE gold.reader)")]
    assert columns == ["id", "amount", "seen"]


def test_a_key_of_the_contract_is_checked_against_the_rows_that_stand(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, APPEND, CONTRACT.replace("id: int, required", "id: int, key"))
    assert more(folder, "1,11,2024-01-04 00:00:00\n4,40,2024-01-05 00:00:00\n") == ("ok", 2, 1, 1)
    assert rows(folder) == [(1, 10), (3, 30), (4, 40)]
    assert folder.codes() == []


def test_new_rows_are_split_and_merged(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, MERGE)
    new = "1,11,2024-01-04 00:00:00\n3,-3,2024-01-05 00:00:00\n4,40,2024-01-06 00:00:00\n,1,2024-01-06 00:00:00\n"
    assert more(folder, new + "5,1,2024-01-06 00:00:00\n5,2,2024-01-06 00:00:00\n") == ("ok", 6, 2, 4)
    assert rows(folder) == [(1, 11), (3, 30), (4, 40)]
    found = [reasons for _, _, reasons in folder.refused("gold.good")][1:]
    assert sorted(found, key=str) == sorted(
        [[("min", "amount")], [("key", "id")], [("key", "id")], [("required", "id")]], key=str
    )
    entry = folder.open().ledger("gold.good").entries[0]
    assert (entry.detail["inserted"], entry.detail["updated"], entry.rows_removed) == (1, 1, 0)
    assert folder.codes() == []


def test_records_are_replayed_and_not_superseded_by_the_next_build(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, APPEND)
    assert more(folder, "4,40,2024-01-04 00:00:00\n") == ("ok", 1, 1, 0)
    assert len(folder.refused("gold.good")) == 1
    folder.write("models/gold/good.yml", CONTRACT.replace("min(0)", "min(-9)"))
    assert folder.open().replay(table="gold.good").rows_loaded == 1
    assert rows(folder) == [(1, 10), (2, -5), (3, 30), (4, 40)]
    assert folder.codes() == []
    assert folder.step("good").rows_loaded == 0  # the contract changed; nothing is new
    assert rows(folder) == [(1, 10), (2, -5), (3, 30), (4, 40)]
    assert folder.codes() == []


def test_a_record_that_a_later_row_of_its_key_overtook_is_not_replayed(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, MERGE)
    assert more(folder, "2,20,2024-01-04 00:00:00\n") == ("ok", 1, 1, 0)
    folder.write("models/gold/good.yml", CONTRACT.replace("min(0)", "min(-9)"))
    folder.open().replay(table="gold.good")
    assert rows(folder) == [(1, 10), (2, 20), (3, 30)]
    assert folder.refused("gold.good")[0][2] == [("replay", "id")]
    assert folder.codes() == []


def test_a_limit_and_a_failed_test_keep_what_stands(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, MERGE, CONTRACT + "      refuse_at_most: 50%\n")
    new = "4,-4,2024-01-04 00:00:00\n1,11,2024-01-04 00:00:00\n5,-5,2024-01-04 00:00:00\n"
    assert more(folder, new)[0] == "refused"
    assert rows(folder) == [(1, 10), (3, 30)]
    assert len(folder.refused("gold.good", "held")) == 2
    folder.write("models/gold/good.yml", CONTRACT + "    tests: [{row_count: {max: 1}}]\n")
    (finding,) = folder.run().findings
    assert (finding.code, finding.evidence["left"]) == ("check-failed", "gold.good__hg_failed")
    assert folder.behind("SELECT id, amount FROM gold.good__hg_failed") == [(1, 11)]
    assert rows(folder) == [(1, 10), (3, 30)]
    assert folder.codes() == []
    folder.write("models/gold/good.yml", CONTRACT + "    tests: [{row_count: {max: 2}}]\n")
    assert folder.step("good").status == "ok"
    assert rows(folder) == [(1, 11), (3, 30)]
    assert len(folder.refused("gold.good")) == 3
    assert folder.codes() == []


def test_the_table_follows_its_contract(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, APPEND)
    folder.write("models/gold/good.sql", APPEND.replace("amount, seen", "amount, seen, amount * 2 as twice"))
    folder.write("models/gold/good.yml", CONTRACT + "        twice: bigint\n")
    step_status, *_ = more(folder, "4,40,2024-01-04 00:00:00\n")
    assert step_status == "ok"
    assert folder.behind("SELECT id, twice FROM gold.good ORDER BY id") == [(1, None), (3, None), (4, 80)]
    assert folder.codes() == []


def test_a_full_refresh_builds_all_and_supersedes(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, MERGE)
    more(folder, "4,-4,2024-01-04 00:00:00\n")
    assert len(folder.refused("gold.good")) == 2
    step = folder.step("good", "good", full_refresh=True)
    assert (step.rows_read, step.rows_loaded, step.rows_quarantined) == (4, 2, 2)
    assert len(folder.refused("gold.good")) == 2
    assert folder.codes() == []


def test_a_contract_neither_comes_nor_goes_in_silence(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, APPEND)
    folder.write("models/gold/good.yml", "models: [{name: good}]\n")
    (finding,) = folder.run().findings
    assert (finding.code, rows(folder)) == ("model-contract", [(1, 10), (3, 30)])
    assert folder.step("good", "good", full_refresh=True).status == "ok"
    folder.write("models/gold/good.yml", CONTRACT)
    (finding,) = folder.run().findings
    assert (finding.code, len(rows(folder))) == ("model-contract", 3)
    assert folder.step("good", "good", full_refresh=True).rows_quarantined == 1
    assert folder.codes() == []


def test_a_crash_leaves_old_or_new_rows(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, MERGE)
    folder.write("data/2.csv", HEAD + "1,11,2024-01-04 00:00:00\n4,-4,2024-01-05 00:00:00\n")
    folder.run("raw.orders")
    old, new = [(1, 10), (3, 30)], [(1, 11), (3, 30)]
    for point, standing in (("after_stage", old), ("after_write", old), ("after_commit", new)):

        def crash(reached: str, at: str = point) -> None:
            if reached == at:
                raise KeyboardInterrupt

        faults.install(crash)
        try:
            with pytest.raises(KeyboardInterrupt):
                folder.run("good")
        finally:
            faults.install(None)
        assert rows(folder) == standing
        assert folder.codes() == []
    folder.run()
    assert (rows(folder), len(folder.refused("gold.good"))) == (new, 2)


@pytest.mark.parametrize(
    ("sql", "contract", "what"),
    [
        (APPEND.replace("'incremental'", "'incremental', time_column='seen'"), CONTRACT, "is built by intervals"),
        (MERGE.replace("ID", "nr"), CONTRACT, "has unique_key 'nr', which the contract does not name"),
        (MERGE, CONTRACT.replace("amount: int", "amount: int, key"), "its contract says that the key is amount"),
        (APPEND.replace("'incremental'", "'incremental', on_schema_change='sync'"), CONTRACT, "says on_schema_change"),
        (APPEND.replace("'incremental'", "'snapshot', unique_key='id', strategy='check', check_cols='all'"),
         CONTRACT, "is a snapshot"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(tmp_path: Path, sql: str, contract: str, what: str) -> None:
    files = {"ingest/orders.yml": RAW, "models/gold/good.sql": sql, "models/gold/good.yml": contract}
    with pytest.raises(ProjectError) as caught:
        Folder.make(tmp_path, files).run()
    finding = caught.value.finding
    assert (finding.code, finding.where) == ("model-contract", "models/gold/good.yml:4:7")
    assert what in finding.what
