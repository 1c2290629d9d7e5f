"""`headgate adopt` through files and the API: what is kept of a table that somebody else made, and what is told."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.api.results import AdoptResult
from headgate.core.errors import CommitError, ContractError, HeadgateError, ProjectError

INGEST = """table: raw.orders
from: data/*.csv
columns:
  id: int, key
  amount: decimal(8,2), min(0)
  note: text, from('The note')
"""
TABLE = (
    "CREATE TABLE raw.orders(id BIGINT, amount DECIMAL(8,2), note VARCHAR)",
    "INSERT INTO raw.orders VALUES (1, 1.50, 'a'), (2, -1, 'b'), (1, 3, 'c'), (4, NULL, NULL)",
)


def stands(root: Path, ingest: str = INGEST, *table: str, files: dict[str, str] | None = None) -> Folder:
    folder = Folder.make(root, {"ingest/orders.yml": ingest, **(files or {})})
    folder.behind("CREATE SCHEMA raw", *(table or TABLE))
    return folder


def adopt(folder: Folder, **how: object) -> AdoptResult:
    with folder.open() as project:
        return project.adopt("raw.orders", **how)  # type: ignore[arg-type]


def code_of(folder: Folder, **how: object) -> str:
    with pytest.raises(HeadgateError) as caught:
        adopt(folder, **how)
    return caught.value.finding.code


def test_run_and_check_say_how_a_table_gets_books(tmp_path: Path) -> None:
    folder = stands(tmp_path, files={"data/a.csv": "id,amount,The note\n9,3,y\n"})
    [finding] = folder.run().findings
    assert (finding.code, "headgate adopt raw.orders" in finding.fix) == ("table-unknown", True)
    assert "table-unknown" in [one.code for one in folder.open().check().findings]
    assert folder.open().plan().steps[0].reason.startswith("would stop: raw.orders exists in the warehouse")
    adopt(folder, source="new", quarantine=True)
    assert [one.code for one in folder.open().check().findings] == []
    assert folder.codes() == []


def test_a_refused_row_is_mended_and_comes_back_under_the_names_of_the_source(tmp_path: Path) -> None:
    folder = stands(tmp_path)
    found = adopt(folder, quarantine=True)
    assert (found.rows_read, found.rows_loaded, found.rows_quarantined) == (4, 2, 2)
    assert dict(found.reasons) == {"amount.min": 1, "id.key": 1}
    assert folder.refused("raw.orders") == [("", 2, [("min", "amount")]), ("", 3, [("key", "id")])]
    with folder.open() as project:
        first = project.quarantine("raw.orders").records[0]
        assert first.row == {"id": "2", "amount": "-1.00", "The note": "b"}
        project.quarantine_fix([first.id], set={"The note": "'mended'", "amount": "'7'"}, reason="typo", replay=True)
    assert folder.rows("SELECT id, note FROM raw.orders WHERE id = 2") == [(2, "mended")]
    assert folder.codes() == []


def test_it_must_be_said_whether_the_table_has_what_its_source_holds(tmp_path: Path) -> None:
    head = "id,amount,The note\n"
    folder = stands(tmp_path, files={"data/a.csv": f"{head}9,3,y\n", "data/b.csv": head})
    assert code_of(folder, quarantine=True) == "adopt-source"
    found = adopt(folder, source="seen", quarantine=True)
    assert (found.seen, found.skipped, found.waiting) == (2, 1, 0)
    assert folder.step("raw.orders").status == "skipped"
    assert [entry.detail.get("skips") for entry in folder.open().ledger("raw.orders").entries][-2] == {"adopted": 1}
    folder.write("data/c.csv", "id,amount,The note\n9,3,y\n")
    assert folder.step("raw.orders").rows_loaded == 1
    assert folder.codes() == []


def test_an_upsert_may_read_its_source_again_so_nothing_need_be_said(tmp_path: Path) -> None:
    ingest = INGEST.replace("columns:", "load: {upsert: id}\ncolumns:").replace("int, key", "int")
    folder = stands(tmp_path, ingest, files={"data/a.csv": "id,amount,The note\n4,8,y\n"})
    found = adopt(folder, quarantine=True)
    assert (found.rows_loaded, dict(found.reasons), found.waiting) == (1, {"amount.min": 1, "id.key": 2}, 1)
    assert folder.step("raw.orders").rows_loaded == 1
    assert folder.rows("SELECT id, amount FROM raw.orders") == [(4, "8.00")]
    assert folder.codes() == []


def test_a_two_line_ingest_takes_the_types_of_the_table(tmp_path: Path) -> None:
    folder = stands(tmp_path, "table: raw.orders\nfrom: data/*.csv\n")
    assert adopt(folder).rows_loaded == 4
    folder.write("data/a.csv", "id,amount,note\n7,1.5,2024\nx,1,z\n")
    assert folder.step("raw.orders").rows_loaded == 1
    assert folder.refused("raw.orders") == [("a.csv", 2, [("type", "id")])]
    assert folder.codes() == []


@pytest.mark.parametrize(
    ("ingest", "table", "word"),
    [
        (INGEST, "CREATE TABLE raw.orders(id BIGINT, amount DECIMAL(8,2))", None),
        (INGEST, "CREATE TABLE raw.orders(id BIGINT, amount DECIMAL(8,2), note VARCHAR, x VARCHAR)", "x (VARCHAR)"),
        (INGEST, "CREATE TABLE raw.orders(id BIGINT, amount VARCHAR, note VARCHAR)", "narrowed: evolve"),
        (INGEST, "CREATE TABLE raw.orders(id BIGINT, amount DECIMAL(8,2), note VARCHAR, _hg_load BIGINT)", "_hg_load"),
        (INGEST, "CREATE TABLE raw.orders(id BIGINT, amount DECIMAL(8,2), note VARCHAR, rowid BIGINT)", "rename"),
        (INGEST, "CREATE TABLE raw.orders(id BIGINT PRIMARY KEY, amount DECIMAL(8,2), note VARCHAR)", None),
        (INGEST, "CREATE TABLE raw.orders(id INTEGER PRIMARY KEY, amount DECIMAL(8,2), note VARCHAR)", "constraint"),
        (
            INGEST.replace("columns:", "load: upsert\ncolumns:"),
            "CREATE TABLE raw.orders(id BIGINT PRIMARY KEY, amount DECIMAL(8,2), note VARCHAR)",
            "PRIMARY KEY",
        ),
        (
            INGEST.replace("columns:", "load: {scd2: id}\ncolumns:"),
            "CREATE TABLE raw.orders(id BIGINT, amount DECIMAL(8,2), note VARCHAR)",
            "valid_from",
        ),
        (
            INGEST.replace("note: text, from('The note')", "note: text, from(id)"),
            "CREATE TABLE raw.orders(id BIGINT, amount DECIMAL(8,2), note VARCHAR)",
            "fed from",
        ),
    ],
)  # fmt: skip
def test_what_keeps_a_table_from_having_books_is_told_with_the_way_out(
    tmp_path: Path, ingest: str, table: str, word: str | None
) -> None:
    folder = stands(tmp_path, ingest, table)
    before = folder.behind("SELECT sql FROM duckdb_tables() WHERE table_name = 'orders'")
    if word is None:
        assert adopt(folder).rows_read == 0
        assert folder.codes() == []
        return
    with pytest.raises(HeadgateError) as caught:
        adopt(folder)
    assert word in caught.value.finding.what + caught.value.finding.fix
    assert folder.behind("SELECT sql FROM duckdb_tables() WHERE table_name = 'orders'") == before


def test_an_index_is_named_and_nothing_is_changed(tmp_path: Path) -> None:
    folder = stands(tmp_path, INGEST, *TABLE, 'CREATE INDEX "my ""own""" ON raw.orders(id)')
    with pytest.raises(CommitError) as caught:
        adopt(folder, quarantine=True)
    assert 'my "own"' in caught.value.finding.what
    folder.behind('DROP INDEX raw."my ""own"""')
    assert adopt(folder, quarantine=True).rows_loaded == 2


def test_a_dry_run_tells_what_would_be_refused_and_changes_nothing(tmp_path: Path) -> None:
    folder = stands(tmp_path, INGEST.replace("(8,2)", "(12,2)"))
    found = adopt(folder, dry_run=True)
    assert (found.dry_run, found.entry, found.rows_quarantined) == (True, "", 2)
    assert found.changes == ("amount: DECIMAL(8,2) to DECIMAL(12,2)",)
    assert len(found.sql) == 1
    assert folder.behind("SELECT count(*) FROM duckdb_columns() WHERE column_name = '_hg_load'") == [(0,)]
    assert folder.open().ledger().total == 0


def test_a_condition_that_cannot_be_evaluated_is_the_contracts_mistake(tmp_path: Path) -> None:
    folder = stands(tmp_path, INGEST + "rules:\n  odd: cast(note as int) > 0\n")
    with pytest.raises(ContractError) as caught:
        adopt(folder)
    assert caught.value.finding.code == "rule-failed"
    assert folder.codes() == ["table-unknown"]


def test_a_rule_in_python_sees_the_rows_that_stand(tmp_path: Path) -> None:
    ingest = INGEST + "rules:\n  odd: {python: rules/x.py:odd}\n"
    code = "def odd(row):\n    return None if row['id'] != 4 else 'four is none'\n"
    folder = stands(tmp_path, ingest, files={"rules/x.py": code})
    assert dict(adopt(folder, quarantine=True).reasons) == {"amount.min": 1, "id.key": 1, "odd": 1}
    assert folder.codes() == []


def test_a_row_that_stands_is_not_emptied_but_refused(tmp_path: Path) -> None:
    ingest = INGEST.replace("id: int, key", "id: int, references(raw.people.id, unmatched=null)")
    people = {
        "ingest/people.yml": "table: raw.people\nfrom: people.csv\ncolumns:\n  id: int\n",
        "people.csv": "id\n1\n",
    }
    folder = stands(tmp_path, ingest, *TABLE, files=people)
    folder.run("raw.people")
    assert dict(adopt(folder, quarantine=True).reasons) == {"amount.min": 1, "id.references": 2}
    assert folder.rows("SELECT DISTINCT id FROM raw.orders") == [(1,)]
    assert folder.codes() == []


def test_a_table_without_an_ingest_file_is_not_adopted(tmp_path: Path) -> None:
    folder = stands(tmp_path)
    with folder.open() as project, pytest.raises(ProjectError) as caught:
        project.adopt("raw.order")
    assert caught.value.finding.code == "unknown-table"
    assert "raw.orders" in caught.value.finding.what


def test_hostile_names_and_values_are_only_names_and_values(tmp_path: Path) -> None:
    evil = """a"'; DROP TABLE raw.orders; --"""
    name = evil.replace('"', '\\"')
    ingest = f'table: raw.orders\nfrom: data/*.csv\ncolumns:\n  id: int, key\n  "{name}": text, length(0, 3)\n'
    quoted = evil.replace('"', '""')
    folder = stands(
        tmp_path, ingest, f'CREATE TABLE raw.orders(id BIGINT, "{quoted}" VARCHAR)',
        "INSERT INTO raw.orders VALUES (1, 'x'), (2, '''; DROP TABLE raw.orders; --')",
    )  # fmt: skip
    assert adopt(folder, quarantine=True).rows_quarantined == 1
    assert folder.rows("SELECT id FROM raw.orders") == [(1,)]
    assert folder.codes() == []


KILLED = """
import os, signal, sys
from headgate.api import Project
from headgate.core import faults
faults.install(lambda reached: os.kill(os.getpid(), signal.SIGKILL) if reached == sys.argv[2] else None)
with Project.open(sys.argv[1]) as project:
    project.adopt("raw.orders", "seen", quarantine=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("point", "kept"), [("after_write", False), ("after_commit", True)])
def test_a_killed_adoption_is_whole_or_was_not(tmp_path: Path, point: str, kept: bool) -> None:
    folder = stands(tmp_path, INGEST, files={"data/a.csv": "id,amount,The note\n9,3,y\n"})
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), point], timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    if kept:
        assert code_of(folder, source="seen", quarantine=True) == "adopt-known"
    else:
        assert folder.behind("SELECT count(*) FROM raw.orders") == [(4,)]
        adopt(folder, source="seen", quarantine=True)
    assert folder.rows("SELECT count(*) FROM raw.orders") == [(2,)]
    assert folder.codes() == []
    assert folder.step("raw.orders").status == "skipped"
