"""The sessions that the documentation shows are what the commands print."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.docs.sessions import ROOT, blocks, file_of, is_shown, play, settled, steps

LEFT_OUT = shutil.ignore_patterns("data", ".headgate", "__pycache__", "warehouse.*")


def steady(text: str) -> str:
    """What the example prints, without how long it took."""
    return re.sub(r" {2,}\d+\.\d\d$|(?<=orders \.\.\. )\d+\.\d s", "", text, flags=re.MULTILINE)


def has_session(path: Path) -> bool:
    return any(block.kind == "console" and list(steps(block)) for block in blocks(path.read_text(encoding="utf-8")))


PAGES = [path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if has_session(path)]


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_prints_what_the_page_shows(path: Path, tmp_path: Path) -> None:
    for step, printed in play(path.read_text(encoding="utf-8"), tmp_path, path.stem.lower()):
        if not is_shown(printed, step.shown):
            assert settled(printed) == settled(step.shown), f"$ {step.command}"
            raise AssertionError(f"$ {step.command}")


def test_the_pages_with_sessions_are_found() -> None:
    assert {"README.md", "books.md", "csv.md"} <= {path.name for path in PAGES}


def test_a_session_is_played_in_order_and_differences_are_seen(tmp_path: Path) -> None:
    page = (
        "First `a.csv`:\n\n```csv\nid\n1\n```\n\n```yaml\n# b.yml\nx: 1\n```\n\n```console\n"
        "$ python -c \"print(open('a.csv').read() + open('b.yml').read())\"\nid\n...\nx: 1\n\n"
        '$ python -c "raise SystemExit(3)"\n$ echo $?\n4\n```\n'
    )
    assert [file_of(block) for block in blocks(page)] == ["a.csv", "b.yml", None]
    played = list(play(page, tmp_path, "page"))
    assert [printed for _, printed in played] == ["id\n1\n# b.yml\nx: 1\n\n", "", "3\n"]
    assert [is_shown(printed, step.shown) for step, printed in played] == [True, True, False]


def test_only_times_and_seconds_may_differ() -> None:
    run = "raw.a  ok  7  0.{}  new\n"
    assert is_shown(run.format("07"), run.format("41"))
    assert not is_shown(run.replace("7", "8").format("07"), run.format("41"))
    assert is_shown("2026-01-01T00:00:00.000000+00:00 a\n", "2027-01-01T00:00:00.000000+00:00 a\n")
    assert not is_shown("12.50\n", "12.51\n")


@pytest.mark.slow
def test_the_readme_shows_what_the_example_prints(tmp_path: Path) -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    (shown,) = [
        block.text for block in blocks(page) if block.kind == "text" and block.text.startswith("making a month")
    ]
    home = shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop", ignore=LEFT_OUT)
    done = subprocess.run([sys.executable, home / "run.py"], capture_output=True, text=True, check=True)
    assert is_shown(steady(done.stdout), steady(shown)), done.stdout
