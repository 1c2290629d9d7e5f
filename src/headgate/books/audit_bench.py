"""The audit of what was done to refused records themselves: fixes and purges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from headgate.books.ledger import PURGE, RESTORE, Entry
from headgate.books.quarantine import DIGEST
from headgate.books.revise import IMAGE, LINE
from headgate.core.errors import Finding
from headgate.core.protocols import Session

_FIXED = ("id", "table_name", "entry", "origin", "stream", "partition", "record", "line", "reasons", "parent")
"""What no fix changes about a record."""


def bench(session: Session, name: str, history: Sequence[Entry]) -> Iterator[Finding]:
    """Images before a fix that are not as they were, revisions without their fix, and receipts that don't hold."""
    yield from _lines(session, name)
    yield from _counts(session, name)
    yield from _images(session, name)
    yield from _receipts(session, name, history)
    yield from _emptied(session, name)


def _broken(code: str, what: str, where: str) -> Finding:
    return Finding(code, "error", what, where, RESTORE, {})


def _lines(session: Session, name: str) -> Iterator[Finding]:
    rows = session.execute(
        f"""SELECT record, revision FROM _headgate.revision WHERE table_name = ? AND digest IS DISTINCT FROM {LINE}
            ORDER BY 1, 2 LIMIT 20""",
        [name],
    )
    for record, revision in rows:
        what = f"the fix that made revision {revision} of quarantine record {record} is not as it was written"
        yield _broken("revision-edited", what, f"{name} record {record}")


def _counts(session: Session, name: str) -> Iterator[Finding]:
    """Every revision of a record has its fix, and every fix its record."""
    rows = session.execute(
        """SELECT coalesce(q.id, v.record), coalesce(q.revision, 0), coalesce(v.fixes, 0) FROM (
               SELECT id, revision FROM _headgate.quarantine WHERE table_name = ?
               AND id NOT IN (SELECT record FROM _headgate.emptied)) AS q
           FULL JOIN (
               SELECT record, count(*) AS fixes, max(revision) AS last FROM _headgate.revision WHERE table_name = ?
               GROUP BY record) AS v ON v.record = q.id
           WHERE coalesce(q.revision, 0) <> coalesce(v.fixes, 0) OR v.last <> v.fixes OR (v.fixes > 0 AND q.id IS NULL)
           ORDER BY 1 LIMIT 20""",
        [name, name],
    )
    for record, revision, fixes in rows:
        what = f"quarantine record {record} has revision {revision}, and {fixes} fixes are kept"
        yield _broken("revision-edited", what, f"{name} record {record}")


def _images(session: Session, name: str) -> Iterator[Finding]:
    """What a record said before a fix has the digest that it had then."""
    image = ", ".join(f"v.{column}" for column in IMAGE)
    fixed = ", ".join(f"q.{column}" for column in _FIXED)
    rows = session.execute(
        f"""SELECT id, made FROM (
                SELECT {fixed}, {image}, v.before, v.revision AS made, p.digest AS link
                FROM _headgate.revision AS v JOIN _headgate.quarantine AS q ON q.id = v.record
                LEFT JOIN _headgate.revision AS p ON p.record = v.record AND p.revision = v.revision - 1
                WHERE v.table_name = ?) AS image
            WHERE before IS DISTINCT FROM
                CASE WHEN link IS NULL THEN {DIGEST} ELSE md5(concat_ws(chr(31), {DIGEST}, link)) END
            ORDER BY 1, 2 LIMIT 20""",
        [name],
    )
    for record, revision in rows:
        what = f"what quarantine record {record} said before its revision {revision} is not as it was"
        yield _broken("revision-edited", what, f"{name} record {record}")


def _receipts(session: Session, name: str, history: Sequence[Entry]) -> Iterator[Finding]:
    """A purge emptied the records that its entry says, and no others."""
    found = {
        row[0]: (row[1], row[2])
        for row in session.execute(
            """SELECT entry, count(*), CAST(sum(record) AS BIGINT) FROM _headgate.emptied WHERE table_name = ?
               GROUP BY 1""",
            [name],
        )
    }
    for entry in (one for one in history if one.kind == PURGE):
        wanted = entry.facts.get("emptied", 0), entry.facts.get("emptied_ids", 0)
        have = found.pop(entry.id, (0, 0))
        if have != wanted:
            what = f"the purge emptied {wanted[0]} records, the quarantine knows of {have[0]} or of others"
            yield _broken("law-quarantine", what, f"{name} entry {entry.id}")
    for number in found:
        yield _broken("law-quarantine", "records are said to be emptied by what is no purge", f"{name} entry {number}")


def _emptied(session: Session, name: str) -> Iterator[Finding]:
    """Emptied records are empty, and purged ones are among them."""
    rows = session.execute(
        """SELECT q.id, q.partition, q.record, q.status FROM _headgate.quarantine AS q
           LEFT JOIN _headgate.emptied AS e ON e.record = q.id AND e.table_name = q.table_name
           WHERE q.table_name = ? AND (
               (e.record IS NOT NULL AND (q.raw IS NOT NULL OR q."row" IS NOT NULL OR q.status IN ('open', 'held')))
               OR (q.status = 'purged' AND (e.record IS NULL OR e.entry <> q.settled_by)))
           ORDER BY 1 LIMIT 20""",
        [name],
    )
    for number, partition, at, status in rows:
        what = f"quarantine record {number} is {status}, and what a purge left of it says otherwise"
        yield _broken("quarantine-edited", what, f"{name} partition {partition} record {at}")
