"""5 M x 16 rows as Arrow batches through a function and 8 row rules, against dlt's Arrow path, which checks nothing.

dlt lives in an environment of its own, made on first use below `benchmarks/work`.
"""

from __future__ import annotations

import shutil
import subprocess
import venv
from pathlib import Path

from benchmarks import harness, project
from benchmarks.bars import arrow_row_rules
from benchmarks.data import WORK

DLT = "dlt[duckdb]==1.31.0"
SCRIPT = """\
import runpy
import sys

import dlt

folder = sys.argv[1]
given = runpy.run_path(folder + "/reference/lines.py")["lines"]


def lines():
    yield from given()


pipeline = dlt.pipeline(
    "bench", pipelines_dir=folder + "/dlt",
    destination=dlt.destinations.duckdb(folder + "/dlt.duckdb"), dataset_name="raw",
)
pipeline.run(dlt.resource(lines, name="lineitem"), write_disposition="append")
"""


def prepare(folder: Path, scale: float) -> None:
    arrow_row_rules.prepare(folder, scale)
    (folder / "load.py").write_text(SCRIPT, encoding="utf-8")
    home = WORK / "dlt-environment"
    if not (home / "ready").exists():
        venv.create(home, clear=True, with_pip=True)
        command = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", DLT, "pyarrow>=20", "duckdb<2"]
        subprocess.run(command, check=True)
        (home / "ready").touch()


def reset_reference(folder: Path) -> None:
    shutil.rmtree(folder / "dlt", ignore_errors=True)
    harness.remove(folder, "dlt.duckdb")


BAR = harness.Bar(
    "arrow_dlt",
    "Arrow 5 M x 16, 8 row rules, to dlt without any check",
    (harness.Limit("wall s", 1, ratio=True, below=True), harness.Limit("CPU s", 1, ratio=True, below=True)),
    {
        harness.REFERENCE: harness.Side(
            lambda folder: [str(WORK / "dlt-environment" / "bin" / "python"), str(folder / "load.py"), str(folder)],
            reset_reference,
        ),
        harness.SUBJECT: harness.Side(harness.run_project, project.forget, arrow_row_rules.check),
    },
)
