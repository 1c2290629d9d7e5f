"""Files landed raw, and tables that are loaded from there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.unit.project_kit import Folder

from headgate.core.errors import ProjectError

LANDING = "table: bronze.orders\nfrom: data/*.csv\nland: raw\n"
READING = "table: silver.orders\nfrom: {table: bronze.orders}\n"
COLUMNS = "columns:\n  id: int, key\n  amount: decimal(8,2), required, min(0)\n"
DAY = "id,amount\n1,10.00\n2,ten\n3,5,6\n4,-1\n"


def lake(root: Path, day: str = DAY, landing: str = LANDING, reading: str = READING + COLUMNS) -> Folder:
    files = {"ingest/bronze.yml": landing, "ingest/silver.yml": reading, "data/a.csv": day}
    return Folder.make(root, files)


def edit(folder: Folder, name: str, old: str, new: str) -> None:
    text = (folder.root / name).read_text()
    assert old in text
    folder.write(name, text.replace(old, new))


def silver(folder: Folder) -> list[tuple[Any, ...]]:
    return folder.rows("SELECT id, amount FROM silver.orders ORDER BY ALL")


def counts(folder: Folder, table: str) -> tuple[int, int, int]:
    step = folder.step(table, table)
    return step.rows_read, step.rows_loaded, step.rows_quarantined


def said(folder: Folder) -> list[tuple[str, str]]:
    """Code and text of what keeps the project from being opened."""
    with pytest.raises(ProjectError) as caught:
        folder.open()
    return [(one.code, one.what) for one in caught.value.findings]


def test_a_record_is_kept_as_received_and_judged_by_who_reads_it(tmp_path: Path) -> None:
    folder = lake(tmp_path)
    landed, loaded = folder.run().steps
    assert (landed.rows_read, landed.rows_loaded, landed.rows_quarantined) == (4, 3, 1)
    assert (loaded.rows_read, loaded.rows_loaded, loaded.rows_quarantined) == (3, 1, 2)
    assert folder.rows("SELECT id, amount, _hg_record FROM bronze.orders ORDER BY 3") == [
        ("1", "10.00", 1), ("2", "ten", 2), ("4", "-1", 4),
    ]  # fmt: skip
    assert folder.refused("bronze.orders") == [("a.csv", 3, [("record", None)])]
    assert folder.refused("silver.orders") == [("a.csv", 2, [("type", "amount")]), ("a.csv", 4, [("min", "amount")])]
    assert folder.codes() == []
    assert [step.status for step in folder.run().steps] == ["skipped", "skipped"]


def test_a_two_line_landing_and_a_two_line_reading_work_at_once(tmp_path: Path) -> None:
    folder = lake(tmp_path, 'id,day,name\n1,2026-01-01,\n2,2026-01-02,""\n', reading=READING)
    assert folder.run().status == "ok"
    assert folder.rows("SELECT name FROM bronze.orders ORDER BY id") == [(None,), ("",)]
    assert folder.rows("SELECT column_type FROM (DESCRIBE silver.orders)")[:3] == [("BIGINT",), ("DATE",), ("VARCHAR",)]
    assert folder.rows("SELECT name FROM silver.orders ORDER BY id") == [(None,), ("",)]


def test_a_refused_record_shows_its_line_and_text_as_long_as_the_file_is_there(tmp_path: Path) -> None:
    folder = lake(tmp_path, 'id,amount\n1,"te\nn"\n2,"x"\n')
    folder.run()
    shown = folder.open().quarantine("silver.orders").records
    assert [(one.position["line"], one.raw) for one in shown] == [(2, '1,"te\nn"'), (4, '2,"x"')]
    folder.write("data/b.csv", "id,amount\n3,y\n")
    folder.run("bronze.orders")
    (folder.root / "data/b.csv").unlink()
    folder.run("silver.orders")
    (last,) = [one for one in folder.open().quarantine("silver.orders").records if one.source == "b.csv"]
    assert (last.raw, last.row, last.position["record"]) == (None, {"id": "3", "amount": "y"}, 1)


def test_records_that_are_none_leave_gaps_that_nobody_else_fills(tmp_path: Path) -> None:
    folder = lake(tmp_path, "id,amount\n1,1\n2\n3\n4\n5,x\n")
    folder.write("data/b.csv", "id,amount\n6,6\n7,y\n8,8\n")
    folder.run()
    assert folder.refused("silver.orders") == [("a.csv", 5, [("type", "amount")]), ("b.csv", 2, [("type", "amount")])]
    assert [row[0] for row in silver(folder)] == [1, 6, 8]


def test_the_text_of_a_record_is_given_anew(tmp_path: Path) -> None:
    folder = lake(tmp_path)
    folder.run()
    (bad,) = [one for one in folder.open().quarantine("silver.orders").records if one.raw == "2,ten"]
    folder.open().quarantine_fix([bad.id], raw="2,10", reason="a number", replay=True)
    assert [row[0] for row in silver(folder)] == [1, 2]
    assert folder.open().contract_show("bronze.orders").text == "columns:\n  id: text\n  amount: text\n"


def test_a_model_judges_what_was_landed(tmp_path: Path) -> None:
    reading = READING + "contract: {pydantic: m.py:Order}\n"
    folder = lake(tmp_path, landing=LANDING.replace(".csv", ".ndjson"), reading=reading)
    folder.write(
        "m.py", "from pydantic import BaseModel\nclass Order(BaseModel):\n    id: int\n    n: str | None = 'no'\n"
    )
    folder.write("data/a.ndjson", '{"id": 1, "n": null}\n{"id": 2}\n{"id": 3, "n": 4}\n')
    folder.run()
    assert folder.rows("SELECT id, n FROM silver.orders ORDER BY id") == [(1, None), (2, "no")]
    assert [one.raw for one in folder.open().quarantine("silver.orders").records] == ['{"id": 3, "n": 4}']


# Every kind of file


def parquet(path: Path) -> None:
    duckdb.execute(
        f"""COPY (SELECT i AS id, (i * 1.1)::FLOAT AS f, (i / 7.0)::DECIMAL(9,4) AS d,
            {{'a': i, 'b': ['x', NULL]}} AS s, TIMESTAMP_NS '2024-01-01 00:00:00.123456789' AS ns,
            '\\xAA'::BLOB AS bl, NULLIF(i, 4)::UTINYINT AS t FROM range(20) AS r(i)) TO '{path}'"""
    )


TYPED = """columns:
  id: int, key, max(15)
  f: text
  d: decimal(9,2)
  s: json
  a: int, from('s.a'), min(2)
  ns: text
  bl: binary
  t: int, required
