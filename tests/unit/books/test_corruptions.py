"""Whatever is changed behind Headgate's back, `audit` finds it, exits 1 and names the place; and its advice helps."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from corruption_kit import built
from tests.unit.project_kit import Folder

from headgate.cli.main import main

_COPY_ENTRY = "INSERT INTO _headgate.entry SELECT * REPLACE ({changes}) FROM _headgate.entry WHERE {which}"


@dataclass(frozen=True)
class Corruption:
    """SQL that somebody runs on the warehouse, and what audit then finds: code and place of every finding."""

    name: str
    sql: tuple[str, ...]
    finds: frozenset[tuple[str, str]]


def corruption(name: str, *sql: str, finds: set[tuple[str, str]]) -> Corruption:
    return Corruption(name, sql, frozenset(finds))


def entry(changes: str, table: str, number: int) -> str:
    return f"UPDATE _headgate.entry SET {changes} WHERE table_name = '{table}' AND id = {number}"


def record(changes: str, which: str) -> str:
    return f"UPDATE _headgate.quarantine SET {changes} WHERE {which}"


OPEN_PRICE = "table_name = 'raw.prices' AND status = 'open'"
REPLAYED_ORDER = "table_name = 'raw.orders' AND partition = 'mon.csv' AND record = 3"
PRICE_PLACE = "raw.prices partition mon.csv record 3"

CORRUPTIONS = [
    # The table itself.
    corruption(
        "row deleted",
        "DELETE FROM raw.notes WHERE id = 1",
        finds={
            ("law-origin", "raw.notes entry 1"),
            ("law-table", "raw.notes entry 1"),
        },
    ),
    corruption(
        "row doubled",
        "INSERT INTO raw.customers SELECT * FROM raw.customers WHERE id = 9",
        finds={
            ("law-origin", "raw.customers entry 2"),
            ("law-table", "raw.customers entry 3"),
        },
    ),
    corruption(
        "row moved between loads",
        "UPDATE raw.customers SET _hg_load = 2 WHERE id = 3",
        finds={
            ("law-origin", "raw.customers entry 2"),
            ("law-origin", "raw.customers entry 3"),
        },
    ),
    corruption(
        "row moved to an unknown load",
        "UPDATE raw.customers SET _hg_load = 77 WHERE id = 3",
        finds={
            ("law-origin", "raw.customers entry 3"),
            ("law-origin", "raw.customers entry 77"),
        },
    ),
    corruption(
        "row inserted for an unknown load",
        "INSERT INTO raw.customers VALUES (50, 'Eve', 99)",
        finds={
            ("law-origin", "raw.customers entry 99"),
            ("law-table", "raw.customers entry 3"),
        },
    ),
    corruption(
        "row inserted for load 0",
        "INSERT INTO raw.customers VALUES (50, 'Eve', 0)",
        finds={
            ("law-origin", "raw.customers, rows of no entry"),
            ("law-table", "raw.customers entry 3"),
        },
    ),
    corruption(
        "row inserted without a load",
        "DROP VIEW IF EXISTS _headgate_read.raw__customers",
        "ALTER TABLE raw.customers ALTER COLUMN _hg_load DROP NOT NULL",
        "INSERT INTO raw.customers VALUES (50, 'Eve', NULL)",
        finds={
            ("law-origin", "raw.customers, rows of no entry"),
            ("law-table", "raw.customers entry 3"),
        },
    ),
    corruption(
        "one row deleted, another inserted",
        "DELETE FROM raw.customers WHERE id = 9",
        "INSERT INTO raw.customers VALUES (50, 'Eve', 3)",
        finds={
            ("law-origin", "raw.customers entry 2"),
            ("law-origin", "raw.customers entry 3"),
        },
    ),
    corruption(
        "upserted row deleted",
        "DELETE FROM raw.prices WHERE sku = 'x'",
        finds={
            ("law-origin", "raw.prices entry 2"),
            ("law-table", "raw.prices entry 2"),
        },
    ),
    corruption(
        "table truncated",
        "TRUNCATE raw.prices",
        finds={
            ("law-origin", "raw.prices entry 1"),
            ("law-origin", "raw.prices entry 2"),
            ("law-table", "raw.prices entry 2"),
        },
    ),
    corruption(
        "table dropped",
        "DROP TABLE raw.rates",
        finds={
            ("table-missing", "raw.rates"),
        },
    ),
    corruption(
        "load column dropped",
        "ALTER TABLE raw.rates DROP COLUMN _hg_load",
        finds={
            ("column-missing", "raw.rates"),
        },
    ),
    corruption(
        "model's table changed",
        "DELETE FROM gold.totals WHERE customer = 2",
        finds={
            ("law-table", "gold.totals entry 3"),
        },
    ),
    corruption(
        "model's table dropped",
        "DROP TABLE gold.totals",
        finds={
            ("table-missing", "gold.totals"),
        },
    ),
    corruption(
        "model's view dropped",
        "DROP VIEW gold.names",
        finds={
            ("table-missing", "gold.names"),
        },
    ),
    # Entries.
    corruption(
        "first entry removed",
        "DELETE FROM _headgate.entry WHERE table_name = 'raw.orders' AND id = 1",
        finds={
            ("entry-missing", "raw.orders entry 1"),
            ("law-chain", "raw.orders entry 3 (partition mon.csv)"),
            ("law-origin", "raw.orders entry 1"),
            ("law-quarantine", "raw.orders entry 1"),
            ("law-table", "raw.orders entry 2 (partition tue.csv)"),
        },
    ),
    corruption(
        "middle entry removed",
        "DELETE FROM _headgate.entry WHERE table_name = 'raw.orders' AND id = 5",
        finds={
            ("entry-missing", "raw.orders (partition wed.csv)"),
            ("entry-missing", "raw.orders entry 5"),
            ("law-origin", "raw.orders entry 5"),
            ("law-table", "raw.orders entry 6 (partition mon.csv)"),
        },
    ),
    corruption(
        "last entry removed",
        "DELETE FROM _headgate.entry WHERE table_name = 'raw.orders' AND id = 8",
        finds={
            ("entry-missing", "raw.orders"),
            ("entry-missing", "raw.orders entry 8"),
            ("law-origin", "raw.orders entry 1"),
            ("law-table", "raw.orders entry 7"),
        },
    ),
    corruption(
        "all entries removed",
        "DELETE FROM _headgate.entry WHERE table_name = 'raw.notes'",
        finds={
            ("contract-edited", "raw.notes pinned contract"),
            ("entry-missing", "raw.notes (partition mon.csv)"),
            ("entry-missing", "raw.notes entry 1"),
            ("law-origin", "raw.notes entry 1"),
            ("law-table", "raw.notes"),
            ("state-edited", "raw.notes"),
        },
    ),
    corruption(
        "a count edited",
        entry("rows_read = 5", "raw.orders", 1),
        finds={
            ("entry-edited", "raw.orders entry 1 (partition mon.csv)"),
            ("law-row", "raw.orders entry 1 (partition mon.csv)"),
        },
    ),
    corruption(
        "two counts edited consistently",
        entry("rows_read = 3, rows_quarantined = 1", "raw.orders", 1),
        finds={
            ("entry-edited", "raw.orders entry 1 (partition mon.csv)"),
            ("law-quarantine", "raw.orders entry 1 (partition mon.csv)"),
        },
    ),
    corruption(
        "counts nobody else sees edited",
        entry("rows_read = 9, rows_skipped = 5", "raw.notes", 1),
        finds={
            ("entry-edited", "raw.notes entry 1 (partition mon.csv)"),
            ("law-row", "raw.notes entry 1 (partition mon.csv)"),
        },
    ),
    corruption(
        "rows after edited",
        entry("rows_after = 99", "raw.orders", 2),
        finds={
            ("entry-edited", "raw.orders entry 2 (partition tue.csv)"),
            ("law-table", "raw.orders entry 2 (partition tue.csv)"),
            ("law-table", "raw.orders entry 3 (partition mon.csv)"),
        },
    ),
    corruption(
        "start position edited",
        entry("start_position = '{\"at\":1}'", "raw.orders", 5),
        finds={
            ("entry-edited", "raw.orders entry 5 (partition wed.csv)"),
            ("law-chain", "raw.orders entry 5 (partition wed.csv)"),
        },
    ),
    corruption(
        "end position edited",
        entry("end_position = '{\"at\":1}'", "raw.orders", 5),
        finds={
            ("entry-edited", "raw.orders entry 5 (partition wed.csv)"),
            ("position-moved", "raw.orders entry 5 (partition wed.csv)"),
        },
    ),
    corruption(
        "chain cut",
        entry("end_position = '{\"at\":1}'", "raw.orders", 1),
        finds={
            ("entry-edited", "raw.orders entry 1 (partition mon.csv)"),
            ("law-chain", "raw.orders entry 3 (partition mon.csv)"),
        },
    ),
    corruption(
        "sequence edited",
        entry("seq = 7", "raw.orders", 3),
        finds={
            ("entry-edited", "raw.orders entry 3 (partition mon.csv)"),
            ("law-chain", "raw.orders entry 3 (partition mon.csv)"),
            ("law-chain", "raw.orders entry 6 (partition mon.csv)"),
        },
    ),
    corruption(
        "generation edited",
        entry("generation = 5", "raw.orders", 3),
        finds={
            ("entry-edited", "raw.orders entry 3 (partition mon.csv)"),
            ("law-chain", "raw.orders entry 3 (partition mon.csv)"),
            ("law-chain", "raw.orders entry 6 (partition mon.csv)"),
        },
    ),
    corruption(
        "partition renamed in an entry",
        entry("partition = 'thu.csv'", "raw.orders", 5),
        finds={
            ("entry-edited", "raw.orders entry 5 (partition thu.csv)"),
            ("entry-missing", "raw.orders (partition wed.csv)"),
            ("position-missing", "raw.orders entry 5 (partition thu.csv)"),
        },
    ),
    corruption(
        "reasons edited",
        entry("details = '{}'", "raw.orders", 1),
        finds={
            ("entry-edited", "raw.orders entry 1 (partition mon.csv)"),
        },
    ),
    corruption(
        "reason of an adjustment edited",
        entry("details = replace(details, 'a test order', 'theft')", "raw.orders", 8),
        finds={
            ("entry-edited", "raw.orders entry 8"),
        },
    ),
    corruption(
        "author edited",
        entry("author = 'nobody'", "raw.orders", 8),
        finds={
            ("entry-edited", "raw.orders entry 8"),
        },
    ),
    corruption(
        "contract digest edited",
        entry("contract = 'abc'", "raw.orders", 5),
        finds={
            ("entry-edited", "raw.orders entry 5 (partition wed.csv)"),
        },
    ),
    # Positions and the tables' lines.
    corruption(
        "position moved back",
        "UPDATE _headgate.position SET seq = 2 WHERE flow = 'raw.orders' AND partition = 'mon.csv'",
        finds={
            ("position-moved", "raw.orders entry 6 (partition mon.csv)"),
        },
    ),
    corruption(
        "position's content edited",
        "UPDATE _headgate.position SET position = '{}' WHERE flow = 'raw.orders' AND partition = 'wed.csv'",
        finds={
            ("position-moved", "raw.orders entry 5 (partition wed.csv)"),
        },
    ),
    corruption(
        "position deleted",
        "DELETE FROM _headgate.position WHERE flow = 'raw.orders' AND partition = 'wed.csv'",
        finds={
            ("position-missing", "raw.orders entry 5 (partition wed.csv)"),
        },
    ),
    corruption(
        "position invented",
        "INSERT INTO _headgate.position VALUES ('raw.orders', 'data', 'thu.csv', 1, 1, '{}')",
        finds={
            ("entry-missing", "raw.orders (partition thu.csv)"),
        },
    ),
    corruption(
        "version moved on",
        "UPDATE _headgate.table_state SET version = 9 WHERE table_name = 'raw.orders'",
        finds={
            ("entry-missing", "raw.orders entry 9"),
        },
    ),
    corruption(
        "version moved back",
        "UPDATE _headgate.table_state SET version = 7 WHERE table_name = 'raw.orders'",
        finds={
            ("state-edited", "raw.orders entry 8"),
        },
    ),
    corruption(
        "table's line deleted",
        "DELETE FROM _headgate.table_state WHERE table_name = 'raw.orders'",
        finds={
            ("state-edited", "raw.orders"),
        },
    ),
    corruption(
        "generation moved back",
        "UPDATE _headgate.table_state SET live_generation = 1 WHERE table_name = 'raw.rates'",
        finds={
            ("state-edited", "raw.rates"),
        },
    ),
    corruption(
        "table's contract edited",
        "UPDATE _headgate.table_state SET contract = 'abc' WHERE table_name = 'raw.orders'",
        finds={
            ("state-edited", "raw.orders"),
        },
    ),
    corruption(
        "pinned contract's digest edited",
        "UPDATE _headgate.contract SET digest = 'abc'",
        finds={
            ("contract-edited", "raw.notes pinned contract"),
        },
    ),
    corruption(
        "pinned types edited",
        "UPDATE _headgate.contract SET body = replace(body, 'bigint', 'text')",
        finds={
            ("contract-edited", "raw.notes pinned contract"),
        },
    ),
    corruption(
        "pinned contract deleted",
        "DELETE FROM _headgate.contract",
        finds={
            ("contract-edited", "raw.notes pinned contract"),
        },
    ),
    # The quarantine.
    corruption(
        "record deleted",
        f"DELETE FROM _headgate.quarantine WHERE {OPEN_PRICE}",
        finds={
            ("law-quarantine", "raw.prices entry 1 (partition mon.csv)"),
        },
    ),
    corruption(
        "record's text edited",
        record("raw = 'z,9.99,2024-01-01'", OPEN_PRICE),
        finds={
            ("quarantine-edited", "raw.prices partition mon.csv record 3"),
        },
    ),
    corruption(
        "record's reasons edited",
        record("reasons = '[]'", OPEN_PRICE),
        finds={
            ("quarantine-edited", "raw.prices partition mon.csv record 3"),
        },
    ),
    corruption(
        "record's row edited",
        record("\"row\" = replace(\"row\", 'z', 'q')", OPEN_PRICE),
        finds={
            ("quarantine-edited", "raw.prices partition mon.csv record 3"),
        },
    ),
    corruption(
        "record's place edited",
        record("record = 1", OPEN_PRICE),
        finds={
            ("quarantine-edited", "raw.prices partition mon.csv record 1"),
        },
    ),
    corruption(
        "record's origin edited",
        record("origin = 2", OPEN_PRICE),
        finds={
            ("quarantine-edited", "raw.prices partition mon.csv record 3"),
        },
    ),
    corruption(
        "record's id edited",
        record("id = 999", OPEN_PRICE),
        finds={
            ("quarantine-edited", "raw.prices partition mon.csv record 3"),
        },
    ),
    corruption(
        "record moved to another entry",
        record("entry = 2", OPEN_PRICE),
        finds={
            ("law-quarantine", "raw.prices entry 1 (partition mon.csv)"),
            ("law-quarantine", "raw.prices entry 2 (partition tue.csv)"),
            ("quarantine-edited", "raw.prices partition mon.csv record 3"),
        },
    ),
    corruption(
        "record moved to another table",
        record("table_name = 'raw.notes'", OPEN_PRICE),
        finds={
            ("law-quarantine", "raw.notes entry 1 (partition mon.csv)"),
            ("law-quarantine", "raw.prices entry 1 (partition mon.csv)"),
            ("quarantine-edited", "raw.notes partition mon.csv record 3"),
        },
    ),
    corruption(
        "record doubled",
        f"INSERT INTO _headgate.quarantine SELECT * FROM _headgate.quarantine WHERE {OPEN_PRICE}",
        finds={
            ("law-quarantine", "raw.prices entry 1 (partition mon.csv)"),
            ("quarantine-edited", "raw.prices partition mon.csv record 3"),
        },
    ),
    corruption(
        "record doubled under another id",
        f"INSERT INTO _headgate.quarantine SELECT * REPLACE (998 AS id) FROM _headgate.quarantine WHERE {OPEN_PRICE}",
        finds={
            ("law-quarantine", "raw.prices entry 1 (partition mon.csv)"),
            ("quarantine-edited", "raw.prices partition mon.csv record 3"),
        },
    ),
    corruption(
        "open to superseded",
        record("status = 'superseded'", OPEN_PRICE),
        finds={
            ("quarantine-edited", "raw.prices partition mon.csv record 3"),
        },
    ),
    corruption(
        "open to superseded by an entry",
        record("status = 'superseded', settled_by = 2", OPEN_PRICE),
        finds={
            ("law-quarantine", "raw.prices entry 2 (partition tue.csv)"),
        },
    ),
    corruption(
        "open to replayed by no entry",
        record("status = 'replayed', settled_by = 50", OPEN_PRICE),
        finds={
            ("law-quarantine", "raw.prices entry 50"),
        },
    ),
    corruption(
        "open to purged",
        record("status = 'purged'", OPEN_PRICE),
        finds={
            ("quarantine-edited", "raw.prices partition mon.csv record 3"),
        },
    ),
    corruption(
        "open to held",
        record("status = 'held'", OPEN_PRICE),
        finds={
            ("law-quarantine", "raw.prices entry 1 (partition mon.csv)"),
            ("law-quarantine", "raw.prices refused load *"),
        },
    ),
    corruption(
        "replayed to open",
        record("status = 'open', settled_by = NULL", REPLAYED_ORDER),
        finds={
            ("law-quarantine", "raw.orders entry 3 (partition mon.csv)"),
        },
    ),
    corruption(
        "two records' fates exchanged",
        record(
            "status = CASE record WHEN 3 THEN 'open' ELSE 'replayed' END, "
            "settled_by = CASE record WHEN 3 THEN NULL ELSE 3 END",
            "table_name = 'raw.orders' AND partition = 'mon.csv' AND (record = 3 OR status = 'open')",
        ),
        finds={
            ("law-quarantine", "raw.orders entry 3 (partition mon.csv)"),
        },
    ),
    corruption(
        "superseded to open",
        record("status = 'open'", "table_name = 'raw.rates'"),
        finds={
            ("law-quarantine", "raw.rates entry 2 (partition all.csv)"),
            ("quarantine-edited", "raw.rates partition all.csv record 3"),
        },
    ),
    corruption(
        "held record deleted",
        "DELETE FROM _headgate.quarantine WHERE status = 'held' AND record = 2",
        finds={
            ("law-quarantine", "raw.stock refused load *"),
        },
    ),
    corruption(
        "held record's text edited",
        record("raw = 'q,1'", "status = 'held' AND record = 2"),
        finds={
            ("quarantine-edited", "raw.stock partition tue.csv record 2"),
        },
    ),
    corruption(
        "refusal deleted",
        "DELETE FROM _headgate.refusal WHERE rows_held > 0",
        finds={
            ("law-quarantine", "raw.stock refused load *"),
        },
    ),
    corruption(
        "columns of refused records edited",
        """UPDATE _headgate.shape SET columns = replace(columns, 'sku', 'ksu') WHERE id = (
               SELECT shape FROM _headgate.quarantine WHERE table_name = 'raw.prices')""",
        finds={("quarantine-edited", "raw.prices shape *")},
    ),
    corruption(
        "columns of refused records deleted",
        """DELETE FROM _headgate.shape WHERE id = (
               SELECT shape FROM _headgate.quarantine WHERE table_name = 'raw.prices')""",
        finds={("quarantine-edited", "raw.prices shape *")},
    ),
    *(
        corruption(
            f"line of no table in {table}",
            f"INSERT INTO _headgate.{table} SELECT * REPLACE ({changes}) FROM _headgate.{table} LIMIT 1",
            finds={("entry-missing", "raw.nowhere")},
        )
        for table, changes in (
            ("position", "'raw.nowhere' AS flow"),
            ("quarantine", "'raw.nowhere' AS table_name"),
            ("refusal", "'raw.nowhere' AS table_name, 'other' AS attempt"),
            ("contract", "'raw.nowhere' AS table_name"),
        )
    ),
]

LOST_BOOKS = [
    corruption("meta dropped", "DROP TABLE _headgate.meta", finds={("books-broken", "_headgate.meta")}),
    corruption("version deleted", "DELETE FROM _headgate.meta", finds={("books-broken", "_headgate.meta")}),
    corruption(
        "quarantine dropped", "DROP TABLE _headgate.quarantine", finds={("books-broken", "_headgate.quarantine")}
    ),
    corruption("entries dropped", "DROP TABLE _headgate.entry", finds={("books-broken", "_headgate.entry")}),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return built(tmp_path_factory.mktemp("whole"))


def audited(folder: Folder, capsys: pytest.CaptureFixture[str]) -> tuple[int, set[tuple[str, str]]]:
    """Exit code and findings of `headgate audit --json`; the name of an attempt is told as *."""
    capsys.readouterr()
    code = main(["audit", "--json", "--project", str(folder.root)])
    findings = json.loads(capsys.readouterr().out)["findings"]
    return code, {(one["code"], re.sub(r"(refused load|shape) \w+", r"\1 *", one["where"])) for one in findings}


def named(corruption: Corruption) -> str:
    return corruption.name


def test_without_a_corruption_nothing_is_found(
    whole: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = whole.copy(tmp_path)
    assert audited(folder, capsys) == (0, set())
    folder.behind("SELECT 1")
    assert audited(folder, capsys) == (0, set())


@pytest.mark.parametrize("one", CORRUPTIONS, ids=named)
def test_audit_finds_the_corruption_and_names_its_place(
    one: Corruption, whole: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = whole.copy(tmp_path)
    folder.behind(*one.sql)
    assert one.finds
    assert audited(folder, capsys) == (1, one.finds)


@pytest.mark.parametrize("one", LOST_BOOKS, ids=named)
def test_books_of_which_a_part_is_gone_are_refused_by_every_verb(
    one: Corruption, whole: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = whole.copy(tmp_path)
    folder.behind(*one.sql)
    capsys.readouterr()
    for verb in (["audit"], ["run"], ["plan"], ["ledger"], ["quarantine", "list"]):
        assert main([*verb, "--project", str(folder.root)]) == 1
        told = capsys.readouterr().err
        for code, where in one.finds:
            assert f"error[{code}]" in told
            assert where in told


def test_tables_whose_books_are_gone_altogether_are_found(
    whole: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = whole.copy(tmp_path)
    folder.behind("DROP SCHEMA _headgate CASCADE")
    loads = ("customers", "notes", "orders", "prices", "rates", "stock")
    assert audited(folder, capsys) == (1, {("table-unknown", f"raw.{name}") for name in loads})
    assert {step.status for step in folder.run().steps if step.kind == "load"} == {"failed", "blocked"}


def test_a_copy_that_somebody_keeps_of_a_loaded_table_is_none_of_the_books_business(
    whole: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = whole.copy(tmp_path)
    folder.behind("CREATE TABLE raw.orders_copy AS SELECT * FROM raw.orders")
    assert audited(folder, capsys) == (0, set())


HEALED_BY_A_REFRESH = {"law-origin", "law-table", "table-missing", "column-missing", "position-missing",
                       "position-moved", "contract-edited"}  # fmt: skip


@pytest.mark.parametrize(
    "one", [one for one in CORRUPTIONS if {code for code, _ in one.finds} <= HEALED_BY_A_REFRESH], ids=named
)
def test_loading_the_table_anew_helps_where_the_finding_says_so(one: Corruption, whole: Folder, tmp_path: Path) -> None:
    folder = whole.copy(tmp_path)
    folder.behind(*one.sql)
    fixes = {finding.fix for finding in folder.open().audit().findings}
    said = [re.search(r"headgate run --full-refresh (\S+)$", fix) for fix in fixes]
    tables = {found[1] for found in said if found}
    assert len(tables) == 1
    assert all(said)
    folder.run(*tables, full_refresh=True)
    assert folder.codes() == []


@pytest.mark.parametrize(
    ("name", "code"),
    [("last entry removed", "entry-missing"), ("version moved on", "entry-missing"),
     ("version moved back", "state-edited")],
)  # fmt: skip
def test_a_run_adds_nothing_to_a_ledger_whose_end_is_torn(name: str, code: str, whole: Folder, tmp_path: Path) -> None:
    folder = whole.copy(tmp_path)
    folder.behind(*next(one.sql for one in CORRUPTIONS if one.name == name))
    folder.write("data/orders/thu.csv", "id,customer,amount\n40,3,9.00\n")
    before = folder.behind("SELECT count(*) FROM _headgate.entry WHERE table_name = 'raw.orders'")
    found = folder.run("raw.orders")
    assert (found.status, [finding.code for finding in found.findings]) == ("failed", [code])
    assert folder.behind("SELECT count(*) FROM _headgate.entry WHERE table_name = 'raw.orders'") == before
    assert folder.behind("SELECT 1 FROM raw.orders WHERE id = 40") == []
