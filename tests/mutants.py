"""Hand-made mutants of gate and books: `python -m tests.mutants [NAME ...] [--list]`.

Each mutant of `tests/mutant_tables/` is one wrong line of code, and the tests of its room must notice it. It is applied
to a copy of `src` in a temporary folder, never to the working tree. First the same tests run unmutated. Exit code 1 if
a mutant survives, is stale (its text no longer occurs exactly once) or could not be judged.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from tests.mutant_tables import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src"
PATIENCE_SECS = 300
"""How long the tests of one mutant may take; they take seconds."""
PYTEST = ("-m", "pytest", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider", "-p", "no:randomly")
PROFILE = {"HEADGATE_HYPOTHESIS": "mutants"}
_FAILED = re.compile(r"^(?:FAILED|ERROR) (?:tests/)?(.+?)(?: - .*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: `killed`, and by what; else what is wrong."""

    mutant: Mutant
    killed: bool
    by: str
    secs: float


def stale(mutant: Mutant, src: Path = SRC) -> str:
    """Why the mutant cannot be made of this source; empty if it can."""
    path = src / "headgate" / mutant.file
    if not path.is_file():
        return f"STALE: there is no {mutant.file}"
    times = path.read_text(encoding="utf-8").count(mutant.old)
    return "" if times == 1 else f"STALE: its text occurs {times} times in {mutant.file}"


def mutate(mutant: Mutant, src: Path) -> None:
    """Applies the mutant to a copy of the source."""
    path = src / "headgate" / mutant.file
    path.write_text(path.read_text(encoding="utf-8").replace(mutant.old, mutant.new), encoding="utf-8")
    for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
        compiled.unlink()


def judge(mutant: Mutant, limit: float) -> Verdict:
    """Runs the mutant's tests over a copy of the source with the mutant in it."""
    begun = monotonic()
    wrong = stale(mutant)
    if wrong:
        return Verdict(mutant, False, wrong, 0)
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        src = Path(folder) / "src"
        shutil.copytree(SRC, src)
        mutate(mutant, src)
        code, output = run([*PYTEST, "-x", *mutant.tests], src, limit)
    return Verdict(mutant, *said(code, output), monotonic() - begun)


def said(code: int | None, output: str) -> tuple[bool, str]:
    """Whether pytest's exit code (None: it was stopped) and output mean that the mutant was killed, and by what."""
    failed = _FAILED.findall(output)
    if code is None:
        return True, "a hang"
    if code == 1 and failed:
        return True, failed[-1]
    if code == 0:
        return False, "SURVIVED"
    last = output.strip().splitlines()[-1:] or ["no output"]
    return False, f"NOT JUDGED: pytest ended with {code}: {last[0]}"


def run(arguments: Sequence[str], src: Path, limit: float) -> tuple[int | None, str]:
    """Exit code and output of Python over that source; None where it took longer than `limit` seconds."""
    env = {**os.environ, **PROFILE, "PYTHONPATH": str(src)}
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return None, output
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, output


def sound(mutants: Iterable[Mutant], workers: int) -> str:
    """Why the tests prove nothing about these mutants: they fail unmutated, or run other code. Empty if they do."""
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        src = Path(folder) / "src"
        shutil.copytree(SRC, src)
        _, found = run(["-c", "import headgate; print(headgate.__file__)"], src, PATIENCE_SECS)
        if Path(found.strip()) != src / "headgate" / "__init__.py":
            return f"the copy of the source is not what is imported, but {found.strip()}"
        code, output = run([*PYTEST, "-n", str(workers), *tests], src, 10 * PATIENCE_SECS)
    return "" if code == 0 else f"the tests fail without any mutant (exit code {code}):\n{output}"


def chosen(names: Sequence[str]) -> list[Mutant]:
    """The mutants of these names, all without a name."""
    known = {mutant.name: mutant for mutant in MUTANTS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"no such mutant: {', '.join(unknown)}; see --list")
    return [known[name] for name in names] or list(MUTANTS)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    mutants = chosen(options.names)
    if options.list:
        for mutant in mutants:
            print(f"{mutant.name:<40} {mutant.file:<28} {mutant.why}")
        return 0
    wrong = "" if options.unproven else sound([one for one in mutants if not stale(one)], options.workers)
    if wrong:
        print(wrong, file=sys.stderr)
        return 1
    verdicts = []
    with ThreadPoolExecutor(options.workers) as pool:
        for verdict in pool.map(lambda mutant: judge(mutant, options.limit), mutants):
            print(f"{verdict.mutant.name:<40} {verdict.secs:5.0f} s  {verdict.by}", flush=True)
            verdicts.append(verdict)
    lost = [verdict for verdict in verdicts if not verdict.killed]
    print(f"{len(verdicts) - len(lost)} of {len(verdicts)} mutants were killed")
    for verdict in lost:
        print(f"{verdict.by}: {verdict.mutant.name}\n  {verdict.mutant.file}: {verdict.mutant.why}", file=sys.stderr)
    return int(bool(lost))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Wrong lines that tests must notice.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="mutants to try (all)")
    parser.add_argument("--list", action="store_true", help="only show what there is")
    parser.add_argument("--workers", type=int, default=2, help="mutants at a time (2)")
    parser.add_argument("--limit", type=float, default=PATIENCE_SECS, help=f"seconds per mutant ({PATIENCE_SECS})")
    parser.add_argument("--unproven", action="store_true", help="do not run the tests unmutated first")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