"""
LINES = [
    '{"id": 1, "price": 1.10, "to": {"city": "Oslo", "zip": 1.10}}',
    '{"id": 2, "price": "x", "to": {"city": "Oslo"}}',
    "no json",
    '{"id": 3, "price": 12345.678, "to": 5}',
    '{"id": 4, "price": 5, "more": null, "to": null}',
    '{"id": 5, "id": 6, "price": 5}',
    '{"id": 7, "price": 7, "to": {"city": {"a": 1}}, "late": true}',
]
NESTED = """extra: ignore
columns:
  id: int, key
  price: decimal(8,3), required
  city: text, from('to.city')
  zip: text, from('to.zip')
"""


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_what_was_landed_gets_the_verdicts_of_its_file(tmp_path: Path, kind: str) -> None:
    columns = {"csv": COLUMNS, "parquet": TYPED}.get(kind, NESTED)
    folder = lake(tmp_path)
    if kind == "parquet":
        parquet(tmp_path / "data/a.parquet")
    texts = {"csv": DAY, "json": "[" + ",\n".join(LINES) + "]"}
    if kind in texts:
        folder.write(f"data/a.{kind}", texts[kind])
    source = f"data/*.{kind}"
    folder.write("ingest/bronze.yml", LANDING.replace("data/*.csv", source))
    folder.write("ingest/silver.yml", READING + columns)
    folder.write("ingest/direct.yml", f"table: direct.orders\nfrom: {source}\n" + columns)
    assert folder.open().check().ok
    assert folder.run().status == "ok"
    names = [name for (name, *_) in folder.rows("DESCRIBE direct.orders") if name != "_hg_load"]
    rows = [folder.behind(f"SELECT {', '.join(names)} FROM {one}.orders ORDER BY id") for one in ("silver", "direct")]
    assert rows[0] == rows[1] != []
    silvers, directs = (_open(folder, one) for one in ("silver.orders", "direct.orders"))
    malformed = [one for one in directs if one[1] == [("record", None)]]
    assert silvers == [one for one in directs if one not in malformed] != []
    assert len(_open(folder, "bronze.orders")) == len(malformed)
    assert folder.codes() == []


def _open(folder: Folder, table: str) -> list[Any]:
    """Record, reasons, line, text and values of the table's open records."""
    return [
        (
            one.position["record"],
            [(reason.rule, reason.column) for reason in one.reasons],
            one.position.get("line"),
            one.raw,
            {name: value for name, value in (one.row or {}).items() if value is not None},
        )
        for one in folder.open().quarantine(table).records
    ]


