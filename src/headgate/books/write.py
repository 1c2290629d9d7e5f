"""The writing half of a commit: rows, refused records and entries, each measured by a scan of what was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headgate.books import ledger, lines, quarantine
from headgate.books.history import close_versions, end_vanished, rowless, show_latest
from headgate.books.ledger import Counts, Entry, dumps
from headgate.books.previous import keep_former
from headgate.books.work import (
    IDENTIFIED,
    LOAD_COLUMN,
    Commit,
    Part,
    kept_ref,
    loaded_columns,
    matching,
    staged_ref,
)
from headgate.core.clock import stamp
from headgate.core.errors import Finding, InternalError
from headgate.core.protocols import StoreSession
from headgate.core.values import TableRef
from headgate.sql import quote


@dataclass
class Changes:
    """What the writing statements did, per part number."""

    replaced: int | None = None
    """All rows of the table, taken away by the first part of a commit that replaces it."""
    removed: dict[int, dict[int, int]] = field(default_factory=dict)
    updated: dict[int, dict[int, int]] = field(default_factory=dict)
    vanished: int = 0
    """Versions that a snapshot, which is a commit of one part, ended by not delivering them."""
    settled: dict[int, quarantine.Settled] = field(default_factory=dict)
    """Quarantine records that a part replays or supersedes."""
    unpinned: str = ""
    """The pinned contract that this commit's own takes the place of."""
    staged: TableRef | None = None
    """Where the rows are written that replace all those of the table."""
    columns: list[list[str]] = field(default_factory=list)
    """The table's columns, where this commit is the first to fill it or gives it others."""
    lines: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """What became of child tables, as the entry of each part says it."""


def write(
    session: StoreSession, work: Commit, judged: Mapping[int, Counts], base: int, changes: Changes
) -> list[Entry]:
    """Writes what was accepted and refused; returns the entries that say so, not yet in the ledger.

    *Errors*: InternalError `books-unbalanced` where a law does not hold.
    """
    tail = ledger.tail(session, work.table, base)
    before = shape(session, work.table) if base and work.replace else []
    kin = lines.Writing(session, work, base)
    kin.take_away(tail.rows)
    _remove(session, work, base, tail.rows, changes)
    if tail.rows and not work.replace and (vanishing := work.judgement.vanishing()):
        changes.vanished = end_vanished(session, work.table, vanishing, _identity(work))
    target = changes.staged or work.table
    expected = sum(c.read - c.quarantined - c.deduplicated - c.skipped for c in judged.values())
    if expected:
        if work.disposition == "upsert" and tail.rows and not work.replace:
            _take_old_versions(session, work, changes)
        if work.disposition == "scd2" and tail.rows and not work.replace:
            _close_versions(session, work, changes)
        names = [name for name, _ in work.columns]
        origin = f"CAST({base} + 1 + _hg_part AS BIGINT)"
        rows = (
            f"SELECT {quote.columns(names)}, {origin} AS {LOAD_COLUMN} FROM ({work.judgement.accepted()}) AS accepted"
        )
        session.append(target, [*names, LOAD_COLUMN], rows)
        for columns in ((LOAD_COLUMN,), *work.lookups):
            session.lookup(target, columns)
    if expected and (former := work.judgement.former()):
        keep_former(session, target, former, _identity(work), base)
    if work.history is not None and work.history.latest and (expected or changes.vanished):
        whole = work.replace or not tail.rows or changes.vanished
        touched = "" if whole else work.judgement.keys(work.keys)
        show_latest(session, target, work.history, _identity(work), touched)
    kin.write()
    if work.staged:
        work.staged.inspect(session, target)
    if not base or work.replace:
        now = shape(session, target)
        changes.columns = now if now != before else []
    refused = work.judgement.refused(session)
    quarantine.insert(session, refused, work.table, work.attempt, ledger.DATA, base)
    changes.lines = kin.facts()
    written = _entries(session, work, judged, base, tail, changes)
    if changes.staged:
        _put_in_place(session, work, changes.staged)
    kin.put_in_place()
    return written


def _put_in_place(session: StoreSession, work: Commit, staged: TableRef) -> None:
    """Last of all, so that readers see the old rows until the COMMIT; a loaded table is kept until the next time."""
    if not work.staged and session.standing(work.table) == "table":
        session.exchange(work.table, staged, kept_ref(work.table))
    else:
        session.swap(staged, work.table, "table")


def shape(session: StoreSession, table: TableRef) -> list[list[str]]:
    """Names and types of the table's own columns, as the books keep them."""
    return [[name, kind] for name, kind in session.columns(table) or [] if name != LOAD_COLUMN]


