"""One owner at a time, proved with real processes that speak through pipes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.forks.client import Popen

from headgate.core.errors import AdapterError
from headgate.state.owner import Owner, holder

SCRIPT = """
import sys
from pathlib import Path
from headgate.state.owner import Owner

def say(text):
    print(text, flush=True)

folder, command, wait = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "wait"
try:
    with Owner.acquire(folder, command, wait, told=say):
        say("held")
        sys.stdin.readline()
    say("left")
except KeyboardInterrupt:
    say("interrupted")
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts another process that takes, or waits for, the project in `tmp_path`."""
    started: list[subprocess.Popen[str]] = []

    def begin(command: str = "headgate run", how: str = "now") -> subprocess.Popen[str]:
        words = [sys.executable, "-c", SCRIPT, str(tmp_path), command, how]
        started.append(Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def let_go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_taken_project_says_who_has_it(tmp_path: Path, start: Start) -> None:
    other = start("headgate run raw.orders")
    assert heard(other) == "held"
    facts = holder(tmp_path)
    with pytest.raises(AdapterError) as caught, Owner.acquire(tmp_path, "headgate audit"):
        pytest.fail("two owners")
    finding = caught.value.finding
    assert finding.code == "warehouse-busy"
    assert finding.what == (
        f"another run holds the warehouse: pid {other.pid}, `headgate run raw.orders`, since {facts['since']}"
    )
    assert finding.fix == "wait for it, or add --wait"
    assert finding.evidence == facts
    assert set(facts) == {"pid", "command", "since", "host"}
    assert facts["host"] == os.uname().nodename


def test_the_same_process_is_not_let_in_twice(tmp_path: Path) -> None:
    with (
        Owner.acquire(tmp_path, "headgate run"),
        pytest.raises(AdapterError, match=f"pid {os.getpid()}"),
        Owner.acquire(tmp_path, "headgate plan"),
    ):
        pytest.fail("two owners")


def test_it_is_free_after_an_orderly_end_and_names_nobody(tmp_path: Path) -> None:
    with Owner.acquire(tmp_path, "headgate run"):
        assert holder(tmp_path)["command"] == "headgate run"
    assert holder(tmp_path) == {}
    with Owner.acquire(tmp_path, "headgate plan"):
        assert holder(tmp_path)["command"] == "headgate plan"


def test_it_is_free_after_an_error_inside(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Owner.acquire(tmp_path, "headgate run"):
        _ = 1 / 0
    with Owner.acquire(tmp_path, "headgate run"):
        pass


def test_a_killed_owner_leaves_no_lock(tmp_path: Path, start: Start) -> None:
    other = start()
    assert heard(other) == "held"
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    assert holder(tmp_path)["pid"] == other.pid, "it had no time to take its name away"
    with Owner.acquire(tmp_path, "headgate run"):
        assert holder(tmp_path)["pid"] == os.getpid()


def test_wait_blocks_until_the_owner_is_gone(tmp_path: Path, start: Start) -> None:
    with Owner.acquire(tmp_path, "headgate run"):
        waiting = start("headgate plan", "wait")
        assert heard(waiting).startswith(f"waiting: another run holds the warehouse: pid {os.getpid()}, `headgate run`")
    assert heard(waiting) == "held"
    assert holder(tmp_path)["command"] == "headgate plan"
    let_go(waiting)
    assert heard(waiting) == "left"


def test_wait_gets_in_when_the_owner_is_killed(start: Start) -> None:
    first = start()
    assert heard(first) == "held"
    second = start("headgate plan", "wait")
    assert heard(second).startswith("waiting: ")
    os.kill(first.pid, signal.SIGKILL)
    assert heard(second) == "held"


def test_control_c_ends_the_waiting(tmp_path: Path, start: Start) -> None:
    with Owner.acquire(tmp_path, "headgate run"):
        waiting = start("headgate plan", "wait")
        assert heard(waiting).startswith("waiting: ")
        os.kill(waiting.pid, signal.SIGINT)
        assert heard(waiting) == "interrupted"
        assert holder(tmp_path)["pid"] == os.getpid()


def test_waiting_is_for_the_folder_that_is_there_in_the_end(tmp_path: Path, start: Start) -> None:
    with Owner.acquire(tmp_path, "headgate run"):
        waiting = start("headgate plan", "wait")
        assert heard(waiting).startswith("waiting: ")
        (tmp_path / ".headgate").rename(tmp_path / "moved")
    assert heard(waiting) == "held"
    with pytest.raises(AdapterError, match="headgate plan"), Owner.acquire(tmp_path, "headgate run"):
        pytest.fail("two owners")


def test_the_state_folder_keeps_itself_out_of_git(tmp_path: Path) -> None:
    with Owner.acquire(tmp_path, "headgate run"):
        assert (tmp_path / ".headgate" / ".gitignore").read_text() == "*\n"
        (tmp_path / ".headgate" / ".gitignore").write_text("mine\n")
    with Owner.acquire(tmp_path, "headgate run"):
        assert (tmp_path / ".headgate" / ".gitignore").read_text() == "mine\n"


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / ".headgate").write_text("a file")
    with pytest.raises(AdapterError) as caught, Owner.acquire(tmp_path, "headgate run"):
        pytest.fail("no folder to lock in")
    assert caught.value.finding.code == "state-folder"
    assert caught.value.finding.where == str(tmp_path / ".headgate")


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"pid": 1})])
def test_an_owner_that_has_not_signed_yet(tmp_path: Path, start: Start, text: str) -> None:
    other = start()
    assert heard(other) == "held"
    (tmp_path / ".headgate" / "owner.lock").write_text(text)
    with pytest.raises(AdapterError, match="it has only just begun"), Owner.acquire(tmp_path, "headgate run"):
        pytest.fail("two owners")
