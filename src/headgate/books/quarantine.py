"""The quarantine: records that were refused, whole, with every reason. One statement per verb."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

from headgate.core.protocols import Session, StoreSession
from headgate.core.records import dataclass
from headgate.core.values import SourceColumn, TableRef
from headgate.sql import quote

DIGEST = (
    "md5(concat_ws(chr(31), CAST(id AS VARCHAR), table_name, coalesce(CAST(entry AS VARCHAR), ''), "
    "coalesce(CAST(origin AS VARCHAR), ''), stream, partition, CAST(record AS VARCHAR), "
    "coalesce(CAST(line AS VARCHAR), ''), reasons, coalesce(raw, chr(30)), "
    """coalesce("row", chr(30)), shape, coalesce(CAST(parent AS VARCHAR), ''), key))"""
)
"""What is fixed about a record; `status`, `revision` and `settled_by` change as it is settled. A `key` that is NULL
adds nothing: records of warehouses that did not know it yet have the digest they had."""

_COLUMNS = (
    'id, table_name, entry, origin, attempt, stream, partition, record, line, reasons, raw, "row", shape, status, '
    "revision, parent, settled_by, key"
)


def shape_id(columns: str) -> str:
    """The name under which the columns of refused records are kept."""
    return hashlib.sha256(columns.encode()).hexdigest()[:16]


def keep_shape(session: Session, columns: Sequence[SourceColumn]) -> str:
    """The id under which a source's columns and types are kept from now on."""
    body = json.dumps([[column.name, column.physical] for column in columns], ensure_ascii=False)
    key = shape_id(body)
    session.execute("INSERT INTO _headgate.shape VALUES (?, ?) ON CONFLICT DO NOTHING", [key, body])
    return key


def shapes(session: Session, ids: Iterable[str]) -> dict[str, tuple[SourceColumn, ...]]:
    """The columns and types kept under these ids."""
    wanted = sorted(set(ids))
    found: dict[str, tuple[SourceColumn, ...]] = {}
    for at in range(0, len(wanted), 500):
        listed = ", ".join(map(quote.literal, wanted[at : at + 500]))
        for key, body in session.execute(f"SELECT id, columns FROM _headgate.shape WHERE id IN ({listed})"):
            found[key] = tuple(SourceColumn(name, physical) for name, physical in json.loads(body))
    return found


@dataclass(frozen=True)
class Refused:
    """Refused records of one commit: a SELECT, for the engine, of `_hg_part, partition, record, line, reasons, raw,
    "row", shape, parent, origin, key`, and how many rows it has. `key`: the canonical text of the columns by which
    `load: {partition: ...}` exchanges rows; NULL where nobody can say which partition the record belongs to."""

    relation: str
    rows: int


def insert(
    session: StoreSession, refused: Refused, table: TableRef, attempt: str, stream: str, base: int | None
) -> None:
    """Writes the records: open and belonging to entry `base + 1 + _hg_part`, or held where `base` is None."""
    if not refused.rows:
        return
    brought = session.bring(refused.relation, f"hg_{attempt}_refused")
    entry = "CAST(NULL AS BIGINT)" if base is None else f"CAST({base} + 1 + _hg_part AS BIGINT)"
    status = "held" if base is None else "open"
    session.execute(
        f"""INSERT INTO _headgate.quarantine ({_COLUMNS}, digest)
        SELECT {_COLUMNS}, {DIGEST} FROM (SELECT nextval('_headgate.quarantine_id') AS id, q.* FROM (
            SELECT {quote.literal(str(table))} AS table_name, {entry} AS entry,
                coalesce(origin, {entry}) AS origin, {quote.literal(attempt)} AS attempt,
                {quote.literal(stream)} AS stream, partition, record, line, reasons, raw, "row", shape,
                '{status}' AS status, CAST(0 AS BIGINT) AS revision, parent, CAST(NULL AS BIGINT) AS settled_by, key
            FROM {brought} AS refused ORDER BY _hg_part, record) AS q) AS numbered"""
    )


