"""The table that was replaced last comes back: rows, positions, refused records and contract as they were before.

Nothing is copied: the table that stands and the one that was kept change places, so that a second restore undoes the
first. Its entries open a new generation, one for each partition, and say where the next load goes on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from headgate.books import ledger, lines, quarantine, record
from headgate.books.commit import claim_seats, lock_table, settled
from headgate.books.ledger import DATA, EVOLVE, Entry, Seat, dumps
from headgate.books.work import LOAD_COLUMN, Committed, Outcome, Part
from headgate.books.write import pin, pinned_body, shape
from headgate.core.clock import stamp
from headgate.core.errors import CommitError, Finding
from headgate.core.faults import fault
from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.core.values import Position, TableRef


@dataclass(frozen=True)
class Request:
    """`seen`: the source's content that is given up counts as read (a table that is replaced as a whole), so that the
    next run waits for another; else the positions go back to where the kept rows end."""

    table: TableRef
    attempt: str
    author: str
    seen: bool = False


@dataclass(frozen=True)
class _Past:
    """The table as it was before `by` replaced it: its entries up to then, and what its rows name now."""

    by: Entry
    kept: TableRef
    entries: Sequence[Entry]
    rows: Mapping[int, int]

    @property
    def contract(self) -> str:
        judged = [entry.contract for entry in self.entries if entry.stream in (DATA, EVOLVE)]
        return judged[-1] if judged else ""

    @property
    def positions(self) -> dict[str, Position]:
        """Where each partition stood: those of the generation that was live, and of reloads since."""
        opened = [entry.generation for entry in self.entries if "replaced" in entry.facts] or [1]
        last = {entry.partition: entry for entry in self.entries if entry.stream == DATA}
        return {name: json.loads(entry.end_position) for name, entry in last.items() if entry.generation >= opened[-1]}


def restore(session: StoreSession, request: Request) -> tuple[Entry, ...]:
    """Puts the kept table in place; the entries that say so, the first about the table as a whole.

    *Guarantee*: all of it or nothing; only names move, whatever the number of rows (they are counted, not copied).
    *Errors*: CommitError `nothing-kept`; `kept-edited` where the kept rows are not those that were replaced.
    """
    outcome = settled(session, request.table, lambda: _inside(session, request))
    assert isinstance(outcome, Committed)
    return outcome.entries


def _inside(session: StoreSession, request: Request) -> Outcome:
    table = request.table
    state = lock_table(session, table)
    if state is None:
        raise _nothing(table)
    fault("after_begin")
    past = _past(session, table)
    fault("after_stage")
    base, before = state.version, shape(session, table)
    parts = _parts(session, request, past, state.live_generation)
    numbers = {part.partition: base + 1 + part.number for part in parts}
    fault("after_decide")
    quarantine.discard_held(session, table)
    given_up = quarantine.supersede(session, table, None, base + 1)
    quarantine.revive(session, table, past.by.id, numbers, request.attempt)
    if not claim_seats(session, str(table), DATA, parts):
        raise RuntimeError("a seat moved under the table's lock")
    _forget(session, table, parts)
    session.exchange(table, past.kept, past.kept)
    children = lines.restored(session, past.entries, past.by)
    if children is None:
        raise _edited(table, past.kept)
    now = shape(session, table)
    details = {
        "restored": past.by.id,
        "replaced": ledger.tail(session, table, base).rows,
        "adjusted": {str(load): rows for load, rows in sorted(past.rows.items())},
        "kept": past.kept.name,
        **({lines.CHILDREN: children} if children else {}),
        **({"columns": now} if now != before else {}),
        **({"superseded": given_up.rows, "settled_ids": given_up.ids} if given_up.rows else {}),
        **_repin(session, table, past),
    }
    entries = _entries(session, request, past, parts, base, details)
    ledger.insert_entries(session, entries)
    session.execute(
        "UPDATE _headgate.table_state SET version = ?, live_generation = ?, contract = ? WHERE table_name = ?",
        [entries[-1].id, parts[0].generation, past.contract, str(table)],
    )
    for name in children:
        session.execute("UPDATE _headgate.table_state SET version = ? WHERE table_name = ?", [entries[0].id, name])
    return Committed(tuple(entries))


def _past(session: StoreSession, table: TableRef) -> _Past:
    history = ledger.entries(session, str(table))
    by = next((entry for entry in reversed(history) if "kept" in entry.facts), None)
    kept = TableRef(table.schema, by.facts["kept"]) if by else None
    columns = session.columns(kept) if kept else None
    if by is None or kept is None or columns is None or session.standing(table) != "table":
        raise _nothing(table)
    before = history[: by.id - 1]
    rows = record.rows_by_entry(session, kept) if LOAD_COLUMN in dict(columns) else {}
    if record.differences(before, rows):
        raise _edited(table, kept)
    return _Past(by, kept, before, rows)


def _parts(session: StoreSession, request: Request, past: _Past, live: int) -> list[Part]:
    """One part for each partition that the table has from now on, in a generation that nobody had before."""
    seats = ledger.seats(session, str(request.table))
    opened = max([live, *(seat.generation for seat in seats.values())]) + 1
    positions = {name: seat.position for name, seat in seats.items()} if request.seen else past.positions
    names = sorted(positions) or [""]
    return [_part(number, name, seats.get(name), opened, positions) for number, name in enumerate(names)]


def _part(number: int, name: str, seat: Seat | None, opened: int, positions: Mapping[str, Position]) -> Part:
    return Part(number, name, seat, opened, {}, positions.get(name, {}), 0)


def _forget(session: StoreSession, table: TableRef, parts: Sequence[Part]) -> None:
    """Partitions that only the table has had that is given up."""
    session.execute(
        "DELETE FROM _headgate.position WHERE flow = ? AND stream = ? AND generation <> ?",
        [str(table), DATA, parts[0].generation],
    )


def _repin(session: StoreSession, table: TableRef, past: _Past) -> dict[str, str]:
    """Types that were taken from the data go back with the rows that they judged."""
    if "pinned" not in past.by.facts:
        return {}
    now, then = pinned_body(session, table), past.by.facts.get("unpinned", "")
    pin(session, table, past.contract, then)
    return {"pinned": ledger.fingerprint(then) if then else "", "unpinned": now}


def _entries(
    session: StoreSession,
    request: Request,
    past: _Past,
    parts: Sequence[Part],
    base: int,
    details: Mapping[str, object],
) -> list[Entry]:
    """Sealed entries: the rows change with the first, the refused records come back with their partitions."""
    tail = ledger.tail(session, request.table, base)
    found = session.execute(
        "SELECT entry, count(*) FROM _headgate.quarantine WHERE table_name = ? AND attempt = ? GROUP BY 1",
        [str(request.table), request.attempt],
    )
    revived = {row[0]: row[1] for row in found}
    rows, digest, made = sum(past.rows.values()), tail.digest, []
    for part in parts:
        first = part.number == 0
        number = base + 1 + part.number
        entry = Entry(
            str(request.table),
            number,
            str(request.table),
            DATA,
            part.partition,
            part.generation,
            part.seq,
            request.attempt,
            "restore",
            stamp(),
            "{}",
            dumps(part.end),
            rows_read=revived.get(number, 0),
            rows_quarantined=revived.get(number, 0),
            rows_inserted=rows if first else 0,
            rows_removed=tail.rows if first else 0,
            rows_before=tail.rows if first else rows,
            rows_after=rows,
            details=dumps(details if first else {"restored": past.by.id}),
            contract=past.contract,
            author=request.author,
        ).sealed(digest)
        digest = entry.digest
        made.append(entry)
    return made


def _nothing(table: TableRef) -> CommitError:
    return CommitError(
        Finding(
            "nothing-kept",
            "error",
            f"no earlier {table} is kept: only the one that a replace or a full refresh took the place of",
            str(table),
            "see what happened to it: headgate ledger",
        )
    )


def _edited(table: TableRef, kept: TableRef) -> CommitError:
    return CommitError(
        Finding(
            "kept-edited",
            "error",
            f"the rows of {kept} are not those that {table} had when it was replaced; nothing was changed",
            str(kept),
            "undo what was changed in it by hand",
        )
    )
