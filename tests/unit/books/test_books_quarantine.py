"""The verbs of the quarantine, each by itself: which records it takes, and that a digest covers what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from headgate.adapters.duckdb.store import DuckDBStore
from headgate.books import quarantine
from headgate.books.quarantine import DIGEST, Refused, Settled
from headgate.books.schema import migrate
from headgate.core.values import TableRef

ONE, OTHER = TableRef("raw", "one"), TableRef("raw", "other")


@pytest.fixture
def session() -> Iterator[Any]:
    store = DuckDBStore(None)
    with store.session() as made:
        migrate(made)
        yield made
    store.close()


def refuse(session: Any, table: TableRef, partition: str, records: int, base: int | None = 0, origin: int = 0) -> None:
    """Refuses records 1 .. `records` of the partition."""
    select = f"""SELECT 0 AS _hg_part, '{partition}' AS partition, i AS record, i + 1 AS line, '[]' AS reasons,
        'raw ' || i AS raw, '{{}}' AS "row", 'shape' AS shape, CAST(NULL AS BIGINT) AS parent,
        CAST({origin or "NULL"} AS BIGINT) AS origin, CAST(NULL AS VARCHAR) AS key
        FROM range(1, {records + 1}) AS t(i)"""
    quarantine.insert(session, Refused(select, records), table, "attempt", "data", base)
    if base is None:
        session.execute(
            f"INSERT INTO _headgate.refusal VALUES ('{table} {partition}', ?, '', {records}, {records}, {records}, '')",
            [str(table)],
        )


def shown(session: Any) -> list[tuple[Any, ...]]:
    return list(
        session.execute(
            """SELECT table_name, partition, record, status, settled_by FROM _headgate.quarantine
               ORDER BY table_name, partition, record"""
        )
    )


def test_records_are_open_under_their_entry_or_held_under_none(session: Any) -> None:
    refuse(session, ONE, "a", 1, base=6)
    refuse(session, OTHER, "a", 1, base=None)
    found = session.execute("SELECT table_name, entry, origin, status FROM _headgate.quarantine ORDER BY 1")
    assert found == [("raw.one", 7, 7, "open"), ("raw.other", None, None, "held")]


def test_a_record_that_is_refused_again_keeps_its_origin(session: Any) -> None:
    refuse(session, ONE, "a", 1, base=6, origin=3)
    assert session.execute("SELECT entry, origin FROM _headgate.quarantine") == [(7, 3)]


def test_only_held_records_of_the_table_are_discarded(session: Any) -> None:
    refuse(session, ONE, "a", 1)
    refuse(session, ONE, "b", 2, base=None)
    refuse(session, OTHER, "b", 2, base=None)
    quarantine.discard_held(session, ONE)
    assert [row[:4] for row in shown(session)] == [
        ("raw.one", "a", 1, "open"), ("raw.other", "b", 1, "held"), ("raw.other", "b", 2, "held")
    ]  # fmt: skip
    assert session.execute("SELECT table_name, rows_held FROM _headgate.refusal ORDER BY 1") == [
        ("raw.one", 0), ("raw.other", 2)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("partition", "taken"), [("a", {("raw.one", "a")}), (None, {("raw.one", "a"), ("raw.one", "b")})]
)
def test_open_records_of_a_partition_or_of_the_whole_table_are_superseded(
    session: Any, partition: str | None, taken: set[tuple[str, str]]
) -> None:
    refuse(session, ONE, "a", 2)
    refuse(session, ONE, "b", 1)
    refuse(session, OTHER, "a", 1)
    [(settled,)] = session.execute("UPDATE _headgate.quarantine SET status = 'replayed', settled_by = 2 WHERE id = 1")
    assert settled == 1
    found = quarantine.supersede(session, ONE, partition, 9)
    changed = [row for row in shown(session) if row[3] == "superseded"]
    assert {row[:2] for row in changed} == taken
    assert {row[4] for row in changed} == {9}
    assert found == Settled(len(changed), sum(range(2, 2 + len(changed))))
    assert ("raw.one", "a", 1, "replayed", 2) in shown(session)


def test_a_claim_takes_all_of_its_records(session: Any) -> None:
    refuse(session, ONE, "a", 3)
    assert quarantine.claim(session, "SELECT unnest([1, 3])", 2, 5) == Settled(2, 4)
    assert [row[3:] for row in shown(session)] == [("replayed", 5), ("open", None), ("replayed", 5)]


@pytest.mark.parametrize("status", ["replayed", "superseded", "held"])
def test_a_claim_takes_none_unless_all_are_open(session: Any, status: str) -> None:
    refuse(session, ONE, "a", 3)
    session.execute(f"UPDATE _headgate.quarantine SET status = '{status}', settled_by = 2 WHERE id = 3")
    before = shown(session)
    assert quarantine.claim(session, "SELECT unnest([1, 3])", 2, 5) is None
    assert shown(session) == before


FIXED = (
    "id", "table_name", "entry", "origin", "stream", "partition", "record", "line", "reasons", "raw", "row", "shape",
    "parent", "key",
)  # fmt: skip
SETTLING = ("attempt", "status", "revision", "settled_by")


@pytest.mark.parametrize("column", [*FIXED, *SETTLING])
def test_a_digest_tells_of_every_change_but_those_of_settling(session: Any, column: str) -> None:
    refuse(session, ONE, "a", 1)
    kinds = dict(session.execute("SELECT name, type FROM pragma_table_info('_headgate.quarantine')"))
    assert set(kinds) == {*FIXED, *SETTLING, "digest"}
    value = "'other'" if kinds[column] == "VARCHAR" else "77"
    session.execute(f'UPDATE _headgate.quarantine SET "{column}" = {value}')
    [(same,)] = session.execute(f"SELECT digest = {DIGEST} FROM _headgate.quarantine")
    assert same == (column in SETTLING)


@pytest.mark.parametrize("column", ["entry", "origin", "line", "raw", "row"])
def test_a_digest_tells_nothing_from_something(session: Any, column: str) -> None:
    refuse(session, ONE, "a", 1)
    session.execute(f'UPDATE _headgate.quarantine SET "{column}" = NULL')
    [(same,)] = session.execute(f"SELECT digest = {DIGEST} FROM _headgate.quarantine")
    assert not same
