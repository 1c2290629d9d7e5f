"""One answer and one exit code, whatever happens: against a project that answers what the test tells it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_project import FakeProject, step
from terminal import Terminal

from headgate import __version__
from headgate.api import results
from headgate.cli import live, verbs
from headgate.cli.main import main
from headgate.core.errors import (
    AdapterError,
    CommitError,
    ContractError,
    Finding,
    HeadgateError,
    InternalError,
    ProjectError,
)

FINDING = Finding("some-code", "error", "something is so", "ingest/orders.yml:3:5", "do this")
RUN_USAGE = (
    "usage: headgate run [STEP...] [--exclude STEP...] [--resume] [--full-refresh] [--backfill FROM..TO] [--fail-fast]"
    " [--threads N] [options]"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "headgate.yml").write_text("project: shop\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEADGATE_DEBUG", raising=False)
    return tmp_path


@pytest.fixture
def put(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a project with these answers where the command line opens one."""

    def place(**answers: Any) -> FakeProject:
        project = FakeProject(**answers)
        monkeypatch.setattr(verbs, "open_project", project.open)
        return project

    return place


def asked(project: FakeProject) -> list[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    return [
        (name, args, {key: value for key, value in kwargs.items() if key != "progress"})
        for name, args, kwargs in project.asked
    ]


RUN = results.RunResult("ok", True)
RESTORED = results.RestoreResult("raw.a", "anna", "3", 1, 2, "2026-06-01", "raw.a__hg_kept", "seen")
TAKEN = results.AdoptResult("raw.a", "anna", "1", False, 3, 2, 1)
HISTORY = results.SchemaHistory(0)
RECORDS = results.QuarantineList(0)
LEDGER = results.LedgerResult(0)
QUERY = results.QueryResult.of([("n", "BIGINT")], [(1,)])
TEXT = results.ContractText("raw.a", "short", "columns:\n")
SAME = results.ContractDiff("a", "b", "full", False)
ADJUSTED = results.AdjustResult("raw.a", "why", "anna", "e1", 10, 8, 0, 2)


@pytest.mark.parametrize(
    ("line", "answer", "call"),
    [
        ("check", results.CheckResult(True), ("check", ((),), {})),
        ("check --data", results.DataCheck(True), ("check_data", ((),), {})),
        ("check --data raw.a b", results.DataCheck(True), ("check_data", (("raw.a", "b"),), {})),
        ("plan raw.a", results.PlanResult(), ("plan", (("raw.a",),), {})),
        ("run", RUN, ("run", ((),), {"full_refresh": False})),
        ("run --full-refresh a b", RUN, ("run", (("a", "b"),), {"full_refresh": True})),
        (
            "run --select +a b,tag:x --fail-fast --exclude c d --threads 4",
            RUN,
            (
                "run",
                (("+a", "b,tag:x"),),
                {"full_refresh": False, "exclude": ["c", "d"], "fail_fast": True, "threads": 4},
            ),
        ),
        ("plan a+ --exclude c", results.PlanResult(), ("plan", (("a+",),), {"exclude": ["c"]})),
        ("audit", results.AuditResult(True), ("audit", (), {})),
        ("ledger", LEDGER, ("ledger", (None,), {"limit": 50})),
        ("ledger raw.a --limit 0", LEDGER, ("ledger", ("raw.a",), {"limit": None})),
        ("ledger --json", LEDGER, ("ledger", (None,), {"limit": None})),
        ("ledger --json --limit 7", LEDGER, ("ledger", (None,), {"limit": 7})),
        ("ledger adjust raw.a --reason why", ADJUSTED, ("adjust", ("raw.a", "why"), {})),
        ("schema history", HISTORY, ("schema_history", (None,), {"limit": 50})),
        ("schema history raw.a --json", HISTORY, ("schema_history", ("raw.a",), {"limit": None})),
        ("adopt raw.a", TAKEN, ("adopt", ("raw.a", None), {"quarantine": False, "dry_run": False})),
        (
            "adopt raw.a --source seen --quarantine --dry-run",
            TAKEN,
            ("adopt", ("raw.a", "seen"), {"quarantine": True, "dry_run": True}),
        ),
        ("restore raw.a", RESTORED, ("restore", ("raw.a",), {})),
        ("quarantine list", RECORDS, ("quarantine", (None,), {"status": "open", "limit": 50})),
        (
            "quarantine list --table t --status held --limit 3",
            RECORDS,
            ("quarantine", ("t",), {"status": "held", "limit": 3}),
        ),
        ("quarantine show x y", RECORDS, ("quarantine_show", (("x", "y"),), {})),
        ("quarantine show x --unmask", RECORDS, ("quarantine_show", (("x",),), {"unmask": True})),
        (
            "quarantine list --reason min --column a --partition f.csv --since 7d --unmask",
            RECORDS,
            (
                "quarantine",
                (None,),
                {
                    "status": "open",
                    "limit": 50,
                    "rule": "min",
                    "column": "a",
                    "partition": "f.csv",
                    "since": "7d",
                    "unmask": True,
                },
            ),
        ),
        (
            "quarantine sample --table t --per-reason 1",
            results.QuarantineSample(0),
            ("quarantine_sample", ("t", "open", 1), {}),
        ),
        (
            "quarantine export --to x.csv --spreadsheet 7",
            results.ExportResult("x.csv", "csv", 1),
            ("quarantine_export", ("x.csv", ("7",)), {"status": "open", "spreadsheet": True}),
        ),
        (
            "quarantine fix 7 --set a=b --raw= --reason why --revision 0 --replay",
            results.FixResult(False, 1, 1),
            (
                "quarantine_fix",
                (("7",),),
                {"set": {"a": "b"}, "limit": 50, "raw": "", "reason": "why", "revision": 0, "replay": True},
            ),
        ),
        (
            "quarantine fix --from x.csv --dry-run --rule min --json",
            results.FixResult(True, 1, 1),
            ("quarantine_fix", (None,), {"set": {}, "limit": None, "file": "x.csv", "dry_run": True, "rule": "min"}),
        ),
        (
            "quarantine purge --older-than 30d --status all --reason why --yes",
            results.PurgeResult(0, 0, "why", "ada"),
            ("quarantine_purge", (None,), {"status": "all", "older_than": "30d", "reason": "why", "yes": True}),
        ),
        ("quarantine replay --all", results.ReplayResult(0), ("replay", (None,), {"table": None, "all": True})),
        ("quarantine replay --table t", results.ReplayResult(0), ("replay", (None,), {"table": "t", "all": False})),
        ("quarantine replay x y", results.ReplayResult(0), ("replay", (("x", "y"),), {"table": None, "all": False})),
        ("query x", QUERY, ("query", ("x",), {"limit": 50})),
        ("contract show raw.a", TEXT, ("contract_show", ("raw.a", "short"), {})),
        ("contract show raw.a --as odcs", TEXT, ("contract_show", ("raw.a", "odcs"), {})),
        ("contract diff a b", SAME, ("contract_diff", ("a", "b", None), {})),
    ],
)
def test_a_command_asks_the_project_once(put: Any, line: str, answer: results.Answer, call: tuple[Any, ...]) -> None:
    project = put(**{call[0]: answer})
    assert main(line.split()) == 0
    assert asked(project) == [call]
    assert project.closed == 1


@pytest.mark.parametrize(
    ("line", "method", "answer", "code"),
    [
        ("run", "run", RUN, 0),
        ("run", "run", results.RunResult("ok", True, (step(rows_read=3, rows_quarantined=3),)), 0),
        ("run", "run", results.RunResult("refused", True), 1),
        ("run", "run", results.RunResult("failed", True), 1),
        ("run", "run", results.RunResult("ok", False), 1),
        ("check", "check", results.CheckResult(False, (FINDING,)), 1),
        ("check --data", "check_data", results.DataCheck(False), 1),
        ("audit", "audit", results.AuditResult(False, (FINDING,)), 1),
        ("quarantine replay --all", "replay", results.ReplayResult(5, 0, 5), 0),
        ("contract diff a b", "contract_diff", results.ContractDiff("a", "b", "breaking", False), 0),
        ("contract diff a b --fail-on breaking", "contract_diff", results.ContractDiff("a", "b", "breaking", True), 1),
    ],
)
@pytest.mark.parametrize("form", ["", " --json"])
def test_the_exit_code_follows_the_answer(
    put: Any, line: str, method: str, answer: results.Answer, code: int, form: str
) -> None:
    put(**{method: answer})
    assert main((line + form).split()) == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ProjectError(FINDING), 2),
        (ContractError(FINDING), 1),
        (AdapterError(FINDING), 1),
        (CommitError(FINDING), 1),
        (InternalError(FINDING), 1),
        (HeadgateError(FINDING, FINDING), 1),
    ],
)
def test_an_error_is_told_on_standard_error_or_as_json(
    put: Any, capsys: pytest.CaptureFixture[str], error: HeadgateError, code: int
) -> None:
    project = put(run=error)
    assert main(["run"]) == code
    seen = capsys.readouterr()
    assert seen.out == ""
    assert seen.err.startswith("error[some-code]: something is so\n  where: ingest/orders.yml:3:5\n  fix:   do this\n")
    assert main(["--json", "run"]) == code
    seen = capsys.readouterr()
    assert json.loads(seen.out) == {"status": "error", "findings": [item.to_json() for item in error.findings]}
    assert seen.err == ""
    assert project.closed == 2


