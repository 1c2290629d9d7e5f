"""`headgate adopt` of a table that keeps versions: it must be a history that loads could have made, and goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core.errors import HeadgateError

INGEST = """table: raw.customers
from: data/*.csv
load: {scd2: id, order_by: at}
columns:
  id: int
  city: text, length(0, 9)
  at: date
"""
TABLE = """CREATE TABLE raw.customers
    (id INTEGER, city VARCHAR, "at" DATE, valid_from DATE, valid_to DATE, is_current BOOLEAN)"""
SOUND = (
    "1 Rome 2024-01-01 2024-01-01 2024-02-01 false",
    "1 Oslo 2024-02-01 2024-02-01 - true",
    "2 Bonn 2024-01-01 2024-01-01 - true",
)
TIMES = "CAST(valid_from AS VARCHAR), CAST(valid_to AS VARCHAR), is_current"
ROWS = f"SELECT id, city, {TIMES} FROM raw.customers ORDER BY 1, 3, 5"
ENDS = INGEST.replace("order_by: at", "order_by: at, deleted_if: city = 'gone'")


def history(root: Path, *versions: str, ingest: str = INGEST, table: str = TABLE) -> Folder:
    folder = Folder.make(root, {"ingest/customers.yml": ingest})
    folder.behind("CREATE SCHEMA raw", table, *(insert(version) for version in versions))
    return folder


def insert(version: str) -> str:
    values = ", ".join("NULL" if one == "-" else f"'{one}'" for one in version.split())
    return f"INSERT INTO raw.customers VALUES ({values})"


def refusal(folder: Folder, **how: object) -> str:
    """Why the table is not adopted, which leaves it as it was."""
    before = folder.behind("SELECT * FROM raw.customers")
    with folder.open() as project, pytest.raises(HeadgateError) as caught:
        project.adopt("raw.customers", **how)  # type: ignore[arg-type]
    assert folder.behind("SELECT * FROM raw.customers") == before
    return caught.value.finding.what


def test_a_history_is_adopted_and_goes_on(tmp_path: Path) -> None:
    folder = history(tmp_path, *SOUND)
    with folder.open() as project:
        found = project.adopt("raw.customers")
    assert (found.rows_read, found.rows_loaded, found.rows_quarantined) == (3, 3, 0)
    folder.write(
        "data/a.csv", "id,city,at\n1,Oslo,2024-03-01\n2,Nice,2024-03-01\n3,Lyon,2024-03-01\n2,Late,2023-12-01\n"
    )
    folder.run()
    [entry] = [one for one in folder.open().ledger("raw.customers").entries if one.partition == "a.csv"]
    assert entry.detail["history"] == {"unchanged": 1, "changed": 1, "new": 1}
    assert folder.rows(ROWS) == [
        (1, "Rome", "2024-01-01", "2024-02-01", False),
        (1, "Oslo", "2024-02-01", None, True),
        (2, "Bonn", "2024-01-01", "2024-03-01", False),
        (2, "Nice", "2024-03-01", None, True),
        (3, "Lyon", "2024-03-01", None, True),
    ]
    assert folder.codes() == []


def test_names_open_end_days_and_present_values_are_those_of_the_load(tmp_path: Path) -> None:
    load = "{scd6: id, order_by: at, as: date, end: '9999-12-31', current: [city], columns: {from: since, to: until}}"
    ingest = INGEST.replace("{scd2: id, order_by: at}", load).replace("at: date", "at: timestamp")
    table = TABLE.replace("valid_from", "since").replace("valid_to", "until").replace('"at" DATE', '"at" TIMESTAMP')
    table = table.replace("is_current BOOLEAN", "is_current BOOLEAN, current_city VARCHAR")
    rows = (
        "1 Rome 2024-01-01T05:00 2024-01-01 2024-02-01 false Oslo",
        "1 Oslo 2024-02-01T07:00 2024-02-01 9999-12-31 true Oslo",
    )
    folder = history(tmp_path / "a", *rows, ingest=ingest, table=table)
    with folder.open() as project:
        assert project.adopt("raw.customers", dry_run=True).rows_loaded == 2
        project.adopt("raw.customers")
    folder.write("data/a.csv", "id,city,at\n1,Nice,2024-03-01 01:00\n")
    assert folder.step("raw.customers").status == "ok"
    shown = folder.rows("SELECT city, current_city, CAST(until AS VARCHAR) FROM raw.customers ORDER BY since")
    assert shown == [("Rome", "Nice", "2024-02-01"), ("Oslo", "Nice", "2024-03-01"), ("Nice", "Nice", "9999-12-31")]
    other = history(tmp_path / "b", rows[0].replace("false Oslo", "false Rome"), rows[1], ingest=ingest, table=table)
    said = "versions say otherwise in current_city than the current version in city, which no load of it makes (1 row)"
    assert said in refusal(other)


def test_a_version_that_ends_alone_needs_a_load_that_ends_versions(tmp_path: Path) -> None:
    alone = ("1 Rome 2024-01-01 2024-01-01 2024-02-01 false", "1 Oslo 2024-03-01 2024-03-01 2024-03-01 false")
    assert "end before they begin" in refusal(history(tmp_path / "a", *alone))
    folder = history(tmp_path / "b", *alone, ingest=ENDS)
    with folder.open() as project:
        assert project.adopt("raw.customers").rows_loaded == 2
    folder.write("data/a.csv", "id,city,at\n1,Late,2024-02-01\n1,Oslo,2024-04-01\n")
    folder.run()
    assert [row[1:] for row in folder.rows(ROWS)][-1] == ("Oslo", "2024-04-01", None, True)
    assert (len(folder.rows(ROWS)), folder.codes()) == (3, [])


UNFIT = {
    "2 Nice 2024-03-01 2024-03-01 - true": "overlap the next version",
    "1 Nice 2024-01-15 2024-01-15 2024-02-01 false": "overlap the next version",
    "3 Nice 2024-03-01 2024-03-01 2024-04-01 true": "are current and end",
    "3 Nice 2024-03-01 2024-03-01 - false": "are current and end, or are not and never end",
    "3 Nice 2024-03-01 2024-03-01 2024-02-01 false": "end before they begin",
    "3 Nice 2024-03-01 2024-03-01 2024-04-01 false": "are the last of their identity and not current",
    "1 Nice 2023-01-01 2023-01-01 2023-12-31 false": "end before the next version begins",
    "3 Nice 2024-03-01 2024-03-02 - true": "hold from another time than at says",
    "3 Nice 2024-03-01 - - true": "lack valid_from or is_current",
    "3 Nice 2024-03-01 2024-03-01 - -": "lack valid_from or is_current",
    "3 Nicest_of_all 2024-03-01 2024-03-01 - true": "city.length 1",
    "- Nice 2024-03-01 2024-03-01 - true": "id.required 1",
}


def test_what_no_load_could_have_made_is_left_alone(tmp_path: Path) -> None:
    folder = history(tmp_path, *SOUND)
    for version, what in UNFIT.items():
        folder.behind(insert(version))
        assert what in refusal(folder, quarantine=True), version
        folder.behind("DELETE FROM raw.customers WHERE city LIKE 'Nice%'")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (", is_current BOOLEAN", "", "it has no column 'is_current'"),
        ("valid_from DATE", "valid_from TIMESTAMP", "its column 'valid_from' is TIMESTAMP, and loads write DATE"),
        ("id INTEGER", "id INTEGER, _hg_hash VARCHAR", "it has a column '_hg_hash' already"),
        ("id INTEGER", "id INTEGER, more VARCHAR", "not in the contract: more"),
    ],
)
def test_the_columns_of_versions_must_be_those_of_the_load(tmp_path: Path, old: str, new: str, what: str) -> None:
    assert what in refusal(history(tmp_path, table=TABLE.replace(old, new)))


def test_types_are_taken_from_a_history_that_no_contract_describes(tmp_path: Path) -> None:
    folder = history(tmp_path, *SOUND, ingest=INGEST[: INGEST.index("columns:")])
    with folder.open() as project:
        assert project.adopt("raw.customers").rows_loaded == 3
    folder.write("data/a.csv", "id,city,at\n1,Oslo,2024-03-01\n2,Nice,2024-03-01\n")
    folder.run()
    assert (len(folder.rows(ROWS)), folder.codes()) == (4, [])


def test_a_table_whose_records_have_lines_is_refused_before_anything_is_changed(tmp_path: Path) -> None:
    ingest = "table: raw.baskets\nfrom: data/*.ndjson\nload: upsert\ncolumns:\n  id: int, key\n"
    ingest += "children:\n  raw.lines:\n    from: items\n    columns:\n      sku: text\n"
    folder = Folder.make(tmp_path, {"ingest/baskets.yml": ingest})
    folder.behind("CREATE SCHEMA raw", "CREATE TABLE raw.baskets AS SELECT 1::BIGINT AS id")
    with folder.open() as project, pytest.raises(HeadgateError) as caught:
        project.adopt("raw.baskets", source="new")
    assert caught.value.finding.code == "adopt-unfit"
    assert "child tables (raw.lines)" in caught.value.finding.what
    assert [row[0] for row in folder.behind("DESCRIBE raw.baskets")] == ["id"]
    assert folder.codes() == ["table-unknown"]
