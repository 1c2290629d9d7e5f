"""An upsert whose source tells of deletions: the row stays, says so, and is not brought back by an older record."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core.errors import CommitError, ProjectError

INGEST = """table: raw.accounts
from: data/*.csv
load: {upsert: id, order_by: at, deleted_if: op = 'D', keep_deleted: is_deleted}
columns:
  id: int
  op: text
  name: text, length(0, 3)
  at: date
"""
HEAD = "id,op,name,at\n"
ROWS = "SELECT id, name, is_deleted FROM raw.accounts ORDER BY id"


def accounts(root: Path, *records: str, ingest: str = INGEST) -> Folder:
    return Folder.make(root, {"ingest/accounts.yml": ingest, "data/a.csv": HEAD + "\n".join(records) + "\n"})


def deliver(folder: Folder, name: str, *records: str) -> None:
    folder.write(f"data/{name}.csv", HEAD + "\n".join(records) + "\n")
    assert folder.step("raw.accounts").status == "ok"


def test_an_older_record_does_not_bring_back_what_was_deleted_and_a_newer_one_does(tmp_path: Path) -> None:
    folder = accounts(tmp_path, "1,I,Ada,2024-01-01", "2,I,Ben,2024-01-01", "3,I,Cy,2024-01-01", "3,D,,2024-01-02")
    folder.run()
    assert folder.rows(ROWS) == [(1, "Ada", False), (2, "Ben", False), (3, None, True)]
    deliver(folder, "b", "1,D,,2024-01-05", "4,D,,2024-01-05")
    deliver(folder, "c", "1,U,Eve,2024-01-04", "2,U,Bea,2024-01-04", "4,I,Old,2024-01-01")
    assert folder.rows(ROWS) == [(1, None, True), (2, "Bea", False), (3, None, True), (4, None, True)]
    deliver(folder, "d", "1,I,New,2024-01-06")
    assert folder.rows(ROWS)[0] == (1, "New", False)
    entries = folder.open().ledger("raw.accounts").entries[::-1]
    told = [(entry.detail.get("deleted", 0), entry.rows_loaded, entry.rows_deduplicated) for entry in entries]
    assert told == [(1, 3, 1), (2, 2, 0), (0, 1, 2), (0, 1, 0)]
    assert folder.codes() == []


def test_a_replayed_record_keeps_to_the_order(tmp_path: Path) -> None:
    folder = accounts(tmp_path, "1,U,Much too long,2024-01-02", "2,U,Much too long,2024-01-09")
    folder.run()
    deliver(folder, "b", "1,D,,2024-01-05", "2,D,,2024-01-05")
    folder.write("ingest/accounts.yml", INGEST.replace(", length(0, 3)", ""))
    folder.open().replay(all=True)
    assert folder.rows(ROWS) == [(1, None, True), (2, "Much too long", False)]
    assert folder.codes() == []


def test_without_an_order_the_later_record_wins(tmp_path: Path) -> None:
    folder = accounts(tmp_path, "1,I,Ada,2024-01-01", "1,D,,2024-01-01", ingest=INGEST.replace(" order_by: at,", ""))
    folder.run()
    assert folder.rows(ROWS) == [(1, None, True)]
    deliver(folder, "b", "1,I,Ann,2023-01-01")
    assert folder.rows(ROWS) == [(1, "Ann", False)]


def test_a_null_condition_deletes_nothing(tmp_path: Path) -> None:
    folder = accounts(tmp_path, "1,,Ada,2024-01-01")
    folder.run()
    assert folder.rows(ROWS) == [(1, "Ada", False)]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (", keep_deleted: is_deleted", "", "deleted_if needs keep_deleted"),
        (" deleted_if: op = 'D',", "", "keep_deleted needs deleted_if"),
        ("is_deleted", "Name", "'Name' can't say what was deleted"),
        ("is_deleted", "_hg_x", "'_hg_x' can't say what was deleted"),
        ("upsert: id, order_by: at,", "insert: id,", "keep_deleted does not go with insert"),
        (INGEST[INGEST.index("columns:") :], "", "deleted_if needs columns:"),
    ],
)
def test_mistakes_are_told_where_they_are_written(tmp_path: Path, old: str, new: str, what: str) -> None:
    folder = accounts(tmp_path, "1,I,Ada,2024-01-01", ingest=INGEST.replace(old, new))
    with pytest.raises(ProjectError) as caught:
        folder.run()
    assert any(finding.what.startswith(what) for finding in caught.value.findings)


def test_a_condition_that_fails_is_named(tmp_path: Path) -> None:
    folder = accounts(tmp_path, "1,I,Ada,2024-01-01", ingest=INGEST.replace("op = 'D'", "cast(name as int) = 1"))
    [finding] = folder.run().findings
    assert (finding.code, "deleted_if" in finding.what) == ("rule-failed", True)
    assert folder.codes() == []


def test_a_table_of_others_cannot_say_what_was_deleted(tmp_path: Path) -> None:
    folder = accounts(tmp_path, "1,I,Ada,2024-01-01")
    folder.behind("CREATE SCHEMA raw", 'CREATE TABLE raw.accounts(id BIGINT, op VARCHAR, name VARCHAR, "at" DATE)')
    with folder.open() as project, pytest.raises(CommitError, match="which were deleted"):
        project.adopt("raw.accounts")
