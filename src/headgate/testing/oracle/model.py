"""What the oracle works on: contracts, flows, files, and the state of a warehouse with its books.

Everything is plain data. Operations never change a state they were given, nor a row that a state holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from headgate.testing.oracle.forms import Form
from headgate.testing.oracle.values import Value

Row = dict[str, Value]
"""A row of a table: column -> value, and `_hg_load` -> the id of the entry that wrote it."""

Check = Callable[[Row], bool | None]
Keep = Literal["first", "last", "none"]
Severity = Literal["error", "warn"]
Disposition = Literal["append", "upsert", "insert", "replace", "partition", "scd2"]
Duplicates = Literal["latest", "refuse"]
Kind = Literal["load", "replay", "adjust", "purge", "evolve", "restore", "adopt"]
Status = Literal["open", "held", "replayed", "superseded", "purged", "discarded"]
Fate = Literal["loaded", "quarantined", "deduplicated", "skipped"]

WHOLE = ""
"""The partition of an entry about the whole table: what a replace removed, an adjust accepted, a purge erased, and of
rows that stood in it before it had books."""


@dataclass(frozen=True)
class Rule:
    """One row rule of a column. `code` and `args`: min(x), max(x), above(x), below(x), between(a, b), multiple_of(x),
    length(a, b), pattern(regex), in(a, b, ...), not_in(a, b, ...); arguments are values of the column's type, b of
    length None for no bound. NULL passes. `mostly`: at least this share of the values must keep it."""

    code: str
    args: tuple[Value, ...] = ()
    severity: Severity = "error"
    mostly: Fraction | None = None


@dataclass(frozen=True)
class Column:
    """One column. `source` is its name in the files ("" = its own); `required` holds the severity, None = not required.

    `key` implies required and is an error whatever else is `warn`.
    """

    name: str
    type: str
    source: str = ""
    required: Severity | None = None
    key: bool = False
    rules: tuple[Rule, ...] = ()
    was: tuple[str, ...] = ()
    form: Form | None = None
    optional: bool = False
    """A file may lack it: another one brought it."""

    @property
    def read_as(self) -> str:
        return self.source or self.name

    def text_in(self, record: Mapping[str, str | None]) -> str | None:
        """What the record has for the column; one that was read for an earlier contract, under a name it had then."""
        return next((record[name] for name in (self.read_as, *self.was) if name in record), None)


@dataclass(frozen=True)
class CrossRule:
    """A condition over the row; False refuses, NULL (None) passes. `sql` says the same in SQL, for the real system."""

    name: str
    check: Check
    sql: str = ""
    severity: Severity = "error"
    mostly: Fraction | None = None


@dataclass(frozen=True)
class Call:
    """A function that is given the row. It refuses by False, by a text that says why, or by raising.

    `function` names the same for the real system: `path.py:name`.
    """

    name: str
    judge: Callable[[Row], bool | str | None]
    function: str = ""
    severity: Severity = "error"


@dataclass(frozen=True)
class Unique:
    """No two rows of the table agree in `columns`; a row with a NULL among them takes and tests no key."""

    columns: tuple[str, ...]
    keep: Keep = "first"
    code: Literal["unique", "key"] = "unique"


@dataclass(frozen=True)
class Reference:
    """A row of `to_table` has in `to_columns` what the row has in `columns`; a row with a NULL among them passes.

    `nulls`: a row whose values do not stand there is loaded with NULL in the place of all of them; nothing is refused
    or warned of. `code`: the name of a rule that stands under `rules:`.
    """

    columns: tuple[str, ...]
    to_table: str
    to_columns: tuple[str, ...]
    severity: Severity = "error"
    nulls: bool = False
    code: str = "references"

    @property
    def target(self) -> str:
        """As a reason names it."""
        alone = len(self.to_columns) == 1
        return f"{self.to_table}.{self.to_columns[0]}" if alone else f"{self.to_table} ({', '.join(self.to_columns)})"


@dataclass(frozen=True)
class Limit:
    """`refuse_at_most`: ("rows", n) or ("share", f), f between 0 and 1 and exact. A share of 1 is no limit."""

    kind: Literal["rows", "share"]
    value: int | Fraction

    @classmethod
    def of(cls, kind: Literal["rows", "share"], value: int | float | str | Fraction) -> Limit:
        return cls(kind, int(value) if kind == "rows" else Fraction(str(value)))

    def exceeded(self, refused: int, read: int) -> bool:
        return refused > (self.value if self.kind == "rows" else self.value * read)


@dataclass(frozen=True)
class Child:
    """A list inside of a record (or of a line) whose elements are rows of `table`. In the record it is a JSON text.

    `links`: (key column of the record's table, column here); `above`: columns here with the places of the lines that
    the list is in. Lines have types, required, rules, a key and `unique` columns within their list, and conditions.
    A column that is read as "." is the element itself.
    """

    table: str
    source: str
    columns: tuple[Column, ...]
    links: tuple[tuple[str, str], ...]
    position: str = "position"
    rules: tuple[CrossRule, ...] = ()
    unique: tuple[str, ...] = ()
    children: tuple[Child, ...] = ()
    above: tuple[str, ...] = ()

    @property
    def family(self) -> tuple[Child, ...]:
        """The child itself and all inside of it."""
        return (self, *(one for inner in self.children for one in inner.family))


@dataclass(frozen=True)
class Contract:
    """What a table promises."""

    columns: tuple[Column, ...]
    rules: tuple[CrossRule, ...] = ()
    skip: tuple[CrossRule, ...] = ()
    uniques: tuple[Unique, ...] = ()
    references: tuple[Reference, ...] = ()
    refuse_at_most: Limit | None = None
    calls: tuple[Call, ...] = ()
    children: tuple[Child, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.key)


@dataclass(frozen=True)
class Flow:
    """How files become rows of `table`. `keys`: the identity of upsert and insert, the columns whose values are the
    partitions of `partition`. `order_by` is for upsert and scd2, where it is the time from which a version holds, in
    the columns `valid_from`, `valid_to` (None: it still does) and `is_current`; `track` are the columns that make a
    version (empty: all but the keys and `order_by`). `vanished` "close": every file tells all that there is at its
    time. `dates`: a version holds from day to day (in UTC). `deleted_if`: of what record an identity is gone;
    under upsert its row stays, and the column `keep_deleted` says so.
    `latest`: columns, and beside each the one in which every version has what the current version of its identity says
    there (None: none is current).
    `by` and `within`, of insert: records of one identity are repetitions only where their times are so near.
    `previous`: columns, and beside each, under upsert, the one that keeps what the column said before it last changed.
    `duplicates`: what upsert and insert do with records of one identity in one load: one of them enters, or none.
    `timezone` is for texts without zone."""

    table: str
    contract: Contract
    disposition: Disposition = "append"
    keys: tuple[str, ...] = ()
    order_by: str | None = None
    track: tuple[str, ...] = ()
    vanished: Literal["keep", "close"] = "keep"
    dates: bool = False
    deleted_if: CrossRule | None = None
    keep_deleted: str = ""
    latest: tuple[tuple[str, str], ...] = ()
    previous: tuple[tuple[str, str], ...] = ()
    by: str | None = None
    within: timedelta | None = None
    duplicates: Duplicates = "latest"
    allow_empty: bool = False
    on_change: Literal["error", "ignore", "reload"] = "error"
    twin_files: Literal["load", "skip"] = "load"
    extra: Literal["error", "ignore", "quarantine", "evolve"] = "error"
    missing: Literal["error", "null"] = "error"
    timezone: str = "UTC"
    evolution: tuple[tuple[str, str], ...] = ()

    @property
    def limit(self) -> Limit | None:
        """The limit that holds: the declared one, else 5% where rows are replaced. A share of 1 is none."""
        limit = self.contract.refuse_at_most
        if limit is None and (self.disposition in ("replace", "partition") or self.snapshots):
            return Limit.of("share", "0.05")
        return None if limit == Limit("share", Fraction(1)) else limit

    @property
    def snapshots(self) -> bool:
        """True if a current version ends whose identity a file does not deliver: each file is one commit."""
        return self.vanished == "close"

    def since(self, row: Row) -> Value:
        """Under scd2, from when on the row holds."""
        time = row[self.order_by or ""]
        return time.date() if self.dates and isinstance(time, datetime) else time

    @property
    def tracked(self) -> tuple[str, ...]:
        """The columns in which two versions of one identity differ."""
        rest = (column.name for column in self.contract.columns if column.name not in (*self.keys, self.order_by))
        return self.track or tuple(rest)

    @property
    def thresholds(self) -> bool:
        """True if some rule says `mostly`."""
        of_columns = any(rule.mostly is not None for column in self.contract.columns for rule in column.rules)
        return of_columns or any(rule.mostly is not None for rule in self.contract.rules)

    @property
    def judged(self) -> bool:
        """True if the whole load must be looked at before anything of it is visible: one commit."""
        uniques = self.contract.uniques
        return (
            self.limit is not None
            or self.thresholds
            or self.duplicates == "refuse"
            or self.disposition in ("replace", "partition")
            or any(unique.keep != "first" for unique in uniques)
            or (self.disposition in ("upsert", "insert") and bool(uniques))
            or any(reference.to_table == self.table for reference in self.contract.references)
        )


@dataclass(frozen=True)
class Malformed:
    """A record that is no record of the format: its text as received and what is wrong with it."""

    raw: str
    message: str = "malformed record"


Fields = Mapping[str, str | None]
"""A well-formed record: source column -> text as received, None for NULL."""


@dataclass(frozen=True)
class File:
    """One partition as a run finds it. `identity` stands for etag or size + mtime: other identity = changed file.

    `records` in source order; record numbers count from 1 and count malformed ones. `columns` is the header
    (None = the columns of the first well-formed record).
    """

    identity: str
    records: tuple[Fields | Malformed, ...]
    columns: tuple[str, ...] | None = None

    @property
    def header(self) -> tuple[str, ...]:
        if self.columns is not None:
            return self.columns
        return next((tuple(record) for record in self.records if not isinstance(record, Malformed)), ())

    @property
    def content(self) -> tuple[Any, ...]:
        """Equal for files of equal content, whatever their identity."""
        records = (r if isinstance(r, Malformed) else tuple(sorted(r.items())) for r in self.records)
        return (self.header, *records)


class Point(NamedTuple):
    """How far a partition was read: the identity it had, and the number of records."""

    identity: str
    records: int


@dataclass(frozen=True)
class Position:
    """Where a partition stands: generation and seq of its last entry, and that entry's end."""

    generation: int
    seq: int
    end: Point
    content: tuple[Any, ...] = field(default=(), repr=False)
    twin_of: str = ""
    """Skipped as a twin of this partition, which has the content in the table."""
    adopted: bool = False
    """Its rows were in the table before it had books: nobody can tell which."""


class Reason(NamedTuple):
    """Why a record was refused. `rule` "record" (malformed) has no column."""

    rule: str
    column: str | None
    message: str


@dataclass(frozen=True)
class Entry:
    """One line of the ledger: what one commit did for one partition.

    `inserted + updated` = rows loaded. `removed` says for each `_hg_load` how many of its rows this entry removed
    from an append or replace table (negative: an adjust found more than the books had). `rows_after` = rows of the
    table once this entry was applied. `purged`: open records that a purge ended.
    """

    id: int
    table: str
    partition: str
    generation: int
    seq: int
    kind: Kind
    start: Point | None
    end: Point | None
    read: int = 0
    inserted: int = 0
    updated: int = 0
    quarantined: int = 0
    deduplicated: int = 0
    skipped: int = 0
    warnings: int = 0
    removed: Mapping[Any, int] = field(default_factory=dict)
    rows_after: int = 0
    why: str = ""
    purged: int = 0

    @property
    def loaded(self) -> int:
        return self.inserted + self.updated


@dataclass(frozen=True)
class Refused:
    """A quarantine record: a refused record whole, with every reason, where it came from and what became of it.

    `entry` is the entry that counted it as quarantined (None while it is held under a refusal); `settled_by` the entry
    that replayed, superseded or purged it; `parent` the record that a replay made it from. `key`: under `partition`,
    the partition that the record belongs to, None where its columns don't convert. `before`: what it was before each
    fix, oldest first. `erased`: a purge took both away.
    """

    id: int
    table: str
    partition: str
    number: int
    record: Fields | Malformed
    reasons: tuple[Reason, ...]
    entry: int | None
    status: Status = "open"
    parent: int | None = None
    settled_by: int | None = None
    refusal: int | None = None
    key: tuple[object, ...] | None = None
    before: tuple[Fields | Malformed, ...] = ()
    erased: bool = False

    @property
    def revision(self) -> int:
        return len(self.before)


@dataclass(frozen=True)
class Refusal:
    """A load that was stopped. `code`: changed | structure | limit | empty. It is no entry."""

    id: int
    table: str
    code: str
    message: str
    read: int = 0
    quarantined: int = 0


@dataclass(frozen=True)
class Past:
    """A table as it was before entry `by` replaced it: what a restore brings back."""

    by: int
    rows: tuple[Row, ...]
    positions: Mapping[str, Position]


@dataclass
class State:
    """A warehouse and its books. `positions` by (table, partition); `versions` counts the commits of a table; `kept`
    is what each table was before it was replaced last."""

    tables: dict[str, list[Row]] = field(default_factory=dict)
    positions: dict[tuple[str, str], Position] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    quarantine: list[Refused] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    kept: dict[str, Past] = field(default_factory=dict)
    brought: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By table, the columns that files brought and its contract does not name."""

    def copy(self) -> State:
        """A state that can be changed without changing this one. Rows and records are shared: nobody changes them."""
        return State(
            {name: list(rows) for name, rows in self.tables.items()},
            dict(self.positions),
            list(self.entries),
            list(self.quarantine),
            list(self.refusals),
            dict(self.versions),
            dict(self.kept),
            dict(self.brought),
        )

    def seats(self, table: str) -> dict[str, Position]:
        """The positions of the table's partitions."""
        return {name: position for (of, name), position in self.positions.items() if of == table}

    def rows(self, table: str) -> list[Row]:
        return self.tables.get(table, [])

    def entries_of(self, table: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.table == table]

    def records(self, table: str, status: Status = "open") -> list[Refused]:
        return [record for record in self.quarantine if record.table == table and record.status == status]

    def generation(self, table: str) -> int:
        """The live generation: that of the last replace or full refresh, 1 before any."""
        return max((e.generation for e in self.entries_of(table) if e.partition == WHOLE), default=1)

    def settle(self, ids: set[int], status: Status, entry: int | None) -> None:
        """Give these quarantine records a new status, and the entry that settled them."""
        self.quarantine = [
            replace(record, status=status, settled_by=entry) if record.id in ids else record
            for record in self.quarantine
        ]
