"""One commit: judged records become rows, quarantine records, entries and positions, all at once or not at all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from headgate.testing.oracle.judge import Reading, Verdict, judge, key_of
from headgate.testing.oracle.model import (
    WHOLE,
    Entry,
    File,
    Flow,
    Kind,
    Past,
    Point,
    Position,
    Refusal,
    Refused,
    Row,
    State,
    Status,
)
from headgate.testing.oracle.rows import look, shares
from headgate.testing.oracle.values import rank


@dataclass(frozen=True)
class Part:
    """What a commit reads of one partition: the records after `start` up to `end`; `skip` = a twin's, all skipped."""

    partition: str
    file: File
    start: int
    end: int
    skip: bool = False
    twin_of: str = ""

    def readings(self) -> list[Reading]:
        numbers = range(self.start + 1, self.end + 1)
        return [Reading(self.partition, number, self.file.records[number - 1]) for number in numbers]


class Stopped(Exception):
    """The load may not go on; `refusal` and the records that it would have refused."""

    def __init__(self, code: str, message: str, read: int = 0, refused: tuple[Verdict, ...] = ()) -> None:
        super().__init__(message)
        self.code, self.message, self.read, self.refused = code, message, read, refused


def next_id(things: list[Any]) -> int:
    return max((thing.id for thing in things), default=0) + 1


def count_by_load(rows: list[Row]) -> Counter[Any]:
    """How many of the rows each `_hg_load` wrote: what a scan of the column finds."""
    return Counter(row.get("_hg_load") for row in rows)


def add_entry(
    state: State, flow_table: str, partition: str, kind: Kind, end: Point | None, content: Any = None, **facts: Any
) -> Entry:
    """Append an entry with the next seq of its partition and move the partition's position to it."""
    position = state.positions.get((flow_table, partition))
    generation = facts.pop("generation", position.generation if position else state.generation(flow_table))
    chain = [e for e in state.entries_of(flow_table) if (e.partition, e.generation) == (partition, generation)]
    start = chain[-1].end if chain else None
    entry = Entry(
        next_id(state.entries), flow_table, partition, generation, len(chain) + 1, kind, start, end,
        rows_after=len(state.rows(flow_table)), **facts,
    )  # fmt: skip
    state.entries.append(entry)
    if partition != WHOLE and end is not None:
        kept = content if content is not None else (position.content if position else ())
        state.positions[flow_table, partition] = Position(generation, entry.seq, end, kept)
    return entry


def commit(state: State, flow: Flow, parts: list[Part], limits: bool = False, anew: bool = False) -> None:
    """Judge the parts together and write them in one commit, one entry per part. Raises Stopped where a limit says so.

    `anew`: they replace all that the table held; a load without any record may not.

    `state` is changed: callers give a copy and throw it away when the load is stopped.
    """
    state.tables.setdefault(flow.table, [])
    readings = [reading for part in parts if not part.skip for reading in part.readings()]
    replaced, owed = _exchange(state, flow, readings)
    verdicts = judge(readings, flow, state)
    if limits:
        _obey_limits(flow, verdicts, sum(part.end - part.start for part in parts), anew)
        _reach_shares(flow, readings, verdicts)
    for part in parts:
        if flow.snapshots and not part.skip and part.start == 0:
            _end_vanished(state, flow, part.partition, readings, verdicts)
    by_partition: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_partition[verdict.reading.partition].append(verdict)
    for part in parts:
        end = Point(part.file.identity, part.end)
        facts: dict[str, Any] = {"read": part.end - part.start}
        if part.skip:
            facts |= {"skipped": part.end - part.start, "why": "twin"}
        state.settle(owed, "superseded", next_id(state.entries))
        facts["removed"], replaced, owed = replaced, {}, set()
        write(state, flow, part.partition, "load", end, by_partition[part.partition], facts, part.file.content)
        if part.skip:
            key = (flow.table, part.partition)
            state.positions[key] = replace(state.positions[key], twin_of=part.twin_of)
    state.versions[flow.table] = state.versions.get(flow.table, 0) + 1


def _exchange(state: State, flow: Flow, readings: list[Reading]) -> tuple[Mapping[Any, int], set[int]]:
    """Under `partition`: takes out the rows of every partition that the load delivers, by however bad a record.

    Returns how many of each `_hg_load`, and the open records of these partitions, which are owed no answer any more.
    """
    if flow.disposition != "partition":
        return {}, set()
    seen = [look(reading.record, flow) for reading in readings]
    delivered = {key_of(one.row, flow.keys) for one in seen if not one.skipped} - {None}
    removed = remove(state, flow.table, lambda row: key_of(row, flow.keys) in delivered)
    return removed, {record.id for record in state.records(flow.table) if record.key in delivered}