def discard_held(session: Session, table: TableRef) -> None:
    """Forgets what an earlier refused load of the table left to be looked at."""
    if not session.execute(
        "SELECT 1 FROM _headgate.refusal WHERE table_name = ? AND rows_held > 0 LIMIT 1", [str(table)]
    ):
        return
    session.execute("DELETE FROM _headgate.quarantine WHERE table_name = ? AND status = 'held'", [str(table)])
    session.execute("UPDATE _headgate.refusal SET rows_held = 0 WHERE table_name = ?", [str(table)])


@dataclass(frozen=True)
class Settled:
    """How many records an entry settled, and the sum of their ids: it tells them from as many others."""

    rows: int
    ids: int

    def __add__(self, other: Settled) -> Settled:
        return Settled(self.rows + other.rows, self.ids + other.ids)


def supersede(session: Session, table: TableRef, partition: str | None, by: int) -> Settled:
    """Settles the open records of a partition (None = of the whole table) by entry `by`."""
    where = "table_name = ? AND status = 'open'" + ("" if partition is None else " AND partition = ?")
    params = [str(table)] if partition is None else [str(table), partition]
    return _superseded(session, where, params, by)


def supersede_keys(session: Session, table: TableRef, keys: Sequence[str], by: int) -> Settled:
    """Settles the open records that belong to these partitions of the table by entry `by`."""
    found = Settled(0, 0)
    for at in range(0, len(keys), 500):
        listed = ", ".join(quote.literal(key) for key in keys[at : at + 500])
        where = f"table_name = ? AND status = 'open' AND key IN ({listed})"
        found += _superseded(session, where, [str(table)], by)
    return found


def _superseded(session: Session, where: str, params: list[str], by: int) -> Settled:
    found = _settling(session, where, params)
    if found.rows:
        session.execute(
            f"UPDATE _headgate.quarantine SET status = 'superseded', settled_by = {by} WHERE {where}", params
        )
    return found


def claim(session: Session, select: str, records: int, by: int) -> Settled | None:
    """Takes the open records that the SELECT of ids names for the replay entry `by`; None unless all were open."""
    where = f"status = 'open' AND id IN ({select})"
    found = _settling(session, where, [])
    if found.rows != records:
        return None
    session.execute(f"UPDATE _headgate.quarantine SET status = 'replayed', settled_by = {by} WHERE {where}")
    return found


def _settling(session: Session, where: str, params: list[str]) -> Settled:
    rows, ids = session.execute(
        f"SELECT count(*), CAST(coalesce(sum(id), 0) AS BIGINT) FROM _headgate.quarantine WHERE {where}", params
    )[0]
    return Settled(rows, ids)


def revive(session: Session, table: TableRef, settled_by: int, entries: Mapping[str, int], attempt: str) -> None:
    """Opens the records that an entry superseded once more, as new records of these entries (by partition); the old
    ones stay settled, and are their parents. Those of other partitions stay as they are."""
    cases = " ".join(f"WHEN {quote.literal(partition)} THEN {number}" for partition, number in entries.items())
    session.execute(
        f"""INSERT INTO _headgate.quarantine ({_COLUMNS}, digest)
        SELECT {_COLUMNS}, {DIGEST} FROM (SELECT nextval('_headgate.quarantine_id') AS id, q.* FROM (
            SELECT table_name, CAST(CASE partition {cases} END AS BIGINT) AS entry, origin,
                {quote.literal(attempt)} AS attempt, stream, partition, record, line, reasons, raw, "row", shape,
                'open' AS status, CAST(0 AS BIGINT) AS revision, id AS parent, CAST(NULL AS BIGINT) AS settled_by,
                key
            FROM _headgate.quarantine
            WHERE table_name = {quote.literal(str(table))} AND status = 'superseded' AND settled_by = {settled_by}
            AND partition IN ({", ".join(map(quote.literal, entries))})
            ORDER BY id) AS q) AS numbered"""
    )
