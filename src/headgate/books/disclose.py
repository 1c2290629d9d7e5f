"""Who saw values of columns that are marked `pii`: a line per look and table, sealed in a chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from headgate.books import ledger
from headgate.books.commit import in_plain_transaction
from headgate.core.clock import stamp
from headgate.core.protocols import Session, StoreSession
from headgate.core.records import dataclass
from headgate.core.values import TableRef

PLACE = TableRef("_headgate", "disclosure")
"""What whoever adds a line locks."""


@dataclass(frozen=True)
class Disclosure:
    """One look: `verb` as typed, and how many records of the table it showed."""

    id: int
    shown_at: str
    author: str
    verb: str
    table_name: str
    records: int
    digest: str = ""

    def seal(self, previous: str) -> str:
        """The digest over every field and the digest of the line before."""
        return ledger.fingerprint(ledger.dumps({**asdict(self), "digest": previous}))


def note(session: StoreSession, verb: str, author: str, shown: Mapping[str, int]) -> None:
    """Adds a line per table of `shown` (table -> records). Whoever calls holds the lock of `PLACE`."""
    in_plain_transaction(session, lambda: _add(session, verb, author, shown))


def _add(session: Session, verb: str, author: str, shown: Mapping[str, int]) -> None:
    last = session.execute("SELECT id, digest FROM _headgate.disclosure ORDER BY id DESC LIMIT 1")
    number, previous = last[0] if last else (0, "")
    at, rows = stamp(), []
    for table, records in sorted(shown.items()):
        number += 1
        line = Disclosure(number, at, author, verb, table, records)
        previous = line.seal(previous)
        rows.append((*list(asdict(line).values())[:-1], previous))
    ledger.insert_rows(session, "_headgate.disclosure", rows)


def disclosures(session: Session) -> list[Disclosure]:
    """Every look there was, oldest first."""
    return [Disclosure(*row) for row in session.execute("SELECT * FROM _headgate.disclosure ORDER BY id")]


def broken(session: Session) -> list[int]:
    """The ids of lines that are not as they were written, or follow one that is missing."""
    previous, expected, found = "", 1, []
    for line in disclosures(session):
        if line.id != expected or line.digest != line.seal(previous):
            found.append(line.id)
        previous, expected = line.digest, line.id + 1
    return found
