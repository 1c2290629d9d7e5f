"""A process that has loaded Headgate once and becomes `python -m headgate` by a fork, as often as it is asked.

`serve` returns in the children only: each has the standard streams, the folder, the environment and the words of its
request, and goes on and ends as the interpreter would. There is one thread, so a fork leaves none behind.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys

LIBRARIES = ("duckdb", "jinja2", "sqlglot.dialects.duckdb", "sqlglot.dialects.postgres", "sqlglot.optimizer", "yaml")
"""What most commands load. What few do (drivers, Arrow, pandas) each loads by itself, as ever."""

APART = ("headgate.__main__", "headgate.testing", "headgate.adapters.postgres", "headgate.api.init")
"""A program, a driver, and a module whose name is one of a function of its package until it is loaded."""


def load() -> None:
    """Imports what a command may need."""
    import headgate

    for found in pkgutil.walk_packages(headgate.__path__, "headgate."):
        if not found.name.startswith(APART):
            importlib.import_module(found.name)
    for name in LIBRARIES:
        importlib.import_module(name)
    import duckdb

    duckdb.close()  # the connection that its import opened, with the thread of it
    threads = os.listdir("/proc/self/task")
    assert len(threads) == 1, "a library started a thread: a fork would be without it"
    gc.collect()
    gc.freeze()


def serve(asks: socket.socket) -> None:
    """Forks once per request; tells the process id, and when it has ended its exit code (negative: the signal)."""
    while True:
        message, streams, _, _ = socket.recv_fds(asks, 1, 3)
        if not message:
            raise SystemExit
        pid = os.fork()
        if pid == 0:
            asks.close()
            become(*streams)
            return
        for stream in streams:
            os.close(stream)
        asks.sendall(b"%d\n" % pid)
        asks.sendall(b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def become(request: int, out: int, err: int) -> None:
    """This process as the request says; it is JSON: `words`, `folder` and `environment`."""
    with open(request, "rb") as file:
        asked = json.load(file)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.close(out)
    os.close(err)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv[1:] = asked["words"]
    sys.path[0] = os.getcwd()
    signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with who started it
    load()
    serve(socket.socket(fileno=int(sys.argv[1])))

    from headgate.cli.main import main

    sys.exit(main())
