"""Two processes at one warehouse, interrupts, kills, and a system that refuses."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.forks.client import Popen

from conftest import ORDERS, PATIENCE_SECS, Lab

RECORDS = 400_000
HOLD = """
import sys, duckdb
with duckdb.connect("warehouse.duckdb", read_only=sys.argv[1] == "reading"):
    print("held", flush=True)
    sys.stdin.readline()
"""


STOP = """
import sys
from headgate.cli.main import main
from headgate.core import faults

def hook(point):
    if point == sys.argv[1]:
        faults.install(None)
        print("stopped", file=sys.__stdout__, flush=True)
        sys.stdin.readline()

faults.install(hook)
sys.exit(main(["run", "--json"]))
"""
LOOKING = (
    ("query", "SELECT count(*) AS n FROM raw.orders"),
    ("quarantine", "list"),
    ("quarantine", "show", "1"),
    ("audit",),
    ("plan",),
    ("ledger",),
    ("check",),
)
CHANGING = (("run",), ("quarantine", "replay", "--all"), ("ledger", "adjust", "raw.orders", "--reason", "a test"))


@contextmanager
def stopped(lab: Lab, point: str) -> Iterator[subprocess.Popen[str]]:
    """A run that stands at the fault point until it reads a line; `let_go`."""
    program = [sys.executable, "-c", STOP, point]
    with Popen(program, cwd=lab.root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        try:
            assert other.stdout.readline() == "stopped\n"
            yield other
        finally:
            other.kill()


@pytest.fixture
def twice(orders: Lab) -> Lab:
    """A project with one load done and a file for the next."""
    orders.ok("run")
    orders.write({"data/orders/2.csv": "id,amount\n9,9\n8,-8\n"})
    return orders


@pytest.fixture
def long(lab: Lab) -> Lab:
    """A project whose load takes a second or so."""
    lines = "".join(f"{number},{number % 100}.25\n" for number in range(RECORDS))
    lab.write({"ingest/orders.yml": ORDERS, "data/orders/1.csv": "id,amount\n" + lines})
    return lab


@contextmanager
def held(lab: Lab, how: str) -> Iterator[subprocess.Popen[str]]:
    """Another program has the warehouse open until it reads a line."""
    program = [sys.executable, "-c", HOLD, how]
    with Popen(program, cwd=lab.root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield other


def let_go(other: subprocess.Popen[str]) -> None:
    assert other.stdin is not None
    other.stdin.write("\n")
    other.stdin.flush()


def begun(lab: Lab, running: subprocess.Popen[str]) -> None:
    """Returns when the run holds the warehouse: its name is in the lock file and its database is open."""
    lock, database = lab.root / ".headgate/owner.lock", lab.root / "warehouse.duckdb"
    while not (lock.exists() and str(running.pid) in lock.read_text() and database.exists()):
        assert running.poll() is None, "it ended before it was seen"


def test_who_runs_is_said_and_waiting_succeeds(long: Lab) -> None:
    running = long.start("run", "--json")
    begun(long, running)
    running.send_signal(signal.SIGSTOP)
    busy = long.fails(1, "run")
    assert (busy["code"], busy["evidence"]["pid"]) == ("warehouse-busy", running.pid)
    assert f"pid {running.pid}, `headgate run`" in busy["what"]
    assert "--wait" in busy["fix"]
    waiting = long.start("run", "--wait", "--json")
    assert waiting.stderr is not None
    assert waiting.stderr.readline().startswith(f"waiting: another run holds the warehouse: pid {running.pid}")
    running.send_signal(signal.SIGCONT)
    assert '"status": "skipped"' in waiting.communicate(timeout=PATIENCE_SECS)[0]
    assert waiting.returncode == 0
    out, err = running.communicate(timeout=PATIENCE_SECS)
    assert (running.returncode, err) == (0, "")
    assert f'"rows_loaded": {RECORDS}' in out
    assert long.ok("audit")["balanced"] is True


@pytest.mark.slow
@pytest.mark.parametrize("point", ["before_write", "after_write", "before_ack"])
def test_every_verb_says_who_holds_the_file(twice: Lab, point: str) -> None:
    with stopped(twice, point) as run:
        told = twice.headgate("query", "SELECT 1")
        assert (told.code, told.out) == (1, "")
        who = f"another run holds the warehouse: pid {run.pid}, `headgate run`, since 2"
        assert f"error[warehouse-busy]: {who}" in told.err
        for words in (*LOOKING, *CHANGING):
            asked = twice.headgate(*words, "--json")
            assert asked.code == 1
            (found,) = asked.json()["findings"]
            assert (found["code"], found["level"]) == ("warehouse-busy", "error")
            assert {"pid", "command", "since", "host"} <= found["evidence"].keys()
            assert (found["evidence"]["pid"], found["evidence"]["command"]) == (run.pid, "headgate run")
            assert found["evidence"]["since"] in found["what"]
            assert "--wait" in found["fix"]
        let_go(run)
        assert run.wait(PATIENCE_SECS) == 0
    assert twice.rows(LOOKING[0][1]) == [[3]]
    assert twice.ok("audit")["balanced"] is True


@pytest.mark.slow
@pytest.mark.parametrize("words", [*LOOKING, *CHANGING[:2]], ids=" ".join)
def test_every_verb_waits_if_it_is_told_to(twice: Lab, words: tuple[str, ...]) -> None:
    with stopped(twice, "after_write") as run:
        waiting = twice.start(*words, "--wait", "--json")
        assert waiting.stderr is not None
        assert waiting.stderr.readline().startswith(f"waiting: another run holds the warehouse: pid {run.pid}, `head")
        let_go(run)
        out, err = waiting.communicate(timeout=PATIENCE_SECS)
        assert (waiting.returncode, err) == (0, "")
        answer = json.loads(out)
        assert "error" not in {finding["level"] for finding in answer.get("findings", ())}
        if words[0] == "query":
            assert answer["rows"] == [[3]]  # what it waited for is seen
        assert run.wait(PATIENCE_SECS) == 0


@pytest.mark.parametrize("point", ["before_write", "after_begin", "after_write", "after_commit"])
def test_on_a_server_every_verb_that_looks_works_beside_a_run(postgres: str, orders: Lab, point: str) -> None:
    orders.write({"headgate.yml": f"project: lab\nwarehouse: {postgres}\n"})
    orders.ok("run")
    orders.write({"data/orders/2.csv": "id,amount\n9,9\n8,-8\n"})
    with stopped(orders, point) as run:
        known = 3 if point == "after_commit" else 2
        for words in LOOKING:
            orders.ok(*words)
        assert orders.rows(LOOKING[0][1]) == [[known]]
        assert orders.ok("audit")["balanced"] is True
        assert orders.ok("plan")["steps"][0]["status"] == ("skip" if point == "after_commit" else "run")
        let_go(run)
        assert run.wait(PATIENCE_SECS) == 0
    assert orders.rows(LOOKING[0][1]) == [[3]]
    assert orders.ok("audit")["balanced"] is True


@pytest.mark.parametrize("how", ["writing", "reading"])
def test_a_warehouse_that_another_program_has_open(orders: Lab, how: str) -> None:
    orders.ok("run")
    orders.write({"data/orders/2.csv": "id,amount\n9,9\n"})
    # what a run that was killed leaves behind must not be blamed
    orders.write({".headgate/owner.lock": '{"pid": 1, "command": "headgate run", "since": "then", "host": "here"}'})
    with held(orders, how) as other:
        busy = orders.fails(1, "run")
        assert (busy["code"], busy["evidence"]["pid"]) == ("warehouse-busy", other.pid)
        if how == "reading":
            assert orders.rows("SELECT count(*) FROM raw.orders") == [[2]]
        else:
            for words in (["plan"], ["query", "SELECT 1"], ["quarantine", "list"]):
                assert orders.fails(1, *words)["code"] == "warehouse-busy"
        waiting = orders.start("run", "--wait", "--json")
        assert waiting.stderr is not None
        assert waiting.stderr.readline().startswith("waiting: another process holds the warehouse")
        let_go(other)
        out, err = waiting.communicate(timeout=PATIENCE_SECS)
    assert (waiting.returncode, err) == (0, "")
    assert '"rows_loaded": 1' in out


@pytest.mark.slow
def test_interrupts_leave_no_trace_and_the_next_run_goes_on(long: Lab) -> None:
    running = long.start("run", "--json")
    begun(long, running)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=PATIENCE_SECS)
    assert (running.returncode, err) == (130, "")
    assert '"code": "interrupted"' in out
    assert list((long.root / ".headgate/tmp").iterdir()) == []
    assert long.step()["rows_loaded"] == RECORDS
    assert long.ok("audit")["balanced"] is True


@pytest.mark.slow
def test_what_a_killed_run_left_is_cleared_away(long: Lab) -> None:
    path, tmp = long.root / "data/orders/1.csv", long.root / ".headgate/tmp"
    path.write_bytes(path.read_bytes() + b"broken\n")  # read the careful way, by way of temporary files
    running = long.start("run")
    while not list(tmp.glob("*/*/*")):
        assert running.poll() is None, "it ended before it was seen"
    running.kill()
    running.communicate(timeout=PATIENCE_SECS)
    (left,) = tmp.iterdir()
    step = long.step()
    assert (step["rows_loaded"], step["rows_quarantined"]) == (RECORDS, 1)
    assert not left.exists()
    assert list(tmp.iterdir()) == []
    assert long.ok("audit")["balanced"] is True


def no_privileges() -> None:
    """In the child: root, too, must keep to the modes of files (capabilities 1 and 2 go over them)."""
    if os.geteuid() == 0:
        library = ctypes.CDLL(None)
        for capability in (1, 2):
            library.prctl(24, capability, 0, 0, 0)


@contextmanager
def mode(path: Path, bits: int) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(bits)
    try:
        yield
    finally:
        path.chmod(before)


UNREADABLE = {
    # path -> code, exit code, of `run`
    "headgate.yml": ("unreadable-file", 2),
    "ingest/orders.yml": ("unreadable-file", 2),
    "ingest": ("unreadable-file", 2),
    "data/orders": ("unreadable-file", 1),
    "data/orders/2.csv": ("unreadable-file", 1),
    "warehouse.duckdb": ("warehouse-unreadable", 1),
}


@pytest.mark.slow
def test_what_can_not_be_read_is_named_and_never_passed_over(orders: Lab) -> None:
    orders.ok("run")
    orders.write({"data/orders/2.csv": "id,amount\n9,9\n"})
    for name, (code, exit_code) in UNREADABLE.items():
        with mode(orders.root / name, 0):
            ran = orders.headgate("run", "--json", preexec_fn=no_privileges)
        found = ran.json()["findings"][0]
        assert (ran.code, found["code"]) == (exit_code, code), name
        assert name in found["where"]
        assert found["fix"]
    assert orders.step()["rows_loaded"] == 1


def test_a_project_that_can_only_be_read_can_be_looked_at(orders: Lab) -> None:
    orders.ok("run")
    orders.write({"data/orders/2.csv": "id,amount\n9,9\n"})
    with mode(orders.root / ".headgate/owner.lock", 0o400), mode(orders.root / ".headgate", 0o500):
        for words in (["plan"], ["check"], ["audit"], ["query", "FROM raw.orders"]):
            ran = orders.headgate(*words, "--json", preexec_fn=no_privileges)
            assert ran.code == 0, ran.text
        ran = orders.headgate("run", "--json", preexec_fn=no_privileges)
        assert (ran.code, ran.json()["findings"][0]["code"]) == (1, "state-folder")
    assert orders.step()["rows_loaded"] == 1


def test_a_file_in_the_place_of_the_state_folder(orders: Lab) -> None:
    orders.write({".headgate": "mine\n"})
    assert orders.ok("plan")["steps"][0]["status"] == "run"
    assert orders.fails(1, "run")["code"] == "state-folder"
    assert (orders.root / ".headgate").read_text() == "mine\n"
