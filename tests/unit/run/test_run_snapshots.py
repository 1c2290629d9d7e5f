"""Versions that end because a snapshot does not deliver them, and what comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from tests.property.driver import differences, oracle_view
from tests.property.postgres import warehouse
from tests.unit.gate.history_kit import SMALL, Row, eased, ends, file, flow, loads
from tests.unit.project_kit import Folder

from headgate.core import clock
from headgate.core.errors import ProjectError
from headgate.testing.oracle import Column, CrossRule, File, Flow, Limit, Malformed
from headgate.testing.strategies import Step, parents, play

HALF = Limit.of("share", "0.9")
COLUMNS = (Column("id", "int"), Column("n", "int"), SMALL)


def snapshots(**more: object) -> Flow:
    made = flow(*COLUMNS, disposition="scd2", keys=("id",), order_by="n", vanished="close", **more)
    return replace(made, contract=replace(made.contract, refuse_at_most=HALF))


def file_of(*rows: Row, identity: str = "1") -> File:
    return file("id n v", *rows, identity=identity)


A = file_of(("1", "1", "1"), ("2", "1", "2"), ("3", "4", "3"))
ONE = file_of(("1", "2", "1"))
STRAY = File("1", (*ONE.records, Malformed("x,y,z,w")), ONE.header)

HISTORIES: dict[str, list[Step]] = {
    "what is not delivered ends at the snapshot's greatest time": loads(a=A, b=ONE),
    "an identity of a refused record is delivered": loads(a=A, b=file_of(("1", "2", "1"), ("2", "2", "9"))),
    "a record of unknown identity ends nothing": loads(a=A, b=file_of(("1", "2", "1"), (None, "2", "2"))),
    "an unreadable identity ends nothing": loads(a=A, b=file_of(("1", "2", "1"), ("x", "2", "2"))),
    "a malformed record ends nothing": loads(a=A, b=STRAY),
    "a version of that very time stays": loads(a=A, b=file_of(("1", "4", "1"))),
    "what comes back says the same": loads(a=A, b=ONE, c=file_of(("1", "2", "1"), ("2", "5", "2"))),
    "what comes back at the time of the end": loads(a=A, b=ONE, c=file_of(("1", "2", "1"), ("2", "2", "2"))),
    "what comes back is older than the end": loads(a=A, b=ONE, c=file_of(("1", "2", "1"), ("2", "1", "4"))),
    "it ends twice": loads(a=A, b=ONE, c=file_of(("1", "2", "1"), ("2", "5", "2")), d=file_of(("1", "9", "1")),
                           e=file_of(("1", "9", "1"), ("2", "7", "2"))),
    "late: the names of others are later": [
        Step("load", {"a": A}), Step("load", {"a": A, "c": ONE}), Step("load", {"a": A, "b": ONE, "c": ONE}),
        Step("load", {"a": A, "a2": file_of(("3", "9", "1")), "b": ONE, "c": ONE}),
    ],
    "all files at once are one after the other": [Step("load", {"a": A, "b": ONE, "c": file_of(("2", "5", "2"))})],
    "a full refresh takes file after file": [
        Step("load", {"a": A}), Step("full_refresh", {"a": A, "b": ONE, "c": file_of(("2", "5", "2"))}),
    ],
    "an empty snapshot is refused, what was before it stays": [Step("load", {"a": A, "b": ONE, "c": file_of()})],
    "a replay after a later snapshot is refused": [
        Step("load", {"a": file_of(("1", "1", "1"), ("2", "1", "9"))}), Step("load", {"b": ONE}), Step("replay"),
    ],
    "a replay loses a tie": [
        Step("load", {"a": file_of(("1", "5", "9"), ("1", "5", "2"), ("2", "1", "1"))}), Step("replay"),
    ],
    "a replay ends nothing": [Step("load", {"a": file_of(("1", "1", "1"), ("2", "3", "9"))}), Step("replay")],
}  # fmt: skip


DAYS = replace(snapshots(), dates=True, contract=replace(snapshots().contract, columns=(
    Column("id", "int"), Column("n", "timestamptz"), SMALL)))  # fmt: skip
DAILY = loads(
    a=file_of(("1", "2024-01-01 08:00Z", "1"), ("1", "2024-01-01 09:00Z", "2"), ("2", "2024-01-01 08:00Z", "1")),
    b=file_of(("1", "2024-01-01 07:00Z", "3"), ("2", "2024-01-02 00:30+01", "4")),
    c=file_of(("1", "2024-01-03 01:00+02", "4")),
    d=file_of(("1", "2024-01-02 23:59Z", "1"), ("2", "2024-01-02 08:00Z", "4")),
)


GONE = CrossRule("deleted_if", lambda row: row["v"] == 4, "v = 4")
DELETING = replace(snapshots(), vanished="keep", deleted_if=GONE)
DELETIONS: dict[str, list[Step]] = {
    "an end and a return": loads(
        a=A, b=file_of(("1", "2", "4"), ("2", "2", "4")), c=file_of(("1", "3", "1"), ("2", "1", "2"))
    ),
    "in one file": loads(
        a=file_of(("1", "1", "1"), ("1", "2", "4"), ("1", "3", "4"), ("1", "5", "1"), ("2", "1", "4"))
    ),
    "at the time of the beginning": loads(a=A, b=file_of(("1", "1", "4"), ("3", "4", "4")), c=file_of(("1", "1", "1"))),
    "at one time, in one file": loads(a=file_of(("1", "1", "1"), ("1", "1", "4"), ("1", "1", "2"), ("1", "1", "4"))),
    "of nobody": loads(a=file_of(("1", "3", "4"), ("1", "2", "1")), b=file_of(("7", "9", "4"))),
    "older than what is known": loads(a=A, b=file_of(("3", "2", "4"))),
    "as well as by absence": loads(a=A, b=file_of(("1", "5", "4"), ("2", "6", "1")), c=file_of(("2", "6", "4"))),
    "replayed": [
        Step("load", {"a": file_of(("1", "1", "1"), ("1", "2", "9"), ("2", "x", "4"))}), Step("replay"),
    ],
}  # fmt: skip


def played(steps: list[Step]) -> list[tuple[Flow, Step]]:
    """A replay judges by a contract that lets every value pass."""
    return [(eased(snapshots()) if step.kind == "replay" else snapshots(), step) for step in steps]


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_of_snapshots_is_the_oracles(name: str) -> None:
    ends(played(HISTORIES[name]))


@pytest.mark.parametrize("vanished", ["keep", "close"])
@pytest.mark.parametrize("name", DELETIONS)
def test_a_history_of_deletions_is_the_oracles(name: str, vanished: Literal["keep", "close"]) -> None:
    made = replace(DELETING, vanished=vanished)
    ends([(eased(made) if step.kind == "replay" else made, step) for step in DELETIONS[name]])


def test_a_history_by_the_day_is_the_oracles() -> None:
    rows, _ = ends([(DAYS, step) for step in DAILY])
    assert len(rows) == 4


def test_on_postgres_as_well(postgres_of_worker: str) -> None:
    played = [*((name, snapshots(), steps) for name, steps in HISTORIES.items()), ("by the day", DAYS, DAILY)]
    played += [(name, DELETING, steps) for name, steps in DELETIONS.items()]
    for name, made, steps in played:
        state = parents()
        with warehouse(postgres_of_worker, made) as real:
            for step in steps:
                state = play(state, made, step)
                real.play(step)
                assert differences(real.view(), oracle_view(state)) == [], name
                assert real.findings() == [], name


COLUMNS_OF = "columns:\n  id: int\n  city: text, length(1, 5)\n  at: timestamp\n"
CUSTOMERS = f"table: raw.customers\nfrom: data/*.csv\nload: {{scd2: id, order_by: at, vanished: close}}\n{COLUMNS_OF}"
VERSIONS = """SELECT id, city, strftime(valid_from, '%m-%d'), strftime(valid_to, '%m-%d'), is_current
              FROM raw.customers ORDER BY id, valid_from"""
FIRST = ("1,Bonn,2024-01-01", "2,Kiel,2024-01-01")


def customers(tmp_path: Path, ingest: str = CUSTOMERS) -> Folder:
    return Folder.make(tmp_path, {"ingest/c.yml": ingest})


def deliver(folder: Folder, name: str, *lines: str) -> tuple[str, list[str]]:
    """Status of the load and what its warnings say."""
    folder.write(f"data/{name}.csv", "id,city,at\n" + "".join(line + "\n" for line in lines))
    step = folder.step("raw.customers")
    assert folder.codes() == []
    return step.status, [one.what for one in step.warnings]


def counted(folder: Folder) -> str:
    return str(folder.behind("SELECT details->>'history' FROM _headgate.entry ORDER BY id DESC LIMIT 1")[0][0])


def test_what_is_gone_ends_and_what_comes_back_begins_anew(tmp_path: Path) -> None:
    folder = customers(tmp_path)
    deliver(folder, "a", *FIRST)
    assert deliver(folder, "b", "1,Bonn,2024-02-01") == ("ok", [])
    assert counted(folder) == '{"unchanged":1,"vanished":1}'
    assert deliver(folder, "c", "1,Bonn,2024-02-01", "2,Kiel,2024-03-01") == ("ok", [])
    assert counted(folder) == '{"reactivated":1,"unchanged":1}'
    assert folder.behind(VERSIONS) == [
        (1, "Bonn", "01-01", None, True), (2, "Kiel", "01-01", "02-01", False), (2, "Kiel", "03-01", None, True),
    ]  # fmt: skip


def test_without_a_time_what_is_gone_ends_with_the_load(tmp_path: Path) -> None:
    folder = customers(tmp_path, CUSTOMERS.replace("order_by: at, ", ""))
    deliver(folder, "a", "1,Bonn,", "2,Kiel,")
    deliver(folder, "b", "1,Bonn,")
    deliver(folder, "c", "1,Bonn,", "2,Kiel,")
    shown = "SELECT id, is_current, valid_to > valid_from FROM raw.customers ORDER BY id, valid_from"
    assert folder.behind(shown) == [(1, True, None), (2, False, True), (2, True, None)]


def test_by_the_day_what_changes_or_goes_on_its_first_day_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on(day: int) -> None:
        monkeypatch.setattr(clock, "now", lambda: datetime(2026, 1, day, 23, 59, tzinfo=UTC))

    folder = customers(tmp_path, CUSTOMERS.replace("order_by: at, ", "as: date, "))
    on(5)
    deliver(folder, "a", *FIRST)
    deliver(folder, "b", "1,Ulm,")
    shown = "SELECT id, city, typeof(valid_from), is_current FROM raw.customers ORDER BY id"
    assert folder.behind(shown) == [(1, "Ulm", "DATE", True), (2, "Kiel", "DATE", True)]
    on(12)
    deliver(folder, "c", "1,Bonn,")
    on(1)  # a clock that was put back
    deliver(folder, "d", "1,Jena,")
    assert folder.behind(VERSIONS) == [
        (1, "Ulm", "01-05", "01-12", False), (1, "Jena", "01-12", None, True), (2, "Kiel", "01-05", "01-12", False),
    ]  # fmt: skip


def test_a_snapshot_that_cannot_tell_says_so(tmp_path: Path) -> None:
    folder = customers(tmp_path, CUSTOMERS + "refuse_at_most: 60%\n")
    deliver(folder, "b", *FIRST)
    status, [said] = deliver(folder, "c", "1,Bonn,2024-02-01", ",Kiel,2024-02-01")
    assert (status, said) == (
        "ok",
        "c.csv has 1 record that can't be told to be of any identity: no version of raw.customers ended for being "
        "absent from it",
    )
    status, [said] = deliver(folder, "a", "1,Bonn,2024-05-01")
    assert (status, said) == (
        "ok",
        "a.csv came after one whose name is later: no version of raw.customers ended for being absent from it",
    )
    assert folder.behind("SELECT count(*) FROM raw.customers WHERE is_current") == [(2,)]


def test_a_bad_or_empty_snapshot_is_stopped_and_the_ones_before_it_stay(tmp_path: Path) -> None:
    folder = customers(tmp_path)
    deliver(folder, "a", *FIRST)
    assert deliver(folder, "b", "1,Bonn,2024-02-01", "2,Frankfurt,2024-02-01")[0] == "refused"
    assert deliver(folder, "b", *FIRST)[0] == "ok"
    assert deliver(folder, "c")[0] == "refused"
    assert folder.behind("SELECT count(*) FROM raw.customers WHERE is_current") == [(2,)]


def test_a_full_refresh_that_stops_half_way_can_be_undone(tmp_path: Path) -> None:
    folder = customers(tmp_path)
    for name, line in (("a", "1,Bonn,2024-01-01"), ("b", "2,Kiel,2024-02-01"), ("c", "3,Ulm,2024-03-01")):
        deliver(folder, name, line)
    before = folder.behind(VERSIONS)
    folder.write("data/b.csv", "id,city,at\n2,Frankfurt,2024-02-01\n")
    assert folder.step("raw.customers", full_refresh=True).status == "refused"
    assert folder.behind(VERSIONS) == [(1, "Bonn", "01-01", None, True)]
    folder.open().restore("raw.customers")
    assert folder.behind(VERSIONS) == before
    assert folder.codes() == []


def test_an_empty_snapshot_may_be_allowed(tmp_path: Path) -> None:
    folder = customers(
        tmp_path, CUSTOMERS.replace("order_by: at, vanished: close", "vanished: close, allow_empty: yes")
    )
    deliver(folder, "a", *FIRST)
    assert deliver(folder, "b") == ("ok", [])
    assert folder.behind("SELECT count(*) FROM raw.customers WHERE is_current") == [(0,)]


def test_a_twin_that_is_skipped_ends_nothing(tmp_path: Path) -> None:
    folder = customers(tmp_path, CUSTOMERS.replace("order_by: at, ", "") + "twin_files: skip\n")
    deliver(folder, "a", "1,Bonn,2024-01-01")
    deliver(folder, "b", "1,Bonn,2024-01-01", "2,Kiel,2024-01-01", "1,Bonn,2024-01-05")
    deliver(folder, "c", "1,Bonn,2024-01-01")
    assert folder.behind("SELECT count(*) FROM raw.customers WHERE is_current") == [(2,)]


TOMBSTONES = CUSTOMERS.replace("vanished: close", "deleted_if: op = 'D'").replace(
    "city: text,", "op: text\n  city: text,"
)


def test_a_record_may_tell_that_its_identity_is_gone(tmp_path: Path) -> None:
    folder = customers(tmp_path, TOMBSTONES)
    folder.write("data/a.csv", "id,op,city,at\n1,I,Bonn,2024-01-01\n2,I,Kiel,2024-01-01\n")
    folder.run()
    folder.write("data/b.csv", "id,op,city,at\n1,D,,2024-01-05\n9,D,,2024-01-05\n2,,Ulm,2024-01-07\n")
    step = folder.step("raw.customers")
    assert (step.rows_read, step.rows_loaded, folder.codes()) == (3, 3, [])
    assert folder.behind(VERSIONS) == [
        (1, "Bonn", "01-01", "01-05", False), (2, "Kiel", "01-01", "01-07", False), (2, "Ulm", "01-07", None, True),
    ]  # fmt: skip
    assert counted(folder) == '{"changed":1,"deleted":1,"unchanged":1}'
    folder.write("data/c.csv", "id,op,city,at\n1,I,Bonn,2024-01-06\n1,D,,2024-01-07\n1,I,Bonn,2024-01-08\n")
    folder.run()
    assert counted(folder) == '{"deleted":1,"reactivated":2}'
    assert folder.codes() == []


@pytest.mark.parametrize(
    ("condition", "code", "what"),
    [
        ("opp = 'D'", "unknown-column", "load 'deleted_if'"),
        ("op", "not-a-condition", "load 'deleted_if'"),
        ("random() > 0.5", "volatile-condition", "load 'deleted_if'"),
        ("cast(op as int) = 1", "rule-failed", "load 'deleted_if' can't be evaluated for some record"),
    ],
)
def test_the_condition_of_a_deletion_is_looked_at_before_and_blamed_after(
    condition: str, code: str, what: str, tmp_path: Path
) -> None:
    folder = customers(tmp_path, TOMBSTONES)
    folder.write("data/a.csv", "id,op,city,at\n1,I,Bonn,2024-01-01\n")
    assert folder.run().status == "ok"
    folder.write("ingest/c.yml", TOMBSTONES.replace("op = 'D'", condition))
    folder.write("data/b.csv", "id,op,city,at\n1,I,Ulm,2024-01-02\n")
    [finding] = [one for one in folder.run().findings if one.code == code]
    assert finding.what.startswith(what)
    assert finding.where.startswith("ingest/c.yml:3:")
    assert folder.behind("SELECT count(*) FROM raw.customers") == [(1,)]
    checked = [one.code for one in folder.open().check().findings]
    assert (code in checked) == (code != "rule-failed")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("at: timestamp", "at: text"), "as: date needs a time to order by, and at is text"),
        (("as: date", "as: day"), "as can't be 'day'"),
        ((COLUMNS_OF, ""), "as: date and deleted_if need columns:"),
        (("vanished: close", "vanished: closed"), "vanished can't be 'closed'"),
        (("scd2: id, order_by: at, as: date", "upsert: id"), "vanished does not go with upsert"),
        (("data/*.csv", "{python: f.py:rows}"), "vanished: close needs files"),
    ],
)
def test_mistakes_are_told(change: tuple[str, str], what: str, tmp_path: Path) -> None:
    folder = customers(tmp_path, CUSTOMERS.replace("order_by: at", "order_by: at, as: date").replace(*change))
    with pytest.raises(ProjectError) as caught:
        folder.run()
    assert any(one.what.startswith(what) for one in caught.value.findings), caught.value.findings
