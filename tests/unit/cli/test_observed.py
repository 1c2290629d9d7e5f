"""Runs, health and the page on the command line: what is asked, what is shown, what it exits with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.fake_project import FakeProject, step

from headgate.api import results
from headgate.api.results import HealthCheck, HealthRemark, HealthResult, QualityScore, RunHistory, RunRecord, RunStep
from headgate.cli import observed, verbs
from headgate.cli.main import main
from headgate.cli.screen import Screen
from headgate.core.errors import Finding

PLAIN = Screen()
NOTE = Finding("history-broken", "warning", "it broke", "x", "nothing")
RUN = RunRecord(
    "a1", "headgate run", "2026-06-01T06:00:00+00:00", "", "failed", "data", 1.25, 0.5, 52_400_000, 10, 8, 2
)
OLD = RunRecord("a0", "headgate run", "2026-05-01T06:00:00+00:00", "", "ok", origin="ledger")


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command line on a project that gives these answers; exit code, what was asked."""
    (tmp_path / "headgate.yml").touch()
    monkeypatch.chdir(tmp_path)

    def ask(line: str, **answers: Any) -> tuple[int, list[Any]]:
        project = FakeProject(**answers)
        monkeypatch.setattr(verbs, "open_project", project.open)
        return main(line.split()), project.asked

    return ask


@pytest.mark.parametrize(
    ("line", "method", "expected"),
    [
        ("runs", "runs", ((50, None), {})),
        ("runs a1 --limit 0", "runs", ((None, "a1"), {})),
        ("runs --json", "runs", ((None, None), {})),
        ("report", "report", ((None, None), {})),
        ("report --out x.html --samples 2", "report", (("x.html", 2), {})),
        ("report --samples 0", "report", ((None, 0), {})),
    ],
)
def test_what_is_asked(asked: Any, line: str, method: str, expected: Any) -> None:
    answers = {"runs": RunHistory(1, (RUN,)), "report": results.ReportResult("x.html", 1000, 2)}
    assert asked(line, **{method: answers[method]}) == (0, [(method, *expected)])


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 1)])
def test_health_exits_with_1_if_a_check_is_bad(asked: Any, ok: bool, code: int) -> None:
    assert asked("health", health=HealthResult(ok, "2026-06-01T06:00:00+00:00"))[0] == code


def test_the_log_is_a_line_of_json_for_each_event(asked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def run(select: Any, full_refresh: bool, log: Any) -> results.RunResult:
        log({"event": "step.begun", "step": "a\u202e\ud800"})
        log({"event": "run.ended"})
        return results.RunResult("ok", True, (step(),))

    assert asked("run --log-format json --json", run=run)[0] == 0
    told = capsys.readouterr()
    assert [json.loads(line)["event"] for line in told.err.splitlines()] == ["step.begun", "run.ended"]
    assert json.loads(told.out)["status"] == "ok"


def test_the_page_is_shown_on_request(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    asked("report --open", report=results.ReportResult("/a b/x.html", 1000, 2))
    assert shown == ["file:///a%20b/x.html"]


def test_runs_are_listed_with_what_is_known() -> None:
    head, _, first, second, last = observed.runs(RunHistory(7, (RUN, OLD)), PLAIN)
    assert head.split() == [
        *("run", "begun", "status", "failure", "read", "loaded", "quarantined", "deduplicated", "skipped"),
        *("seconds", "cpu", "memory"),
    ]
    assert first.split() == [
        *("a1", "2026-06-01T06:00:00+00:00", "failed", "data", "10", "8", "2", "0", "0", "1.25", "0.50", "52", "MB"),
    ]
    assert second.split() == ["a0", "2026-05-01T06:00:00+00:00", "ok", "0", "0", "0", "0", "0"]
    assert last == "2 of 7 runs (--limit 0 shows all)"


def test_one_run_is_shown_with_its_steps_and_what_they_found() -> None:
    made = RunStep("raw.a\x1b", "load", "refused", failure="data", rows_after=5, bytes=1234, findings=(NOTE,))
    lines = observed.runs(RunHistory(1, (results.RunRecord(**{**OLD.__dict__, "steps": (made,)}),)), PLAIN)
    assert lines[0] == "run a0, 2026-05-01T06:00:00+00:00, by : ok, made anew from the books"
    assert lines[4].split() == ["raw.a\\x1b", "load", "refused", "data", "0", "0", "0", "0", "0", "5", "1,234"]
    assert "warning[history-broken]: it broke" in lines


def test_health_says_what_is_bad_and_what_to_do() -> None:
    remarks = tuple(HealthRemark(f"raw.{at}", "bad", "old", "wait") for at in range(7))
    checks = (
        HealthCheck("books", "ok", 3),
        HealthCheck("freshness", "bad", 7, remarks),
        HealthCheck("nulls", "unknown", 0),
    )
    score = QualityScore("raw.a", 0.9999, validity=0.9999, uniqueness=1.0)
    lines = observed.health(HealthResult(False, "", checks, QualityScore("", 0.5), (score,), (NOTE,)), PLAIN)
    assert lines[3:7] == [
        "ok       books       3 tables",
        "bad      freshness   7 tables",
        "         raw.0: old",
        "         fix: wait",
    ]
    assert "         and 2 more: --json lists all" in lines
    assert "unknown  nulls" in lines
    assert [line.split() for line in lines[-4:-2]] == [["raw.a", "99.9%", "100%", "99.9%"], ["all", "tables", "50.0%"]]
    assert lines[-1] == "NOT healthy: 1 of 3 checks bad"
    assert observed.health(HealthResult(True, ""), PLAIN)[-1] == "healthy"


def test_the_page_is_told_with_its_size() -> None:
    assert observed.report(results.ReportResult("a.html", 12_345, 1), PLAIN) == ["wrote a.html: 1 table, 12 kB"]
