"""A unique rule over random keys: slices of 1 M rows into a table of up to 10 M, with the rule and without."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

from benchmarks import data, harness, project

INGEST = """
    table: raw.{name}
    from: {name}/*.parquet
    columns:
      id:     bigint{rule}
      amount: decimal(10,2), min(0)
      note:   text
"""
SLICES = 10


def prepare(folder: Path, scale: float) -> None:
    ingests = {
        "keyed": INGEST.format(name="keyed", rule=", unique"),
        "plain": INGEST.format(name="plain", rule=""),
    }
    project.write(folder, ingests)
    data.random_slices(scale, SLICES)
    (folder / "scale").write_text(f"{scale:g}", encoding="utf-8")


def reset(folder: Path) -> None:
    project.forget(folder)
    for path in (folder / "project").glob("*/*.parquet"):
        path.unlink()


def subject(folder: Path, scale: float) -> None:
    """Prints, per slice, its wall seconds with the rule and without, and the million keys of table and slice."""
    from headgate.api import Project

    home, found = folder / "project", []
    with Project.open(home) as opened:
        for number, path in enumerate(data.random_slices(scale, SLICES)):
            seconds = {}
            for name in ("plain", "keyed"):
                project.link(path, home / name / path.name)
                began = time.perf_counter()
                result = opened.run([f"raw.{name}"])
                seconds[name] = time.perf_counter() - began
                assert result.status == "ok", result
            keys = (number + 1) * data.rows(scale, 1_000_000) / 1e6
            found.append([seconds["keyed"], seconds["plain"], keys])
    print(json.dumps(found))


def check(output: str, scale: float) -> harness.Values:
    """The median of the later slices: the first ones make the tables."""
    costs = [1000 * (keyed - plain) / keys for keyed, plain, keys in json.loads(output)[SLICES // 2 :]]
    return {"ms per million keys": statistics.median(costs)}


BAR = harness.Bar(
    "random_keys",
    "A unique rule over random keys, table and slice",
    (harness.Limit("ms per million keys", 25),),
    {
        harness.SUBJECT: harness.Side(
            lambda folder: harness.child("random_keys", "subject", folder, _scale(folder)), reset, check
        )
    },
)


def _scale(folder: Path) -> str:
    return (folder / "scale").read_text(encoding="utf-8")
