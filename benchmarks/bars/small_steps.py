"""What a step costs that has nothing to do, and what a commit of a small slice costs, inside one process."""

from __future__ import annotations

import json
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
TABLES, FILES = 40, 50


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


def subject(folder: Path) -> None:
    """Prints milliseconds per step planned, per step dispatched with nothing to do, and per slice of ten rows."""
    from headgate.api import Project

    home = folder / "project"
    with Project.open(home) as opened:
        assert opened.run().status == "ok"
        began = time.perf_counter()
        plan = opened.plan()
        planned = time.perf_counter()
        assert opened.run().status == "ok"
        idle = time.perf_counter()
        for number in range(FILES):
            _write_file(home / "data" / "t00" / f"more{number:02}.csv", number + TABLES)
        written = time.perf_counter()
        result = opened.run()
        done = time.perf_counter()
    assert len(plan.steps) == TABLES
    assert sum(step.rows_loaded for step in result.steps) == 10 * FILES
    per_step, idle_run = (planned - began) / TABLES, idle - planned
    values = {"plan of a step ms": per_step, "plan and dispatch of a step ms": idle_run / TABLES}
    values["slice of ten rows ms"] = max(0.0, done - written - idle_run) / FILES
    print(json.dumps({name: value * 1000 for name, value in values.items()}))


def check(output: str, scale: float) -> harness.Values:
    values: harness.Values = json.loads(output)
    return values


BAR = harness.Bar(
    "small_steps",
    "Steps with little to do",
    (
        harness.Limit("plan and dispatch of a step ms", 5, below=True),
        harness.Limit("slice of ten rows ms", 25, below=True),
    ),
    {harness.SUBJECT: harness.Side(lambda folder: harness.child("small_steps", "subject", folder), reset, check)},
)
