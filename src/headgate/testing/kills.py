"""SIGKILL of real processes: nothing is lost and nothing doubled, wherever a run dies.

`python -m headgate.testing.kills --kills 100 --seed 1` practises on a small project of its own: every day new files
come in, runs are killed and begun again, the last run of the day ends in peace, and the project is compared with one
whose runs were never killed. The books are audited after every kill. It shows what the death of a process leaves
behind, not what a power cut does to a disk.

With `--store postgres --address URL` the server's processes that work for a run die, too (`pg_terminate_backend`), and
with `--crash COMMAND` the server itself: such a run must go on to its end, or fail with a finding that says why.
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
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from headgate.api.project import Project
from headgate.core import faults
from headgate.core.errors import Finding, HeadgateError
from headgate.testing.kills_project import state, write_day, write_project
from headgate.testing.kills_sites import DuckDBSite, PostgresSite, Site, Way, by_command

INSIDE = ("after_begin", "after_stage", "after_decide", "after_write", "after_commit", "before_ack")
SHARE_INSIDE = 0.6
_COMMITS = 9
"""In the undisturbed run of a day: seven loads and two models."""
_LATE = 0.02
_PATIENCE = 120.0
"""Seconds after which a run that goes on has hung."""
_FAILED = 3
"""Exit code of a run that said why it failed, and that it was no defect."""


@dataclass(frozen=True)
class Aim:
    """When to kill what. With a `point`: `after` seconds after it is announced for the n-th `commit` (1-based), or, if
    the run `waits` there, at exactly that point. Without: `after` seconds after the start of the process."""

    after: float
    point: str = ""
    commit: int = 0
    waits: bool = False
    way: Way = "process"


@dataclass(frozen=True)
class Flight:
    """How a run ended. `killed`: it, or what it needs of its warehouse, was killed. `last`: the last point that it had
    announced then, "" for none. `commits`: how many it carried out. `end`: "died", "done" or "failed"."""

    killed: bool
    last: str
    commits: int
    seconds: float
    end: str


@dataclass
class Tally:
    """What was done, and what went wrong. `losses` and `doubles` count rows, records and facts of the books."""

    days: int = 0
    kills: int = 0
    inside: int = 0
    places: Counter[tuple[str, Way]] = field(default_factory=Counter)
    ends: Counter[tuple[Way, str]] = field(default_factory=Counter)
    audits_clean: int = 0
    losses: int = 0
    doubles: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems and not self.losses and not self.doubles and self.audits_clean == self.kills

    def render(self) -> str:
        """A table of where what was killed, how the runs ended, and the result."""
        places = ["before the first commit", *faults.POINTS, "between two steps"]
        ways = sorted({way for way, _ in self.ends})
        lines = [f"{'killed at':<26}" + "".join(f"{way:>10}" for way in ways)]
        lines += [f"{one:<26}" + "".join(f"{self.places[one, way]:>10}" for way in ways) for one in places]
        for end, said in (("died", "died"), ("done", "went on to the end"), ("failed", "failed and said why")):
            lines.append(f"{said:<26}" + "".join(f"{self.ends[way, end]:>10}" for way in ways))
        lines.append(f"all: {self.kills}, of them inside a commit {self.inside}, over {self.days} days")
        lines.append(f"losses {self.losses}, doubles {self.doubles}, audits clean {self.audits_clean} of {self.kills}")
        return "\n".join([*lines, *self.problems])


class RunFailed(RuntimeError):
    """A run that nobody killed did not succeed, or one of which the server was killed ended in a defect."""


def practise(kills: int, seed: int, folder: Path, site: Site | None = None) -> Tally:
    """Kills that many runs of a project in the folder and says what came of it."""
    site = site or DuckDBSite()
    tally, dice = Tally(), random.Random(seed)
    calm, stormy = folder / "calm", folder / "stormy"
    for one in (calm, stormy):
        one.mkdir()
        write_project(one, site.settle(one))
    while tally.kills < kills:
        tally.days += 1
        for one in (calm, stormy):
            write_day(one, seed, tally.days)
        usual = fly(calm).seconds
        left, storms = _COMMITS, min(dice.randint(1, 5), kills - tally.kills)
        for _ in range(storms):
            flight = fly(stormy, aim := draw(dice, tally, usual, left, site.ways), site)
            if not flight.killed:
                break
            _note(stormy, flight, aim, tally)
            left -= flight.commits
            if left <= 0 or flight.end == "done":
                break
        fly(stormy)
        _compare(site, calm, stormy, tally)
    return tally


def draw(dice: random.Random, tally: Tally, usual: float, left: int, ways: Sequence[Way] = ("process",)) -> Aim:
    """Where to kill next: inside one of the commits that are `left` as long as too few kills were, else anywhere in a
    run of `usual` seconds. What is aimed at after an announcement may come too late; then the next aim waits there."""
    way = dice.choice(ways)
    missing = SHARE_INSIDE * (tally.kills + 1) - tally.inside
    if missing <= 0:
        return Aim(dice.uniform(0, usual), way=way)
    point, commit, waits = dice.choice(INSIDE), dice.randint(1, left), missing > 0.5
    return Aim(0 if waits else dice.uniform(0, _LATE), point, commit, waits, way)


def _note(folder: Path, flight: Flight, aim: Aim, tally: Tally) -> None:
    """Counts the kill and audits what it left behind."""
    # A run that waits at its point is still inside; one that went on after `before_ack` has left the commit.
    inside = flight.last in INSIDE and (aim.waits or flight.last != "before_ack")
    tally.kills += 1
    tally.inside += inside
    out = "between two steps" if flight.last else "before the first commit"
    tally.places[flight.last if inside or flight.last == "before_write" else out, aim.way] += 1
    tally.ends[aim.way, flight.end] += 1
    found = Project.open(folder).audit().findings
    tally.audits_clean += not found
    tally.problems += [f"after a kill at {flight.last or 'the start'}: {one.render()}" for one in found]


def _compare(site: Site, calm: Path, stormy: Path, tally: Tally) -> None:
    with closing(site.store(calm)) as one, closing(site.store(stormy)) as other:
        wanted, have = state(one), state(other)
    for part in wanted:
        lost, more = wanted[part] - have[part], have[part] - wanted[part]
        tally.losses += lost.total()
        tally.doubles += more.total()
        if lost or more:
            shown = [f"  {sign} {one}" for sign, some in (("-", lost), ("+", more)) for one in list(some)[:5]]
            tally.problems.append("\n".join([f"day {tally.days}, {part} differ from those without a kill:", *shown]))


def fly(folder: Path, aim: Aim | None = None, site: Site | None = None) -> Flight:
    """One run of the project in a process of its own. Raises RunFailed where it fails by itself, or by a defect."""
    inlet, outlet = os.pipe()
    waits = f"{aim.commit} {aim.point}" if aim and aim.waits else ""
    command = [sys.executable, "-m", "headgate.testing.kills", "--child", str(folder), str(outlet), waits]
    began = perf_counter()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, pass_fds=[outlet], stdout=errors, stderr=errors)
        os.close(outlet)
        watch = _Watch(process, aim, lambda way: site is not None and site.strike(way, folder))
        watch.follow(inlet)
        code = process.wait()
        end = {0: "done", -signal.SIGKILL: "died", _FAILED: "failed"}.get(code)
        died = aim is not None and aim.way == "process" and end == "died"
        if end is None or (end == "died" and not died) or (end == "failed" and not watch.hit):
            errors.seek(0)
            raise RunFailed(f"a run ended with {code}:\n{errors.read().decode()}")
    killed = died or (watch.hit and aim is not None and aim.way != "process")
    return Flight(killed, watch.place or watch.last, watch.commits, perf_counter() - began, end)


class _Watch:
    """Follows a run to its end and kills as aimed. `last`: the last point that it announced; `commits`: how often
    `after_commit`. `hit`: there was something to kill; `place`: what was `last` then."""

    def __init__(self, process: subprocess.Popen[bytes], aim: Aim | None, strike: Callable[[Way], bool]) -> None:
        self._process, self._aim, self._strike = process, aim, strike
        self.last, self.place, self.commits, self.hit = "", "", 0, False

    def follow(self, inlet: int) -> None:
        aim = self._aim
        shot = threading.Timer(aim.after if aim else 0, self._shoot)
        guard = threading.Timer(_PATIENCE, self._process.kill)
        guard.start()
        with open(inlet, "rb") as news:
            if aim and not aim.point:
                shot.start()
            for line in news:
                number, self.last = line.decode().split()
                self.commits += self.last == "after_commit"
                if aim and aim.point and (int(number), self.last) == (aim.commit, aim.point) and not shot.ident:
                    shot.start()
        shot.cancel()
        guard.cancel()
        if shot.ident:
            shot.join()

    def _shoot(self) -> None:
        assert self._aim is not None
        if self._aim.way == "process":
            self._process.kill()
            return
        self.place = self.last
        self.hit = self._strike(self._aim.way)
        if self._aim.waits:
            self._process.send_signal(signal.SIGUSR1)


def child(folder: Path, outlet: int, waits: str) -> int:
    """The run that may be killed: announces each fault point as `commit point`, and stays at the one named until it
    gets SIGUSR1. 0, or _FAILED where it failed and can say why."""
    begun = 0
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})

    def announce(point: str) -> None:
        nonlocal begun, waits
        begun += point == "before_write"
        os.write(outlet, f"{begun} {point}\n".encode())
        if waits == f"{begun} {point}":
            waits = ""
            signal.sigwait({signal.SIGUSR1})

    faults.install(announce)
    try:
        result = Project.open(folder).run()
    except HeadgateError as error:
        return _told(error.findings)
    if result.status == "ok" and result.balanced:
        return 0
    return _told(result.findings) if result.balanced else 1


def _told(findings: Iterable[Finding]) -> int:
    """Says what went wrong; _FAILED where a warehouse out of reach is all of it."""
    codes = set()
    for finding in findings:
        print(finding.render(), file=sys.stderr)
        codes.add(finding.code)
    return _FAILED if codes and codes <= {"warehouse-unreachable", "commit-unknown"} else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if nothing was lost or doubled and every audit was clean."""
    parser = argparse.ArgumentParser(prog="python -m headgate.testing.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="how many runs to kill (100)")
    parser.add_argument("--seed", type=int, default=1, help="what the days bring and where the kills aim (1)")
    parser.add_argument("--store", choices=("duckdb", "postgres"), default="duckdb", help="the warehouse (duckdb)")
    parser.add_argument("--address", help="URL of a PostgreSQL whose user may create databases")
    parser.add_argument("--crash", help="shell command that kills that PostgreSQL and starts it again")
    parser.add_argument("--child", nargs=3, metavar=("FOLDER", "FD", "POINT"), help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.child:
        folder, outlet, waits = chosen.child
        return child(Path(folder), int(outlet), waits)
    if chosen.store == "postgres" and not chosen.address:
        parser.error("--store postgres needs --address")
    with tempfile.TemporaryDirectory() as folder, closing(_site(chosen)) as site:
        tally = practise(chosen.kills, chosen.seed, Path(folder), site)
    print(tally.render())
    return 0 if tally.ok else 1


def _site(chosen: argparse.Namespace) -> Site:
    if chosen.store == "duckdb":
        return DuckDBSite()
    return PostgresSite(chosen.address, by_command(chosen.crash) if chosen.crash else None)


if __name__ == "__main__":
    raise SystemExit(main())
