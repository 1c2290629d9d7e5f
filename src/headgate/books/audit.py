"""The audit: proves the laws over all history, from the warehouse alone. It changes nothing.

L1 row: read = loaded + quarantined + deduplicated + skipped, entry by entry.
L2 table: rows_after = rows_before + inserted - removed, entry after entry, and the table has what the last one says.
L3 chain: per partition and generation the sequence is dense from 1, and each slice starts where the one before ended.
L4 quarantine: what was refused = open + replayed + superseded + purged, record by record.
L5 origin: the rows that name an entry are those it wrote, less what later entries took away.
Seals: every entry carries a digest over itself and the entry before it; every quarantine record one over itself and
over what it was before each fix; every look at hidden values one over itself and the look before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from headgate.books import audit_lines, disclose, ledger, record, tables
from headgate.books.audit_bench import bench
from headgate.books.ledger import RESTORE, Entry
from headgate.books.quarantine import shape_id
from headgate.books.revise import LINKED, LINKS
from headgate.books.schema import version_of
from headgate.books.work import LOAD_COLUMN
from headgate.core.errors import Finding
from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.sql import quote


@dataclass(frozen=True)
class Audit:
    """`findings` is empty where every law holds. `tables` and `entries` say how much was checked."""

    findings: tuple[Finding, ...]
    tables: int
    entries: int


def audit(session: StoreSession, declared: Sequence[TableRef] = ()) -> Audit:
    """Checks every table of the books, and that the books know the tables of `declared` that the warehouse has.

    Raises CommitError `books-broken` where a part of the books is gone.
    """
    if version_of(session) is None:
        return Audit(tuple(_unknown(session, declared, set())), 0, 0)
    history = ledger.entries(session)
    by_table = {name: list(group) for name, group in groupby(history, key=lambda entry: entry.table_name)}
    names = sorted({*by_table, *ledger.table_versions(session)})
    children = audit_lines.children(by_table)
    findings: list[Finding] = []
    for name in (one for one in names if one not in children or one in by_table):
        findings += _table(session, name, by_table.get(name, []))
        findings += audit_lines.audit_lines(session, name, by_table.get(name, []))
    findings += _strangers(session, set(names))
    findings += _shapes(session)
    findings += _looks(session)
    findings += _unknown(session, declared, set(names))
    return Audit(tuple(findings), len(names), len(history))


def _table(session: StoreSession, name: str, history: list[Entry]) -> Iterator[Finding]:
    yield from _rows(history)
    yield from _seals(name, history)
    yield from _state(session, name, history)
    yield from _growth(history)
    yield from _chains(session, name, history)
    yield from _quarantine(session, name, history)
    yield from bench(session, name, history)
    yield from _pins(session, name, history)
    yield from _contents(session, name, history)


def _broken(code: str, what: str, where: str, fix: str = RESTORE, **evidence: object) -> Finding:
    return Finding(code, "error", what, where, fix, evidence)


STREAMS = (ledger.DATA, ledger.BUILD, ledger.ADJUST, ledger.PURGE)
_REBUILD = "load the table anew: headgate run --full-refresh {table}"


def _place(entry: Entry) -> str:
    return f"{entry.table_name} entry {entry.id}" + (f" (partition {entry.partition})" if entry.partition else "")


def _rows(history: list[Entry]) -> Iterator[Finding]:
    for entry in history:
        fates = entry.rows_loaded + entry.rows_quarantined + entry.rows_deduplicated + entry.rows_skipped
        if entry.rows_read != fates:
            yield _broken(
                "law-row",
                f"{entry.rows_read} records were read, {fates} have a fate",
                _place(entry),
                read=entry.rows_read,
                fates=fates,
            )


def _seals(name: str, history: list[Entry]) -> Iterator[Finding]:
    previous, expected = "", 1
    for entry in history:
        if entry.id != expected:
            yield _missing(name, expected, entry.id - 1)
        elif not entry.is_sealed(previous):
            yield _broken("entry-edited", "the entry is not as it was written", _place(entry))
        previous, expected = entry.digest, entry.id + 1


def _missing(name: str, first: int, last: int) -> Finding:
    which = f"entry {first} is" if first == last else f"entries {first} to {last} are"
    return _broken("entry-missing", f"{which} not in the ledger", f"{name} entry {first}")


def _state(session: StoreSession, name: str, history: list[Entry]) -> Iterator[Finding]:
    """The table's line in the books says what its entries say."""
    state, last = ledger.table_state(session, TableRef.parse(name)), history[-1].id if history else 0
    if state is None:
        yield _broken("state-edited", "the books have entries of the table, but no line for it", name)
        return
    if state.version > last:
        yield _missing(name, last + 1, state.version)
    elif state.version < last:
        what = f"the table's line says that entry {state.version} is its last, the ledger has entry {last}"
        yield _broken("state-edited", what, f"{name} entry {last}")
    opened = [entry.generation for entry in history if "replaced" in entry.facts] or [1]
    if state.live_generation != opened[-1]:
        what = f"the table's line says generation {state.live_generation}, its entries opened {opened[-1]}"
        yield _broken("state-edited", what, name)
    judged = [entry.contract for entry in history if entry.stream in (ledger.DATA, ledger.EVOLVE)] or [""]
    if (state.contract or "") != judged[-1]:
        what = f"the table's line names contract {state.contract!r}, its last entry was judged by {judged[-1]!r}"
        yield _broken("state-edited", what, name)


