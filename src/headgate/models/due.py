"""Which intervals of a model must be built: new ones, those within the lookback, and those that late rows belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from headgate.books import ledger
from headgate.core.clock import stamp
from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models.model import Intervals, Late, Model
from headgate.sql import quote

EVERY = "TRUE"
_TIMES = ("date", "timestamp")
MOST = 5000
"""So many late intervals are named one by one; with more of them all are built."""
ADDING = ("load", "replay", "purge")
"""Kinds of entries that change no row that was there; a purge is one of the quarantine."""


@dataclass(frozen=True)
class Due:
    """`where`: the condition on the time column of the rows to build, and of those that they replace; `EVERY` for all.

    `told`: what the entry says of it.
    """

    where: str = EVERY
    told: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Built:
    """What the last build of the model left: the facts of its entry, and its table's columns."""

    facts: Mapping[str, Any]
    columns: Mapping[str, str]


def is_time(kind: str) -> bool:
    return kind.lower().startswith(_TIMES)


def due(session: StoreSession, model: Model, built: Built, attempt: str) -> Due:
    """The intervals to build now, within the open transaction."""
    how = _intervals(model)
    said = built.facts.get("intervals", {})
    first, last = said.get("from"), said.get("last")
    if (said.get("column"), said.get("grain")) != (how.column, how.grain) or first is None or last is None:
        return Due(told={"all": "no interval was built before"})
    kind = built.columns[how.column.casefold()]
    column = quote.ident(how.column)
    start = f"CAST({quote.literal(last)} AS {kind})"
    if how.lookback:
        start += f" - INTERVAL '{how.lookback:d} {how.grain}'"
    outside = f"{column} IS NULL OR {column} < CAST({quote.literal(first)} AS {kind}) OR {column} >= {start}"
    seen = built.facts.get("late", {})
    changed, unknown = _changed(session, how, seen)
    if unknown and how.lookback is None:
        return Due(told={"all": unknown})
    late: list[str] = []
    if changed and not unknown:
        late = _late(session, how, _Search(changed, seen["tables"], kind, outside, attempt))
    if len(late) > MOST:
        return Due(told={"all": f"late rows belong to {len(late)} intervals"})
    if late:
        listed = ", ".join(f"CAST({quote.literal(one)} AS {kind})" for one in late)
        outside += f" OR CAST(date_trunc('{how.grain}', {column}) AS {kind}) IN ({listed})"
    told: dict[str, object] = {"since": last, "late": late}
    if how.lookback is not None:
        told["lookback"] = how.lookback
    return Due(f"({outside})", told | ({"unseen": unknown} if unknown else {}))


def besides(wanted: Due, how: Intervals, built: Built, again: tuple[str, str]) -> Due:
    """These intervals, and those from the first moment on and before the second."""
    if wanted.where == EVERY:
        return wanted
    kind, column = built.columns[how.column.casefold()], quote.ident(how.column)
    precise = "TIMESTAMP" if kind.lower() == "date" else kind
    first, end = (f"CAST({quote.literal(moment)} AS {precise})" for moment in again)
    starts = f"CAST(date_trunc('{how.grain}', {column}) AS {kind})"
    whole = f"{starts} >= CAST(date_trunc('{how.grain}', {first}) AS {kind}) AND {starts} < {end}"
    return Due(f"({wanted.where} OR ({whole}))", {**wanted.told, "again": list(again)})


def _intervals(model: Model) -> Intervals:
    assert model.incremental is not None
    assert model.incremental.intervals is not None
    return model.incremental.intervals


def seen_now(session: StoreSession, model: Model) -> dict[str, object]:
    """Which rows of its inputs a build that begins now will see at least."""
    how, versions = _intervals(model), ledger.table_versions(session)
    return {
        "tables": {one.name: versions.get(str(one.table), 0) for one in how.late if not one.sql},
        "views": {one.name: one.fingerprint for one in how.late if one.sql},
    }


