"""What every store must keep of a table that somebody else made: bind `AdoptionSuite` as `StoreSuite`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from headgate.books import ledger
from headgate.books.schema import migrate
from headgate.contracts.evolution import Policy
from headgate.contracts.model import Limit
from headgate.core.errors import CommitError, ContractError, HeadgateError
from headgate.core.protocols import Store
from headgate.run.adopt import SourceWord, Wanted, adopt
from headgate.run.flow import Flow
from headgate.run.job import Job
from headgate.run.load import load
from headgate.sql import quote
from headgate.testing.store_suite import (
    ALL_KEPT,
    NOTHING_KEPT,
    TABLE,
    Crash,
    Seen,
    Shop,
    StoreKit,
    at_faults,
    crash_at,
    file,
    seen,
    whole,
)

NAME = quote.table(TABLE)
ROWS = "(1, TIMESTAMP '2024-01-01 00:00:00', 1.10), (2, NULL, 2.20), (3, NULL, -1), (2, NULL, 5), (4, NULL, NULL)"
"""Row 3 breaks min(0), rows 2 and 4 share a key, row 5 lacks a required amount."""
SOUND = "(1, TIMESTAMP '2024-01-01 00:00:00', 1.10), (2, TIMESTAMP '2024-01-02 00:00:00', 2.20)"
NEWS = file(("2", "2024-02-01", "9.00"), ("7", "2024-02-01", "7.00"))


def stand(store: Store, rows: str, typed: str = 'id BIGINT, "at" TIMESTAMP, amount DECIMAL(12,2)', *more: str) -> None:
    """Makes the table as another tool does."""
    with store.session() as session:
        session.execute("CREATE SCHEMA IF NOT EXISTS suite")
        session.execute(f"CREATE TABLE {NAME} ({typed})")
        session.execute(f"INSERT INTO {NAME} VALUES {rows}")
        for statement in more:
            session.execute(statement)


def taken(store: Store, flow: Flow, source: SourceWord = "new", quarantine: bool = True) -> ledger.Entry:
    return adopt(store, flow, Wanted("suite", source, quarantine))[0]


def standing(store: Store) -> tuple[object, ...]:
    """The table as it is and the books, whatever is in them."""
    with store.session() as session:
        rows = sorted(session.execute(f"SELECT * FROM {NAME}"), key=repr)
        books = [session.execute(f"SELECT count(*) FROM _headgate.{name}") for name in ("entry", "table_state")]
        return session.columns(TABLE), rows, books


def amounts(found: Seen) -> list[tuple[str, str]]:
    return [(row[0], row[2]) for row in found.rows]


class AdoptionSuite:
    """Bind by a fixture `kit` that gives a `StoreKit`."""

    @pytest.fixture
    def store(self, kit: StoreKit) -> Iterator[Store]:
        """The store with new books."""
        with closing(kit.store()) as made:
            with made.session() as session:
                migrate(session)
            yield made

    def test_rows_that_keep_the_contract_stay_and_the_others_go_to_the_quarantine(self, store: Store) -> None:
        stand(store, ROWS)
        entry = taken(store, Shop({}).flow)
        assert (entry.id, entry.kind, entry.rows_read) == (1, "adopt", 5)
        assert (entry.rows_loaded, entry.rows_quarantined) == (2, 3)
        found = seen(store)
        assert amounts(found) == [("1", "1.10"), ("2", "2.20")]
        assert [(record[0], record[1]) for record in found.records] == [("", 3), ("", 4), ("", 5)]
        with store.session() as session:
            assert session.execute(f"SELECT DISTINCT _hg_load FROM {NAME}") == [(1,)]

    def test_a_row_that_breaks_the_contract_keeps_the_table_as_it_is(self, store: Store) -> None:
        stand(store, ROWS)
        was = standing(store)
        with pytest.raises(ContractError) as caught:
            taken(store, Shop({}).flow, quarantine=False)
        assert caught.value.finding.code == "adopt-refused"
        assert caught.value.finding.evidence["reasons"] == {"amount.min": 1, "amount.required": 1, "id.key": 1}
        with pytest.raises(ContractError) as caught:
            taken(store, Shop({}, limit=Limit(rows=2)).flow)
        assert caught.value.finding.code == "refuse-limit"
        assert standing(store) == was

    @pytest.mark.parametrize("disposition", ["append", "upsert"])
    def test_loads_go_on_from_the_adopted_rows(self, store: Store, disposition: str) -> None:
        stand(store, SOUND)
        shop = Shop({"news": NEWS}, disposition)  # type: ignore[arg-type]
        taken(store, shop.flow)
        done = shop.into(store)
        assert (done.counts.read, done.counts.updated, done.counts.quarantined) == (
            (2, 1, 0) if disposition == "upsert" else (2, 0, 1)
        )
        second = "9.00" if disposition == "upsert" else "2.20"
        assert amounts(seen(store)) == [("1", "1.10"), ("2", second), ("7", "7.00")]

    def test_what_the_table_has_of_its_source_is_not_read_again(self, store: Store) -> None:
        stand(store, SOUND)
        shop = Shop({"news": NEWS})
        entries = adopt(store, shop.flow, Wanted("suite", "seen"))
        assert [(one.partition, one.rows_read, one.rows_skipped) for one in entries] == [("", 2, 0), ("news", 2, 2)]
        assert shop.into(store).status == "skipped"
        more = replace(shop, files={"news": NEWS, "z": file(("8", "2024-02-02", "8"))})
        assert more.into(store).counts.loaded == 1
        assert len(seen(store).rows) == 3

    def test_a_changed_file_whose_rows_nobody_knows_is_not_loaded_beside_them(self, store: Store) -> None:
        stand(store, SOUND)
        shop = Shop({"news": NEWS}, on_change="reload")
        adopt(store, shop.flow, Wanted("suite", "seen"))
        was = seen(store)
        changed = {"news": replace(NEWS, identity="2")}
        with pytest.raises(ContractError) as caught:
            replace(shop, files=changed).into(store)
        assert caught.value.finding.code == "file-changed-since"
        assert seen(store) == was

    def test_columns_follow_the_contract_in_the_same_transaction(self, store: Store) -> None:
        stand(store, "(1, '2024-01-01', 1.10), (2, 'soon', 2.20)", 'id INTEGER, "at" VARCHAR(20), amount DECIMAL(6,2)')
        flow = Shop({}).flow
        with pytest.raises(CommitError) as caught:
            taken(store, flow)
        assert caught.value.finding.code == "contract-misfit"
        flow = replace(flow, ingest=replace(flow.ingest, evolution=Policy(narrowed="evolve")))
        entry = taken(store, flow)
        assert (entry.rows_loaded, entry.rows_quarantined) == (1, 1)
        assert {change["column"] for change in entry.facts["changes"]} == {"id", "at", "amount"}
        with store.session() as session:
            wanted = [(name, session.physical(kind)) for name, kind in [
                ("id", "BIGINT"), ("at", "TIMESTAMP"), ("amount", "DECIMAL(12,2)"), ("_hg_load", "BIGINT")]
            ]  # fmt: skip
            assert session.columns(TABLE) == wanted
        assert amounts(seen(store)) == [("1", "1.10")]

    def test_a_trial_tells_and_changes_nothing(self, store: Store) -> None:
        stand(store, ROWS)
        was = standing(store)
        [entry] = adopt(store, Shop({}).flow, Wanted("suite", "new", trial=True))
        assert (entry.rows_loaded, entry.rows_quarantined) == (2, 3)
        assert standing(store) == was

    def test_of_rows_of_one_identity_none_is_told_to_be_the_right_one(self, store: Store) -> None:
        stand(store, SOUND + ", (2, TIMESTAMP '2024-01-03 00:00:00', 3.30)")
        taken(store, Shop({}, "upsert").flow)
        found = seen(store)
        assert amounts(found) == [("1", "1.10")]
        assert [record[1] for record in found.records] == [2, 3]

    @pytest.mark.parametrize(
        ("typed", "word"),
        [
            ('id BIGINT NOT NULL, "at" TIMESTAMP NOT NULL, amount DECIMAL(12,2)', "at is NOT NULL"),
            ('id BIGINT, "at" TIMESTAMP UNIQUE, amount DECIMAL(12,2)', "at is UNIQUE"),
        ],
    )
    def test_a_promise_that_the_contract_does_not_make_is_told(self, store: Store, typed: str, word: str) -> None:
        stand(store, SOUND, typed)
        was = standing(store)
        with pytest.raises(CommitError) as caught:
            taken(store, Shop({}).flow)
        assert caught.value.finding.code == "adopt-unfit"
        assert word in caught.value.finding.what
        assert standing(store) == was

    def test_only_a_table_is_adopted_and_only_once(self, store: Store) -> None:
        stand(store, SOUND)
        flow = Shop({}).flow
        taken(store, flow)
        was = whole(store)
        for name, code in (("orders", "adopt-known"), ("nothing", "adopt-missing"), ("shown", "adopt-unfit")):
            other = replace(flow, ingest=replace(flow.ingest, table=replace(TABLE, name=name)))
            if name == "shown":
                with store.session() as session:
                    session.execute("CREATE VIEW suite.shown AS SELECT 1 AS id")
            with pytest.raises(HeadgateError) as caught:
                taken(store, other)
            assert caught.value.finding.code == code
        assert whole(store) == was

    @pytest.mark.parametrize("point", [*NOTHING_KEPT, *ALL_KEPT])
    def test_a_crash_leaves_the_table_as_it_was_or_books_that_balance(
        self, store: Store, kit: StoreKit, point: str
    ) -> None:
        stand(store, ROWS)
        was, flow = standing(store), Shop({"news": NEWS}).flow
        with at_faults(crash_at(point)), pytest.raises(Crash):
            adopt(store, flow, Wanted("suite", "seen", True))
        store.close()
        with closing(kit.store()) as again:
            if point in NOTHING_KEPT:
                assert standing(again) == was
                adopt(again, flow, Wanted("suite", "seen", True))
            found = seen(again)
            assert (amounts(found), len(found.records)) == ([("1", "1.10"), ("2", "2.20")], 3)
            assert load(Job(again, flow, "suite")).status == "skipped"
