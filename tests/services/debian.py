"""Packages of Debian that tests may install: for root only, and one worker at a time."""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.child import find_program


def may_install() -> bool:
    return os.geteuid() == 0 and find_program("apt-get") is not None


@contextmanager
def alone() -> Iterator[None]:
    """Workers come here at the same time; the second one finds it done."""
    with open(Path(tempfile.gettempdir()) / "headgate-tests-apt.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def apt(*words: str) -> bool:
    """Runs apt-get quietly; whether it succeeded."""
    quiet = {"DEBIAN_FRONTEND": "noninteractive", "UCF_FORCE_CONFFOLD": "1"}  # conffold: keep our createcluster.conf
    command = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=120", *words]
    return subprocess.run(command, capture_output=True, env={**os.environ, **quiet}).returncode == 0
