"""A commit as data: what one transaction will do, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Literal, Protocol

from headgate.books import quarantine
from headgate.books.history import Closing, History, Vanishing
from headgate.books.ledger import Counts, Entry, Kind, Seat, fingerprint
from headgate.books.previous import Former
from headgate.contracts.children import Kin
from headgate.contracts.model import Limit
from headgate.core.errors import Finding
from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.core.values import Position, TableRef
from headgate.sql import quote

LOAD_COLUMN = "_hg_load"

Disposition = Literal["append", "upsert", "insert", "partition", "scd2"]
"""What accepted rows do to a table: they are added; take the place of the row of their identity; are added where there
is none of their identity; take the place of all rows of the partitions that the load delivers; are added as the newest
version of their identity, which ends the one before."""

IDENTIFIED: tuple[Disposition, ...] = ("upsert", "insert", "scd2")
"""Where a row has an identity, a partition's earlier rows stay when it is reloaded."""


@dataclass(frozen=True)
class Part:
    """One slice of one partition inside a commit.

    `seat` is what was read before (None: the partition is new). `generation` differs from the seat's where the part
    opens a new one; `reload` then removes what earlier generations of this partition left in the table.
    `records` were counted by an instrument independent of the parser. `claims`: SELECT of the quarantine ids that a
    replay settles (as many as `records`).
    """

    number: int
    partition: str
    seat: Seat | None
    generation: int
    start: Position
    end: Position
    records: int
    reload: bool = False
    claims: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What its entry says besides."""

    @property
    def seq(self) -> int:
        return self.seat.seq + 1 if self.seat and self.seat.generation == self.generation else 1


@dataclass(frozen=True)
class LineCounts:
    """Lines of a child table by what became of their records; those of accepted records are the rest of `read`."""

    read: int = 0
    quarantined: int = 0
    deduplicated: int = 0
    skipped: int = 0


@dataclass(frozen=True)
class Delivered:
    """The partitions of a load: a SELECT, for the store, of `_hg_part` and the columns that name them, and their
    canonical texts, by which quarantined records name the partition that they belong to."""

    select: str
    texts: tuple[str, ...]


class Judgement(Protocol):
    """What the gate knows of the rows of a commit. `stop`: why a rule about the load stops it, once it is judged."""

    stop: Finding | None

    def judge(self, session: StoreSession) -> Mapping[int, Counts]:
        """Fates per part number (read, quarantined, deduplicated, skipped), set rules included."""
        ...

    def accepted(self) -> str:
        """SELECT, for the engine, of `_hg_part` and the table's columns: the rows to write."""
        ...

    def keys(self, names: Sequence[str]) -> str:
        """SELECT, for the store, of `_hg_part` and these columns of the identity, for the rows to write."""
        ...

    def delivered(self) -> Delivered | None:
        """Under `partition`, what the load delivers; None where it replaces nothing (a replay)."""
        ...

    def closing(self) -> Closing | None:
        """Under `scd2`, the versions that end."""
        ...

    def former(self) -> Former | None:
        """Under `upsert`, what rows keep of those before them; None where there is nothing to keep."""
        ...

    def vanishing(self) -> Vanishing | None:
        """The versions that end because a snapshot does not deliver them; None where it can't tell."""
        ...

    def refused(self, session: StoreSession) -> quarantine.Refused:
        """The records to quarantine."""
        ...

    def lines(self, table: str) -> str:
        """SELECT, for the engine, of `_hg_part` and the columns of a child table: the lines of the rows to write."""
        ...

    def line_counts(self, table: str) -> Mapping[int, LineCounts]:
        """Per part number, what became of the lines."""
        ...


@dataclass(frozen=True)
class Staged:
    """Where the rows are written before they take the table's place, or join those that stand, in the transaction.

    `inspect(session, table)` looks at them there, and raises where they must not be published.
    """

    table: TableRef
    inspect: Callable[[StoreSession, TableRef], None]


@dataclass(frozen=True)
class Commit:
    """All that one transaction will do, as data plus the judgement that the gate makes inside it."""

    table: TableRef
    attempt: str
    kind: Kind
    parts: tuple[Part, ...]
    columns: tuple[tuple[str, str], ...]
    judgement: Judgement
    contract: str = ""
    author: str = ""
    disposition: Disposition = "append"
    keys: tuple[str, ...] = ()
    replace: bool = False
    limit: Limit | None = None
    refuse_empty: bool = False
    pin: str = ""
    """A contract that was taken from the data, as text: kept with the rows that it judged."""
    lookups: tuple[tuple[str, ...], ...] = ()
    """Columns by which set rules find rows of the table."""
    staged: Staged | None = None
    """With `replace`: whatever stands in the table's place, a view too, makes room for another relation."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the first entry says besides."""
    history: History | None = None
    """Under `scd2`, how the table keeps versions."""
    children: tuple[Kin, ...] = ()
    """The tables of the lines inside of the records."""


@dataclass(frozen=True)
class Committed:
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Lost:
    """Another runner committed the slice first; nothing of this one was kept."""


@dataclass(frozen=True)
class Stopped:
    """A declared limit stopped the load; table and positions are as they were."""

    finding: Finding
    counts: Counts


Outcome = Committed | Lost | Stopped


_LONGEST = 36
"""Bytes of a table's name that another made from it begins with: PostgreSQL keeps 63 of a name."""


def kept_ref(table: TableRef) -> TableRef:
    """Where the table that was replaced last is kept."""
    head = table.name.encode()[:_LONGEST].decode(errors="ignore")
    mark = "" if head == table.name else "_" + fingerprint(str(table))[:12]
    return TableRef(table.schema, f"{head}{mark}__hg_kept")


def staged_ref(table: TableRef, attempt: str) -> TableRef:
    """Where the rows that replace all those of a table stand until they are put in its place."""
    head = table.name.encode()[:_LONGEST].decode(errors="ignore")
    return TableRef(table.schema, f"{head}__hg_{attempt}")


def loaded_columns(columns: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The columns of a loaded table: the contract's, and the entry that wrote each row."""
    return [*columns, (LOAD_COLUMN, "BIGINT")]


def matching(columns: Sequence[tuple[str, str]], names: Sequence[str]) -> str:
    """SQL: rows `old` and `new` agree in these columns. JSON is compared by its text: not every store has an equality
    for it."""
    json = {name for name, kind in columns if kind == "JSON"}
    return " AND ".join(_same(quote.ident(name), name in json) for name in names)


def _same(key: str, by_text: bool) -> str:
    return f"CAST(old.{key} AS VARCHAR) = CAST(new.{key} AS VARCHAR)" if by_text else f"old.{key} = new.{key}"
