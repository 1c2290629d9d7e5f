"""A commit by its parts: the compare-and-set, the transaction around it, and what it does when the engine or another
runner changes what it relies on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from headgate.adapters.duckdb.store import DuckDBSession, DuckDBStore
from headgate.books import ledger
from headgate.books.commit import claim_seats, in_transaction
from headgate.books.ledger import Seat
from headgate.books.schema import migrate
from headgate.books.work import Lost, Outcome, Part
from headgate.contracts.model import Limit
from headgate.core.errors import InternalError
from headgate.run.replay import replay
from headgate.testing.store_suite import MON, TABLE, TUE, Shop, at_faults, ids, seen, whole


@pytest.fixture
def session() -> Iterator[Any]:
    store = DuckDBStore(None)
    with store.session() as made:
        migrate(made)
        yield made
    store.close()


def part(number: int, name: str, seat: Seat | None, generation: int = 1, end: int = 0) -> Part:
    return Part(number, name, seat, generation, seat.position if seat else {}, {"at": end}, 0)


def claim(session: Any, *parts: Part) -> bool:
    """The claim in a transaction that is kept where it succeeds."""
    session.execute("BEGIN")
    claimed = claim_seats(session, "raw.t", ledger.DATA, parts)
    session.execute("COMMIT" if claimed else "ROLLBACK")
    return claimed


def test_a_seat_is_claimed_once(session: Any) -> None:
    assert claim(session, part(0, "a", None, end=1))
    first = ledger.seats(session, "raw.t")["a"]
    assert first == Seat(1, 1, {"at": 1})
    assert claim(session, part(0, "a", first, end=2))
    assert not claim(session, part(0, "a", first, end=3))
    assert ledger.seats(session, "raw.t") == {"a": Seat(1, 2, {"at": 2})}


def test_a_new_generation_begins_at_one_and_is_claimed_once(session: Any) -> None:
    claim(session, part(0, "a", None, end=1))
    first = ledger.seats(session, "raw.t")["a"]
    assert claim(session, part(0, "a", first, generation=2, end=5))
    assert not claim(session, part(0, "a", first, generation=2, end=6))
    assert not claim(session, part(0, "a", first, end=6))
    assert ledger.seats(session, "raw.t") == {"a": Seat(2, 1, {"at": 5})}


def test_one_lost_seat_loses_all(session: Any) -> None:
    claim(session, part(0, "a", None, end=1), part(1, "b", None, end=1))
    seats = ledger.seats(session, "raw.t")
    assert claim(session, part(0, "b", seats["b"], end=2))
    before = ledger.seats(session, "raw.t")
    assert not claim(session, part(0, "a", seats["a"], end=9), part(1, "b", seats["b"], end=9), part(2, "c", None))
    assert ledger.seats(session, "raw.t") == before


def test_a_new_partition_is_claimed_once(session: Any) -> None:
    claim(session, part(0, "a", None))
    store = DuckDBStore(None)
    session.execute("BEGIN")
    with pytest.raises(Exception, match="Duplicate key") as caught:
        claim_seats(session, "raw.t", ledger.DATA, [part(0, "a", None)])
    session.execute("ROLLBACK")
    assert store.is_conflict(caught.value)
    store.close()


def test_other_flows_and_streams_are_untouched(session: Any) -> None:
    claim(session, part(0, "a", None))
    seat = ledger.seats(session, "raw.t")["a"]
    for flow, stream in (("raw.u", ledger.DATA), ("raw.t", ledger.BUILD)):
        assert not claim_seats(session, flow, stream, [part(0, "a", seat)])
    assert ledger.seats(session, "raw.t") == {"a": seat}


# The transaction


def insert(session: Any) -> None:
    session.execute("INSERT INTO _headgate.shape VALUES ('x', '[]')")


def kept(session: Any) -> bool:
    """Whether a commit from here on would keep the row of `insert`. A transaction that was left open shows it."""
    return bool(session.execute("SELECT 1 FROM _headgate.shape"))


def test_what_was_lost_is_rolled_back(session: Any) -> None:
    def lose() -> Outcome:
        insert(session)
        return Lost()

    assert in_transaction(session, lose, lambda made: False) == Lost()
    assert not kept(session)


def test_what_failed_is_rolled_back_and_the_session_can_go_on(session: Any) -> None:
    def fail() -> Outcome:
        insert(session)
        raise ValueError

    with pytest.raises(ValueError):
        in_transaction(session, fail, lambda made: False)
    assert not kept(session)
    session.execute("BEGIN")
    session.execute("ROLLBACK")


# An engine that loses rows, another runner


class OddStore(DuckDBStore):
    """A warehouse in memory whose statements are looked at, and may be changed, before they run."""

    change: Callable[[str], str] = staticmethod(lambda sql: sql)

    @contextmanager
    def session(self) -> Iterator[DuckDBSession]:
        with super().session() as session:
            yield OddSession(session.cursor, self)


class OddSession(DuckDBSession):
    def __init__(self, cursor: Any, store: OddStore) -> None:
        super().__init__(cursor)
        self.store = store

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return super().execute(self.store.change(sql), params)


@pytest.fixture
def store() -> Iterator[OddStore]:
    made = OddStore(None)
    with made.session() as session:
        migrate(session)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("load", "statement", "less"),
    [
        ("append", "INSERT INTO _headgate.quarantine", " WHERE record <> 1"),
        ("append", 'INSERT INTO "suite"."orders"', " WHERE id <> 4"),
        ("upsert", 'DELETE FROM "suite"."orders"', " AND old.id <> 1"),
    ],
)
def test_a_statement_that_did_less_than_it_should_costs_the_commit(
    store: OddStore, load: Any, statement: str, less: str
) -> None:
    files = {"mon": MON, "tue": TUE}
    Shop({"mon": MON}, load).into(store)
    before = whole(store)
    store.change = lambda sql: sql + less if sql.startswith(statement) else sql
    with pytest.raises(InternalError) as caught:
        Shop(files, load).into(store)
    assert caught.value.finding.code == "books-unbalanced"
    store.change = lambda sql: sql
    assert whole(store) == before
    assert Shop(files, load).into(store).status == "ok"
    assert ids(seen(store)) == ["1", "2", "4"]


def test_the_entry_that_another_runner_made_in_ones_place_is_not_ones_own(store: OddStore) -> None:
    """Both have the same number, but each loads another file. The engine kept nothing of the first one's COMMIT."""
    said: list[str] = []

    def rolled_back(sql: str) -> str:
        said.append(sql)
        return (
            "ROLLBACK"
            if sql == "COMMIT" and any(one.startswith("INSERT INTO _headgate.entry") for one in said)
            else sql
        )

    def overtaken(point: str) -> None:
        if point == "after_commit" and store.change is rolled_back:
            store.change = lambda sql: sql
            assert Shop({"tue": TUE}).into(store).counts.read == 3

    store.change = rolled_back
    with at_faults(overtaken):
        done = Shop({"mon": MON}).into(store)
    assert (done.status, done.counts.read) == ("ok", 4)
    assert sorted(seen(store).positions) == ["mon", "tue"]


