"""What every server of the tests needs: a user that is not root, a port, a folder that vanishes, a way to be absent."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import pytest

_PORTS = range(15000, 32000)
"""Below the ports that systems give to outgoing connections: nobody takes ours while its server is down."""

_SYSTEM_RANDOM = random.SystemRandom()
"""Not the seeded one: two workers would draw the same ports."""

_REAPER = """
pid=0
while read -r line; do pid=$line; done
if [ "$pid" -gt 0 ] && kill -QUIT "$pid" 2>/dev/null; then
  tries=50
  while [ "$tries" -gt 0 ] && kill -0 "$pid" 2>/dev/null; do tries=$((tries - 1)); sleep 0.1; done
  kill -KILL "$pid" 2>/dev/null
fi
rm -rf "$1"
"""
"""Reads the server's process id from a pipe that ends with the test process, however that dies."""


def is_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"true", "1"}


def absent(what: str, fix: str) -> NoReturn:
    """Skips the test where a person sees it, and fails it on a machine that must have every server (CI=true)."""
    if is_ci():
        pytest.fail(f"{what}. CI=true, so this is no skip. {fix}", pytrace=False)
    pytest.skip(f"{what}. {fix}")


def user_of_servers() -> pwd.struct_passwd | None:
    """Whom servers run as that refuse root: postgres, else nobody; None if we are not root."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name: user for user in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def as_user() -> dict[str, Any]:
    """Arguments of subprocess that start a server as that user; its process id is then the server's own."""
    user = user_of_servers()
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def free_port() -> int:
    """A loopback port on which nobody listens."""
    while True:
        port = _SYSTEM_RANDOM.choice(_PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Den:
    """A folder of the user of servers. It and its server vanish with the test process, also if that is killed."""

    def __init__(self, name: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=f"headgate-{name}-", dir=_searchable()))
        if user := user_of_servers():
            os.chown(self.path, user.pw_uid, user.pw_gid)
        self._reaper = subprocess.Popen(
            ["/bin/sh", "-c", _REAPER, "reaper", str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C must not reach it
            text=True,
        )

    def inhabit(self, pid: int) -> None:
        """Says which process is to be ended with the folder; 0 for none."""
        assert self._reaper.stdin is not None
        self._reaper.stdin.write(f"{pid}\n")
        self._reaper.stdin.flush()

    def leave(self) -> None:
        self._reaper.communicate()


def _searchable() -> str:
    """The folder for temporary files, unless a parent of it is closed to other users and our servers are one."""
    chosen = Path(tempfile.gettempdir()).resolve()
    is_open = all(folder.stat().st_mode & 0o001 for folder in (chosen, *chosen.parents))
    return str(chosen) if is_open or user_of_servers() is None else "/tmp"


def find_program(name: str) -> Path | None:
    """Where the program on PATH really lies, or None."""
    found = shutil.which(name)
    return Path(found).resolve() if found else None
