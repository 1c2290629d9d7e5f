"""SIGKILL of real processes: nothing is lost and nothing doubled, wherever a run dies.

`python -m headgate.testing.kills --kills 100 --seed 1` practises on a small project of its own: every day new files
come in, runs are killed and begun again, the last run of the day ends in peace, and the project is compared with one
whose runs were never killed. The books are audited after every kill. It shows what the death of a process leaves
behind, not what a power cut does to a disk.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from headgate.api.project import Project
from headgate.core import faults
from headgate.testing.kills_project import state, write_day, write_project

INSIDE = ("after_begin", "after_stage", "after_decide", "after_write", "after_commit", "before_ack")
SHARE_INSIDE = 0.6
_MOST_COMMITS = 5
_LATE = 0.02
_PATIENCE = 120.0
"""Seconds after which a run that goes on has hung."""


@dataclass(frozen=True)
class Aim:
    """When to kill. With a `point`: `after` seconds after it is announced for the n-th `commit` (1-based), or, if the
    run `waits` there, at exactly that point. Without: `after` seconds after the start of the process."""

    after: float
    point: str = ""
    commit: int = 0
    waits: bool = False


@dataclass(frozen=True)
class Flight:
    """How a run ended. `last` is the last point that it announced, "" for none."""

    killed: bool
    last: str
    seconds: float


@dataclass
class Tally:
    """What was done, and what went wrong. `losses` and `doubles` count rows, records and facts of the books."""

    days: int = 0
    kills: int = 0
    inside: int = 0
    places: Counter[str] = field(default_factory=Counter)
    audits_clean: int = 0
    losses: int = 0
    doubles: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems and not self.losses and not self.doubles and self.audits_clean == self.kills

    def render(self) -> str:
        """A table of where the runs died, and the result."""
        places = ["before the first commit", *faults.POINTS, "between two steps"]
        lines = [f"{'died at':<26}{'kills':>6}", *(f"{one:<26}{self.places[one]:>6}" for one in places)]
        lines.append(f"{'all':<26}{self.kills:>6}, of them inside a commit {self.inside}, over {self.days} days")
        lines.append(f"losses {self.losses}, doubles {self.doubles}, audits clean {self.audits_clean} of {self.kills}")
        return "\n".join([*lines, *self.problems])


class RunFailed(RuntimeError):
    """A run that nobody killed did not succeed."""


def practise(kills: int, seed: int, folder: Path) -> Tally:
    """Kills that many runs of a project in the folder and says what came of it."""
    tally, dice = Tally(), random.Random(seed)
    calm, stormy = folder / "calm", folder / "stormy"
    for one in (calm, stormy):
        write_project(one)
    while tally.kills < kills:
        tally.days += 1
        for one in (calm, stormy):
            write_day(one, seed, tally.days)
        usual = fly(calm).seconds
        storms = min(dice.randint(1, 5), kills - tally.kills)
        while storms and _storm(stormy, draw(dice, tally, usual), tally):
            storms -= 1
        fly(stormy)
        _compare(calm, stormy, tally)
    return tally


def draw(dice: random.Random, tally: Tally, usual: float) -> Aim:
    """Where to kill next: inside a commit as long as too few kills were, else anywhere in a run of `usual` seconds."""
    if tally.inside >= SHARE_INSIDE * (tally.kills + 1):
        return Aim(dice.uniform(0, usual))
    point, commit = dice.choice(INSIDE), dice.randint(1, _MOST_COMMITS)
    waits = dice.random() < 0.5
    return Aim(0 if waits else dice.uniform(0, _LATE), point, commit, waits)


def _storm(folder: Path, aim: Aim, tally: Tally) -> bool:
    """One run under this aim; False if it came to its end before it was hit."""
    flight = fly(folder, aim)
    if not flight.killed:
        return False
    # A run that waits at its point is still inside; one that went on after `before_ack` has left the commit.
    inside = flight.last in INSIDE and (aim.waits or flight.last != "before_ack")
    tally.kills += 1
    tally.inside += inside
    out = "between two steps" if flight.last else "before the first commit"
    tally.places[flight.last if inside or flight.last == "before_write" else out] += 1
    found = Project.open(folder).audit().findings
    tally.audits_clean += not found
    tally.problems += [f"after a kill at {flight.last or 'the start'}: {one.render()}" for one in found]
    return True


def _compare(calm: Path, stormy: Path, tally: Tally) -> None:
    wanted, have = state(calm), state(stormy)
    for part in wanted:
        lost, more = wanted[part] - have[part], have[part] - wanted[part]
        tally.losses += lost.total()
        tally.doubles += more.total()
        if lost or more:
            shown = [f"  {sign} {one}" for sign, some in (("-", lost), ("+", more)) for one in list(some)[:5]]
            tally.problems.append("\n".join([f"day {tally.days}, {part} differ from those without a kill:", *shown]))


def fly(folder: Path, aim: Aim | None = None) -> Flight:
    """One run of the project in a process of its own. Raises RunFailed where it fails by itself."""
    inlet, outlet = os.pipe()
    waits = f"{aim.commit} {aim.point}" if aim and aim.waits else ""
    command = [sys.executable, "-m", "headgate.testing.kills", "--child", str(folder), str(outlet), waits]
    began = perf_counter()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, pass_fds=[outlet], stdout=errors, stderr=errors)  # noqa: S603
        os.close(outlet)
        last = _watch(process, inlet, aim)
        code = process.wait()
        if code not in (0, -signal.SIGKILL) or (code and aim is None):
            errors.seek(0)
            raise RunFailed(f"a run ended with {code}:\n{errors.read().decode()}")
    return Flight(code == -signal.SIGKILL, last, perf_counter() - began)


def _watch(process: subprocess.Popen[bytes], inlet: int, aim: Aim | None) -> str:
    """Follows the run to its end, kills it as aimed, and returns the last point that it announced."""
    shot = threading.Timer(aim.after if aim else 0, process.kill)
    guard = threading.Timer(_PATIENCE, process.kill)
    guard.start()
    last = ""
    with open(inlet, "rb") as news:
        if aim and not aim.point:
            shot.start()
        for line in news:
            number, last = line.decode().split()
            if aim and aim.point and (int(number), last) == (aim.commit, aim.point):
                shot.start()
    shot.cancel()
    guard.cancel()
    return last


def child(folder: Path, outlet: int, waits: str) -> int:
    """The run that may be killed: announces each fault point as `commit point`, and stays at the one named."""
    begun = 0

    def announce(point: str) -> None:
        nonlocal begun
        begun += point == "before_write"
        os.write(outlet, f"{begun} {point}\n".encode())
        while waits == f"{begun} {point}":
            signal.pause()

    faults.install(announce)
    result = Project.open(folder).run()
    for finding in result.findings:
        print(finding.render(), file=sys.stderr)
    return 0 if result.status == "ok" and result.balanced else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if nothing was lost or doubled and every audit was clean."""
    parser = argparse.ArgumentParser(prog="python -m headgate.testing.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="how many runs to kill (100)")
    parser.add_argument("--seed", type=int, default=1, help="what the days bring and where the kills aim (1)")
    parser.add_argument("--child", nargs=3, metavar=("FOLDER", "FD", "POINT"), help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.child:
        folder, outlet, waits = chosen.child
        return child(Path(folder), int(outlet), waits)
    with tempfile.TemporaryDirectory() as folder:
        tally = practise(chosen.kills, chosen.seed, Path(folder))
    print(tally.render())
    return 0 if tally.ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
