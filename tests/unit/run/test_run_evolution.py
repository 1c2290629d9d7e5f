"""A table follows an edit of its contract as far as its policy says, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.project_kit import Folder

from headgate.core import environ, faults
from headgate.core.errors import ProjectError
from headgate.core.values import TableRef
from headgate.models.names import read_view
from headgate.sql import quote

ORDERS = "table: raw.orders\nfrom: data/*.csv\n"
FIRST = {"id": "int, key", "amount": "decimal(8,2)", "day": "date"}
DATA = "id,amount,day\n1,10.50,2024-01-02\n2,20,\n3,,2024-03-04\n"


def contract(columns: dict[str, str], **keys: str) -> str:
    head = "".join(f"{key}: {value}\n" for key, value in keys.items())
    return ORDERS + head + "columns:\n" + "".join(f"  {name}: {line}\n" for name, line in columns.items())


def loaded(tmp_path: Path, data: str = DATA, columns: dict[str, str] | None = None, **keys: str) -> Folder:
    text = contract(columns or FIRST, **keys)
    folder = Folder.make(tmp_path, {"ingest/orders.yml": text, "data/a.csv": data})
    assert folder.run().status == "ok"
    return folder


def edited(folder: Folder, columns: dict[str, str], **keys: str) -> Folder:
    folder.write("ingest/orders.yml", contract(columns, **keys))
    return folder


def shape(folder: Folder) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in folder.behind("DESCRIBE raw.orders") if row[0] != "_hg_load"]


def content(folder: Folder) -> list[tuple[Any, ...]]:
    return folder.behind("SELECT * FROM raw.orders ORDER BY id")


def last(folder: Folder) -> Any:
    return folder.open().ledger("raw.orders").entries[0]


def test_a_new_column_is_null_in_the_rows_that_stand(tmp_path: Path) -> None:
    folder = edited(loaded(tmp_path), {**FIRST, "note": "text"})
    [step] = folder.run().steps
    assert (step.status, step.reason, step.rows_read) == ("ok", "added note VARCHAR", 0)
    assert folder.rows("SELECT id, note FROM raw.orders ORDER BY id") == [(1, None), (2, None), (3, None)]
    entry = last(folder)
    assert (entry.kind, entry.rows_added, entry.rows_removed, entry.rows_read) == ("evolve", 0, 0, 0)
    assert (entry.detail["rows_before"], entry.detail["rows_after"]) == (3, 3)
    assert entry.detail["sql"] == ['ALTER TABLE "raw"."orders" ADD COLUMN "note" VARCHAR']
    assert entry.detail["columns_before"] == [["id", "BIGINT"], ["amount", "DECIMAL(8,2)"], ["day", "DATE"]]
    assert entry.detail["columns"] == [*entry.detail["columns_before"], ["note", "VARCHAR"]]
    assert folder.codes() == []
    assert folder.step("raw.orders").status == "skipped"
    folder.write("data/b.csv", "id,amount,day,note\n4,1,,hello\n")
    step = folder.step("raw.orders")
    assert (step.rows_loaded, step.reason) == (1, "1 new file")
    assert folder.rows("SELECT note FROM raw.orders WHERE id = 4") == [("hello",)]
    assert folder.codes() == []


def test_the_same_run_follows_and_loads(tmp_path: Path) -> None:
    folder = edited(loaded(tmp_path), {**FIRST, "note": "text"})
    folder.write("data/b.csv", "id,amount,day,note\n4,1,,hello\n")
    step = folder.step("raw.orders")
    assert (step.rows_loaded, step.reason) == (1, "added note VARCHAR; 1 new file")
    assert [entry.kind for entry in folder.open().ledger("raw.orders").entries] == ["load", "evolve", "load"]
    assert folder.codes() == []


def test_a_required_new_column_needs_an_empty_table(tmp_path: Path) -> None:
    folder = edited(loaded(tmp_path), {**FIRST, "note": "text, required"})
    before = content(folder)
    [finding] = folder.run().findings
    assert (finding.code, "without required" in finding.fix) == ("evolve-required", True)
    assert content(folder) == before
    folder.behind("DELETE FROM raw.orders")
    folder.open().adjust("raw.orders", "emptied")
    assert folder.step("raw.orders").reason == "added note VARCHAR"
    assert folder.codes() == []


@pytest.mark.parametrize(
    ("case", "columns", "does", "values"),
    [
        ("missing", {"id": "int, key", "day": "date"}, "dropped amount DECIMAL(8,2)", None),
        ("widened", {**FIRST, "amount": "decimal(12,4)"}, "amount: DECIMAL(8,2) to DECIMAL(12,4)", ["10.5000"]),
        ("widened", {**FIRST, "day": "timestamp"}, "day: DATE to TIMESTAMP", ["2024-01-02 00:00:00"]),
        ("narrowed", {**FIRST, "amount": "decimal(4,1)"}, "amount: DECIMAL(8,2) to DECIMAL(4,1)", ["10.5"]),
        ("narrowed", {**FIRST, "id": "text, key"}, "id: BIGINT to VARCHAR", ["1"]),
        ("renamed", {"id": "int, key", "price": "decimal(8,2), was(amount)", "day": "date"},
         "renamed amount to price", ["10.50"]),
        ("renamed", {"ID": "int, key", "amount": "decimal(8,2)", "day": "date"}, "renamed id to ID", ["1"]),
    ],
)  # fmt: skip
def test_each_case_follows_or_stays_as_its_word_says(
    tmp_path: Path, case: str, columns: dict[str, str], does: str, values: list[str] | None
) -> None:
    folder = edited(loaded(tmp_path), columns, evolution=f"{{{case}: freeze}}")
    before = content(folder)
    [finding] = folder.run().findings
    assert (finding.code, f"{case}: evolve" in finding.fix) == ("contract-misfit", True)
    assert [one.code for one in folder.open().check().findings if one.level == "error"][-1] == "contract-misfit"
    assert content(folder) == before
    edited(folder, columns, evolution=f"{{{case}: evolve}}")
    [planned] = folder.open().plan().steps
    assert (planned.status, planned.reason, len(planned.sql)) == ("run", does, 1)
    assert folder.step("raw.orders").reason == does
    assert last(folder).detail["sql"] == list(planned.sql)
    changed = does.split(" to ")[-1] if "renamed" in does else does.split(":")[0]
    if values is not None:
        assert folder.rows(f'SELECT CAST("{changed}" AS VARCHAR) FROM raw.orders WHERE _hg_load = 1 LIMIT 1') == [
            tuple(values)
        ]
    assert {name for name, _ in shape(folder)} == set(columns)
    assert folder.codes() == []
    [planned] = folder.open().plan().steps
    assert (planned.status, planned.sql) == ("skip", ())


def test_values_that_would_lose_something_keep_the_table_as_it_was(tmp_path: Path) -> None:
    folder = loaded(tmp_path)
    folder.write("data/b.csv", "id,amount,day\n4,1.25,\n5,2.75,\n6,3.5,\n")
    folder.run()
    edited(folder, {**FIRST, "note": "text", "amount": "decimal(8,1)"}, evolution="evolve")
    before = content(folder)
    for found in (folder.run().findings[0], folder.open().check().findings[-1]):
        assert found.code == "evolve-lossy"
        assert "2 rows would lose their values, 2 of entry 2 (b.csv)" in found.what
        assert found.evidence == {"column": "amount", "rows": 2, "entries": {"2": 2}}
    assert "would stop: amount of raw.orders" in folder.open().plan().steps[0].reason
    assert content(folder) == before  # nor was the new column added
    assert folder.codes() == []


def test_a_type_that_no_value_could_have_is_refused_under_every_policy(tmp_path: Path) -> None:
    folder = edited(loaded(tmp_path), {**FIRST, "day": "bool"}, evolution="evolve")
    [finding] = folder.run().findings
    assert finding.code == "contract-misfit"
    assert "evolution" not in finding.fix


def test_the_order_of_columns_changes_nothing_and_rows_go_by_name(tmp_path: Path) -> None:
    folder = edited(loaded(tmp_path), dict(reversed(FIRST.items())))
    folder.write("data/b.csv", "id,amount,day\n4,40,2024-05-06\n")
    assert folder.step("raw.orders").reason == "1 new file"
    assert shape(folder) == [("id", "BIGINT"), ("amount", "DECIMAL(8,2)"), ("day", "DATE")]
    assert folder.rows("SELECT id, amount, day FROM raw.orders WHERE id = 4") == [(4, "40.00", "2024-05-06")]
    assert [entry.kind for entry in folder.open().ledger("raw.orders").entries] == ["load", "load"]
    assert folder.codes() == []


def test_several_changes_are_one_entry(tmp_path: Path) -> None:
    columns = {"key": "int, key, was(id)", "amount": "decimal(20,2)", "when": "timestamp, was(at, day)", "note": "text"}
    folder = edited(loaded(tmp_path), columns)
    does = (
        "renamed id to key; renamed day to when; amount: DECIMAL(8,2) to DECIMAL(20,2); "
        "when: DATE to TIMESTAMP; added note VARCHAR"
    )
    assert folder.open().plan().steps[0].reason == does
    assert folder.step("raw.orders").reason == does
    assert [entry.kind for entry in folder.open().ledger("raw.orders").entries] == ["evolve", "load"]
    assert folder.rows('SELECT key, amount, "when" FROM raw.orders ORDER BY key LIMIT 1') == [
        (1, "10.50", "2024-01-02T00:00:00")
    ]
    assert folder.codes() == []


@pytest.mark.parametrize("point", faults.POINTS)
def test_a_crash_leaves_the_old_or_the_new_columns_with_their_entry(tmp_path: Path, point: str) -> None:
    folder = edited(loaded(tmp_path), {**FIRST, "amount": "decimal(20,2)", "note": "text"})
    old = shape(folder)

    def die(reached: str) -> None:
        if reached == point:
            raise SystemExit(point)

    faults.install(die)
    try:
        with pytest.raises(SystemExit):
            folder.run()
    finally:
        faults.install(None)
    kept = point in ("after_commit", "before_ack")
    assert (shape(folder) == old) is not kept
    assert [entry.kind for entry in folder.open().ledger("raw.orders").entries] == ["evolve"] * kept + ["load"]
    assert folder.codes() == []
    assert folder.run().status == "ok"
    assert len(shape(folder)) == 4
    assert folder.codes() == []


def test_models_follow_their_table(tmp_path: Path) -> None:
    folder = loaded(tmp_path)
    folder.write("models/all.sql", "select * from {{ ref('raw.orders') }}\n")
    folder.write(
        "models/top.sql", "{{ config(materialized='table') }}\nselect max(amount) as m from {{ ref('all') }}\n"
    )
    assert folder.run().status == "ok"
    columns = {"id": "int, key", "amount": "decimal(20,3)", "note": "text"}
    edited(folder, columns, evolution="evolve")
    assert folder.run("raw.orders").status == "ok"
    view = quote.table(read_view(TableRef("raw", "orders")))
    assert folder.rows(f"SELECT * FROM {view} WHERE id = 1") == [(1, "10.500", None)]
    assert {step.status for step in folder.run().steps if step.kind == "model"} == {"ok"}
    assert folder.rows("SELECT * FROM main.all WHERE id = 1") == [(1, "10.500", None)]
    assert folder.rows("SELECT m FROM main.top") == [("20.000",)]
    assert folder.codes() == []


def test_a_replay_reads_records_of_an_earlier_contract(tmp_path: Path) -> None:
    folder = loaded(tmp_path, "id,amount,day\n1,-1,2024-01-02\n", {**FIRST, "amount": "decimal(8,2), min(0)"})
    assert folder.refused("raw.orders") == [("a.csv", 1, [("min", "amount")])]
    columns = {"id": "int, key", "price": "decimal(8,2), was(amount)", "day": "date", "note": "text"}
    edited(folder, columns)
    assert folder.open().replay(all=True).rows_loaded == 1
    assert folder.rows("SELECT id, price, day, note FROM raw.orders") == [(1, "-1.00", "2024-01-02", None)]
    assert folder.codes() == []


def test_a_replay_refuses_what_a_record_lacks_if_it_is_required(tmp_path: Path) -> None:
    folder = loaded(tmp_path, "id,amount\nx,1\n", {"id": "int, key", "amount": "int"})
    edited(folder, {"id": "text, key", "amount": "int", "note": "text, required"}, evolution="evolve")
    assert folder.open().replay(all=True).rows_quarantined == 1
    assert folder.refused("raw.orders") == [("a.csv", 1, [("required", "note")])]
    assert folder.codes() == []


def test_a_full_refresh_follows_whatever_the_policy_says(tmp_path: Path) -> None:
    folder = edited(loaded(tmp_path), {"id": "int, key", "day": "text"}, evolution="freeze", extra="ignore")
    assert folder.open().plan(full_refresh=True).steps[0].sql == ()
    assert folder.step("raw.orders", full_refresh=True).reason == "full refresh"
    assert [name for name, _ in shape(folder)] == ["id", "day"]
    assert folder.codes() == []


@pytest.mark.parametrize(
    ("lines", "code", "says"),
    [
        ("evolution: keep\n", "bad-value", "evolution can't be 'keep'"),
        ("evolution: {new: freez}\n", "bad-value", "did you mean 'freeze'"),
        ("evolution: {newer: freeze}\n", "unknown-key", "did you mean 'new'"),
        ("evolution: [freeze]\n", "bad-value", "must be one value"),
    ],
)
def test_mistakes_in_the_policy_are_told(tmp_path: Path, lines: str, code: str, says: str) -> None:
    folder = Folder.make(tmp_path, {"ingest/orders.yml": ORDERS + lines + "columns:\n  id: int\n"})
    with pytest.raises(ProjectError) as caught:
        folder.open()
    assert (caught.value.finding.code, says in caught.value.finding.what) == (code, True)
    assert str(caught.value.finding.where).startswith("ingest/orders.yml:3")


def test_a_change_by_hand_is_no_edit_of_the_contract(tmp_path: Path) -> None:
    folder = loaded(tmp_path)
    folder.behind("ALTER TABLE raw.orders ALTER COLUMN amount TYPE VARCHAR")
    folder.write("data/b.csv", "id,amount,day\n4,40,\n")
    [finding] = folder.run().findings
    assert (finding.code, "amount: VARCHAR in the table" in finding.what) == ("contract-misfit", True)
    assert [entry.kind for entry in folder.open().ledger("raw.orders").entries] == ["load"]


def test_the_history_tells_how_the_columns_became_what_they_are(tmp_path: Path) -> None:
    folder = loaded(tmp_path)
    folder.write("models/m.sql", "select 1 as x")
    folder.run()
    edited(folder, {**FIRST, "amount": "decimal(20,2)", "note": "text"})
    folder.run()
    edited(folder, {**FIRST, "amount": "decimal(20,2), min(0)", "note": "text"})
    folder.write("data/b.csv", "id,amount,day,note\n4,40,,\n")
    folder.run()
    edited(folder, {"id": "text", "day": "date", "n2": "text, from(note)"}, extra="ignore")
    folder.write("data/a.csv", "id,amount,day,note\n1,10.50,2024-01-02,\n")
    folder.step("raw.orders", full_refresh=True)
    found = folder.open().schema_history("raw.orders")
    assert [(one.entry, one.kind, one.changes) for one in found.changes] == [
        ("4", "load", ("id: BIGINT to VARCHAR", "dropped amount DECIMAL(20,2)", "dropped note VARCHAR",
                       "added n2 VARCHAR")),
        ("3", "load", ("rules changed",)),
        ("2", "evolve", ("amount: DECIMAL(8,2) to DECIMAL(20,2)", "added note VARCHAR")),
        ("1", "load", ("made with id BIGINT, amount DECIMAL(8,2), day DATE",)),
    ]  # fmt: skip
    assert [column.name for column in found.changes[1].columns] == ["id", "amount", "day", "note"]
    assert len({one.contract for one in found.changes}) == 4
    assert {one.by for one in found.changes} == {environ.user()}
    assert folder.open().schema_history().total == 4  # no model
    assert len(folder.open().schema_history(limit=1).changes) == 1


def test_a_table_of_versions_keeps_its_columns(tmp_path: Path) -> None:
    columns = {"id": "int", "name": "text", "at": "date"}
    folder = loaded(tmp_path, "id,name,at\n1,a,2024-01-01\n", columns, load="{scd2: id, order_by: at}")
    before = content(folder)
    edited(folder, {**columns, "note": "text"}, load="{scd2: id, order_by: at}", evolution="evolve")
    [finding] = folder.run().findings
    assert (finding.code, "evolution" in finding.fix) == ("contract-misfit", False)
    edited(folder, columns, load="{scd2: id, order_by: at}")
    folder.write("data/b.csv", "id,name,at\n1,b,2024-01-02\n")
    assert folder.step("raw.orders").rows_loaded == 1
    assert folder.step("raw.orders", full_refresh=True).status == "ok"
    folder.open().restore("raw.orders")
    assert content(folder)[0][:2] == before[0][:2]
    assert folder.codes() == []
