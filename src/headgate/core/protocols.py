"""What an adapter must be able to do. Structural: nothing inherits from these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

from headgate.core.errors import Finding
from headgate.core.profile import Profile
from headgate.core.records import dataclass
from headgate.core.values import Batch, Partition, Position, TableRef

Columns = Sequence[tuple[str, str]]
"""Names and types."""


class Session(Protocol):
    """One connection to an engine or store, used by one thread. Statements run in the order given."""

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of the statement (empty where it returns none). Errors of the system are raised as they are."""
        ...


class Engine(Session, Protocol):
    """A session that can also read rows from memory."""

    def register(self, name: str, rows: Any) -> None:
        """Makes `rows` readable under `name` to this session: anything with `__arrow_c_stream__`, which may be asked
        for its rows several times. They stay in memory until `unregister`. A condition on a bare column of them may be
        evaluated by the library that holds them, by its own rules (NaN): hide columns in expressions."""
        ...

    def arrow(self, sql: str) -> Any:
        """All rows of the SELECT as a table of pyarrow, which must be installed."""
        ...

    def batches(self, sql: str) -> Any:
        """The rows of the SELECT as a RecordBatchReader of pyarrow. It is at its end when the next statement runs."""
        ...

    def relation(self, sql: str) -> Any:
        """The SELECT as a DuckDBPyRelation: computed when its rows are asked for, each time anew."""
        ...

    def unregister(self, name: str) -> None:
        """Forgets what was registered under `name`; nothing where there is none."""
        ...

    def alone(self) -> AbstractContextManager[None]:
        """Inside, one thread of the engine's works: for many small queries, for which waking the others costs more than
        they help. It holds for every session of this engine."""
        ...


@dataclass(frozen=True)
class Trouble:
    """What an error of a system says of the statement: `kind` text (the SQL itself is wrong; nothing was read), value
    (some row could not be computed), stopped (somebody interrupted it) or other. `line` of the statement, `column` of
    that line: 0 if unknown.
    """

    kind: Literal["text", "value", "stopped", "other"]
    message: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True)
class Answer:
    """Rows of a query, of values that JSON can hold without loss; `total` counts those that a limit cut off, too."""

    columns: list[tuple[str, str]]
    rows: list[list[Any]]
    total: int


class StoreSession(Session, Protocol):
    """A connection to a warehouse, beside the engine that reads sources and judges rows for it.

    Where one system is both, `engine` is this session, and `bring` and `take` move nothing. Types are given in the
    engine's spelling and kept in the store's own: `physical`.
    """

    @property
    def engine(self) -> Engine: ...

    def bring(self, select: str, name: str) -> str:
        """An engine's SELECT as a relation of the store: a temporary table `name`, or the SELECT itself in brackets."""
        ...

    def take(self, select: str, name: str) -> str:
        """A store's SELECT as a relation of the engine: a temporary table `name`, or the SELECT itself in brackets."""
        ...

    def reading(self) -> AbstractContextManager[None]:
        """Inside, in no transaction before, all SELECTs of the store see one moment, and no table of it is changed."""
        ...

    def append(self, table: TableRef, names: Sequence[str], select: str) -> None:
        """Adds the rows of an engine's SELECT to these columns of the table, within the open transaction."""
        ...

    def physical(self, engine_type: str) -> str:
        """The store's spelling of the type, as `columns` gives it."""
        ...

    def engine_type(self, stored: str) -> str:
        """The type of the engine that takes every value of a column of this type, as `columns` gives it."""
        ...

    def declared(self, engine_type: str) -> str:
        """How the type of a column is written in a statement that makes or changes it."""
        ...

    def recast(self, value: str, before: str, after: str) -> str:
        """The store's expression of a value of the engine type `before` as `after`, for values that fit it."""
        ...

    def alter(self, table: TableRef, statements: Sequence[str], rebinds: bool) -> None:
        """Runs statements that change columns of the table, within the open transaction.

        `rebinds`: columns go or change their type, so views that read the table are made again over it.
        *Errors*: AdapterError `needed-by` where something else holds on to a column.
        """
        ...

    def holds(self, value: str, engine_type: str) -> tuple[str, str] | None:
        """A condition of the engine, never NULL for a value, under which the store can keep it, and what to tell where
        it can't; None where it keeps every one."""
        ...

    def columns(self, table: TableRef) -> list[tuple[str, str]] | None:
        """Names and types of the columns of a table or view, in order; None where there is none."""
        ...

    def standing(self, target: TableRef) -> Literal["", "table", "view"]:
        """What stands at this name now; "" for nothing."""
        ...

    def comment(self, table: TableRef) -> str:
        """What COMMENT ON TABLE says of it; "" where it says nothing or there is no such table."""
        ...

    def swap(self, staged: TableRef, target: TableRef, kind: Literal["table", "view"]) -> Literal["", "table", "view"]:
        """Puts the staged relation in the target's place, within the open transaction; returns what stood there.

        Views that read the target read the new one from then on.
        """
        ...

    def exchange(self, table: TableRef, successor: TableRef, kept: TableRef) -> None:
        """Puts the successor in the table's place and keeps the old one as `kept`, within the open transaction.

        No row is copied. What was kept before is dropped, unless it is the successor: then the two change places.
        Views and grants of the table go with its name.
        *Errors*: AdapterError `needed-by` where something holds on to what is to be moved or dropped.
        """
        ...

    def create(
        self, table: TableRef, columns: Columns, required: Sequence[str] = (), like: TableRef | None = None
    ) -> None:
        """Makes a table with these columns (the engine's types); `required` ones take no NULL.

        `like`: where that table has the same columns, the new one gets its indexes and defaults as well.
        """
        ...

    def clear(self, table: TableRef, columns: Columns, required: Sequence[str] = ()) -> None:
        """Leaves an empty table with these columns in place of the one that is there or not, in the transaction."""
        ...

    def unfit(self, table: TableRef, names: Sequence[str] = ()) -> str | None:
        """Why the store can't have a table of this name with columns of these names; None where it can."""
        ...

    def take_away(self, table: TableRef, select: str, same: str) -> list[tuple[int, int, int]]:
        """Deletes the rows of the table (`old`) that match the store's SELECT (`new`, with `_hg_part`) by `same`.

        Returns part, entry that wrote the rows (0: none) and number of rows deleted, counted row by row.
        """
        ...

    def lookup(self, table: TableRef, columns: Sequence[str]) -> None:
        """Makes finding rows by these columns cheap, where the store does not see to it by itself."""
        ...

    def takeover(self, table: TableRef) -> Takeover:
        """What it takes to give books to a table that somebody else made."""
        ...

    def abandon(self) -> None:
        """Ends the transaction, whatever became of it; afterwards the session answers for what is really kept."""
        ...

    def interrupt(self) -> None:
        """Called by another thread: ends the statement that runs now, by an error that `trouble` calls stopped.

        Nothing where none runs.
        """
        ...

    def trouble(self, error: BaseException) -> Trouble | None:
        """What the system's error says; None where it is no error of the system."""
        ...

    def syntax(self, sql: str) -> Trouble | None:
        """Why the text is not one SELECT; None if it is. Nothing is executed; names need not exist."""
        ...

    def answer(self, sql: str, limit: int | None) -> Answer:
        """The rows of one SELECT of a user. Raises ValueError where it is none; the system's errors as they are."""
        ...

    def analyze(self, select: str) -> Profile:
        """Runs the SELECT, keeps none of its rows, and tells what it took. The system's errors as they are."""
        ...


