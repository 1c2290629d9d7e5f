"""A table that keeps every version of an identity (SCD2): its columns, and the versions that a commit ends."""

from __future__ import annotations

from dataclasses import dataclass

from headgate.core.protocols import Columns, StoreSession
from headgate.core.values import TableRef
from headgate.sql import quote

HASH_COLUMN = "_hg_hash"
"""Digest of what makes a version: a record with the digest of the current version says nothing new."""


@dataclass(frozen=True)
class History:
    """The columns that say when a version held: from `valid_from` on, before `valid_to`, and whether it still does.

    `track`: the columns in which versions differ (empty: all but the identity and the time). `end`: what `valid_to` of
    a current version holds, as text; empty for NULL.
    """

    valid_from: str = "valid_from"
    valid_to: str = "valid_to"
    current: str = "is_current"
    track: tuple[str, ...] = ()
    end: str = ""

    @property
    def names(self) -> tuple[str, str, str]:
        return self.valid_from, self.valid_to, self.current

    def columns(self, time: str) -> Columns:
        """The table's columns beside the contract's, where times have this type of the engine."""
        return [(self.valid_from, time), (self.valid_to, time), (self.current, "BOOLEAN"), (HASH_COLUMN, "VARCHAR")]


@dataclass(frozen=True)
class Closing:
    """Current versions that end. `select`: for the store, of `_hg_part`, the identity and `since`, the time at which
    the next version begins; one of that very time gives way to it."""

    select: str
    history: History


def close_versions(session: StoreSession, table: TableRef, closing: Closing, same: str) -> list[tuple[int, int, int]]:
    """Ends the current versions that match by `same` (`old`, `new`), within the open transaction.

    Returns part, entry that wrote the rows and number of the rows that gave way altogether.
    """
    start, end, current = (quote.ident(name) for name in closing.history.names)
    gone = session.take_away(table, closing.select, f"{same} AND old.{current} AND old.{start} = new.since")
    session.execute(
        f"""UPDATE {quote.table(table)} AS old SET {end} = new.since, {current} = false
            FROM ({closing.select}) AS new WHERE {same} AND old.{current}"""
    )
    return gone
