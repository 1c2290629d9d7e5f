"""The history of runs, health and the page, as a project gives them: over eight days of a small shop."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.project_kit import Folder

from headgate.api import leaving, page
from headgate.api.results import HealthResult, RunRecord
from headgate.core import clock
from headgate.core.errors import ProjectError

FILES = {
    "ingest/orders.yml": """table: raw.orders
from: data/orders/*.csv
columns:
  id:    int, key
  email: text, pii
  total: decimal(8,2), required, min(0)
""",
    "models/daily.sql": """{{ config(materialized='table') }}
select total, count(*) as n from {{ source('raw', 'orders') }} group by total
""",
    "models/daily.yml": """models:
  - name: daily
    description: What was sold
    columns: [{name: n, description: How often}]
""",
}
DAYS, ROWS = 8, 40
BEGUN = datetime(2026, 6, 1, 6, tzinfo=UTC)


def orders(day: int, rows: int = ROWS, email: str = "a@b.c") -> str:
    lines = [f"{day * 1000 + number},{email},{number}.50" for number in range(rows)]
    return "id,email,total\n" + "\n".join(lines) + "\n"


class Days:
    """A clock that stands at a day, and goes on from there a little with every look."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.at = BEGUN
        patch.setattr(clock, "now", self.now)
        patch.setattr(leaving, "WRITES_PAGES", True)

    def now(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def to(self, day: float) -> None:
        self.at = BEGUN + timedelta(days=day)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Eight days, a file and a run each; one record of the first is refused."""
    folder = Folder.make(tmp_path_factory.mktemp("days"), FILES)
    with pytest.MonkeyPatch.context() as patch:
        days = Days(patch)
        for day in range(DAYS):
            days.to(day)
            bad = "9999,secret@x.y,-1.00\n" if day == 0 else ""
            folder.write(f"data/orders/{day}.csv", orders(day) + bad)
            assert folder.run().status == "ok"
    return folder


@pytest.fixture
def days(monkeypatch: pytest.MonkeyPatch) -> Days:
    found = Days(monkeypatch)
    found.to(DAYS - 1 + 0.5)
    return found


@pytest.fixture
def folder(made: Folder, tmp_path: Path, days: Days) -> Folder:
    return made.copy(tmp_path / "p")


def runs(folder: Folder, run: str | None = None) -> tuple[RunRecord, ...]:
    return folder.open().runs(run=run).runs


def bad(answer: HealthResult) -> list[str]:
    return [check.name for check in answer.checks if check.status == "bad"]


# -- history


def test_every_run_is_kept_with_its_steps(folder: Folder) -> None:
    every = runs(folder)
    assert [(run.status, run.origin, run.rows_read) for run in every] == [("ok", "run", ROWS)] * 7 + [("ok", "run", 41)]
    assert [run.begun_at[:10] for run in every[:2]] == ["2026-06-08", "2026-06-07"]
    load, model = runs(folder, "last")[0].steps
    assert (load.id, load.kind, load.status, load.rows_read, load.rows_loaded) == ("raw.orders", "load", "ok", 40, 40)
    assert (load.rows_after, load.bytes) == (8 * ROWS, len(orders(7)))
    assert (model.id, model.kind, model.status, model.rows_after, model.bytes) == ("daily", "model", "ok", ROWS, None)
    for step in (load, model):
        assert step.seconds is not None
        assert step.cpu_seconds is not None
        assert step.peak_bytes is not None
        assert step.seconds > 0
        assert step.peak_bytes > 10_000_000


def test_a_run_is_named_by_the_beginning_of_its_id(folder: Folder) -> None:
    name = runs(folder)[0].id
    assert runs(folder, name)[0].id == name
    with pytest.raises(ProjectError, match="runs begin with '1'") as many:
        runs(folder, "1")
    assert many.value.finding.code == "unknown-run"
    with pytest.raises(ProjectError, match="the history knows no run 'x'"):
        runs(folder, "x")


def test_a_failed_run_says_whose_turn_it_is(folder: Folder) -> None:
    folder.write("data/orders/8.csv", "id,email\n1,a\n")
    result = folder.run()
    (run,) = runs(folder, "last")
    assert (run.id, run.status, run.failure) == (result.run, "refused", "data")
    assert [(step.id, step.status, step.failure) for step in run.steps] == [
        ("raw.orders", "refused", "data"), ("daily", "blocked", "input")]  # fmt: skip
    assert [one.code for one in run.steps[0].findings] == ["missing-column"]
    assert all(not one.evidence for one in run.steps[0].findings)


def test_a_history_that_was_lost_is_made_anew_from_the_books(folder: Folder) -> None:
    before = runs(folder)
    for path in (folder.root / ".headgate").glob("state.db*"):
        path.unlink()
    after = runs(folder)
    assert [(run.status, run.rows_read, run.rows_loaded, run.rows_quarantined, run.begun_at[:16]) for run in after] == [
        (run.status, run.rows_read, run.rows_loaded, run.rows_quarantined, run.begun_at[:16]) for run in before
    ]
    assert {run.origin for run in after} == {"ledger"}
    assert after[0].seconds is None
    assert [step.id for step in runs(folder, after[0].id)[0].steps] == ["raw.orders", "main.daily"]


def test_a_broken_history_fails_no_run_and_is_told(folder: Folder) -> None:
    for path in (folder.root / ".headgate").glob("state.db*"):
        path.write_bytes(b"scrambled" * 1000)
    result = folder.run()
    assert result.status == "ok"
    assert [one.code for one in result.notes] == ["history-broken"]
    assert [run.origin for run in runs(folder)] == ["run", *["ledger"] * DAYS]


def test_a_history_that_cannot_be_kept_fails_no_run(folder: Folder) -> None:
    for path in (folder.root / ".headgate").glob("state.db*"):
        path.unlink()
    (folder.root / ".headgate" / "state.db").mkdir()
    folder.write("data/orders/8.csv", orders(8))
    result = folder.run()
    assert (result.status, [one.code for one in result.notes]) == ("ok", ["history-unusable"])
    assert result.steps[0].rows_loaded == ROWS


def test_runs_older_than_is_kept_are_forgotten(folder: Folder, days: Days) -> None:
    folder.write("headgate.yml", "warehouse: duckdb:w.duckdb\nhistory: {keep: 3 days}\n")
    folder.run()
    assert [run.begun_at[:10] for run in runs(folder)] == ["2026-06-08", "2026-06-08", "2026-06-07", "2026-06-06"]


def test_a_run_that_is_interrupted_is_kept_as_that(folder: Folder) -> None:
    folder.write("data/orders/8.csv", orders(8))

    def stop(news: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), folder.open() as project:
        project.run(progress=stop)
    assert (runs(folder)[0].status, runs(folder)[0].failure) == ("interrupted", "interrupted")


def test_a_run_that_was_killed_is_buried_by_the_next(folder: Folder) -> None:
    with sqlite3.connect(folder.root / ".headgate" / "state.db") as db:
        last = "(SELECT max(id) FROM run)"
        db.execute(
            f"UPDATE run SET status = 'running', pid = 4194303, host = ? WHERE id = {last}", [os.uname().nodename]
        )
    db.close()
    folder.run()
    assert [run.status for run in runs(folder)[:2]] == ["ok", "killed"]


def test_the_log_tells_every_event_and_no_value(folder: Folder) -> None:
    events: list[Any] = []
    folder.write("data/orders/8.csv", orders(8) + "8888,secret@x.y,-1.00\n")
    with folder.open() as project:
        result = project.run(log=events.append)
    assert [(one["event"], one.get("step")) for one in events] == [
        ("run.begun", None),
        ("step.begun", "raw.orders"),
        ("step.ended", "raw.orders"),
        ("step.begun", "daily"),
        ("step.ended", "daily"),
        ("run.ended", None),
    ]
    assert {one["run"] for one in events} == {result.run}
    assert events[2]["rows_quarantined"] == 1
    assert "secret" not in json.dumps(events)


# -- health


def test_a_project_in_order_is_healthy(folder: Folder) -> None:
    answer = folder.open().health()
    assert (answer.ok, bad(answer)) == (True, [])
    assert [check.name for check in answer.checks if check.status == "unknown"] == []
    assert HealthResult.from_json(json.loads(json.dumps(answer.to_json()))) == answer


def break_freshness(folder: Folder, days: Days) -> None:
    days.to(DAYS + 2)


def break_declared_freshness(folder: Folder, days: Days) -> None:
    text = (folder.root / "ingest/orders.yml").read_text()
    folder.write("ingest/orders.yml", text + "freshness: 6h\n")


def break_volume(folder: Folder, days: Days) -> None:
    folder.write("data/orders/8.csv", orders(8, rows=ROWS * 5))
    folder.run("raw.orders")


def break_nulls(folder: Folder, days: Days) -> None:
    folder.write("data/orders/8.csv", orders(8, email=""))
    folder.run()


def break_schema(folder: Folder, days: Days) -> None:
    folder.behind("ALTER TABLE raw.orders ADD COLUMN sneaked INTEGER")


def break_books(folder: Folder, days: Days) -> None:
    folder.behind("DELETE FROM raw.orders WHERE id = 1001")


def break_quarantine(folder: Folder, days: Days) -> None:
    lines = "".join(f"{9000 + number},a@b.c,-1.00\n" for number in range(30))
    folder.write("data/orders/8.csv", orders(8) + lines)
    folder.run("raw.orders")


def break_last_run(folder: Folder, days: Days) -> None:
    folder.write("data/orders/8.csv", "id\n1\n")
    folder.run()


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (break_freshness, "freshness"),
        (break_declared_freshness, "freshness"),
        (break_volume, "volume"),
        (break_nulls, "nulls"),
        (break_schema, "schema"),
        (break_books, "books"),
        (break_quarantine, "quarantine"),
        (break_last_run, "last-run"),
    ],
)
def test_each_one_broken_makes_exactly_that_one_bad(spoil: Any, name: str, folder: Folder, days: Days) -> None:
    spoil(folder, days)
    answer = folder.open().health()
    assert (answer.ok, bad(answer)) == (False, [name])
    (check,) = [check for check in answer.checks if check.name == name]
    remark = next(one for one in check.remarks if one.status == "bad")
    assert remark.what
    assert remark.fix


def test_scores_count_what_was_refused(folder: Folder) -> None:
    answer = folder.open().health()
    (one,) = [score for score in answer.scores if score.table == "raw.orders"]
    records = DAYS * ROWS + 1
    assert one.validity == pytest.approx(1 - 1 / (4 * records), abs=1e-6)  # record, two types, min
    assert (one.completeness, one.uniqueness, one.consistency, one.timeliness) == (1.0, 1.0, None, 1.0)
    assert answer.score.total == one.total


# -- the page


def page_of(folder: Folder) -> str:
    return (folder.root / ".headgate" / "report.html").read_text()


def test_a_run_leaves_a_page_that_shows_no_value(folder: Folder) -> None:
    text = page_of(folder)
    assert "raw.orders" in text
    assert "What was sold" in text
    assert "How often" in text
    assert "secret" not in text


def test_samples_are_shown_only_on_request_and_hide_what_is_pii(folder: Folder, tmp_path: Path) -> None:
    out = tmp_path / "out" / "page.html"
    answer = folder.open().report(out, samples=2)
    text = out.read_text()
    assert (answer.path, answer.bytes, answer.samples) == (str(out), out.stat().st_size, 2)
    assert "total=-1.00" in text
    assert "email=•••" in text
    assert "secret" not in text
    assert "total=-1.00" not in page_of(folder)


def test_the_page_is_written_after_a_run_unless_that_is_switched_off(folder: Folder) -> None:
    path = folder.root / ".headgate" / "report.html"
    path.unlink()
    folder.write("headgate.yml", "warehouse: duckdb:w.duckdb\nreport: {after_run: no, samples: 1}\n")
    assert folder.run().notes == ()
    assert not path.exists()
    folder.open().report()
    assert "total=-1.00" in page_of(folder)


def test_a_run_without_work_leaves_a_page_of_the_last_hour_as_it_is(folder: Folder, days: Days) -> None:
    path = folder.root / ".headgate" / "report.html"
    for age, kept in ((1800, True), (7200, False)):
        path.write_text("as it was")
        written = days.now().timestamp() - age
        os.utime(path, (written, written))
        assert folder.run().notes == ()
        assert (path.read_text() == "as it was") is kept


def test_a_page_that_cannot_be_written_fails_no_run(folder: Folder) -> None:
    path = folder.root / ".headgate" / "report.html"
    path.unlink()
    path.mkdir()
    result = folder.run()
    assert (result.status, [(one.code, one.level) for one in result.notes]) == ("ok", [("report-unwritten", "warning")])
    assert [one.name for one in path.parent.glob(".report*")] == []


def test_a_page_that_breaks_off_leaves_the_former_one_as_it_was(tmp_path: Path) -> None:
    def broken() -> Iterator[str]:
        yield "half"
        raise ValueError("in the middle")

    (tmp_path / "report.html").write_text("as it was")
    with pytest.raises(ValueError, match="in the middle"):
        page._save(tmp_path / "report.html", broken())
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"report.html": "as it was"}


def test_an_empty_project_has_a_page_too(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, {})
    answer = folder.open().report()
    assert (answer.tables, folder.open().health().ok) == (0, True)
    assert "Nothing here yet." in page_of(folder)


def test_a_table_that_the_project_let_go_is_no_concern_of_health(folder: Folder, days: Days) -> None:
    (folder.root / "ingest/orders.yml").unlink()
    for path in (folder.root / "models").iterdir():
        path.unlink()
    days.to(100)
    assert bad(folder.open().health()) == []


def test_a_record_survives_json(folder: Folder) -> None:
    answer = folder.open().runs(run="last")
    assert type(answer).from_json(json.loads(json.dumps(answer.to_json()))) == answer


def test_books_that_cannot_be_read_fail_no_history(folder: Folder) -> None:
    folder.behind("UPDATE _headgate.entry SET committed_at = '9 o''clock' WHERE id = 1")
    for path in (folder.root / ".headgate").glob("state.db*"):
        path.unlink()
    result = folder.run()
    assert (result.status, {one.code for one in result.notes}) == ("ok", {"history-unusable", "report-unwritten"})


def test_all_of_it_holds_over_postgres(
    postgres: str, tmp_path: Path, days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder.make(tmp_path, {**FILES, "data/orders/0.csv": orders(0) + "9999,secret@x.y,-1.00\n"})
    monkeypatch.setenv("HEADGATE_W", postgres)
    folder.write("headgate.yml", 'warehouse: "${secret:HEADGATE_W}"\nreport: {samples: 1}\n')
    result = folder.run()
    assert (result.status, result.notes) == ("ok", ())
    load, model = runs(folder, result.run)[0].steps
    assert (load.rows_loaded, load.rows_after, model.rows_after) == (ROWS, ROWS, ROWS)
    answer = folder.open().health()
    assert (answer.ok, bad(answer)) == (True, [])
    assert "email=•••" in page_of(folder)
    (folder.root / ".headgate" / "state.db").unlink()
    assert [run.origin for run in runs(folder)] == ["ledger"]
