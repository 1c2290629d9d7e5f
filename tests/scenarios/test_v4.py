"""V4: a step that fails for a passing reason is tried three times; then its batch is a dead letter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.project_kit import Folder

from headgate import TransientError
from headgate.core import clock

CONTRACT = "columns:\n  id: int, key\n  amount: decimal(12,2), required\n"
INGEST = "table: raw.payments\nfrom: {{python: sources/payments.py:payments{}}}\nload: {}\nretries: {}\n" + CONTRACT
THREE = "{attempts: 3, wait: 1s, backoff: 2}"
SOURCE = """
from pathlib import Path

from headgate import TransientError

CALLS = Path(__file__).with_name("calls")


def payments(position=None):
    calls = CALLS.stat().st_size if CALLS.exists() else 0
    CALLS.write_text("x" * (calls + 1))
    yield {{"id": 1, "amount": "10.00"}}
    yield {{"id": 2, "amount": "20.50"}}
    if calls < {failures}:
        raise {error}
    yield {{"id": 3, "amount": "30.00"}}
"""


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, in seconds, which nobody waits for."""
    found: list[float] = []
    monkeypatch.setattr(clock, "pause", found.append)
    return found


def project(tmp_path: Path, failures: int, error: str = 'TransientError("503 of the gateway")', **words: str) -> Folder:
    files = {
        "ingest/payments.yml": INGEST.format(
            words.get("options", ""), words.get("load", "upsert"), words.get("retries", THREE)
        ),
        "sources/payments.py": SOURCE.format(failures=failures, error=error),
    }
    return Folder.make(tmp_path, files)


def calls(folder: Folder) -> int:
    return (folder.root / "sources" / "calls").stat().st_size


def test_two_failures_then_success(tmp_path: Path, waited: list[float]) -> None:
    folder = project(tmp_path, failures=2)
    done = folder.run()
    [step] = done.steps
    assert (done.status, step.status, step.attempts, step.rows_loaded) == ("ok", "ok", 3, 3)
    assert waited == [1.0, 2.0]
    assert step.to_json()["attempts"] == 3
    assert folder.refused("raw.payments", "held") == []
    assert folder.codes() == []


def test_what_the_next_attempt_mends_leaves_no_dead_letter(tmp_path: Path, waited: list[float]) -> None:
    folder = project(tmp_path, failures=1, load="replace")
    [step] = folder.run().steps
    assert (step.attempts, step.rows_loaded, step.warnings) == (2, 3, ())


def test_three_failures_leave_the_batch_as_dead_letters(tmp_path: Path, waited: list[float]) -> None:
    folder = project(tmp_path, failures=3)
    done = folder.run()
    [step] = done.steps
    assert (done.status, step.status, step.attempts, step.rows_loaded) == ("failed", "failed", 3, 0)
    assert (waited, calls(folder)) == ([1.0, 2.0], 3)
    [error] = done.findings
    assert (error.code, "raised TransientError" in error.what) == ("transient-error", True)
    assert error.where.startswith("sources/payments.py:")
    [letters] = step.warnings
    assert (letters.code, letters.evidence["records"]) == ("dead-letter", 2)
    assert letters.evidence["places"][0]["position"]["at"] is None
    held = folder.open().quarantine(status="held").records
    assert [(one.source, one.position["record"]) for one in held] == [("all", 1), ("all", 2)]
    assert [one.row for one in held] == [{"id": "1", "amount": "10.00"}, {"id": "2", "amount": "20.50"}]
    assert {one.reasons[0].rule for one in held} == {"transient"}
    assert {one.reasons[0].message for one in held} == {"TransientError: 503 of the gateway"}
    assert folder.codes() == []
    again = folder.run()  # nothing of it is lost, and nothing doubled
    assert (again.steps[0].rows_loaded, again.steps[0].attempts) == (3, 1)
    assert folder.open().quarantine(status="all").records == ()
    assert folder.codes() == []


@pytest.mark.parametrize("error", ['ValueError("no")', "KeyError(1)", 'OSError("the disk")'])
def test_another_error_is_not_tried_again(tmp_path: Path, waited: list[float], error: str) -> None:
    folder = project(tmp_path, failures=1, error=error)
    done = folder.run()
    assert (done.status, done.steps[0].attempts, done.findings[0].code) == ("failed", 1, "source-raised")
    assert (waited, calls(folder)) == ([], 1)
    assert folder.refused("raw.payments", "held") == []


@pytest.mark.parametrize("error", ['ConnectionResetError("peer")', "TimeoutError()"])
def test_a_connection_that_breaks_may_pass(tmp_path: Path, waited: list[float], error: str) -> None:
    assert project(tmp_path, failures=1, error=error).run().steps[0].attempts == 2
    assert waited == [1.0]


def test_what_was_committed_before_is_not_read_again(tmp_path: Path, waited: list[float]) -> None:
    folder = project(tmp_path, failures=1, options=", replay: stable", load="append")
    [step] = folder.run().steps
    assert (step.status, step.attempts, step.rows_read, step.rows_loaded) == ("ok", 2, 3, 3)
    assert folder.rows("SELECT id FROM raw.payments ORDER BY id") == [(1,), (2,), (3,)]
    assert len(folder.open().ledger("raw.payments").entries) == 2
    assert folder.codes() == []


RULE = """
from headgate import TransientError


def known(row):
    if row["id"] == 2:
        raise {error}
"""


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_rule_that_fails_for_a_passing_reason_refuses_no_row(tmp_path: Path, waited: list[float], kind: str) -> None:
    folder = Folder.make(
        tmp_path,
        {
            "ingest/payments.yml": f"table: raw.payments\nfrom: data/*.{kind}\nretries: 2\n{CONTRACT}"
            "rules:\n  known: {python: rules.py:known}\n",
            "rules.py": RULE.format(error='TransientError("no answer")'),
        },
    )
    write_rows(folder, kind)
    done = folder.run()
    assert (done.findings[0].code, done.steps[0].attempts, waited) == ("transient-error", 2, [1.0])
    held = folder.open().quarantine(status="held").records
    assert [one.position["record"] for one in held] == [1, 2, 3]
    assert [one.row["id"] for one in held if one.row] == ["1", "2", "3"]
    assert [one.raw for one in held] == (["1,10.00", "2,20.00", "3,30.00"] if kind == "csv" else [None] * 3)
    assert folder.codes() == []
    folder.write("rules.py", "def known(row):\n    return True\n")
    assert folder.run().steps[0].rows_loaded == 3
    assert folder.open().quarantine(status="all").records == ()


def write_rows(folder: Folder, kind: str) -> None:
    text = "id,amount\n1,10.00\n2,20.00\n3,30.00\n"
    if kind == "csv":
        folder.write("data/1.csv", text)
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder.root / "data").mkdir()
    pq.write_table(pa.table({"id": [1, 2, 3], "amount": [1.5, 2.5, 3.5]}), folder.root / "data" / "1.parquet")


def test_the_error_is_a_plain_exception_of_the_users() -> None:
    error: Any = TransientError("503", 7)
    assert (isinstance(error, Exception), error.args) == (True, ("503", 7))
