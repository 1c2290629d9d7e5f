"""The verb `quarantine purge`: what refused records say is erased, and a receipt stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace

from headgate.api import quarantine
from headgate.api.quarantine import Filters
from headgate.api.results import PurgeReceipt, PurgeResult
from headgate.books import purge as books
from headgate.books.ledger import Entry
from headgate.books.purge import PURGEABLE
from headgate.books.select import Chosen, listed
from headgate.core import environ
from headgate.core.clock import new_id
from headgate.core.errors import CommitError, Finding, ProjectError
from headgate.core.protocols import Session, Store
from headgate.core.records import dataclass
from headgate.core.values import TableRef

TRIES = 5
Named = Callable[[Session, str | None], str | None]


@dataclass(frozen=True)
class Job:
    """Which records, and why. `older_than`: an age, or the time before which they were refused."""

    ids: tuple[int, ...] | None = None
    table: str | None = None
    status: str = "open"
    older_than: str | None = None
    all: bool = False
    filters: Filters = field(default_factory=Filters)
    reason: str = ""
    yes: bool = False

    @property
    def said(self) -> bool:
        return bool(self.ids or self.table or self.older_than or self.all or any(self.filters.values()))


def refuse_unclear(job: Job) -> None:
    """Raises ProjectError `reason-missing` or `purge-nothing`."""
    if not job.reason.strip():
        raise ProjectError(
            Finding("reason-missing", "error", "a purge needs a reason", "quarantine purge", "add --reason '...'")
        )
    if not job.said:
        fix = "give ids, filters such as --table and --older-than 30d, or --all"
        raise ProjectError(Finding("purge-nothing", "error", "say which records to purge", "quarantine purge", fix))
    if job.status not in (*PURGEABLE, "all"):
        raise _held("held records") if job.status == "held" else _no_status(job.status)


def _held(which: str) -> ProjectError:
    what = f"{which} belong to a load that was refused; they vanish with the next load of their table"
    return ProjectError(Finding("record-held", "error", what, "quarantine purge", "run the load again: headgate run"))


def _no_status(status: str) -> ProjectError:
    what = f"there is nothing to purge of records with the status {status!r}"
    fix = "use one of: " + ", ".join((*PURGEABLE, "all"))
    return ProjectError(Finding("purge-nothing", "error", what, "quarantine purge", fix))


def purge(store: Store, named: Named, job: Job) -> PurgeResult:
    """Erases table by table, each in one transaction. Raises ProjectError `purge-unconfirmed` without `yes`."""
    with store.session() as session:
        wanted = _wanted(session, named, job)
        select = wanted.select(session)
        if not job.yes:
            raise _unconfirmed(books.count(session, select))
        tables = [
            row[0]
            for row in session.execute(
                f"SELECT DISTINCT table_name FROM _headgate.quarantine WHERE id IN ({select}) ORDER BY 1"
            )
        ]
    total = PurgeResult(0, 0, job.reason.strip(), environ.user())
    for table in tables:
        entry = _purge_table(store, table, replace(wanted, table=table), total)
        if entry is not None:
            total = _add(total, entry)
    return total


def _wanted(session: Session, named: Named, job: Job) -> Chosen:
    if job.ids is not None:
        rows = session.execute(
            f"SELECT id FROM _headgate.quarantine WHERE status = 'held' AND id IN ({listed(job.ids)}) ORDER BY id"
        )
        if rows:
            raise _held(f"record {rows[0][0]} and others of its kind")
        quarantine.tables_of(session, job.ids, quarantine.STATUSES, "")
    statuses = PURGEABLE if job.status == "all" or job.ids is not None else (job.status,)
    if job.ids is not None:
        statuses = (*statuses, "purged")
    found = quarantine.chosen(named(session, job.table), statuses, job.filters, job.ids)
    return replace(found, until=quarantine.moment(job.older_than, "--older-than")) if job.older_than else found


def _purge_table(store: Store, table: str, wanted: Chosen, total: PurgeResult) -> Entry | None:
    ref = TableRef.parse(table)
    for _ in range(TRIES):
        with store.lock(ref), store.session() as session:
            try:
                return books.purge(session, ref, wanted.select(session), new_id(), total.reason, total.by)
            except Exception as error:
                if not store.is_conflict(error):
                    raise
    raise CommitError.of(
        "commit-contested", f"{TRIES} times another runner changed {table} first", table,
        "let one run end before the next begins",
    )  # fmt: skip


def _unconfirmed(records: int) -> ProjectError:
    what = f"{records} record{'s' * (records != 1)} would be erased for good; nothing was done"
    fix = "add --yes; look at them first: headgate quarantine list"
    return ProjectError(Finding("purge-unconfirmed", "error", what, "quarantine purge", fix, {"records": records}))


def _add(total: PurgeResult, entry: Entry) -> PurgeResult:
    facts = entry.facts
    receipt = PurgeReceipt(entry.table_name, str(entry.id), facts["emptied"], facts.get("purged", 0), facts["erased"])
    return replace(
        total,
        emptied=total.emptied + receipt.emptied,
        purged=total.purged + receipt.purged,
        receipts=(*total.receipts, receipt),
    )