def _growth(history: list[Entry]) -> Iterator[Finding]:
    before = 0
    for entry in history:
        if entry.rows_before != before:
            yield _broken(
                "law-table", f"the entry begins with {entry.rows_before} rows, the one before ended with {before}",
                _place(entry),
            )  # fmt: skip
        if entry.rows_after != entry.rows_before + entry.rows_inserted - entry.rows_removed:
            yield _broken(
                "law-table",
                f"{entry.rows_before} rows + {entry.rows_inserted} - {entry.rows_removed} is not {entry.rows_after}",
                _place(entry),
            )
        before = entry.rows_after


def _chains(session: StoreSession, name: str, history: list[Entry]) -> Iterator[Finding]:
    last: dict[tuple[str, str], Entry] = {}
    for entry in history:
        key = (entry.stream, entry.partition)
        before = last.get(key)
        follows = before is not None and before.generation == entry.generation
        seq, start = (before.seq + 1, before.end_position) if follows and before else (1, "{}")
        if before is not None and entry.generation < before.generation:
            yield _broken("law-chain", f"generation {entry.generation} follows {before.generation}", _place(entry))
        elif entry.seq != seq:
            yield _broken("law-chain", f"sequence {entry.seq} follows {seq - 1}", _place(entry))
        elif entry.start_position != start:
            yield _broken("law-chain", "the slice does not start where the one before ended", _place(entry))
        last[key] = entry
    live = {stream: ledger.seats(session, name, stream) for stream in ledger.STREAMS}
    for (stream, partition), entry in last.items():
        seat = live[stream].pop(partition, None)
        if seat is None:
            if not _was_replaced(history, entry):
                what = f"partition {partition!r} has entries but no position"
                yield _broken("position-missing", what, _place(entry), _REBUILD.format(table=name))
        elif (seat.generation, seat.seq, ledger.dumps(seat.position)) != (
            entry.generation,
            entry.seq,
            entry.end_position,
        ):
            yield _broken(
                "position-moved",
                f"partition {partition!r} stands at generation {seat.generation}, sequence {seat.seq}; "
                f"its last entry ended at {entry.generation}, {entry.seq}, or at another position",
                _place(entry),
                _REBUILD.format(table=name),
            )
    for rest in live.values():
        for partition in rest:
            place = f"{name} (partition {partition})" if partition else name
            yield _broken("entry-missing", "the books have a position, but no entry that ended there", place)


def _was_replaced(history: list[Entry], entry: Entry) -> bool:
    """A replaced table forgets partitions that its source no longer has."""
    return entry.stream == ledger.DATA and any(later.id > entry.id and "replaced" in later.facts for later in history)


