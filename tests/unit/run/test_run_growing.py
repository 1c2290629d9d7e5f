"""`extra: evolve`: files bring columns, the books keep them, and the ingest file can be made to say them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from tests.unit.project_kit import Folder

from headgate.api.project import Project
from headgate.core import faults
from headgate.core.errors import ProjectError

COLUMNS = "columns:\n  id: int, key\n  amount: decimal(8,2), min(0)\n"
INGEST = "table: raw.orders\nfrom: data/*.csv\nextra: evolve\n"
FIRST = {"data/a.csv": "id,amount\n1,1.50\n"}


def orders(root: Path, ingest: str = INGEST + COLUMNS, files: dict[str, str] | None = None) -> Folder:
    return Folder.make(root, {"ingest/orders.yml": ingest, **(FIRST if files is None else files)})


def columns(folder: Folder) -> dict[str, str]:
    found = folder.behind("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'orders'")
    return {name: kind for name, kind in found if name != "_hg_load"}


@pytest.mark.parametrize("ingest", [INGEST + COLUMNS, INGEST], ids=["written", "two lines"])
def test_a_column_that_files_bring_is_typed_by_all_of_them_and_null_before(tmp_path: Path, ingest: str) -> None:
    folder = orders(tmp_path, ingest)
    folder.run()
    folder.write("data/b.csv", "id,amount,score,note\n2,2,7,x\n")
    folder.write("data/c.csv", "score,id,amount\n2.5,3,3\n")
    step = folder.step("raw.orders")
    assert step.rows_loaded == 2
    assert "added score DECIMAL(18,1)" in step.reason
    assert {name: columns(folder)[name] for name in ("score", "note")} == {"score": "DECIMAL(18,1)", "note": "VARCHAR"}
    assert folder.rows("SELECT id, score, note FROM raw.orders ORDER BY id") == [
        (1, None, None), (2, "7.0", "x"), (3, "2.5", None),
    ]  # fmt: skip
    assert [entry.kind for entry in folder.open().ledger("raw.orders").entries][::-1] == [
        "load",
        "evolve",
        "load",
        "load",
    ]
    changes = folder.open().schema_history("raw.orders").changes[0].changes
    assert set(changes) == {"added score DECIMAL(18,1)", "added note VARCHAR"}
    assert "score: decimal(18,1)" in folder.open().contract_show("raw.orders").text
    folder.write("data/d.csv", "id,amount,score\n4,4,much\n")
    folder.step("raw.orders")
    assert folder.refused("raw.orders") == [("d.csv", 1, [("type", "score")])]
    assert folder.codes() == []


def test_a_table_is_made_with_what_its_first_files_bring_and_forgets_it_when_made_anew(tmp_path: Path) -> None:
    folder = orders(tmp_path, files={**FIRST, "data/b.csv": "id,amount,note\n2,2,x\n"})
    folder.run()
    assert columns(folder) == {"id": "BIGINT", "amount": "DECIMAL(8,2)", "note": "VARCHAR"}
    (folder.root / "data/b.csv").unlink()
    folder.step("raw.orders", full_refresh=True)
    assert columns(folder) == {"id": "BIGINT", "amount": "DECIMAL(8,2)"}
    assert "note" not in folder.open().contract_show("raw.orders").text
    assert folder.codes() == []
    folder.open().restore("raw.orders")
    assert "note" in columns(folder)
    folder.write("data/c.csv", "id,amount,note\n3,3,y\n")
    assert folder.step("raw.orders").rows_loaded == 1
    assert folder.codes() == []


def test_plan_names_what_would_be_added_and_check_writes_what_was(tmp_path: Path) -> None:
    folder = orders(tmp_path)
    folder.run()
    folder.write("data/b.csv", 'id,amount,note,"a ""b"": c"\n2,2,x,1\n')
    [step] = folder.open().plan().steps
    assert step.reason == """1 new file; would add note, a "b": c"""
    folder.run()
    found = [one for one in folder.open().check().findings if one.code == "column-brought"]
    assert [one.evidence["column"] for one in found] == ["note", 'a "b": c']
    answer = Project.mend(folder.root)
    assert (answer.ok, len(answer.applied)) == (True, 1)
    text = (folder.root / "ingest/orders.yml").read_text()
    assert '  note: text\n  "a \\"b\\": c": bigint\n  id: int, key\n' in text
    assert [one.code for one in folder.open().check().findings] == []
    folder.write("data/c.csv", "id,amount\n3,3\n")  # what is written by now may still be missing in a file
    assert folder.step("raw.orders").rows_loaded == 1
    assert folder.step("raw.orders", full_refresh=True).rows_loaded == 3
    assert folder.codes() == []


def test_a_written_column_is_its_authors(tmp_path: Path) -> None:
    folder = orders(tmp_path)
    folder.run()
    folder.write("data/b.csv", "id,amount,note\n2,2,7\n")
    folder.run()
    policy = "evolution: {narrowed: evolve}\n"
    folder.write("ingest/orders.yml", INGEST + policy + COLUMNS + "  remark: text, was(note), from(note), required\n")
    assert folder.step("raw.orders").status == "ok"
    folder.write("ingest/orders.yml", INGEST + policy + COLUMNS + "  remark: text, was(note), from(note)\n")
    folder.write("data/c.csv", "id,amount,note\n3,3,x\n")
    assert folder.step("raw.orders").rows_loaded == 1
    assert folder.rows("SELECT remark FROM raw.orders ORDER BY id") == [(None,), ("7",), ("x",)]
    assert folder.codes() == []


def test_without_the_word_a_brought_column_is_the_contracts_misfit(tmp_path: Path) -> None:
    folder = orders(tmp_path, files={**FIRST, "data/b.csv": "id,amount,note\n2,2,x\n"})
    folder.run()
    folder.write("ingest/orders.yml", INGEST.replace("evolve", "ignore") + COLUMNS)
    folder.write("data/c.csv", "id,amount,note\n3,3,y\n")
    assert folder.run().findings[0].code == "contract-misfit"
    folder.write("ingest/orders.yml", INGEST.replace("evolve", "ignore") + "evolution: {missing: evolve}\n" + COLUMNS)
    assert folder.step("raw.orders").rows_loaded == 1
    assert "note" not in columns(folder)
    assert folder.codes() == []


def test_parquet_files_bring_columns_of_their_own_types(tmp_path: Path) -> None:
    folder = orders(tmp_path, INGEST.replace("csv", "parquet") + COLUMNS, {})
    (tmp_path / "data").mkdir()

    def deliver(name: str, select: str) -> None:
        duckdb.execute(f"COPY ({select}) TO '{tmp_path / 'data' / name}' (FORMAT parquet)")

    deliver("a.parquet", "SELECT 1::BIGINT AS id, 1.5::DECIMAL(8,2) AS amount")
    folder.run()
    deliver("b.parquet", "SELECT 2::BIGINT AS id, 1.5::DECIMAL(8,2) AS amount, DATE '2024-01-02' AS day, {'a': 1} AS s")
    deliver("c.parquet", "SELECT 3::BIGINT AS id, 1.5::DECIMAL(8,2) AS amount, 7 AS day, NULL::INT AS n")
    folder.run()
    assert columns(folder) | {"id": "", "amount": ""} == {
        "id": "", "amount": "", "day": "VARCHAR", "s": "JSON", "n": "BIGINT",
    }  # fmt: skip
    assert folder.rows("SELECT id, day FROM raw.orders ORDER BY id") == [(1, None), (2, "2024-01-02"), (3, "7")]
    assert folder.codes() == []


@pytest.mark.parametrize(
    ("columns", "name"),
    [("  id: int, key\n  more: text, from('The more')\n", "More"), ("  id: int, key\n", "_hg_load")],
)
def test_a_column_that_cannot_have_its_name_stops_the_load(tmp_path: Path, columns: str, name: str) -> None:
    head = "id,The more" if "more" in columns else "id"
    folder = orders(tmp_path, INGEST + "columns:\n" + columns, {"data/a.csv": f"{head}\n1{',x' * head.count(',')}\n"})
    folder.run()
    folder.write("data/b.csv", f"{head},{name}\n2{',x' * head.count(',')},y\n")
    [finding] = folder.run().findings
    assert (finding.code, f"from('{name}')" in finding.fix) == ("unknown-column", True)
    assert folder.codes() == []


@pytest.mark.parametrize(
    "line", ["evolution: {new: freeze}", "load: {scd2: id}", "evolution: freeze"]
)  # fmt: skip
def test_what_forbids_that_a_table_grows_is_told_where_it_is_written(tmp_path: Path, line: str) -> None:
    folder = orders(tmp_path, INGEST + line + "\n" + COLUMNS.replace(", key", ""))
    with pytest.raises(ProjectError) as caught:
        folder.run()
    assert caught.value.finding.what.startswith("extra: evolve can't be")


def test_entries_name_the_contract_that_held_by_its_number(tmp_path: Path) -> None:
    folder = orders(tmp_path)
    folder.run()
    for number, rule in enumerate(("min(0)", "min(1)", "min(0)"), 2):
        folder.write("ingest/orders.yml", (INGEST + COLUMNS).replace("min(0)", rule))
        folder.write(f"data/{number}.csv", f"id,amount\n{number},5\n")
        folder.run()
    folder.behind("DELETE FROM raw.orders WHERE id = 1")
    folder.open().adjust("raw.orders", "a mistake")
    entries = folder.open().ledger("raw.orders").entries
    assert [entry.version for entry in entries][::-1] == [1, 1, 2, 1, 1]
    assert [change.version for change in folder.open().schema_history().changes][::-1] == [1, 2, 1]


class Died(BaseException):
    """No product code catches it."""


@pytest.mark.parametrize("point", ["after_begin", "after_write", "after_commit"])
def test_a_death_between_the_column_and_its_rows_loses_and_doubles_nothing(tmp_path: Path, point: str) -> None:
    folder = orders(tmp_path)
    folder.run()
    folder.write("data/b.csv", "id,amount,note\n2,2,x\n")

    def die(reached: str) -> None:
        if reached == point:
            raise Died

    faults.install(die)
    try:
        with pytest.raises(Died):
            folder.run()
    finally:
        faults.install(None)
    assert ("note" in columns(folder)) is (point == "after_commit")
    assert folder.codes() == []
    assert folder.step("raw.orders").rows_loaded == 1
    assert folder.rows("SELECT id, note FROM raw.orders ORDER BY id") == [(1, None), (2, "x")]
    assert folder.codes() == []
