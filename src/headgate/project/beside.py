"""What a load keeps beside the contract's columns, or measures by one of them, against the contract."""

from __future__ import annotations

from collections.abc import Sequence

from headgate.contracts import short
from headgate.contracts.model import Contract
from headgate.core.errors import Location, nearest
from headgate.project.fields import Notes
from headgate.project.model import LoadSpec

TIMES = ("date", "timestamp", "timestamptz")


def checked(notes: Notes, contract: Contract, how: LoadSpec, keys: Sequence[str]) -> Contract:
    """The contract that the load asks for; what does not fit it is noted."""
    where = how.where or Location("")
    if how.previous:
        _previous(notes, contract, how, keys)
    if how.horizon is None:
        return contract
    by, types = how.horizon.by, {column.name: column.type.name for column in contract.columns}
    if by not in types:
        what = f"by names column {by!r}, which the contract does not have{nearest(by, list(types))}"
        notes.error("unknown-column", what, where, "use one of " + ", ".join(types))
        return contract
    if types[by] not in TIMES:
        what = f"within is measured on a time, and {by} is {types[by]}"
        notes.error("bad-value", what, where, "name a date, timestamp or timestamptz")
    return short.as_required(contract, (by,))


def _previous(notes: Notes, contract: Contract, how: LoadSpec, keys: Sequence[str]) -> None:
    where = how.where or Location("")
    names = [column.name for column in contract.columns]
    for column, _ in how.previous:
        if column not in names:
            what = f"previous names column {column!r}, which the contract does not have{nearest(column, names)}"
            notes.error("unknown-column", what, where, "use one of " + ", ".join(names))
        elif column in keys:
            what = f"previous names {column}, which is what an identity is known by: it never changes"
            notes.error("bad-value", what, where, f"take {column} out of previous")
    taken = [*names, *([how.tombstones.column] if how.tombstones is not None else [])]
    for _, name in how.previous:
        if name.lower() in [one.lower() for one in taken] or name.lower().startswith("_hg_"):
            what = f"{name!r} can't keep a former value: another column has the name, or it is reserved"
            notes.error("reserved-name", what, where, "choose another: previous: {city: city_before}")
        taken.append(name)
    columns = [column for column, _ in how.previous]
    if len(set(columns)) < len(columns):
        notes.error("duplicate-key", "previous names a column twice", where, "name each column once")


def needs_columns(notes: Notes, how: LoadSpec) -> None:
    """Without columns, nobody knows what these speak of."""
    words = ["previous"] * bool(how.previous) + ["by and within"] * (how.horizon is not None)
    for word in words:
        needs = "need" if " " in word else "needs"
        fix = "write columns: with name: type lines"
        notes.error("missing-key", f"{word} {needs} columns:, to know what it speaks of", how.where or "", fix)
