"""`headgate explain`: codes without a project, steps with one, and which of them is meant."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from fake_project import FakeProject

from headgate.api import results
from headgate.api.codes import known_codes
from headgate.cli import verbs
from headgate.cli.commands import BY_NAME
from headgate.cli.explaining import lines
from headgate.cli.main import main
from headgate.cli.parse import parse
from headgate.cli.screen import Screen
from headgate.core.errors import ProjectError

STEP = results.StepExplained(
    "usage", "model", "main.usage", "models/usage.sql", ("raw.a",), "run", "raw.a changed", "view", "select 1"
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    (tmp_path / "headgate.yml").write_text("project: shop\n")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "usage.sql").write_text("select 1")
    monkeypatch.chdir(tmp_path)
    fake = FakeProject(explain=STEP)
    monkeypatch.setattr(verbs, "open_project", fake.open)
    return fake


def test_every_code_says_why_from_what_and_what_to_do() -> None:
    for one in known_codes().values():
        assert all([one.means, one.why, one.causes, *one.causes, one.fix, one.example]), one.code
        assert " " in one.why, f"{one.code}: {one.why!r} is no principle of codes.toml"


def test_the_commands_that_codes_speak_of_are_commands() -> None:
    for one in known_codes().values():
        spans = [
            *re.findall(r"`(headgate [^`]*)`", one.fix),
            *([one.example] if one.example.startswith("headgate ") else []),
        ]
        for command in spans:
            words = shlex.split(re.split(r", (?!')| && | \.\.\.,", command)[0])[1:]
            if one.code != "usage" and " ".join(words) not in BY_NAME:
                parse([word.removesuffix(",") for word in words])


def test_a_code_needs_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["explain", "refuse-limit"]) == 0
    told = capsys.readouterr().out
    for word in ("refuse-limit (loading)", "means:", "why:", "causes:", "fix:", "example:", "quarantine list"):
        assert word in told
    assert main(["explain", "refuse-limit", "--json"]) == 0
    answer = results.CodeExplained.from_json(json.loads(capsys.readouterr().out))
    assert answer == known_codes()["refuse-limit"]


def test_without_a_word_all_codes_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["explain", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [one["code"] for one in answer["codes"]] == list(known_codes())
    told = lines(results.CodeList(tuple(known_codes().values())), Screen(60))
    assert max(map(len, told)) <= 60
    assert told[-1] == f"{len(known_codes())} codes: headgate explain CODE says more of one"


def test_a_typo_gets_the_nearest_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for word in ("refuse-limt", "code:refuse-limt"):
        assert main(["explain", word]) == 2
        told = capsys.readouterr().err
        assert told.startswith(
            "error[unknown-code]: no finding has the code 'refuse-limt' (did you mean 'refuse-limit'?)"
        )


def test_a_word_that_is_neither_step_nor_code_gets_the_nearest_of_both(project: FakeProject, capsys: Any) -> None:
    project.answers["explain"] = ProjectError.of("unknown-step", "the project has no table or model 'refuse-limt'")
    assert main(["explain", "refuse-limt"]) == 2
    assert "nor a code of that name (did you mean 'refuse-limit'?)" in capsys.readouterr().err


def test_a_word_that_is_both_is_the_code_and_says_how_to_ask_for_the_step(project: FakeProject, capsys: Any) -> None:
    assert main(["explain", "usage"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("usage (the command line)")
    assert "there is a model of this name, too: headgate explain step:usage" in told
    assert project.asked == []
    assert main(["explain", "step:usage"]) == 0
    assert "a run would run it: raw.a changed" in capsys.readouterr().out
    assert main(["explain", "usage", "--analyze"]) == 0
    assert [kwargs for _, _, kwargs in project.asked] == [
        {"analyze": False, "full_refresh": False},
        {"analyze": True, "full_refresh": False},
    ]


def test_without_a_project_a_step_can_not_be_analyzed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["explain", "daily", "--analyze"]) == 2
    assert "error[no-project]" in capsys.readouterr().err


def test_an_analysis_is_a_table_with_what_stands_out() -> None:
    operators = (
        results.PlanOperator(0, "HASH_JOIN", "k = k", 1_200_000, 0.075, 1000),
        results.PlanOperator(1, "SEQ_SCAN", "raw.\x1b[31morders", 600, 0.025, 500, 600_000),
    )
    answer = results.StepExplained(
        "m", "model", "main.m", "models/m.sql", (), "skip", "nothing changed", "table", "select 1",
        analysis=results.QueryAnalysis(0.06, 5_000_000, operators),
    )  # fmt: skip
    told = "\n".join(lines(answer, Screen()))
    assert "HASH_JOIN   75.0    75%  1,200,000     1,000           k = k" in told
    assert "  SEQ_SCAN  25.0    25%        600       500  600,000  raw.\\x1b[31morders" in told
    assert "60.0 ms by the clock, 100.0 ms of work, 5 MB on disk; nothing was written" in told
    assert "select 1" not in told


def test_a_paragraph_is_broken_between_words_of_any_width() -> None:
    code = known_codes()["refuse-limit"]
    wide = results.CodeExplained(**{**vars(code), "why": "価格 " * 40})
    from headgate.cli.text import width

    assert max(map(width, lines(wide, Screen(50)))) <= 50
    assert max(map(width, lines(wide, Screen()))) > 100
