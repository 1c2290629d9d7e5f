"""What every commit of the runner shares: how often it is tried, what stands in the table, what was counted."""

from __future__ import annotations

from headgate.books import ledger
from headgate.books.commit import commit
from headgate.books.ledger import Counts, Seat
from headgate.books.work import Commit, Committed, Lost, Stopped
from headgate.contracts.model import Contract
from headgate.core.errors import CommitError, Finding
from headgate.core.faults import fault
from headgate.core.protocols import Store, StoreSession
from headgate.core.values import TableRef
from headgate.sql import quote

TRIES = 8
PRINTED = ("reasons", "skips", "deduplicated", "warnings", "nulled", "breaches", "children")


def contested(table: str) -> CommitError:
    """Every try found that another runner had been first."""
    return CommitError(
        Finding(
            "commit-contested",
            "error",
            f"{TRIES} times another runner committed {table} first",
            table,
            "let one run end before the next begins",
        )
    )


def try_commit(store: Store, session: StoreSession, work: Commit) -> Committed | Lost | Stopped:
    """The commit; a conflict with another transaction counts as lost, to be tried again from fresh positions."""
    try:
        return commit(session, work)
    except Exception as error:
        if store.is_conflict(error):
            fault("before_ack")
            return Lost()
        raise


def standing_rows(table: TableRef, reloaded: list[str]) -> str:
    """The table's rows but those of partitions that are being reloaded."""
    if not reloaded:
        return f"SELECT * FROM {quote.table(table)}"
    names = ", ".join(quote.literal(name) for name in reloaded)
    return f"""SELECT * FROM {quote.table(table)} WHERE _hg_load NOT IN (SELECT id FROM _headgate.entry
               WHERE table_name = {quote.literal(str(table))} AND stream = 'data' AND partition IN ({names}))"""


def lookups_of(contract: Contract, keys: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The columns by which set rules find rows of the table."""
    found = [keys] if keys else []
    return tuple(dict.fromkeys([*found, *(unique.columns for unique in contract.uniques)]))


def seq_after(seat: Seat | None, generation: int) -> int:
    return seat.seq + 1 if seat and seat.generation == generation else 1


def counts_of(entry: ledger.Entry) -> Counts:
    """The counts of an entry, as printed: numbers that users see come from entries only."""
    facts = {key: value for key, value in entry.facts.items() if key in PRINTED}
    return Counts(
        entry.rows_read,
        entry.rows_loaded,
        entry.rows_quarantined,
        entry.rows_deduplicated,
        entry.rows_skipped,
        entry.rows_inserted,
        entry.rows_updated,
        facts,
    )