def _quarantine(session: StoreSession, name: str, history: list[Entry]) -> Iterator[Finding]:
    kept = dict(
        session.execute(
            """SELECT entry, count(*) FROM _headgate.quarantine WHERE table_name = ? AND status <> 'held'
               GROUP BY 1""",
            [name],
        )
    )
    settled = {
        (row[0], row[1]): (row[2], row[3])
        for row in session.execute(
            """SELECT status, settled_by, count(*), CAST(sum(id) AS BIGINT) FROM _headgate.quarantine
               WHERE table_name = ? AND status IN ('replayed', 'superseded', 'purged') AND settled_by IS NOT NULL
               GROUP BY 1, 2""",
            [name],
        )
    }
    for entry in history:
        have = kept.pop(entry.id, 0)
        if have != entry.rows_quarantined:
            what = f"the entry refused {entry.rows_quarantined} records, {have} are in quarantine"
            yield _broken("law-quarantine", what, _place(entry))
        for status in ("replayed", "superseded", "purged"):
            yield from _settled(entry, status, *settled.pop((status, entry.id), (0, 0)))
    for number, rows in kept.items():
        yield _of_no_entry(name, number, f"{rows} records of the quarantine say that it refused them")
    for (status, number), (rows, _) in settled.items():
        yield _of_no_entry(name, number, f"{rows} records of the quarantine say that it {status} them")
    yield from _records(session, name)
    yield from _held(session, name)


def _settled(entry: Entry, status: str, have: int, ids: int) -> Iterator[Finding]:
    """Finds that an entry settled other records than it says: by their number, or by the sum of their ids."""
    wanted = entry.facts.get(status, 0)
    if have != wanted:
        what = f"the entry settled {wanted} records as {status}, the quarantine says {have}"
        yield _broken("law-quarantine", what, _place(entry))
    elif have and ids != entry.facts.get("settled_ids"):
        yield _broken("law-quarantine", f"the entry settled other records as {status}", _place(entry))


def _of_no_entry(name: str, number: int | None, what: str) -> Finding:
    where = f"{name}, records of no entry" if number is None else f"{name} entry {number}"
    return _broken("law-quarantine", f"{what}, but there is no such entry", where)


def _records(session: StoreSession, name: str) -> Iterator[Finding]:
    edited = session.execute(
        f"""SELECT id, partition, record FROM _headgate.quarantine
            LEFT JOIN {LINKS} ON id = _record AND revision = _revision
            WHERE table_name = ? AND digest IS DISTINCT FROM {LINKED} ORDER BY id LIMIT 20""",
        [name],
    )
    for number, partition, at in edited:
        what = f"quarantine record {number} is not as it was refused"
        yield _broken("quarantine-edited", what, f"{name} partition {partition} record {at}")
    odd = session.execute(
        """SELECT id, partition, record, status FROM _headgate.quarantine WHERE table_name = ?
           AND status NOT IN ('open', 'held', 'replayed', 'superseded', 'purged') ORDER BY id LIMIT 20""",
        [name],
    )
    for number, partition, at, status in odd:
        what = f"quarantine record {number} has the unknown status {status!r}"
        yield _broken("quarantine-edited", what, f"{name} partition {partition} record {at}")
    unsettled = session.execute(
        """SELECT id, partition, record, status, settled_by FROM _headgate.quarantine WHERE table_name = ?
           AND (status IN ('replayed', 'superseded', 'purged')) <> (settled_by IS NOT NULL) ORDER BY id LIMIT 20""",
        [name],
    )
    for number, partition, at, status, by in unsettled:
        what = f"quarantine record {number} is {status} by " + (f"entry {by}" if by is not None else "no entry")
        yield _broken("quarantine-edited", what, f"{name} partition {partition} record {at}")
    doubled = session.execute(
        """SELECT id, partition, record, count(*) FROM _headgate.quarantine WHERE table_name = ?
           GROUP BY 1, 2, 3 HAVING count(*) > 1 ORDER BY id LIMIT 20""",
        [name],
    )
    for number, partition, at, rows in doubled:
        what = f"quarantine record {number} is there {rows} times"
        yield _broken("quarantine-edited", what, f"{name} partition {partition} record {at}")


def _held(session: StoreSession, name: str) -> Iterator[Finding]:
    """What a refused load left to be looked at is there until the table's next load discards it."""
    wanted = dict(session.execute("SELECT attempt, rows_held FROM _headgate.refusal WHERE table_name = ?", [name]))
    have = dict(
        session.execute(
            "SELECT attempt, count(*) FROM _headgate.quarantine WHERE table_name = ? AND status = 'held' GROUP BY 1",
            [name],
        )
    )
    for attempt in sorted({*wanted, *have}):
        if wanted.get(attempt, 0) != have.get(attempt, 0):
            yield _broken(
                "law-quarantine",
                f"the refused load {attempt} held {wanted.get(attempt, 0)} records, {have.get(attempt, 0)} are there",
                f"{name} refused load {attempt}",
                f"run the load again: headgate run {name}",
            )


