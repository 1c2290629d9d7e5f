"""The command line as scripts and careless people use it: places, words, streams, exit codes, keys of `--json`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.conftest import Lab

STEP = {
    *("id", "kind", "status", "reason", "warnings", "seconds", "attempts", "children", "stale", "optional"),
    *("passed", "result"),
    *("rows_read", "rows_loaded", "rows_quarantined", "rows_deduplicated", "rows_skipped"),
}
PLANNED = {"id", "kind", "status", "reason", "sql", "rows_read", "rows_quarantined", "change", "stale", "intervals"}
RECORD = {"id", "table", "reasons", "source", "position", "raw", "row", "status", "at", "parent"}
RECORD |= {"revision", "revisions", "masked"}


@pytest.mark.slow
def test_every_answer_has_its_documented_keys(orders: Lab) -> None:
    assert orders.ok("check") == {"ok": True, "findings": [], "applied": [], "diff": []}
    (planned,) = orders.ok("plan")["steps"]
    assert set(planned) == PLANNED
    assert [planned[name] for name in ("id", "kind", "status", "reason")] == ["raw.orders", "load", "run", "1 new file"]
    run = orders.ok("run")
    assert set(run) == {"status", "balanced", "steps", "findings", "run", "notes"}
    assert set(run["steps"][0]) == STEP
    assert isinstance(run["steps"][0]["seconds"], float)
    step = {
        name: run["steps"][0][name] for name in STEP if name in ("id", "kind", "status") or name.startswith("rows_")
    }
    assert step == {
        "id": "raw.orders",
        "kind": "load",
        "status": "ok",
        "rows_read": 3,
        "rows_loaded": 2,
        "rows_quarantined": 1,
        "rows_deduplicated": 0,
        "rows_skipped": 0,
    }
    audit = orders.ok("audit")
    assert (audit["balanced"], audit["findings"], audit["tables"], audit["entries"]) == (True, [], 1, 1)
    ledger = orders.ok("ledger")
    assert (ledger["total"], ledger["entries"][0]["kind"], ledger["entries"][0]["rows_added"]) == (1, "load", 2)
    listed = orders.ok("quarantine", "list")
    assert (listed["total"], set(listed["records"][0])) == (1, RECORD)
    assert listed["records"][0]["reasons"] == [{"rule": "min", "column": "amount", "message": "must be at least 0"}]
    assert listed["records"][0]["at"] == ledger["entries"][0]["at"]
    assert orders.ok("quarantine", "show", listed["records"][0]["id"])["records"] == listed["records"]
    replay = orders.ok("quarantine", "replay", "--all")
    assert {name: replay[name] for name in ("rows_read", "rows_loaded", "rows_quarantined", "entries")} == {
        "rows_read": 1,
        "rows_loaded": 0,
        "rows_quarantined": 1,
        "entries": 1,
    }
    query = orders.ok("query", "SELECT id FROM raw.orders ORDER BY id")
    assert query == {"columns": [{"name": "id", "type": "BIGINT"}], "rows": [[1], [2]], "total": 2}


def test_plan_and_run_with_nothing_to_do(orders: Lab) -> None:
    orders.ok("run")
    assert orders.ok("plan")["steps"][0]["status"] == "skip"
    again = orders.ok("run")
    assert (again["status"], again["balanced"]) == ("ok", True)
    assert {name: again["steps"][0][name] for name in ("status", "reason", "rows_read", "rows_loaded")} == {
        "status": "skipped",
        "reason": "nothing new",
        "rows_read": 0,
        "rows_loaded": 0,
    }
    assert orders.ok("ledger")["total"] == 1


@pytest.mark.slow
def test_the_project_is_found_from_below_and_from_elsewhere(orders: Lab, tmp_path: Path) -> None:
    below, elsewhere = orders.root / "data" / "orders", tmp_path / "elsewhere"
    elsewhere.mkdir()
    for words, cwd in (
        (["plan"], below),
        (["plan", "--project", str(orders.root)], elsewhere),
        (["--project", "../lab", "plan"], elsewhere),
        (["--project=../lab/headgate.yml", "plan"], elsewhere),
    ):
        ran = orders.headgate(*words, "--json", cwd=cwd)
        assert (ran.code, [step["id"] for step in ran.json()["steps"]]) == (0, ["raw.orders"])
    for words in (["run"], ["--project", "nowhere", "run"], ["run", "--project", "."]):
        ran = orders.headgate(*words, "--json", cwd=elsewhere)
        assert (ran.code, ran.json()["findings"][0]["code"], ran.err) == (2, "no-project", "")
        assert "no-project" in orders.headgate(*words, cwd=elsewhere).err
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no command"),
        (["runn"], "did you mean 'run'?"),
        (["quarantine"], "which one? export, fix, list, purge, replay, sample, show"),
        (["quarantine", "sho"], "did you mean 'show'?"),
        (["run", "--full-refesh"], "did you mean '--full-refresh'?"),
        (["query"], "required: SQL"),
        (["query", "select 1", "select 2"], "does not take 'select 2'"),
        (["query", "select 1", "--limit", "-1"], "--limit"),
        (["quarantine", "list", "--status", "lost"], "--status"),
        (["quarantine", "replay"], "say what to replay"),
        (["quarantine", "replay", "1", "--all"], "say what to replay"),
        (["ledger", "adjust", "raw.orders"], "--reason"),
    ],
)
def test_wrong_usage_is_one_object_and_exit_2(lab: Lab, words: list[str], said: str) -> None:
    ran = lab.headgate(*words, "--json")
    assert (ran.code, ran.err) == (2, "")
    answer = ran.json()
    assert (answer["status"], answer["findings"][0]["code"]) == ("error", "usage")
    assert said in answer["findings"][0]["what"]


def test_wrong_usage_for_people_goes_to_standard_error(lab: Lab) -> None:
    ran = lab.headgate("runn")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("usage: headgate")
    assert lab.headgate().err.startswith("Headgate")


@pytest.mark.parametrize(
    "words",
    [
        ["run", "raw.ordres"],
        ["plan", "raw.ordres"],
        ["ledger", "raw.ordres"],
        ["ledger", "adjust", "raw.ordres", "--reason", "x"],
        ["quarantine", "list", "--table", "raw.ordres"],
        ["quarantine", "replay", "--table", "raw.ordres"],
    ],
)
def test_an_unknown_table_is_not_nothing_found(loaded: Lab, words: list[str]) -> None:
    finding = loaded.fails(2, *words)
    assert "did you mean 'raw.orders'?" in finding["what"]


def test_names_of_steps_are_understood_in_any_case(orders: Lab) -> None:
    assert orders.step("RAW.Orders")["rows_loaded"] == 2
    assert orders.ok("ledger", "Raw.ORDERS")["total"] == 1


def test_an_empty_project_says_what_is_missing(lab: Lab) -> None:
    for command in ("plan", "run"):
        ran = lab.headgate(command)
        assert ran.code == 0
        assert "headgate init --from FILES" in ran.out


def test_help_and_version_are_answers_too(lab: Lab, tmp_path: Path) -> None:
    assert lab.headgate("--version", cwd=tmp_path).out.startswith("headgate ")
    assert set(lab.headgate("--version", "--json", cwd=tmp_path).json()) == {"version"}
    for words in (["--help"], ["run", "--help"], ["quarantine", "-h"], ["query", "--help", "--json"]):
        ran = lab.headgate(*words, cwd=tmp_path)
        assert (ran.code, ran.err) == (0, "")
        assert "usage: headgate" in ran.out


def test_a_reader_that_has_seen_enough_is_no_failure(lab: Lab) -> None:
    running = lab.start("query", "FROM range(200000)", "--json", "--limit", "0")
    assert running.stdout is not None
    assert running.stderr is not None
    with running.stdout, running.stderr:
        assert running.stdout.read(5) == '{"col'
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.wait() == 0


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_defect(orders: Lab, closed: str) -> None:
    for words, code in (("run", 0), ("runn", 2)):
        done = subprocess.run(
            ["sh", "-c", f'"{sys.executable}" -m headgate {words} {closed}'],
            cwd=orders.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr + done.stdout
        assert "internal-error" not in done.stderr
    assert orders.rows("SELECT count(*) FROM raw.orders") == [[2]]


def test_json_is_ascii_whatever_the_locale(lab: Lab) -> None:
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    ran = lab.headgate("query", "SELECT chr(28450) AS x", "--json", env=env)
    assert json.loads(ran.out)["rows"] == [["漢"]]
    assert ran.out.isascii()
    assert "\\u6f22" in lab.headgate("query", "SELECT chr(28450) AS x", env=env).out
