"""Hints: once in a project, to a person at a terminal; near names where a word is wrong; the log for machines."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_project import FakeProject, step
from terminal import Terminal

from headgate.api import results
from headgate.cli import verbs
from headgate.cli.hints import TOLD, hints
from headgate.cli.main import main
from headgate.core.errors import Finding, ProjectError

OK = results.RunResult("ok", True, (step(rows_read=3, rows_loaded=2, rows_quarantined=1),))
REFUSED = results.RunResult(
    "refused", True, (step(status="refused"),), (Finding("refuse-limit", "error", "too many were refused"),)
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "headgate.yml").write_text("project: shop\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("HEADGATE_LOG_FORMAT", raising=False)
    return tmp_path


def printed(answer: object, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    monkeypatch.setattr(verbs, "open_project", FakeProject(run=answer).open)
    monkeypatch.setattr(sys, "stdout", terminal := Terminal(500))
    main(["run", *words])
    return terminal.getvalue()


def test_each_hint_is_told_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hint:" not in printed(OK, monkeypatch, "--quiet")
    assert "hint:" not in printed(OK, monkeypatch, "--json")
    assert not (folder / TOLD).exists()
    told = printed(OK, monkeypatch)
    assert "hint: headgate report --open" in told
    assert "hint: headgate quarantine sample" in told
    assert "hint:" not in printed(OK, monkeypatch)
    assert "hint: headgate explain refuse-limit says" in printed(REFUSED, monkeypatch)
    assert "hint:" not in printed(REFUSED, monkeypatch)


def test_programs_are_told_none(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(verbs, "open_project", FakeProject(run=OK).open)
    assert main(["run"]) == 0
    assert "hint:" not in capsys.readouterr().out


def test_where_it_can_not_be_remembered_nothing_is_told(folder: Path) -> None:
    (folder / ".headgate").write_text("a file, no folder")
    assert hints("run", OK, folder) == []


@pytest.mark.parametrize(("shell", "told"), [("/bin/zsh", "source <(headgate completion zsh)"), ("/bin/tcsh", "")])
def test_after_init_the_shell_s_own_completion_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str, told: str
) -> None:
    monkeypatch.setenv("SHELL", shell)
    found = hints("init", None, tmp_path)
    assert [told in line for line in found] == ([True] if told else [])


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("a b.csv", "headgate init --from 'a b.csv'"),
        ("x.parquet", "headgate init --from x.parquet"),
        ("x.txt2", "init"),
    ],
)
def test_an_empty_folder_says_how_to_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, name: str, fix: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("id\n1\n")
    assert main(["run"]) == 2
    assert capsys.readouterr().err.rstrip().endswith(fix)


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["runz"], "did you mean 'run'"),
        (["quarantine", "lst"], "did you mean 'list'"),
        (["run", "--fail-fst"], "did you mean '--fail-fast'"),
        (["quarantine", "list", "--status", "opn"], "did you mean 'open'"),
        (["completion", "bsh"], "did you mean 'bash'"),
    ],
)
def test_a_wrong_word_gets_the_nearest(folder: Path, capsys: Any, words: list[str], near: str) -> None:
    assert main(words) == 2
    assert near in capsys.readouterr().err


@pytest.mark.parametrize("how", ["option", "equals", "environment"])
def test_a_log_is_json_even_where_the_command_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, how: str
) -> None:
    if how == "environment":
        monkeypatch.setenv("HEADGATE_LOG_FORMAT", "json")
    words = {"option": ["--log-format", "json"], "equals": ["--log-format=json"], "environment": []}[how]
    fake = FakeProject(run=ProjectError.of("bad-value", "a value can't be"))
    monkeypatch.setattr(verbs, "open_project", fake.open)
    assert main(["run", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert (event["event"], event["level"], event["findings"][0]["code"]) == ("command.failed", "error", "bad-value")
    assert "log" in fake.asked[0][2]


def test_the_option_goes_before_the_environment_and_a_wrong_one_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("HEADGATE_LOG_FORMAT", "json")
    fake = FakeProject(run=OK)
    monkeypatch.setattr(verbs, "open_project", fake.open)
    assert main(["run", "--log-format", "text"]) == 0
    assert "log" not in fake.asked[0][2]
    monkeypatch.setenv("HEADGATE_LOG_FORMAT", "xml")
    assert main(["run"]) == 2
    assert "HEADGATE_LOG_FORMAT is text or json, not 'xml'" in capsys.readouterr().err
