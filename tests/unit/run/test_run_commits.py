"""How many commits a load takes, and that it goes on behind a commit that was lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from headgate.adapters.duckdb.store import DuckDBStore
from headgate.books.schema import migrate
from headgate.core.protocols import Store
from headgate.testing.store_suite import MON, TUE, Shop, at_faults, ids, seen

CUTS = {"mon": [1, 2], "tue": [1]}


@pytest.fixture
def store() -> Iterator[Store]:
    made = DuckDBStore(None)
    with made.session() as session:
        migrate(session)
    yield made
    made.close()


def commits(store: Store, shop: Shop, full_refresh: bool = False) -> int:
    """Loads, and counts."""
    points: list[str] = []
    with at_faults(points.append):
        assert shop.into(store, full_refresh).status == "ok"
    return points.count("after_commit")


def test_a_visible_load_is_committed_slice_by_slice(store: Store) -> None:
    assert commits(store, Shop({"mon": MON, "tue": TUE}, cuts=CUTS)) == 4


@pytest.mark.parametrize("how", ["reload", "full refresh"])
def test_what_takes_rows_away_is_one_commit(store: Store, how: str) -> None:
    """Or readers would see the old rows gone and the new ones not there yet."""
    shop = Shop({"mon": MON, "tue": TUE}, on_change="reload", cuts=CUTS)
    shop.into(store)
    if how == "reload":
        shop = replace(shop, files={"mon": replace(TUE, identity="2"), "tue": TUE})
    assert commits(store, shop, full_refresh=how != "reload") == 1
    assert ids(seen(store)) == (["1", "4"] if how == "reload" else ["1", "2", "4"])


@pytest.mark.parametrize("full_refresh", [False, True])
def test_what_another_runner_left_to_do_is_done(store: Store, full_refresh: bool) -> None:
    both, ran = Shop({"mon": MON, "tue": TUE}), []

    def first(point: str) -> None:
        if point == "before_write" and not ran:
            ran.append(point)
            assert Shop({"mon": MON}).into(store).status == "ok"

    with at_faults(first):
        done = both.into(store, full_refresh)
    assert (done.status, done.counts.read) == ("ok", 7 if full_refresh else 3)
    found = seen(store)
    assert ids(found) == ["1", "2", "4"]
    assert {generation for generation, *_ in found.positions.values()} == {2 if full_refresh else 1}
