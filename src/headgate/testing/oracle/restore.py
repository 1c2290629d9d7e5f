"""A table that was replaced comes back, with its positions and its refused records; what stood until then is kept."""

from __future__ import annotations

from dataclasses import replace

from headgate.testing.oracle.commits import add_entry, count_by_load, discard_held, next_id, supersede
from headgate.testing.oracle.model import WHOLE, Flow, Past, Position, State


def restore(state: State, flow: Flow) -> State:
    """The state whose table is as it was before it was replaced last. The positions go back with the rows; only those
    of a table that is replaced as a whole stay: what its source holds was seen, and given up.

    Errors: ValueError where nothing is kept; nothing is changed.
    """
    table = flow.table
    past = state.kept.get(table)
    if past is None:
        raise ValueError("nothing is kept")
    after = state.copy()
    discard_held(after, table)
    seats = after.seats(table)
    generation = max(entry.generation for entry in after.entries_of(table)) + 1
    after.kept[table] = Past(next_id(after.entries), tuple(after.rows(table)), seats)
    removed = count_by_load(after.rows(table))
    removed.subtract(count_by_load(list(past.rows)))
    after.tables[table] = list(past.rows)
    gone = {load: rows for load, rows in removed.items() if rows}
    entry = add_entry(after, table, WHOLE, "restore", None, generation=generation, removed=gone, why="restore")
    supersede(after, table, None, entry.id)
    after.positions = {key: position for key, position in after.positions.items() if key[0] != table}
    for name, position in sorted((seats if flow.disposition == "replace" else past.positions).items()):
        _partition(after, table, name, position, generation, past.by)
    after.versions[table] = after.versions.get(table, 0) + 1
    return after


def _partition(state: State, table: str, name: str, position: Position, generation: int, by: int) -> None:
    """The partition stands where it stood, and its records that the replacement settled wait again."""
    number = next_id(state.entries)
    waiting = [
        record
        for record in state.quarantine
        if (record.table, record.partition, record.settled_by, record.status) == (table, name, by, "superseded")
    ]
    for record in waiting:
        again = replace(record, id=next_id(state.quarantine), entry=number, status="open", parent=record.id)
        state.quarantine.append(replace(again, settled_by=None))
    add_entry(
        state, table, name, "restore", position.end, position.content,
        generation=generation, read=len(waiting), quarantined=len(waiting), why="restore",
    )  # fmt: skip
    state.positions[table, name] = replace(state.positions[table, name], twin_of=position.twin_of)
