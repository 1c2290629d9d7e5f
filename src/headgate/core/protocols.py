"""What an adapter must be able to do. Structural: nothing inherits from these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

from headgate.core.errors import Finding
from headgate.core.values import Batch, Partition, Position, TableRef


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

    def unregister(self, name: str) -> None:
        """Forgets what was registered under `name`; nothing where there is none."""
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

    def session(self) -> AbstractContextManager[Engine]: ...

    def lock(self, table: TableRef) -> AbstractContextManager[None]:
        """Exclusive right to change `table` among the users of this store object."""
        ...

    def is_conflict(self, error: BaseException) -> bool:
        """True where another transaction was first and nothing of this one was kept: worth another try."""
        ...

    def close(self) -> None: ...