def test_json_documents_stand_as_they_were_received(tmp_path: Path) -> None:
    folder = lake(tmp_path, landing=LANDING.replace(".csv", ".ndjson"), reading=READING + NESTED)
    folder.write("data/a.ndjson", "\n".join(LINES))
    folder.run()
    kept = [row[0] for row in folder.behind("SELECT CAST(document AS VARCHAR) FROM bronze.orders ORDER BY _hg_record")]
    assert kept == [LINES[place] for place in (0, 1, 3, 4, 6)]
    many = [json.dumps({"id": number, "price": number % 7, "to": {"city": "x"}}) for number in range(10, 1500)]
    folder.write("data/b.ndjson", "\n".join([*many, LINES[6], "{"]))
    folder.run()
    found = "SELECT count(*), sum(CAST(price AS INT)), count(DISTINCT city) FROM silver.orders WHERE id >= 10"
    assert folder.rows(found) == [(1490, sum(number % 7 for number in range(10, 1500)), 1)]
    assert folder.refused("bronze.orders")[-1][:2] == ("b.ndjson", 1492)
    assert folder.codes() == []


# Columns that come and go


def test_a_new_column_is_added_and_one_that_is_lacking_is_null(tmp_path: Path) -> None:
    folder = lake(tmp_path, reading=READING + "missing: 'null'\nextra: ignore\ncolumns:\n  id: int\n  amount: text\n")
    folder.run()
    folder.write("data/b.csv", "ID,note\n8,x\n")
    step = folder.step("bronze.orders")
    assert step.reason == "added note VARCHAR; 1 new file"
    assert folder.rows("SELECT id, amount, note FROM bronze.orders WHERE note IS NOT NULL") == [("8", None, "x")]
    assert folder.rows("SELECT id, amount FROM silver.orders WHERE id = 8") == [(8, None)]


def test_a_column_that_a_file_lacks_is_lacking_and_not_null(tmp_path: Path) -> None:
    folder = lake(tmp_path)
    folder.run()
    folder.write("data/b.csv", "id\n8\n")
    done = folder.run()
    assert [step.status for step in done.steps] == ["ok", "refused"]
    assert [(one.code, one.where) for one in done.findings] == [("missing-column", "bronze.orders b.csv")]


def test_a_policy_may_hold_the_columns(tmp_path: Path) -> None:
    folder = lake(tmp_path, landing=LANDING + "evolution: freeze\n")
    folder.run()
    folder.write("data/b.csv", "id,amount,note\n8,1,x\n")
    done = folder.run()
    assert [step.status for step in done.steps] == ["failed", "blocked"]
    assert done.findings[0].code == "contract-misfit"
    assert "not in the table: note" in done.findings[0].what


