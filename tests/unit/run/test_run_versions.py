"""Tables that keep every version of an identity."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core.errors import ProjectError

COLUMNS = "columns:\n  id: int\n  city: text\n  mail: text\n  at: timestamp\n"
CUSTOMERS = f"table: raw.customers\nfrom: data/*.csv\nload: {{scd2: id, order_by: at}}\n{COLUMNS}"
VERSIONS = """SELECT id, city, strftime(valid_from, '%m-%d'), strftime(valid_to, '%m-%d'), is_current
              FROM raw.customers ORDER BY id, valid_from"""


def customers(tmp_path: Path, first: str, ingest: str = CUSTOMERS) -> Folder:
    folder = Folder.make(tmp_path, {"ingest/c.yml": ingest, "data/a.csv": "id,city,mail,at\n" + first})
    assert folder.step("raw.customers").status == "ok"
    return folder


def deliver(folder: Folder, name: str, *lines: str) -> tuple[int, int, int]:
    folder.write(f"data/{name}.csv", "id,city,mail,at\n" + "".join(line + "\n" for line in lines))
    step = folder.step("raw.customers")
    assert folder.codes() == []
    return step.rows_read, step.rows_loaded, step.rows_deduplicated


def test_a_change_ends_one_version_and_opens_the_next(tmp_path: Path) -> None:
    folder = customers(tmp_path, "1,Bonn,a,2024-01-01\n2,Kiel,b,2024-01-01\n")
    assert deliver(folder, "b", "1,Ulm,a,2024-02-01", "2,Kiel,b,2024-02-01", "3,Jena,c,2024-02-02") == (3, 3, 0)
    assert folder.behind(VERSIONS) == [
        (1, "Bonn", "01-01", "02-01", False),
        (1, "Ulm", "02-01", None, True),
        (2, "Kiel", "01-01", None, True),
        (3, "Jena", "02-02", None, True),
    ]
    counted = "SELECT rows_loaded, rows_inserted, rows_updated, rows_before, rows_after, details FROM _headgate.entry"
    last = folder.behind(counted + " WHERE id = 2")[0]
    assert last[:5] == (3, 2, 1, 2, 4)
    assert '"history":{"changed":1,"new":1,"unchanged":1}' in last[5]


def test_a_history_does_not_depend_on_how_it_was_delivered(tmp_path: Path) -> None:
    lines = ["1,a,m,2024-01-01", "1,b,m,2024-01-03", "1,b,m,2024-01-04", "1,c,m,2024-01-02", "1,c,m,2024-01-04",
             "1,d,m,2024-01-04", "1,d,m,2024-01-09"]  # fmt: skip
    one = customers(tmp_path / "one", "".join(line + "\n" for line in lines))
    many = customers(tmp_path / "many", lines[0] + "\n")
    for number, line in enumerate(lines[1:]):
        deliver(many, f"b{number}", line)
    assert one.behind(VERSIONS) == many.behind(VERSIONS) == [
        (1, "a", "01-01", "01-03", False), (1, "b", "01-03", "01-04", False), (1, "d", "01-04", None, True),
    ]  # fmt: skip


def test_what_is_older_than_the_newest_version_is_deduplicated(tmp_path: Path) -> None:
    folder = customers(tmp_path, "1,Bonn,a,2024-02-01\n")
    assert deliver(folder, "b", "1,Ulm,a,2024-01-15") == (1, 0, 1)
    assert deliver(folder, "c", "1,Jena,a,2024-02-01") == (1, 1, 0)
    assert folder.behind(VERSIONS) == [(1, "Jena", "02-01", None, True)]


def test_only_tracked_columns_make_a_version_and_columns_have_the_names_wanted(tmp_path: Path) -> None:
    load = "{scd2: id, order_by: at, track: city, end: '9999-12-31', columns: {from: since, to: until, current: now}}"
    folder = customers(tmp_path, "1,Bonn,a,2024-01-01\n", CUSTOMERS.replace("{scd2: id, order_by: at}", load))
    assert deliver(folder, "b", "1,Bonn,other,2024-01-02") == (1, 1, 0)
    assert deliver(folder, "c", "1,Ulm,other,2024-01-03") == (1, 1, 0)
    shown = "SELECT city, mail, since::DATE::VARCHAR, until::DATE::VARCHAR, now FROM raw.customers ORDER BY since"
    assert folder.behind(shown) == [
        ("Bonn", "a", "2024-01-01", "2024-01-03", False), ("Ulm", "other", "2024-01-03", "9999-12-31", True),
    ]  # fmt: skip


def test_without_a_time_the_load_gives_its_own(tmp_path: Path) -> None:
    folder = customers(tmp_path, "1,Bonn,a,\n1,Ulm,a,\n2,Kiel,b,\n", CUSTOMERS.replace(", order_by: at", ""))
    assert deliver(folder, "b", "1,Ulm,a,", "2,Trier,b,") == (2, 2, 0)
    shown = "SELECT id, city, is_current, valid_to IS NULL FROM raw.customers ORDER BY id, valid_from"
    assert folder.behind(shown) == [(1, "Ulm", True, True), (2, "Kiel", False, False), (2, "Trier", True, True)]
    [(zone,)] = folder.behind("SELECT typeof(valid_from) FROM raw.customers LIMIT 1")
    assert zone == "TIMESTAMP WITH TIME ZONE"


def test_texts_that_hold_the_separator_are_told_apart(tmp_path: Path) -> None:
    folder = customers(tmp_path, "1,a\x1f1:b,c,2024-01-01\n2,a\x1fb,c,2024-01-01\n")
    assert deliver(folder, "b", "1,a,b\x1f1:c,2024-01-02", "2,a,b\x1fc,2024-01-02") == (2, 2, 0)
    assert folder.behind("SELECT count(*) FROM raw.customers") == [(4,)]


def test_models_see_the_history_but_not_its_digest(tmp_path: Path) -> None:
    folder = customers(tmp_path, "1,Bonn,a,2024-01-01\n")
    folder.write("models/now.sql", "SELECT * FROM {{ source('raw', 'customers') }} WHERE is_current")
    assert folder.run().status == "ok"
    assert folder.behind("SELECT column_name FROM (DESCRIBE main.now)") == [
        (name,) for name in ("id", "city", "mail", "at", "valid_from", "valid_to", "is_current")
    ]


def test_a_replayed_record_joins_the_history_unless_it_is_older(tmp_path: Path) -> None:
    strict = CUSTOMERS.replace("city: text", "city: text, length(1, 4)")
    folder = customers(tmp_path, "1,Bonn,a,2024-01-01\n1,Leipzig,a,2024-01-05\n2,Hamburg,b,2024-01-01\n", strict)
    deliver(folder, "b", "1,Kiel,a,2024-01-09")
    folder.write("ingest/c.yml", CUSTOMERS)
    done = folder.open().replay(all=True)
    assert (done.rows_read, done.rows_loaded, done.rows_deduplicated) == (2, 1, 1)
    assert folder.behind(VERSIONS) == [
        (1, "Bonn", "01-01", "01-09", False), (1, "Kiel", "01-09", None, True), (2, "Hamburg", "01-01", None, True),
    ]  # fmt: skip
    assert folder.codes() == []


@pytest.mark.parametrize(
    ("load", "columns", "what"),
    [
        ("{scd2: id, track: town}", "", "track names column 'town', which the contract does not have"),
        ("{scd2: id, columns: {from: city}}", "", "'city' can't stand beside the versions"),
        ("{scd2: id, columns: {from: x, to: x}}", "", "the columns of a history need a name each"),
        ("{scd2: id}", "  n: int, unique\n", "unique (n) does not go with scd2"),
        ("{scd2: id}", "  n: int, references(raw.customers.id)\n", "a reference to the own table does not go"),
        ("{upsert: id, track: city}", "", "track does not go with upsert"),
        ("{scd2: id, columns: {until: x}}", "", "unknown key 'until' in columns of a history"),
    ],
)
def test_mistakes_are_told(load: str, columns: str, what: str, tmp_path: Path) -> None:
    ingest = CUSTOMERS.replace("{scd2: id, order_by: at}", load) + columns
    folder = Folder.make(tmp_path, {"ingest/c.yml": ingest})
    with pytest.raises(ProjectError) as caught:
        folder.run()
    assert any(one.what.startswith(what) for one in caught.value.findings), caught.value.findings
