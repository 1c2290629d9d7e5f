"""`extra: evolve`: what files bring and the contract does not name becomes a column of table and contract, as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from headgate.testing.oracle.commits import add_entry
from headgate.testing.oracle.loads import standing
from headgate.testing.oracle.model import WHOLE, Column, File, Flow, State


def grow(state: State, flow: Flow, files: Mapping[str, File], anew: bool = False) -> tuple[State, Flow]:
    """The state and the flow as the load of these files finds them; `flow` is as its author wrote it.

    A table that is made, or made anew, has what its own files bring; one that stands takes in what it lacks, NULL in
    the rows that are there, by an entry of its own. Only files that the load would read bring anything.
    """
    standings = {name: standing(state, flow.table, name, file) for name, file in files.items()}
    known = {partition for table, partition in state.positions if table == flow.table}
    moved = bool(known - set(files)) or any(one != "unchanged" for one in standings.values())
    anew = anew or (flow.disposition == "replace" and moved)
    made = anew or not state.entries_of(flow.table)
    reads = ("new", "partial") if flow.on_change == "ignore" else ("new", "partial", "changed")
    todo = [file for name, file in sorted(files.items()) if anew or standings[name] in reads]
    before = () if made else state.brought.get(flow.table, ())
    after = state.copy()
    if not todo:
        return after, brought(state, flow)
    written = {name.lower() for column in flow.contract.columns for name in (column.name, column.read_as)}
    names = {name for file in todo for name in file.header if name.lower() not in written} - set(before)
    after.brought[flow.table] = (*before, *sorted(names))
    if names and not made:
        after.tables[flow.table] = [{**row, **dict.fromkeys(names)} for row in after.rows(flow.table)]
        add_entry(after, flow.table, WHOLE, "evolve", None, generation=after.generation(flow.table), why="evolve")
    return after, brought(after, flow)


def brought(state: State, flow: Flow) -> Flow:
    """The flow with the columns that files brought."""
    more = tuple(Column(name, "text", optional=True) for name in state.brought.get(flow.table, ()))
    return replace(flow, contract=replace(flow.contract, columns=(*flow.contract.columns, *more)), extra="error")
