"""The fuzzer finds what it looks for, and nothing in what is there."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from headgate.api.project import Project
from headgate.testing import fuzz
from headgate.testing.fuzz_cases import COLUMNS, Seed, seeds, spoiled


class Steady(Random):
    """Draws that spoil nothing."""

    def random(self) -> float:
        return 0.5


@pytest.mark.slow
@pytest.mark.parametrize("seed", seeds(), ids=lambda seed: f"{seed.kind} {seed.source}")
def test_what_is_spoiled_was_good_before(seed: Seed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "spoiled", lambda draw, data, others, kind="": data)
    fuzz.write(tmp_path, seed, Steady(1), [b""])
    found = Project.open(tmp_path).run()
    assert found.findings == ()
    assert found.steps[0].rows_loaded > 0


def test_the_same_seed_spoils_the_same_way() -> None:
    data, others = COLUMNS.encode(), [b"x,y\n"]
    made = [spoiled(Random(f"7/{n}"), data, others) for n in range(50)]
    assert made == [spoiled(Random(f"7/{n}"), data, others) for n in range(50)]
    assert len(set(made)) > 40


def test_books_that_do_not_balance_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = next(one for one in seeds() if one.kind == "csv")
    run = Project.run

    def unbalanced(project: Project) -> object:
        run(project)
        with project._warehouse.writing("test") as store, store.session() as session:
            session.execute("DELETE FROM raw.t")

    monkeypatch.setattr(fuzz, "spoiled", lambda draw, data, others, kind="": data)
    monkeypatch.setattr(Project, "run", lambda project: (unbalanced(project), run(project))[1])
    with pytest.raises(fuzz.Broken, match="audit"):
        fuzz.case(tmp_path, seed, Steady(1), [b""])


def test_a_child_that_dies_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main(["--seconds", "0", "--seed", "3", "--corpus", str(tmp_path / "none")]) == 0
    (tmp_path / "dir").mkdir()
    assert fuzz._await(_dead(), tmp_path / "beat") == "the child ended with 7 in case ?"


def _dead() -> object:
    import subprocess
    import sys

    return subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"])


@pytest.mark.slow
def test_some_seconds_find_nothing() -> None:
    """The same cases each time; other seeds are for whoever looks for more."""
    assert fuzz.main(["--seconds", "8", "--seed", "875886"]) == 0
