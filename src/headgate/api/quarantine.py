"""What the verbs that look at the quarantine give back: list, show, sample; and what they hide."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

from headgate.api.results import (
    QuarantineList,
    QuarantineRecord,
    QuarantineSample,
    Reason,
    ReasonGroup,
    Revision,
)
from headgate.books import revise
from headgate.books.select import AT, JOINED, Chosen, listed
from headgate.contracts.pii import hidden_columns, mask_row, mask_text
from headgate.core.clock import now
from headgate.core.errors import Finding, ProjectError
from headgate.core.protocols import Session
from headgate.core.records import dataclass
from headgate.models.model import Model
from headgate.project.model import Ingest
from headgate.sql import quote

RECORD = (
    'SELECT q.id, q.table_name, q.reasons, q.partition, q.record, q.line, q.raw, q."row", q.status, q.parent, '
    f"{AT} AS refused_at, q.revision FROM {JOINED}"
)


STATUSES = ("open", "held", "replayed", "superseded", "purged")


class Filters(TypedDict, total=False):
    """Which records: `rule` and `column` of a reason, the partition, when they were refused (`since`: a date or time in
    ISO 8601, or an age: `90m`, `12h`, `7d`, `2w`)."""

    rule: str | None
    column: str | None
    partition: str | None
    since: str | None


@dataclass(frozen=True)
class Masks:
    """What is hidden, by table: the source columns, in lower case, whose values are marked `pii`."""

    tables: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, ingests: Iterable[Ingest], models: Iterable[Model] = ()) -> Masks:
        found = {str(one.table): hidden_columns(one.contract) for one in ingests}
        found |= {str(one.target): hidden_columns(one.split.contract) for one in models if one.split is not None}
        return cls({table: hidden for table, hidden in found.items() if hidden})

    def record(self, record: QuarantineRecord) -> QuarantineRecord:
        """The record as it is shown: the original text holds every value, so it is hidden as a whole."""
        hidden = self.tables.get(record.table)
        if not hidden:
            return record
        row = None if record.row is None else mask_row(record.row, hidden)
        revisions = tuple(
            replace(one, raw=mask_text(one.raw), row=None if one.row is None else mask_row(one.row, hidden))
            for one in record.revisions
        )
        return replace(record, raw=mask_text(record.raw), row=row, revisions=revisions, masked=True)

    def listed(self, answer: QuarantineList) -> QuarantineList:
        """The answer with every record as it is shown."""
        return replace(answer, records=tuple(map(self.record, answer.records)))

    def sampled(self, answer: QuarantineSample) -> QuarantineSample:
        """The answer with every record as it is shown."""
        groups = (replace(one, records=tuple(map(self.record, one.records))) for one in answer.groups)
        return replace(answer, groups=tuple(groups))

    def counts(self, records: Iterable[QuarantineRecord]) -> dict[str, int]:
        """How many of the records hold something that is hidden, by table."""
        return dict(Counter(one.table for one in records if one.table in self.tables))


NO_MASKS = Masks()
_ID = re.compile(r"[0-9]{1,18}", re.ASCII)
_AGE = re.compile(r"(\d{1,6})([mhdw])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def record_id(text: str | int) -> int:
    """A quarantine id as typed. Raises ProjectError `unknown-record`."""
    if isinstance(text, str) and not _ID.fullmatch(text):
        raise unknown_record([text])
    return int(text)


def unknown_record(ids: Sequence[object]) -> ProjectError:
    names = ", ".join(str(one) for one in ids)
    return ProjectError(
        Finding("unknown-record", "error", f"no quarantine record {names}", names, "see: headgate quarantine list")
    )


def moment(text: str, option: str) -> str:
    """A time as the books write it, from a date, a time or an age. Raises ProjectError `bad-time`."""
    age = _AGE.fullmatch(text.strip())
    try:
        if age:
            at = now() - timedelta(**{_UNITS[age[2]]: int(age[1])})
        else:
            given = datetime.fromisoformat(text.strip())
            at = given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
    except (ValueError, OverflowError):
        what = f"{text!r} is neither a time nor an age"
        fix = "write 2026-06-01, 2026-06-01T08:00:00+02:00, or an age: 90m, 12h, 7d, 2w"
        raise ProjectError(Finding("bad-time", "error", what, option, fix)) from None
    return at.isoformat(timespec="microseconds")


def chosen(table: str | None, statuses: tuple[str, ...], filters: Filters, ids: Sequence[int] | None = None) -> Chosen:
    """The records meant."""
    since = filters.get("since")
    return Chosen(
        None if ids is None else tuple(ids),
        table,
        statuses,
        filters.get("rule"),
        filters.get("column"),
        filters.get("partition"),
        moment(since, "--since") if since else None,
    )


def records(session: Session, wanted: Chosen, limit: int | None) -> QuarantineList:
    """The records by id."""
    where = wanted.where(session)
    total = session.execute(f"SELECT count(*) FROM {JOINED} WHERE {where}")[0][0]
    cut = f" LIMIT {int(limit)}" if limit is not None else ""
    rows = session.execute(f"{RECORD} WHERE {where} ORDER BY q.id{cut}")
    return QuarantineList(total, tuple(record(row) for row in rows))


def records_named(session: Session, ids: Sequence[int]) -> QuarantineList:
    """These records in the order asked for, with the story of their fixes."""
    rows = session.execute(f"{RECORD} WHERE q.id IN ({listed(ids)})")
    by_id = {row[0]: record(row) for row in rows}
    unknown = [one for one in ids if one not in by_id]
    if unknown:
        raise unknown_record(unknown)
    fixes: dict[int, list[Revision]] = defaultdict(list)
    for line in revise.lines(session, ids):
        row = json.loads(line.row) if line.row is not None else None
        fixes[line.record].append(Revision(line.revision, line.author, line.at, line.reason, line.raw, row))
    return QuarantineList(len(ids), tuple(replace(by_id[one], revisions=tuple(fixes[one])) for one in ids))


def record(row: tuple[Any, ...]) -> QuarantineRecord:
    """The answer for a line of RECORD."""
    number, table, reasons, partition, at_record, line, raw, values, status, parent, at, revision = row
    return QuarantineRecord(
        str(number),
        table,
        tuple(Reason(one["rule"], one["column"], one["message"]) for one in json.loads(reasons)),
        partition,
        {"record": at_record, "line": line},
        raw,
        json.loads(values) if values is not None else None,
        status,
        at,
        str(parent) if parent is not None else None,
        revision,
    )


def sample(session: Session, wanted: Chosen, per_reason: int) -> QuarantineSample:
    """`per_reason` records of each reason, always the same ones, spread over all that there are."""
    where = wanted.where(session)
    rows = session.execute(f"SELECT q.table_name, q.reasons, count(*) FROM {JOINED} WHERE {where} GROUP BY 1, 2")
    counts: Counter[tuple[str, str, str | None]] = Counter()
    texts: dict[tuple[str, str, str | None], list[str]] = defaultdict(list)
    messages: dict[tuple[str, str, str | None], Counter[str]] = defaultdict(Counter)
    for table, text, number in rows:
        for one in json.loads(text):
            key = (table, one["rule"], one["column"])
            if not wanted.names(one["rule"], one["column"]):
                continue
            messages[key][one["message"]] += number
            if text not in texts[key]:
                texts[key].append(text)
                counts[key] += number
    groups = [
        ReasonGroup(
            *key, messages[key].most_common(1)[0][0], counts[key], _some(session, where, key[0], texts[key], per_reason)
        )
        for key in sorted(counts, key=lambda key: (-counts[key], key[0], key[1], key[2] or ""))
    ]
    return QuarantineSample(sum(row[2] for row in rows), tuple(groups))


def in_groups(answer: QuarantineSample) -> list[QuarantineRecord]:
    """The records of all groups."""
    return [one for group in answer.groups for one in group.records]


def tables_shown(session: Session, wanted: Chosen, masks: Masks) -> dict[str, int]:
    """How many of the records hold something that is hidden, by table."""
    rows = session.execute(f"SELECT q.table_name, count(*) FROM {JOINED} WHERE {wanted.where(session)} GROUP BY 1")
    return {table: number for table, number in rows if table in masks.tables}


def _some(session: Session, where: str, table: str, texts: Sequence[str], number: int) -> tuple[QuarantineRecord, ...]:
    if not number:
        return ()
    among = ", ".join(map(quote.literal, texts))
    rows = session.execute(
        f"""{RECORD} WHERE ({where}) AND q.table_name = {quote.literal(table)} AND q.reasons IN ({among})
            ORDER BY md5(CAST(q.id AS VARCHAR)), q.id LIMIT {int(number)}"""
    )
    return tuple(sorted((record(row) for row in rows), key=lambda one: int(one.id)))


def open_tables(session: Session, table: str | None) -> list[str]:
    """Tables that have open records."""
    if table is not None:
        return [table]
    rows = session.execute("SELECT DISTINCT table_name FROM _headgate.quarantine WHERE status = 'open' ORDER BY 1")
    return [row[0] for row in rows]


def tables_of(session: Session, ids: Sequence[int], statuses: Sequence[str], only: str) -> list[str]:
    """The tables of these records. Raises ProjectError where one does not exist or has another status.

    `only`: what is said of records with one of the `statuses`.
    """
    rows = session.execute(
        f"SELECT id, table_name, status FROM _headgate.quarantine WHERE id IN ({listed(ids)}) ORDER BY id"
    )
    found = {row[0]: row for row in rows}
    unknown = [one for one in ids if one not in found]
    if unknown:
        raise unknown_record(unknown)
    settled = [row for row in rows if row[2] not in statuses]
    if settled:
        what = f"record {settled[0][0]} is {settled[0][2]}; {only}"
        raise ProjectError(Finding("record-settled", "error", what, settled[0][1], "see: headgate quarantine list"))
    return sorted({row[1] for row in rows})
