"""The laws of the books, each computed from another part of the state, and when two states are the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from headgate.testing.oracle.commits import count_by_load, expected_by_load
from headgate.testing.oracle.lines import LINES, child_rows
from headgate.testing.oracle.model import WHOLE, Contract, Entry, Malformed, Refused, State
from headgate.testing.oracle.values import written


def check_laws(state: State) -> list[str]:
    """Every broken law as a sentence that begins with its number; empty if the books balance."""
    tables = sorted({*state.tables, *(entry.table for entry in state.entries)})
    return [
        *law_1(state),
        *(broken for table in tables for law in (law_2, law_3, law_4, law_5) for broken in law(state, table)),
    ]


def law_1(state: State) -> list[str]:
    """Row: read = loaded + quarantined + deduplicated + skipped. `read` is proved by the positions a load moved
    between, and by the records that a replay settled."""
    broken = []
    for entry in state.entries:
        fates = entry.loaded + entry.quarantined + entry.deduplicated + entry.skipped
        if entry.read != fates:
            broken.append(f"L1 entry {entry.id}: read {entry.read}, but its fates add up to {fates}")
        if entry.read != (moved := _measured(state, entry)):
            broken.append(f"L1 entry {entry.id}: read {entry.read}, but its source says {moved}")
    return broken


def _measured(state: State, entry: Entry) -> int:
    if entry.kind == "replay":
        return sum(r.status == "replayed" and r.settled_by == entry.id for r in state.quarantine)
    if entry.kind == "restore":
        return sum(r.entry == entry.id and r.parent is not None for r in state.quarantine)
    if entry.end is None:
        return 0
    return entry.end.records - (entry.start.records if entry.start else 0)


def law_2(state: State, table: str) -> list[str]:
    """Table: rows_after = rows_before + added - removed along the entries, and the last is what a scan finds."""
    broken, before, ids = [], 0, set[Any]()
    for entry in state.entries_of(table):
        after = before + entry.inserted - sum(entry.removed.values())
        if entry.rows_after != after:
            broken.append(f"L2 entry {entry.id}: {entry.rows_after} rows after it, {after} by its counts")
        before = entry.rows_after
        ids |= {entry.id, *(load for load, rows in entry.removed.items() if rows < 0)}
    scan = count_by_load(state.rows(table))
    if scan.total() != before:
        broken.append(f"L2 {table}: a scan finds {scan.total()} rows, the books say {before}")
    return broken + [f"L2 {table}: rows of load {load}, which is no entry" for load in scan if load not in ids]


def law_3(state: State, table: str) -> list[str]:
    """Chain: per partition and generation seq is dense from 1, start = the end before, the position = the last end."""
    chains: dict[tuple[str, int], list[Entry]] = defaultdict(list)
    for entry in state.entries_of(table):
        chains[entry.partition, entry.generation].append(entry)
    broken = []
    for (partition, generation), chain in chains.items():
        place = f"L3 {table} {partition or '(whole)'} generation {generation}"
        if [entry.seq for entry in chain] != list(range(1, len(chain) + 1)):
            broken.append(f"{place}: seq is not dense from 1")
        if [entry.start for entry in chain] != [None, *(entry.end for entry in chain[:-1])]:
            broken.append(f"{place}: an entry does not start where the one before ended")
    return broken + _positions(state, table, chains)


def _positions(state: State, table: str, chains: dict[tuple[str, int], list[Entry]]) -> list[str]:
    live = state.generation(table)
    expected: dict[str, tuple[Any, ...]] = {}
    for (partition, generation), chain in sorted(chains.items()):
        if partition != WHOLE and generation >= live:
            expected[partition] = (generation, chain[-1].seq, chain[-1].end)
    kept = {name: (p.generation, p.seq, p.end) for (of, name), p in state.positions.items() if of == table}
    return [
        f"L3 {table} {name}: the position is not the end of the last entry"
        for name in sorted({*expected, *kept})
        if expected.get(name) != kept.get(name)
    ]


def law_4(state: State, table: str) -> list[str]:
    """Quarantine: what entries counted as quarantined is what the quarantine holds of each, and every such record is
    open, replayed, superseded or purged; read(replay) = replayed. Held records belong to the last refusal alone."""
    entries = state.entries_of(table)
    records = [record for record in state.quarantine if record.table == table]
    counted = Counter(record.entry for record in records if record.entry is not None)
    broken = [
        f"L4 entry {entry.id}: quarantined {entry.quarantined}, the quarantine holds {counted[entry.id]}"
        for entry in entries
        if entry.quarantined != counted[entry.id]
    ]
    status = Counter(record.status for record in records if record.entry is not None)
    total = sum(entry.quarantined for entry in entries)
    replayed = sum(entry.read for entry in entries if entry.kind == "replay")
    purged = sum(entry.purged for entry in entries)
    if total != status["open"] + replayed + status["superseded"] + purged:
        broken.append(
            f"L4 {table}: {total} quarantined, but {status['open']} open, {replayed} replayed, "
            f"{status['superseded']} superseded, {purged} purged"
        )
    return broken + _strays(state, table, records)


def _strays(state: State, table: str, records: list[Refused]) -> list[str]:
    known = {entry.id for entry in state.entries_of(table)}
    refusals = {refusal.id: refusal for refusal in state.refusals if refusal.table == table}
    last = max(refusals, default=None)
    broken = []
    for record in records:
        if record.erased and (record.before or record.record != Malformed("")):
            broken.append(f"L4 record {record.id}: erased, but what it said is still there")
        if (record.status == "purged" and not record.erased) or (record.status == "open" and record.erased):
            broken.append(f"L4 record {record.id}: {record.status}, but its content says otherwise")
        if not record.reasons:
            broken.append(f"L4 record {record.id}: refused without a reason")
        if record.entry is None and (record.refusal not in refusals or record.status not in ("held", "discarded")):
            broken.append(f"L4 record {record.id}: of no entry and no refusal")
        if record.entry is not None and (record.entry not in known or record.status in ("held", "discarded")):
            broken.append(f"L4 record {record.id}: status {record.status} or entry {record.entry} cannot be")
        if record.status == "held" and record.refusal != last:
            broken.append(f"L4 record {record.id}: held by a load that is not the last")
    of = Counter(record.refusal for record in records if record.refusal is not None)
    return broken + [f"L4 refusal {id}: records are missing" for id, r in refusals.items() if r.quarantined != of[id]]


def law_5(state: State, table: str) -> list[str]:
    """Origin (append and replace): rows per `_hg_load` = added by that entry - removed by later ones."""
    if any(entry.updated for entry in state.entries_of(table)):
        return []
    found, known = count_by_load(state.rows(table)), expected_by_load(state, table)
    return [
        f"L5 {table}: a scan finds {found[load]} rows of load {load}, the books say {known[load]}"
        for load in sorted({*found, *known}, key=str)
        if found[load] != known[load]
    ]


def view(state: State) -> dict[str, dict[str, Any]]:
    """What makes two states the same, per table, as plain data that a real warehouse can be read into as well.

    *Shape*: table -> `rows`: Counter of (column, canonical text) tuples sorted by column, without `_hg_load`; `open`:
    Counter of (partition, record number, record, ((rule, column), ...)); `positions`: partition -> (identity, records);
    `read`, `quarantined`, `settled` (loaded + deduplicated): sums over the entries. A record is its raw text if it is
    malformed, else its (column, text) pairs sorted by column.
    """
    tables = sorted({*state.tables, *(entry.table for entry in state.entries)})
    return {table: shown for table in tables if any((shown := _view_of(state, table)).values())}


def _view_of(state: State, table: str) -> dict[str, Any]:
    entries = state.entries_of(table)
    return {
        "rows": Counter(_business(row) for row in state.rows(table)),
        "open": Counter(
            (r.partition, r.number, _record(r), tuple((x.rule, x.column) for x in r.reasons))
            for r in state.records(table)
        ),
        "positions": {name: tuple(p.end) for (of, name), p in state.positions.items() if of == table},
        "read": sum(entry.read for entry in entries),
        "quarantined": sum(entry.quarantined for entry in entries),
        "settled": sum(entry.loaded + entry.deduplicated for entry in entries),
    }


def _business(row: dict[str, Any]) -> tuple[tuple[str, str | None], ...]:
    return tuple(sorted((column, written(value)) for column, value in row.items() if column not in ("_hg_load", LINES)))


def lines_of(state: State, contract: Contract, table: str) -> dict[str, Counter[Any]]:
    """Child table -> its rows as Counter of (column, canonical text) tuples sorted by column."""
    children = [one for child in contract.children for one in child.family]
    return {
        child.table: Counter(
            made for row in state.rows(table) for made in child_rows(row, row[LINES], child, child.above)
        )
        for child in children
    }


def _record(refused: Refused) -> Any:
    record = refused.record
    return record.raw if isinstance(record, Malformed) else tuple(sorted(record.items()))


def same_state(a: State, b: State) -> bool:
    """Whether both hold the same rows, open records with the same reasons, positions and sums.

    Times, ids, physical order, messages of reasons and the number of entries don't matter.
    """
    return view(a) == view(b)


def differences(a: State, b: State) -> list[str]:
    """What keeps two states from being the same, one line per table and part; empty if they are the same."""
    one, two = view(a), view(b)
    found = []
    for table in sorted({*one, *two}):
        mine, other = one.get(table, {}), two.get(table, {})
        for part in sorted({*mine, *other}):
            if mine.get(part) != other.get(part):
                found.append(f"{table} {part}: {mine.get(part)} is not {other.get(part)}")
    return found
