"""Counts the same broken rows by every side: `python -m benchmarks.peers [SIDE ...] [--scale 0.2] [--install]`.

Writes `benchmarks/work/peers.json` and a table to standard output.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence

from benchmarks import harness
from benchmarks.data import WORK
from benchmarks.peers import rules
from benchmarks.peers.sides import ENVIRONMENTS, QUIET, SIDES, Side

OUT = WORK / "peers.json"


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    os.environ |= QUIET
    chosen = [SIDES[name] for name in options.sides or SIDES]
    if options.install:
        for side in chosen:
            _install(side)
        return 0
    found = _measure(chosen, options.scale, options.rounds)
    OUT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(table(found))
    return 0


def _install(side: Side) -> None:
    """The side's own environment: what it needs is no concern of ours."""
    if side.packages:
        home = ENVIRONMENTS / side.name
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([side.python, "-m", "pip", "install", "--quiet", *side.packages], check=True)


def _measure(chosen: Sequence[Side], scale: float, rounds: int) -> dict[str, object]:
    """Every side in turn, round by round, so that a slow minute of the machine meets all of them."""
    truth = rules.truth(scale)
    folders = {side.name: WORK / f"peer_{side.name}" for side in chosen}
    for side in chosen:
        print(f"{side.name}: preparing ...", file=sys.stderr, flush=True)
        folders[side.name].mkdir(parents=True, exist_ok=True)
        side.prepare(folders[side.name], scale)
    taken: dict[str, list[harness.Values]] = {side.name: [] for side in chosen}
    counted: dict[str, Mapping[str, int]] = {}
    for _ in range(rounds):
        for side in chosen:
            values, output = harness.measure(side.command(folders[side.name]), side.codes)
            taken[side.name].append(values)
            counted[side.name] = side.counted(folders[side.name], output)
            print(f"{side.name}: {values}", file=sys.stderr, flush=True)
    machine = harness.to_json([])["machine"]
    rows = rules.rows(scale)
    facts = {"machine": machine, "rows": rows, "truth": truth, "versions": {one.name: _version(one) for one in chosen}}
    return {**facts, "rounds": taken, "counted": {name: dict(one) for name, one in counted.items()}}


def _version(side: Side) -> str:
    name = side.packages[0].partition("=")[0].partition("[")[0] if side.packages else "headgate"
    ask = f"import importlib.metadata as m; print(m.version({name!r}))"
    return subprocess.run([side.python, "-c", ask], check=True, capture_output=True, text=True).stdout.strip()


def table(found: Mapping[str, object]) -> str:
    """Medians side by side, and how much longer each takes than Headgate."""
    rounds: Mapping[str, Sequence[harness.Values]] = found["rounds"]  # type: ignore[assignment]
    truth: Mapping[str, int] = found["truth"]  # type: ignore[assignment]
    counted: Mapping[str, Mapping[str, int]] = found["counted"]  # type: ignore[assignment]
    medians = {
        name: {metric: statistics.median(one[metric] for one in taken) for metric in taken[0]}
        for name, taken in rounds.items()
    }
    lines = [
        "| side | CPU s | wall s | peak MB | CPU to Headgate | rules counted exactly |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in medians.items():
        ratio = one["CPU s"] / medians["headgate"]["CPU s"] if "headgate" in medians else float("nan")
        exact = sum(counted[name].get(rule) == rows for rule, rows in truth.items())
        version = found["versions"][name]  # type: ignore[index]
        lines.append(
            f"| {name} {version} | {one['CPU s']:.2f} | {one['wall s']:.2f} | {one['peak MB']:.0f} | {ratio:.2f} "
            f"| {exact} of {len(truth)} |"
        )
    return "\n".join(lines)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("sides", nargs="*", metavar="SIDE", help=f"of {', '.join(SIDES)}")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the data, 1 = 10 M rows")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side; medians are compared")
    parser.add_argument("--install", action="store_true", help="make the environments under benchmarks/work/peers")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
