"""The audit: proves the laws over all history, from the warehouse alone. It changes nothing.

L1 row: read = loaded + quarantined + deduplicated + skipped, entry by entry.
L2 table: rows_after = rows_before + inserted - removed, entry after entry, and the table has what the last one says.
L3 chain: per partition and generation the sequence is dense from 1, and each slice starts where the one before ended.
L4 quarantine: what was refused = open + replayed + superseded, record by record.
L5 origin: the rows that name an entry are those it wrote, less what later entries took away.
Seals: every entry carries a digest over itself and the entry before it; every quarantine record one over itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from headgate.books import ledger, record, tables
from headgate.books.commit import LOAD_COLUMN
from headgate.books.ledger import Entry
from headgate.books.quarantine import DIGEST
from headgate.core.errors import Finding
from headgate.core.protocols import Session
from headgate.core.values import TableRef
from headgate.sql import quote


@dataclass(frozen=True)
class Audit:
    """`findings` is empty where every law holds. `tables` and `entries` say how much was checked."""

    findings: tuple[Finding, ...]
    tables: int
    entries: int


def audit(session: Session) -> Audit:
    """Checks every table of the books."""
    history = ledger.entries(session)
    by_table = {name: list(group) for name, group in groupby(history, key=lambda entry: entry.table_name)}
    names = sorted({*by_table, *ledger.table_versions(session)})
    findings: list[Finding] = []
    for name in names:
        findings += _table(session, name, by_table.get(name, []))
    findings += _strangers(session, set(names))
    return Audit(tuple(findings), len(names), len(history))


def _table(session: Session, name: str, history: list[Entry]) -> Iterator[Finding]:
    yield from _rows(history)
    yield from _seals(session, name, history)
    yield from _growth(history)
    yield from _chains(session, name, history)
    yield from _quarantine(session, name, history)
    yield from _contents(session, name, history)


def _broken(code: str, what: str, where: str, fix: str = "", **evidence: object) -> Finding:
    return Finding(code, "error", what, where, fix or _REBUILD.format(table=where.split(" ")[0]), evidence)


_REBUILD = "load the table anew: headgate run --full-refresh {table}"


def _place(entry: Entry) -> str:
    return f"{entry.table_name} entry {entry.id}" + (f" (partition {entry.partition})" if entry.partition else "")


def _rows(history: list[Entry]) -> Iterator[Finding]:
    for entry in history:
        fates = entry.rows_loaded + entry.rows_quarantined + entry.rows_deduplicated + entry.rows_skipped
        if entry.rows_read != fates:
            yield _broken(
                "law-row",
                f"{entry.rows_read} records were read, {fates} have a fate",
                _place(entry),
                read=entry.rows_read,
                fates=fates,
            )


def _seals(session: Session, name: str, history: list[Entry]) -> Iterator[Finding]:
    state = ledger.table_state(session, TableRef.parse(name))
    previous, expected = "", 1
    for entry in history:
        if entry.id != expected:
            yield _broken(
                "entry-missing",
                f"entries {expected} to {entry.id - 1} are not in the ledger",
                f"{name} entry {expected}",
            )
        elif not entry.is_sealed(previous):
            yield _broken("entry-edited", "the entry is not as it was written", _place(entry))
        previous, expected = entry.digest, entry.id + 1
    version = state.version if state else -1
    if version != expected - 1:
        yield _broken(
            "entry-missing",
            f"the table stands at entry {version}, the ledger ends with entry {expected - 1}",
            f"{name} entry {expected}",
        )


def _growth(history: list[Entry]) -> Iterator[Finding]:
    before = 0
    for entry in history:
        if entry.rows_before != before:
            yield _broken(
                "law-table", f"the entry begins with {entry.rows_before} rows, the one before ended with {before}",
                _place(entry),
            )  # fmt: skip
        if entry.rows_after != entry.rows_before + entry.rows_inserted - entry.rows_removed:
            yield _broken(
                "law-table",
                f"{entry.rows_before} rows + {entry.rows_inserted} - {entry.rows_removed} is not {entry.rows_after}",
                _place(entry),
            )
        before = entry.rows_after


def _chains(session: Session, name: str, history: list[Entry]) -> Iterator[Finding]:
    last: dict[tuple[str, str], Entry] = {}
    for entry in history:
        key = (entry.stream, entry.partition)
        before = last.get(key)
        follows = before is not None and before.generation == entry.generation
        seq, start = (before.seq + 1, before.end_position) if follows and before else (1, None)
        if before is not None and entry.generation < before.generation:
            yield _broken("law-chain", f"generation {entry.generation} follows {before.generation}", _place(entry))
        elif entry.seq != seq:
            yield _broken("law-chain", f"sequence {entry.seq} follows {seq - 1}", _place(entry))
        elif start is not None and entry.start_position != start:
            yield _broken("law-chain", "the slice does not start where the one before ended", _place(entry))
        last[key] = entry
    live = {stream: ledger.seats(session, name, stream) for stream in (ledger.DATA, ledger.BUILD, ledger.ADJUST)}
    for (stream, partition), entry in last.items():
        seat = live[stream].pop(partition, None)
        if seat is None:
            if not _was_replaced(history, entry):
                yield _broken("position-missing", f"partition {partition!r} has entries but no position", _place(entry))
        elif (seat.generation, seat.seq, ledger.dumps(seat.position)) != (
            entry.generation,
            entry.seq,
            entry.end_position,
        ):
            yield _broken(
                "position-moved",
                f"partition {partition!r} stands at generation {seat.generation}, sequence {seat.seq}; "
                f"its last entry ended at {entry.generation}, {entry.seq}, or at another position",
                _place(entry),
            )
    for rest in live.values():
        for partition in rest:
            yield _broken("entry-missing", f"partition {partition!r} has a position but no entry", f"{name}")


def _was_replaced(history: list[Entry], entry: Entry) -> bool:
    """A replaced table forgets partitions that its source no longer has."""
    return any(later.id > entry.id and "0" in later.facts.get("removed_from", {}) for later in history)


def _quarantine(session: Session, name: str, history: list[Entry]) -> Iterator[Finding]:
    kept = dict(
        session.execute(
            """SELECT coalesce(entry, 0), count(*) FROM _headgate.quarantine WHERE table_name = ? AND status <> 'held'
               GROUP BY 1""",
            [name],
        )
    )
    settled = {
        (row[0], row[1]): row[2]
        for row in session.execute(
            """SELECT status, settled_by, count(*) FROM _headgate.quarantine
               WHERE table_name = ? AND status IN ('replayed', 'superseded') GROUP BY 1, 2""",
            [name],
        )
    }
    for entry in history:
        have = kept.pop(entry.id, 0)
        if have != entry.rows_quarantined:
            yield _broken(
                "law-quarantine",
                f"the entry refused {entry.rows_quarantined} records, {have} are in quarantine",
                _place(entry),
                "restore the quarantine, or load the partition anew",
            )
        replayed = entry.rows_read if entry.kind == "replay" else 0
        for status, wanted in (("replayed", replayed), ("superseded", entry.facts.get("superseded", 0))):
            have = settled.pop((status, entry.id), 0)
            if have != wanted:
                yield _broken(
                    "law-quarantine",
                    f"the entry settled {wanted} records as {status}, the quarantine says {have}",
                    _place(entry),
                    "restore the quarantine, or load the partition anew",
                )
    for load, rows in [*kept.items(), *((by, rows) for (_, by), rows in settled.items())]:
        yield _broken("law-quarantine", f"{rows} records name entry {load}, which does not exist", f"{name}")
    yield from _records(session, name)


def _records(session: Session, name: str) -> Iterator[Finding]:
    edited = session.execute(
        f"""SELECT id, partition, record FROM _headgate.quarantine
            WHERE table_name = ? AND digest IS DISTINCT FROM {DIGEST} ORDER BY id LIMIT 20""",
        [name],
    )
    for number, partition, at in edited:
        yield _broken(
            "quarantine-edited",
            f"quarantine record {number} is not as it was refused",
            f"{name} partition {partition} record {at}",
            "restore it, or load the partition anew",
        )
    odd = session.execute(
        """SELECT status, count(*) FROM _headgate.quarantine WHERE table_name = ?
           AND status NOT IN ('open', 'held', 'replayed', 'superseded') GROUP BY 1""",
        [name],
    )
    for status, rows in odd:
        yield _broken("quarantine-edited", f"{rows} records have the unknown status {status!r}", f"{name}")
    doubled = session.execute(
        "SELECT id, count(*) FROM _headgate.quarantine WHERE table_name = ? GROUP BY 1 HAVING count(*) > 1", [name]
    )
    for number, rows in doubled:
        yield _broken("quarantine-edited", f"quarantine record {number} is there {rows} times", f"{name}")
    held = session.execute(
        """SELECT r.attempt, r.rows_held, count(q.id) FROM _headgate.refusal AS r LEFT JOIN _headgate.quarantine AS q
           ON q.attempt = r.attempt AND q.status = 'held' WHERE r.table_name = ? GROUP BY ALL
           HAVING count(q.id) <> r.rows_held""",
        [name],
    )
    for attempt, wanted, have in held:
        yield _broken(
            "law-quarantine", f"the refused load {attempt} held {wanted} records, {have} are there", f"{name}"
        )


def _contents(session: Session, name: str, history: list[Entry]) -> Iterator[Finding]:
    table = TableRef.parse(name)
    columns = tables.columns_of(session, table)
    if columns is None:
        yield tables.missing(table).finding
        return
    if not history:
        return
    last = history[-1]
    if LOAD_COLUMN not in dict(columns):
        yield from _model(session, table, last)
        return
    now = record.rows_by_entry(session, table)
    adjust = f"if the change is right: headgate ledger adjust {name} --reason '...'; else {_REBUILD.format(table=name)}"
    if sum(now.values()) != last.rows_after:
        yield _broken(
            "law-table",
            f"the table has {sum(now.values())} rows, its last entry says {last.rows_after}",
            f"{name} entry {last.id}",
            adjust,
        )
    for load, rows in record.differences(history, now).items():
        which = f"{name} entry {load}" if load else f"{name}, rows of no entry"
        word = "more" if rows > 0 else "fewer"
        yield _broken("law-origin", f"{abs(rows)} rows {word} than the entry left in the table", which, adjust)


def _model(session: Session, table: TableRef, last: Entry) -> Iterator[Finding]:
    if last.facts.get("materialized") == "view":
        return
    rows = int(session.execute(f"SELECT coalesce(sum(1), 0) FROM {quote.table(table)}")[0][0])
    if rows != last.rows_after:
        yield _broken(
            "law-table",
            f"the model's table has {rows} rows, its last build made {last.rows_after}",
            f"{table} entry {last.id}",
            f"build it again: headgate run --full-refresh {table}",
        )


def _strangers(session: Session, names: set[str]) -> Iterator[Finding]:
    for source, column in (("position", "flow"), ("quarantine", "table_name")):
        for row in session.execute(f"SELECT DISTINCT {column} FROM _headgate.{source}"):
            if row[0] not in names:
                yield _broken("entry-missing", f"the books name {row[0]}, which has no entry", f"{row[0]}")
