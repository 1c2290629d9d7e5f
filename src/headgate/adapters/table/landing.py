"""What the books say of a table that was landed raw: which rows of it came from where, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, field

from headgate.core.protocols import Engine, StoreSession
from headgate.core.records import dataclass
from headgate.core.values import PartitionStatus, Position, SourceColumn, TableRef

RECORD = "_hg_record"
"""The column of the table that keeps the number of each record in its file."""
LOAD = "_hg_load"
"""The column that names the entry that wrote the row."""
GONE = "gone"
"""In the position of a partition that the table has no more."""

Originals = Callable[[Engine, str, Position, Sequence[int]], "tuple[str, Callable[[], None]] | None"]
"""For the records of these numbers of a partition, whose position is as given: a SELECT of `_hg_row, line, raw` as the
file still has them, and what releases it; None where it has not."""


@dataclass(frozen=True)
class Landed:
    """What one entry left in the table: `rows` of them now, that the source gave with `columns`, of these types.

    `documents`: the first column holds JSON documents, whose keys are the columns meant. `from_file`: the rows are
    as the file has them.
    """

    id: int
    rows: int
    columns: tuple[SourceColumn, ...]
    documents: bool = False
    from_file: bool = True


@dataclass(frozen=True)
class Chain:
    """One partition of the table: what is left of its entries, oldest first. `generation`: that of the partition;
    another one means that its rows were exchanged. `size` and `position`: of the file, as it was read last."""

    partition: str
    generation: int
    entries: tuple[Landed, ...]
    size: int = 0
    position: Position = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.entries)


@dataclass(frozen=True)
class Landing:
    """The table, read through `session`; `stored`: its columns' names and the engine's types of them.

    `there`: the books know it. `chains`: by partition, in name order.
    """

    session: StoreSession
    table: TableRef
    stored: Mapping[str, str]
    chains: Mapping[str, Chain]
    there: bool = True
    originals: Originals | None = None


@dataclass(frozen=True)
class Progress:
    """How far a partition was read: all `rows` of its entries up to `entry`, and of the next one what stands up to the
    number `record`."""

    generation: int = 0
    entry: int = 0
    rows: int = 0
    record: int = 0

    @classmethod
    def of(cls, at: Position) -> Progress:
        return cls(*(int(at[name]) for name in ("generation", "entry", "rows", "record")))

    def position(self, table: TableRef) -> Position:
        return {"table": str(table), **asdict(self)}

    def todo(self, chain: Chain) -> tuple[Landed, ...]:
        """Entries of which something is left to read."""
        return tuple(one for one in chain.entries if one.id > self.entry)


def status_of(chain: Chain, table: TableRef, position: Position | None) -> tuple[PartitionStatus, str]:
    """What became of the partition since it was read up to the position, and why that is so."""
    if position is None or GONE in position:
        return "new", ""
    if position.get("table") != str(table):
        return "changed", f"it was not read from {table} before"
    at = Progress.of(position)
    if at.generation != chain.generation:
        return "changed", f"{table} was given its rows anew"
    rows = sum(one.rows for one in chain.entries if one.id <= at.entry)
    if rows != at.rows:
        return "changed", f"{table} had {at.rows} of the rows that were read, and has {rows} of them now"
    if at.record or at.todo(chain):
        return "partial", f"{table} has more of it"
    return "unchanged", ""
