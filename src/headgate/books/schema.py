"""The tables of the books, in schema `_headgate` of the warehouse, and their migrations.

A new warehouse runs every migration from the first on, so that the way up from an old one is the way everybody takes.
"""

from __future__ import annotations

import re

from headgate.books.ledger import RESTORE
from headgate.core.errors import CommitError, Finding
from headgate.core.protocols import Session

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE _headgate.table_state (
            table_name VARCHAR PRIMARY KEY, version BIGINT NOT NULL, live_generation BIGINT NOT NULL,
            contract VARCHAR)""",
        """CREATE TABLE _headgate.position (
            flow VARCHAR, stream VARCHAR, partition VARCHAR, generation BIGINT NOT NULL, seq BIGINT NOT NULL,
            position VARCHAR NOT NULL, PRIMARY KEY (flow, stream, partition))""",
        """CREATE TABLE _headgate.entry (
            table_name VARCHAR, id BIGINT, flow VARCHAR NOT NULL, stream VARCHAR NOT NULL, partition VARCHAR NOT NULL,
            generation BIGINT NOT NULL, seq BIGINT NOT NULL, attempt VARCHAR NOT NULL, kind VARCHAR NOT NULL,
            committed_at VARCHAR NOT NULL, start_position VARCHAR NOT NULL, end_position VARCHAR NOT NULL,
            rows_read BIGINT NOT NULL, rows_loaded BIGINT NOT NULL, rows_quarantined BIGINT NOT NULL,
            rows_deduplicated BIGINT NOT NULL, rows_skipped BIGINT NOT NULL, rows_inserted BIGINT NOT NULL,
            rows_updated BIGINT NOT NULL, rows_removed BIGINT NOT NULL, rows_before BIGINT NOT NULL,
            rows_after BIGINT NOT NULL, details VARCHAR NOT NULL, contract VARCHAR NOT NULL, author VARCHAR NOT NULL,
            digest VARCHAR NOT NULL, PRIMARY KEY (table_name, id))""",
        """CREATE TABLE _headgate.quarantine (
            id BIGINT NOT NULL, table_name VARCHAR NOT NULL, entry BIGINT, origin BIGINT, attempt VARCHAR NOT NULL,
            stream VARCHAR NOT NULL, partition VARCHAR NOT NULL, record BIGINT NOT NULL, line BIGINT,
            reasons VARCHAR NOT NULL, raw VARCHAR, "row" VARCHAR, shape VARCHAR NOT NULL, status VARCHAR NOT NULL,
            revision BIGINT NOT NULL, parent BIGINT, settled_by BIGINT, digest VARCHAR NOT NULL)""",
        "CREATE SEQUENCE _headgate.quarantine_id",
        "CREATE TABLE _headgate.shape (id VARCHAR PRIMARY KEY, columns VARCHAR NOT NULL)",
    ),
    (
        """CREATE TABLE _headgate.refusal (
            attempt VARCHAR PRIMARY KEY, table_name VARCHAR NOT NULL, refused_at VARCHAR NOT NULL,
            rows_read BIGINT NOT NULL, rows_refused BIGINT NOT NULL, rows_held BIGINT NOT NULL,
            finding VARCHAR NOT NULL)""",
        """CREATE TABLE _headgate.contract (
            table_name VARCHAR, digest VARCHAR, pinned_at VARCHAR NOT NULL, body VARCHAR NOT NULL,
            PRIMARY KEY (table_name, digest))""",
    ),
    ("ALTER TABLE _headgate.quarantine ADD COLUMN key VARCHAR",),
    (
        """CREATE TABLE _headgate.revision (
            table_name VARCHAR NOT NULL, record BIGINT NOT NULL, revision BIGINT NOT NULL, author VARCHAR NOT NULL,
            fixed_at VARCHAR NOT NULL, reason VARCHAR NOT NULL, raw VARCHAR, "row" VARCHAR, shape VARCHAR NOT NULL,
            key VARCHAR, before VARCHAR NOT NULL, digest VARCHAR NOT NULL, PRIMARY KEY (record, revision))""",
        """CREATE TABLE _headgate.emptied (
            table_name VARCHAR NOT NULL, entry BIGINT NOT NULL, record BIGINT PRIMARY KEY)""",
        """CREATE TABLE _headgate.disclosure (
            id BIGINT PRIMARY KEY, shown_at VARCHAR NOT NULL, author VARCHAR NOT NULL, verb VARCHAR NOT NULL,
            table_name VARCHAR NOT NULL, records BIGINT NOT NULL, digest VARCHAR NOT NULL)""",
    ),
)
VERSION = len(MIGRATIONS)


_MADE = re.compile(r"CREATE TABLE _headgate[.](\w+)")


def version_of(session: Session) -> int | None:
    """The schema version of the books; None where there are none.

    Raises CommitError `books-broken` where only a part of them is there.
    """
    found = {
        row[0]
        for row in session.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = '_headgate'")
    }
    if not found:
        return None
    said = session.execute("SELECT value FROM _headgate.meta WHERE key = 'schema_version'") if "meta" in found else []
    if not said or not str(said[0][0]).isdigit():
        raise _broken("the books do not say which schema version they have", "_headgate.meta")
    version = int(said[0][0])
    if 0 < version <= VERSION:
        made = [name for step in MIGRATIONS[:version] for text in step for name in _MADE.findall(text)]
        gone = [name for name in made if name not in found]
        if gone:
            raise _broken(f"the books have lost their table {gone[0]}", f"_headgate.{gone[0]}")
    return version


def _broken(what: str, where: str) -> CommitError:
    return CommitError(Finding("books-broken", "error", what, where, RESTORE))


def migrate(session: Session) -> int:
    """Brings the books to this version in one transaction; returns the version found (0 for a new warehouse).

    Raises CommitError `books-newer` where a newer Headgate wrote them; nothing is changed then.
    """
    found = version_of(session)
    if found == VERSION:
        return found
    if found is not None and found > VERSION:
        raise newer(found)
    session.execute("BEGIN")
    try:
        if found is None:
            session.execute("CREATE SCHEMA IF NOT EXISTS _headgate")
            session.execute("CREATE TABLE _headgate.meta (key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL)")
            session.execute("INSERT INTO _headgate.meta VALUES ('schema_version', '0')")
        for step in MIGRATIONS[found or 0 :]:
            for statement in step:
                session.execute(statement)
        session.execute("UPDATE _headgate.meta SET value = ? WHERE key = 'schema_version'", [str(VERSION)])
    except BaseException:
        session.execute("ROLLBACK")
        raise
    session.execute("COMMIT")
    return found or 0


def newer(found: int) -> CommitError:
    """The refusal to touch books that a newer Headgate wrote."""
    return CommitError(
        Finding(
            "books-newer",
            "error",
            f"the books of this warehouse have schema version {found}; this Headgate knows versions up to {VERSION}",
            "_headgate.meta",
            "install the newer Headgate that wrote them: pip install --upgrade headgate",
        )
    )
