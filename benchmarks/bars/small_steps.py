"""What a step costs that has nothing to do, and what the commit of a small slice costs, inside one process."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

from benchmarks import harness, project

INGEST = """
    table: raw.t{number:02}
    from: data/t{number:02}/*.csv
    columns:
      id:     int
      amount: decimal(10,2), min(0)
"""
TABLES, FILES = 40, 20


def prepare(folder: Path, scale: float) -> None:
    home = project.write(folder, {f"t{number:02}": INGEST.format(number=number) for number in range(TABLES)})
    for number in range(TABLES):
        (home / "data" / f"t{number:02}").mkdir(parents=True)
        _write_file(home / "data" / f"t{number:02}" / "first.csv", number)


def _write_file(path: Path, start: int) -> None:
    lines = "".join(f"{start * 10 + number},{number}.50\n" for number in range(10))
    path.write_text("id,amount\n" + lines, encoding="utf-8")


def reset(folder: Path) -> None:
    project.forget(folder)
    for path in (folder / "project" / "data" / "t00").glob("more*.csv"):
        path.unlink()


class Stopwatch:
    """Seconds between the fault points that stand around a commit."""

    def __init__(self) -> None:
        self.spans: list[float] = []
        self._began: float | None = None

    def __call__(self, point: str) -> None:
        if point == "before_write":
            self._began = time.perf_counter()
        elif point == "before_ack" and self._began is not None:
            self.spans.append(time.perf_counter() - self._began)
            self._began = None


def subject(folder: Path) -> None:
    """Prints milliseconds: a step planned, a step planned and dispatched, a commit of ten rows, a run that does one."""
    from headgate.api import Project
    from headgate.core import faults

    home = folder / "project"
    with Project.open(home) as opened:
        assert opened.run().status == "ok"
        began = time.perf_counter()
        assert len(opened.plan().steps) == TABLES
        planned = time.perf_counter()
        assert opened.run().status == "ok"
        idle = time.perf_counter()
        watch, runs = Stopwatch(), []
        faults.install(watch)
        for number in range(FILES):
            _write_file(home / "data" / "t00" / f"more{number:02}.csv", number + TABLES)
            start = time.perf_counter()
            (step,) = opened.run(["raw.t00"]).steps
            runs.append(time.perf_counter() - start)
            assert step.rows_loaded == 10
    assert len(watch.spans) == FILES
    values = {
        "plan of a step ms": (planned - began) / TABLES,
        "plan and dispatch of a step ms": (idle - planned) / TABLES,
        "commit of ten rows ms": statistics.median(watch.spans),
        "run of one small file ms": statistics.median(runs),
    }
    print(json.dumps({name: value * 1000 for name, value in values.items()}))


def check(output: str, scale: float) -> harness.Values:
    values: harness.Values = json.loads(output)
    return values


BAR = harness.Bar(
    "small_steps",
    "Steps with little to do",
    (
        harness.Limit("plan and dispatch of a step ms", 5, below=True),
        harness.Limit("commit of ten rows ms", 25, below=True),
    ),
    {harness.SUBJECT: harness.Side(lambda folder: harness.child("small_steps", "subject", folder), reset, check)},
)
