"""An insert that leaves out records whose identity is in the table within a length of time, by their own times."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core.errors import ProjectError

INGEST = """table: raw.events
from: data/*.csv
load: {insert: id, by: at, within: 7 days}
columns:
  id: int
  at: timestamp
  note: text, length(0, 9)
"""
HEAD = "id,at,note\n"
ROWS = 'SELECT id, note FROM raw.events ORDER BY "at", id'


def events(root: Path, *records: str, ingest: str = INGEST) -> Folder:
    return Folder.make(root, {"ingest/events.yml": ingest, "data/a.csv": HEAD + "".join(f"{one}\n" for one in records)})


def deliver(folder: Folder, name: str, *records: str) -> tuple[int, int, int]:
    folder.write(f"data/{name}.csv", HEAD + "".join(f"{one}\n" for one in records))
    step = folder.step("raw.events")
    assert step.status == "ok"
    return step.rows_read, step.rows_loaded, step.rows_deduplicated


def test_what_comes_again_within_the_time_is_left_out_and_later_it_enters(tmp_path: Path) -> None:
    folder = events(tmp_path, "1,2024-01-01,first", "1,2024-01-03,again", "2,2024-01-03,other")
    folder.run()
    assert deliver(folder, "b", "1,2024-01-08,edge", "1,2024-01-08 00:00:00.000001,new", "2,2024-01-01,late") == (
        3,
        1,
        2,
    )
    assert folder.rows(ROWS) == [(1, "first"), (2, "other"), (1, "new")]
    [entry] = [one for one in folder.open().ledger("raw.events").entries if one.partition == "b.csv"]
    assert entry.detail["deduplicated"] == {"repeated": 2}
    assert folder.codes() == []


def test_a_record_from_before_the_time_enters(tmp_path: Path) -> None:
    folder = events(tmp_path, "1,2024-03-01,first")
    folder.run()
    assert deliver(folder, "b", "1,2024-02-01,old", "1,2024-02-25,near") == (2, 1, 1)
    assert folder.rows(ROWS) == [(1, "old"), (1, "first")]


def test_a_chain_is_taken_one_by_one(tmp_path: Path) -> None:
    days = [*range(1, 29, 3), 2]
    chain = [f"1,2024-01-{day:02},{day}" for day in days] + [f"2,2024-01-{day:02},{day}" for day in (5, 1, 9, 13)]
    folder = events(tmp_path, *chain)
    folder.run()
    assert folder.rows('SELECT id, note FROM raw.events ORDER BY id, "at"') == [
        (1, "1"), (1, "10"), (1, "19"), (1, "28"), (2, "5"), (2, "13"),
    ]  # fmt: skip
    assert folder.codes() == []


def test_long_chains_are_left_out_whole(tmp_path: Path) -> None:
    minutes = [f"1,2024-01-01 {m // 60:02}:{m % 60:02},{m}" for m in range(1440)]
    folder = events(tmp_path, *minutes, ingest=INGEST.replace("7 days", "1 min"))
    folder.run()
    [(rows, least)] = folder.rows(
        "SELECT count(*), min(CAST(note AS INT) % 2) FROM raw.events WHERE CAST(note AS INT) % 2 = 0"
    )
    assert (rows, least, folder.rows("SELECT count(*) FROM raw.events")) == (720, 0, [(720,)])
    assert folder.codes() == []


def test_a_record_without_key_or_time_is_refused(tmp_path: Path) -> None:
    folder = events(tmp_path, "1,,no time", ",2024-01-01,no id", "1,2024-01-01,good")
    folder.run()
    listed = [record.reasons[0].column for record in folder.open().quarantine("raw.events").records]
    assert (listed, folder.rows(ROWS)) == (["at", "id"], [(1, "good")])


def test_what_is_read_again_is_there_already(tmp_path: Path) -> None:
    folder = events(tmp_path, "1,2024-01-01,first", "1,2024-01-06,again", ingest=INGEST + "on_change: reload\n")
    folder.run()
    assert deliver(folder, "a", "1,2024-01-01,first", "1,2024-01-06,again", "1,2024-01-20,new") == (3, 1, 2)
    assert deliver(folder, "twin", "1,2024-01-01,first", "1,2024-01-06,again", "1,2024-01-20,new") == (3, 0, 3)
    folder.run(full_refresh=True)
    assert folder.rows(ROWS) == [(1, "first"), (1, "new")]
    assert folder.codes() == []


def test_a_replayed_record_is_judged_by_what_is_there(tmp_path: Path) -> None:
    folder = events(tmp_path, "1,2024-01-01,much too long", "1,2024-02-01,much too long", "1,2024-01-03,good")
    folder.run()
    folder.write("ingest/events.yml", INGEST.replace(", length(0, 9)", ""))
    folder.open().replay(all=True)
    assert folder.rows(ROWS) == [(1, "good"), (1, "much too long")]
    assert folder.codes() == []


@pytest.mark.parametrize(
    ("kind", "low"), [("date", "0001-01-01"), ("timestamp", "0001-01-01"), ("timestamptz", "0001-01-01Z")]
)
def test_the_ends_of_time_are_no_fault(tmp_path: Path, kind: str, low: str) -> None:
    high = low.replace("0001-01-01", "9999-12-31")
    ingest = INGEST.replace("at: timestamp", f"at: {kind}").replace("7 days", "99999 weeks")
    folder = events(tmp_path, f"1,{low},low", f"1,{high},high", f"1,{high},again", ingest=ingest)
    folder.run()
    assert folder.rows(ROWS) == [(1, "low"), (1, "high")]


def test_no_value_of_the_engine_is_a_fault(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, {"ingest/events.yml": INGEST.replace("*.csv", "*.parquet")})
    (tmp_path / "data").mkdir()
    times = "TIMESTAMP 'infinity'", "TIMESTAMP '-infinity'", "TIMESTAMP '290000-01-01'", "TIMESTAMP '290000-01-02'"
    rows = " UNION ALL ".join(
        f"SELECT 1::BIGINT AS id, {time} AS at, '{n}' AS note" for n, time in enumerate((*times, *times))
    )
    folder.behind(f"COPY ({rows}) TO '{tmp_path}/data/a.parquet'")
    assert [finding.what for finding in folder.run().findings] == []
    assert sorted(row[1] for row in folder.rows("SELECT id, note FROM raw.events")) == ["0", "1", "2", "3"]


def test_under_refuse_all_that_are_near_are_refused_and_what_the_table_has_is_repeated(tmp_path: Path) -> None:
    ingest = INGEST.replace("within: 7 days", "within: 7 days, duplicates: refuse")
    folder = events(tmp_path, "1,2024-01-01,a", "1,2024-01-08,b", "1,2024-01-16,c", ingest=ingest)
    folder.run()
    assert folder.rows(ROWS) == [(1, "c")]
    assert deliver(folder, "b", "1,2024-01-17,again") == (1, 0, 1)


def test_of_adopted_rows_that_are_near_none_is_told_to_be_the_first(tmp_path: Path) -> None:
    folder = events(tmp_path, "1,2024-01-04,late", "1,2024-03-01,new")
    folder.behind(
        "CREATE SCHEMA raw",
        """CREATE TABLE raw.events AS SELECT * FROM (VALUES (1::BIGINT, TIMESTAMP '2024-01-01', 'a'),
           (1, TIMESTAMP '2024-02-01', 'b'), (1, TIMESTAMP '2024-02-05', 'c')) AS v(id, "at", note)""",
    )
    with folder.open() as project:
        assert project.adopt("raw.events", source="new", quarantine=True).rows_quarantined == 2
    folder.run()
    assert folder.rows(ROWS) == [(1, "a"), (1, "new")]
    assert folder.codes() == []


def test_a_check_at_rest_does_not_ask_for_one_row_of_an_identity(tmp_path: Path) -> None:
    folder = events(tmp_path, "1,2024-01-01,a", "1,2024-02-01,b")
    folder.run()
    with folder.open() as project:
        assert project.check_data().ok


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (", within: 7 days", "", "by needs within: the time in which its identity comes once"),
        (" by: at,", "", "within needs by: the column with the time of a record"),
        ("7 days", "a week", "within can't be 'a week'"),
        ("by: at", "by: when", "by names column 'when', which the contract does not have"),
        ("by: at", "by: note", "within is measured on a time, and note is text"),
        ("insert: id", "upsert: id", "by does not go with upsert"),
        (INGEST[INGEST.index("columns:") :], "", "by and within need columns:"),
        ("insert: id, by: at, within: 7 days", "append: true, within: 7 days", "within does not go with append"),
    ],
)
def test_mistakes_are_told_where_they_are_written(tmp_path: Path, old: str, new: str, what: str) -> None:
    folder = events(tmp_path, "1,2024-01-01,a", ingest=INGEST.replace(old, new))
    with pytest.raises(ProjectError) as caught:
        folder.run()
    assert any(finding.what.startswith(what) for finding in caught.value.findings)
