"""An upsert that keeps, beside a column, what it said before it last changed (SCD type 3)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core.errors import CommitError, ProjectError

INGEST = """table: raw.customers
from: data/*.csv
load: {scd3: id, order_by: at, previous: {city: city_before, tier: former tier}}
columns:
  id: int
  city: text, length(0, 9)
  tier: decimal(6,2)
  at: date
"""
HEAD = "id,city,tier,at\n"
ROWS = (
    'SELECT id, city, city_before, CAST(tier AS DOUBLE), CAST("former tier" AS DOUBLE) FROM raw.customers ORDER BY id'
)


def customers(root: Path, *records: str, ingest: str = INGEST) -> Folder:
    return Folder.make(
        root, {"ingest/customers.yml": ingest, "data/a.csv": HEAD + "".join(f"{one}\n" for one in records)}
    )


def deliver(folder: Folder, name: str, *records: str) -> None:
    folder.write(f"data/{name}.csv", HEAD + "".join(f"{one}\n" for one in records))
    assert folder.step("raw.customers").status == "ok"


def test_each_column_keeps_what_it_said_before_it_last_changed(tmp_path: Path) -> None:
    folder = customers(tmp_path, "1,Rome,1,2024-01-01", "2,,1,2024-01-01", "3,Bonn,1,2024-01-01")
    folder.run()
    assert folder.rows(ROWS)[0] == (1, "Rome", None, 1, None)
    deliver(folder, "b", "1,Oslo,1,2024-01-02", "2,Nice,2,2024-01-02", "3,,1,2024-01-02")
    assert folder.rows(ROWS) == [(1, "Oslo", "Rome", 1, None), (2, "Nice", None, 2, 1), (3, None, "Bonn", 1, None)]
    deliver(folder, "c", "1,Oslo,1,2024-01-03", "2,Lyon,2,2024-01-03", "3,,3,2024-01-03")
    assert folder.rows(ROWS) == [(1, "Oslo", "Rome", 1, None), (2, "Lyon", "Nice", 2, 1), (3, None, "Bonn", 3, 1)]
    first, *_, last = folder.open().ledger("raw.customers").entries
    assert (last.rows_loaded, first.rows_loaded, first.rows_deduplicated) == (3, 3, 0)
    assert folder.codes() == []


def test_changes_of_one_load_follow_each_other_and_late_ones_change_nothing(tmp_path: Path) -> None:
    records = ("1,Rome,1,2024-01-03", "1,Late,9,2024-01-01", "1,Oslo,1,2024-01-03", "1,Bonn,1,2024-01-04")
    folder = customers(tmp_path, *records)
    folder.run()
    assert folder.rows(ROWS) == [(1, "Bonn", "Oslo", 1, None)]
    deliver(folder, "b", "1,Late,9,2024-01-02", "1,Bonn,1,2024-01-05", "1,Oslo,1,2024-01-06", "1,Oslo,2,2024-01-06")
    assert folder.rows(ROWS) == [(1, "Oslo", "Bonn", 2, 1)]
    twice = ("1,Oslo,2,2024-01-07", "1,Oslo,2,2024-01-08")
    deliver(folder, "c", *twice, "2,,1,2024-01-01", "2,Nice,1,2024-01-02", "2,,1,2024-01-03")
    assert folder.rows(ROWS) == [(1, "Oslo", "Bonn", 2, 1), (2, None, "Nice", 1, None)]
    assert folder.codes() == []


def test_a_replayed_record_comes_in_its_order(tmp_path: Path) -> None:
    folder = customers(tmp_path, "1,Rome,1,2024-01-01", "1,Much too long,1,2024-01-03", "2,Much too long,1,2024-01-01")
    folder.run()
    deliver(folder, "b", "1,Oslo,1,2024-01-02", "2,Oslo,1,2024-01-02")
    folder.write("ingest/customers.yml", INGEST.replace(", length(0, 9)", ""))
    folder.open().replay(all=True)
    assert folder.rows(ROWS) == [(1, "Much too long", "Oslo", 1, None), (2, "Oslo", None, 1, None)]
    assert folder.codes() == []


def test_a_replayed_record_of_the_same_time_tells_nothing(tmp_path: Path) -> None:
    folder = customers(tmp_path, "1,Oslo,1,2024-01-03", "1,Much too long,1,2024-01-03", "1,Much too far,1,2024-01-04")
    folder.run()
    folder.write("ingest/customers.yml", INGEST.replace(", length(0, 9)", ""))
    folder.open().replay(all=True)
    assert folder.rows(ROWS) == [(1, "Much too far", "Oslo", 1, None)]


def test_a_file_that_is_read_again_says_the_same_again(tmp_path: Path) -> None:
    folder = customers(tmp_path, "1,Rome,1,2024-01-01", "1,Oslo,1,2024-01-02", ingest=INGEST + "on_change: reload\n")
    folder.run()
    deliver(folder, "a", "1,Rome,1,2024-01-01", "1,Oslo,1,2024-01-02", "2,Rome,1,2024-01-01")
    assert folder.rows(ROWS) == [(1, "Oslo", "Rome", 1, None), (2, "Rome", None, 1, None)]
    folder.run(full_refresh=True)
    assert folder.rows(ROWS) == [(1, "Oslo", "Rome", 1, None), (2, "Rome", None, 1, None)]
    assert folder.codes() == []


def test_a_deletion_that_stays_is_a_change_like_any_other(tmp_path: Path) -> None:
    load = "load: {scd3: id, previous: [city], deleted_if: tier = 0, keep_deleted: gone}\n"
    ingest = INGEST.replace(INGEST.splitlines(keepends=True)[2], load)
    folder = customers(tmp_path, "1,Rome,1,2024-01-01", "1,Rome,0,2024-01-01", "2,Rome,1,2024-01-01", ingest=ingest)
    folder.run()
    deliver(folder, "b", "1,Oslo,1,2024-01-01", "2,,0,2024-01-01")
    rows = folder.rows("SELECT id, city, previous_city, gone FROM raw.customers ORDER BY id")
    assert rows == [(1, "Oslo", "Rome", False), (2, None, "Rome", True)]
    assert folder.codes() == []


def test_names_of_columns_may_be_any(tmp_path: Path) -> None:
    ingest = 'table: raw.odd\nfrom: data/*.csv\nload: {scd3: [at, turn], previous: {"select": "c0"}}\n'
    ingest += "columns:\n  at: int\n  turn: text\n  select: json\n"
    folder = Folder.make(tmp_path, {"ingest/odd.yml": ingest, "data/a.csv": "at,turn,select\n1,a,[1]\n1,b,[1]\n"})
    folder.run()
    folder.write("data/b.csv", 'at,turn,select\n1,a,"[1, 2]"\n1,b,[1]\n')
    folder.run()
    assert folder.rows('SELECT turn, "select", c0 FROM raw.odd ORDER BY turn') == [
        ("a", "[1, 2]", "[1]"),
        ("b", "[1]", None),
    ]


SCD3 = "scd3: id, order_by: at, previous: {city: city_before, tier: former tier}"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("{" + SCD3 + "}", "scd3", "scd3 does not say of which columns the former value is kept"),
        (SCD3, "scd3: id", "scd3 does not say of which columns the former value is kept"),
        (SCD3, "upsert: id, previous: [city]", "previous does not go with upsert"),
        (SCD3, "scd2: id, previous: [city]", "previous does not go with scd2"),
        (SCD3, "scd3: id, previous: [town]", "previous names column 'town', which the contract does not have"),
        (SCD3, "scd3: id, previous: [id]", "previous names id, which is what an identity is known by"),
        (SCD3, "scd3: id, previous: {city: Tier}", "'Tier' can't keep a former value"),
        (SCD3, "scd3: id, previous: {city: x, tier: X}", "'X' can't keep a former value"),
        (SCD3, "scd3: id, previous: {city: _hg_x}", "'_hg_x' can't keep a former value"),
        (SCD3, "scd3: id, previous: [city, city]", "previous names a column twice"),
        (SCD3, "scd3: id, track: [city], previous: [city]", "track does not go with upsert"),
        (INGEST[INGEST.index("columns:") :], "", "previous needs columns:"),
    ],
)
def test_mistakes_are_told_where_they_are_written(tmp_path: Path, old: str, new: str, what: str) -> None:
    folder = customers(tmp_path, "1,Rome,1,2024-01-01", ingest=INGEST.replace(old, new))
    with pytest.raises(ProjectError) as caught:
        folder.run()
    assert any(finding.what.startswith(what) for finding in caught.value.findings)


def test_a_standing_table_gets_the_columns_by_itself(tmp_path: Path) -> None:
    folder = customers(tmp_path, "1,Rome,1,2024-01-01", ingest=INGEST.replace(SCD3, "upsert: id"))
    folder.run()
    folder.write("ingest/customers.yml", INGEST)
    [step] = folder.open().plan().steps
    assert "added city_before" in json.dumps(step.to_json())
    deliver(folder, "b", "1,Oslo,1,2024-01-02", "2,Oslo,1,2024-01-02")
    assert folder.rows(ROWS) == [(1, "Oslo", "Rome", 1, None), (2, "Oslo", None, 1, None)]
    assert folder.codes() == []


def test_a_former_value_follows_the_type_of_its_column(tmp_path: Path) -> None:
    folder = customers(tmp_path, "1,Rome,1.25,2024-01-01", "1,Rome,2.5,2024-01-02")
    folder.run()
    folder.write("ingest/customers.yml", INGEST.replace("tier: decimal(6,2)", "tier: decimal(9,2)"))
    deliver(folder, "b", "1,Rome,1234567,2024-01-03")
    assert folder.rows(ROWS) == [(1, "Rome", None, 1234567, 2.5)]
    deliver(folder, "c", "1,Rome,1,2024-01-04")
    assert folder.rows(ROWS) == [(1, "Rome", None, 1, 1234567)]
    assert folder.codes() == []


def test_a_former_value_keeps_its_column_from_losing_anything(tmp_path: Path) -> None:
    folder = customers(tmp_path, "1,Rome,1.25,2024-01-01", "1,Rome,2,2024-01-02")
    folder.run()
    ingest = INGEST.replace("tier: decimal(6,2)", "tier: decimal(6,0)") + "evolution: {narrowed: evolve}\n"
    folder.write("ingest/customers.yml", ingest)
    folder.write("data/b.csv", HEAD + "1,Oslo,3,2024-01-03\n")
    [finding] = folder.run().findings
    assert (finding.code, "former tier" in finding.what) == ("evolve-lossy", True)
    assert (folder.rows(ROWS), folder.codes()) == ([(1, "Rome", None, 2, 1.25)], [])


def test_a_former_value_comes_from_where_its_column_comes_from(tmp_path: Path) -> None:
    folder = customers(
        tmp_path, "1,Rome,1,2024-01-01", ingest=INGEST.replace("city: text", "city: text, from('The city')")
    )
    with folder.open() as project:
        found = project.lineage("raw.customers.city_before", down=False)
    assert [(one.from_column, one.kind) for one in found.up if one.direct] == [("The city", "identity")]


def test_a_table_of_others_can_not_say_what_was_before(tmp_path: Path) -> None:
    folder = customers(tmp_path, "1,Rome,1,2024-01-01")
    folder.behind(
        "CREATE SCHEMA raw", 'CREATE TABLE raw.customers(id BIGINT, city VARCHAR, tier DECIMAL(6,2), "at" DATE)'
    )
    with folder.open() as project, pytest.raises(CommitError, match="what they said before"):
        project.adopt("raw.customers")
