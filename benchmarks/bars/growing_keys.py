"""100 files of 100,000 rows, one after the other into a table with a unique rule: the last may not cost much more."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

from benchmarks import data, harness, project

INGEST = """
    table: raw.slices
    from: data/*.parquet
    columns:
      id:          bigint, unique
      customer_id: bigint, required
      amount:      decimal(10,2), min(0)
      day:         date
      note:        text
"""
NUMBER, GROUP = 100, 5


def prepare(folder: Path, scale: float) -> None:
    project.write(folder, {"slices": INGEST})
    waiting = folder / "waiting"
    waiting.mkdir(exist_ok=True)
    for path in data.slices(scale, NUMBER):
        name = waiting / path.name
        name.unlink(missing_ok=True)
        project.link(path, name)


def reset(folder: Path) -> None:
    project.forget(folder)
    for path in (folder / "project" / "data").glob("*.parquet"):
        path.unlink()


def subject(folder: Path) -> None:
    """Prints the CPU seconds of every slice, each loaded by a run of its own in this one process."""
    from headgate.api import Project

    seconds = []
    home = folder / "project"
    with Project.open(home) as opened:
        for path in sorted((folder / "waiting").iterdir()):
            project.link(path, home / "data" / path.name)
            began = time.process_time()
            result = opened.run()
            seconds.append(time.process_time() - began)
            assert result.status == "ok", result
    print(json.dumps(seconds))


def check(output: str, scale: float) -> harness.Values:
    """The first slice also makes the table, so the beginning is the median of slices 2 to 6."""
    seconds = json.loads(output)
    assert len(seconds) == NUMBER
    first, last = statistics.median(seconds[1 : 1 + GROUP]), statistics.median(seconds[-GROUP:])
    return {"first slices CPU s": first, "last slices CPU s": last, "last to first slices": last / first}


BAR = harness.Bar(
    "growing_keys",
    "Slice 100 against slice 1, unique rule, growing keys",
    (harness.Limit("last to first slices", 1.2),),
    {harness.SUBJECT: harness.Side(lambda folder: harness.child("growing_keys", "subject", folder), reset, check)},
)
