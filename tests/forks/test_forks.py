"""A forked command is what a started one is: words, place, variables, streams, exit code; a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from tests.forks import client
from tests.forks.client import COMMAND, Popen, run

pytestmark = pytest.mark.slow

INGEST = "table: raw.made\nfrom: {python: source.py:rows}\nload: replace\ncolumns:\n  said: text\n"
TELLS = """\
import json, os, sys

def rows():
    print("beside")
    told = [os.getpid(), os.getcwd(), sys.argv[1:], sys.path, sys.stdin.read(), os.isatty(1)]
    yield {"said": json.dumps([*told, hash("a"), dict(os.environ)])}
"""
KILLED = "import os, signal\n\ndef rows():\n    os.kill(os.getpid(), signal.SIGKILL)\n    yield {}\n"
HANGING = "import signal\n\ndef rows():\n    signal.pause()\n    yield {}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "headgate.yml").write_text("project: p\n")
    return tmp_path


def project(folder: Path, source: str) -> Path:
    (folder / "ingest").mkdir()
    (folder / "ingest" / "made.yml").write_text(INGEST)
    (folder / "source.py").write_text(source)
    return folder


def headgate(words: Sequence[str], folder: Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    return run([*COMMAND, *words], **{**streams(folder), **options})


def started(words: Sequence[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *words], check=False, **streams(folder))


def streams(folder: Path) -> dict[str, Any]:
    variables = dict(os.environ)
    return {"cwd": folder, "env": variables, "stdin": subprocess.DEVNULL, "stdout": PIPE, "stderr": PIPE}


@pytest.mark.parametrize(
    "words", [["--version"], ["runn"], ["query", "SELECT 1 AS one", "--json"], ["query", "SELECT nothing"], ["check"]]
)
def test_it_leaves_what_a_started_one_leaves(folder: Path, words: list[str]) -> None:
    one, other = headgate(words, folder), started(words, folder)
    assert (one.returncode, one.stdout, one.stderr) == (other.returncode, other.stdout, other.stderr)
    assert one.stdout or one.stderr


def test_it_finds_what_a_started_one_finds_and_hashes_as_the_one_before_did_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAID", "x\ny")
    project(folder, TELLS)
    words = ["run", "--json"]
    seen: list[list[Any]] = []
    for way in (headgate, headgate, started):
        done = way(words, folder)
        assert (done.returncode, done.stderr) == (0, b"beside\n"), done
        told = json.loads(headgate(["query", "FROM raw.made", "--json"], folder).stdout)["rows"][0][0]
        seen.append(json.loads(told))
        headgate(["query", "SELECT 1"], folder)  # so that the next run is the other's turn
    assert len({os.getpid(), *(one[0] for one in seen)}) == 4
    assert seen[0][1:6] == seen[1][1:6] == seen[2][1:6]
    assert seen[0][1:3] == [str(folder), words]
    assert len({one[6] for one in seen[:2]}) == 2
    assert seen[0][7] == seen[1][7] == seen[2][7]
    assert seen[0][7]["SAID"] == "x\ny"


def test_standard_error_can_stand_within_standard_output(folder: Path) -> None:
    project(folder, TELLS)
    done = headgate(["run"], folder, stderr=subprocess.STDOUT)
    assert done.stdout.startswith(b"beside\nstep ")
    assert done.stderr is None


def test_a_signal_that_ended_it_is_told(folder: Path) -> None:
    assert headgate(["run"], project(folder, KILLED)).returncode == -signal.SIGKILL


def test_one_that_hangs_is_killed_and_the_next_are_served(folder: Path) -> None:
    project(folder, HANGING)
    for _ in client.SEEDS:
        with pytest.raises(subprocess.TimeoutExpired):
            headgate(["run"], folder, timeout=0.1)
    for _ in client.SEEDS:
        assert headgate(["query", "SELECT 1", "--wait"], folder).returncode == 0


def test_variables_of_the_interpreter_count(folder: Path) -> None:
    variables = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    assert headgate(["query", "SELECT 'é' AS x"], folder, env=variables).stdout == b"x\n-\n\xe9\n1 row\n"


def test_it_is_spoken_to_while_it_runs(folder: Path) -> None:
    program = "import os, sys\nprint(sys.argv, flush=True)\nos.write(int(sys.argv[1]), sys.stdin.readline().encode())"
    heard, told = os.pipe()
    with (
        open(heard, "rb") as news,
        Popen(
            [sys.executable, "-c", program, str(told)], cwd=folder, stdin=PIPE, stdout=PIPE, text=True, pass_fds=[told]
        ) as process,
        Popen([*COMMAND, "--version"], cwd=folder, stdout=PIPE) as other,
    ):
        os.close(told)
        assert process.stdout is not None
        assert process.stdout.readline() == f"{['-c', str(told)]}\n"
        assert other.communicate()[0].startswith(b"headgate ")
        assert (process.poll(), other.poll()) == (None, 0)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0)
        assert process.communicate("word\n") == ("", None)
        assert news.read() == b"word\n"
    assert process.wait() == 0


def test_what_a_program_raises_is_told_and_its_exit_code_kept(folder: Path) -> None:
    raised = run([sys.executable, "-c", "1 / 0"], **streams(folder))
    assert (raised.returncode, raised.stdout) == (1, b"")
    assert raised.stderr.endswith(b"ZeroDivisionError: division by zero\n")
    assert run([sys.executable, "-c", "raise SystemExit(7)"], **streams(folder)).returncode == 7


@pytest.mark.parametrize("command", [[sys.executable, "--version"], ["echo", "Python"]])
def test_other_programs_are_started_as_ever(folder: Path, command: list[str]) -> None:
    assert run(command, **streams(folder)).stdout.startswith(b"Python")


def test_they_are_waited_for_where_many_files_are_open(folder: Path) -> None:
    """A file number above 1023 is more than select() takes."""
    resource = pytest.importorskip("resource")
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 1400:
        pytest.skip("the limit of open files is low")
    with ExitStack() as stack:
        for _ in range(1100):
            stack.enter_context(open(os.devnull, "rb"))
        told = run([*COMMAND, "--version"], cwd=folder, stdout=PIPE, text=True)
    assert (told.returncode, told.stdout.split()[0]) == (0, "headgate")
