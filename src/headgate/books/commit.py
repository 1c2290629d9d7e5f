"""One commit: rows, refused records, ledger entries and positions in one transaction of the warehouse.

The safety is the sequence: a commit names the seat it read (generation and sequence of each partition) and finds it
unchanged, or it is lost. Locks and leases above this are manners. See ARCHITECTURE of the books in docs/books.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from headgate.books import ledger, quarantine
from headgate.books.ledger import Counts, Entry, Kind, Seat, dumps
from headgate.contracts.model import Limit
from headgate.core.clock import stamp
from headgate.core.errors import CommitError, Finding, InternalError
from headgate.core.faults import fault
from headgate.core.protocols import Session
from headgate.core.values import Position, TableRef
from headgate.sql import quote

LOAD_COLUMN = "_hg_load"


@dataclass(frozen=True)
class Part:
    """One slice of one partition inside a commit.

    `seat` is what was read before (None: the partition is new). `generation` differs from the seat's where the part
    opens a new one; `reload` then removes what earlier generations of this partition left in the table.
    `records` were counted by an instrument independent of the parser. `claims`: SELECT of the quarantine ids that a
    replay settles (as many as `records`).
    """

    number: int
    partition: str
    seat: Seat | None
    generation: int
    start: Position
    end: Position
    records: int
    reload: bool = False
    claims: str = ""

    @property
    def seq(self) -> int:
        return self.seat.seq + 1 if self.seat and self.seat.generation == self.generation else 1


class Judgement(Protocol):
    """What the gate knows of the rows of a commit. All SQL is for the session that commits."""

    def judge(self, session: Session) -> Mapping[int, Counts]:
        """Fates per part number (read, quarantined, deduplicated, skipped), set rules included."""
        ...

    def accepted(self) -> str:
        """SELECT of `_hg_part` and the table's columns, for the rows to write."""
        ...

    def refused(self, session: Session) -> quarantine.Refused:
        """The records to quarantine."""
        ...


@dataclass(frozen=True)
class Commit:
    """All that one transaction will do, as data plus the judgement that the gate makes inside it."""

    table: TableRef
    attempt: str
    kind: Kind
    parts: tuple[Part, ...]
    columns: tuple[tuple[str, str], ...]
    judgement: Judgement
    contract: str = ""
    author: str = ""
    disposition: Literal["append", "upsert"] = "append"
    keys: tuple[str, ...] = ()
    replace: bool = False
    limit: Limit | None = None
    refuse_empty: bool = False
    pin: str = ""
    """A contract that was taken from the data, as text: kept with the rows that it judged."""


@dataclass(frozen=True)
class Committed:
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Lost:
    """Another runner committed the slice first; nothing of this one was kept."""


@dataclass(frozen=True)
class Stopped:
    """A declared limit stopped the load; table and positions are as they were."""

    finding: Finding
    counts: Counts


Outcome = Committed | Lost | Stopped


def commit(session: Session, work: Commit) -> Outcome:
    """Carries out the commit and reads it back: only what a new transaction finds in the ledger is `Committed`.

    *Guarantee*: on any exception and for Lost and Stopped the table and its positions are as they were.
    *Errors*: InternalError `books-unbalanced` where a law does not hold (rolled back); the store's own errors.
    """
    fault("before_write")
    outcome = in_transaction(session, lambda: _inside(session, work), lambda made: _is_mine(session, made))
    fault("before_ack")
    return outcome if not isinstance(outcome, Committed) else _read_back(session, work, outcome)


def in_transaction(session: Session, do: Callable[[], Outcome], is_mine: Callable[[Committed], bool]) -> Outcome:
    """Runs `do` between BEGIN and COMMIT. Lost rolls back; an error of COMMIT itself is settled by the read-back."""
    session.execute("BEGIN")
    try:
        outcome = do()
        fault("after_write")
    except BaseException:
        rollback(session)
        raise
    if isinstance(outcome, Lost):
        rollback(session)
        return outcome
    try:
        session.execute("COMMIT")
    except Exception:
        rollback(session)
        if not (isinstance(outcome, Committed) and is_mine(outcome)):
            raise
    fault("after_commit")
    return outcome


