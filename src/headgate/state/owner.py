"""One owner of a project at a time.

The lock is the kernel's (`flock`), so a process that is killed leaves none behind; the text in the lock file only says
who holds it. The file is never removed: removing it would let two processes lock two files of one name.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headgate.core import clock
from headgate.core.errors import AdapterError, Finding

FOLDER = ".headgate"
LOCK = "owner.lock"
_BUSY_FIX = "wait for it, or add --wait"


class Owner:
    """The right of this process to use a project's warehouse, held while the context of `acquire` is open."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    @contextmanager
    def acquire(
        cls, folder: Path, command: str, wait: bool = False, told: Callable[[str], None] | None = None
    ) -> Iterator[Owner]:
        """Sole ownership of the project in `folder` until the context ends or the process dies.

        `command` is what others are told is running. With `wait` it blocks until the owner is gone, after one message
        through `told`; Ctrl-C interrupts it.

        *Errors*: AdapterError `warehouse-busy` if another holds it and `wait` is False; `state-folder` if
        `.headgate/` can't be written or locked.
        """
        path = _prepare(folder)
        owner = cls(_locked(path, wait, told))
        try:
            owner._sign(command)
            yield owner
        finally:
            owner._release()

    def _sign(self, command: str) -> None:
        facts = {"pid": os.getpid(), "command": command, "since": clock.stamp(), "host": os.uname().nodename}
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(facts).encode(), 0)

    def _release(self) -> None:
        try:
            os.ftruncate(self._descriptor, 0)
        finally:
            os.close(self._descriptor)


def holder(folder: Path) -> dict[str, Any]:
    """What the last owner wrote of itself: pid, command, since, host. Empty if it left in order or nobody was there."""
    try:
        facts = json.loads((folder / FOLDER / LOCK).read_text())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _prepare(folder: Path) -> Path:
    state = folder / FOLDER
    try:
        state.mkdir(exist_ok=True)
        ignore = state / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise _unusable(state, error) from error
    return state / LOCK


def _locked(path: Path, wait: bool, told: Callable[[str], None] | None) -> int:
    """A descriptor that holds the lock of the file that `path` names *now*: somebody may have removed the folder."""
    while True:
        descriptor = _lock_once(path, wait, told)
        if _is_current(descriptor, path):
            return descriptor
        os.close(descriptor)
        _prepare(path.parent.parent)


def _lock_once(path: Path, wait: bool, told: Callable[[str], None] | None) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        _flock(descriptor, path, wait, told)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _flock(descriptor: int, path: Path, wait: bool, told: Callable[[str], None] | None) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    except BlockingIOError as error:
        busy = _busy(path)
        if not wait:
            raise AdapterError(busy) from error
    except OSError as error:
        raise _unusable(path, error) from error
    if told is not None:
        told(f"waiting: {busy.what}")
    fcntl.flock(descriptor, fcntl.LOCK_EX)  # sleeps in the kernel; a signal handler that raises (Ctrl-C) ends it


def _is_current(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _busy(path: Path) -> Finding:
    facts = holder(path.parent.parent)
    # Between locking and signing, an owner has no name yet.
    who = "pid {pid}, `{command}`, since {since}".format_map(facts) if _is_signed(facts) else "it has only just begun"
    what = f"another run holds the warehouse: {who}"
    return Finding("warehouse-busy", "error", what, str(path.parent.parent), _BUSY_FIX, facts)


def _is_signed(facts: dict[str, Any]) -> bool:
    return {"pid", "command", "since"} <= facts.keys()


def _unusable(path: Path, error: OSError) -> AdapterError:
    what = f"the folder of the project's state can't be used: {error.strerror or error}"
    fix = "make the project folder writable, on a file system that supports locks"
    return AdapterError(Finding("state-folder", "error", what, str(path), fix))
