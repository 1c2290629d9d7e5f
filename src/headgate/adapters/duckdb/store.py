"""DuckDB as engine and store: one connection per file, one cursor per session."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from headgate.core.errors import AdapterError, Finding
from headgate.core.values import TableRef

if TYPE_CHECKING:
    import duckdb

SETTINGS = (
    "SET TimeZone = 'UTC'",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET preserve_insertion_order = true",
    "SET enable_progress_bar = false",
)
_HELD = re.compile(r"Conflicting lock is held in (.*?) \(PID (\d+)\)")


class DuckDBSession:
    """One cursor, for one thread."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self.cursor = cursor

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        done = self.cursor.execute(sql, list(params)) if params else self.cursor.execute(sql)
        return done.fetchall() if done.description else []

    def register(self, name: str, rows: Any) -> None:
        """Makes `rows` (anything with `__arrow_c_stream__`) readable under `name`, as often as wanted."""
        self.cursor.register(name, rows)

    def unregister(self, name: str) -> None:
        self.cursor.unregister(name)

    def statements(self, sql: str) -> list[tuple[str, str]]:
        """Kind (SELECT, INSERT, ...) and text of each statement; syntax errors are raised as they are."""
        return [(one.type.name, one.query) for one in self.cursor.extract_statements(sql)]

    def shape(self, sql: str) -> list[tuple[str, Any]]:
        """Names and types (with `id` and `children`) of the columns that the SELECT would give, without running it."""
        relation = self.cursor.sql(sql)
        return list(zip(relation.columns, relation.types, strict=True))


class DuckDBStore:
    """A warehouse in one DuckDB file (None: in memory).

    `read_only` opens it beside other readers; it then also cannot reach files or the network, not even in memory.
    *Errors*: AdapterError `warehouse-busy` when another process holds the file, `warehouse-unreadable` when it is no
    database or was written by a newer engine.
    """

    atomicity: Literal["transaction", "log", "none"] = "transaction"
    ddl_in_commit = True

    def __init__(self, path: Path | None, read_only: bool = False, temp: Path | None = None) -> None:
        self.path = path
        self.read_only = read_only
        self._locks: dict[str, threading.RLock] = {}
        self._guard = threading.Lock()
        self._connection = _connect(path, read_only)
        if not read_only and temp is not None:
            self._connection.execute("SET temp_directory = ?", [str(temp)])
        for setting in SETTINGS:
            self._connection.execute(setting)

    @contextmanager
    def session(self) -> Iterator[DuckDBSession]:
        cursor = self._connection.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        try:
            yield DuckDBSession(cursor)
        finally:
            cursor.close()

    @contextmanager
    def lock(self, table: TableRef) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault(str(table), threading.RLock())
        with lock:
            yield

    def is_conflict(self, error: BaseException) -> bool:
        """True where the engine refused because another transaction was first; a retry may succeed."""
        import duckdb

        if isinstance(error, duckdb.TransactionException):
            return True
        if isinstance(error, duckdb.ConstraintException) and "_headgate" not in str(error):
            return True
        # An error about a value quotes it, and any text may hold the word.
        about_values = isinstance(error, duckdb.DataError | duckdb.InvalidInputException)
        return isinstance(error, duckdb.Error) and not about_values and "conflict" in str(error).lower()

    def close(self) -> None:
        self._connection.close()


def _connect(path: Path | None, read_only: bool) -> duckdb.DuckDBPyConnection:
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {}
    if read_only:
        config["enable_external_access"] = "false"
    try:
        return duckdb.connect(
            str(path) if path else ":memory:", read_only=read_only and path is not None, config=config
        )
    except duckdb.IOException as error:
        held = _HELD.search(str(error))
        if held:
            raise _busy(path, held[1], held[2]) from None
        raise _unreadable(path, error) from error
    except duckdb.Error as error:
        raise _unreadable(path, error) from error


def _busy(path: Path | None, program: str, pid: str) -> AdapterError:
    return AdapterError(
        Finding(
            "warehouse-busy",
            "error",
            f"another process holds the warehouse: {program} (pid {pid})",
            str(path),
            "wait until it ends, or add --wait",
            {"pid": int(pid)},
        )
    )


def _unreadable(path: Path | None, error: Exception) -> AdapterError:
    first = str(error).strip().splitlines()[0]
    return AdapterError(
        Finding(
            "warehouse-unreadable",
            "error",
            f"the warehouse cannot be opened: {first}",
            str(path),
            "see that the folder exists and is writable, and that the file was made by DuckDB 1.x",
        )
    )
