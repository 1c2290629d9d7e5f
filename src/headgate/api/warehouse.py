"""The warehouse of a project: opened to write, or to look at beside others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from headgate.core.clock import pause
from headgate.core.errors import AdapterError, Finding
from headgate.core.protocols import Store
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.state import owner
from headgate.state.scratch import Scratch

if TYPE_CHECKING:
    from headgate.adapters.duckdb.store import DuckDBStore
    from headgate.adapters.postgres.store import PostgresStore
    from headgate.project.model import Project

_AGAIN_SECS = 0.1
"""DuckDB has no lock to sleep on: who waits for a process that is not a run of ours tries again and again."""


class Warehouse(Protocol):
    """How the verbs get at the tables."""

    def writing(self, command: str) -> AbstractContextManager[Store]:
        """The warehouse to change, its books up to date. `command` is what others are told is running."""
        ...

    def looking(self) -> AbstractContextManager[Store]:
        """The warehouse as it is, read-only; an empty one where there is none yet."""
        ...

    def reading(self, bare: bool = False) -> AbstractContextManager[Store]:
        """The warehouse with its books to look at, read-only; empty ones where nothing was loaded yet.

        Books of an older schema are migrated first. `bare`: a warehouse without books is shown as it is.
        """
        ...

    def system(self, store: Store) -> AbstractContextManager[Store]:
        """The system that keeps the tables, to be asked what it takes; `store` is what `reading` gave."""
        ...

    def engine(self) -> str:
        """Name and version of what runs the models; nothing is opened that is not needed to know it."""
        ...


def warehouse_of(project: Project, scratch: Scratch, wait: bool, told: Callable[[str], None] | None) -> Warehouse:
    """The project's warehouse. `wait`: wait for another run to end, after one message through `told`."""
    spec = project.warehouse
    if spec.kind == "duckdb":
        return FileWarehouse(project.root, spec.path, spec.shown, scratch, wait, told, project.limits)
    return ServerWarehouse(spec.address, spec.shown, scratch, told, project.limits)


@dataclass(frozen=True)
class FileWarehouse:
    """A DuckDB file. `shown`: what messages call it; its path may be a secret."""

    root: Path
    path: Path
    shown: str
    scratch: Scratch
    wait: bool
    told: Callable[[str], None] | None
    limits: Mapping[str, str]

    @contextmanager
    def writing(self, command: str) -> Iterator[DuckDBStore]:
        """The warehouse for this process alone, its books up to date."""
        from headgate.books.schema import migrate

        with owner.Owner.acquire(self.root, command, self.wait, self.told):
            self._make_folder()
            store = self._opened(read_only=False)
            try:
                with store.session() as session:
                    migrate(session)
                yield store
            finally:
                store.close()

    @contextmanager
    def looking(self) -> Iterator[DuckDBStore]:
        """The file as it is, read-only and without reach to other files; an empty one where there is none yet."""
        from headgate.adapters.duckdb.store import DuckDBStore

        store = self._opened(read_only=True) if self._exists() else DuckDBStore(None, read_only=True)
        with _looked_at(store):
            yield store

    @contextmanager
    def reading(self, bare: bool = False) -> Iterator[Store]:
        """The warehouse with its books to look at, read-only; empty ones where nothing was loaded yet.

        Books of an older schema are migrated first. `bare`: a warehouse without books is shown as it is.
        """
        with _read(self, bare and self._exists()) as store:
            yield store

    def system(self, store: Store) -> AbstractContextManager[Store]:
        return nullcontext(store)

    def engine(self) -> str:
        import duckdb

        return str(duckdb.__version__)

    def _exists(self) -> bool:
        """Whether there is a file, or something in its place that opening it will complain about."""
        return os.path.lexists(self.path)

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"the warehouse's folder can't be made: {error.strerror}"
            fix = "name a file in a folder that can be written to: warehouse: duckdb:file"
            raise AdapterError(Finding("warehouse-unreadable", "error", what, self.shown, fix)) from None

    def _opened(self, read_only: bool) -> DuckDBStore:
        """The store, at once or, under `wait`, when nobody else holds the file."""
        told = False
        while True:
            try:
                return self._open(read_only)
            except AdapterError as error:
                if error.finding.code != "warehouse-busy" or not self.wait:
                    raise
                if self.told is not None and not told:
                    self.told(f"waiting: {error.finding.what}")
                told = True
                pause(_AGAIN_SECS)

    def _open(self, read_only: bool) -> DuckDBStore:
        from headgate.adapters.duckdb.store import DuckDBStore

        try:
            return DuckDBStore(self.path, read_only, None if read_only else self.scratch.path, self.limits)
        except AdapterError as error:
            raise AdapterError(self._named(error.finding)) from None

    def _named(self, found: Finding) -> Finding:
        """The finding with the command that holds the file, where it is one of ours, and without a secret path."""
        what, evidence = found.what.replace(str(self.path), self.shown), found.evidence
        held = owner.holder(self.root)
        if evidence.get("pid") is not None and held.get("pid") == evidence["pid"]:
            what = f"another run holds the warehouse: pid {held['pid']}, `{held['command']}`, since {held['since']}"
            evidence = held
        return Finding(found.code, found.level, what, self.shown, found.fix, evidence)


