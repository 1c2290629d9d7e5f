"""Ctrl-C and SIGTERM on real commands: one ends them in order, a second one at once."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.forks.client import COMMAND, Popen
from tests.unit.project_kit import Folder

pytestmark = pytest.mark.slow

WAITS = """
import threading

def orders():
    try:
        print("ready", flush=True)
        threading.Event().wait()
    except KeyboardInterrupt:
        print("heard", flush=True)
        {then}
    yield {{"id": 1}}
"""
INGEST = "table: raw.{name}\nfrom: {source}\nload: upsert\ncolumns:\n  id: int, key\n"
NO_END = "{{ config(materialized='table') }} select sum(a.range * b.range) as n from range({n}) as a, range({n}) as b"


def project(tmp_path: Path, then: str = "raise") -> Folder:
    return Folder.make(
        tmp_path,
        {
            "ingest/a.yml": INGEST.format(name="a", source="data/*.csv"),
            "ingest/b.yml": INGEST.format(name="b", source="{python: sources/b.py:orders}"),
            "sources/b.py": WAITS.format(then=then),
            "data/1.csv": "id\n1\n2\n",
        },
    )


@contextmanager
def started(folder: Folder, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command, once it said that it is ready."""
    command = [*COMMAND, "run", *words]
    with Popen(command, cwd=folder.root, stderr=subprocess.PIPE, text=True) as made:
        try:
            assert heard(made) == "ready"
            yield made
        finally:
            made.kill()


def heard(run: subprocess.Popen[str]) -> str:
    assert run.stderr is not None
    return run.stderr.readline().strip()


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGTERM, 143, "terminated by SIGTERM; "), (signal.SIGINT, 130, "interrupted; ")],
)
def test_a_signal_ends_a_run_in_order(tmp_path: Path, number: signal.Signals, code: int, said: str) -> None:
    folder = project(tmp_path)
    with started(folder) as run:
        run.send_signal(number)
        _, told = run.communicate(timeout=60)
    assert run.returncode == code
    assert f"error[interrupted]: {said}what was committed is complete and stays" in told
    assert (folder.root / ".headgate" / "owner.lock").read_text() == ""
    assert folder.rows("SELECT count(*) FROM raw.a") == [(2,)]
    assert folder.codes() == []
    folder.write("sources/b.py", 'def orders():\n    yield {"id": 7}\n')
    assert {step.id: step.status for step in folder.run().steps} == {"raw.a": "skipped", "raw.b": "ok"}


@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_statement_that_runs_is_ended(tmp_path: Path, threads: str) -> None:
    folder = project(tmp_path)
    folder.write("sources/b.py", 'def orders():\n    print("ready", flush=True)\n    yield {"id": 7}\n')
    folder.write("models/gold/no_end.sql", NO_END.format(n=10_000_000))
    with started(folder, "--threads", threads) as run:
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=60)
    assert run.returncode == 143
    assert folder.codes() == []


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    folder = project(tmp_path, then="threading.Event().wait()")
    with started(folder, "raw.b") as run:
        run.send_signal(signal.SIGINT)
        assert heard(run) == "heard"
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
    assert run.returncode == -signal.SIGINT
