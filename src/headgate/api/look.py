"""What the verbs that only look give back: laws, ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import groupby

from headgate.api.results import (
    AdjustResult,
    Law,
    LedgerEntry,
    LedgerResult,
    ReplayResult,
    RestoreResult,
    ResultColumn,
    SchemaChange,
    SchemaHistory,
)
from headgate.books import ledger
from headgate.books.audit import Audit
from headgate.books.columns import Moment, contract_versions, history
from headgate.books.ledger import Counts, Entry
from headgate.core.errors import Finding, ProjectError, nearest
from headgate.core.protocols import Session
from headgate.core.values import TableRef

LAWS = (
    ("L1", "row: read = loaded + quarantined + deduplicated + skipped", ("law-row",)),
    ("L2", "table: rows after = rows before + added - removed", ("law-table", "table-missing", "table-unknown")),
    ("L3", "chain: every slice starts where the one before ended", ("law-chain", "position-moved", "position-missing")),
    (
        "L4",
        "quarantine: every refused record is open, replayed, superseded or purged",
        ("law-quarantine", "quarantine-edited"),
    ),
    ("L5", "origin: rows name the entry that wrote them", ("law-origin", "column-missing")),
    (
        "seals",
        "entries and records are as they were written",
        ("entry-edited", "entry-missing", "state-edited", "contract-edited", "revision-edited", "disclosure-edited"),
    ),
)


def laws(audit: Audit) -> tuple[Law, ...]:
    """How each law fared."""
    return tuple(
        Law(name, title, audit.entries, sum(finding.code in codes for finding in audit.findings))
        for name, title, codes in LAWS
    )


def table_named(session: Session, name: str, loaded: Iterable[str]) -> str:
    """The table as the books spell it, or as an ingest file does. Raises ProjectError `unknown-table`."""
    known = {one.lower(): one for one in (*loaded, *ledger.table_versions(session))}
    found = known.get(str(TableRef.parse(name)).lower())
    if found is None:
        what = f"neither the books nor an ingest file know a table {name!r}{nearest(name, known.values())}"
        raise ProjectError(Finding("unknown-table", "error", what, name, "see what there is: headgate plan"))
    return found


def ledger_result(session: Session, table: str | None, limit: int | None) -> LedgerResult:
    """Entries, newest first."""
    known = ledger.entries(session, table)
    versions = _versions(known)
    found = sorted(known, key=lambda entry: (entry.committed_at, entry.id), reverse=True)
    return LedgerResult(len(found), tuple(_entry(entry, versions) for entry in found[:limit]))


def _versions(entries: Iterable[Entry]) -> dict[tuple[str, int], int]:
    """The number of the contract that held, by table and entry."""
    by_table = groupby(entries, key=lambda entry: entry.table_name)
    return {
        (name, number): version
        for name, group in by_table
        for number, version in contract_versions(list(group)).items()
    }


def _entry(entry: Entry, versions: Mapping[tuple[str, int], int]) -> LedgerEntry:
    detail = {
        "inserted": entry.rows_inserted,
        "updated": entry.rows_updated,
        "rows_before": entry.rows_before,
        "rows_after": entry.rows_after,
        "contract": entry.contract,
        "by": entry.author,
        **entry.facts,
    }
    return LedgerEntry(
        str(entry.id),
        entry.committed_at,
        entry.table_name,
        entry.partition,
        entry.generation,
        entry.seq,
        entry.kind,
        entry.rows_read,
        entry.rows_loaded,
        entry.rows_quarantined,
        entry.rows_deduplicated,
        entry.rows_skipped,
        entry.rows_inserted,
        entry.rows_removed,
        json.loads(entry.start_position),
        json.loads(entry.end_position),
        detail,
        versions[entry.table_name, entry.id],
    )


def schema_history(session: Session, table: str | None, limit: int | None) -> SchemaHistory:
    """What the columns of loaded tables have been, newest first."""
    known = ledger.entries(session, table)
    versions = _versions(known)
    by_table = groupby(known, key=lambda entry: entry.table_name)
    found = [moment for _, entries in by_table for moment in history(list(entries))]
    found.sort(key=lambda moment: (moment.entry.committed_at, moment.entry.id), reverse=True)
    return SchemaHistory(len(found), tuple(_moment(moment, versions) for moment in found[:limit]))


def _moment(moment: Moment, versions: Mapping[tuple[str, int], int]) -> SchemaChange:
    entry = moment.entry
    return SchemaChange(
        entry.committed_at,
        entry.table_name,
        str(entry.id),
        entry.kind,
        moment.changes,
        entry.contract,
        entry.author,
        tuple(ResultColumn(name, kind) for name, kind in moment.columns),
        versions[entry.table_name, entry.id],
    )


def restored(session: Session, entry: Entry, seen: bool) -> RestoreResult:
    """The restored table as an answer."""
    by = next(one for one in ledger.entries(session, entry.table_name) if one.id == entry.facts["restored"])
    kept = f"{TableRef.parse(entry.table_name).schema}.{entry.facts['kept']}"
    return RestoreResult(
        entry.table_name,
        entry.author,
        str(entry.id),
        entry.rows_before,
        entry.rows_after,
        by.committed_at,
        kept,
        "seen" if seen else "back",
    )


def adjusted(entry: Entry) -> AdjustResult:
    """The adjustment as an answer."""
    return AdjustResult(
        entry.table_name,
        entry.facts["reason"],
        entry.author,
        str(entry.id),
        entry.rows_before,
        entry.rows_after,
        entry.rows_inserted,
        entry.rows_removed,
    )


def add_replay(total: ReplayResult, counts: Counts) -> ReplayResult:
    """The sum over the tables that were replayed."""
    return ReplayResult(
        total.rows_read + counts.read,
        total.rows_loaded + counts.loaded,
        total.rows_quarantined + counts.quarantined,
        total.rows_deduplicated + counts.deduplicated,
        total.rows_skipped + counts.skipped,
        total.entries + 1,
        total.findings,
    )