def test_a_load_that_another_runner_did_first_is_not_judged_against_its_rows(store: OddStore) -> None:
    shop, ran = Shop({"mon": MON}, limit=Limit(rows=2)), []

    def first(point: str) -> None:
        if point == "before_write" and not ran:
            ran.append(point)
            assert shop.into(store).status == "ok"

    with at_faults(first):
        done = shop.into(store)
    assert (done.status, done.findings) == ("skipped", [])
    assert [record[-1] for record in seen(store).records] == ["open", "open"]


def test_a_record_that_was_settled_in_the_meantime_is_not_replayed(store: OddStore) -> None:
    """By hand, so that no seat moved: the claim alone can see it."""
    Shop({"mon": MON}).into(store)
    easier = Shop({"mon": MON}, columns={"id": "int", "at": "timestamp", "amount": "decimal(12,2)"})
    ran: list[str] = []

    def first(point: str) -> None:
        if point == "before_write" and not ran:
            ran.append(point)
            with store.session() as session:
                session.execute("UPDATE _headgate.quarantine SET status = 'superseded' WHERE record = 3")

    with at_faults(first):
        done = replay(store, easier.flow, None, "suite")
    assert done is not None
    assert (done.read, done.loaded) == (1, 1)
    with store.session() as session:
        assert session.execute(f"SELECT id FROM {TABLE} ORDER BY id") == [(1,), (2,), (3,)]
