"""What every store must keep of a table that is replaced: bind `RestoreSuite` as `StoreSuite`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from headgate.books import ledger
from headgate.books.restore import Request
from headgate.books.restore import restore as restore_in
from headgate.books.schema import migrate
from headgate.books.work import kept_ref
from headgate.contracts.model import Limit
from headgate.core.clock import new_id
from headgate.core.errors import CommitError
from headgate.core.protocols import Store
from headgate.run.restore import restore
from headgate.sql import quote
from headgate.testing.store_suite import (
    ALL_KEPT,
    MON,
    NOTHING_KEPT,
    TABLE,
    TUE,
    Crash,
    Seen,
    Shop,
    StoreKit,
    at_faults,
    crash_at,
    seen,
    whole,
)

ALL = Limit(share=1.0)


def state(found: Seen) -> tuple[object, ...]:
    """What a restore brings back: rows, open records, positions without their place in the chain."""
    return found.rows, found.records, {name: seat[2] for name, seat in found.positions.items()}


class RestoreSuite:
    """Bind by a fixture `kit` that gives a `StoreKit`."""

    @pytest.fixture
    def store(self, kit: StoreKit) -> Iterator[Store]:
        """The store with new books."""
        with closing(kit.store()) as made:
            with made.session() as session:
                migrate(session)
            yield made

    @pytest.mark.parametrize("disposition", ["append", "upsert"])
    def test_a_full_refresh_is_undone_and_done_again(self, store: Store, disposition: str) -> None:
        before = Shop({"mon": MON, "tue": TUE}, disposition, limit=ALL)  # type: ignore[arg-type]
        before.into(store)
        was = state(seen(store))
        after = replace(before, files={"mon": replace(TUE, identity="2")})
        after.into(store, full_refresh=True)
        now = state(seen(store))
        assert was != now
        restore(store, TABLE, "suite", seen=False)
        assert state(seen(store)) == was
        assert before.into(store).status == "skipped"
        restore(store, TABLE, "suite", seen=False)
        assert state(seen(store)) == now
        assert after.into(store).status == "skipped"

    def test_loads_go_on_behind_the_restored_rows(self, store: Store) -> None:
        shop = Shop({"mon": MON}, "upsert", limit=ALL)
        shop.into(store)
        shop.into(store, full_refresh=True)
        restore(store, TABLE, "suite", seen=False)
        assert replace(shop, files={"mon": MON, "tue": TUE}).into(store).counts.read == 3
        direct = {(row[0], row[2]) for row in seen(store).rows}
        assert direct == {("1", "5.00"), ("2", "9.00"), ("4", "0.01")}

    def test_other_columns_are_restored_with_their_rows(self, store: Store) -> None:
        shop = Shop({"mon": MON}, limit=ALL)
        shop.into(store)
        with store.session() as session:
            was = session.columns(TABLE)
        replace(shop, columns={"id": "int, key", "at": "text", "amount": "text"}).into(store, full_refresh=True)
        restore(store, TABLE, "suite", seen=False)
        with store.session() as session:
            assert session.columns(TABLE) == was
        assert len(seen(store).rows) == 2

    def test_what_was_not_replaced_has_nothing_kept(self, store: Store) -> None:
        Shop({"mon": MON}).into(store)
        with pytest.raises(CommitError) as caught:
            restore(store, TABLE, "suite", seen=False)
        assert caught.value.finding.code == "nothing-kept"

    def test_views_read_what_stands(self, store: Store) -> None:
        shop = Shop({"mon": MON}, limit=ALL)
        shop.into(store)
        with store.session() as session:
            session.execute(f"CREATE VIEW suite.reader AS SELECT count(*) AS n FROM {quote.table(TABLE)}")
        replace(shop, files={"mon": replace(TUE, identity="2"), "x": MON}).into(store, full_refresh=True)
        for rows in (3, 2, 3):
            with store.session() as session:
                assert session.execute("SELECT n FROM suite.reader") == [(rows,)]
            restore(store, TABLE, "suite", seen=False)

    @pytest.mark.parametrize("point", [*NOTHING_KEPT, *ALL_KEPT])
    def test_a_crash_leaves_one_table_or_the_other_with_its_books(
        self, store: Store, kit: StoreKit, point: str
    ) -> None:
        shop = Shop({"mon": MON, "tue": TUE}, limit=ALL)
        shop.into(store)
        was = state(seen(store))
        replace(shop, files={"mon": replace(TUE, identity="2")}).into(store, full_refresh=True)
        all_of_it = whole(store)
        with at_faults(crash_at(point)), pytest.raises(Crash):
            restore(store, TABLE, "suite", seen=False)
        store.close()
        with closing(kit.store()) as again:
            if point in NOTHING_KEPT:
                assert whole(again) == all_of_it
                restore(again, TABLE, "suite", seen=False)
            assert state(seen(again)) == was

    def test_a_run_that_began_before_a_restore_keeps_nothing_of_what_it_judged(self, store: Store) -> None:
        """Its slice was read from positions that no longer hold."""
        shop = Shop({"mon": MON}, limit=ALL)
        shop.into(store)
        shop.into(store, full_refresh=True)
        ran: list[str] = []

        def first(point: str) -> None:
            if point == "before_write" and not ran:
                ran.append(point)
                with store.session() as session:
                    restore_in(session, Request(TABLE, new_id(), "suite"))

        with at_faults(first):
            both = replace(shop, files={"mon": MON, "tue": TUE}).into(store)
        assert (both.status, both.counts.read) == ("ok", 3)
        with store.session() as session:
            assert [entry.kind for entry in ledger.entries(session, str(TABLE))] == ["load", "load", "restore", "load"]
        assert len(seen(store).rows) == 3

    def test_long_names_have_a_kept_table_of_their_own(self) -> None:
        refs = [replace(TABLE, name="t" * 60 + end) for end in "ab"]
        names = {kept_ref(ref).name for ref in refs}
        assert len(names) == 2
        assert all(len(name.encode()) <= 63 for name in names)
