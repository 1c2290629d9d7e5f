"""The history of runs: what is written is read again, and whatever happens to its file is told and fails nothing."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from headgate.state.history import VERSION, History
from headgate.state.runs import FigureRow, RunRow, StepRow

RUN = RunRow("a1", "headgate run", "2026-06-01T00:00:00", "2026-06-01T00:00:01", "ok", seconds=1.5, rows_read=3)
STEP = StepRow("a1", 1, "raw.orders", "load", "ok", "1 new file", findings=[{"code": "x", "what": 'it\'s "so"'}])
FIGURE = FigureRow("raw.orders", 1, 0, "id", "BIGINT", 10, 2, "2026-06-01T00:00:00")


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path)


def runs(*days: int) -> list[RunRow]:
    return [replace(RUN, id=f"a{day:02}", begun_at=f"2026-06-{day:02}T00:00:00") for day in days]


def test_what_is_written_is_read_again(history: History, tmp_path: Path) -> None:
    history.put(RUN, STEP, FIGURE)
    history.close()
    with History(tmp_path) as again:
        assert (again.runs(), again.steps(["a1"]), again.figures(5)) == ([RUN], [STEP], [FIGURE])
        assert not again.made_anew
        assert again.findings == []
    assert history.made_anew


def test_a_row_takes_the_place_of_the_one_with_its_key(history: History) -> None:
    history.put(RUN, STEP)
    history.put(replace(RUN, status="failed"), replace(STEP, seconds=2.0))
    assert [run.status for run in history.runs()] == ["failed"]
    assert [step.seconds for step in history.steps(["a1"])] == [2.0]


def test_runs_come_latest_first_and_by_the_beginning_of_their_id(history: History) -> None:
    history.put(*runs(1, 3, 2))
    assert [run.id for run in history.runs(2)] == ["a03", "a02"]
    assert [run.id for run in history.run("a0")] == ["a01", "a02", "a03"]
    assert history.run("%") == []
    assert history.count() == 3


def test_old_runs_are_forgotten_but_never_the_last(history: History) -> None:
    history.put(*runs(1, 2, 3), STEP, *(replace(STEP, run=f"a{day:02}") for day in (1, 2, 3)))
    history.put(FIGURE, FIGURE._replace(entry=2))
    history.prune("2026-06-03T00:00:00")
    assert [run.id for run in history.runs()] == ["a03"]
    assert [step.run for step in history.steps(["a01", "a02", "a03", "a1"])] == ["a03"]
    assert [figure.entry for figure in history.figures(5)] == [2]
    history.prune("2027-01-01T00:00:00")
    assert [run.id for run in history.runs()] == ["a03"]


def test_figures_are_those_of_the_latest_measurements_of_each_table(history: History) -> None:
    entries = [FIGURE._replace(entry=entry, place=place) for entry in range(1, 6) for place in (0, 1)]
    history.put(*entries, FIGURE._replace(table_name="other"))
    found = history.figures(2)
    assert {(one.table_name, one.entry) for one in found} == {("raw.orders", 4), ("raw.orders", 5), ("other", 1)}
    assert history.measured(2) == [("other", 1), ("raw.orders", 4), ("raw.orders", 5)]


def test_former_figures_are_told_of_columns_that_miss_more_than_asked_for(history: History) -> None:
    columns = ((0, "id", 0), (1, "email", 5), (2, "phone", 9))
    history.put(*(
        FIGURE._replace(entry=entry, place=place, column_name=name, rows=100, nulls=nulls if entry == 3 else 50)
        for entry in (1, 2, 3) for place, name, nulls in columns
    ))  # fmt: skip
    found = [(one.entry, one.column_name) for one in history.figures(2, above=0.05)]
    assert found == [(2, "phone"), (3, "id"), (3, "email"), (3, "phone")]


def test_a_run_whose_process_is_gone_was_killed(history: History) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    running = [replace(RUN, id=name, status="running", pid=pid, host=host) for name, pid, host in (
        ("dead", gone.pid, "here"), ("mine", os.getpid(), "here"), ("elsewhere", gone.pid, "there"))]  # fmt: skip
    history.put(*running)
    history.bury("here")
    assert {run.id: run.status for run in history.runs()} == {
        "dead": "killed", "mine": "running", "elsewhere": "running"}  # fmt: skip


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_broken_file_is_put_aside_and_a_new_one_begun(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / ".headgate" / "state.db"
    path.parent.mkdir()
    path.write_bytes(content)
    with History(tmp_path) as history:
        history.put(RUN)
        assert history.runs() == [RUN]
        assert history.made_anew
        (told,) = history.findings
    assert told.code == "history-broken"
    (aside,) = path.parent.glob("state.db.broken-*")
    assert aside.name in told.fix
    assert aside.read_bytes() == content


def test_a_file_with_other_tables_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / ".headgate").mkdir()
    with sqlite3.connect(tmp_path / ".headgate" / "state.db") as db:
        db.execute("CREATE TABLE run (other)")
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.close()
    with History(tmp_path) as history:
        history.put(RUN)
        assert history.runs() == [RUN]
        assert [one.code for one in history.findings] == ["history-broken"]


def test_a_file_of_the_first_version_is_read_and_gets_what_it_lacks(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.put(RunRow("1", "headgate run", "2026-06-01"), StepRow("1", 1, "raw.a", "load", "ok"))
    with closing(sqlite3.connect(tmp_path / ".headgate" / "state.db")) as db:
        for column in ("passed", "result"):
            db.execute(f"ALTER TABLE step DROP COLUMN {column}")
        db.execute("PRAGMA user_version = 1")
    with History(tmp_path) as history:
        assert history.steps(["1"]) == [StepRow("1", 1, "raw.a", "load", "ok")]
        history.put(StepRow("1", 2, "t", "task", "ok", result='{"n": 1}'), StepRow("1", 3, "u", "task", "ok", passed=1))
        assert [(one.passed, one.result) for one in history.steps(["1"])] == [(0, ""), (0, '{"n": 1}'), (1, "")]
        assert (history.findings, history.made_anew) == ([], False)


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".headgate").mkdir()
    with sqlite3.connect(tmp_path / ".headgate" / "state.db") as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    with History(tmp_path) as history:
        history.put(RUN)
        assert history.runs() == []
        (told,) = history.findings
    assert (told.code, told.level) == ("history-unusable", "warning")
    assert f"it has version {VERSION + 1}" in told.what
    assert list((tmp_path / ".headgate").glob("*.broken*")) == []


def test_a_folder_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    (tmp_path / ".headgate").write_text("in the way")
    with History(tmp_path) as history:
        for _ in range(3):
            history.put(RUN)
        assert history.count() == 0
        assert [one.code for one in history.findings] == ["history-unusable"]