@dataclass(frozen=True)
class ServerWarehouse:
    """A PostgreSQL database. Any number of runs may work at once: those of one table wait for each other."""

    address: str
    shown: str
    scratch: Scratch
    told: Callable[[str], None] | None
    limits: Mapping[str, str]

    @contextmanager
    def writing(self, command: str) -> Iterator[PostgresStore]:
        from headgate.books.schema import migrate

        store = self._opened(command, read_only=False)
        try:
            with store.lock(BOOKS), store.session() as session:
                migrate(session)
            yield store
        finally:
            store.close()

    @contextmanager
    def looking(self) -> Iterator[Store]:
        store = self._opened("headgate", read_only=True)
        with _looked_at(store):
            yield store

    def reading(self, bare: bool = False) -> AbstractContextManager[Store]:
        return _read(self, bare)

    def system(self, store: Store) -> AbstractContextManager[Store]:
        return self.looking()

    def engine(self) -> str:
        return "postgres"

    def _opened(self, program: str, read_only: bool) -> PostgresStore:
        from headgate.adapters.postgres.store import PostgresStore

        return PostgresStore(
            self.address,
            self.shown,
            self.scratch.path,
            read_only,
            program,
            polite=not read_only,
            told=self.told,
            limits=self.limits,
        )


BOOKS = TableRef("_headgate", "meta")


@contextmanager
def _looked_at(store: Store) -> Iterator[None]:
    """Closes the store in the end. Raises CommitError `books-newer` where a newer Headgate wrote its books."""
    from headgate.books.schema import VERSION, newer, version_of

    try:
        with store.session() as session:
            found = version_of(session)
        if found is not None and found > VERSION:
            raise newer(found)
        yield
    finally:
        store.close()


@contextmanager
def _read(warehouse: Warehouse, bare: bool) -> Iterator[Store]:
    """The warehouse with books of this version, or `bare` as it is; empty books where there are none."""
    from headgate.books.schema import VERSION, version_of

    with warehouse.looking() as store:
        with store.session() as session:
            found = version_of(session)
        if found == VERSION or (found is None and bare):
            yield store
            return
    if found is None:
        with _empty() as store:
            yield store
        return
    with warehouse.writing("headgate migrate"):
        pass
    with warehouse.looking() as store:
        yield store


@contextmanager
def _empty() -> Iterator[DuckDBStore]:
    """Books of a warehouse that nothing was loaded into yet."""
    from headgate.adapters.duckdb.store import DuckDBStore
    from headgate.books.schema import migrate

    store = DuckDBStore(None, read_only=True)
    try:
        with store.session() as session:
            migrate(session)
        yield store
    finally:
        store.close()
