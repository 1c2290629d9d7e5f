"""The rows that failed a check, left beside the model's table to be looked at.

They go when the model is built the next time, take the place of those that were left before, or are collected by age:
the table's comment says when it was left. Nothing else knows of it; the books speak of published tables only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from headgate.core.clock import now, stamp
from headgate.core.errors import Finding
from headgate.core.protocols import StoreSession
from headgate.core.values import TableRef
from headgate.models.failed import ChecksFailed
from headgate.sql import quote

MARK = "__hg_failed"
KEPT = timedelta(days=7)
_LONGEST = 36
"""Bytes of the model's name that the name begins with: PostgreSQL keeps 63 of a name."""


def left_ref(target: TableRef) -> TableRef:
    """Where the rows of a model stand that failed a check."""
    head = target.name.encode()[:_LONGEST].decode(errors="ignore")
    mark = "" if head == target.name else "_" + hashlib.sha256(target.name.encode()).hexdigest()[:12]
    return TableRef(target.schema, f"{head}{mark}{MARK}")


def leave(session: StoreSession, failed: ChecksFailed, others: Sequence[TableRef] = ()) -> tuple[Finding, ...]:
    """Ends the open transaction, in which nothing was published, so that only the staged rows are kept of it; what is
    to be told. `others`: staged relations that go.

    A view has no rows of its own, and is not kept: on some stores it would hold on to the tables that it reads.
    """
    model, staged = failed.model, failed.staged
    if model.relation == "view":
        session.abandon()
        return failed.findings
    ref = left_ref(model.target)
    try:
        for other in others:
            session.execute(f"DROP {session.standing(other) or 'table'} {quote.table(other)}")
        session.swap(staged.ref, ref, "table")
        session.execute(f"COMMENT ON TABLE {quote.table(ref)} IS {quote.literal(stamp())}")
        session.execute("COMMIT")
    except Exception:  # why the model failed is what is to be told, not that its rows could not be kept
        session.abandon()
        return failed.findings
    return failed.told(ref)


def forget(session: StoreSession, target: TableRef, known: frozenset[TableRef] | None = None) -> None:
    """Drops what an earlier build left, outside of a transaction. What can't be dropped now is collected by age.

    `known`: all that was left, as `collect` found it; None where nobody looked.
    """
    ref = left_ref(target)
    if known is not None and ref not in known:
        return
    try:
        session.execute(f"DROP TABLE IF EXISTS {quote.table(ref)}")
    except Exception:
        with suppress(Exception):
            session.abandon()


def collect(session: StoreSession) -> frozenset[TableRef]:
    """Drops what was left longer ago than `KEPT`; what has such a name besides."""
    found = session.execute(
        f"""SELECT table_schema, table_name FROM information_schema.tables
            WHERE table_type = 'BASE TABLE' AND right(table_name, {len(MARK)}) = {quote.literal(MARK)}"""
    )
    every = frozenset(TableRef(schema, name) for schema, name in found)
    for ref in sorted(every):
        if _is_old(session.comment(ref)):
            with suppress(Exception):
                session.execute(f"DROP TABLE IF EXISTS {quote.table(ref)}")
    return every


def _is_old(comment: str) -> bool:
    """Whether the comment says so; a table that says nothing is none of ours."""
    try:
        return now() - datetime.fromisoformat(comment) > KEPT
    except (ValueError, TypeError):
        return False
