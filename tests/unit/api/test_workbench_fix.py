"""What `quarantine fix` changes, what it keeps, and whom it refuses."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from tests.unit.project_kit import Folder

from headgate.books import revise
from headgate.books.revise import LINE
from headgate.core.errors import CommitError, ContractError, ProjectError
from headgate.core.faults import install
from headgate.run.fix import Edit, fix
from headgate.run.replay import replay

ORDERS = """
table: raw.orders
from: {csv: {path: data/*.csv}}
columns:
  id:     int, key
  amount: decimal(8,2), required, min(0)
  email:  text, pii
"""
DATA = 'id,amount,email\n1,10.00,a@x.org\n2,"7,50",b@x.org\n3,-1,c@x.org\n4,"8,00",\n5,1,2,3\n'
COMMA = {"amount": "replace(amount, ',', '.')"}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder.make(tmp_path, {"ingest/orders.yml": ORDERS, "data/a.csv": DATA})
    made.run()
    return made


def ids(folder: Folder) -> list[str]:
    return [one.id for one in folder.open().quarantine().records]


def test_a_fix_changes_what_a_record_says_and_keeps_what_it_said(folder: Folder) -> None:
    done = folder.open().quarantine_fix(set=COMMA, rule="type", reason="decimal commas")
    assert (done.chosen, done.fixed, done.malformed) == (2, 2, 0)
    assert [one.columns for one in done.changes] == [{"amount": ["7,50", "7.50"]}, {"amount": ["8,00", "8.00"]}]
    (record,) = folder.open().quarantine_show([done.changes[0].id], unmask=True).records
    assert (record.status, record.revision, record.row) == (
        "open",
        1,
        {"id": "2", "amount": "7.50", "email": "b@x.org"},
    )
    (before,) = record.revisions
    assert (before.revision, before.reason, before.raw) == (1, "decimal commas", '2,"7,50",b@x.org')
    assert before.row == {"id": "2", "amount": "7,50", "email": "b@x.org"}
    assert before.by
    assert before.at
    assert folder.codes() == []
    assert folder.rows("SELECT count(*) FROM raw.orders") == [(1,)]


def test_a_fixed_record_is_loaded_by_a_replay(folder: Folder) -> None:
    done = folder.open().quarantine_fix(set=COMMA, rule="type", reason="decimal commas", replay=True)
    assert done.replay is not None
    assert (done.fixed, done.replay.rows_read, done.replay.rows_loaded) == (2, 2, 2)
    assert folder.rows("SELECT id, CAST(amount AS VARCHAR) FROM raw.orders ORDER BY id") == [
        (1, "10.00"), (2, "7.50"), (4, "8.00")
    ]  # fmt: skip
    assert folder.codes() == []


def test_a_dry_run_tells_what_would_pass_and_changes_nothing(folder: Folder) -> None:
    before = folder.open().quarantine(status="all")
    good = folder.open().quarantine_fix(set=COMMA, all=True, dry_run=True).replay
    assert good is not None
    assert (good.rows_read, good.rows_loaded, good.rows_quarantined, good.entries) == (2, 2, 0, 0)
    done = folder.open().quarantine_fix(set={"amount": "replace(amount, ',', '.')", "id": "1"}, all=True, dry_run=True)
    assert done.replay is not None
    assert (done.dry_run, done.chosen, done.fixed, done.malformed) == (True, 4, 3, 1)
    assert (done.replay.rows_read, done.replay.rows_loaded, done.replay.rows_quarantined) == (3, 0, 3)
    assert done.changes[0].columns == {"id": ["2", "1"], "amount": ["7,50", "7.50"]}
    assert folder.open().quarantine(status="all") == before
    assert len(folder.open().ledger().entries) == 1


def test_a_malformed_record_is_fixed_by_its_whole_text(folder: Folder) -> None:
    broken = ids(folder)[-1]
    with pytest.raises(ProjectError, match="could not be taken apart"):
        folder.open().quarantine_fix([broken], set=COMMA, reason="x")
    with pytest.raises(ProjectError, match="expected 3 fields, found 2") as caught:
        folder.open().quarantine_fix([broken], raw="5,1", reason="x")
    assert caught.value.finding.code == "fix-raw"
    done = folder.open().quarantine_fix([broken], raw='5,"1.20",""', reason="one comma too many", replay=True)
    assert done.replay is not None
    assert done.replay.rows_loaded == 1
    assert folder.rows("SELECT CAST(amount AS VARCHAR), email FROM raw.orders WHERE id = 5") == [("1.20", "")]
    assert folder.codes() == []


def test_a_fix_of_a_revision_that_is_gone_is_refused(folder: Folder) -> None:
    first = ids(folder)[0]
    folder.open().quarantine_fix([first], set={"amount": "'1'"}, reason="first", revision=0)
    with pytest.raises(CommitError, match="has revision 1, and the fix was made for revision 0") as caught:
        folder.open().quarantine_fix([first], set={"amount": "'2'"}, reason="second", revision=0)
    assert caught.value.finding.code == "fix-conflict"
    (record,) = folder.open().quarantine_show([first]).records
    assert record.row is not None
    assert (record.row["amount"], record.revision) == ("1", 1)


def test_a_settled_record_is_not_fixed(folder: Folder) -> None:
    first = ids(folder)[0]
    folder.open().replay([first])
    with pytest.raises(ProjectError, match="only open records are fixed"):
        folder.open().quarantine_fix([first], set=COMMA, reason="x")


@pytest.mark.parametrize(
    ("column", "sql", "code"),
    [
        ("amont", "1", "unknown-column"),
        ("amount", "amont || 'x'", "unknown-column"),
        ("amount", "(select 1)", "not-a-row-condition"),
        ("amount", "random()", "volatile-condition"),
        ("amount", "1, 2", "condition-syntax"),
        ("amount", "max(amount)", "not-a-row-condition"),
    ],
)
def test_an_expression_that_is_no_value_of_the_record_is_refused(
    folder: Folder, column: str, sql: str, code: str
) -> None:
    with pytest.raises(ProjectError) as caught:
        folder.open().quarantine_fix(set={column: sql}, all=True, reason="x")
    assert caught.value.finding.code == code
    assert {one.revision for one in folder.open().quarantine().records} == {0}


def test_an_expression_that_fails_for_a_record_changes_none_and_tells_no_value(folder: Folder) -> None:
    with pytest.raises(ContractError) as caught:
        folder.open().quarantine_fix(set={"amount": "cast(amount as double)"}, all=True, reason="x")
    assert caught.value.finding.code == "fix-failed"
    assert "7,50" not in caught.value.finding.what
    assert {one.revision for one in folder.open().quarantine().records} == {0}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"set": COMMA, "all": True}, "reason-missing"),
        ({"set": COMMA, "reason": "x"}, "fix-unclear"),
        ({"all": True, "reason": "x"}, "fix-unclear"),
        ({"set": COMMA, "raw": "1,2,3", "all": True, "reason": "x"}, "fix-unclear"),
        ({"raw": "1,2,3", "all": True, "reason": "x"}, "fix-unclear"),
        ({"file": "x.csv", "all": True, "reason": "x"}, "fix-unclear"),
        ({"set": COMMA, "all": True, "revision": 1, "reason": "x"}, "fix-unclear"),
    ],
)
def test_a_fix_says_what_which_and_why(folder: Folder, given: dict[str, object], code: str) -> None:
    with pytest.raises(ProjectError) as caught:
        folder.open().quarantine_fix(**given)  # type: ignore[arg-type]
    assert caught.value.finding.code == code


def test_every_revision_is_kept_in_order(folder: Folder) -> None:
    first = ids(folder)[0]
    for text in ("1", "2", "3"):
        folder.open().quarantine_fix([first], set={"amount": f"'{text}'"}, reason=f"to {text}")
    (record,) = folder.open().quarantine_show([first]).records
    rows = [one.row["amount"] for one in record.revisions if one.row is not None]
    assert ([one.revision for one in record.revisions], rows) == ([1, 2, 3], ["7,50", "1", "2"])
    assert folder.codes() == []


EDITS = [
    ("a before-image", "UPDATE _headgate.revision SET \"row\" = '{}' WHERE revision = 1", {"revision-edited"}),
    ("a reason", "UPDATE _headgate.revision SET reason = 'other' WHERE revision = 2", {"revision-edited"}),
    ("a fix removed", "DELETE FROM _headgate.revision WHERE revision = 2", {"revision-edited", "quarantine-edited"}),
    ("all fixes removed", "DELETE FROM _headgate.revision", {"revision-edited", "quarantine-edited"}),
    ("what it says now", "UPDATE _headgate.quarantine SET \"row\" = '{}' WHERE revision = 2", {"quarantine-edited"}),
    (
        "its revision", "UPDATE _headgate.quarantine SET revision = 1 WHERE revision = 2",
        {"revision-edited", "quarantine-edited"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "found"), [one[1:] for one in EDITS], ids=[one[0] for one in EDITS])
def test_an_audit_finds_what_was_edited_about_a_fix(folder: Folder, sql: str, found: set[str]) -> None:
    first = ids(folder)[0]
    for text in ("1", "2"):
        folder.open().quarantine_fix([first], set={"amount": f"'{text}'"}, reason=f"to {text}")
    assert folder.codes() == []
    folder.behind(sql)
    assert set(folder.codes()) == found


def test_a_before_image_that_was_edited_with_its_own_digest_is_found(folder: Folder) -> None:
    first = ids(folder)[0]
    for text in ("1", "2"):
        folder.open().quarantine_fix([first], set={"amount": f"'{text}'"}, reason=f"to {text}")
    edit = "UPDATE _headgate.revision SET \"row\" = '{}' WHERE revision = 1"
    folder.behind(edit, f"UPDATE _headgate.revision SET digest = {LINE} WHERE revision = 1")
    assert set(folder.codes()) == {"revision-edited"}


def test_a_replay_that_a_fix_overtakes_judges_what_the_record_says_now(folder: Folder) -> None:
    """Else: the old content is judged, and the fix is lost with the record that it changed."""
    first = ids(folder)[0]
    project = folder.open()
    flow = project._pipeline().flow("raw.orders")
    with project._warehouse.writing("test") as store:
        late = [Edit(values={"amount": "'7'"})]

        def overtake(point: str) -> None:
            if point == "before_write" and late:
                fix(store, flow, f"SELECT CAST({first} AS BIGINT)", late.pop(), "ada", "late", None)

        install(overtake)
        try:
            counts = replay(store, flow, [int(first)], "ben")
        finally:
            install(None)
    assert counts is not None
    assert (counts.read, counts.loaded) == (1, 1)
    assert folder.rows("SELECT CAST(amount AS VARCHAR) FROM raw.orders WHERE id = 2") == [("7.00",)]
    assert folder.codes() == []


def test_a_fix_in_between_is_a_conflict_for_the_slower_one(folder: Folder) -> None:
    first = ids(folder)[0]
    project = folder.open()
    flow = project._pipeline().flow("raw.orders")
    select = f"SELECT CAST({first} AS BIGINT)"
    with project._warehouse.writing("test") as store, store.session() as session:
        seen = f"SELECT CAST({first} AS BIGINT) AS id, CAST(0 AS BIGINT) AS revision"
        stale = f"SELECT *, 'r' AS raw, '{{}}' AS \"row\", 's' AS shape FROM ({seen})"
        fix(store, flow, select, Edit(values={"amount": "'7'"}), "ada", "first", None)
        with pytest.raises(CommitError, match="ada fixed it at"):
            revise.fix(session, flow.table, revise.Fixes(stale, 1, "ben", "second"), "x")
    assert folder.codes() == []


def test_a_typed_column_takes_values_of_its_type_only(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    duckdb.sql(
        "COPY (SELECT 1 AS id, -5.5 AS price, [1, 2] AS tags) TO '%s' (FORMAT parquet)"
        % (tmp_path / "data" / "a.parquet")
    )
    ingest = (
        "table: raw.t\nfrom: data/*.parquet\nextra: ignore\ncolumns:\n  id: int, key\n  price: decimal(8,2), min(0)\n"
    )
    folder = Folder.make(tmp_path, {"ingest/t.yml": ingest})
    folder.run()
    with pytest.raises(ProjectError, match="the new value of 'price' is no DECIMAL") as caught:
        folder.open().quarantine_fix(all=True, set={"price": "'cheap'"}, reason="x")
    assert caught.value.finding.code == "fix-unfit"
    done = folder.open().quarantine_fix(all=True, set={"price": "ltrim(price, '-')"}, reason="sign", replay=True)
    assert done.replay is not None
    assert done.replay.rows_loaded == 1
    assert folder.rows("SELECT CAST(price AS VARCHAR) FROM raw.t") == [("5.50",)]
    with pytest.raises(ProjectError, match="no texts that could be given anew"):
        folder.write("ingest/t.yml", ingest.replace("min(0)", "min(9)"))
        folder.run(full_refresh=True)
        folder.open().quarantine_fix([ids(folder)[0]], raw="1,2", reason="x")


def test_a_fix_of_a_column_that_names_the_partition_takes_the_key_away(tmp_path: Path) -> None:
    """Else: the next delivery of the old partition would settle a record that belongs to another now."""
    ingest = "table: raw.t\nfrom: data/*.csv\nload: {partition: day}\nrefuse_at_most: 100%\ncolumns:\n"
    ingest += "  day:    date, from('Day')\n  amount: int, min(0)\n"
    folder = Folder.make(tmp_path, {"ingest/t.yml": ingest, "data/a.csv": "Day,amount\n2026-01-01,-1\n2026-01-02,-2\n"})
    folder.run()
    first, second = ids(folder)
    folder.open().quarantine_fix([first], set={"amount": "'1'"}, reason="amount")
    folder.open().quarantine_fix([second], set={"Day": "'2026-01-03'"}, reason="day")
    keys = folder.behind("SELECT key FROM _headgate.quarantine ORDER BY id")
    assert (keys[0][0] is not None, keys[1][0]) == (True, None)
    assert folder.codes() == []
    folder.open().quarantine_purge(all=True, reason="x", yes=True)
    assert folder.behind("SELECT DISTINCT key FROM _headgate.quarantine") == [(None,)]
    assert folder.codes() == []
