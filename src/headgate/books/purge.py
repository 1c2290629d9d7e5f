"""Purges: what refused records say is erased, and a receipt stays in the ledger."""

from __future__ import annotations

from headgate.books import ledger
from headgate.books.commit import in_plain_transaction, lock_table
from headgate.books.ledger import PURGE, Entry
from headgate.books.quarantine import DIGEST
from headgate.books.record import Made, add
from headgate.books.revise import IMAGE
from headgate.core.protocols import Session, StoreSession
from headgate.core.values import TableRef
from headgate.sql import quote

PURGEABLE = ("open", "replayed", "superseded")
"""What a refused load holds vanishes with the table's next load, and is not purged before."""


def select(chosen: str) -> str:
    """SELECT of the ids to empty: those of the SELECT `chosen`, and of all that they were before a replay refused them
    again, unless a purge emptied them before."""
    return f"""SELECT DISTINCT id FROM (
        WITH RECURSIVE line(id, parent) AS (
            SELECT q.id, q.parent FROM _headgate.quarantine AS q WHERE q.id IN ({chosen})
            UNION ALL
            SELECT q.id, q.parent FROM _headgate.quarantine AS q JOIN line ON line.parent = q.id)
        SELECT id FROM line) AS lineage
        WHERE NOT EXISTS (SELECT 1 FROM _headgate.emptied AS e WHERE e.record = lineage.id)"""


def count(session: Session, chosen: str) -> int:
    """How many records a purge of `chosen` would empty."""
    return int(session.execute(f"SELECT count(*) FROM ({select(chosen)}) AS ids")[0][0])


def purge(session: StoreSession, table: TableRef, chosen: str, attempt: str, reason: str, author: str) -> Entry | None:
    """Empties the records of the table that the SELECT names; None where there is nothing left to empty.

    Open ones are settled as `purged` by the entry; settled ones keep what became of them. The entry says how many, the
    sums of their ids, and one digest over what was erased: the digests of the records, in the order of their ids.
    """
    made: list[Entry] = []

    def write() -> None:
        state = lock_table(session, table)
        if state is None:
            return
        number = state.version + 1
        entry = f"table_name = {quote.literal(str(table))} AND entry = {number}"
        session.execute(
            f"""INSERT INTO _headgate.emptied
                SELECT {quote.literal(str(table))}, CAST({number} AS BIGINT), ids.id FROM ({select(chosen)}) AS ids"""
        )
        mine = f"SELECT record FROM _headgate.emptied WHERE {entry}"
        facts = _facts(session, mine)
        if not facts["emptied"]:
            return
        _empty(session, mine, number)
        rows = ledger.tail(session, table, state.version).rows
        made.append(add(session, table, state.version, rows, Made(PURGE, attempt, author, {**facts, "reason": reason})))

    in_plain_transaction(session, write)
    return made[0] if made else None


def _facts(session: Session, mine: str) -> dict[str, int | str]:
    total, ids, opened, open_ids, erased = session.execute(
        f"""SELECT count(*), CAST(coalesce(sum(id), 0) AS BIGINT), count(*) FILTER (WHERE status = 'open'),
                CAST(coalesce(sum(id) FILTER (WHERE status = 'open'), 0) AS BIGINT),
                md5(coalesce(string_agg(digest, '' ORDER BY id), ''))
            FROM _headgate.quarantine WHERE id IN ({mine})"""
    )[0]
    lines = session.execute(f"SELECT count(*) FROM _headgate.revision WHERE record IN ({mine})")[0][0]
    facts: dict[str, int | str] = {"emptied": total, "emptied_ids": ids, "revisions": lines, "erased": erased}
    return {**facts, "purged": opened, "settled_ids": open_ids} if opened else facts


def _empty(session: Session, mine: str, number: int) -> None:
    session.execute(f"DELETE FROM _headgate.revision WHERE record IN ({mine})")
    gone = ", ".join(f"{name} = NULL" for name in IMAGE if name != "shape")
    session.execute(
        f"""UPDATE _headgate.quarantine SET {gone},
                settled_by = CASE WHEN status = 'open' THEN {number} ELSE settled_by END,
                status = CASE WHEN status = 'open' THEN 'purged' ELSE status END
            WHERE id IN ({mine})"""
    )
    session.execute(f"UPDATE _headgate.quarantine SET digest = {DIGEST} WHERE id IN ({mine})")
