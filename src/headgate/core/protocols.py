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


class Reader(Protocol):
    """Reads one partition from a position. Closing releases temporary files."""

    def read(self, max_rows: int, max_bytes: int) -> Batch | None:
        """The next batch of at most about `max_rows` records or `max_bytes` bytes; None at the end."""
        ...

    def close(self) -> None: ...


class Source(Protocol):
    """Yields batches of rows, partition by partition.

    `replay`: "stable" (the same position gives the same rows) or "moving".
    """

    replay: Literal["stable", "moving"]

    def partitions(self, known: Mapping[str, Position]) -> list[Partition]:
        """Every partition there is, in name order, judged against the `known` end positions of earlier loads."""
        ...

    def open(self, session: Session, partition: Partition, at: Position | None) -> Reader:
        """A reader of `partition` from position `at` (None = its beginning)."""
        ...

    def check(self, session: Session, columns: Sequence[str]) -> list[Finding]:
        """What would keep these source columns from being read: missing and unknown columns, unreadable files."""
        ...


class Store(Protocol):
    """Keeps tables and commits. `atomicity` says by what means: "transaction" | "log" | "none"."""

    atomicity: Literal["transaction", "log", "none"]

    def session(self) -> AbstractContextManager[Session]: ...

    def lock(self, table: TableRef) -> AbstractContextManager[None]:
        """Exclusive right to change `table` among the users of this store object."""
        ...

    def is_conflict(self, error: BaseException) -> bool:
        """True where another transaction was first and nothing of this one was kept: worth another try."""
        ...

    def close(self) -> None: ...
