"""A folder for the temporary files of one process.

Each process has its own below `.headgate/tmp`, locked (`flock`) as long as it lives. Who is killed cleans nothing up:
whoever comes next removes the folders that nobody holds any more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from headgate.core.clock import new_id
from headgate.state.owner import FOLDER


class Scratch:
    """Made on first use, removed by `close` or by a later process."""

    def __init__(self, root: Path) -> None:
        self._home = root / FOLDER / "tmp"
        self._path: Path | None = None
        self._lock = -1

    @classmethod
    def temporary(cls) -> Scratch:
        """One in the system's place for temporary files, for work that belongs to no project."""
        made = cls(Path(tempfile.gettempdir()))
        made._path = Path(tempfile.mkdtemp(prefix="headgate-"))
        return made

    @property
    def path(self) -> Path:
        """The folder; in the system's place for temporary files where the project can only be read."""
        if self._path is None:
            try:
                self._path = self._make()
            except OSError:
                self._path = Path(tempfile.mkdtemp(prefix="headgate-"))
            else:
                self._collect()
        return self._path

    def close(self) -> None:
        if self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)
            self._path = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _make(self) -> Path:
        while True:
            path = self._home / new_id()
            path.mkdir(parents=True)
            try:
                self._lock = _held(path)
            except (FileNotFoundError, BlockingIOError):  # somebody collected it before it was locked
                continue
            if path.exists():
                return path
            os.close(self._lock)

    def _collect(self) -> None:
        for path in self._home.iterdir():
            try:
                lock = _held(path)
            except OSError:  # its owner lives, or it is gone already
                continue
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)


def _held(path: Path) -> int:
    """A descriptor that locks the folder. Raises BlockingIOError while another process does."""
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(lock)
        raise
    return lock
