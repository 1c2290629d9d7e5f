"""The test suite against the newest DuckDB of each major version: `python -m tests.matrix [FOLDER ...]`.

Makes an environment per engine under `.matrix/`, runs the tests in it and writes docs/compat.md from what came out:
every failure is listed. Exit code 1 if a test fails with the engine that Headgate is pinned to; failures with the other
one are what the page is for.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".matrix"
PAGE = ROOT / "docs" / "compat.md"
ALL = ("tests",)
LEFT_OUT = ("tests/kills", "tests/unit/benchmarks", "tests/unit/test_matrix.py")
FACTS = {
    "F1": "rows behind an insert of no rows in the same transaction are visible",
    "F2": "COMMIT behind a swallowed error keeps the rows or fails",
    "F3": "of two that update one row, the second is refused at once",
    "F4": "writers that take a table's line first come one after the other",
    "F5": "a table is exchanged whole or not at all; who wrote to the old one is told",
}
KNOWN = (
    ("test_facts.py::test_f1", "rows behind an INSERT or CREATE .. AS of no rows, in one transaction, are in no scan"),
    ("test_facts.py::test_f2", "COMMIT behind a swallowed error succeeds and keeps nothing"),
    (
        "test_query.py::test_what_describes",
        "DuckDB 2 calls a PIVOT a statement of kind MULTI; `headgate query` refuses it",
    ),
    ("test_bad_conditions[id > 0, true", "DuckDB 2 calls a struct without names TUPLE"),
    ("test_codec.py::test_structs_without_names", "DuckDB 2 calls a struct without names TUPLE"),
    ("test_bad_conditions", "DuckDB 2 points at another column of the line, or at none"),
    ("test_a_mistake_in_the_sql_is_told_with_its_line", "DuckDB 2 points at another column of the line, or at none"),
    ("test_moments_without_zone", "DuckDB 2 converts moments at the end of the calendar that 1.5 cannot"),
)
"""What failures that were looked into come from, by a part of the test's id; the first that fits. Others are grouped by
what they say."""
_FACT = re.compile(r"test_(f\d)_(\w+)(?:\[(.*)\])?$")
_PATHS = re.compile(r"(?:/[\w.+@-]+){2,}")
_NUMBERS = re.compile(r"\b(?:0x[0-9a-f]+|\d+(?:\.\d+)?)\b")

Outcome = Literal["passed", "failed", "expected", "skipped"]
"""`expected`: a strict xfail. It failed as well, and its reason is known."""


@dataclass(frozen=True)
class Engine:
    """One column of the matrix: DuckDB's major version and the versions asked for."""

    major: int
    range: str

    @property
    def folder(self) -> Path:
        return HOME / f"duckdb-{self.major}"

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"


@dataclass(frozen=True)
class Case:
    """One test and what came of it. `cause` is the first line of what was raised, or the reason."""

    id: str
    outcome: Outcome
    cause: str = ""


@dataclass(frozen=True)
class Result:
    """What one engine did: its version, the versions asked for, and every test of these folders."""

    version: str
    range: str
    folders: tuple[str, ...]
    cases: tuple[Case, ...]

    def count(self, outcome: Outcome) -> int:
        return sum(case.outcome == outcome for case in self.cases)


def pinned() -> str:
    """The versions of DuckDB that pyproject.toml allows, as `>=1.5.5,<2`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    dependencies: list[str] = project["dependencies"]
    return next(name.removeprefix("duckdb") for name in dependencies if name.startswith("duckdb"))


def engines() -> list[Engine]:
    """The pinned engine first."""
    return [Engine(1, pinned()), Engine(2, ">=2,<3")]


def prepare(engine: Engine) -> None:
    """Makes the environment, or brings it up to date with pyproject.toml and the newest engine of the range."""
    if not engine.python.exists():
        venv.create(engine.folder, with_pip=True)
    install = [str(engine.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--editable", ".[dev]"], cwd=ROOT, check=True)
    # After the package, and without its pin: it is what another engine does that is to be seen.
    subprocess.run([*install, "--no-deps", "--upgrade", f"duckdb{engine.range}"], cwd=ROOT, check=True)


def run(engine: Engine, folders: Sequence[str], workers: int) -> Result:
    """Runs the tests of these files or folders and keeps the result beside the environment."""
    report = engine.folder / "junit.xml"
    report.unlink(missing_ok=True)
    shown = ["-q", "-p", "no:cacheprovider", f"--junitxml={report}", *(f"--ignore={path}" for path in LEFT_OUT)]
    subprocess.run([engine.python, "-m", "pytest", "-n", str(workers), *shown, *folders], cwd=ROOT, check=False)
    if not report.exists():
        raise SystemExit(f"the tests with duckdb{engine.range} ended without a report")
    asked = "import duckdb; print(duckdb.__version__)"
    version = subprocess.run([engine.python, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()
    result = Result(version, engine.range, tuple(folders), read_report(report.read_text(encoding="utf-8")))
    (engine.folder / "result.json").write_text(json.dumps(asdict(result)), encoding="utf-8")
    return result


def kept(engine: Engine) -> Result | None:
    """What the last run of this engine found."""
    path = engine.folder / "result.json"
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    cases = tuple(Case(**case) for case in found["cases"])
    return Result(found["version"], found["range"], tuple(found["folders"]), cases)


def read_report(xml: str) -> tuple[Case, ...]:
    """The cases of a report in JUnit's form, in the order of their ids."""
    return tuple(sorted(map(_case, ElementTree.fromstring(xml).iter("testcase")), key=lambda case: case.id))