def test_an_unexpected_error_is_no_bare_traceback(
    put: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(run=KeyError("x"))
    assert main(["run"]) == 1
    seen = capsys.readouterr()
    assert seen.err.startswith(
        "error[internal-error]: a defect of Headgate: KeyError: 'x'\n  where: fake_project._answer:"
    )
    assert "HEADGATE_DEBUG=1" in seen.err
    assert "Traceback" not in seen.err
    monkeypatch.setenv("HEADGATE_DEBUG", "1")
    assert main(["run", "--json"]) == 1
    seen = capsys.readouterr()
    assert "Traceback" in seen.err
    assert json.loads(seen.out)["findings"][0]["code"] == "internal-error"


def interrupted_query() -> None:
    """As DuckDB tells of Ctrl-C."""
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt as error:
        raise RuntimeError("Query interrupted") from error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), lambda *args, **kwargs: interrupted_query()])
def test_control_c_is_130(put: Any, capsys: pytest.CaptureFixture[str], error: Any) -> None:
    project = put(run=error)
    assert main(["run"]) == 130
    assert capsys.readouterr().err.startswith("error[interrupted]: interrupted; ")
    assert main(["run", "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["findings"][0]["code"] == "interrupted"
    assert project.closed == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("runn", "error[usage]: unknown command 'runn' (did you mean 'run'?)\n  fix:   see: headgate --help"),
        (
            "run --hlp",
            f"{RUN_USAGE}\nerror[usage]: headgate run does not take",
        ),
        ("quarantine", "usage: headgate quarantine COMMAND [options]\nerror[usage]: "),
    ],
)
def test_wrong_usage_is_2(capsys: pytest.CaptureFixture[str], line: str, said: str) -> None:
    assert main(line.split()) == 2
    seen = capsys.readouterr()
    assert said in seen.err
    assert seen.out == ""
    assert main([*line.split(), "--json"]) == 2
    seen = capsys.readouterr()
    assert json.loads(seen.out)["status"] == "error"
    assert json.loads(seen.out)["findings"][0]["code"] == "usage"
    assert seen.err == ""


