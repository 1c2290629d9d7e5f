"""What the verbs that only look give back: ledger, quarantine, query."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from headgate.api.results import (
    AdjustResult,
    Law,
    LedgerEntry,
    LedgerResult,
    QuarantineList,
    QuarantineRecord,
    Reason,
    ReplayResult,
    RestoreResult,
    ResultColumn,
    SchemaChange,
    SchemaHistory,
)
from headgate.books import ledger
from headgate.books.audit import Audit
from headgate.books.columns import Moment, history
from headgate.books.ledger import Counts, Entry
from headgate.core.errors import Finding, ProjectError, nearest
from headgate.core.protocols import Session
from headgate.core.values import TableRef

LAWS = (
    ("L1", "row: read = loaded + quarantined + deduplicated + skipped", ("law-row",)),
    ("L2", "table: rows after = rows before + added - removed", ("law-table", "table-missing", "table-unknown")),
    ("L3", "chain: every slice starts where the one before ended", ("law-chain", "position-moved", "position-missing")),
    ("L4", "quarantine: every refused record is open, replayed or superseded", ("law-quarantine", "quarantine-edited")),
    ("L5", "origin: rows name the entry that wrote them", ("law-origin", "column-missing")),
    (
        "seals",
        "entries and records are as they were written",
        ("entry-edited", "entry-missing", "state-edited", "contract-edited"),
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
    found = sorted(ledger.entries(session, table), key=lambda entry: (entry.committed_at, entry.id), reverse=True)
    return LedgerResult(len(found), tuple(_entry(entry) for entry in found[:limit]))


def _entry(entry: Entry) -> LedgerEntry:
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
    )


def schema_history(session: Session, table: str | None, limit: int | None) -> SchemaHistory:
    """What the columns of loaded tables have been, newest first."""
    by_table = groupby(ledger.entries(session, table), key=lambda entry: entry.table_name)
    found = [moment for _, entries in by_table for moment in history(list(entries))]
    found.sort(key=lambda moment: (moment.entry.committed_at, moment.entry.id), reverse=True)
    return SchemaHistory(len(found), tuple(_moment(moment) for moment in found[:limit]))


def _moment(moment: Moment) -> SchemaChange:
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


_ID = re.compile(r"[0-9]{1,18}", re.ASCII)


def record_id(text: str | int) -> int:
    """A quarantine id as typed. Raises ProjectError `unknown-record`."""
    if isinstance(text, str) and not _ID.fullmatch(text):
        raise unknown_record([text])
    return int(text)


def unknown_record(ids: Sequence[object]) -> ProjectError:
    listed = ", ".join(str(one) for one in ids)
    return ProjectError(
        Finding("unknown-record", "error", f"no quarantine record {listed}", listed, "see: headgate quarantine list")
    )


_RECORD = """SELECT q.id, q.table_name, q.reasons, q.partition, q.record, q.line, q.raw, q."row", q.status, q.parent,
                coalesce(e.committed_at, r.refused_at, '') AS at
             FROM _headgate.quarantine AS q
             LEFT JOIN _headgate.entry AS e ON e.table_name = q.table_name AND e.id = q.entry
             LEFT JOIN _headgate.refusal AS r ON q.entry IS NULL AND r.attempt = q.attempt"""


def quarantine_list(session: Session, table: str | None, status: str, limit: int | None) -> QuarantineList:
    """Records of a table (None: of all) with a status (`all`: any), by id."""
    wanted = [("q.table_name", table), ("q.status", None if status == "all" else status)]
    where = " AND ".join(f"{name} = ?" for name, value in wanted if value) or "true"
    params = [value for _, value in wanted if value]
    total = session.execute(f"SELECT count(*) FROM _headgate.quarantine AS q WHERE {where}", params)[0][0]
    cut = f" LIMIT {int(limit)}" if limit is not None else ""
    rows = session.execute(f"{_RECORD} WHERE {where} ORDER BY q.id{cut}", params)
    return QuarantineList(total, tuple(_record(row) for row in rows))


def quarantine_records(session: Session, ids: Sequence[int]) -> QuarantineList:
    """These records in the order asked for."""
    rows = session.execute(f"{_RECORD} WHERE q.id IN ({_listed(ids)})")
    by_id = {row[0]: row for row in rows}
    unknown = [one for one in ids if one not in by_id]
    if unknown:
        raise unknown_record(unknown)
    return QuarantineList(len(ids), tuple(_record(by_id[one]) for one in ids))


def _listed(ids: Sequence[int]) -> str:
    return ", ".join(str(int(one)) for one in ids)


def _record(row: tuple[Any, ...]) -> QuarantineRecord:
    number, table, reasons, partition, record, line, raw, values, status, parent, at = row
    return QuarantineRecord(
        str(number),
        table,
        tuple(Reason(one["rule"], one["column"], one["message"]) for one in json.loads(reasons)),
        partition,
        {"record": record, "line": line},
        raw,
        json.loads(values) if values is not None else None,
        status,
        at,
        str(parent) if parent is not None else None,
    )


def open_tables(session: Session, table: str | None) -> list[str]:
    """Tables that have open records."""
    if table is not None:
        return [table]
    rows = session.execute("SELECT DISTINCT table_name FROM _headgate.quarantine WHERE status = 'open' ORDER BY 1")
    return [row[0] for row in rows]


def tables_of_open(session: Session, ids: Sequence[int]) -> list[str]:
    """The tables of these open records. Raises ProjectError where one does not exist or is settled already."""
    rows = session.execute(f"SELECT id, table_name, status FROM _headgate.quarantine WHERE id IN ({_listed(ids)})")
    found = {row[0]: row for row in rows}
    unknown = [one for one in ids if one not in found]
    if unknown:
        raise unknown_record(unknown)
    settled = [row for row in rows if row[2] != "open"]
    if settled:
        raise ProjectError(
            Finding(
                "record-settled",
                "error",
                f"record {settled[0][0]} is {settled[0][2]}; only open records are replayed",
                settled[0][1],
                "see: headgate quarantine list",
            )
        )
    return sorted({row[1] for row in rows})


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