def _pins(session: StoreSession, name: str, history: list[Entry]) -> Iterator[Finding]:
    """The types that were taken from the data are those of the entry that pinned them."""
    said = [(entry.contract, entry.facts["pinned"]) for entry in history if "pinned" in entry.facts][-1:]
    said = [one for one in said if one[1]]  # a restored table may have had none
    kept = [
        (row[0], ledger.fingerprint(row[1]))
        for row in session.execute("SELECT digest, body FROM _headgate.contract WHERE table_name = ?", [name])
    ]
    if kept != said:
        what = "the types that were taken from the data at the first load are not as they were written"
        yield _broken("contract-edited", what, f"{name} pinned contract", _REBUILD.format(table=name))


def _contents(session: StoreSession, name: str, history: list[Entry]) -> Iterator[Finding]:
    table = TableRef.parse(name)
    columns = session.columns(table)
    if columns is None:
        if history:  # of a model that was refused at its first build there is nothing yet
            yield tables.missing(table).finding
        return
    if record.is_model(history):
        yield from _model(session, table, history)
        return
    if LOAD_COLUMN not in dict(columns):
        yield tables.no_origin(table).finding
        return
    now = record.rows_by_entry(session, table)
    adjust = f"if the change is right: headgate ledger adjust {name} --reason '...'; else {_REBUILD.format(table=name)}"
    rows, last = (history[-1].rows_after, history[-1].id) if history else (0, 0)
    if sum(now.values()) != rows:
        yield _broken(
            "law-table",
            f"the table has {sum(now.values())} rows, its last entry says {rows}",
            f"{name} entry {last}" if last else name,
            adjust,
        )
    for load, difference in record.differences(history, now).items():
        which = f"{name} entry {load}" if load else f"{name}, rows of no entry"
        word = "more" if difference > 0 else "fewer"
        plural = "" if abs(difference) == 1 else "s"
        what = f"{abs(difference)} row{plural} {word} than the entry left in the table"
        yield _broken("law-origin", what, which, adjust)


def _model(session: StoreSession, table: TableRef, history: list[Entry]) -> Iterator[Finding]:
    last = next(entry for entry in reversed(history) if entry.stream == ledger.BUILD)
    if last.facts.get("materialized") == "view":
        return
    rows = int(session.execute(f"SELECT coalesce(sum(1), 0) FROM {quote.table(table)}")[0][0])
    if rows != last.rows_after:
        yield _broken(
            "law-table",
            f"the model's table has {rows} rows, its last build made {last.rows_after}",
            f"{table} entry {last.id}",
            f"build it again: headgate run --full-refresh {table}",
        )


def _strangers(session: StoreSession, names: set[str]) -> Iterator[Finding]:
    """Lines of the books that belong to no table of the books."""
    for source, column in (
        ("position", "flow"),
        ("quarantine", "table_name"),
        ("refusal", "table_name"),
        ("contract", "table_name"),
        ("revision", "table_name"),
        ("emptied", "table_name"),
    ):
        for row in session.execute(f"SELECT DISTINCT {column} FROM _headgate.{source} ORDER BY 1"):
            if row[0] not in names:
                yield _broken(
                    "entry-missing", f"the {source} table of the books names {row[0]}, which has no entry", row[0]
                )


def _shapes(session: StoreSession) -> Iterator[Finding]:
    """The columns that refused records were read with, by which a replay reads them again."""
    kept = dict(session.execute("SELECT id, columns FROM _headgate.shape"))
    used = session.execute("SELECT shape, table_name, count(*) FROM _headgate.quarantine GROUP BY 1, 2 ORDER BY 1, 2")
    for shape, table, rows in used:
        if shape not in kept or shape_id(kept[shape]) != shape:
            what = f"the columns that {rows} quarantine records were read with are not as they were written"
            yield _broken("quarantine-edited", what, f"{table} shape {shape}")


def _looks(session: StoreSession) -> Iterator[Finding]:
    for number in disclose.broken(session)[:20]:
        yield _broken(
            "disclosure-edited", "a line about who saw hidden values is not as it was written", f"look {number}"
        )


def _unknown(session: StoreSession, declared: Sequence[TableRef], names: set[str]) -> Iterator[Finding]:
    for table in declared:
        if str(table) not in names and session.columns(table) is not None:
            yield tables.unknown(table).finding
