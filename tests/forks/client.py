"""Python programs as processes of their own, for a fraction of what starting one costs.

`Popen` is that of subprocess, but what it starts is a fork of a process that has loaded Headgate before (`server.py`).
Two of them take turns, with different seeds for hashes: what one command wrote, the next reads with another order of
its sets.
"""

from __future__ import annotations

import atexit
import itertools
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "headgate")
SEEDS = ("1", "2")
OF_THE_INTERPRETER = ("PYTHON", "LC_", "LANG", "TZ")
"""Variables that are read when an interpreter starts begin so."""


class Popen(subprocess.Popen[Any]):
    """A process. Really started anew are those that are not `python -m` or `python -c`, those with other variables of
    the interpreter, and all with HEADGATE_TEST_FORKS=0 or where a fork is not safe."""

    _news: Any = None  # where the server tells the process id and the exit code

    def _execute_child(
        self, args: Any, executable: Any, preexec_fn: Any, close_fds: Any, pass_fds: Any, cwd: Any, env: Any,
        startupinfo: Any, creationflags: Any, shell: Any, into: int, writes: int, reads: int, out: int, reads_err: int,
        err: int, *more: Any,
    ) -> None:  # fmt: skip
        """What subprocess.Popen calls to have the process, with the ends of its pipes (-1: this process's own)."""
        environment = dict(os.environ if env is None else env)
        if preexec_fn or shell or not _forks(args, environment):
            given = (args, executable, preexec_fn, close_fds, pass_fds, cwd, env, startupinfo, creationflags, shell)
            super()._execute_child(*given, into, writes, reads, out, reads_err, err, *more)  # type: ignore[misc]
            return
        _, how, program, *words = map(os.fspath, args)
        files = {number: end if end >= 0 else number for number, end in enumerate((into, out, err))}
        files.update({number: number for number in pass_fds})
        request = {
            "how": how, "program": program, "words": words, "folder": os.path.abspath(cwd or "."),
            "environment": environment, "numbers": list(files),
        }  # fmt: skip
        news, tell = os.pipe()
        with tempfile.TemporaryFile() as written:
            written.write(json.dumps(request).encode())
            written.seek(0)
            socket.send_fds(next(_TURNS), [b"r"], [tell, written.fileno(), *files.values()])
        os.close(tell)
        self._news = open(news, "rb", buffering=0)  # noqa: SIM115
        self.pid = int(self._line())
        self._child_created = True
        self._close_pipe_fds(into, writes, reads, out, reads_err, err)  # type: ignore[attr-defined]

    def _line(self) -> bytes:
        line: bytes = self._news.readline()
        if not line:
            raise RuntimeError("the server that forks has ended")
        return line

    def _internal_poll(self, *states: Any, **more: Any) -> int | None:
        """The exit code, if it has ended."""
        if self._news is None:
            code: int | None = super()._internal_poll(*states, **more)  # type: ignore[misc]
            return code
        return self._ended(0) if self.returncode is None else self.returncode

    def _wait(self, timeout: float | None) -> int:
        """The exit code. Raises TimeoutExpired."""
        if self._news is None:
            return int(super()._wait(timeout))  # type: ignore[misc]
        code = self.returncode if self.returncode is not None else self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def _ended(self, timeout: float | None) -> int | None:
        """The exit code, if it comes within so many seconds."""
        news = select.poll()  # select() takes no file with a number above 1023
        news.register(self._news, select.POLLIN)
        if not news.poll(None if timeout is None else timeout * 1000):
            return None
        self.returncode = int(self._line())
        self._news.close()
        return self.returncode


def run(command: Sequence[str], *, timeout: float | None = None, **options: Any) -> subprocess.CompletedProcess[Any]:
    """As subprocess.run. *Errors*: subprocess.TimeoutExpired, after the process was killed."""
    with Popen(command, **options) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _forks(command: Any, environment: Mapping[str, str]) -> bool:
    """Whether a fork is what the command would be: this Python, with the variables that the servers started with."""
    known = sys.platform == "linux" and os.environ.get("HEADGATE_TEST_FORKS") != "0"
    ours = (
        not isinstance(command, str)
        and len(command) > 2
        and command[0] == sys.executable
        and command[1] in ("-m", "-c")
    )
    return known and ours and _of_the_interpreter(environment) == _STARTED


def _of_the_interpreter(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name.startswith(OF_THE_INTERPRETER)}


_STARTED = _of_the_interpreter(os.environ)


def _server(seed: str) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """One process that forks, and where it is asked to."""
    asks, other = socket.socketpair()
    with other:
        command = [sys.executable, "-m", "tests.forks.server", str(other.fileno())]
        variables = {**os.environ, **_STARTED, "PYTHONHASHSEED": seed}
        server = subprocess.Popen(command, cwd=ROOT, env=variables, pass_fds=[other.fileno()], stdin=subprocess.DEVNULL)
    return asks, server


def _turns() -> Iterator[socket.socket]:
    """Where to ask next. The servers are started with the first, and end with this process."""
    servers = [_server(seed) for seed in SEEDS]

    @atexit.register
    def close() -> None:
        for asks, server in servers:
            asks.close()
            server.wait()

    yield from itertools.cycle([asks for asks, _ in servers])


_TURNS = _turns()
