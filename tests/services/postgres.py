"""A private PostgreSQL: made, started, killed and started again by tests; or one elsewhere, named by its address."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, Protocol
from urllib.parse import quote, urlsplit

import pytest
from tests.services.child import Den, as_user, free_port

PATIENCE_SECS = 60
"""A server that neither answers nor ends fails its test instead of stopping the suite."""

_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_buffers = 64MB
dynamic_shared_memory_type = mmap
fsync = off
wal_level = logical
max_wal_senders = 8
max_replication_slots = 8
"""
"""Without fsync: a killed process is survived, a machine that loses power is not, and no test can tell."""


class Postgres(Protocol):
    """A PostgreSQL, 14 or newer. What needs a server of our own skips the test if it is somebody else's."""

    @property
    def admin(self) -> str:
        """The URL of the database `postgres`, as one who may create databases."""

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, for a proxy."""

    def url(self, database: str) -> str: ...

    def start(self) -> None:
        """Starts it on the data it had, on the same port; returns when it answers. Nothing happens if it runs."""

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends it: SIGTERM waits for clients, SIGINT closes them, SIGQUIT leaves recovery to the next start."""

    def kill(self) -> None:
        """SIGKILL of the postmaster, a crash; returns when its last backend is gone. `start()` recovers what is
        committed."""


class Child:
    """A PostgreSQL of our own, in a folder of its own. Ends with `close()`, and with this process however it dies."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._den = Den("postgres")
        self._data = self._den.path / "data"
        self._log = self._den.path / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._is_clean = True
        self._port = free_port()
        try:
            self._initialise()
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def admin(self) -> str:
        return self.url("postgres")

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self._port

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server does not run"
        return self._process.pid

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._port}/{quote(database, safe='')}"

    def start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self._launch()
        deadline = time.monotonic() + PATIENCE_SECS
        while not answers(self.admin):
            if self._ended_within(0.02):
                self._failed("ended instead of starting")
            if time.monotonic() > deadline:
                self._failed(f"did not answer within {PATIENCE_SECS} seconds")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        if not self._ended_within(PATIENCE_SECS):
            self._process.kill()
            self._failed(f"did not end on {how.name}")
        self._is_clean = self._process.returncode == 0
        self._process = None
        self._den.inhabit(0)
        self._await_backends()

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def close(self) -> None:
        """Stops it and removes its folder, and the shared memory that a kill left to the next start."""
        try:
            if not self._is_clean:
                self.start()
            self.stop()
        finally:
            self._den.leave()

    def _initialise(self) -> None:
        locale = "C.UTF-8" if sys.platform == "linux" else "C"
        self._run(
            "initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", f"--locale={locale}"
        )
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS)

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [self._binaries / program, *words], capture_output=True, text=True, cwd=self._den.path, **as_user()
        )
        assert done.returncode == 0, f"{program} failed: {done.stdout}{done.stderr}"

    def _launch(self) -> None:
        ours, theirs = os.pipe()
        with self._log.open("wb") as log, os.fdopen(theirs, "wb"):
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self._data, "-p", str(self._port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._den.path,
                pass_fds=[theirs],
                start_new_session=True,  # Ctrl-C is for the tests; they end the server
                **as_user(),
            )
        self._backends = os.fdopen(ours, "rb")
        self._den.inhabit(self._process.pid)

    def _ended_within(self, seconds: float) -> bool:
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _await_backends(self) -> None:
        # Each process of the server holds the pipe's other end. A backend may outlive its killed postmaster for a
        # moment, and commit in it.
        with self._backends as pipe:
            ended, _, _ = select.select([pipe], [], [], PATIENCE_SECS)
        if not ended:
            self._failed("left a process behind")

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]

    def _failed(self, what: str) -> NoReturn:
        raise RuntimeError(f"PostgreSQL in {self._binaries} {what}. Its log ends with:\n{self._last_words()}")


class Elsewhere:
    """A PostgreSQL that somebody else runs: its address is all we have, so it is neither killed nor stopped."""

    def __init__(self, address: str) -> None:
        self._address = urlsplit(address)

    @property
    def admin(self) -> str:
        return self._address.geturl()

    @property
    def address(self) -> tuple[str, int]:
        return self._address.hostname or "127.0.0.1", self._address.port or 5432

    @property
    def pid(self) -> int:
        self._refuse()

    def url(self, database: str) -> str:
        return self._address._replace(path="/" + quote(database, safe="")).geturl()

    def start(self) -> None:
        """It runs."""

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        self._refuse()

    def kill(self) -> None:
        self._refuse()

    def close(self) -> None:
        """It stays."""

    def _refuse(self) -> NoReturn:
        pytest.skip("needs a PostgreSQL of its own to stop and start; HEADGATE_TEST_POSTGRES names somebody else's")


def connect(url: str) -> Any:
    """A connection in autocommit, as a context manager."""
    import psycopg

    return psycopg.connect(url, autocommit=True, connect_timeout=10)


def answers(url: str) -> bool:
    import psycopg

    try:
        with connect(url) as connection:
            connection.execute("select 1")
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def fresh_database(server: Postgres) -> Iterator[str]:
    """The URL of a new, empty database in UTF-8; dropped at the end with its slots and whoever is still connected."""
    name = f"headgate_{uuid.uuid4().hex[:16]}"
    server.start()
    with connect(server.admin) as admin:
        admin.execute(f"create database {name} template template0 encoding 'UTF8'")
    try:
        yield server.url(name)
    finally:
        server.start()
        with connect(server.admin) as admin:
            _drop(admin, name)


def _drop(admin: Any, name: str) -> None:
    of_it = "from pg_replication_slots where database = %s"
    admin.execute(f"select pg_terminate_backend(active_pid, 10000) {of_it} and active_pid is not null", [name])
    admin.execute(f"select pg_drop_replication_slot(slot_name) {of_it}", [name])
    admin.execute(f"drop database {name} with (force)")
