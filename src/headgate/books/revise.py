"""Fixes: what a refused record says is changed, and what it said before is kept, sealed in a chain.

Line `n` of `_headgate.revision` tells of the fix that made revision `n` of a record: who, when, why, and the image
that it replaced. Its digest covers the record's digest before it; the record's digest, from then on, covers the
line's. So no image in between can be edited without the record itself being found edited.
"""

from __future__ import annotations

from collections.abc import Sequence

from headgate.books.commit import in_plain_transaction, lock_table
from headgate.books.quarantine import DIGEST
from headgate.core.clock import stamp
from headgate.core.errors import CommitError, Finding
from headgate.core.protocols import Session, StoreSession
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.sql import quote

IMAGE = ("raw", '"row"', "shape", "key")
"""The columns of a record that a fix may change, and that its line keeps as they were."""

LINE = (
    "md5(concat_ws(chr(31), table_name, CAST(record AS VARCHAR), CAST(revision AS VARCHAR), author, fixed_at, reason, "
    """coalesce(raw, chr(30)), coalesce("row", chr(30)), shape, coalesce(key, chr(30)), before))"""
)
"""The digest of a line."""

LINKED = f"CASE WHEN _link IS NULL THEN {DIGEST} ELSE md5(concat_ws(chr(31), {DIGEST}, _link)) END"
"""The digest of a record whose last line has the digest `_link` (NULL: it was never fixed)."""

LINKS = "(SELECT record AS _record, revision AS _revision, digest AS _link FROM _headgate.revision) AS _links"


@dataclass(frozen=True)
class Line:
    """One fix of a record: it made `revision`, and the record said `raw` and `row` before."""

    record: int
    revision: int
    author: str
    at: str
    reason: str
    raw: str | None
    row: str | None


def lines(session: Session, records: Sequence[int]) -> list[Line]:
    """Every fix of these records, by record and revision."""
    listed = ", ".join(str(int(one)) for one in records) or "NULL"
    rows = session.execute(
        f"""SELECT record, revision, author, fixed_at, reason, raw, "row" FROM _headgate.revision
            WHERE record IN ({listed}) ORDER BY record, revision"""
    )
    return [Line(*row) for row in rows]


@dataclass(frozen=True)
class Fixes:
    """What a fix does: `relation` is an engine's SELECT of `id, revision, raw, "row", shape, key`, the revision being
    the one that was seen; `rows` how many there are."""

    relation: str
    rows: int
    author: str
    reason: str


def fix(session: StoreSession, table: TableRef, work: Fixes, attempt: str) -> None:
    """Gives the open records their new content, and keeps the old one: all of them or none.

    *Errors*: CommitError `fix-conflict` where one of them is no longer open or has another revision than was seen.
    """
    in_plain_transaction(session, lambda: _fix(session, table, work, attempt))


def _fix(session: StoreSession, table: TableRef, work: Fixes, attempt: str) -> None:
    lock_table(session, table)
    brought = session.bring(work.relation, f"hg_{attempt}_fixed")
    _refuse_conflicts(session, table, brought, work.rows)
    facts = ", ".join(quote.literal(text) for text in (work.author, stamp(), work.reason))
    session.execute(
        f"""INSERT INTO _headgate.revision
                (table_name, record, revision, author, fixed_at, reason, {", ".join(IMAGE)}, before, digest)
            SELECT line.*, {LINE} FROM (
                SELECT q.table_name, q.id AS record, q.revision + 1 AS revision, made.author, made.fixed_at,
                    made.reason, {", ".join(f"q.{name}" for name in IMAGE)}, q.digest AS before
                FROM _headgate.quarantine AS q JOIN {brought} AS f ON f.id = q.id
                CROSS JOIN (VALUES ({facts})) AS made(author, fixed_at, reason)) AS line"""
    )
    changed = ", ".join(f"{name} = f.{name}" for name in IMAGE)
    session.execute(
        f"""UPDATE _headgate.quarantine AS q SET {changed}, revision = f.revision + 1
            FROM {brought} AS f WHERE q.id = f.id"""
    )
    session.execute(
        f"""UPDATE _headgate.quarantine SET digest = {LINKED} FROM {LINKS}
            WHERE id = _record AND revision = _revision AND id IN (SELECT f.id FROM {brought} AS f)"""
    )


def _refuse_conflicts(session: Session, table: TableRef, brought: str, rows: int) -> None:
    name = quote.literal(str(table))
    fits = f"q.status = 'open' AND q.table_name = {name} AND q.revision = f.revision"
    found = session.execute(
        f"SELECT count(*) FROM {brought} AS f JOIN _headgate.quarantine AS q ON q.id = f.id AND {fits}"
    )[0][0]
    if found == rows:
        return
    first = session.execute(
        f"""SELECT f.id, f.revision, q.status, q.revision, v.author, v.fixed_at FROM {brought} AS f
            LEFT JOIN _headgate.quarantine AS q ON q.id = f.id AND q.table_name = {name}
            LEFT JOIN _headgate.revision AS v ON v.record = q.id AND v.revision = q.revision
            WHERE q.id IS NULL OR NOT ({fits}) ORDER BY f.id LIMIT 1"""
    )[0]
    raise conflict(str(table), rows - found, *first)


def conflict(
    table: str, others: int, record: int, seen: int, status: str | None, revision: int | None, author: str, at: str
) -> CommitError:
    """The refusal to overwrite what somebody else did to a record meanwhile."""
    if status is None:
        why = "is gone"
    elif status != "open":
        why = f"is {status}"
    else:
        who = f"; {author} fixed it at {at}" if author else ""
        why = f"has revision {revision}, and the fix was made for revision {seen}{who}"
    more = f" ({others} records in all)" if others > 1 else ""
    return CommitError(
        Finding(
            "fix-conflict",
            "error",
            f"record {record} {why}{more}; nothing was changed",
            table,
            f"look at it again: headgate quarantine show {record}; then fix what it says now",
            {"record": record, "seen": seen, "revision": revision, "status": status, "conflicts": others},
        )
    )
