"""A table that keeps every version of an identity (SCD2): its columns, and the versions that a commit ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headgate.core.protocols import Columns, StoreSession
from headgate.core.records import dataclass
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
    dates: bool = False
    """Versions hold from day to day: of two changes on one day, the later takes the place of the earlier."""
    deleted_if: str = ""
    """SQL condition on a record that tells that its identity is gone; empty where none does."""
    closes: bool = False
    """Every file is a snapshot: a current version ends whose identity it does not deliver."""
    latest: tuple[tuple[str, str], ...] = ()
    """Columns, and beside each the name of another in which every version says what the current one says; NULL where
    none is current."""

    @property
    def names(self) -> tuple[str, str, str]:
        return self.valid_from, self.valid_to, self.current

    @property
    def beside(self) -> tuple[str, ...]:
        """Every name that the table has beside the contract's."""
        return (*self.names, *(name for _, name in self.latest))

    def columns(self, time: str, types: Mapping[str, str]) -> Columns:
        """The table's columns beside the contract's, where records' times have this type of the engine.

        `types`: of the contract's columns.
        """
        time = "DATE" if self.dates else time
        shown = [(name, types[column]) for column, name in self.latest if column in types]
        held = [(self.valid_from, time), (self.valid_to, time), (self.current, "BOOLEAN")]
        return [*held, *shown, (HASH_COLUMN, "VARCHAR")]


def rowless(details: Mapping[str, Any]) -> int:
    """How many of the loaded records that an entry counts have no row: they said nothing new, or that one is gone."""
    counted = details.get("history", {})
    return int(counted.get("unchanged", 0) + counted.get("deleted", 0))


@dataclass(frozen=True)
class Closing:
    """Current versions that end. `select`: for the store, of `_hg_part`, the identity and `since`, the time at which
    the next version begins; one of that very time gives way to it, unless it is `ended` without another."""

    select: str
    history: History


@dataclass(frozen=True)
class Vanishing:
    """What a snapshot tells by what it does not say. Relations of the store: `delivered` has the columns of every
    identity in it, `until` at most one row with `till`, the time at which the current versions of all others end."""

    delivered: str
    until: str
    history: History


def end_vanished(session: StoreSession, table: TableRef, vanishing: Vanishing, same: str) -> int:
    """Ends the current versions that no delivered identity matches by `same` (`old`, `new`) and that began before.

    Returns how many, within the open transaction.
    """
    start, end, current = (quote.ident(name) for name in vanishing.history.names)
    ended = session.execute(
        f"""UPDATE {quote.table(table)} AS old SET {end} = u.till, {current} = false
            FROM ({vanishing.until}) AS u WHERE old.{current} AND old.{start} < u.till
                AND NOT EXISTS (SELECT 1 FROM {vanishing.delivered} AS new WHERE {same})
            RETURNING 1"""
    )
    return len(ended)


def close_versions(session: StoreSession, table: TableRef, closing: Closing, same: str) -> list[tuple[int, int, int]]:
    """Ends the current versions that match by `same` (`old`, `new`), within the open transaction.

    Returns part, entry that wrote the rows and number of the rows that gave way altogether.
    """
    start, end, current = (quote.ident(name) for name in closing.history.names)
    given_way = f"{same} AND old.{current} AND old.{start} = new.since AND NOT new.ended"
    gone = session.take_away(table, closing.select, given_way)
    session.execute(
        f"""UPDATE {quote.table(table)} AS old SET {end} = new.since, {current} = false
            FROM ({closing.select}) AS new WHERE {same} AND old.{current}"""
    )
    return gone


def show_latest(session: StoreSession, table: TableRef, history: History, same: str, touched: str) -> None:
    """Lets every version of the identities in the SELECT `touched` (empty: of all) say what their current one says.

    `same`: a version (`old`) is of an identity (`new`). Within the open transaction; no row is added or removed.
    """
    target, current = quote.table(table), quote.ident(history.current)
    kinds = dict(session.columns(table) or ())
    among = f" AND EXISTS (SELECT 1 FROM ({touched}) AS new WHERE {same})" if touched else ""
    for column, name in history.latest:
        said, shown = quote.ident(column), f"old.{quote.ident(name)}"
        value = f"(SELECT new.{said} FROM {target} AS new WHERE new.{current} AND {same})"
        differs = _differs(shown, value, kinds.get(column, ""))
        session.execute(f"UPDATE {target} AS old SET {quote.ident(name)} = {value} WHERE {differs}{among}")


def _differs(one: str, two: str, kind: str) -> str:
    """JSON is compared by its text: not every store has an equality for it."""
    if kind.lower() == "json":
        one, two = f"CAST({one} AS VARCHAR)", f"CAST({two} AS VARCHAR)"
    return f"{one} IS DISTINCT FROM {two}"