def _remove(session: StoreSession, work: Commit, base: int, before: int, changes: Changes) -> None:
    """Takes away what this commit replaces: the whole table, or the rows of reloaded partitions."""
    target = quote.table(work.table)
    if work.staged:
        changes.staged = work.staged.table
        session.create(changes.staged, loaded_columns(work.columns), (LOAD_COLUMN,))
    if work.replace and base == 0:
        return
    if work.replace:
        changes.replaced = before
        changes.settled[0] = quarantine.supersede(session, work.table, None, base + 1)
        if not work.staged:
            changes.unpinned = pinned_body(session, work.table) if work.pin else ""
            changes.staged = staged_ref(work.table, work.attempt)
            session.create(changes.staged, loaded_columns(work.columns), (LOAD_COLUMN,), like=work.table)
        session.execute(
            "UPDATE _headgate.table_state SET live_generation = ? WHERE table_name = ?",
            [work.parts[0].generation, str(work.table)],
        )
        _forget_partitions(session, work)
        return
    for part in (one for one in work.parts if one.reload):
        changes.settled[part.number] = quarantine.supersede(session, work.table, part.partition, base + 1 + part.number)
        if work.disposition in IDENTIFIED:
            continue
        mine = f"""{LOAD_COLUMN} IN (SELECT id FROM _headgate.entry
                   WHERE table_name = {quote.literal(str(work.table))} AND partition = {quote.literal(part.partition)}
                   AND stream = 'data')"""
        found = session.execute(f"SELECT {LOAD_COLUMN}, count(*) FROM {target} WHERE {mine} GROUP BY 1")
        changes.removed[part.number] = {row[0]: row[1] for row in found}
        if found:
            session.execute(f"DELETE FROM {target} WHERE {mine}")
    if work.disposition == "partition":
        _exchange(session, work, base, changes)


def _exchange(session: StoreSession, work: Commit, base: int, changes: Changes) -> None:
    """Takes away the rows of the partitions that the load delivers; their open records are owed no answer any more."""
    delivered = work.judgement.delivered()
    if delivered is None or not delivered.texts:
        return
    gone = changes.removed.setdefault(0, {})
    for _, load, rows in session.take_away(work.table, delivered.select, _identity(work)):
        gone[load] = gone.get(load, 0) + rows
    settled = changes.settled.get(0, quarantine.Settled(0, 0))
    changes.settled[0] = settled + quarantine.supersede_keys(session, work.table, delivered.texts, base + 1)


def _forget_partitions(session: StoreSession, work: Commit) -> None:
    """A replaced table keeps no position of partitions that its source no longer has."""
    names = ", ".join(quote.literal(part.partition) for part in work.parts)
    session.execute(
        f"DELETE FROM _headgate.position WHERE flow = ? AND stream = ? AND partition NOT IN ({names})",
        [str(work.table), ledger.DATA],
    )


def _take_old_versions(session: StoreSession, work: Commit, changes: Changes) -> None:
    """Deletes the rows that accepted rows are newer versions of, counting them by the entry that wrote them."""
    for part, load, rows in session.take_away(work.table, work.judgement.keys(work.keys), _identity(work)):
        changes.updated.setdefault(part, {})[load] = rows


def _close_versions(session: StoreSession, work: Commit, changes: Changes) -> None:
    """Ends the versions that accepted rows follow."""
    closing = work.judgement.closing()
    if closing is None:
        return
    for part, load, rows in close_versions(session, work.table, closing, _identity(work)):
        changes.removed.setdefault(part, {})[load] = rows


def _identity(work: Commit) -> str:
    return matching(work.columns, work.keys)


def _entries(
    session: StoreSession, work: Commit, judged: Mapping[int, Counts], base: int, tail: ledger.Tail, changes: Changes
) -> list[Entry]:
    """The entries of the commit, measured: loaded and quarantined by scans of what was written."""
    target = quote.table(changes.staged or work.table)
    loaded = _by_entry(session, f"SELECT {LOAD_COLUMN} FROM {target} WHERE {LOAD_COLUMN} > {base}")
    refused: dict[int, int] = {}
    if any(count.quarantined for count in judged.values()):
        refused = _by_entry(
            session,
            f"""SELECT entry FROM _headgate.quarantine
                WHERE entry > {base} AND table_name = {quote.literal(str(work.table))}""",
        )
    before, digest = tail.rows, tail.digest
    written: list[Entry] = []
    for part in work.parts:
        entry_id = base + 1 + part.number
        count = judged[part.number]
        entry = _entry(work, part, entry_id, before, count, loaded.get(entry_id, 0), changes)
        _assert_row_law(work, part, entry, count, refused.get(entry_id, 0))
        written.append(entry.sealed(digest))
        digest, before = written[-1].digest, entry.rows_after
    return written


def _by_entry(session: StoreSession, select: str) -> dict[int, int]:
    return {row[0]: row[1] for row in session.execute(f"SELECT x, sum(1) FROM ({select}) AS t(x) GROUP BY 1")}


