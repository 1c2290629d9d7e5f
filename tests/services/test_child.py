"""What servers are built from: absence is loud, and nothing outlives the test process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.services.child import absent, free_port

ROOT = Path(__file__).parents[2]
PATIENCE_SECS = 60

DYING = """
import os, signal, subprocess
from tests.services.child import Den, as_user
den = Den("test")
server = subprocess.Popen(["sleep", "600"], start_new_session=True, **as_user())
den.inhabit(server.pid)
print(den.path, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_a_missing_server_is_skipped_by_people_and_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=r"No PostgreSQL was found.*Install it"):
        absent("No PostgreSQL was found", "Install it")


def test_ports_differ_though_tests_are_seeded_alike() -> None:
    assert len({free_port() for _ in range(20)}) > 1


@pytest.mark.slow
def test_server_and_folder_vanish_with_a_killed_test_process() -> None:
    done = subprocess.run(  # its output ends when the server, which inherited it, has ended
        [sys.executable, "-c", DYING],
        stdout=subprocess.PIPE,
        text=True,
        timeout=PATIENCE_SECS,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == -signal.SIGKILL
    folder = Path(done.stdout.strip())
    assert folder.name.startswith("headgate-test-")
    deadline = time.monotonic() + PATIENCE_SECS
    while folder.exists() and time.monotonic() < deadline:
        threading.Event().wait(0.02)  # nobody but the file system can say that it is gone
    assert not folder.exists()