def _case(element: ElementTree.Element) -> Case:
    name = _id(element.get("classname", ""), element.get("name", ""))
    for tag in ("failure", "error"):
        if (found := element.find(tag)) is not None:
            return Case(name, "failed", cause_of(found.get("message") or found.text or ""))
    if (left := element.find("skipped")) is not None:
        expected = left.get("type") == "pytest.xfail"
        return Case(name, "expected" if expected else "skipped", cause_of(left.get("message") or ""))
    return Case(name, "passed")


def _id(where: str, name: str) -> str:
    parts = where.split(".")
    module = next((number for number, part in enumerate(parts) if part.startswith("test_")), len(parts) - 1)
    return "::".join(["/".join(parts[: module + 1]) + ".py", *parts[module + 1 :], name])


def cause_of(message: str) -> str:
    """The first line of a message, without what differs from run to run: paths and numbers."""
    lines = message.strip().splitlines()
    return _NUMBERS.sub("N", _PATHS.sub("PATH", lines[0].strip()))[:200] if lines else "no message"


OPENED = """
import sys
from pathlib import Path
from headgate.adapters.duckdb.store import DuckDBStore
from headgate.core.errors import HeadgateError
try:
    store = DuckDBStore(Path(sys.argv[1]))
    with store.session() as session:
        if len(sys.argv) > 2:
            session.execute("CREATE TABLE t AS SELECT 7 AS x")
        print(session.execute("SELECT x FROM t") == [(7,)])
    store.close()
except HeadgateError:
    print(False)
"""


def exchange(chosen: Sequence[Engine]) -> dict[tuple[int, int], bool]:
    """(major that made a warehouse, major that opened it) -> whether it found the rows."""
    found = {}
    for maker in chosen:
        for opener in chosen:
            with tempfile.TemporaryDirectory() as folder:
                path = str(Path(folder) / "w.duckdb")
                subprocess.run([maker.python, "-c", OPENED, path, "make"], check=True, capture_output=True)
                done = subprocess.run([opener.python, "-c", OPENED, path], check=True, capture_output=True, text=True)
            found[maker.major, opener.major] = done.stdout.strip() == "True"
    return found


def page(results: Sequence[Result], opened: Mapping[tuple[int, int], bool]) -> str:
    """docs/compat.md. The first result is the pinned engine's."""
    parts = [_head(results), _facts(results), _files(results, opened)]
    parts += [_failures(result) for result in results if result.count("failed")]
    return "\n".join(parts)


def _head(results: Sequence[Result]) -> str:
    tested = ", ".join(f"`{folder}`" for folder in results[0].folders)
    without = ", ".join(f"`{folder}`" for folder in LEFT_OUT)
    lines = [
        "# Compatibility with DuckDB",
        "",
        "Written by `make test-matrix`, which runs the tests against the newest DuckDB of each major version.",
        "",
        f"Headgate is pinned to `duckdb{results[0].range}`. Other versions are tried, not supported: what fails with",
        "them is listed below, and nothing is left out. A test *failed as expected* if it asks for an answer that is",
        "known to be wrong; Headgate does without it.",
        "",
        f"Tests: {tested}, without {without}.",
        "",
        _row("", (f"DuckDB {result.version}" for result in results)),
        _row("---", ("---" for _ in results)),
        _row("versions", (f"`{result.range}`" for result in results)),
        _row("supported", ("yes" if result is results[0] else "no" for result in results)),
    ]
    labels: tuple[tuple[str, Outcome], ...] = (
        ("passed", "passed"), ("failed", "failed"), ("failed as expected", "expected"), ("skipped", "skipped")
    )  # fmt: skip
    lines += [_row(label, (str(result.count(outcome)) for result in results)) for label, outcome in labels]
    return "\n".join([*lines, ""])