def write(
    state: State,
    flow: Flow,
    partition: str,
    kind: Kind,
    end: Point,
    verdicts: list[Verdict],
    facts: dict[str, Any],
    content: Any = None,
) -> Entry:
    """Give every verdict of one partition its effect, under a new entry."""
    entry_id = next_id(state.entries)
    fates = Counter(verdict.fate for verdict in verdicts)
    said = [verdict for verdict in verdicts if verdict.fate == "loaded" and verdict.note != "unchanged"]
    news = [verdict for verdict in said if verdict.note != "deleted"]
    loaded = [{**verdict.row, "_hg_load": entry_id} for verdict in news]
    if flow.disposition == "scd2":
        facts["removed"] = _enter_history(state, flow, said, entry_id)
        _show_latest(state, flow)
        updated = fates["loaded"] - len(loaded)
    else:
        updated = _put(state, flow, loaded)
    for verdict in verdicts:
        if verdict.fate == "quarantined":
            state.quarantine.append(_refused(state, flow, verdict, entry=entry_id))
    facts.setdefault("skipped", fates["skipped"])
    entry = add_entry(
        state, flow.table, partition, kind, end, content,
        inserted=fates["loaded"] - updated, updated=updated, quarantined=fates["quarantined"],
        deduplicated=fates["deduplicated"], warnings=sum(v.warnings for v in verdicts), **facts,
    )  # fmt: skip
    assert entry.id == entry_id
    return entry


def _put(state: State, flow: Flow, rows: list[Row]) -> int:
    """Write the rows into the table; how many of them took the place of another."""
    table = state.tables[flow.table]
    if flow.disposition != "upsert":
        table.extend(rows)
        return 0
    updated = 0
    for row in rows:
        identity = key_of(row, flow.keys)
        others = [other for other in table if key_of(other, flow.keys) != identity]
        updated += len(others) < len(table)
        table[:] = [*others, row]
    return updated


def _refused(state: State, flow: Flow, verdict: Verdict, entry: int | None, refusal: int | None = None) -> Refused:
    reading, origin = verdict.reading, verdict.reading.origin
    status: Status = "open" if refusal is None else "held"
    return Refused(
        next_id(state.quarantine), flow.table, reading.partition, reading.number, reading.record, verdict.reasons,
        entry, status, origin.id if origin else None, refusal=refusal, key=_partition_of(flow, verdict),
    )  # fmt: skip


def _enter_history(state: State, flow: Flow, said: list[Verdict], entry: int) -> Mapping[Any, int]:
    """Write what was said as versions and ends; how many of each `_hg_load` gave way to one of their time."""
    table, gone = state.tables[flow.table], []
    for verdict in said:
        row = verdict.row
        identity, since = key_of(row, flow.keys), flow.since(row)
        current = [one for one in table if one["is_current"] and key_of(one, flow.keys) == identity]
        for one in current:
            table.remove(one)
            if rank(one["valid_from"]) == rank(since) and verdict.note != "deleted":
                gone.append(one)
            else:
                table.append({**one, "valid_to": since, "is_current": False})
        if verdict.note != "deleted":
            new = {**row, "valid_from": since, "valid_to": None, "is_current": True}
            table.append({**new, "_hg_load": entry})
    return count_by_load(gone)


def _show_latest(state: State, flow: Flow) -> None:
    table = state.tables[flow.table]
    current = {key_of(row, flow.keys): row for row in table if row["is_current"]}
    for at, row in enumerate(table):
        now = current.get(key_of(row, flow.keys), {})
        table[at] = {**row, **{name: now.get(column) for column, name in flow.latest}}


def _end_vanished(state: State, flow: Flow, partition: str, readings: list[Reading], verdicts: list[Verdict]) -> None:
    """Ends the current versions that a snapshot does not deliver, by however bad a record, at its greatest time.

    Nothing where a record does not say whom it is about, or where a later snapshot was there before.
    """
    seen = [one for one in (look(reading.record, flow) for reading in readings) if not one.skipped]
    delivered = {key_of(one.row, flow.keys) for one in seen}
    times = [flow.since(v.row) for v in verdicts if v.fate in ("loaded", "deduplicated")]
    late = any(table == flow.table and name > partition for table, name in state.positions)
    if late or None in delivered or not times:
        return
    end, table = max(times, key=rank), state.tables[flow.table]
    for at, row in enumerate(table):
        gone = row["is_current"] and key_of(row, flow.keys) not in delivered
        if gone and rank(row["valid_from"]) < rank(end):
            table[at] = {**row, "valid_to": end, "is_current": False}