def test_types_that_differ_from_file_to_file_become_text_and_are_read_as_they_were(tmp_path: Path) -> None:
    folder = lake(
        tmp_path, landing=LANDING.replace(".csv", ".parquet"), reading=READING + "columns:\n  v: text\n  d: text\n"
    )
    (tmp_path / "data/a.csv").unlink()
    duckdb.execute(f"COPY (SELECT 0.1::FLOAT AS v, 1.5::DECIMAL(4,1) AS d) TO '{tmp_path}/data/a.parquet'")
    folder.run("bronze.orders")
    duckdb.execute(f"COPY (SELECT DATE '2026-01-02' AS v, 2.25::DECIMAL(5,2) AS d) TO '{tmp_path}/data/b.parquet'")
    step = folder.step("bronze.orders")
    assert step.reason == "v: DOUBLE to VARCHAR; d: DECIMAL(4,1) to DECIMAL(5,2); 1 new file"
    duckdb.execute(f"COPY (SELECT 'x' AS v, 3::DECIMAL(4,1) AS d) TO '{tmp_path}/data/c.parquet'")
    folder.run()
    assert folder.rows("SELECT v, d FROM silver.orders ORDER BY ALL") == [
        ("0.1", "1.5"), ("2026-01-02", "2.25"), ("x", "3.0"),
    ]  # fmt: skip


def test_a_file_without_a_header_has_the_names_that_are_listed(tmp_path: Path) -> None:
    landing = LANDING.replace("data/*.csv", "{csv: {path: data/*.csv, header: false}}") + "columns: [id, amount]\n"
    folder = lake(tmp_path, "1,10\n2,20\n", landing=landing)
    assert folder.run().status == "ok"
    assert [row[0] for row in silver(folder)] == [1, 2]


def test_a_name_of_ours_is_refused(tmp_path: Path) -> None:
    folder = lake(tmp_path, "id,_hg_Record\n1,2\n")
    (found,) = folder.run().findings
    assert found.code == "reserved-name"
    assert "'_hg_Record'" in found.what


# What becomes of the landing arrives


def test_a_reloaded_file_reloads_its_rows(tmp_path: Path) -> None:
    folder = lake(tmp_path, landing=LANDING + "on_change: reload\n")
    folder.write("data/b.csv", "id,amount\n7,7\n")
    folder.run()
    folder.write("data/a.csv", "id,amount\n1,11\n2,22\n")
    step = folder.run().steps[1]
    assert (step.reason, step.rows_read, step.rows_loaded) == ("1 changed partition", 2, 2)
    assert [(row[0], str(row[1])) for row in silver(folder)] == [(1, "11.00"), (2, "22.00"), (7, "7.00")]
    assert folder.refused("silver.orders") == []
    assert folder.codes() == []


def test_a_change_may_be_held_back_by_who_reads(tmp_path: Path) -> None:
    folder = lake(tmp_path, landing=LANDING + "on_change: reload\n", reading=READING + "on_change: error\n" + COLUMNS)
    folder.run()
    folder.write("data/a.csv", "id,amount\n1,11\n")
    done = folder.run()
    assert [step.status for step in done.steps] == ["ok", "refused"]
    assert done.findings[0].code == "file-changed-since"
    assert "bronze.orders was given its rows anew" in done.findings[0].what


def test_a_mended_record_arrives_alone(tmp_path: Path) -> None:
    folder = lake(tmp_path)
    folder.run()
    (bad,) = folder.open().quarantine("bronze.orders").records
    folder.open().quarantine_fix([bad.id], raw="3,5.60", reason="comma", replay=True)
    assert counts(folder, "silver.orders") == (1, 1, 0)
    assert [str(row[1]) for row in silver(folder)] == ["10.00", "5.60"]
    folder.write("ingest/silver.yml", READING + COLUMNS.replace("int, key", "int, key, max(2)"))
    folder.run("silver.orders", full_refresh=True)
    assert ("a.csv", 3, [("max", "id")]) in folder.refused("silver.orders")
    assert folder.codes() == []


