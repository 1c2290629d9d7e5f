"""Two runs of one project at the same time, on a store that lets them, and without waiting for each other's tables.

`race([folder, copy])` runs both in processes of their own that begin every commit at the same moment. What they leave
must be what one run leaves, and what each says that it committed must be what the books say.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from headgate.adapters.postgres.store import PostgresStore
from headgate.books.schema import migrate
from headgate.core import faults
from headgate.core.values import TableRef
from headgate.project.read import read_project
from headgate.run.execute import Done, Run, execute
from headgate.run.pipeline import assemble
from headgate.state.scratch import Scratch

GATE = "before_write"
"""Where a runner waits for the other."""


@dataclass(frozen=True)
class Told:
    """What a runner says of itself: `steps` are id, status, records read and rows loaded; `begun` commits, of which
    `committed` came to their end."""

    steps: tuple[tuple[str, str, int, int], ...]
    begun: int
    committed: int

    @property
    def lost(self) -> int:
        return self.begun - self.committed


class Runner:
    """One of the processes. It stops at every gate until it is let through; `waits` says that it stands at one."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "headgate.testing.races", str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.waits = False
        self.told: Told | None = None

    def listen(self) -> None:
        """Returns when it stands at a gate, or at the end. Raises RuntimeError where it ended otherwise."""
        line = _pipe(self._process.stdout).readline().strip()
        self.waits = line == GATE
        if not self.waits:
            code = self._process.wait()
            if code or not line:
                raise RuntimeError(f"a runner ended with {code}")
            facts = json.loads(line)
            self.told = Told(tuple(tuple(step) for step in facts["steps"]), facts["begun"], facts["committed"])

    def stop(self) -> None:
        """Kills it if it still runs."""
        self._process.kill()
        self._process.communicate()

    def let(self) -> None:
        stdin = _pipe(self._process.stdin)
        stdin.write("go\n")
        stdin.flush()


def race(folders: Sequence[Path]) -> list[Told]:
    """Runs the projects of the folders at once; each waits at every gate until all others stand at one, or are done."""
    runners = [Runner(folder) for folder in folders]
    going = list(runners)
    try:
        while going:
            for one in going:
                one.listen()
            going = [one for one in going if one.waits]
            for one in going:
                one.let()
    finally:
        for one in runners:
            one.stop()
    return [one.told for one in runners if one.told is not None]


def run_rudely(folder: Path) -> list[Done]:
    """A run that keeps no turns. The books are made in turn: that they are there is not what is raced for."""
    files, scratch = read_project(folder), Scratch(folder)
    spec = files.warehouse
    with (
        closing(PostgresStore(spec.address, spec.shown, scratch.path, polite=True)) as store,
        store.lock(TableRef("_headgate", "meta")),
        store.session() as session,
    ):
        migrate(session)
    try:
        with closing(PostgresStore(spec.address, spec.shown, scratch.path, program="headgate race")) as store:
            return list(execute(Run(store, assemble(files, scratch.path, "postgres"), "race")))
    finally:
        scratch.close()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def main(folder: Path) -> int:
    """Runs the project; at every gate it says so and waits for a line. At the end one line of JSON."""
    counted = {GATE: 0, "after_commit": 0}

    def hook(point: str) -> None:
        if point in counted:
            counted[point] += 1
        if point == GATE:
            print(GATE, flush=True)
            sys.stdin.readline()

    faults.install(hook)
    done = run_rudely(folder)
    for one in done:
        for finding in one.findings:
            print(finding.render(), file=sys.stderr)
    steps = [[one.id, one.status, one.counts.read, one.counts.loaded] for one in done]
    print(json.dumps({"steps": steps, "begun": counted[GATE], "committed": counted["after_commit"]}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
