"""A process that has loaded Headgate once and becomes other Python programs by a fork, as often as it is asked.

`serve` returns in the children only: each has the streams, the folder, the environment and the words of its request,
and runs and ends as an interpreter would. There is one thread, so a fork leaves none behind.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
from contextlib import suppress
from fcntl import F_DUPFD, fcntl
from types import ModuleType
from typing import Any

LIBRARIES = (
    "duckdb",
    "jinja2",
    "psycopg",
    "sqlglot.dialects.duckdb",
    "sqlglot.dialects.postgres",
    "sqlglot.optimizer",
    "yaml",
)
"""What many commands load, where it is installed. Arrow would start threads."""

APART = ("headgate.__main__", "headgate.testing", "headgate.api.init")
"""A program, what is for tests, and a module whose name is a function of its package until it is loaded."""

FILES = 16
"""At most so many come with a request."""
_HIGH = 200
"""File numbers from here on are not asked for."""


def load() -> None:
    """Imports what a command may need."""
    import headgate

    for found in pkgutil.walk_packages(headgate.__path__, "headgate."):
        if not found.name.startswith(APART):
            importlib.import_module(found.name)
    for name in LIBRARIES:
        if importlib.util.find_spec(name.partition(".")[0]):
            importlib.import_module(name)
    import duckdb

    duckdb.close()  # the connection that its import opened, with the thread of it
    threads = os.listdir("/proc/self/task")
    assert len(threads) == 1, "a library started a thread: a fork would be without it"
    gc.collect()
    gc.freeze()


def serve(asks: socket.socket) -> dict[str, Any]:
    """Forks once per request, and returns it in the child.

    With the request come files: one to tell the process id and, when it has ended, its exit code (negative: the
    signal), as a line each; the request as JSON; and those that the child is to have.
    """
    told: dict[int, int] = {}
    wake, woken = os.pipe()
    for end in (wake, woken):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready = select.select([asks, wake], [], [])[0]
        if wake in ready:
            os.read(wake, 1 << 16)
            _bury(told)
        if asks in ready:
            message, files, _, _ = socket.recv_fds(asks, 1, FILES)
            if not message:
                raise SystemExit
            tell, *others = files
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                asks.close()
                for end in (wake, woken, tell, *told.values()):
                    os.close(end)
                return become(others)
            told[pid] = tell
            _say(tell, pid)
            for end in others:
                os.close(end)


def _bury(told: dict[int, int]) -> None:
    """Tells of the children that have ended how."""
    while told:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        _say(tell := told.pop(pid), os.waitstatus_to_exitcode(status))
        os.close(tell)


def _say(tell: int, number: int) -> None:
    with suppress(BrokenPipeError):  # nobody wants to know
        os.write(tell, b"%d\n" % number)


def become(files: list[int]) -> dict[str, Any]:
    """This process as the request says, the first of the files; the others get the numbers that it gives."""
    with open(files[0], "rb") as file:
        asked: dict[str, Any] = json.load(file)
    high = [fcntl(one, F_DUPFD, _HIGH) for one in files[1:]]
    for one in files[1:]:
        os.close(one)
    for one, number in zip(high, asked["numbers"], strict=True):
        os.dup2(one, number)
        os.close(one)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return asked


def run(how: str, program: str, words: list[str]) -> None:
    """As `python -m program words` or `python -c program words`."""
    if how == "-m":
        sys.path[0] = os.getcwd()
        sys.argv[:] = [program, *words]
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = ""
        sys.argv[:] = ["-c", *words]
        sys.modules["__main__"] = main = ModuleType("__main__")
        exec(compile(program, "<string>", "exec"), main.__dict__)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with who started it
    load()
    _request = serve(socket.socket(fileno=int(sys.argv[1])))
    run(_request["how"], _request["program"], _request["words"])
