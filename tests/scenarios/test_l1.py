"""L1: upsert by id into analytics.t. Loading again changes nothing; one id twice in a batch has a declared fate."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

INGEST = "table: analytics.t\nfrom: data/*.csv\nload: {load}\ncolumns:\n  id: int\n  name: text\n  seen: timestamp\n"
FIRST = "id,name,seen\n1,one,2024-05-01 10:00:00\n2,two,2024-05-01 10:00:00\n3,three,2024-05-01 10:00:00\n"
SECOND = "id,name,seen\n2,deux,2024-05-02 10:00:00\n3,trois,2024-05-02 10:00:00\n4,four,2024-05-02 10:00:00\n"
HASH = "SELECT count(*), md5(string_agg(concat_ws('|', id, name, seen), ';' ORDER BY id)) FROM analytics.t"


def folder_of(tmp_path: Path, load: str) -> Folder:
    return Folder.make(tmp_path, {"ingest/t.yml": INGEST.replace("{load}", load), "data/1.csv": FIRST})


def test_three_rows_then_two_changed_and_one_new_are_four(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "{upsert: id, order_by: seen}")
    assert folder.step("analytics.t").rows_loaded == 3
    folder.write("data/2.csv", SECOND)
    step = folder.step("analytics.t")
    assert (step.rows_read, step.rows_loaded) == (3, 3)
    names = "SELECT id, name FROM analytics.t ORDER BY id"
    assert folder.behind(names) == [(1, "one"), (2, "deux"), (3, "trois"), (4, "four")]
    before = folder.behind(HASH)
    # The same data again: run again, delivered again under another name, everything from the beginning.
    assert folder.step("analytics.t").status == "skipped"
    folder.write("data/3.csv", SECOND)
    assert folder.step("analytics.t").status == "ok"
    assert folder.behind(HASH) == before
    folder.write("data/4.csv", FIRST)
    step = folder.step("analytics.t")
    assert (step.rows_loaded, step.rows_deduplicated) == (1, 2)
    assert folder.behind(HASH) == before
    assert folder.step("analytics.t", full_refresh=True).status == "ok"
    assert folder.behind(HASH) == before
    assert folder.codes() == []


@pytest.mark.parametrize(
    ("load", "name", "quarantined"),
    [
        ("{upsert: id, order_by: seen}", "newest", 0),
        ("{upsert: id}", "last", 0),
        ("{upsert: id, duplicates: refuse}", "one", 2),
    ],
)
def test_one_id_twice_in_a_batch(load: str, name: str, quarantined: int, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, load)
    folder.step("analytics.t")
    folder.write("data/2.csv", "id,name,seen\n1,newest,2024-05-04 10:00:00\n9,other,\n1,last,2024-05-03 10:00:00\n")
    step = folder.step("analytics.t")
    refused = [[reason.rule for reason in record.reasons] for record in folder.open().quarantine(limit=9).records]
    assert folder.behind("SELECT name FROM analytics.t WHERE id = 1") == [(name,)]
    assert refused.count(["key"]) == quarantined
    assert step.rows_read == 3
    assert folder.codes() == []
