"""PostgreSQL as a store: a transaction per commit, a private engine beside each session."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from headgate.adapters.duckdb.store import DuckDBStore
from headgate.adapters.postgres.session import PostgresSession
from headgate.core.clock import monotonic, new_id, pause
from headgate.core.errors import AdapterError, CommitError, Finding, HeadgateError
from headgate.core.values import TableRef

if TYPE_CHECKING:
    import psycopg

    from headgate.adapters.duckdb.store import DuckDBSession

OLDEST = 130000
PATIENCE_SECS = 60.0
"""How long a session with a broken connection tries to find out what became of its transaction."""
_AGAIN_SECS = 0.05
SETTINGS = (
    "-c TimeZone=UTC -c DateStyle=ISO -c standard_conforming_strings=on -c extra_float_digits=1"
    " -c search_path=main,public"
)
_FIXES = {
    "42501": "grant the user what is missing: CREATE on the database, and the schemas and tables that it works on",
    "25006": "name a server that can be written to",
    "53": "give the server more room, memory or connections",
    "54": "stay within the limits of PostgreSQL",
    "58": "see the server's log",
}
"""By SQLSTATE or its class: what is to be done where the server itself refuses."""
_KEY = "hashtextextended('headgate ' || $1::text, 0)"
_HOLDER = f"""SELECT a.pid, a.application_name, to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SSOF')
    FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND (l.classid::bigint << 32) | l.objid::bigint = {_KEY}"""
_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"


class PostgresStore:
    """A warehouse in a PostgreSQL database.

    `address`: a connection URL or string; `shown`: what messages call it. `temp`: a folder for temporary files.
    `read_only`: sessions are one read-only snapshot each. `polite`: wait for runs of the same table by other processes,
    after a message through `told`. `limits`: those of the private engine.
    *Errors*: AdapterError `missing-extra`, `warehouse-unreachable`, `warehouse-unfit`.
    """

    atomicity: Literal["transaction", "log", "none"] = "transaction"
    ddl_in_commit = True

    def __init__(
        self,
        address: str,
        shown: str,
        temp: Path,
        read_only: bool = False,
        program: str = "headgate",
        polite: bool = False,
        told: Callable[[str], None] | None = None,
        limits: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.shown = shown
        self._address, self._temp, self._read_only = address, temp, read_only
        self._program, self._polite, self._told = program, polite, told
        self._locks: dict[str, threading.RLock] = {}
        self._guard = threading.Lock()
        self._idle: list[psycopg.Connection[Any]] = []
        self._indexed: set[str] = set()
        self._engine = DuckDBStore(None, temp=temp, limits=limits)
        try:
            self._idle.append(self._fit(self._connect()))
        except BaseException:
            self._engine.close()
            raise

    @contextmanager
    def session(self) -> Iterator[PostgresSession]:
        """*Errors*: AdapterError `warehouse-unreachable`, `warehouse-refused` for what the server itself can't do."""
        import psycopg

        connection = self._take()
        with self._engine.session() as engine:
            session = self._session(connection, engine)
            try:
                if self._read_only:
                    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                yield session
            except psycopg.Error as error:
                raise self._outside(error) or error from error
            finally:
                self._give_back(session.connection)

    def _session(self, connection: psycopg.Connection[Any], engine: DuckDBSession) -> PostgresSession:
        return PostgresSession(connection, engine, self._temp, self._again, self._indexed)

    @contextmanager
    def lock(self, table: TableRef) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault(str(table), threading.RLock())
        with lock, self._turn(table) if self._polite else nullcontext():
            yield

    @contextmanager
    def _turn(self, table: TableRef) -> Iterator[None]:
        """Waits for runs of the same table elsewhere. A courtesy that saves work: the sequence is the safety."""
        connection = self._take()
        try:
            if not self._ask(connection, f"SELECT pg_try_advisory_lock({_KEY})", str(table))[0][0]:
                self._tell(connection, table)
                self._ask(connection, f"SELECT pg_advisory_lock({_KEY})", str(table))
            yield
        finally:
            if not connection.broken:
                self._ask(connection, f"SELECT pg_advisory_unlock({_KEY})", str(table))
            self._give_back(connection)

    def is_conflict(self, error: BaseException) -> bool:
        """True where another transaction was first, or where the connection broke before the COMMIT."""
        import psycopg
        from psycopg import errors

        first = (errors.SerializationFailure, errors.DeadlockDetected, errors.DuplicateTable, errors.DuplicateSchema)
        if isinstance(error, first):
            return True
        if isinstance(error, errors.UniqueViolation):
            return (error.diag.schema_name or "") in ("_headgate", "pg_catalog")
        if not isinstance(error, psycopg.OperationalError) or isinstance(error, errors.QueryCanceled):
            return False
        return error.sqlstate is None or error.sqlstate[:2] in ("08", "57")

    def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        self._engine.close()

    def _take(self) -> psycopg.Connection[Any]:
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
        return self._connect()

    def _give_back(self, connection: psycopg.Connection[Any]) -> None:
        """Keeps the connection for the next session unless it is broken or its transaction was left open."""
        import psycopg

        try:
            if connection.info.transaction_status.name != "IDLE":
                connection.rollback()
            self._idle.append(connection)
        except psycopg.Error:
            connection.close()

    def _connect(self) -> psycopg.Connection[Any]:
        try:
            import psycopg
        except ImportError:
            fix = "pip install 'headgate[postgres]'"
            raise AdapterError.of("missing-extra", "PostgreSQL needs the driver psycopg", self.shown, fix) from None
        try:
            return psycopg.connect(
                self._address,
                autocommit=True,
                application_name=f"{self._program} {new_id()}",
                options=SETTINGS,
                client_encoding="utf8",
                connect_timeout=10,
            )
        except psycopg.OperationalError as error:
            raise self._unreachable(str(error)) from None
        except psycopg.Error:
            # What is wrong with the address is not repeated: it may hold a password.
            raise self._unreachable("the address can't be read") from None

    def _unreachable(self, why: str) -> HeadgateError:
        said = " ".join(why.split()).removeprefix("connection failed: ")
        what = f"the warehouse does not answer: {said}"
        fix = "see that the server runs and that address, user and password are right"
        return AdapterError.of("warehouse-unreachable", what, self.shown, fix)

    def _outside(self, error: psycopg.Error) -> HeadgateError | None:
        """What is wrong with the server or with our rights on it; None for every other error."""
        import psycopg

        state, said = error.sqlstate or "", " ".join((error.diag.message_primary or str(error)).split())
        if state[:2] in ("08", "57") and state != "57014":
            return self._unreachable(said)
        if isinstance(error, psycopg.OperationalError) and not state:
            return self._unreachable(said)
        fix = _FIXES.get(state) or _FIXES.get(state[:2])
        return AdapterError.of("warehouse-refused", f"the warehouse refused: {said}", self.shown, fix) if fix else None

    def _fit(self, connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
        """The connection, if the database can be a warehouse."""
        info = connection.info
        if info.server_version < OLDEST:
            what = f"PostgreSQL {info.server_version // 10000} is too old"
            raise AdapterError.of("warehouse-unfit", what, self.shown, f"use PostgreSQL {OLDEST // 10000} or newer")
        if info.parameter_status("server_encoding") != "UTF8":
            what = f"the database's encoding is {info.parameter_status('server_encoding')}"
            fix = "CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
            raise AdapterError.of("warehouse-unfit", what, self.shown, fix)
        return connection

    def _again(self, old: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
        """A new connection, once the server has ended the old one: what that one was committing is decided then.

        *Errors*: CommitError `commit-unknown` where the server can't be asked.
        """
        name = old.info.get_parameters()["application_name"]
        old.close()
        until = monotonic() + PATIENCE_SECS
        while True:
            try:
                connection = self._connect()
                while self._ask(connection, _END, name):
                    if monotonic() > until:
                        raise self._unknown()
                    pause(_AGAIN_SECS)
                return connection
            except AdapterError as error:
                if monotonic() > until:
                    raise self._unknown() from error
                pause(_AGAIN_SECS)

    def _unknown(self) -> CommitError:
        return CommitError(
            Finding(
                "commit-unknown",
                "error",
                "the connection broke at a commit, and the warehouse can't be asked what became of it",
                self.shown,
                "run it again when the server is back: the books know what was committed",
            )
        )

    def _ask(self, connection: psycopg.Connection[Any], sql: str, param: object) -> list[tuple[Any, ...]]:
        from psycopg import RawCursor

        with RawCursor(connection) as cursor:
            return cursor.execute(sql.encode(), [param]).fetchall()

    def _tell(self, connection: psycopg.Connection[Any], table: TableRef) -> None:
        holders = self._ask(connection, _HOLDER, str(table))
        if self._told is not None and holders:
            pid, program, since = holders[0]
            self._told(f"waiting: {program.rpartition(' ')[0]} (server process {pid}, since {since}) works on {table}")
