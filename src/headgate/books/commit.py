"""One commit: rows, refused records, ledger entries and positions in one transaction of the warehouse.

The safety is the sequence: a commit names the seat it read (generation and sequence of each partition) and finds it
unchanged, or it is lost. Locks and leases above this are manners. See ARCHITECTURE of the books in docs/books.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from headgate.books import ledger, quarantine, refuse
from headgate.books.ledger import Counts, dumps
from headgate.books.work import Commit, Committed, Lost, Outcome, Part, Stopped
from headgate.books.write import Changes, close, stage, write
from headgate.core.errors import CommitError, Finding
from headgate.core.faults import fault
from headgate.core.protocols import StoreSession
from headgate.core.values import TableRef


def commit(session: StoreSession, work: Commit) -> Outcome:
    """Carries out the commit and reads it back: only what a new transaction finds in the ledger is `Committed`.

    *Guarantee*: on any exception and for Lost and Stopped the table and its positions are as they were.
    *Errors*: InternalError `books-unbalanced` where a law does not hold (rolled back); the store's own errors.
    """
    return settled(session, work.table, lambda: carry_out(session, work))


def settled(session: StoreSession, table: TableRef, do: Callable[[], Outcome]) -> Outcome:
    """Runs `do` in a transaction and reads its entries back.

    *Errors*: CommitError `commit-vanished` where the engine reported a commit that is not there.
    """
    fault("before_write")
    outcome = in_transaction(session, do, lambda made: _is_mine(session, made))
    fault("before_ack")
    return outcome if not isinstance(outcome, Committed) else _read_back(session, table, outcome)


def in_transaction(session: StoreSession, do: Callable[[], Outcome], is_mine: Callable[[Committed], bool]) -> Outcome:
    """Runs `do` between BEGIN and COMMIT. Lost rolls back; an error of COMMIT itself is settled by the read-back."""
    session.execute("BEGIN")
    try:
        outcome = do()
        fault("after_write")
    except BaseException:
        session.abandon()
        raise
    if isinstance(outcome, Lost):
        session.abandon()
        return outcome
    try:
        session.execute("COMMIT")
    except Exception:
        session.abandon()
        if not (isinstance(outcome, Committed) and asked(session, lambda: is_mine(outcome))):
            raise
    fault("after_commit")
    return outcome


def in_plain_transaction(session: StoreSession, do: Callable[[], None]) -> None:
    """Runs `do` between BEGIN and COMMIT; any exception rolls back."""
    session.execute("BEGIN")
    try:
        do()
    except BaseException:
        session.abandon()
        raise
    session.execute("COMMIT")


Answer = TypeVar("Answer")


def asked(session: StoreSession, question: Callable[[], Answer]) -> Answer:
    """The answer to a question outside of transactions; asked once more where the session broke meanwhile."""
    try:
        return question()
    except Exception:
        session.abandon()
        return question()


def lock_table(session: StoreSession, table: TableRef) -> ledger.TableState | None:
    """Serialises writers of the table until the transaction ends; None where the books don't know the table."""
    rows = session.execute(
        """UPDATE _headgate.table_state SET version = version WHERE table_name = ?
           RETURNING version, live_generation, contract""",
        [str(table)],
    )
    return ledger.TableState(*rows[0]) if rows else None


def carry_out(session: StoreSession, work: Commit) -> Outcome:
    """The commit as a part of the open transaction: whoever opened it rolls back for Lost, commits, and reads back.

    For Stopped there is only what the refusal left to be looked at.
    """
    state = lock_table(session, work.table)
    if state is None or not _seats_hold(session, work):
        return Lost()
    fault("after_begin")
    judged = work.judgement.judge(session)
    fault("after_stage")
    total = sum(judged.values(), Counts())
    stop = refuse.exceeded(work, total) or work.judgement.stop
    fault("after_decide")
    changes = Changes()
    if work.staged and not stop:  # before the books change: where it raises, the staged rows may be kept
        staged = stage(session, work, judged, state.version)
        changes.staged, changes.beside = (staged, None) if work.replace else (None, staged)
    quarantine.discard_held(session, work.table)
    if stop:
        refuse.hold(session, work, stop, total)
        return Stopped(stop, total)
    base = state.version
    if not claim_seats(session, str(work.table), ledger.DATA, work.parts):
        return Lost()
    for part in (one for one in work.parts if one.claims):
        claimed = quarantine.claim(session, part.claims, part.records, base + 1 + part.number)
        if claimed is None:
            return Lost()
        changes.settled[part.number] = claimed
    written = write(session, work, judged, base, changes)
    close(session, work, written)
    return Committed(tuple(written))


def claim_seats(session: StoreSession, flow: str, stream: str, parts: Sequence[Part]) -> bool:
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


def _seats_hold(session: StoreSession, work: Commit) -> bool:
    now = ledger.seats(session, str(work.table))
    return all(now.get(part.partition) == part.seat for part in work.parts)


def _is_mine(session: StoreSession, made: Committed) -> bool:
    last = made.entries[-1]
    found = session.execute(
        "SELECT attempt, digest FROM _headgate.entry WHERE table_name = ? AND id = ?", [last.table_name, last.id]
    )
    return bool(found) and found[0] == (last.attempt, last.digest)


def _read_back(session: StoreSession, table: TableRef, made: Committed) -> Committed | Lost:
    """COMMIT is no proof (an engine may end an aborted transaction without an error): find the entries anew."""
    if asked(session, lambda: _is_mine(session, made)):
        return made
    state = asked(session, lambda: ledger.table_state(session, table))
    if state and state.version >= made.entries[-1].id:
        return Lost()
    raise CommitError(
        Finding(
            "commit-vanished",
            "error",
            f"the engine reported a commit of {table} that a new transaction does not find",
            f"{table} entry {made.entries[-1].id}",
            "run it again: nothing of it was kept",
        )
    )
