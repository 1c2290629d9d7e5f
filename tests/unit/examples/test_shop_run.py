"""The example as a user runs it: whole processes on a copy of the folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SHOP = Path(__file__).resolve().parents[3] / "examples" / "shop"
LEFT_OUT = shutil.ignore_patterns("data", ".headgate", "__pycache__", "warehouse.*")
pytestmark = pytest.mark.slow


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(home / "run.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    home = tmp_path_factory.mktemp("example") / "shop"
    shutil.copytree(SHOP, home, ignore=LEFT_OUT)
    return home, run(home, "--orders", "2000")


@pytest.fixture
def home(loaded: tuple[Path, object], tmp_path: Path) -> Path:
    """A copy of the shop after its first run; times are kept, so that its files are the known ones."""
    return Path(shutil.copytree(loaded[0], tmp_path / "shop"))


def test_the_first_run_finds_everything_that_was_planted(
    loaded: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    home, made = loaded
    assert made.returncode == 0, made.stdout + made.stderr
    truth = json.loads((home / "data" / "truth.json").read_text(encoding="utf-8"))
    read = sum(counts["read"] for counts in truth["tables"].values())
    assert f"balanced: {read:,} read = " in made.stdout
    assert "all found, and nothing refused without cause" in made.stdout
    assert all(kind["kind"] in made.stdout for kind in truth["kinds"])
    assert made.stdout.count("sales") + made.stdout.count("Sales") >= 3
    page = (home / ".headgate" / "report.html").read_text(encoding="utf-8")
    assert "Sales board" in page
    assert "Column lineage of gold.daily_sales" in page


def test_a_second_run_makes_and_loads_nothing(home: Path) -> None:
    again = run(home, "--orders", "2000")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "making a month" not in again.stdout
    steps = [line.split() for line in again.stdout.split("\n\n")[0].splitlines()[1:]]
    assert len(steps) == 12
    assert {step[1] for step in steps} == {"skipped"}
    assert "balanced: 0 read" in again.stdout


def test_another_size_begins_anew(home: Path) -> None:
    other = run(home, "--orders", "2100")
    assert other.returncode == 0, other.stdout + other.stderr
    assert "making a month of 2,100 orders" in other.stdout


def test_a_fault_that_was_not_found_fails_the_run(home: Path) -> None:
    path = home / "data" / "truth.json"
    truth = json.loads(path.read_text(encoding="utf-8"))
    next(kind for kind in truth["kinds"] if kind["kind"] == "unknown product")["planted"] += 1
    path.write_text(json.dumps(truth), encoding="utf-8")
    made = run(home, "--orders", "2000")
    assert made.returncode == 1
    (line,) = [line for line in made.stdout.splitlines() if line.endswith("WRONG")]
    assert "unknown product" in line


def test_too_few_orders_are_a_usage_error(home: Path) -> None:
    made = run(home, "--orders", "10")
    assert made.returncode == 2
    assert "at least 2000" in made.stderr
