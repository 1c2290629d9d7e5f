"""What the tests of file sources share: a session, and all rows of a reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from headgate.core.protocols import Reader
from headgate.core.values import Batch


class DuckSession:
    def __init__(self) -> None:
        self._con = duckdb.connect(config={"autoload_known_extensions": "false"})
        self._con.execute("SET TimeZone = 'UTC'")

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._con.execute(sql, list(params)).fetchall()


@dataclass
class Seen:
    """Everything read: rows by record number, malformed by record number, records counted, batches."""

    rows: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    bad: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    records: int = 0
    batches: list[Batch] = field(default_factory=list)


def take(session: DuckSession, batch: Batch, seen: Seen) -> None:
    """Reads a batch as the gate does: the fast way, and the careful way if that fails or its count is off."""
    if batch.careful is not None:
        try:
            rows = session.execute(batch.relation)
        except duckdb.Error:
            rows = None
        if rows is None or len(rows) != batch.records - batch.malformed:
            batch = batch.careful()
            rows = session.execute(batch.relation)
    else:
        rows = session.execute(batch.relation)
    if batch.row_base is not None:
        rows = [(batch.row_base + number, *row) for number, row in enumerate(rows)]
    assert len(rows) == batch.records - batch.malformed
    new = {row[0]: row[1:] for row in rows}
    assert len(new) == len(rows)
    assert not new.keys() & seen.rows.keys()
    seen.rows |= new
    if batch.malformed_relation:
        bad = session.execute(batch.malformed_relation)
        assert len(bad) == batch.malformed
        seen.bad |= {row[0]: row[1:] for row in bad}
    seen.records += batch.records
    seen.batches.append(batch)


def drain(session: DuckSession, reader: Reader, max_rows: int = 1 << 40, max_bytes: int = 1 << 50) -> Seen:
    seen = Seen()
    while (batch := reader.read(max_rows, max_bytes)) is not None:
        take(session, batch, seen)
    return seen
