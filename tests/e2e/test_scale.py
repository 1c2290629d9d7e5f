"""Many files and many columns: the time grows with them, and no faster."""

from __future__ import annotations

import resource
from typing import Any

import pytest

from conftest import Lab

COLUMNS = "columns:\n  id: int, key\n  text: text\n"


@pytest.fixture(autouse=True)
def _really_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what it took is told to this process, and its imports are in it."""
    monkeypatch.setenv("HEADGATE_TEST_FORKS", "0")


def cpu_secs(lab: Lab, *words: str) -> tuple[float, Any]:
    """CPU of the whole process, which a busy machine does not stretch as it does the clock, and the answer."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = lab.ok(*words)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert spent > 0, "nothing was measured"
    return spent, answer


def deliver(lab: Lab, files: range) -> None:
    """Files of one size, so that the search for twins has to look into every one."""
    lab.write({f"data/{number}.csv": f"id,text\n{number},x\n{number + 10**6},y\n" for number in files})


@pytest.mark.slow
def test_a_thousand_files_in_one_run(lab: Lab) -> None:
    lab.write({"ingest/m.yml": f"table: raw.m\nfrom: data/*.csv\n{COLUMNS}"})
    idle, _ = cpu_secs(lab, "plan")
    deliver(lab, range(100_000, 100_250))
    few, _ = cpu_secs(lab, "plan")
    deliver(lab, range(100_250, 101_000))
    many, plan = cpu_secs(lab, "plan")
    assert plan["steps"][0]["reason"] == "1000 new files"
    assert many - idle < 8 * max(few - idle, 0.05), "four times as many files; quadratic would be sixteen"
    loading, run = cpu_secs(lab, "run")
    assert run["steps"][0]["rows_loaded"] == 2000
    assert loading < 10, "10 ms for a file"
    again, run = cpu_secs(lab, "run")
    assert run["steps"][0]["status"] == "skipped"
    assert again < 1.5
    assert lab.ok("audit")["entries"] == 1000


@pytest.mark.slow
def test_two_thousand_columns(lab: Lab) -> None:
    names = [f"c{number}" for number in range(2000)]
    rows = [",".join(["7"] * 2000), ",".join(["7"] * 1999 + ["-1"])]
    lab.write(
        {
            "ingest/w.yml": "table: raw.w\nfrom: data/w.csv\ncolumns:\n"
            + "".join(f"  {n}: int, min(0)\n" for n in names),
            "data/w.csv": "\n".join([",".join(names), *rows, ""]),
        }
    )
    step = lab.step()
    assert (step["rows_loaded"], step["rows_quarantined"]) == (1, 1)
    assert lab.ok("quarantine", "list")["records"][0]["reasons"][0]["column"] == "c1999"
    assert lab.rows("SELECT c0, c1999 FROM raw.w") == [[7, 7]]


def test_small_work_is_done_at_once(orders: Lab) -> None:
    """The promises are 0.6 s for a small run and 0.1 s for help, on an idle machine; here as CPU, with some air."""
    assert cpu_secs(orders, "run")[0] < 1.2
    assert cpu_secs(orders, "run")[0] < 0.9
    assert cpu_secs(orders, "--help")[0] < 0.2