def test_what_the_landing_gave_up_goes_from_the_table_too(tmp_path: Path) -> None:
    folder = lake(tmp_path, landing=LANDING + "load: replace\nrefuse_at_most: 50%\n")
    folder.write("data/b.csv", "id,amount\n7,7\n8,x\n")
    folder.run()
    assert len(folder.refused("silver.orders")) == 3
    (tmp_path / "data/b.csv").unlink()
    done = folder.run()
    assert done.steps[1].reason == "1 changed partition, 1 gone partition"
    assert [row[0] for row in silver(folder)] == [1]
    assert len(folder.refused("silver.orders")) == 2
    assert folder.codes() == []
    assert [step.status for step in folder.run().steps] == ["skipped", "skipped"]
    folder.write("data/b.csv", "id,amount\n9,9\n")
    folder.run()
    assert [row[0] for row in silver(folder)] == [1, 9]
    assert folder.codes() == []


@pytest.mark.parametrize("load", ["{upsert: id}", "{scd2: id, vanished: close}"])
def test_rows_with_an_identity_stay_when_what_brought_them_is_gone(tmp_path: Path, load: str) -> None:
    reading = READING + f"load: {load}\nrefuse_at_most: 100%\ncolumns:\n  id: int\n  amount: decimal(8,2), min(0)\n"
    folder = lake(tmp_path, "id,amount\n1,1\n", LANDING + "load: replace\n", reading)
    folder.write("data/b.csv", "id,amount\n1,1\n7,7\n8,-8\n")
    folder.run()
    (tmp_path / "data/b.csv").unlink()
    assert folder.run().status == "ok"
    assert [row[0] for row in silver(folder)] == [1, 7]
    if "scd2" in load:
        assert folder.rows("SELECT id FROM silver.orders WHERE is_current ORDER BY id") == [(1,), (7,)]
    assert folder.refused("silver.orders") == []
    assert [step.status for step in folder.run().steps] == ["skipped", "skipped"]
    assert folder.codes() == []


def test_a_landing_by_partitions_takes_its_rows_along(tmp_path: Path) -> None:
    landing = LANDING + "load: {partition: day}\n"
    folder = lake(tmp_path, "id,day\n1,mo\n2,tu\n", landing, READING + "columns:\n  id: int, key\n  day: text\n")
    folder.run()
    folder.write("data/b.csv", "id,day\n3,tu\n4,we\n")
    done = folder.run()
    assert done.steps[1].reason == "1 changed partition, 1 new partition"
    assert folder.rows("SELECT id FROM silver.orders ORDER BY 1") == [(1,), (3,), (4,)]
    assert folder.codes() == []


def test_a_restored_landing_is_read_again(tmp_path: Path) -> None:
    folder = lake(tmp_path, landing=LANDING + "on_change: ignore\n")
    folder.run()
    folder.write("data/a.csv", "id,amount\n5,55\n6,66\n7,77\n")  # as many rows as were landed before
    folder.run(full_refresh=True)
    assert [row[0] for row in silver(folder)] == [5, 6, 7]
    folder.open().restore("bronze.orders")
    assert folder.run("silver.orders").status == "ok"
    assert [row[0] for row in silver(folder)] == [1]
    assert folder.refused("silver.orders") == [("a.csv", 2, [("type", "amount")]), ("a.csv", 4, [("min", "amount")])]
    assert folder.codes() == []


def test_a_table_that_was_loaded_from_the_files_reads_the_landing_instead(tmp_path: Path) -> None:
    folder = lake(tmp_path, reading="table: silver.orders\nfrom: data/*.csv\n" + COLUMNS)
    folder.run()
    folder.write("ingest/silver.yml", READING + COLUMNS)
    step = folder.step("silver.orders")
    assert (step.reason, step.rows_loaded) == ("1 changed partition", 1)
    assert [row[0] for row in silver(folder)] == [1]
    assert folder.codes() == []


# Order, plans, trouble


def test_a_plan_knows_that_the_landing_comes_first(tmp_path: Path) -> None:
    folder = lake(tmp_path)
    folder.write("ingest/a.yml", "table: a.orders\nfrom: {table: bronze.orders}\nextra: ignore\ncolumns:\n  id: int\n")
    assert [(step.id, step.reason) for step in folder.open().plan().steps] == [
        ("bronze.orders", "1 new file"),
        ("a.orders", "bronze.orders changes"),
        ("silver.orders", "bronze.orders changes"),
    ]
    (only,) = folder.open().plan(["silver.orders"]).steps
    assert (only.status, only.reason) == ("skip", "no partition yet")
    folder.run()
    edit(folder, "data/a.csv", "10.00", "10.0")
    steps = folder.open().plan().steps
    assert [step.reason.partition(":")[0] for step in steps] == ["would stop", *["would be blocked"] * 2]
    assert [step.status for step in folder.run().steps] == ["refused", "blocked", "blocked"]


