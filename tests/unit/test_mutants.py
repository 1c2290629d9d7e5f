"""The mutants fit the source that they are made of, and the script that runs them tells every outcome apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests import mutants
from tests.mutant_tables import MUTANTS, Mutant
from tests.mutants import ROOT, SRC, Verdict, chosen, judge, main, mutate, run, said, stale

MADE = Mutant("m", "room/one.py", "a > b", "a >= b", "a row is lost", ("tests/unit/test_house.py",))


def written(folder: Path, text: str) -> Path:
    path = folder / "headgate" / MADE.file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_there_are_as_many_as_were_promised_and_no_two_of_one_name_or_effect() -> None:
    assert len(MUTANTS) >= 45
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS)


def test_every_mutant_fits_the_source() -> None:
    assert {mutant.name: wrong for mutant in MUTANTS if (wrong := stale(mutant))} == {}


def test_every_mutant_is_a_program() -> None:
    for mutant in MUTANTS:
        text = (SRC / "headgate" / mutant.file).read_text(encoding="utf-8")
        compile(text.replace(mutant.old, mutant.new), mutant.name, "exec")


def test_every_mutant_has_a_reason_and_tests_that_are_there() -> None:
    for mutant in MUTANTS:
        assert mutant.why, mutant.name
        assert mutant.tests, mutant.name
        for test in mutant.tests:
            assert (ROOT / test.partition("::")[0]).exists(), mutant.name


@pytest.mark.parametrize(
    ("text", "says"),
    [("a > b", ""), ("a < b", "STALE: its text occurs 0 times"), ("a > b, a > b", "STALE: its text occurs 2 times")],
)
def test_a_mutant_whose_text_is_not_there_once_is_stale(tmp_path: Path, text: str, says: str) -> None:
    written(tmp_path, text)
    assert stale(MADE, tmp_path).startswith(says)
    assert bool(stale(MADE, tmp_path)) == bool(says)
    assert stale(replace(MADE, file="room/two.py"), tmp_path) == "STALE: there is no room/two.py"


def test_a_mutant_is_made_and_what_was_compiled_before_is_gone(tmp_path: Path) -> None:
    path = written(tmp_path, "x = a > b\n")
    compiled = [path.parent / "__pycache__" / f"{name}.cpython-311.pyc" for name in ("one", "one_more")]
    compiled[0].parent.mkdir()
    for one in compiled:
        one.write_bytes(b"")
    mutate(MADE, tmp_path)
    assert path.read_text() == "x = a >= b\n"
    assert [one.exists() for one in compiled] == [False, True]


@pytest.mark.parametrize(
    ("code", "output", "killed", "by"),
    [
        (1, "F\nFAILED tests/unit/a/test_b.py::test_c[x - y] - assert 1\n1 failed", True, "unit/a/test_b.py::test_c[x"),
        (1, "E\nERROR tests/unit/a/test_b.py::test_c\n1 error", True, "unit/a/test_b.py::test_c"),
        (None, ".....", True, "a hang"),
        (0, "3 passed", False, "SURVIVED"),
        (2, "ERROR tests/unit/a/test_b.py - NameError\nInterrupted", False, "NOT JUDGED: pytest ended with 2"),
        (4, "no such test", False, "NOT JUDGED: pytest ended with 4: no such test"),
        (5, "", False, "NOT JUDGED: pytest ended with 5: no output"),
        (1, "pytest itself failed", False, "NOT JUDGED: pytest ended with 1"),
    ],
)
def test_only_a_test_that_fails_or_hangs_kills(code: int | None, output: str, killed: bool, by: str) -> None:
    found = said(code, output)
    assert found[0] == killed
    assert found[1].startswith(by)


def test_what_takes_too_long_is_stopped() -> None:
    assert run(["-c", "import threading; threading.Event().wait()"], SRC, 0.0)[0] is None
    assert run(["-c", "import headgate; print(headgate.__file__)"], SRC, 60) == (0, f"{SRC / 'headgate/__init__.py'}\n")


def test_a_stale_mutant_is_not_judged() -> None:
    assert judge(MADE, 0) == Verdict(MADE, False, "STALE: there is no room/one.py", 0)


def test_a_survivor_is_named_and_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    other = replace(MADE, name="other")
    monkeypatch.setattr(mutants, "MUTANTS", (MADE, other))
    monkeypatch.setattr(mutants, "judge", lambda one, limit: Verdict(one, one is MADE, "SURVIVED", 1.0))
    assert main(["--unproven", "m"]) == 0
    assert main(["--unproven"]) == 1
    shown = capsys.readouterr()
    assert "1 of 2 mutants were killed" in shown.out
    assert shown.err == "SURVIVED: other\n  room/one.py: a row is lost\n"
    assert main(["--list"]) == 0
    assert capsys.readouterr().out.split()[:2] == ["m", "room/one.py"]
    with pytest.raises(SystemExit):
        chosen(["m", "nobody"])
