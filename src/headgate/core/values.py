"""Small frozen values that every room shares. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Literal

from headgate.core.records import dataclass

Position = Mapping[str, Any]
"""Opaque JSON made by a source; only equality matters to anybody else."""

PartitionStatus = Literal["new", "unchanged", "changed", "partial", "twin", "open", "gone"]


@dataclass(frozen=True, order=True)
class TableRef:
    """A table of the warehouse, by schema and name."""

    schema: str
    name: str

    @classmethod
    def parse(cls, text: str) -> TableRef:
        schema, _, name = text.rpartition(".")
        return cls(schema or "main", name)

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class SourceColumn:
    """A column as a source yields it: its name there and its physical type in the engine's spelling (`DESCRIBE`)."""

    name: str
    physical: str


@dataclass(frozen=True)
class Partition:
    """One partition of a source as a run finds it.

    `name` is the path relative to the glob's fixed prefix; `size` bytes. `status` against the position kept in the
    warehouse: new | unchanged | changed (its identity differs) | partial (a load stopped inside it) | twin (its content
    equals that of partition `twin_of`) | open (read to its end, and may have more now) | gone (the source has nothing
    of it any more, and its rows are to go; only sources that give up rows themselves say so). A changed one may have a
    twin, too. `former`: it has the content that `twin_of` had when it was loaded, and has no more.
    """

    name: str
    status: PartitionStatus
    size: int
    reason: str = ""
    twin_of: str = ""
    location: str = ""
    former: bool = False


@dataclass(frozen=True)
class Batch:
    """Rows of one partition from position `start` to position `end`, as a relation of the engine.

    *Shape*: `relation` is a SELECT with `_hg_row` (BIGINT, 1-based record number within the partition, ascending in
    source order) and then `columns` under their own names, one row per well-formed record.
    `malformed` records are not in it; `malformed_relation` yields them as `_hg_row, line, raw, message`.
    `records` counts both and was counted by an instrument independent of the parser; `rows = records - malformed`.
    `row_base`: when not None the relation has no `_hg_row`: its rows come in source order and the record number of the
    n-th of them (from 0) is `row_base + n` (numbering rows inside the engine would make it read with one thread).
    `rescan`: True if reading the relation again is cheap (columnar file), False if it is dear (text).
    `careful`: where a first strict read may fail or disagree with `records`, makes the same batch again the careful way
    (every well-formed record set apart by our own splitter); None if this is that batch or none is needed.
    `verify`: call it after the rows were taken; raises AdapterError `file-changed` if what was read is no longer there
    as it was. None if the source cannot change under its reader.
    `first_record`: the number of the batch's first record. `extent`: how many record numbers there are from it on to
    the last one, where some are of no record of the batch; 0: as many as `records`.
    `originals(rows)`: a SELECT of `_hg_row, line, raw, "row"` for these record numbers (where `rescan` also: those that
    a SELECT of one column gives): line in the file (BIGINT or NULL), the record's text as received (NULL for columnar
    sources), and a JSON object of source column -> canonical text or null.
    `sparse`: a column that the relation lacks is NULL in every record; it is not missing.
    `also`: records between those of this batch and `end`, in batches of their own because their columns have other
    types; record numbers go on without a gap. They are committed together with it.
    `facts`: what the entry that loads the batch says besides.
    `uncovered`: how many records before `end` the source will give again, because they lie behind its last position.
    """

    partition: str
    relation: str
    columns: tuple[SourceColumn, ...]
    records: int
    start: Position
    end: Position
    rescan: bool
    originals: Callable[[Sequence[int] | str], str]
    malformed: int = 0
    malformed_relation: str = ""
    careful: Callable[[], Batch] | None = None
    row_base: int | None = None
    first_record: int = 1
    location: str = ""
    verify: Callable[[], None] | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    sparse: bool = False
    also: tuple[Batch, ...] = ()
    uncovered: int = 0
    extent: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pieces(self) -> tuple[Batch, ...]:
        """This batch and those that go with it, in source order."""
        return (self, *self.also)

    @property
    def total(self) -> int:
        """Records of all pieces."""
        return sum(one.records for one in self.pieces)
