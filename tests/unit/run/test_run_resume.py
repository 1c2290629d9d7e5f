"""`--resume`: what the last run of the same steps left undone; and what `plan --backfill` says."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder
from tests.unit.run.task_kit import ORDERS, project, statuses, step

from headgate.core.errors import ProjectError
from headgate.models.model import Grain
from headgate.run import perform as performing
from headgate.run.errand import Errand, Performed
from headgate.run.intervals import between

LATE = ORDERS.format("").replace("raw.orders", "raw.late").replace("data/", "late/")


def broken(root: Path) -> Folder:
    """A load that is refused, with what needs it, beside steps that succeed."""
    return project(root, {
        "ingest/late.yml": LATE, "late/1.csv": "nr\n1\n",
        "models/shown.sql": "select count(*) as n from {{ ref('raw.late') }}",
        "tasks/count.yml": "shell: 'echo x >> count.txt; echo 5'\nneeds: raw.orders\n",
        "tasks/end.yml": "shell: [echo, \"{{ needs.count.result.value }} {{ needs['raw.orders'].rows_loaded }}\"]\n"
        "needs: [count, shown, raw.orders]\n".replace(" {{ needs['raw.orders'].rows_loaded }}", ""),
    })  # fmt: skip


def test_only_what_did_not_succeed_is_run_again(tmp_path: Path) -> None:
    folder = broken(tmp_path)
    assert statuses(folder.run()) == {
        "raw.late": "refused", "shown": "blocked", "raw.orders": "ok", "daily": "ok", "count": "ok", "end": "blocked",
    }  # fmt: skip
    folder.write("late/1.csv", "id\n1\n")
    folder.write("data/2.csv", "id\n3\n")
    planned = folder.open().plan(resume=True)
    assert [(one.id, one.reason) for one in planned.steps] == [
        ("raw.late", "refused in the last run; 1 new file"), ("shown", "blocked in the last run; not built yet"),
        ("end", "blocked in the last run; a task runs each time"),
    ]  # fmt: skip
    done = folder.open().run(resume=True)
    assert statuses(done) == {"raw.late": "ok", "shown": "ok", "end": "ok"}
    assert step(done, "end").result == {"exit_code": 0, "output": "5\n", "value": 5}  # what it needs, it knows
    assert (tmp_path / "count.txt").read_text() == "x\n"
    assert folder.rows("select count(*) from raw.orders") == [(2,)]  # what is new is for an ordinary run
    told = folder.open().runs().runs
    assert [one.command for one in told] == ["headgate run --resume", "headgate run"]


def test_after_a_success_there_is_nothing_to_resume(tmp_path: Path) -> None:
    folder = broken(tmp_path)
    folder.run()
    folder.write("late/1.csv", "id\n1\n")
    last = folder.open().run(resume=True).run
    done = folder.open().run(resume=True)
    assert (done.status, done.steps, [one.code for one in done.notes]) == ("ok", (), ["nothing-to-resume"])
    assert last in done.notes[0].what
    planned = folder.open().plan(resume=True)
    assert (planned.steps, [one.code for one in planned.notes]) == ((), ["nothing-to-resume"])
    assert folder.open().runs().total == 2


def test_a_run_that_was_resumed_in_vain_is_resumed_again(tmp_path: Path) -> None:
    folder = broken(tmp_path)
    folder.run()
    second = folder.open().run(resume=True)
    assert statuses(second) == {"raw.late": "refused", "shown": "blocked", "end": "blocked"}
    folder.write("tasks/new.yml", "shell: 'true'\n")
    planned = {one.id: one.reason for one in folder.open().plan(resume=True).steps}
    assert list(planned) == ["raw.late", "shown", "end", "new"]
    assert planned["raw.late"] == "refused in the last run; 1 new file"
    assert planned["new"] == "not begun in the last run; a task runs each time"


def test_an_interrupted_run_goes_on_with_what_it_did_not_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(tmp_path, {f"tasks/{name}.yml": "shell: 'true'\n" for name in "abc"})

    def stopped(errand: Errand) -> Performed:
        if errand.task.name == "b":
            raise KeyboardInterrupt
        return Performed()

    monkeypatch.setattr(performing, "perform", stopped)
    with pytest.raises(KeyboardInterrupt):
        folder.open().run(["kind:task"])
    monkeypatch.setattr(performing, "perform", lambda errand: Performed())
    assert statuses(folder.open().run(["kind:task"], resume=True)) == {"b": "ok", "c": "ok"}


def test_runs_of_other_steps_are_others(tmp_path: Path) -> None:
    folder = broken(tmp_path)
    folder.open().run(["raw.late", "count"])
    with pytest.raises(ProjectError, match="the history knows no run of these steps: headgate run raw"):
        folder.open().run(["raw.late"], resume=True)
    assert [one.id for one in folder.open().plan(["raw.late", "count"], resume=True).steps] == ["raw.late"]
    for other in ({"exclude": ["daily"]}, {"full_refresh": True}):
        with pytest.raises(ProjectError, match="nothing-ran"):
            folder.open().plan(["raw.late", "count"], resume=True, **other)  # type: ignore[arg-type]


def test_what_went_on_without_an_optional_step_is_built_with_it(tmp_path: Path) -> None:
    folder = project(tmp_path, {
        "ingest/late.yml": f"optional: true\n{LATE}", "late/1.csv": "id\n1\n",
        "models/shown.sql": "{{ config(materialized='table') }} select count(*) as n from {{ ref('raw.late') }}",
    })  # fmt: skip
    folder.run()
    folder.write("late/2.csv", "nr\n2\n")
    folder.write(
        "models/shown.sql", "{{ config(materialized='table') }} select count(*) * 2 as n from {{ ref('raw.late') }}"
    )
    assert step(folder.run(), "shown").stale == ("raw.late",)
    folder.write("late/2.csv", "id\n2\n")
    done = folder.open().run(resume=True)
    assert statuses(done) == {"raw.late": "ok", "shown": "ok"}
    assert folder.rows("select n from main.shown") == [(4,)]


BY_DAY = """{{ config(materialized='incremental', time_column='day') }}
select day, count(*) as n from {{ ref('raw.events') }} group by day"""


@pytest.fixture
def by_day(tmp_path: Path) -> Folder:
    return project(tmp_path, {
        "ingest/events.yml": "table: raw.events\nfrom: events/*.csv\ncolumns:\n  id: int, key\n  day: date\n",
        "events/1.csv": "id,day\n1,2024-01-01\n2,2024-01-02\n3,2024-01-05\n", "models/days.sql": BY_DAY,
    })  # fmt: skip


def test_a_plan_shows_the_intervals_of_a_backfill(by_day: Folder) -> None:
    def planned(asked: str) -> dict[str, tuple[str, str, object]]:
        found = by_day.open().plan(["days", "daily"], backfill=asked).steps
        return {one.id: (one.status, one.reason, one.intervals) for one in found}

    whole = planned("2024-01-02..2024-01-05")["days"]
    assert whole[1] == "asked for from 2024-01-02 to 2024-01-05: all of it, as nothing stands yet"
    by_day.run()
    found = planned("2024-01-02..2024-01-05")
    assert found["daily"] == ("skip", "nothing changed", None)
    status, reason, intervals = found["days"]
    assert (status, reason) == ("run", "asked for from 2024-01-02 to 2024-01-05: 3 days, 2024-01-02 to 2024-01-04")
    assert intervals is not None
    assert intervals.to_json() == {  # type: ignore[attr-defined]
        "grain": "day", "first": "2024-01-02T00:00:00+00:00", "last": "2024-01-04T00:00:00+00:00", "count": 3,
        "whole": False,
    }  # fmt: skip
    done = by_day.open().run(["days", "daily"], backfill="2024-01-02..2024-01-05")
    assert statuses(done) == {"days": "ok", "daily": "skipped"}
    assert by_day.open().ledger("main.days").entries[0].detail["intervals"]["built"]["again"] == [
        "2024-01-02",
        "2024-01-05",
    ]


@pytest.mark.parametrize(
    ("grain", "begins", "ends", "told"),
    [
        ("hour", "2024-01-01T22:30", "2024-01-02T01:00", "3 hours, 2024-01-01 22:00 to 2024-01-02 00:00"),
        ("week", "2024-01-02", "2024-01-09", "2 weeks, 2024-01-01 to 2024-01-08"),
        ("month", "2023-11-15", "2024-02-01", "3 months, 2023-11-01 to 2024-01-01"),
        ("year", "2020-12-31", "2024-01-01T00:00:01", "5 years, 2020-01-01 to 2024-01-01"),
        ("day", "2024-01-02 06:00", "2024-01-02 18:00", "1 day, 2024-01-02"),
        ("day", "2024-01-01T00:00+02:00", "2024-01-02T00:00+02:00", "2 days, 2023-12-31 to 2024-01-01"),
    ],
)
def test_intervals_of_every_grain(grain: Grain, begins: str, ends: str, told: str) -> None:
    assert between(begins, ends, grain).said == told


def test_a_plan_refuses_what_a_run_would(by_day: Folder) -> None:
    for words, asked in ((["daily"], "2024-01-01..2024-01-02"), (["days"], "2024-01-02")):
        with pytest.raises(ProjectError, match="bad-backfill"):
            by_day.open().plan(words, backfill=asked)
