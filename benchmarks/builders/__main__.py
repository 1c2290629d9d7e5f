"""Builds the same models by every side: `python -m benchmarks.builders [SIDE ...] [--models 500] [--install]`.

Writes `benchmarks/work/builders.json` and a table to standard output.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import harness
from benchmarks.builders.queries import Shape, star, trivial
from benchmarks.builders.sides import ENVIRONMENTS, QUIET, SIDES, Side
from benchmarks.data import WORK

OUT = WORK / "builders.json"
PHASES = ("build", "nothing changed", "one leaf edited")
Rounds = dict[str, dict[str, list[harness.Values]]]


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    os.environ |= QUIET
    chosen = [SIDES[name] for name in options.sides or SIDES]
    if options.install:
        for side in chosen:
            _install(side)
        return 0
    shape = star(options.star) if options.star else trivial(options.models)
    found = _measure(chosen, shape, options.rounds)
    about = {"shape": {"models": len(shape.queries), "star": options.star}, "machine": harness.to_json([])["machine"]}
    facts = {**about, "versions": {side.name: _version(side) for side in chosen}, "rounds": found}
    OUT.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    print(table(found))
    return 0


def _install(side: Side) -> None:
    if side.packages:
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENTS / side.name)], check=True)
        pip = [str(side.bin / "python"), "-m", "pip", "install", "--quiet", *side.packages]
        subprocess.run(pip, check=True)


def _version(side: Side) -> str:
    package = side.packages[0].partition("=")[0] if side.packages else {"plain": "duckdb"}.get(side.name, side.name)
    if not side.packages:
        return importlib.metadata.version(package)
    ask = f"import importlib.metadata as m; print(m.version({package!r}))"
    command = [str(side.bin / "python"), "-c", ask]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _measure(chosen: Sequence[Side], shape: Shape, rounds: int) -> Rounds:
    """Every side in turn, round by round, so that a slow minute of the machine meets all of them."""
    found: Rounds = {side.name: {phase: [] for phase in PHASES} for side in chosen}
    totals = {}
    for _ in range(rounds):
        for side in chosen:
            folder = WORK / f"builder_{side.name}"
            side.write(folder, shape)
            for phase, values in _phases(side, shape, folder):
                found[side.name][phase].append(values)
                print(f"{side.name}: {phase}: {values}", file=sys.stderr, flush=True)
            totals[side.name] = _total(side, shape, folder)
    print(f"totals: {totals}", file=sys.stderr, flush=True)
    return found


def _phases(side: Side, shape: Shape, folder: Path) -> list[tuple[str, harness.Values]]:
    taken = []
    for phase, command in zip(PHASES, (side.build, side.nothing, side.changed), strict=True):
        if phase == PHASES[2]:
            side.edit(folder, *shape.leaf)
        values, _ = harness.measure(command(folder))
        side.between(folder)
        taken.append((phase, values))
    return taken


def _total(side: Side, shape: Shape, folder: Path) -> str:
    """The total that its tables come to, asked in a process of its own: this one imports no engine."""
    query = shape.total.format_map({name: side.relation(name) for name in shape.queries})
    ask = f"import duckdb; print(duckdb.connect({str(folder / side.database)!r}).execute({query!r}).fetchone()[0])"
    return harness.measure(harness.python("-c", ask))[1].strip()


def table(found: Mapping[str, Mapping[str, Sequence[harness.Values]]]) -> str:
    """Medians side by side; `to Headgate`: how often Headgate's wall and CPU time go into theirs."""
    lines = [
        "| phase | side | wall s | CPU s | peak MB | wall to Headgate | CPU to Headgate |",
        "|---|---|---|---|---|---|---|",
    ]
    for phase in PHASES:
        medians = {
            name: {metric: statistics.median(one[metric] for one in phases[phase]) for metric in phases[phase][0]}
            for name, phases in found.items()
        }
        ours = medians.get("headgate", {"wall s": float("nan"), "CPU s": float("nan")})
        lines += [
            f"| {phase} | {name} | {one['wall s']:.2f} | {one['CPU s']:.2f} | {one['peak MB']:.0f} "
            f"| {one['wall s'] / ours['wall s']:.2f} | {one['CPU s'] / ours['CPU s']:.2f} |"
            for name, one in medians.items()
        ]
    return "\n".join(lines)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.builders", description=__doc__)
    parser.add_argument("sides", nargs="*", metavar="SIDE", help=f"of {', '.join(SIDES)}")
    parser.add_argument("--models", type=int, default=500, help="how many trivial models")
    parser.add_argument("--star", type=int, default=0, metavar="ROWS", help="a star over so many rows instead")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side; medians are compared")
    parser.add_argument("--install", action="store_true", help="make the environments under benchmarks/work/builders")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