def _row(label: str, cells: Iterable[str]) -> str:
    return " | ".join([f"| {label}", *cells]) + " |"


def _observed(result: Result) -> dict[tuple[str, str], str]:
    """(fact, observation) -> right | **wrong** | not tried."""
    words: dict[Outcome, str] = {"passed": "right", "skipped": "not tried"}
    found = {}
    for case in result.cases:
        if case.id.startswith("tests/engine/test_facts.py") and (named := _FACT.search(case.id)):
            label = named[2].replace("_", " ") + (f": `{named[3]}`" if named[3] else "")
            found[named[1].upper(), label] = words.get(case.outcome, "**wrong**")
    return found


def _facts(results: Sequence[Result]) -> str:
    observed = [_observed(result) for result in results]
    lines = [
        "## What the engine does",
        "",
        "An observation is right only if each of its cases is. Where it is wrong, Headgate does without it, and",
        "that is tested in `tests/engine/test_reliance.py`.",
        "",
        _row("", ["observation", *(result.version for result in results)]),
        _row("---", ["---", *("---" for _ in results)]),
    ]
    for fact, title in FACTS.items():
        verdicts = [{word for (of, _), word in one.items() if of == fact} for one in observed]
        lines.append(_row(fact, [title, *(_verdict(words) for words in verdicts)]))
    lines += ["", "Case by case:", "", _row("", ["case", *(result.version for result in results)])]
    lines.append(_row("---", ["---", *("---" for _ in results)]))
    cases = sorted(set().union(*observed))
    lines += [_row(key[0], [key[1], *(one.get(key, "not tried") for one in observed)]) for key in cases]
    return "\n".join([*lines, ""])


def _verdict(words: set[str]) -> str:
    return "**wrong**" if "**wrong**" in words else "right" if "right" in words else "not tried"


def _files(results: Sequence[Result], opened: Mapping[tuple[int, int], bool]) -> str:
    majors = {int(result.version.partition(".")[0]): result.version for result in results}
    lines = [
        "## Whose warehouses are opened by whom",
        "",
        _row("made by", (f"opened by {version}" for version in majors.values())),
        _row("---", ("---" for _ in majors)),
    ]
    for maker, version in majors.items():
        lines.append(_row(version, ("yes" if opened[maker, opener] else "**no**" for opener in majors)))
    return "\n".join([*lines, ""])


def _failures(result: Result) -> str:
    """Failing tests by cause, the most frequent cause first."""
    failed = {case.id: _why(case) for case in result.cases if case.outcome == "failed"}
    lines = [f"## Failing tests with DuckDB {result.version}", ""]
    for cause, number in Counter(failed.values()).most_common():
        lines += [f"{number} × {cause}", "", *(f"- `{test}`" for test, why in failed.items() if why == cause), ""]
    return "\n".join(lines)


def _why(case: Case) -> str:
    said = "`" + case.cause.replace("`", "'") + "`"
    return next((words for part, words in KNOWN if part in case.id), said)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    chosen = [engine for engine in engines() if engine.major in (options.engine or [engine.major])]
    for engine in chosen if not options.page else ():
        prepare(engine)
        run(engine, options.folders, options.workers)
    results = [found for engine in engines() if (found := kept(engine))]
    for found in results:
        print(
            f"DuckDB {found.version}: {found.count('passed')} passed, {found.count('failed')} failed", file=sys.stderr
        )
    if [found.folders for found in results] != [ALL] * len(engines()):
        print(f"{PAGE.name} is not written: it needs a run of all tests with every engine", file=sys.stderr)
    else:
        PAGE.write_text(page(results, exchange(engines())), encoding="utf-8")
    return int(any(found.range == pinned() and found.count("failed") for found in results))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description="Tests against several engines.")
    parser.add_argument("folders", nargs="*", default=list(ALL), metavar="FOLDER", help="what to test (tests)")
    parser.add_argument("--engine", type=int, action="append", choices=[one.major for one in engines()])
    parser.add_argument("--workers", type=int, default=2, help="processes per run (2)")
    parser.add_argument("--page", action="store_true", help="write the page anew from the last results")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
