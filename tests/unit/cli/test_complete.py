"""Completion: what could stand next, from the words alone and from the project's files; the scripts in real shells."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from headgate.cli.commands import COMMANDS
from headgate.cli.complete import answer, complete
from headgate.cli.main import main
from headgate.cli.names import CACHE, names_of
from headgate.cli.shells import SCRIPTS


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {
        "headgate.yml": "project: shop\n",
        "ingest/orders.yml": "# raw\ntable: raw.orders\ntags: [hourly]\nfrom: data/*.csv\n",
        "ingest/odd.yml": "table: 'raw.odd$(touch x)'\nfrom: data/*.csv\n",
        "models/gold/daily.sql": "{{ config(tags=['nightly', 'hourly']) }} select 1",
        "models/stg.sql": "select 1",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*words: str) -> list[str]:
    return [one.value for one in complete(words).found]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["pl"], ["plan"]),
        (["qu"], ["quarantine", "query"]),
        (["quarantine", "p"], ["purge"]),
        (["--project", "x", "quarantine", "sh"], ["show"]),
        (["ledger", ""], ["adjust", "daily", "raw.odd$(touch", "raw.orders", "stg"]),
        (["quarantine", "list", "--stat"], ["--status"]),
        (["quarantine", "list", "--status", "he"], ["held"]),
        (["quarantine", "list", "--status=he"], ["--status=held"]),
        (["run", "--log-format", ""], ["text", "json"]),
        (["run", "--fail-fast", "--fail"], []),
        (["--ver"], ["--version"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["run", "+2"], []),
        (["run", "+da"], ["+daily"]),
        (["run", "raw.orders", "da"], ["daily"]),
        (["run", "--exclude", "st"], ["stg", "state:new", "state:modified", "state:stale"]),
        (["run", "tag:"], ["tag:hourly", "tag:nightly"]),
        (["run", "gold"], ["gold.*"]),
        (["restore", "raw.or"], ["raw.orders"]),
        (["restore", "raw.orders", ""], []),
        (["explain", "refuse-"], ["refuse-limit"]),
        (["explain", "dail"], ["daily"]),
        (["runs", ""], ["last"]),
        (["query", ""], []),
        (["run", "--", ""], []),
        (["nonsense", ""], []),
    ],
)  # fmt: skip
def test_what_could_stand_next(project: Path, words: list[str], expected: list[str]) -> None:
    assert found(*words) == expected


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["init", "--from", ""], "files"),
        (["--project", ""], "folders"),
        (["profile", "data/x"], "files"),
        (["profile", "raw"], "words"),
        (["contract", "diff", "new.odcs"], "files"),
        (["contract", "diff", "raw"], "words"),
        (["quarantine", "export", "--to", ""], "files"),
    ],
)
def test_files_and_folders_are_left_to_the_shell(project: Path, words: list[str], kind: str) -> None:
    assert complete(words).kind == kind


def test_every_command_and_option_is_offered(project: Path) -> None:
    for command in COMMANDS:
        words = command.name.split()
        assert words[-1] in found(*words[:-1], words[-1])
        offered = found(*words, "--")
        for argument in command.arguments:
            assert set(offered) >= {flag for flag in argument.flags if flag.startswith("--")}
        assert "--json" in offered


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("headgate", ""),
        ("headgate ", ""),
        ("headgate run 'raw.or", "raw.or"),
        ('headgate query "select 1', "select 1"),
        ("headgate run a\\", "a"),
        ("headgate run tag:ho", "tag:ho"),
        ("headgate  --project  my\\ shop run x", "x"),
    ],
)
def test_a_line_is_understood_as_far_as_it_was_typed(project: Path, line: str, word: str) -> None:
    assert answer(["line", line]).splitlines()[1] == word


def test_it_never_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for asked in ([], ["line"], ["line", "headgate 'a \"b"], ["words"], ["line", "headgate run \x00\n"]):
        assert main(["__complete", *asked]) == 0
    seen = capsys.readouterr()
    assert seen.err == ""


def test_names_are_kept_and_read_again_where_a_file_changed(project: Path) -> None:
    assert not (project / CACHE).exists()  # a folder that no run has made is left alone
    (project / CACHE).parent.mkdir()
    first = names_of(None)
    assert first.steps == {"daily": "model", "raw.odd$(touch": "table", "raw.orders": "table", "stg": "model"}
    assert (first.tags, first.folders) == (("hourly", "nightly"), ("gold", "raw"))
    kept = json.loads((project / CACHE).read_text())
    next(iter(kept.values()))["names"] = ["from.cache"]
    (project / CACHE).write_text(json.dumps(kept))
    assert "from.cache" in names_of(None).steps
    for path in project.rglob("*.yml"):
        path.write_text(path.read_text() + "# longer\n")
    (project / "models" / "stg.sql").unlink()
    (project / "models" / "new.sql").write_text("select 1")
    assert names_of(None).steps.keys() == {"daily", "new", "raw.odd$(touch", "raw.orders"}


@pytest.mark.parametrize("broken", ["", "[]", "{", '{"a": 1}', '{"a": {"seen": [1, 2]}}', "\x00"])
def test_a_broken_cache_is_written_anew(project: Path, broken: str) -> None:
    (project / CACHE).parent.mkdir()
    (project / CACHE).write_text(broken)
    assert "raw.orders" in names_of(None).steps
    assert "raw.orders" in (project / CACHE).read_text()


def test_a_name_that_would_break_the_answer_is_not_offered(project: Path) -> None:
    (project / "models" / "a\nb.sql").write_text("select 1")
    (project / "models" / "a\x1bc.sql").write_text("select 1")
    assert "\x1b" not in answer(["words", "run", "a"])
    assert answer(["words", "run", "a"]).splitlines() == ["words", "a"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_taken_by_its_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert capsys.readouterr().out == SCRIPTS[shell]
    program = shutil.which(shell)
    if program is not None:
        done = subprocess.run([program, "-n"], input=SCRIPTS[shell], text=True, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    assert main(["completion", shell, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"shell": shell, "script": SCRIPTS[shell]}


BASH = """
source "$SCRIPT"
ask() {
    COMP_LINE=$1 COMP_POINT=${#1}
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _headgate
    printf '%s\\n' "${COMPREPLY[@]}" --
}
ask 'headgate quarantine li' headgate quarantine li
ask 'headgate run tag:h' headgate run tag : h
ask 'headgate run +raw.od' headgate run +raw.od
ask "headgate run 'raw.or" headgate run "'raw.or"
ask 'headgate quarantine list --status=he' headgate quarantine list --status = he
ask 'headgate init --from ingest/or' headgate init --from ingest/or
ask 'headgate nonsense x' headgate nonsense x
"""


def test_in_a_real_bash(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    bench = tmp_path_factory.mktemp("bash")
    (bench / "headgate").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m headgate "$@"\n')
    (bench / "headgate").chmod(0o755)
    (bench / "script").write_text(SCRIPTS["bash"])
    path = {"PATH": f"{bench}:/usr/bin:/bin", "SCRIPT": str(bench / "script"), "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        [bash, "--norc", "-c", BASH], cwd=project, env=path, text=True, capture_output=True, timeout=600, check=False
    )
    assert done.stderr == ""
    assert [part.split() for part in done.stdout.split("--\n")] == [
        ["list"], ["hourly"], [r"+raw.odd\$\(touch"], ["raw.orders"], ["held"], ["ingest/orders.yml"], [], [],
    ]  # fmt: skip
    assert not (project / "x").exists()