def in_plain_transaction(session: Session, do: Callable[[], None]) -> None:
    """Runs `do` between BEGIN and COMMIT; any exception rolls back."""
    session.execute("BEGIN")
    try:
        do()
    except BaseException:
        rollback(session)
        raise
    session.execute("COMMIT")


def rollback(session: Session) -> None:
    """Ends the transaction; an engine that already ended it by itself is no error."""
    try:
        session.execute("ROLLBACK")
    except Exception as error:
        if "no transaction" not in str(error).lower():
            raise


def lock_table(session: Session, table: TableRef) -> ledger.TableState | None:
    """Serialises writers of the table until the transaction ends; None where the books don't know the table."""
    rows = session.execute(
        """UPDATE _headgate.table_state SET version = version WHERE table_name = ?
           RETURNING version, live_generation, contract""",
        [str(table)],
    )
    return ledger.TableState(*rows[0]) if rows else None


def _inside(session: Session, work: Commit) -> Outcome:
    state = lock_table(session, work.table)
    if state is None or not _seats_hold(session, work):
        return Lost()
    fault("after_begin")
    judged = work.judgement.judge(session)
    fault("after_stage")
    total = sum(judged.values(), Counts())
    stop = _limit(work, total)
    fault("after_decide")
    quarantine.discard_held(session, work.table)
    if stop:
        _hold(session, work, stop, total)
        return Stopped(stop, total)
    base = state.version
    if not claim_seats(session, str(work.table), ledger.DATA, work.parts):
        return Lost()
    changes = _Changes()
    for part in (one for one in work.parts if one.claims):
        claimed = quarantine.claim(session, part.claims, part.records, base + 1 + part.number)
        if claimed is None:
            return Lost()
        changes.settled[part.number] = claimed
    written = _write(session, work, judged, base, changes)
    _close(session, work, written)
    return Committed(tuple(written))


def _seats_hold(session: Session, work: Commit) -> bool:
    now = ledger.seats(session, str(work.table))
    return all(now.get(part.partition) == part.seat for part in work.parts)


def _limit(work: Commit, total: Counts) -> Finding | None:
    refused = total.quarantined
    if work.limit and work.limit.exceeded(refused, total.read):
        allowed = f"{work.limit.rows}" if work.limit.rows is not None else f"{100 * (work.limit.share or 0):g}%"
        return Finding(
            "refuse-limit",
            "error",
            f"{refused} of {total.read} records of {work.table} were refused, more than refuse_at_most: {allowed}",
            str(work.table),
            f"look at them: headgate quarantine list --table {work.table} --status held; mend the data or the contract",
            {"read": total.read, "refused": refused},
        )
    if work.refuse_empty and total.read == 0:
        return Finding(
            "empty-replace",
            "error",
            f"the new content of {work.table} has no record at all; what was there is kept",
            str(work.table),
            "see that its files are in place; if an empty table is right, say allow_empty: true in the ingest file",
        )
    return None


def _hold(session: Session, work: Commit, stop: Finding, total: Counts) -> None:
    refused = work.judgement.refused(session)
    quarantine.insert(session, refused, work.table, work.attempt, ledger.DATA, None)
    session.execute(
        "INSERT INTO _headgate.refusal VALUES (?, ?, ?, ?, ?, ?, ?)",
        [work.attempt, str(work.table), stamp(), total.read, total.quarantined, refused.rows, dumps(stop.to_json())],
    )


def claim_seats(session: Session, flow: str, stream: str, parts: Sequence[Part]) -> bool:
    """The compare-and-set: every partition moves from the seat that was read to its next one, or none does."""
    for part in (one for one in parts if one.seat is not None):
        assert part.seat is not None
        moved = session.execute(
            """UPDATE _headgate.position SET generation = ?, seq = ?, position = ?
               WHERE flow = ? AND stream = ? AND partition = ? AND generation = ? AND seq = ? RETURNING seq""",
            [
                part.generation,
                part.seq,
                dumps(part.end),
                flow,
                stream,
                part.partition,
                part.seat.generation,
                part.seat.seq,
            ],
        )
        if not moved:
            return False
    ledger.insert_rows(
        session,
        "_headgate.position",
        [
            (flow, stream, part.partition, part.generation, part.seq, dumps(part.end))
            for part in parts
            if part.seat is None
        ],
    )
    return True


