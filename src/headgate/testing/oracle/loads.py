"""The operations on a state: load, full refresh, replay. Each gives a new state and leaves the given one as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal

from headgate.testing.oracle.commits import (
    Part,
    Stopped,
    commit,
    discard_held,
    open_generation,
    refuse,
    reopen_partition,
    write,
)
from headgate.testing.oracle.judge import Reading, Verdict, judge
from headgate.testing.oracle.model import File, Flow, Refused, State

Files = Mapping[str, File]
Slices = Mapping[str, Sequence[int]]
Standing = Literal["new", "unchanged", "partial", "changed"]


def load(state: State, flow: Flow, files: Files, slices: Slices | None = None, stop_after: int | None = None) -> State:
    """The state after one load of everything new in `files` (partition name -> File).

    `slices`: for a partition, the record numbers after which a commit of a visible load ends; judged loads are one
    commit whatever it says. `stop_after`: the load dies after so many commits; loading again goes on where it stopped.
    A load that may not go on leaves table, entries and positions as they were, and notes a refusal.
    """
    return _attempt(state, flow, lambda after: _load(after, flow, files, slices or {}, stop_after))


def full_refresh(state: State, flow: Flow, files: Files) -> State:
    """The state after the table was dropped from the books and every file read anew, in one commit. Where there never
    was a file, there is nothing to do."""
    tried = flow.table in state.versions or any(one.table == flow.table for one in state.refusals)
    if not files and not tried:
        return state.copy()
    return _attempt(state, flow, lambda after: _read_anew(after, flow, files))


def _attempt(state: State, flow: Flow, work: Callable[[State], None]) -> State:
    after = state.copy()
    discard_held(after, flow.table)
    try:
        work(after)
    except Stopped as stopped:
        after = state.copy()
        discard_held(after, flow.table)
        refuse(after, flow, stopped)
    return after


def standing(state: State, table: str, partition: str, file: File) -> Standing:
    """What the file is against the position that the books keep of its partition."""
    position = state.positions.get((table, partition))
    if position is None:
        return "new"
    if position.end.identity != file.identity:
        return "changed"
    return "unchanged" if position.end.records == len(file.records) else "partial"


def _load(state: State, flow: Flow, files: Files, slices: Slices, stop_after: int | None) -> None:
    known = {partition for table, partition in state.positions if table == flow.table}
    standings = {name: standing(state, flow.table, name, files[name]) for name in sorted(files)}
    if flow.disposition == "replace":
        if known - set(files) or any(s != "unchanged" for s in standings.values()):
            _read_anew(state, flow, files)
        return
    changed = [name for name, s in standings.items() if s == "changed"]
    if changed and flow.on_change == "error":
        raise Stopped("changed", f"{changed[0]} changed after it was loaded")
    reload = changed if flow.on_change == "reload" else []
    lost = [name for name in reload if state.positions[flow.table, name].adopted]
    if lost and flow.disposition in ("append", "partition"):
        raise Stopped("changed", f"nobody can tell which rows are those of {lost[0]}")
    # What was skipped as a twin of a file that now changes is in the table no more: it is read again, too.
    reload = [
        name
        for name, s in standings.items()
        if name in reload or (s == "unchanged" and state.positions[flow.table, name].twin_of in reload)
    ]
    todo = [name for name, s in standings.items() if s in ("new", "partial") or name in reload]
    if not flow.snapshots:
        _check_structure(flow, [files[name] for name in todo])
    if flow.snapshots:
        _load_snapshots(state, flow, files, todo, reload)
    elif flow.judged:
        _load_judged(state, flow, files, todo, reload)
    else:
        _load_visibly(state, flow, files, todo, reload, slices, stop_after)


def _load_judged(state: State, flow: Flow, files: Files, todo: list[str], reload: list[str]) -> None:
    for name in reload:
        reopen_partition(state, flow, name, files[name])
    parts = [_part(state, flow, files, name, todo) for name in todo]
    if parts:
        commit(state, flow, parts, limits=True)


def _load_snapshots(state: State, flow: Flow, files: Files, todo: list[str], reload: list[str]) -> None:
    """File by file, each judged as a whole; one that may not go on leaves those before it."""
    for name in todo:
        before = state.copy()
        try:
            _check_structure(flow, [files[name]])
            if name in reload:
                reopen_partition(state, flow, name, files[name])
            commit(state, flow, [_part(state, flow, files, name, todo)], limits=True, anew=True)
        except Stopped as stopped:
            _restore(state, before)
            refuse(state, flow, stopped)
            return


def _restore(state: State, before: State) -> None:
    for name, value in vars(before).items():
        setattr(state, name, value)


def _load_visibly(
    state: State, flow: Flow, files: Files, todo: list[str], reload: list[str], slices: Slices, stop_after: int | None
) -> None:
    """Slice by slice; all changed files are taken out in a first commit, before any row is judged."""
    commits = 0
    if reload:
        for name in reload:
            reopen_partition(state, flow, name, files[name])
        state.versions[flow.table] = state.versions.get(flow.table, 0) + 1
        commits += 1
    for name in todo:
        for part in _cut(_part(state, flow, files, name, todo), slices.get(name, ())):
            if stop_after is not None and commits >= stop_after:
                return
            if part.end > part.start or (flow.table, name) not in state.positions:
                commit(state, flow, [part])
                commits += 1


def _part(state: State, flow: Flow, files: Files, name: str, todo: list[str]) -> Part:
    position = state.positions.get((flow.table, name))
    start = position.end.records if position else 0
    twin_of = _twin_of(state, flow, files, name, todo) if flow.twin_files == "skip" and start == 0 else ""
    return Part(name, files[name], start, len(files[name].records), bool(twin_of), twin_of)


def _cut(part: Part, cuts: Sequence[int]) -> list[Part]:
    """The part in slices that end at the cuts. A twin is skipped in one."""
    inner = [] if part.skip else sorted({cut for cut in cuts if part.start < cut < part.end})
    bounds = [part.start, *inner, part.end]
    return [replace(part, start=a, end=b) for a, b in pairwise(bounds)]


def _twin_of(state: State, flow: Flow, files: Files, name: str, todo: list[str]) -> str:
    """The partition that has the same content in the table, or comes before this one in this load; "" if none."""
    content = files[name].content
    for (table, other), position in sorted(state.positions.items()):
        carrier = state.positions.get((flow.table, position.twin_of), position)
        loaded = position.end.records > 0 and carrier.end.records > 0
        if table == flow.table and other != name and loaded and position.content == carrier.content == content:
            return position.twin_of or other
    return next((other for other in todo if other < name and files[other].content == content), "")


def _read_anew(state: State, flow: Flow, files: Files) -> None:
    names = sorted(files)
    first = names[:1] if flow.snapshots else names
    _check_structure(flow, [files[name] for name in first])
    open_generation(state, flow)
    commit(state, flow, [_part(state, flow, files, name, names) for name in first], limits=True, anew=True)
    if flow.snapshots:
        _load_snapshots(state, flow, files, names[1:], [])


def _check_structure(flow: Flow, files: list[File]) -> None:
    lists = {child.source for child in flow.contract.children}
    wanted = {column.read_as for column in flow.contract.columns} | lists
    optional = {c.read_as for c in flow.contract.columns if not c.key and c.required != "error"} | lists
    needed = wanted - optional if flow.missing == "null" else wanted
    needed = needed - {column.read_as for column in flow.contract.columns if column.optional}
    for file in files:
        if missing := needed - set(file.header):
            raise Stopped("structure", f"a file lacks the column {min(missing)}")
        if flow.extra == "error" and (unknown := set(file.header) - wanted):
            raise Stopped("structure", f"a file has the unknown column {min(unknown)}")


def replay(state: State, flow: Flow, ids: Iterable[int]) -> State:
    """The state after these quarantine records went through the gate again, by the contract as it stands now.

    One commit, one entry per origin partition, in which no limit holds. Records that are refused again are new records
    with their parent. Errors: ValueError where one of them is not open; nothing is changed.
    """
    wanted = set(ids)
    chosen = sorted(
        (r for r in state.records(flow.table) if r.id in wanted), key=lambda r: (r.partition, r.number, r.id)
    )
    if len(chosen) != len(wanted):
        raise ValueError("not every record is open")
    after = state.copy()
    if not chosen:
        return after
    readings = [Reading(r.partition, r.number, r.record, r, _first_entry(state, r)) for r in chosen]
    verdicts = judge(readings, flow, after)
    for partition in sorted({record.partition for record in chosen}):
        mine = [verdict for verdict in verdicts if verdict.reading.partition == partition]
        _replay_partition(after, flow, partition, mine)
    after.versions[flow.table] = after.versions.get(flow.table, 0) + 1
    return after


def _replay_partition(state: State, flow: Flow, partition: str, verdicts: list[Verdict]) -> None:
    position = state.positions.get((flow.table, partition))
    adopted = (entry.end for entry in state.entries_of(flow.table) if entry.partition == partition and entry.end)
    end = position.end if position else next(adopted)
    entry = write(state, flow, partition, "replay", end, verdicts, {"read": len(verdicts)})
    ids = {verdict.reading.origin.id for verdict in verdicts if verdict.reading.origin}
    state.settle(ids, "replayed", entry.id)


def _first_entry(state: State, record: Refused) -> int:
    """The entry that refused the record for the first time: what was written after it is later than the record."""
    by_id = {other.id: other for other in state.quarantine}
    while record.parent is not None:
        record = by_id[record.parent]
    return record.entry or 0