@dataclass(frozen=True)
class Promise:
    """What a table that somebody else made holds its rows to. `columns`: those that it speaks of.

    `kind`: required (no NULL), unique, check, refers (a foreign key of the table), referred (one of another table to
    it). `text`: the promise in the system's words.
    """

    kind: Literal["required", "unique", "check", "refers", "referred"]
    columns: tuple[str, ...]
    text: str


class Takeover(Protocol):
    """A table that somebody else made, on its way into the books, within one transaction.

    `strikes_first`: rows go before columns change; else columns change before rows go.
    """

    strikes_first: bool

    def unfit(self) -> tuple[str, str] | None:
        """Why the table can't have books whatever its contract says, and what to do; None where it can."""
        ...

    def exchanges(self) -> str:
        """Why no row may take the place of another in one transaction here; "" where it may."""
        ...

    def promises(self) -> list[Promise]: ...

    def hold(self) -> None:
        """From now on until the transaction ends, nobody else changes the table; it can still be read."""
        ...

    def rows(self) -> str:
        """SELECT, for the store, of `_hg_row` (BIGINT, of a row's own and ascending while the table is held) and the
        columns, in types that the engine takes without loss."""
        ...

    def strike(self, select: str) -> int:
        """Deletes the rows that the store's SELECT of one column of `_hg_row` names; how many."""
        ...

    def mark(self, column: str, number: int) -> None:
        """Adds the column (BIGINT, never NULL, without a default) with this number in every row."""
        ...

    def fill(self, column: str, relation: str) -> None:
        """Adds the column (text) with what the store's relation of `_hg_row` and it says of each row. Comes, like a
        strike, before other columns change or behind, as `strikes_first` says."""
        ...


class Reader(Protocol):
    """Reads one partition from a position. Closing releases temporary files, and may be done twice."""

    def read(self, max_rows: int, max_bytes: int) -> Batch | None:
        """The next batch of at most about `max_rows` records or `max_bytes` bytes; None at the end.

        Asked for more rows than there could be (from 2**60 on), it gives all that is left as one batch. A batch stays
        readable until the reader is asked for the second one behind it.
        """
        ...

    def close(self) -> None: ...


class Source(Protocol):
    """Yields batches of rows, partition by partition.

    `replay`: "stable" (the same position gives the same rows) or "moving". `unit`: what users call a partition.
    `typed`: a batch's columns have types worth checking before a load, and reading one record for that has no effect.
    """

    replay: Literal["stable", "moving"]
    unit: str
    typed: bool

    def partitions(self, known: Mapping[str, Position]) -> list[Partition]:
        """Every partition there is, in name order, judged against the `known` end positions of earlier loads."""
        ...

    def open(self, session: Engine, partition: Partition, at: Position | None) -> Reader:
        """A reader of `partition` from position `at` (None = its beginning)."""
        ...

    def check(self, session: Session, columns: Sequence[str]) -> list[Finding]:
        """What would keep these source columns from being read: missing and unknown columns, unreadable files."""
        ...


class Store(Protocol):
    """Keeps tables and commits. `atomicity` says by what means: "transaction" | "log" | "none"."""

    atomicity: Literal["transaction", "log", "none"]

    def session(self) -> AbstractContextManager[StoreSession]: ...

    def lock(self, table: TableRef) -> AbstractContextManager[None]:
        """Exclusive right to change `table` among the users of this store object."""
        ...

    def is_conflict(self, error: BaseException) -> bool:
        """True where another transaction was first and nothing of this one was kept: worth another try."""
        ...

    def close(self) -> None: ...
