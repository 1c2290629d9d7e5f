"""Which refused records are meant: by id, table, status, reason, partition and age."""

from __future__ import annotations

import json
from collections.abc import Sequence

from headgate.core.protocols import Session
from headgate.core.records import dataclass
from headgate.sql import quote

JOINED = """_headgate.quarantine AS q
             LEFT JOIN _headgate.entry AS e ON e.table_name = q.table_name AND e.id = q.entry
             LEFT JOIN _headgate.refusal AS r ON q.entry IS NULL AND r.attempt = q.attempt"""
AT = "coalesce(e.committed_at, r.refused_at, '')"
"""When a record of JOINED was refused."""


@dataclass(frozen=True)
class Chosen:
    """Conditions that all must hold; what is left out says nothing. `since` and `until`: ISO 8601 in UTC as the books
    write it, the first included, the second not. `column` and `rule`: what a reason names."""

    ids: tuple[int, ...] | None = None
    table: str | None = None
    statuses: tuple[str, ...] = ()
    rule: str | None = None
    column: str | None = None
    partition: str | None = None
    since: str | None = None
    until: str | None = None

    def where(self, session: Session) -> str:
        """The condition, over JOINED. Reasons are matched by reading the few different lists of them that there are."""
        parts = []
        if self.ids is not None:
            parts.append(f"q.id IN ({listed(self.ids)})")
        if self.table is not None:
            parts.append(f"q.table_name = {quote.literal(self.table)}")
        if self.statuses:
            parts.append(f"q.status IN ({', '.join(map(quote.literal, self.statuses))})")
        if self.partition is not None:
            parts.append(f"q.partition = {quote.literal(self.partition)}")
        if self.since is not None:
            parts.append(f"{AT} >= {quote.literal(self.since)}")
        if self.until is not None:
            parts.append(f"{AT} < {quote.literal(self.until)}")
        if self.rule is not None or self.column is not None:
            texts = [text for text in _reasons(session, self.table) if self._meant(text)]
            parts.append(f"q.reasons IN ({', '.join(map(quote.literal, texts)) or 'NULL'})")
        return " AND ".join(parts) or "true"

    def select(self, session: Session) -> str:
        """SELECT of the ids."""
        return f"SELECT q.id FROM {JOINED} WHERE {self.where(session)}"

    def _meant(self, text: str) -> bool:
        return any(self.names(one["rule"], one["column"]) for one in json.loads(text))

    def names(self, rule: str, column: str | None) -> bool:
        """Whether a reason is one of those asked for."""
        columns = [name.lower() for name in (column or "").split(", ")]
        return self.rule in (None, rule) and (self.column is None or self.column.lower() in columns)


def _reasons(session: Session, table: str | None) -> list[str]:
    where = "" if table is None else f" WHERE table_name = {quote.literal(table)}"
    return [row[0] for row in session.execute(f"SELECT DISTINCT reasons FROM _headgate.quarantine{where}")]


def listed(ids: Sequence[int]) -> str:
    return ", ".join(str(int(one)) for one in ids) or "NULL"