def test_one_table_alone_works_on_what_was_landed(tmp_path: Path) -> None:
    folder = lake(tmp_path)
    folder.run("bronze.orders")
    folder.write("data/b.csv", "id,amount\n8,8\n")
    assert counts(folder, "silver.orders") == (3, 1, 2)
    assert folder.open().check().ok


def test_a_column_that_no_file_has_is_told_before_anything_is_landed(tmp_path: Path) -> None:
    folder = lake(tmp_path, reading=READING + COLUMNS.replace("amount:", "amout:"))
    codes = [(one.code, one.evidence["column"]) for one in folder.open().check().findings]
    assert codes == [("missing-column", "amout"), ("unknown-column", "amount")]
    folder.run("bronze.orders")
    (tmp_path / "data/a.csv").unlink()
    assert [one.code for one in folder.open().check().findings] == ["no-files", "missing-column", "unknown-column"]


def test_rows_that_somebody_took_away_are_no_records_that_were_never_there(tmp_path: Path) -> None:
    folder = lake(tmp_path)
    folder.run("bronze.orders")
    folder.behind("DELETE FROM bronze.orders WHERE id = '2'")
    done = folder.run("silver.orders")
    assert [one.code for one in done.findings] == ["rows-differ"]
    assert "entry 1 of bronze.orders has 2 rows, its books say 3" in done.findings[0].what
    folder.open().adjust("bronze.orders", "wrong")
    assert counts(folder, "silver.orders") == (2, 1, 1)
    folder.behind("DELETE FROM bronze.orders WHERE id = '4'")
    folder.open().adjust("bronze.orders", "wrong, too")
    assert counts(folder, "silver.orders") == (1, 1, 0)
    assert folder.codes() == []


def test_a_landing_that_was_dropped_is_told(tmp_path: Path) -> None:
    folder = lake(tmp_path)
    folder.run()
    folder.behind("DROP TABLE bronze.orders")
    folder.write("data/b.csv", "id,amount\n8,8\n")
    assert "table-missing" in [one.code for one in folder.open().check().findings]
    done = folder.run("silver.orders")
    assert [one.code for one in done.findings] == ["table-missing"]
    assert [row[0] for row in silver(folder)] == [1]
    assert folder.run(full_refresh=True).status == "ok"
    assert [row[0] for row in silver(folder)] == [1, 8]


def test_a_table_that_a_contract_loaded_is_not_landed_into(tmp_path: Path) -> None:
    folder = lake(tmp_path, "id,amount\n1,1\n", landing="table: bronze.orders\nfrom: data/*.csv\n", reading="")
    (tmp_path / "ingest/silver.yml").unlink()
    folder.run()
    folder.write("ingest/bronze.yml", LANDING)
    folder.write("data/b.csv", "id,amount\n2,2\n")
    assert [one.code for one in folder.run().findings] == ["landed-otherwise"]
    assert folder.run(full_refresh=True).status == "ok"
    assert folder.rows("SELECT id, _hg_record FROM bronze.orders ORDER BY 1") == [("1", 1), ("2", 1)]


def test_a_column_comes_from_the_landing_and_that_from_the_file(tmp_path: Path) -> None:
    folder = lake(tmp_path, landing=LANDING.replace(".csv", ".ndjson"), reading=READING + NESTED)
    folder.write("ingest/plain.yml", "table: bronze.plain\nfrom: data/*.csv\nland: raw\n")
    folder.write("ingest/b.yml", READING.replace("orders", "plain") + COLUMNS)
    folder.write("data/a.ndjson", LINES[0])
    folder.run()
    plain, nested = (_origins(folder, name) for name in ("silver.plain.amount", "silver.orders.city"))
    assert {("bronze.plain", "amount"), ("data/*.csv", "amount")} <= plain
    assert {("bronze.orders", "document"), ("data/*.ndjson", "document")} == nested