@dataclass
class _Changes:
    """What the writing statements did, per part number."""

    replaced: int | None = None
    """All rows of the table, taken away by the first part of a commit that replaces it."""
    removed: dict[int, dict[int, int]] = field(default_factory=dict)
    updated: dict[int, dict[int, int]] = field(default_factory=dict)
    settled: dict[int, quarantine.Settled] = field(default_factory=dict)
    """Quarantine records that a part replays or supersedes."""


def _write(session: Session, work: Commit, judged: Mapping[int, Counts], base: int, changes: _Changes) -> list[Entry]:
    tail = ledger.tail(session, work.table, base)
    _remove(session, work, base, tail.rows, changes)
    expected = sum(c.read - c.quarantined - c.deduplicated - c.skipped for c in judged.values())
    if expected:
        if work.disposition == "upsert" and tail.rows and not work.replace:
            _take_old_versions(session, work, changes)
        names = quote.columns(name for name, _ in work.columns)
        session.execute(
            f"""INSERT INTO {quote.table(work.table)} ({names}, {LOAD_COLUMN})
                SELECT {names}, CAST({base} + 1 + _hg_part AS BIGINT) FROM ({work.judgement.accepted()}) AS accepted"""
        )
    refused = work.judgement.refused(session)
    quarantine.insert(session, refused, work.table, work.attempt, ledger.DATA, base)
    return _entries(session, work, judged, base, tail, changes)


def _remove(session: Session, work: Commit, base: int, before: int, changes: _Changes) -> None:
    """Takes away what this commit replaces: the whole table, or the rows of reloaded partitions."""
    target = quote.table(work.table)
    if work.replace and base == 0:
        return
    if work.replace:
        changes.replaced = before
        changes.settled[0] = quarantine.supersede(session, work.table, None, base + 1)
        session.execute(f"DROP TABLE IF EXISTS {target}")
        session.execute(create_table(work.table, work.columns))
        session.execute(
            "UPDATE _headgate.table_state SET live_generation = ? WHERE table_name = ?",
            [work.parts[0].generation, str(work.table)],
        )
        _forget_partitions(session, work)
        return
    for part in (one for one in work.parts if one.reload):
        changes.settled[part.number] = quarantine.supersede(session, work.table, part.partition, base + 1 + part.number)
        if work.disposition == "upsert":
            continue
        mine = f"""{LOAD_COLUMN} IN (SELECT id FROM _headgate.entry
                   WHERE table_name = {quote.literal(str(work.table))} AND partition = {quote.literal(part.partition)}
                   AND stream = 'data')"""
        found = session.execute(f"SELECT {LOAD_COLUMN}, count(*) FROM {target} WHERE {mine} GROUP BY 1")
        changes.removed[part.number] = {row[0]: row[1] for row in found}
        if found:
            session.execute(f"DELETE FROM {target} WHERE {mine}")


def _forget_partitions(session: Session, work: Commit) -> None:
    """A replaced table keeps no position of partitions that its source no longer has."""
    names = ", ".join(quote.literal(part.partition) for part in work.parts)
    session.execute(
        f"DELETE FROM _headgate.position WHERE flow = ? AND stream = ? AND partition NOT IN ({names})",
        [str(work.table), ledger.DATA],
    )


def _take_old_versions(session: Session, work: Commit, changes: _Changes) -> None:
    """Deletes the rows that accepted rows are newer versions of, after counting them by the entry that wrote them."""
    target = quote.table(work.table)
    keys = f"SELECT _hg_part, {quote.columns(work.keys)} FROM ({work.judgement.accepted()}) AS accepted"
    same = " AND ".join(f"old.{quote.ident(key)} = new.{quote.ident(key)}" for key in work.keys)
    found = session.execute(
        f"""SELECT new._hg_part, coalesce(old.{LOAD_COLUMN}, 0), count(*)
            FROM {target} AS old JOIN ({keys}) AS new ON {same} GROUP BY 1, 2"""
    )
    for part, load, rows in found:
        changes.updated.setdefault(part, {})[load] = rows
    if found:
        deleted = session.execute(f"DELETE FROM {target} AS old USING ({keys}) AS new WHERE {same}")
        counted = sum(row[2] for row in found)
        if deleted and deleted[0][0] != counted:
            raise _unbalanced(work, f"{deleted[0][0]} old versions were deleted, {counted} were counted")


