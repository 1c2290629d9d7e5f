"""The history of runs in `.headgate/state.db`: SQLite, one writer at a time, short transactions.

Whatever is in it may be lost: nothing of a run depends on it, and no failure of it is a failure of a run. It is turned
into a finding, and the history is silent from then on. A file that is no database (any more) is put aside under
another name, and a new one begun.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import MISSING, replace
from itertools import starmap
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from headgate.core import clock
from headgate.core.errors import Finding
from headgate.sql import quote
from headgate.state.owner import FOLDER
from headgate.state.runs import KILLED, RUNNING, FigureRow, RunRow, StepRow, defaults, names

FILE = "state.db"
VERSION = 2
_BUSY_SECS = 5.0
_NUMBERS = {"seconds": "REAL", "cpu_secs": "REAL"}
_TEXTS = {
    *("id", "run", "command", "begun_at", "ended_at", "status", "failure", "author", "origin", "host", "findings"),
    *("kind", "reason", "table_name", "column_name", "type", "at", "result"),
}
_TABLES = (("run", RunRow, "id"), ("step", StepRow, "run, number"), ("figure", FigureRow, "table_name, entry, place"))
_NEWEST = (
    "SELECT table_name, entry, dense_rank() OVER (PARTITION BY table_name ORDER BY entry DESC) AS age "
    "FROM figure GROUP BY table_name, entry"
)
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

Row = TypeVar("Row", RunRow, StepRow, FigureRow)
Answered = TypeVar("Answered")


class History:
    """The history of one project, opened on first use; used by one thread. `findings` says what went wrong with it."""

    def __init__(self, root: Path) -> None:
        self.path = root / FOLDER / FILE
        self.findings: list[Finding] = []
        self.made_anew = False
        """True where this process had to make the file: what the books know of the past is not in it yet."""
        self._connection: sqlite3.Connection | None = None
        self._off = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def exists(self) -> bool:
        return self.path.exists()

    # -- writing

    def put(self, *rows: RunRow | StepRow | FigureRow) -> None:
        """Writes rows in one transaction, each in the place of one with its key."""

        def write(db: sqlite3.Connection) -> None:
            for row in rows:
                table, kind, _ = next(entry for entry in _TABLES if entry[1] is type(row))
                said = row if isinstance(row, FigureRow) else vars(row).values()
                values = [json.dumps(value) if isinstance(value, list) else value for value in said]
                marks = ", ".join("?" * len(names(kind)))
                db.execute(f"INSERT OR REPLACE INTO {table} ({', '.join(names(kind))}) VALUES ({marks})", values)

        self._tried(write, None)

    def bury(self, host: str) -> None:
        """Marks runs of this machine as killed that are said to be running, while no such process lives."""
        dead = [run for run in self._runs("status = ?", [RUNNING]) if run.host == host and not _lives(run.pid)]
        if dead:
            self.put(*(replace(run, status=KILLED, failure="interrupted") for run in dead))

    def prune(self, before: str) -> None:
        """Forgets runs that began before this time, and the figures of then; the last run and figures stay."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM run WHERE begun_at < ? AND id <> (SELECT max(id) FROM run)", [before])
            db.execute("DELETE FROM step WHERE run NOT IN (SELECT id FROM run)")
            newest = "SELECT max(entry) FROM figure AS other WHERE other.table_name = figure.table_name"
            db.execute(f"DELETE FROM figure WHERE at < ? AND entry < ({newest})", [before])

        self._tried(write, None)

    # -- reading

    def runs(self, limit: int | None = None) -> list[RunRow]:
        """Runs, the latest first."""
        cut = "" if limit is None else f" LIMIT {int(limit)}"
        return self._runs(f"1 ORDER BY begun_at DESC, id DESC{cut}", [])

    def count(self) -> int:
        return self._tried(lambda db: int(db.execute("SELECT count(*) FROM run").fetchone()[0]), 0)

    def run(self, name: str) -> list[RunRow]:
        """The runs whose id begins with the text."""
        return self._runs("substr(id, 1, ?) = ? ORDER BY id LIMIT 3", [len(name), name])

    def steps(self, runs: Sequence[str]) -> list[StepRow]:
        """The steps of these runs in their order."""
        found: list[StepRow] = []
        for at in range(0, len(runs), 500):
            some = runs[at : at + 500]
            found += self._read(StepRow, f"run IN ({', '.join('?' * len(some))}) ORDER BY run, number", some)
        return found

    def measured(self, entries: int) -> list[tuple[str, int]]:
        """Table and entry of each table's latest `entries` measurements, the oldest first."""
        sql = f"SELECT table_name, entry FROM ({_NEWEST}) WHERE age <= ? ORDER BY table_name, entry"
        return self._tried(lambda db: db.execute(sql, [entries]).fetchall(), [])

    def figures(self, entries: int, above: float = -1.0) -> list[FigureRow]:
        """The figures of each table's latest `entries` measurements, the oldest first.

        Of all but the last one, only those of columns of which the last one misses a share of more than `above`.
        """
        last = "SELECT table_name, max(entry) AS last FROM figure GROUP BY table_name"
        missed = (
            f"SELECT table_name, column_name FROM figure WHERE (table_name, entry) IN ({last}) AND nulls > ? * rows"
        )
        latest = f"SELECT table_name, entry FROM ({_NEWEST}) WHERE age <= ?"
        asked = f"(table_name, column_name) IN ({missed}) AND (table_name, entry) IN ({latest})"
        where = f"entry = (SELECT last FROM ({last}) AS newest WHERE newest.table_name = figure.table_name) OR {asked}"
        return self._read(FigureRow, f"{where} ORDER BY table_name, entry, place", [above, entries])

    def _runs(self, where: str, values: Sequence[Any]) -> list[RunRow]:
        return self._read(RunRow, where, values)

    def _read(self, kind: type[Row], where: str, values: Sequence[Any]) -> list[Row]:
        table = next(name for name, row, _ in _TABLES if row is kind)
        sql = f"SELECT {', '.join(names(kind))} FROM {table} WHERE {where}"

        def ask(db: sqlite3.Connection) -> list[Row]:
            rows = db.execute(sql, list(values))
            return list(starmap(kind, rows if "findings" not in names(kind) else map(_values(kind), rows)))

        return self._tried(ask, [])

    # -- the file

    def _tried(self, work: Callable[[sqlite3.Connection], Answered], otherwise: Answered) -> Answered:
        """What the work gives; `otherwise` where the history can't be used. A broken file is replaced, once."""
        for again in (True, False):
            if self._off:
                break
            try:
                with self._open() as db:
                    return work(db)
            except (sqlite3.Error, OSError, ValueError, TypeError) as error:
                if again and _is_broken(error):
                    self._put_aside(error)
                else:
                    self._stop(error)
        return otherwise

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        self.path.parent.mkdir(exist_ok=True)
        db = sqlite3.connect(self.path, timeout=_BUSY_SECS, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = OFF")  # what a power failure takes away is made anew
            self._make(db)
        except BaseException:
            db.close()
            raise
        self._connection = db
        return db

    def _make(self, db: sqlite3.Connection) -> None:
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found > VERSION:
            raise sqlite3.NotSupportedError(f"it has version {found}; this Headgate knows versions up to {VERSION}")
        if found == VERSION:
            return
        with db:
            db.execute("BEGIN IMMEDIATE")
            for name, kind, key in _TABLES:
                columns = ", ".join(f"{column} {_type(column)}" for column in names(kind))
                db.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns}, PRIMARY KEY ({key})) WITHOUT ROWID")
                if found:
                    _add_columns(db, name, kind)
            db.execute(f"PRAGMA user_version = {VERSION}")
        self.made_anew = not found

    def _put_aside(self, error: Exception) -> None:
        self.close()
        mark = clock.stamp().replace(":", "").replace("+0000", "")
        aside = self.path.with_name(f"{FILE}.broken-{mark}")
        try:
            for suffix in ("", "-wal", "-shm"):
                part = self.path.with_name(FILE + suffix)
                if part.exists():
                    os.replace(part, aside.with_name(aside.name + suffix))
        except OSError as failed:
            self._stop(failed)
            return
        what = f"the history of runs could not be read ({error}); it was put aside, and a new one begun"
        fix = f"nothing need be done: what the books know is taken over; look at {FOLDER}/{aside.name}, or delete it"
        self.findings.append(Finding("history-broken", "warning", what, f"{FOLDER}/{FILE}", fix))

    def _stop(self, error: Exception) -> None:
        self.close()
        self._off = True
        what = f"the history of runs can't be kept: {error}"
        fix = f"make {FOLDER}/ writable, with room on its disk; or delete {FOLDER}/{FILE}, which is made anew"
        self.findings.append(Finding("history-unusable", "warning", what, f"{FOLDER}/{FILE}", fix))


def _add_columns(db: sqlite3.Connection, table: str, kind: type) -> None:
    """Those that a file of an older version lacks, with what a row says where nobody says otherwise."""
    there = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
    for name, default in defaults(kind).items():
        if name not in there and default is not MISSING:
            said = f" DEFAULT {_literal(default)}" if default is not None else ""
            db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {_type(name)}{said}")


def _literal(value: object) -> str:
    return str(value) if isinstance(value, int | float) else quote.literal(str(value))


def _type(column: str) -> str:
    return _NUMBERS.get(column) or ("TEXT" if column in _TEXTS else "INTEGER")


def _values(kind: type) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """What makes values of a row of the file: findings are kept as JSON."""
    at = names(kind).index("findings")

    def values(row: tuple[Any, ...]) -> tuple[Any, ...]:
        return (*row[:at], [] if row[at] == "[]" else json.loads(row[at]), *row[at + 1 :])

    return values


def _is_broken(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    other_shape = "no such" in str(error) or "has no column" in str(error)
    return code in _BROKEN or isinstance(error, ValueError | TypeError) or other_shape


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
