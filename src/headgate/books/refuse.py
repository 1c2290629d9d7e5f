"""A load that a declared limit stops: table and positions stay, its refused records are held to be looked at."""

from __future__ import annotations

from headgate.books import ledger, quarantine
from headgate.books.ledger import Counts, dumps
from headgate.books.work import Commit
from headgate.core.clock import stamp
from headgate.core.errors import Finding
from headgate.core.protocols import StoreSession


def exceeded(work: Commit, total: Counts) -> Finding | None:
    """Why the load stops, or None: by `refuse_at_most`, or because a replacement would be empty."""
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


def hold(session: StoreSession, work: Commit, stop: Finding, total: Counts) -> None:
    """Keeps the refused records to be looked at until the table's next load, and says what stopped this one."""
    refused = work.judgement.refused(session)
    quarantine.insert(session, refused, work.table, work.attempt, ledger.DATA, None)
    session.execute(
        "INSERT INTO _headgate.refusal VALUES (?, ?, ?, ?, ?, ?, ?)",
        [work.attempt, str(work.table), stamp(), total.read, total.quarantined, refused.rows, dumps(stop.to_json())],
    )
