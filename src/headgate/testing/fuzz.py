"""Feeds a real project spoiled files and spoiled YAML, for as long as it is told:

    python -m headgate.testing.fuzz --seconds 60 [--seed 1] [--corpus FOLDER] [--keep FOLDER]

What must hold, whatever the bytes: nothing is raised but a HeadgateError, none of them says that Headgate is at fault,
every run comes to an end, the books balance and `audit` finds nothing. The work is done by a child, so that a crash of
the engine and a hang are seen, too; the project that caused one is kept under `--keep`, and `--seed` repeats it.
`--corpus` names a folder with files that are spoiled beside those that are built in.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from random import Random

from headgate.api.project import Project
from headgate.core.errors import HeadgateError, InternalError
from headgate.core.suffixes import kind_of
from headgate.testing.fuzz_cases import COLUMNS, Seed, seeds, spoiled

HANG_SECS = 60.0
"""A case that takes longer hangs."""
OUR_FAULT = {"internal-error", "parser-disagrees", "books-unbalanced", "no-arguments"}
HARMFUL = ("python", "..", "~", "from: /", "path: /", "postgres", "secret")
"""What spoiled YAML must not be made to do: run code, leave the project, ask the network."""


class Broken(Exception):
    """The property does not hold; says how."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if the property held in every case."""
    parser = argparse.ArgumentParser(prog="python -m headgate.testing.fuzz", description="spoiled files and YAML")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None, help="the same cases again")
    parser.add_argument("--corpus", type=Path, default=None, help="a folder with files to spoil")
    parser.add_argument("--keep", type=Path, default=None, help="where a project that broke is kept")
    parser.add_argument("--child", type=Path, default=None, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    seed = given.seed if given.seed is not None else time.time_ns() % 1_000_000
    if given.child is not None:
        return _work(given.child, seed, given.seconds, given.corpus)
    return _watch(seed, given.seconds, given.corpus, given.keep)


def _watch(seed: int, seconds: float, corpus: Path | None, keep: Path | None) -> int:
    """Runs the child and sees to it that it lives and goes on."""
    with tempfile.TemporaryDirectory(prefix="headgate-fuzz-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "headgate.testing.fuzz", "--child", name, "--seed", str(seed)]
        command += ["--seconds", str(seconds), *(["--corpus", str(corpus)] if corpus else [])]
        with subprocess.Popen(command) as child:
            why = _await(child, folder / "beat")
        if why:
            print(f"broken: {why}; repeat it with --seed {seed}")
            if keep is not None:
                shutil.copytree(folder, keep, dirs_exist_ok=True)
                print(f"the project is kept in {keep / 'project'}")
            return 1
        return 0


def _await(child: subprocess.Popen[bytes], beat: Path) -> str:
    """Empty once the child ended well; else what happened."""
    last, since = "", time.monotonic()
    while True:
        try:
            code = child.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            now = beat.read_text() if beat.exists() else ""
            if now != last:
                last, since = now, time.monotonic()
            if time.monotonic() - since > HANG_SECS:
                child.kill()
                return f"case {last or 'none'} took more than {HANG_SECS:g} s"
            continue
        return "" if code == 0 else f"the child ended with {code} in case {beat.read_text() if beat.exists() else '?'}"


def _work(folder: Path, seed: int, seconds: float, corpus: Path | None) -> int:
    """One case after the other until the time is up. Which case comes n-th depends on the seed alone."""
    files = [*seeds(), *(_corpus(corpus) if corpus else [])]
    others = [one.data for one in files]
    until, number, stopped = time.monotonic() + seconds, 0, 0
    while time.monotonic() < until:
        number += 1
        (folder / "beat").write_text(str(number))
        draw = Random(f"{seed}/{number}")
        project = folder / "project"
        shutil.rmtree(project, ignore_errors=True)
        one = draw.choice(files)
        try:
            stopped += case(project, one, draw, others)
        except Exception:
            traceback.print_exc()
            print(f"case {number} ({one.kind}) of seed {seed} in {project}", file=sys.stderr)
            return 1
    print(f"{number} cases, {stopped} of them stopped with an error that says why; seed {seed}")
    return 0


def _corpus(folder: Path) -> list[Seed]:
    """The data files of projects under the folder, as seeds."""
    found = []
    for path in sorted(folder.rglob("*")):
        kind = kind_of(path.name) if path.is_file() and path.stat().st_size < 1 << 16 else None
        if kind is not None and path.suffix != ".yml":
            suffixes = path.name.removeprefix(path.name.split(".")[0]) if path.name.isascii() else path.suffix
            found.append(Seed(kind, f"data/a{suffixes}", f"data/*{suffixes}", path.read_bytes()))
    return [seed for seed in found if kind_of(seed.name) == seed.kind]


def case(root: Path, seed: Seed, draw: Random, others: list[bytes]) -> bool:
    """Runs one case in `root`; whether the load stopped with an error. Raises Broken, or what must not be raised."""
    write(root, seed, draw, others)
    try:
        with Project.open(root) as project:
            found = project.run()
            codes = {one.code for one in found.findings}
            if not found.balanced:
                raise Broken(f"the run does not balance: {found}")
            audit = project.audit()
            if not audit.balanced or audit.findings:
                raise Broken(f"the audit finds: {audit.findings}")
    except HeadgateError as error:
        if isinstance(error, InternalError):
            raise
        codes = {one.code for one in error.findings}
    if codes & OUR_FAULT:
        raise Broken(f"Headgate is at fault: {codes}")
    return bool(codes)


def write(root: Path, seed: Seed, draw: Random, others: list[bytes]) -> None:
    """The case as a project: a spoiled file, or a spoiled ingest file."""
    text = f"table: raw.t\nfrom: {seed.source}\n{seed.ingest if draw.random() < 0.8 else ''}"
    data, ingest = seed.data, text.encode()
    if seed.kind == "yaml":
        ingest = spoiled(draw, ingest, [COLUMNS.encode(), ingest])
        if any(word.encode() in ingest for word in HARMFUL):
            ingest = text.encode()
    else:
        data = spoiled(draw, data, others, seed.kind)
    (root / "ingest").mkdir(parents=True)
    (root / "headgate.yml").write_text("project: fuzz\nwarehouse: duckdb:w.duckdb\nengine: {threads: 1}\n")
    (root / "ingest" / "t.yml").write_bytes(ingest)
    path = root / seed.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.setdefault("PYTHONHASHSEED", "0")
    sys.exit(main())