def _origins(folder: Folder, column: str) -> set[tuple[str, str | None]]:
    edges = folder.open().lineage(column).up
    return {(edge.from_table, edge.from_column) for edge in edges if edge.direct}


# Files that say what can't be


MISTAKES = {
    "rules:\n  a: id > 0\n": "rules does not go with land: raw",
    "load: {upsert: id}\n": "load: upsert, which goes by identities",
    "columns:\n  id: int\n": "the source itself names the columns",
    "extra: ignore\n": "extra does not go with land: raw",
}


@pytest.mark.parametrize("more", MISTAKES)
def test_a_landing_that_judges_is_refused(tmp_path: Path, more: str) -> None:
    found = said(lake(tmp_path, landing=LANDING + more, reading=READING + COLUMNS))
    assert [code for code, _ in found] == ["bad-value"]
    assert MISTAKES[more] in found[0][1]


def test_what_was_not_landed_raw_is_not_read_again(tmp_path: Path) -> None:
    folder = lake(tmp_path, landing="table: bronze.orders\nfrom: data/*.csv\n")
    ((code, what),) = said(folder)
    assert (code, what.partition(";")[0]) == (
        "not-landed",
        "bronze.orders is loaded by a contract (ingest/bronze.yml)",
    )
    folder.write("ingest/bronze.yml", LANDING.replace("bronze.orders", "bronze.order"))
    ((code, what),) = said(folder)
    assert (code, what) == ("not-landed", "no ingest file lands bronze.orders (did you mean 'bronze.order'?)")
    folder.write("ingest/bronze.yml", LANDING)
    folder.write("ingest/silver.yml", READING + "land: raw\ntwin_files: skip\n")
    assert [what.partition(" ")[0] for _, what in said(folder)] == ["a", "twin_files"]


def test_the_zone_of_the_landing_holds_for_who_reads_it(tmp_path: Path) -> None:
    landing = LANDING.replace("data/*.csv", "{csv: {path: data/*.csv, timezone: Europe/Paris}}")
    folder = lake(tmp_path, "t\n2026-01-01 12:00:00\n", landing, READING + "columns:\n  t: timestamptz\n")
    folder.run()

    assert folder.behind("SELECT epoch(t) FROM silver.orders") == [(1767265200.0,)]


DOCUMENTS = """{"id": 1, "items": [{"sku": "a", "qty": 1}, {"sku": "b", "qty": 1.10}]}
{"id": 2, "items": [{"sku": "a", "qty": 2}]}
{"id": 3, "items": {"sku": "a"}}
{"id": 4}
{"id": 5,
"""
CHILDREN = """columns: {id: "int, key"}
children:
  silver.items: {from: items, columns: {sku: "text, required", qty: "int, min(1)"}}
"""


def test_lists_of_landed_documents_are_child_tables_as_those_of_the_file(tmp_path: Path) -> None:
    landing = LANDING.replace("csv", "ndjson")
    bronze = {"ingest/bronze.yml": landing, "ingest/silver.yml": READING + CHILDREN}
    direct = {"ingest/silver.yml": "table: silver.orders\nfrom: data/*.ndjson\n" + CHILDREN}
    found = []
    for name, files in (("direct", direct), ("landed", bronze)):
        folder = Folder.make(tmp_path / name, {**files, "data/a.ndjson": DOCUMENTS})
        folder.run()
        folder.write("data/b.ndjson", '{"id": 6, "items": [{"sku": "c", "qty": 3}]}\n')
        folder.run()
        refused = [one for one in folder.refused("silver.orders") if one[1] != 5]
        found.append((folder.rows("SELECT * EXCLUDE (_hg_load) FROM silver.items ORDER BY ALL"), refused))
        assert folder.codes() == []
    assert found[0] == found[1]
    assert found[0][0] == [(2, 1, "a", 2), (6, 1, "c", 3)]
    assert [line for _, line, _ in found[0][1]] == [1, 3]
