"""What is done to refused records themselves: a fix changes what a record says, a purge erases it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from headgate.testing.oracle.commits import add_entry
from headgate.testing.oracle.model import WHOLE, Fields, Malformed, Refused, State


def fix(state: State, record: int, seen: int, fields: Fields | Malformed, parts: tuple[str, ...] = ()) -> State:
    """The state in which the open record says `fields`, and keeps what it said before.

    Nothing else changes: it stays open with its reasons until a replay judges it. `parts`: the source columns that name
    a partition of the table; where one of them changes, nobody knows any more which one the record belongs to. Errors:
    ValueError where it is not open, or has another revision than the one `seen`.
    """
    old = _of(state, record)
    if old.status != "open" or old.revision != seen:
        raise ValueError("the record is not open, or was fixed meanwhile")
    same = bool(parts) and all(_said(fields, name) == _said(old.record, name) for name in parts)
    key = old.key if same else None
    return _with(state, [replace(old, record=fields, before=(*old.before, old.record), key=key)])


def _said(record: Fields | Malformed, column: str) -> str | None:
    return None if isinstance(record, Malformed) else record.get(column)


def purge(state: State, table: str, ids: Iterable[int], reason: str) -> State:
    """The state in which these records, and those that they were before a replay, hold nothing any more.

    Open ones are settled as purged by an entry of their own; settled ones keep what became of them. Errors: ValueError
    where one is held or of another table, or all are erased already.
    """
    wanted = _with_ancestors(state, ids)
    chosen = [record for record in state.quarantine if record.id in wanted]
    if any(one.table != table or one.status in ("held", "discarded") for one in chosen):
        raise ValueError("a record can't be purged")
    if all(one.erased for one in chosen):
        raise ValueError("there is nothing to purge")
    after = state.copy()
    opened = sum(one.status == "open" for one in chosen)
    entry = add_entry(after, table, WHOLE, "purge", None, generation=after.generation(table), purged=opened, why=reason)
    after.versions[table] = after.versions.get(table, 0) + 1
    return _with(after, [_erased(one, entry.id) for one in chosen])


def _erased(record: Refused, entry: int) -> Refused:
    empty = replace(record, record=Malformed(""), before=(), erased=True, key=None)
    return replace(empty, status="purged", settled_by=entry) if record.status == "open" else empty


def _with_ancestors(state: State, ids: Iterable[int]) -> set[int]:
    """The records and all that they were before: a replay copies what a record says."""
    found: set[int] = set()
    for one in ids:
        record: int | None = one
        while record is not None and record not in found:
            found.add(record)
            record = _of(state, record).parent
    return found


def _of(state: State, id: int) -> Refused:
    found = next((record for record in state.quarantine if record.id == id), None)
    if found is None:
        raise ValueError("no such record")
    return found


def _with(state: State, changed: Iterable[Refused]) -> State:
    by_id = {record.id: record for record in changed}
    after = state.copy()
    after.quarantine = [by_id.get(record.id, record) for record in state.quarantine]
    return after
