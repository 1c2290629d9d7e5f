"""The compare-and-set of a commit, by itself: every partition moves from the seat that was read, or none does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from headgate.adapters.duckdb.store import DuckDBStore
from headgate.books import ledger
from headgate.books.commit import claim_seats
from headgate.books.ledger import Seat
from headgate.books.schema import migrate
from headgate.books.work import Part


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