def _entries(
    session: Session, work: Commit, judged: Mapping[int, Counts], base: int, tail: ledger.Tail, changes: _Changes
) -> list[Entry]:
    """The entries of the commit, measured: loaded and quarantined by scans of what was written."""
    loaded = _by_entry(session, f"SELECT {LOAD_COLUMN} FROM {quote.table(work.table)} WHERE {LOAD_COLUMN} > {base}")
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


def _by_entry(session: Session, select: str) -> dict[int, int]:
    return {row[0]: row[1] for row in session.execute(f"SELECT x, sum(1) FROM ({select}) AS t(x) GROUP BY 1")}


def _entry(
    work: Commit, part: Part, entry_id: int, before: int, count: Counts, loaded: int, changes: _Changes
) -> Entry:
    updated = changes.updated.get(part.number, {})
    removed = changes.removed.get(part.number, {})
    details = dict(count.details)
    gone = sum(removed.values())
    if part.number == 0 and changes.replaced is not None:
        gone = details["replaced"] = changes.replaced
    if removed or updated:
        details["removed_from"] = {str(key): rows for key, rows in sorted({**removed, **updated}.items())}
    settled = changes.settled.get(part.number)
    if part.number == 0 and work.pin:
        details["pinned"] = ledger.fingerprint(work.pin)
    if settled and settled.rows:
        details["replayed" if part.claims else "superseded"] = settled.rows
        details["settled_ids"] = settled.ids
    new = loaded - sum(updated.values())
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
        rows_loaded=loaded,
        rows_quarantined=count.quarantined,
        rows_deduplicated=count.deduplicated,
        rows_skipped=count.skipped,
        rows_inserted=new,
        rows_updated=sum(updated.values()),
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


def _close(session: Session, work: Commit, written: Sequence[Entry]) -> None:
    ledger.insert_entries(session, written)
    session.execute(
        "UPDATE _headgate.table_state SET version = ?, contract = ? WHERE table_name = ?",
        [written[-1].id, work.contract, str(work.table)],
    )
    if work.pin:
        session.execute("DELETE FROM _headgate.contract WHERE table_name = ?", [str(work.table)])
        session.execute(
            "INSERT INTO _headgate.contract VALUES (?, ?, ?, ?)",
            [str(work.table), work.contract, stamp(), work.pin],
        )


def create_table(table: TableRef, columns: Sequence[tuple[str, str]]) -> str:
    """CREATE TABLE of a loaded table: the contract's columns and the entry that wrote each row."""
    listed = ", ".join(f"{quote.ident(name)} {physical}" for name, physical in columns)
    return f"CREATE TABLE {quote.table(table)} ({listed}, {LOAD_COLUMN} BIGINT NOT NULL)"


def _is_mine(session: Session, made: Committed) -> bool:
    last = made.entries[-1]
    found = session.execute(
        "SELECT attempt, digest FROM _headgate.entry WHERE table_name = ? AND id = ?", [last.table_name, last.id]
    )
    return bool(found) and found[0] == (last.attempt, last.digest)


def _read_back(session: Session, work: Commit, made: Committed) -> Committed | Lost:
    """COMMIT is no proof (an engine may end an aborted transaction without an error): find the entries anew."""
    if _is_mine(session, made):
        return made
    state = ledger.table_state(session, work.table)
    if state and state.version >= made.entries[-1].id:
        return Lost()
    raise CommitError(
        Finding(
            "commit-vanished",
            "error",
            f"the engine reported a commit of {work.table} that a new transaction does not find",
            f"{work.table} entry {made.entries[-1].id}",
            "run it again: nothing of it was kept",
        )
    )