def _entry(work: Commit, part: Part, entry_id: int, before: int, count: Counts, loaded: int, changes: Changes) -> Entry:
    updated = changes.updated.get(part.number, {})
    removed = changes.removed.get(part.number, {})
    details = {**(work.facts if part.number == 0 else {}), **part.facts, **count.details}
    gone = sum(removed.values())
    if part.number == 0 and changes.replaced is not None:
        gone = details["replaced"] = changes.replaced
        if not work.staged:
            details["kept"] = kept_ref(work.table).name
        if work.pin and changes.unpinned:
            details["unpinned"] = changes.unpinned
    if removed or updated:
        details["removed_from"] = {str(key): rows for key, rows in sorted({**removed, **updated}.items())}
    if part.number == 0 and changes.columns:
        details["columns"] = changes.columns
    settled = changes.settled.get(part.number)
    if part.number == 0 and work.pin:
        details["pinned"] = ledger.fingerprint(work.pin)
    if settled and settled.rows:
        details["replayed" if part.claims else "superseded"] = settled.rows
        details["settled_ids"] = settled.ids
    if part.number == 0 and changes.vanished:
        details["history"] = {**details.get("history", {}), "vanished": changes.vanished}
    if changes.lines:
        details[lines.CHILDREN] = changes.lines[part.number]
    new = loaded - sum(updated.values())
    kept = rowless(details)
    return Entry(
        table_name=str(work.table),
        id=entry_id,
        flow=str(work.table),
        stream=ledger.DATA,
        partition=part.partition,
        generation=part.generation,
        seq=part.seq,
        attempt=work.attempt,
        kind=work.kind,
        committed_at=stamp(),
        start_position=dumps(part.start),
        end_position=dumps(part.end),
        rows_read=part.records,
        rows_loaded=loaded + kept,
        rows_quarantined=count.quarantined,
        rows_deduplicated=count.deduplicated,
        rows_skipped=count.skipped,
        rows_inserted=new,
        rows_updated=sum(updated.values()) + kept,
        rows_removed=gone,
        rows_before=before,
        rows_after=before - gone + new,
        details=dumps(details),
        contract=work.contract,
        author=work.author,
    )


def _assert_row_law(work: Commit, part: Part, entry: Entry, count: Counts, refused: int) -> None:
    """L1 before COMMIT: what was read = what was written, by different instruments."""
    if refused != count.quarantined:
        raise _unbalanced(work, f"{count.quarantined} records were refused, {refused} stand in quarantine")
    fates = entry.rows_loaded + entry.rows_quarantined + entry.rows_deduplicated + entry.rows_skipped
    if part.records != fates or count.read != part.records:
        raise _unbalanced(
            work,
            f"partition {part.partition!r}: {part.records} records read, {count.read} parsed, "
            f"{entry.rows_loaded} loaded + {entry.rows_quarantined} quarantined + "
            f"{entry.rows_deduplicated} deduplicated + {entry.rows_skipped} skipped",
        )


def _unbalanced(work: Commit, what: str) -> InternalError:
    finding = Finding(
        "books-unbalanced",
        "error",
        f"{what}; nothing was committed",
        str(work.table),
        "see whether rows were made by hand: headgate audit; if not, report it with the file: a defect of Headgate",
    )
    return InternalError(finding)


def close(session: StoreSession, work: Commit, written: Sequence[Entry]) -> None:
    """Adds the entries to the ledger and moves the table's line to the last of them."""
    ledger.insert_entries(session, written)
    session.execute(
        "UPDATE _headgate.table_state SET version = ?, contract = ? WHERE table_name = ?",
        [written[-1].id, work.contract, str(work.table)],
    )
    lines.move_on(session, written)
    if work.pin:
        pin(session, work.table, work.contract, work.pin)


def pinned_body(session: StoreSession, table: TableRef) -> str:
    """The contract that was taken from the table's data, as text; "" where there is none."""
    found = session.execute("SELECT body FROM _headgate.contract WHERE table_name = ?", [str(table)])
    return str(found[0][0]) if found else ""


def pin(session: StoreSession, table: TableRef, digest: str, body: str) -> None:
    """Keeps the contract that was taken from the table's data, and no other; none where `body` is empty."""
    if not body:
        session.execute("DELETE FROM _headgate.contract WHERE table_name = ?", [str(table)])
        return
    mine = [str(table), digest]
    session.execute("DELETE FROM _headgate.contract WHERE table_name = ? AND digest <> ?", mine)
    session.execute(
        """INSERT INTO _headgate.contract VALUES (?, ?, ?, ?)
           ON CONFLICT (table_name, digest) DO UPDATE SET pinned_at = excluded.pinned_at, body = excluded.body""",
        [*mine, stamp(), body],
    )
