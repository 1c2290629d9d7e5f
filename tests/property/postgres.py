"""PostgreSQL under the oracle's cases: a store that is watched statement by statement, over an emptied database."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from tests.property.driver import PAIR, Referenced, Warehouse
from tests.property.test_crashes import Dead

from headgate.adapters.postgres.session import PostgresSession
from headgate.adapters.postgres.store import PostgresStore
from headgate.core.values import TableRef
from headgate.testing import oracle

_OURS = """SELECT nspname FROM pg_namespace
    WHERE nspname <> 'information_schema' AND nspname <> 'public' AND nspname !~ '^pg_'"""


def emptied(url: str) -> None:
    """Leaves the database as a new one."""
    with psycopg.connect(url, autocommit=True) as connection:
        for (name,) in connection.execute(_OURS).fetchall():
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


class Watched(PostgresStore):
    """A warehouse whose process can die, and without the lock among its users, so that only the sequence protects.

    `before_statement` is called before each statement. Once `dead`, nothing reaches the server any more.
    """

    before_statement: Callable[[], None] = staticmethod(lambda: None)
    dead = False

    def __init__(self, address: str, temp: Path) -> None:
        super().__init__(address, "the warehouse", temp)
        self.pids: dict[int, int] = {}
        self._witness = psycopg.connect(address, autocommit=True)

    def lock(self, table: TableRef) -> Any:
        return nullcontext()

    def close(self) -> None:
        self._witness.close()
        super().close()

    def waits(self, thread: int) -> bool:
        """Whether the thread's statement waits for another transaction."""
        asked = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
        return bool(self._witness.execute(asked, [self.pids.get(thread, 0)]).fetchall())

    def _session(self, connection: Any, engine: Any) -> PostgresSession:
        session = _WatchedSession(connection, engine, self._temp, self._again, self._indexed)
        session.store = self
        return session

    def _give_back(self, connection: Any) -> None:
        if self.dead:
            connection.close()
        else:
            super()._give_back(connection)


class _WatchedSession(PostgresSession):
    store: Watched

    def _watched(self) -> None:
        self.store.pids[threading.get_ident()] = self.connection.info.backend_pid
        self.store.before_statement()
        if self.store.dead:
            raise Dead

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self._watched()
        return super().execute(sql, params)

    def take(self, select: str, name: str) -> str:
        self._watched()
        return super().take(select, name)

    def append(self, table: TableRef, names: Sequence[str], select: str) -> None:
        self._watched()
        super().append(table, names, select)


@contextmanager
def warehouse(url: str, flow: oracle.Flow, referenced: Referenced = PAIR) -> Iterator[Warehouse]:
    """The flow over the database, emptied before."""
    emptied(url)
    with tempfile.TemporaryDirectory() as folder:
        real = Warehouse(flow, None, lambda path: Watched(url, Path(folder)), referenced)
        try:
            yield real
        finally:
            real.close()
