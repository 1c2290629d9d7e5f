"""The books read at once: as they stood, but for tables that were forgotten."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from headgate.adapters.duckdb.store import DuckDBStore
from headgate.books import record, schema
from headgate.books.known import Known
from headgate.core.protocols import StoreSession
from headgate.core.values import TableRef

ONE, TWO, NONE = TableRef("gold", "one"), TableRef("gold", "two"), TableRef("gold", "none")


@pytest.fixture
def session() -> Iterator[StoreSession]:
    store = DuckDBStore(None)
    with store.session() as session:
        schema.migrate(session)
        yield session
    store.close()


def build(session: StoreSession, table: TableRef, attempt: str) -> None:
    session.execute("BEGIN")
    record.record_build(session, table, attempt, 0, {}, "anna")
    session.execute("COMMIT")


def test_it_tells_the_last_build_of_every_table(session: StoreSession) -> None:
    for attempt in ("a", "b"):
        build(session, ONE, attempt)
    build(session, TWO, "c")
    known = Known()
    assert known.versions(session, [ONE, TWO, NONE]) == {"gold.one": 2, "gold.two": 1, "gold.none": 0}
    found = {table: known.build(session, table) for table in (ONE, TWO, NONE)}
    assert {table: built.attempt if built else None for table, built in found.items()} == {
        ONE: "b",
        TWO: "c",
        NONE: None,
    }


def test_only_what_was_forgotten_is_asked_for_anew(session: StoreSession) -> None:
    build(session, ONE, "a")
    known = Known()
    assert known.version(session, ONE) == 1
    known.forget([ONE])
    build(session, ONE, "b")
    build(session, TWO, "c")
    built = known.build(session, ONE)
    assert (known.version(session, ONE), built and built.attempt) == (2, "b")
    assert known.version(session, TWO) == 0
