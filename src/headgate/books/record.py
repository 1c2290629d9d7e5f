"""Entries that load no rows through the gate: a model that was built, a change by hand that was accepted, a purge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headgate.books import ledger, lines, quarantine, tables
from headgate.books.commit import claim_seats, in_plain_transaction, lock_table
from headgate.books.history import rowless
from headgate.books.ledger import ADJUST, BUILD, EVOLVE, PURGE, Entry, dumps
from headgate.books.work import LOAD_COLUMN, Part
from headgate.core.clock import stamp
from headgate.core.errors import CommitError, Finding
from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.sql import quote


@dataclass(frozen=True)
class Joined:
    """What an incremental build did to the rows that stood: `inserted` are new, `updated` took the place of a row of
    their key, `removed` rows went without another."""

    inserted: int
    updated: int
    removed: int


def record_build(
    session: StoreSession,
    table: TableRef,
    attempt: str,
    rows: int,
    details: Mapping[str, Any],
    author: str,
    joined: Joined | None = None,
) -> Entry:
    """Writes the entry of a model that the open transaction has put in place: `rows` stand, its inputs in `details`.

    `joined`: what was done to those that stood; else all were replaced.

    What a build with a contract refused before is owed no answer any more: the rows are all there now.
    """
    state = lock_table(session, table)
    if state is None:
        return add(session, table, 0, rows, Made(BUILD, attempt, author, details, joined=joined, first=True))
    quarantine.discard_held(session, table)
    settled = quarantine.supersede(session, table, None, state.version + 1)
    said = {"superseded": settled.rows, "settled_ids": settled.ids} if settled.rows else {}
    return add(session, table, state.version, rows, Made(BUILD, attempt, author, {**details, **said}, joined=joined))


def adjust(session: StoreSession, table: TableRef, attempt: str, reason: str, author: str) -> Entry:
    """Accepts what was changed in the table by hand: the books take the rows as they stand, and say who and why.

    Rows that name no entry of the table name this one from then on.

    Child tables are adjusted with the table of their records.

    *Errors*: CommitError `table-missing`, `table-unknown`, `model-table`, `child-table`, `column-missing`,
    `nothing-to-adjust`.
    """
    made: list[Entry] = []

    def write() -> None:
        state = lock_table(session, table)
        if state is None:
            raise _unknown(table)
        history = ledger.entries(session, str(table))
        _must_be_adjustable(session, table, history)
        now = rows_by_entry(session, table)
        rows = sum(now.values())
        children = lines.adjusted(session, history, state.version + 1)
        agrees = not differences(history, now) and ledger.tail(session, table, state.version).rows == rows
        if agrees and not children:
            raise _nothing(table)
        session.execute(
            f"""UPDATE {quote.table(table)} SET {LOAD_COLUMN} = {state.version + 1}
                WHERE {LOAD_COLUMN} IS NULL OR {LOAD_COLUMN} NOT BETWEEN 1 AND {state.version}"""
        )
        deltas = differences(history, rows_by_entry(session, table))
        details: dict[str, Any] = {"adjusted": {str(load): count for load, count in sorted(deltas.items())}}
        details |= {"reason": reason, **({lines.CHILDREN: children} if children else {})}
        made.append(add(session, table, state.version, rows, Made(ADJUST, attempt, author, details)))

    in_plain_transaction(session, write)
    return made[0]


def _must_be_adjustable(session: StoreSession, table: TableRef, history: Sequence[Entry]) -> None:
    parent = lines.parent_of(session, str(table)) if not history else None
    if parent is not None:
        raise _child(table, parent)
    if is_model(history):
        raise _model(table)
    columns = session.columns(table)
    if columns is None:
        raise tables.missing(table)
    if LOAD_COLUMN not in dict(columns):
        raise tables.no_origin(table)


@dataclass(frozen=True)
class Made:
    """What an entry without records says of itself. `contract`: the digest that holds from then on, if it sets one.
    `first`: the books don't know the table yet."""

    kind: str
    attempt: str
    author: str
    details: Mapping[str, Any]
    contract: str = ""
    joined: Joined | None = None
    first: bool = False


