"""PostgreSQL as a store: a transaction per commit, a private engine beside each session."""

from __future__ import annotations

import select
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
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
    " -c search_path=main,public -c jit=off -c work_mem=64MB -c maintenance_work_mem=256MB"
)
"""Memory for the joins of set rules and for indexes, and no compiler: its start costs more than these queries."""
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


def _is_cut(error: psycopg.OperationalError) -> bool:
    """Whether it says that the connection is gone, or goes: not that a statement failed or was cancelled."""
    state = error.sqlstate
    return state is None or (state[:2] in ("08", "57") and state != "57014")


def _lives(connection: psycopg.Connection[Any]) -> bool:
    """Whether an idle connection can be used: where there is nothing to read, the server has not taken its leave."""
    import psycopg

    if connection.closed:
        return False
    ears = select.poll()
    ears.register(connection.fileno(), select.POLLIN)
    if not ears.poll(0):
        return True
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


class PostgresStore:
    """A warehouse in a PostgreSQL database.

    `address`: a connection URL or string; `shown`: what messages call it. `temp`: a folder for temporary files.
    `read_only`: sessions are one read-only snapshot each. `polite`: wait for runs of the same table by other processes,
    after a message through `told`. `limits`: those of the private engine. `patience`: seconds after which a server that
    broke off counts as gone.
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
        patience: float = PATIENCE_SECS,
    ) -> None:
        self.shown = shown
        self._address, self._temp, self._read_only = address, temp, read_only
        self._program, self._polite, self._told, self._patience = program, polite, told, patience
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
        connection = self._take()
        with self._engine.session() as engine:
            session = self._session(connection, engine)
            try:
                with self._answering():
                    if self._read_only:
                        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    yield session
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
            with self._answering():
                if not self._ask(connection, f"SELECT pg_try_advisory_lock({_KEY})", str(table))[0][0]:
                    self._tell(connection, table)
                    self._ask(connection, f"SELECT pg_advisory_lock({_KEY})", str(table))
            yield
        finally:
            self._end_turn(connection, table)

    def _end_turn(self, connection: psycopg.Connection[Any], table: TableRef) -> None:
        """A connection that broke meanwhile holds nothing any more; what was done under it stands."""
        import psycopg

        with suppress(psycopg.OperationalError):
            self._ask(connection, f"SELECT pg_advisory_unlock({_KEY})", str(table))
        self._give_back(connection)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Tells of a connection that broke, and of what the server itself can't do, as AdapterError."""
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            outside = self._outside(error)
            if outside is None:
                raise
            raise outside from error

    def is_conflict(self, error: BaseException) -> bool:
        """True where another transaction was first, or where the connection broke before the COMMIT."""
        import psycopg
        from psycopg import errors

        first = (
            errors.SerializationFailure,
            errors.DeadlockDetected,
            errors.DuplicateTable,
            errors.DuplicateSchema,
            errors.DuplicateObject,
        )
        # What two sessions that change one object at a time are told has no code of its own: `tuple concurrently
        # updated`, `could not open relation with OID`.
        if isinstance(error, (*first, errors.InternalError_)):
            return True
        if isinstance(error, errors.UniqueViolation):
            return (error.diag.schema_name or "") in ("_headgate", "pg_catalog")
        return isinstance(error, psycopg.OperationalError) and _is_cut(error)

    def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        self._engine.close()

    def _take(self) -> psycopg.Connection[Any]:
        while True:
            with self._guard:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            if _lives(connection):
                return connection
            connection.close()

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
        if isinstance(error, psycopg.OperationalError) and _is_cut(error):
            return self._unreachable(said or "the connection broke")
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

    def _again(self, old: psycopg.Connection[Any], committing: bool) -> psycopg.Connection[Any]:
        """A new connection, once the server has ended the old one: what that one was `committing` is decided then.

        *Errors*: where the server can't be asked, CommitError `commit-unknown` if the COMMIT had been sent, and else
        AdapterError `warehouse-unreachable`.
        """
        name = old.info.get_parameters()["application_name"]
        old.close()
        until = monotonic() + self._patience
        while True:
            try:
                with self._answering():
                    connection = self._ended(name)
                if connection is not None:
                    return connection
                if monotonic() > until:
                    raise self._unreachable("it still works for a connection that broke")
            except AdapterError as error:
                if monotonic() > until:
                    raise self._unknown() if committing else error from None
            pause(_AGAIN_SECS)

    def _ended(self, name: str) -> psycopg.Connection[Any] | None:
        """A new connection if no server process works for the old one, which went by this name; None if one does."""
        connection = self._connect()
        try:
            if not self._ask(connection, _END, name):
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()
        return None

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
