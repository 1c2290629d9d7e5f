"""Where the warehouses of the kills are, and the ways in which a run can lose one."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import urlsplit

from headgate.adapters.duckdb.store import DuckDBStore
from headgate.core.protocols import Store

if TYPE_CHECKING:
    import psycopg

Way = Literal["process", "session", "sessions", "server"]
"""What dies: the run itself, by SIGKILL | the server's process that works for it (the one in a transaction, if any is)
| all of the server's processes that work for it | the whole server, as in a crash, before it is started again."""
WAYS: tuple[Way, ...] = ("process", "session", "sessions", "server")
_SECRET = "${secret:KILLS_WAREHOUSE}"  # noqa: S105
_BUSY = """SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
           AND backend_type = 'client backend' ORDER BY xact_start DESC NULLS LAST, query_start DESC"""


class Site(Protocol):
    """Keeps one warehouse for each project folder."""

    ways: tuple[Way, ...]

    def settle(self, folder: Path) -> str:
        """Makes an empty warehouse for the project in the folder; returns what its headgate.yml calls it."""
        ...

    def store(self, folder: Path) -> Store:
        """The folder's warehouse, read-only."""
        ...

    def strike(self, way: Way, folder: Path) -> bool:
        """Takes from the run of the folder what the way says (never its own process); False if nothing was there."""
        ...

    def close(self) -> None:
        """Removes what was made outside of the folders."""
        ...


class DuckDBSite:
    """A file in each folder. Only the run itself can die."""

    ways: tuple[Way, ...] = ("process",)

    def settle(self, folder: Path) -> str:
        return "duckdb:warehouse.duckdb"

    def store(self, folder: Path) -> Store:
        return DuckDBStore(folder / "warehouse.duckdb", read_only=True)

    def strike(self, way: Way, folder: Path) -> bool:
        raise ValueError(f"a file has no {way} to lose")

    def close(self) -> None:
        return None


class PostgresSite:
    """A database of its own for each folder, on the server of `address` (a URL; its user may create databases).

    `crash` kills the server and starts it again; without it the server is left alone.
    """

    def __init__(self, address: str, crash: Callable[[], object] | None = None) -> None:
        self.ways: tuple[Way, ...] = WAYS if crash else WAYS[:-1]
        self._address, self._crash = address, crash
        self._names: dict[Path, str] = {}

    def settle(self, folder: Path) -> str:
        name = f"headgate_kills_{uuid.uuid4().hex[:12]}"
        with _connect(self._address) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        self._names[folder] = name
        (folder / "secrets.yml").write_text(f"KILLS_WAREHOUSE: {self.url(folder)}\n")
        return _SECRET

    def url(self, folder: Path) -> str:
        """The address of the folder's database."""
        return urlsplit(self._address)._replace(path=f"/{self._names[folder]}").geturl()

    def store(self, folder: Path) -> Store:
        from headgate.adapters.postgres.store import PostgresStore

        return PostgresStore(self.url(folder), "the warehouse", folder, read_only=True)

    def strike(self, way: Way, folder: Path) -> bool:
        if way == "server":
            assert self._crash is not None
            self._crash()
            return True
        with _connect(self.url(folder)) as admin:
            found = [row[0] for row in admin.execute(_BUSY.encode()).fetchall()]
            struck = found if way == "sessions" else found[:1]
            return any(admin.execute("SELECT pg_terminate_backend(%s)", [pid]).fetchall()[0][0] for pid in struck)

    def close(self) -> None:
        with _connect(self._address) as admin:
            for name in self._names.values():
                admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        self._names.clear()


def by_command(command: str) -> Callable[[], object]:
    """A crash that a shell command carries out."""
    return lambda: subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)  # noqa: S602


def _connect(address: str) -> psycopg.Connection[Any]:
    import psycopg

    return psycopg.connect(address, autocommit=True, connect_timeout=10)
