"""`python -m headgate` as a process of its own, for a fraction of what starting one costs.

A command is a fork of a process that has loaded Headgate before (`server.py`). Two of them take turns, with different
seeds for hashes: what one command wrote, the next reads with another order of its sets.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "headgate")
SEEDS = ("1", "2")
OF_THE_INTERPRETER = ("PYTHON", "LC_", "LANG", "TZ")
"""Variables that are read when an interpreter starts begin so."""


def headgate(
    words: Sequence[str],
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    together: bool = False,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """What the command left; `together`: standard error within standard output.

    Really started anew are those in an environment with other variables of the interpreter, those of several threads at
    once, and all with HEADGATE_TEST_FORKS=0 or where a fork is not safe.
    *Errors*: subprocess.TimeoutExpired, after the process was killed.
    """
    wanted = dict(os.environ if environment is None else environment)
    if sys.platform == "linux" and os.environ.get("HEADGATE_TEST_FORKS") != "0" and _settled(wanted):
        with _next() as server:
            if server is not None:
                return server.run(words, folder, wanted, together, timeout)
    err = subprocess.STDOUT if together else subprocess.PIPE
    command = [*COMMAND, *words]
    return subprocess.run(
        command, cwd=folder, env=wanted, stdout=subprocess.PIPE, stderr=err, timeout=timeout, check=False
    )


def _settled(environment: Mapping[str, str]) -> bool:
    """Whether an interpreter would start with these variables as the servers did."""

    def of_the_interpreter(variables: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in variables.items() if name.startswith(OF_THE_INTERPRETER)}

    return of_the_interpreter(environment) == of_the_interpreter(os.environ)


class _Server:
    """One process that forks."""

    def __init__(self, seed: str) -> None:
        self._end, other = socket.socketpair()
        with other:
            command = [sys.executable, "-m", "tests.forks.server", str(other.fileno())]
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "PYTHONHASHSEED": seed},
                pass_fds=[other.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._lines = self._end.makefile("rb")

    def close(self) -> None:
        self._lines.close()
        self._end.close()
        self._process.wait()

    def run(
        self,
        words: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        together: bool,
        timeout: float | None,
    ) -> subprocess.CompletedProcess[bytes]:
        out, to_out = os.pipe()
        err, to_err = (-1, os.dup(to_out)) if together else os.pipe()
        with tempfile.TemporaryFile() as request:
            request.write(json.dumps({"words": words, "folder": str(folder), "environment": environment}).encode())
            request.seek(0)
            socket.send_fds(self._end, [b"r"], [request.fileno(), to_out, to_err])
        os.close(to_out)
        os.close(to_err)
        pid = int(self._lines.readline())
        streams = [open(end, "rb", buffering=0) for end in (out, err) if end >= 0]  # noqa: SIM115
        try:
            told = _read(streams, timeout)
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            self._lines.readline()
            raise subprocess.TimeoutExpired([*COMMAND, *words], timeout or 0) from None
        finally:
            for stream in streams:
                stream.close()
        code = int(self._lines.readline())
        return subprocess.CompletedProcess([*COMMAND, *words], code, told[0], None if together else told[1])


def _read(streams: Sequence[IO[bytes]], timeout: float | None) -> list[bytes]:
    """All that comes out of each of them, read side by side. *Errors*: TimeoutError."""
    told = dict.fromkeys(streams, b"")
    until = None if timeout is None else time.monotonic() + timeout
    with selectors.DefaultSelector() as ready:
        for stream in streams:
            ready.register(stream, selectors.EVENT_READ)
        while ready.get_map():
            left = None if until is None else until - time.monotonic()
            found = ready.select(left) if left is None or left > 0 else []
            if not found:
                raise TimeoutError
            for key, _ in found:
                stream = key.fileobj
                assert not isinstance(stream, int)
                if piece := os.read(key.fd, 1 << 16):
                    told[stream] += piece  # type: ignore[index]
                else:
                    ready.unregister(stream)
    return list(told.values())


_SERVERS: list[_Server] = []
_TURN = threading.Lock()


@contextmanager
def _next() -> Iterator[_Server | None]:
    """The server whose turn it is; None where another thread has one."""
    if not _TURN.acquire(blocking=False):
        yield None
        return
    try:
        if not _SERVERS:
            _SERVERS.extend(_Server(seed) for seed in SEEDS)
        _SERVERS.reverse()
        yield _SERVERS[0]
    finally:
        _TURN.release()


@atexit.register
def _close() -> None:
    while _SERVERS:
        _SERVERS.pop().close()
