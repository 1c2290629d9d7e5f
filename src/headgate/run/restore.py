"""Restores the table that was replaced last; a conflict with another runner is tried again."""

from __future__ import annotations

from headgate.books import restore as books
from headgate.books.ledger import Entry
from headgate.books.lines import CHILDREN
from headgate.books.restore import Request
from headgate.core.clock import new_id
from headgate.core.protocols import Store
from headgate.core.values import TableRef
from headgate.models.names import read_view
from headgate.run.build import read_views
from headgate.run.commits import TRIES, contested


def restore(store: Store, table: TableRef, author: str, seen: bool) -> tuple[Entry, ...]:
    """The entries of the restored table. `seen`: see `headgate.books.restore.Request`.

    *Errors*: CommitError `nothing-kept`, `kept-edited`, `commit-contested`; AdapterError `needed-by`.
    """
    for _ in range(TRIES):
        attempt = new_id()
        with store.lock(table), store.session() as session:
            try:
                made = books.restore(session, Request(table, attempt, author, seen))
            except Exception as error:
                if not store.is_conflict(error):
                    raise
                continue
            children = [TableRef.parse(name) for name in made[0].facts.get(CHILDREN, {})]
            for one in (table, *children):
                if session.standing(read_view(one)):
                    read_views(session, (one,), attempt)
            return made
    raise contested(str(table))
