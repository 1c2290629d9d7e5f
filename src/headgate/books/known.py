"""What the books say of every table, read at once: to ask for each of thousands of tables takes its time."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from headgate.books import ledger
from headgate.core.protocols import Session, StoreSession
from headgate.core.values import TableRef

_STANDING = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = current_database()"


class Known:
    """Versions, last builds and which tables there are, as they stood when first asked for; a table that was forgotten
    is asked for once more.

    Whoever is about to change a table forgets it, and nobody asks for it before that has ended. What another runner
    changes meanwhile is seen by the next run.
    """

    def __init__(self) -> None:
        self._versions: dict[str, int] | None = None
        self._builds: dict[str, ledger.Entry] = {}
        self._standing: frozenset[tuple[str, str]] = frozenset()
        self._forgotten: set[str] = set()
        self._built: set[str] = set()
        self._guard = threading.Lock()

    def version(self, session: Session, table: TableRef) -> int:
        """The id of the table's last entry, 0 where there is none."""
        return self.versions(session, [table])[str(table)]

    def versions(self, session: Session, tables: Iterable[TableRef]) -> dict[str, int]:
        """By table, the id of its last entry, 0 where there is none."""
        names = [str(table) for table in tables]
        known = self._read(session)
        anew = [name for name in names if name in self._forgotten]
        if anew:
            found = ledger.versions_of(session, anew)
            known |= {name: found.get(name, 0) for name in anew}
            self._forgotten -= set(anew)
        return {name: known.get(name, 0) for name in names}

    def build(self, session: Session, table: TableRef) -> ledger.Entry | None:
        """The entry of the table's last build by a model."""
        if str(table) in self._built:
            return ledger.last_build(session, table)
        self._read(session)
        return self._builds.get(str(table))

    def stands(self, session: StoreSession, table: TableRef) -> bool:
        """Whether the table, or a view of its name, is there."""
        self._read(session)
        if str(table) not in self._built and (table.schema, table.name) in self._standing:
            return True
        return session.columns(table) is not None

    def forget(self, tables: Iterable[TableRef]) -> None:
        names = {str(table) for table in tables}
        self._forgotten |= names
        self._built |= names

    def _read(self, session: Session) -> dict[str, int]:
        with self._guard:
            if self._versions is None:
                self._builds = ledger.last_builds(session)
                self._standing = frozenset(session.execute(_STANDING))
                self._versions = ledger.table_versions(session)
            return self._versions