def _partition_of(flow: Flow, verdict: Verdict) -> tuple[object, ...] | None:
    """Under `partition`, what a later load must deliver to owe the record no answer; None where nobody can say."""
    overtaken = any(reason.rule == "replay" for reason in verdict.reasons)
    return key_of(verdict.row, flow.keys) if flow.disposition == "partition" and not overtaken else None


def _obey_limits(flow: Flow, verdicts: list[Verdict], read: int, anew: bool) -> None:
    refused = tuple(verdict for verdict in verdicts if verdict.fate == "quarantined")
    if anew and read == 0 and not flow.allow_empty:
        raise Stopped("empty", "the load would empty the table")
    if flow.limit is not None and flow.limit.exceeded(len(refused), read):
        raise Stopped("limit", "more records were refused than the contract allows", read, refused)


def _reach_shares(flow: Flow, readings: list[Reading], verdicts: list[Verdict]) -> None:
    missed = shares([look(reading.record, flow) for reading in readings], flow)
    if missed:
        refused = tuple(verdict for verdict in verdicts if verdict.fate == "quarantined")
        raise Stopped("mostly", f"too few records keep {', '.join(missed)}", len(readings), refused)


def refuse(state: State, flow: Flow, stopped: Stopped) -> None:
    """Note a stopped load: a refusal and its held records, and nothing else."""
    refusal = Refusal(
        next_id(state.refusals), flow.table, stopped.code, stopped.message, stopped.read, len(stopped.refused)
    )
    state.refusals.append(refusal)
    for verdict in stopped.refused:
        state.quarantine.append(_refused(state, flow, verdict, None, refusal.id))


def remove(state: State, table: str, where: Callable[[Row], bool]) -> Mapping[Any, int]:
    """Take rows out of the table; how many of each `_hg_load`."""
    gone = [row for row in state.rows(table) if where(row)]
    state.tables[table] = [row for row in state.rows(table) if not where(row)]
    return count_by_load(gone)


def supersede(state: State, table: str, partition: str | None, entry: int) -> None:
    """The open records of the partition (None = of all) are no longer owed an answer: their source is read anew."""
    owed = {r.id for r in state.records(table) if partition in (None, r.partition)}
    state.settle(owed, "superseded", entry)


def open_generation(state: State, flow: Flow) -> None:
    """Remove everything that the table holds: a new generation of all its partitions begins."""
    generation = max((entry.generation for entry in state.entries_of(flow.table)), default=0) + 1
    past = Past(next_id(state.entries), tuple(state.rows(flow.table)), state.seats(flow.table))
    if state.entries_of(flow.table):
        state.kept[flow.table] = past
    removed = remove(state, flow.table, lambda row: True)
    entry = add_entry(
        state, flow.table, WHOLE, "load", None, generation=generation, removed=removed, why="new generation"
    )
    supersede(state, flow.table, None, entry.id)
    for key in [key for key in state.positions if key[0] == flow.table]:
        del state.positions[key]


def reopen_partition(state: State, flow: Flow, partition: str, file: File) -> None:
    """Begin a changed file anew: its rows go, replays included, unless they have an identity; its open records are
    superseded."""
    table = flow.table
    removed: Mapping[Any, int] = {}
    if flow.disposition in ("append", "partition"):
        own = {entry.id for entry in state.entries_of(table) if entry.partition == partition}
        removed = remove(state, table, lambda row: row["_hg_load"] in own)
    generation = state.positions[table, partition].generation + 1
    entry = add_entry(
        state, table, partition, "load", Point(file.identity, 0), file.content,
        generation=generation, removed=removed, why="reload",
    )  # fmt: skip
    supersede(state, table, partition, entry.id)


def adjust(state: State, table: str, reason: str) -> State:
    """The state whose books accept the table as it is: an entry with what a scan finds more or less per `_hg_load`."""
    after = state.copy()
    found, known = count_by_load(after.rows(table)), expected_by_load(after, table)
    removed = {load: known[load] - found[load] for load in {*found, *known} if known[load] != found[load]}
    add_entry(after, table, WHOLE, "adjust", None, generation=after.generation(table), removed=removed, why=reason)
    after.versions[table] = after.versions.get(table, 0) + 1
    return after


def expected_by_load(state: State, table: str) -> Counter[Any]:
    """How many rows of each `_hg_load` the books of an append or replace table say there are."""
    known: Counter[Any] = Counter()
    for entry in state.entries_of(table):
        known[entry.id] += entry.inserted
        for load, rows in entry.removed.items():
            known[load] -= rows
    return known


def discard_held(state: State, table: str) -> None:
    """The table's next load makes the records of a stopped one void."""
    held = {record.id for record in state.records(table, "held")}
    state.quarantine = [replace(r, status="discarded") if r.id in held else r for r in state.quarantine]
