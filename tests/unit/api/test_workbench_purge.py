"""What `quarantine purge` erases, the receipt that stays, and how the books count it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core.errors import ProjectError

ORDERS = """
table: raw.orders
from: data/*.csv
columns:
  id:     int, key
  amount: int, required, min(0)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder.make(tmp_path, {"ingest/orders.yml": ORDERS, "data/a.csv": "id,amount\n1,10\n2,-2\n3,-3\nx,-4\n"})
    made.run()
    return made


def states(folder: Folder) -> list[tuple[str, bool, bool]]:
    rows = folder.behind('SELECT status, raw IS NULL, "row" IS NULL FROM _headgate.quarantine ORDER BY id')
    return [(row[0], row[1], row[2]) for row in rows]


FULL, PURGED = ("open", False, False), ("purged", True, True)


def test_a_purge_erases_and_leaves_a_receipt(folder: Folder) -> None:
    done = folder.open().quarantine_purge(rule="type", reason="asked by the customer", yes=True)
    assert (done.emptied, done.purged, done.reason) == (1, 1, "asked by the customer")
    assert states(folder) == [FULL, FULL, PURGED]
    entry = folder.open().ledger().entries[0]
    assert (entry.kind, entry.rows_read, entry.rows_added, entry.detail["reason"]) == ("purge", 0, 0, done.reason)
    assert (entry.detail["purged"], entry.detail["erased"]) == (1, done.receipts[0].digest)
    assert folder.codes() == []


def test_the_receipt_has_the_digest_of_what_was_erased(folder: Folder) -> None:
    digests = folder.behind("SELECT md5(string_agg(digest, '' ORDER BY id)) FROM _headgate.quarantine")
    done = folder.open().quarantine_purge(all=True, reason="x", yes=True)
    assert done.receipts[0].digest == digests[0][0]
    assert folder.codes() == []


def test_a_purge_takes_the_before_images_with_it(folder: Folder) -> None:
    folder.open().quarantine_fix(all=True, set={"amount": "'-7'"}, reason="x")
    done = folder.open().quarantine_purge(all=True, reason="x", yes=True)
    assert done.emptied == 3
    assert folder.behind("SELECT count(*) FROM _headgate.revision") == [(0,)]
    assert folder.open().ledger().entries[0].detail["revisions"] == 3
    assert folder.codes() == []


def test_a_purge_empties_what_a_record_was_before_a_replay_refused_it_again(folder: Folder) -> None:
    folder.open().replay(all=True)
    again = [one.id for one in folder.open().quarantine(rule="type").records]
    done = folder.open().quarantine_purge(again, reason="asked by the customer", yes=True)
    assert (done.emptied, done.purged) == (2, 1)
    assert sorted(states(folder)) == sorted(
        [("replayed", False, False)] * 2 + [("replayed", True, True), PURGED, FULL, FULL]
    )
    assert folder.codes() == []
    assert folder.open().quarantine_purge(again, reason="again", yes=True).emptied == 0


def test_settled_records_are_emptied_where_that_is_asked_for(folder: Folder) -> None:
    folder.write("ingest/orders.yml", ORDERS.replace(", min(0)", "").replace("id:     int", "id:     text"))
    folder.run(full_refresh=True)
    assert folder.open().quarantine_purge(all=True, reason="x", yes=True).emptied == 0
    done = folder.open().quarantine_purge(status="all", all=True, reason="x", yes=True)
    assert (done.emptied, done.purged) == (3, 0)
    assert states(folder) == [("superseded", True, True)] * 3
    assert folder.codes() == []


def test_without_yes_nothing_is_done_and_the_number_is_told(folder: Folder) -> None:
    with pytest.raises(ProjectError, match="3 records would be erased for good") as caught:
        folder.open().quarantine_purge(all=True, reason="x")
    assert (caught.value.finding.code, caught.value.finding.evidence) == ("purge-unconfirmed", {"records": 3})
    assert states(folder) == [FULL] * 3


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"all": True, "yes": True}, "reason-missing"),
        ({"all": True, "yes": True, "reason": "  "}, "reason-missing"),
        ({"yes": True, "reason": "x"}, "purge-nothing"),
        ({"yes": True, "reason": "x", "all": True, "status": "held"}, "record-held"),
        ({"yes": True, "reason": "x", "all": True, "status": "nonsense"}, "purge-nothing"),
        ({"yes": True, "reason": "x", "older_than": "long"}, "bad-time"),
        ({"yes": True, "reason": "x", "ids": ["99"]}, "unknown-record"),
    ],
)
def test_a_purge_says_which_and_why(folder: Folder, given: dict[str, object], code: str) -> None:
    with pytest.raises(ProjectError) as caught:
        folder.open().quarantine_purge(**given)  # type: ignore[arg-type]
    assert caught.value.finding.code == code
    assert states(folder) == [FULL] * 3


def test_held_records_are_not_purged(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, {"ingest/o.yml": ORDERS + "refuse_at_most: 0\n", "data/a.csv": "id,amount\n1,-1\n"})
    folder.run()
    (held,) = folder.open().quarantine(status="held").records
    with pytest.raises(ProjectError, match="vanish with the next load"):
        folder.open().quarantine_purge([held.id], reason="x", yes=True)


def test_only_older_records_are_purged_where_an_age_is_given(folder: Folder) -> None:
    assert folder.open().quarantine_purge(older_than="1d", reason="x", yes=True).emptied == 0
    assert folder.open().quarantine_purge(older_than="2999-01-01", reason="x", yes=True).emptied == 3


def test_a_reload_after_a_purge_balances(folder: Folder) -> None:
    folder.open().quarantine_purge(rule="type", reason="x", yes=True)
    folder.write("ingest/orders.yml", ORDERS + "on_change: reload\n")
    folder.write("data/a.csv", "id,amount\n1,10\n2,2\n3,-3\n")
    assert folder.step("raw.orders").rows_loaded == 2
    assert [one.status for one in folder.open().quarantine(status="all").records] == [
        "superseded", "superseded", "purged", "open",
    ]  # fmt: skip
    assert folder.codes() == []


EDITS = [
    ("text put back", "UPDATE _headgate.quarantine SET raw = 'x' WHERE status = 'purged'"),
    ("status taken back", "UPDATE _headgate.quarantine SET status = 'open' WHERE status = 'purged'"),
    ("receipt of another", "UPDATE _headgate.emptied SET record = 1"),
    ("receipt removed", "DELETE FROM _headgate.emptied"),
    ("record removed", "DELETE FROM _headgate.quarantine WHERE status = 'purged'"),
]


@pytest.mark.parametrize("sql", [one[1] for one in EDITS], ids=[one[0] for one in EDITS])
def test_an_audit_finds_what_was_edited_about_a_purge(folder: Folder, sql: str) -> None:
    folder.open().quarantine_purge(rule="type", reason="x", yes=True)
    assert folder.codes() == []
    folder.behind(sql)
    assert set(folder.codes()) & {"law-quarantine", "quarantine-edited"}