def _changed(session: StoreSession, how: Intervals, seen: Mapping[str, Any]) -> tuple[list[Late], str]:
    """The loaded tables that have new rows; and why it can't be told where they belong, if it can't."""
    tables = [one for one in how.late if not one.sql]
    if not how.late:
        return [], "an input is built by a model: which of its rows are new is not known"
    if set(seen.get("tables", {})) != {one.name for one in tables} or seen.get("views") != {
        one.name: one.fingerprint for one in how.late if one.sql
    }:
        return [], "what it reads, or a view between, changed"
    changed = []
    for one in tables:
        entries = [entry for entry in ledger.entries(session, str(one.table)) if entry.id > seen["tables"][one.name]]
        if any(_touches(entry) for entry in entries):
            return [], f"rows of {one.name} that were there changed or went"
        if any(entry.rows_inserted for entry in entries):
            changed.append(one)
    return changed, ""


def _touches(entry: ledger.Entry) -> bool:
    """Whether the entry changed rows that were there before it."""
    if entry.kind not in ADDING or "history" in entry.facts:
        return True
    return bool(entry.rows_removed or entry.rows_updated)


@dataclass(frozen=True)
class _Search:
    changed: Sequence[Late]
    versions: Mapping[str, int]
    kind: str
    outside: str
    attempt: str


def _late(session: StoreSession, how: Intervals, search: _Search) -> list[str]:
    """The intervals, besides those that are built anyway, to which the model's SELECT over new rows alone leads."""
    schemas = {
        mark: quote.ident(f"_hg_late_{search.attempt}_{number}")
        for number, mark in enumerate(dict.fromkeys(one.mark for one in how.late))
    }
    for schema in schemas.values():
        session.execute(f"CREATE SCHEMA {schema}")
    found: set[str] = set()
    column = quote.ident(how.column)
    start = f"CAST(CAST(date_trunc('{how.grain}', {column}) AS {search.kind}) AS VARCHAR)"
    for new in search.changed:
        for one in how.late:
            select = _put(one.sql, schemas) if one.sql else _rows(session, one.table)
            if one is new:
                select += f" WHERE _hg_load > {search.versions[one.name]:d}"
            name = f"{schemas[one.mark]}.{quote.ident(one.table.name)}"
            session.execute(f"CREATE OR REPLACE VIEW {name} AS\n{select}")
        rows = session.execute(
            f"SELECT DISTINCT {start} FROM (\n{_put(how.sql, schemas)}\n) AS _hg_rows WHERE NOT ({search.outside})"
        )
        found |= {row[0] for row in rows}
    for schema in schemas.values():
        session.execute(f"DROP SCHEMA {schema} CASCADE")
    return sorted(found)


def _put(sql: str, schemas: Mapping[str, str]) -> str:
    for mark, schema in schemas.items():
        sql = sql.replace(mark, schema)
    return sql


def _rows(session: StoreSession, table: TableRef) -> str:
    """The table as models read it: without the internal columns."""
    columns = [name for name, _ in session.columns(table) or [] if not name.startswith("_hg_")]
    return f"SELECT {quote.columns(columns)} FROM {quote.table(table)}"


def covered(session: StoreSession, model: Model, staged: str, kind: str, facts: Mapping[str, Any]) -> dict[str, object]:
    """What is built once the staged rows stand: from which interval on, and the newest, which is not over.

    An interval in the future does not count as the newest: what comes before it is still to come.
    """
    how = _intervals(model)
    column = quote.ident(how.column)
    start = f"CAST(date_trunc('{how.grain}', {column}) AS {kind})"
    now = f"CAST(date_trunc('{how.grain}', CAST({quote.literal(stamp())} AS TIMESTAMP WITH TIME ZONE)) AS {kind})"
    before = facts.get("intervals", {})
    known = [before[key] for key in ("from", "last") if before.get(key) is not None]
    texts = [f"CAST({quote.literal(text)} AS {kind})" for text in known]
    least = ", ".join((f"min({start})", *texts[:1]))
    most = ", ".join((f"max({start}) FILTER (WHERE {start} <= {now})", *texts[1:]))
    [(first, last)] = session.execute(
        f"SELECT CAST(least({least}) AS VARCHAR), CAST(greatest({most}) AS VARCHAR) FROM {staged}"
    )
    return {"column": how.column, "grain": how.grain, "from": first, "last": last}