def test_no_command_shows_the_help_and_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    seen = capsys.readouterr()
    assert "commands:" in seen.err
    assert seen.out == ""


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"headgate {__version__}\n"
    assert main(["--version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"version": __version__}
    assert main(["run", "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"{RUN_USAGE}\n")
    assert main(["--help", "--json"]) == 0
    assert "commands:" in json.loads(capsys.readouterr().out)["help"]


def test_the_project_is_the_nearest_folder_upwards(put: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(folder / "a" / "b")
    project = put(check=results.CheckResult(True))
    assert main(["check"]) == 0
    assert main(["check", "--wait", "--project", "../.."]) == 0
    assert main(["check", "--project", str(folder / "headgate.yml")]) == 0
    assert project.opened == [(folder, False), (folder, True), (folder, False)]


def test_no_project_is_2(put: Any, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = put(check=results.CheckResult(True))
    (folder / "headgate.yml").unlink()
    for line in ("check", "check --project .", "check --project missing"):
        assert main(line.split()) == 2
        assert capsys.readouterr().err.startswith("error[no-project]: ")
    assert project.opened == []


def test_nothing_but_the_object_is_on_standard_output(put: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def noisy(*args: Any, **kwargs: Any) -> results.QueryResult:
        print("a driver that talks")
        return results.QueryResult.of([("s", "VARCHAR"), ("f", "DOUBLE")], [("\ud800é", float("nan"))])

    put(query=noisy)
    assert main(["query", "x", "--json"]) == 0
    seen = capsys.readouterr()
    assert seen.err == "a driver that talks\n"
    assert seen.out.count("\n") == 1
    assert seen.out.isascii()
    assert json.loads(seen.out)["rows"] == [["\ud800é", "NaN"]]


def test_whom_it_waits_for_is_told_on_standard_error(put: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def waits(*args: Any, **kwargs: Any) -> results.CheckResult:
        assert project.told is not None
        project.told("waiting: another run\x1b[2J")
        return results.CheckResult(True)

    project = put(check=waits)
    assert main(["check", "--wait", "--json"]) == 0
    seen = capsys.readouterr()
    assert seen.err == "waiting: another run\\x1b[2J\n"
    assert json.loads(seen.out)["ok"] is True


@pytest.mark.parametrize(
    ("words", "shown"),
    [(["run"], True), (["run", "--no-progress"], False), (["run", "-q"], False), (["run", "--json"], False)],
)
def test_progress_is_shown_on_a_terminal_and_taken_away(
    put: Any, monkeypatch: pytest.MonkeyPatch, words: list[str], shown: bool
) -> None:
    def works(*args: Any, progress: Any, **kwargs: Any) -> results.RunResult:
        progress(results.Progress("raw.orders", 0, "reading"))
        progress(results.Progress("raw.orders", 1_200_000, "writing"))
        return RUN

    put(run=works)
    monkeypatch.setattr(live, "FIRST_SECS", 0)
    monkeypatch.setattr(live, "PAUSE_SECS", 0)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert main(words) == 0
    assert ("raw.orders  writing  0:00  1,200,000 rows" in terminal.getvalue()) is shown
    assert terminal.shown() == []


def test_no_progress_without_a_terminal(put: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def works(*args: Any, progress: Any, **kwargs: Any) -> results.RunResult:
        progress(results.Progress("raw.orders", 5, "reading"))
        return RUN

    put(run=works)
    assert main(["run"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("no_colour", "coloured"), [("", True), ("1", False)])
def test_colour_is_for_terminals_that_want_it(
    put: Any, monkeypatch: pytest.MonkeyPatch, no_colour: str, coloured: bool
) -> None:
    put(check=results.CheckResult(True))
    monkeypatch.setenv("NO_COLOR", no_colour)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    assert main(["check"]) == 0
    assert terminal.getvalue().startswith("\x1b[32mok\x1b[0m: " if coloured else "ok: ")


def test_a_terminal_without_the_letters_gets_escapes(put: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(query=results.QueryResult.of([("s", "VARCHAR")], [("é",)]))
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert main(["query", "x"]) == 0
    assert b"\\xe9" in raw.getvalue()


def python(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "headgate", *words], text=True, check=False, **options)


def test_a_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = python("--help", stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_told() -> None:
    with open("/dev/full", "w") as full:
        done = python("--help", stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, "the answer can't be written: No space left on device\n")


def test_the_module_runs_as_the_command_does() -> None:
    assert python("--version", stdout=subprocess.PIPE).stdout == f"headgate {__version__}\n"


@pytest.mark.parametrize(
    ("words", "variable", "used"),
    [
        (["plan"], None, None),
        (["plan"], "prod", "prod"),
        (["plan", "--profile", "test"], "prod", "test"),
        (["plan"], "", None),
    ],
)
def test_a_profile_is_named_or_set(
    put: Any, monkeypatch: pytest.MonkeyPatch, words: list[str], variable: str | None, used: str | None
) -> None:
    project = put(plan=results.PlanResult(()))
    monkeypatch.delenv("HEADGATE_PROFILE", raising=False)
    if variable is not None:
        monkeypatch.setenv("HEADGATE_PROFILE", variable)
    assert main(words) == 0
    assert project.profile == used


def test_variables_are_handed_on_as_they_are_written(put: Any) -> None:
    project = put(plan=results.PlanResult(()))
    assert main(["plan", "--vars", "day: 2024-01-01"]) == 0
    assert project.variables == "day: 2024-01-01"