def add(session: StoreSession, table: TableRef, version: int, rows: int, made: Made) -> Entry:
    """Writes the entry behind `version`, in the open transaction that holds the table's lock: `rows` are there now."""
    flow, kind = str(table), made.kind
    seat = None if made.first else ledger.seats(session, flow, kind).get("")
    number, tail = version + 1, ledger.tail(session, table, version)
    part = Part(0, "", seat, 1, {}, {}, 0)
    before = tail.rows
    joined = made.joined or _replaced(kind, before, rows)
    taken = joined.inserted + joined.updated if made.joined else 0
    entry = Entry(
        flow,
        number,
        flow,
        kind,
        "",
        1,
        part.seq,
        made.attempt,
        kind,
        stamp(),
        "{}",
        "{}",
        rows_read=taken,
        rows_loaded=taken,
        rows_removed=joined.removed,
        rows_inserted=joined.inserted,
        rows_updated=joined.updated,
        rows_before=before,
        rows_after=rows,
        details=dumps(made.details),
        contract=made.contract,
        author=made.author,
    ).sealed(tail.digest)
    if not claim_seats(session, flow, kind, [part]):
        raise RuntimeError("the seat moved under the table's lock")
    ledger.insert_entries(session, [entry])
    if made.first:
        tables.register(session, flow, number)
    else:
        session.execute("UPDATE _headgate.table_state SET version = ? WHERE table_name = ?", [number, flow])
    if made.contract:
        session.execute("UPDATE _headgate.table_state SET contract = ? WHERE table_name = ?", [made.contract, flow])
    return entry


def _replaced(kind: str, before: int, rows: int) -> Joined:
    """Where it is only known how many rows there were and are: a build replaces them all."""
    if kind == BUILD:
        return Joined(rows, 0, before)
    return Joined(max(0, rows - before), 0, max(0, before - rows))


def is_model(history: Sequence[Entry]) -> bool:
    """True where the table is built by a model, and no rows of it name an entry."""
    streams = [entry.stream for entry in history if entry.stream not in (ADJUST, PURGE, EVOLVE)]
    return bool(streams) and streams[-1] == BUILD


def rows_by_entry(session: StoreSession, table: TableRef) -> dict[int, int]:
    """Rows of the table by the entry that they name (0 where they name none)."""
    return lines.rows_by_entry(session, table)


def expected_by_entry(history: Sequence[Entry]) -> dict[int, int]:
    """Rows that each entry should still have in the table: added by it, less what later entries took away."""
    left: dict[int, int] = {}
    for entry in history:
        facts = entry.facts
        if "replaced" in facts:
            left.clear()
        for load, rows in facts.get("removed_from", {}).items():
            left[int(load)] = left.get(int(load), 0) - rows
        for load, rows in facts.get("adjusted", {}).items():
            left[int(load)] = left.get(int(load), 0) + rows
        if entry.stream == ledger.DATA:
            left[entry.id] = left.get(entry.id, 0) + entry.rows_loaded - rowless(facts)
    return {load: rows for load, rows in left.items() if rows}


def differences(history: Sequence[Entry], now: Mapping[int, int]) -> dict[int, int]:
    """What the table has beyond (+) or short of (-) what the entries say, by entry."""
    expected = expected_by_entry(history)
    loads = sorted({*expected, *now})
    return {
        load: now.get(load, 0) - expected.get(load, 0) for load in loads if now.get(load, 0) != expected.get(load, 0)
    }


def _model(table: TableRef) -> CommitError:
    return CommitError(
        Finding(
            "model-table",
            "error",
            f"{table} is built by a model: a change by hand in it lasts until its next build, and is not adjusted",
            str(table),
            f"build it again: headgate run --full-refresh {table}; change the model to keep the change",
        )
    )


def _child(table: TableRef, parent: str) -> CommitError:
    return CommitError(
        Finding(
            "child-table",
            "error",
            f"{table} holds the lines of {parent}, whose entries speak for both",
            str(table),
            f"adjust the table of the records: headgate ledger adjust {parent} --reason '...'",
        )
    )


def _unknown(table: TableRef) -> CommitError:
    return CommitError(
        Finding("table-unknown", "error", f"the books know no table {table}", str(table), "see: headgate ledger")
    )


def _nothing(table: TableRef) -> CommitError:
    return CommitError(
        Finding(
            "nothing-to-adjust",
            "error",
            f"{table} agrees with its books: there is no change by hand to accept",
            str(table),
            "see: headgate audit",
        )
    )
