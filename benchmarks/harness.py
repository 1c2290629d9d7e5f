"""Runs two sides of a bar in turn as child processes and sums up what they took.

This process imports no engine: on Linux the peak memory of a child begins with the memory of its parent at the fork.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SUBJECT, REFERENCE = "subject", "reference"
Values = dict[str, float]


@dataclass(frozen=True)
class Limit:
    """`metric` of the subject, or its ratio to the reference's, must be at most this (`below`: less than this)."""

    metric: str
    at_most: float
    ratio: bool = False
    below: bool = False

    @property
    def title(self) -> str:
        return f"{self.metric} ratio" if self.ratio else self.metric

    def holds(self, value: float) -> bool:
        return value < self.at_most if self.below else value <= self.at_most

    def __str__(self) -> str:
        return f"{'<' if self.below else '<='} {self.at_most:g}"


@dataclass(frozen=True)
class Side:
    """One side of a comparison. `reset` puts the folder into the state before a run, outside the measured time.

    `command` is the child to run in the folder; `check` gets what it printed and the scale, raises AssertionError if
    the work was not done right, and returns further values to report.
    """

    command: Callable[[Path], list[str]]
    reset: Callable[[Path], None]
    check: Callable[[str, float], Values] = lambda output, scale: {}


@dataclass(frozen=True)
class Bar:
    """`prepare(folder, scale)` makes data and project (in a child of its own); the sides are run in turn."""

    name: str
    title: str
    limits: tuple[Limit, ...]
    sides: Mapping[str, Side]


@dataclass(frozen=True)
class Result:
    """Every value of every round by side, and the verdict per limit: (limit, median, least, most, holds)."""

    bar: str
    title: str
    scale: float
    rounds: Mapping[str, Sequence[Values]]
    verdicts: Sequence[Mapping[str, Any]] = field(default_factory=list)


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def child(bar: str, function: str, *arguments: object) -> list[str]:
    """The command that calls a function of a bar's module in a process of its own."""
    return python("-m", "benchmarks.child", bar, function, *map(str, arguments))


def headgate(*arguments: str) -> list[str]:
    """The command line that a user would type, with this interpreter."""
    return python("-c", "import sys; from headgate.cli.main import main; sys.exit(main())", *arguments)


def run_project(folder: Path) -> list[str]:
    return headgate("run", "--project", str(folder / "project"), "--json")


def measure(command: Sequence[str], codes: Sequence[int] = (0,)) -> tuple[Values, str]:
    """Wall and CPU seconds, peak memory in MB of the child, and its standard output.

    A child that ends with none of these exit codes is an error.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=errors, cwd=ROOT, env=_environment())
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode not in codes:
            raise RuntimeError(f"{' '.join(command)} exited with {process.returncode}:\n{errors.read()[-2000:]}")
        unit = 1 if platform.system() == "Darwin" else 1024
        peak = usage.ru_maxrss * unit / 1e6
        return {"wall s": wall, "CPU s": usage.ru_utime + usage.ru_stime, "peak MB": peak}, output.read()


def _environment() -> dict[str, str]:
    paths = [str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def run(bar: Bar, folder: Path, scale: float, rounds: int, only: str | None = None) -> Result:
    """Prepares the bar and runs its sides in turn, reference first; `only` leaves out the other side."""
    measure(child(bar.name, "prepare", folder, scale))
    sides = {name: side for name, side in bar.sides.items() if only in (None, name)}
    found: dict[str, list[Values]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            side.reset(folder)
            values, output = measure(side.command(folder))
            found[name].append({**values, **side.check(output, scale)})
    verdicts = [_verdict(limit, found) for limit in bar.limits if _can_tell(limit, found)]
    return Result(bar.name, bar.title, scale, found, verdicts)


def _can_tell(limit: Limit, found: Mapping[str, Sequence[Values]]) -> bool:
    return SUBJECT in found and (REFERENCE in found or not limit.ratio)


def _verdict(limit: Limit, found: Mapping[str, Sequence[Values]]) -> dict[str, Any]:
    """A ratio is that of the medians; its range comes from the pairs that ran one after the other."""
    each = [values[limit.metric] for values in found[SUBJECT]]
    median = statistics.median(each)
    if limit.ratio:
        others = [values[limit.metric] for values in found[REFERENCE]]
        median /= statistics.median(others)
        each = [one / other for one, other in zip(each, others, strict=True)]
    facts = {"median": median, "least": min(each), "most": max(each), "holds": limit.holds(median)}
    return {"what": limit.title, "limit": str(limit), **facts}


def to_json(results: Sequence[Result]) -> dict[str, Any]:
    """All rounds and verdicts, with what is needed to read them: machine, versions, scale."""
    machine = {"system": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()}
    return {"machine": machine, "results": [vars(result) for result in results]}


def to_markdown(results: Sequence[Result]) -> str:
    """One table of verdicts and one of medians."""
    lines = ["| bar | what | limit | median | min - max | holds |", "|---|---|---|---|---|---|"]
    for result in results:
        lines += [
            f"| {result.title} | {found['what']} | {found['limit']} | {found['median']:.3g} "
            f"| {found['least']:.3g} - {found['most']:.3g} | {'yes' if found['holds'] else '**no**'} |"
            for found in result.verdicts
        ]
    lines += ["", "| bar | side | what | median | min - max |", "|---|---|---|---|---|"]
    for result in results:
        for side, rounds in result.rounds.items():
            lines += [_median_row(result.title, side, metric, rounds) for metric in rounds[0]]
    return "\n".join(lines) + "\n"


def _median_row(title: str, side: str, metric: str, rounds: Sequence[Values]) -> str:
    values = [found[metric] for found in rounds]
    median = statistics.median(values)
    return f"| {title} | {side} | {metric} | {median:.3g} | {min(values):.3g} - {max(values):.3g} |"


def remove(folder: Path, *names: str) -> None:
    """Removes files of the folder if they are there; a database goes with its log."""
    for name in names:
        for path in (folder / name, folder / f"{name}.wal"):
            path.unlink(missing_ok=True)


def counts(output: str, table: str) -> dict[str, int]:
    """The counts of a table's step from what `headgate run --json` printed; the run must be ok and balanced."""
    result = json.loads(output)
    assert result["status"] == "ok", result
    assert result["balanced"] is True, result
    (step,) = [step for step in result["steps"] if step["id"] == table]
    return {name: step[f"rows_{name}"] for name in ("read", "loaded", "quarantined", "deduplicated", "skipped")}
