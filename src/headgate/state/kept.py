"""Texts that may be computed again, kept in `.headgate/state.db` so that they need not be."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from headgate.state.owner import FOLDER

FILE = "state.db"
WAIT_SECS = 2.0


class Kept:
    """Read with one query when the first text is asked for; what was asked for or put is written by `close`.

    *Guarantee*: never raises. Where the file can't be read or written, or holds something else, nothing is kept, and
    everything is computed again. What a whole use did not ask for is forgotten.
    """

    def __init__(self, path: Path | None, table: Literal["kept", "page"] = "kept") -> None:
        self._path, self._table = path, table
        self._texts: dict[str, str] | None = None
        self._used: dict[str, str] = {}

    @classmethod
    def open(cls, root: Path, table: Literal["kept", "page"] = "kept") -> Self:
        """That of the project in `root`; only where the project has a folder for its state. What is kept of `page` does
        not go when other texts are not asked for."""
        folder = root / FOLDER
        return cls(folder / FILE if folder.is_dir() else None, table)

    def get(self, key: str) -> str | None:
        """The text that was put under the key."""
        if self._texts is None:
            self._texts = self._read()
        found = self._texts.get(key)
        if found is not None:
            self._used[key] = found
        return found

    def put(self, key: str, text: str) -> None:
        """Keeps the text under the key."""
        self._used[key] = text

    def close(self) -> None:
        """Writes what changed, in one transaction."""
        before = self._texts or {}
        if self._path is None or before == self._used or not self._used:
            return
        with suppress(sqlite3.Error, OSError):
            connection = sqlite3.connect(self._path, timeout=WAIT_SECS)
            try:
                with connection:
                    made = f"CREATE TABLE IF NOT EXISTS {self._table} (key TEXT PRIMARY KEY, text TEXT NOT NULL)"
                    connection.execute(f"{made} WITHOUT ROWID")
                    gone = [(key,) for key in before.keys() - self._used.keys()]
                    connection.executemany(f"DELETE FROM {self._table} WHERE key = ?", gone)
                    new = [(key, text) for key, text in self._used.items() if key not in before]
                    connection.executemany(f"INSERT OR REPLACE INTO {self._table} VALUES (?, ?)", new)
            finally:
                connection.close()

    def _read(self) -> dict[str, str]:
        if self._path is None or not self._path.is_file():
            return {}
        try:
            connection = sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True, timeout=WAIT_SECS)
            try:
                return {str(key): str(text) for key, text in connection.execute(f"SELECT key, text FROM {self._table}")}
            finally:
                connection.close()
        except sqlite3.Error:
            return {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
