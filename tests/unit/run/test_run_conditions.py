"""Conditions, trigger rules and pools: which steps' turn comes, and how many at once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.project_kit import Folder
from tests.unit.run.task_kit import ORDERS, project, statuses, step

from headgate.core import clock
from headgate.core.errors import ProjectError

BAD = {"data/1.csv": "nr\n1\n"}
TRUE = "shell: 'true'\n"
FALSE = "shell: 'false'\n"


@pytest.fixture
def monday(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half past eleven at night in UTC, which is Tuesday in Paris."""
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 30, 23, 30, tzinfo=UTC))


def test_a_calendar_decides_in_its_zone(tmp_path: Path, monday: None) -> None:
    folder = project(tmp_path, {
        "tasks/utc.yml": f"{TRUE}when: weekday == 'monday' and last_day_of_month\n",
        "tasks/paris.yml": f"{TRUE}when: {{if: weekday == 'monday', timezone: Europe/Paris}}\n",
        "ingest/orders.yml": ORDERS.format("when: {if: day == 1, timezone: Europe/Paris}\n"),
    })  # fmt: skip
    expected = {"utc": "run", "paris": "skip", "raw.orders": "run", "daily": "run"}
    assert {one.id: one.status for one in folder.open().plan().steps} == expected
    done = folder.run()
    assert statuses(done) == {"utc": "ok", "paris": "skipped", "raw.orders": "ok", "daily": "ok"}
    told = step(done, "paris")
    assert (told.passed, told.reason) == (True, "when: weekday == 'monday' (weekday is 'tuesday')")
    assert {one.id: one.reason for one in folder.open().plan().steps}["paris"] == told.reason
    kept = {one.id: one for one in folder.open().runs(run="last").runs[0].steps}["paris"]
    assert (kept.status, kept.reason, kept.passed) == ("skipped", told.reason, True)
    page = folder.open().report()
    assert "weekday is &#x27;tuesday&#x27;" in Path(tmp_path, page.path).read_text()


def test_what_follows_a_load_that_is_skipped_goes_on_with_what_stands(tmp_path: Path) -> None:
    folder = project(tmp_path, {"tasks/after.yml": f"{TRUE}needs: raw.orders\n",
                                "tasks/any.yml": f"{TRUE}needs: raw.orders\ntrigger_rule: none_failed\n"})  # fmt: skip
    assert folder.run().status == "ok"
    folder.write("ingest/orders.yml", ORDERS.format("when: var('load', true)\n"))
    folder.write("data/2.csv", "id\n3\n")
    folder.write("models/daily.sql", "select count(*) * 10 as n from {{ ref('raw.orders') }}")
    folder.write("headgate.yml", "project: p\nwarehouse: duckdb:w.duckdb\nvars: {load: false}\n")
    plan = {one.id: (one.status, one.reason) for one in folder.open().plan().steps}
    assert plan["raw.orders"] == ("skip", "when: var('load', true) (var('load') is false)")
    assert plan["after"] == ("skip", "trigger_rule all_success: raw.orders will be skipped")
    done = folder.run()
    assert statuses(done) == {"raw.orders": "skipped", "daily": "ok", "any": "ok", "after": "skipped"}
    assert step(done, "after").reason == "trigger_rule all_success: raw.orders was skipped"
    assert (done.status, folder.rows("select n from main.daily")) == ("ok", [(20,)])


def test_a_condition_asks_what_the_steps_before_did(tmp_path: Path) -> None:
    folder = project(tmp_path, {
        "models/models.yml": 'models: [{name: daily, config: {when: "needs[\'raw.orders\'].rows_loaded >= 2"}}]\n',
        "tasks/alarm.yml": f"{TRUE}needs: raw.orders\nwhen: needs['raw.orders'].rows_quarantined > 0\n",
    })  # fmt: skip
    assert [one.reason for one in folder.open().plan().steps] == [
        "1 new file", "not built yet; when: needs['raw.orders'].rows_loaded >= 2",
        "when: needs['raw.orders'].rows_quarantined > 0",
    ]  # fmt: skip
    assert statuses(folder.run()) == {"raw.orders": "ok", "daily": "ok", "alarm": "skipped"}
    folder.write("data/2.csv", "id\n3\n3\n")
    assert statuses(folder.run()) == {"raw.orders": "ok", "daily": "skipped", "alarm": "ok"}
    assert folder.rows("select n from main.daily") == [(2,)]
    assert step(folder.run(), "daily").reason.endswith("(needs['raw.orders'].rows_loaded is 0)")
    assert statuses(folder.open().run(["alarm"])) == {"alarm": "skipped"}  # its load is no part of this run: no rows


def test_a_condition_without_an_answer_fails_its_step_alone(tmp_path: Path) -> None:
    folder = project(tmp_path, {"tasks/a.yml": f"{TRUE}when: needs['raw.orders'].result.n > 0\nneeds: raw.orders\n"})
    done = folder.run()
    assert statuses(done) == {"raw.orders": "ok", "daily": "ok", "a": "failed"}
    [found] = done.findings
    assert (found.code, found.where) == ("condition-unanswered", "tasks/a.yml:2:7")
    assert "needs['raw.orders'].result is null" in found.what


def test_models_that_are_published_together_are_skipped_together(tmp_path: Path) -> None:
    yml = "groups: [{name: g, publish_together: true}]\nmodels:\n"
    yml += "- {name: daily, group: g, config: {when: 'false'}}\n- {name: other, group: g}\n"
    folder = project(tmp_path, {"models/m.yml": yml,
                                "models/other.sql": "{{ config(materialized='table') }} select 1 as x"})  # fmt: skip
    assert {one.id: one.status for one in folder.open().plan().steps} == {
        "raw.orders": "run", "daily": "skip", "other": "skip",
    }  # fmt: skip
    assert statuses(folder.run()) == {"raw.orders": "ok", "daily": "skipped", "other": "skipped"}


RULES = {
    # what becomes of a, b (ok, failed, skipped by a condition): what a task that needs both does by each rule
    #             all_success none_failed one_success all_done one_failed all_failed
    ("ok", "ok"): ("ok", "ok", "ok", "ok", "skipped", "skipped"),
    ("ok", "failed"): ("blocked", "blocked", "ok", "ok", "ok", "skipped"),
    ("failed", "failed"): ("blocked", "blocked", "blocked", "ok", "ok", "ok"),
    ("ok", "skipped"): ("skipped", "ok", "ok", "ok", "skipped", "skipped"),
    ("skipped", "skipped"): ("skipped", "ok", "skipped", "ok", "skipped", "skipped"),
    ("failed", "skipped"): ("blocked", "blocked", "blocked", "ok", "ok", "skipped"),
}
NAMES = ("all_success", "none_failed", "one_success", "all_done", "one_failed", "all_failed")
DOES = {"ok": TRUE, "failed": FALSE, "skipped": f"{TRUE}when: 'false'\n"}


@pytest.mark.parametrize(("before", "after"), RULES.items())
def test_what_trigger_rules_say(tmp_path: Path, before: tuple[str, str], after: tuple[str, ...]) -> None:
    files = {f"tasks/{name}.yml": DOES[status] for name, status in zip("ab", before, strict=True)}
    files |= {f"tasks/{rule}.yml": f"{TRUE}needs: [a, b]\ntrigger_rule: {rule}\n" for rule in NAMES}
    done = project(tmp_path, files).open().run(["kind:task"])
    assert {rule: statuses(done)[rule] for rule in NAMES} == dict(zip(NAMES, after, strict=True))
    assert done.status == ("failed" if "failed" in before else "ok")


def test_a_step_that_the_run_can_do_without_counts_as_failed_only_for_those_who_ask(tmp_path: Path) -> None:
    folder = project(tmp_path, {
        "tasks/a.yml": f"{FALSE}optional: true\n", "tasks/next.yml": f"{TRUE}needs: a\n",
        "tasks/alarm.yml": f"{TRUE}needs: a\ntrigger_rule: one_failed\n",
    })  # fmt: skip
    done = folder.open().run(["kind:task"])
    assert (done.status, statuses(done)) == ("ok", {"a": "failed", "alarm": "ok", "next": "ok"})
    assert (step(done, "next").stale, step(done, "alarm").stale) == (("a",), ())


def test_a_load_waits_for_its_task_and_is_blocked_by_it(tmp_path: Path) -> None:
    folder = project(tmp_path, {"tasks/fetch.yml": f"{FALSE}before: raw.orders\n"})
    assert statuses(folder.run()) == {"fetch": "failed", "raw.orders": "blocked", "daily": "blocked"}
    folder.write("tasks/fetch.yml", f"{FALSE}before: raw.orders\nwhen: 'false'\n")
    assert statuses(folder.run()) == {"fetch": "skipped", "raw.orders": "ok", "daily": "ok"}


def test_fail_fast_leaves_those_who_are_there_for_failures(tmp_path: Path) -> None:
    folder = project(tmp_path, {
        **BAD, "tasks/alarm.yml": f"{TRUE}needs: '*'\ntrigger_rule: one_failed\n", "tasks/other.yml": TRUE,
    })  # fmt: skip
    done = folder.open().run(fail_fast=True)
    assert statuses(done) == {"raw.orders": "refused", "daily": "blocked", "other": "blocked", "alarm": "ok"}


@pytest.mark.parametrize("threads", [1, 4])
def test_tasks_and_conditions_are_the_same_side_by_side(tmp_path: Path, threads: int) -> None:
    files = {f"tasks/{name}.yml": does for name, does in DOES.items()}
    files |= {f"tasks/{rule}.yml": f"{TRUE}needs: [ok, failed]\ntrigger_rule: {rule}\n" for rule in NAMES}
    files["tasks/last.yml"] = f"{TRUE}needs: '*'\ntrigger_rule: all_done\n"
    done = project(tmp_path, files).open().run(threads=threads)
    assert [(one.id, one.status) for one in done.steps] == [
        ("raw.orders", "ok"), ("daily", "ok"), ("failed", "failed"), ("ok", "ok"),
        ("all_done", "ok"), ("all_failed", "skipped"),
        ("all_success", "blocked"), ("none_failed", "blocked"), ("one_failed", "ok"), ("one_success", "ok"),
        ("skipped", "skipped"), ("last", "ok"),
    ]  # fmt: skip


class Counting:
    """How many were in it at once, at most. Every visit stays until another one comes, or for a moment."""

    def __init__(self) -> None:
        self.inside = self.most = self.visits = 0
        self.change = threading.Condition()

    def visit(self, secs: float) -> None:
        with self.change:
            self.inside += 1
            self.visits += 1
            self.most = max(self.most, self.inside)
            self.change.notify_all()
            self.change.wait_for(lambda: self.most > 1, secs)
            self.inside -= 1


@pytest.mark.parametrize(("places", "most"), [(1, 1), (2, 2)])
def test_a_pool_holds_so_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, places: int, most: int) -> None:
    from headgate.run import perform as performing

    counting, perform = Counting(), performing.perform

    def watched(errand: object) -> object:
        counting.visit(60.0 if most > 1 else 0.05)
        return perform(errand)  # type: ignore[arg-type]

    monkeypatch.setattr(performing, "perform", watched)
    files = {f"tasks/t{at}.yml": f"{TRUE}pool: api\n" for at in range(5)}
    folder = project(tmp_path, files, f"pools: {{api: {places}}}\n")
    done = folder.open().run(["kind:task"], threads=4)
    assert (done.status, counting.visits) == ("ok", 5)
    assert (counting.most == 1) if most == 1 else (1 < counting.most <= most)


def test_loads_models_and_tasks_share_a_pool_and_nobody_waits_for_ever(tmp_path: Path) -> None:
    folder = project(tmp_path, {
        "ingest/orders.yml": ORDERS.format("pool: a\n"), "tasks/t.yml": f"{TRUE}pool: a\n",
        "models/other.sql": "{{ config(materialized='table') }} select 1 as x",
        "models/m.yml": "groups: [{name: g, publish_together: [daily, other]}]\n"
        "models:\n- {name: daily, config: {pool: a}}\n- {name: other, config: {pool: b}}\n",
        "tasks/u.yml": f"{TRUE}pool: b\nbefore: t\n",
    }, "pools: {a: 1, b: 1}\n")  # fmt: skip
    assert set(statuses(folder.open().run(threads=8)).values()) == {"ok"}


@pytest.mark.parametrize(
    ("name", "text", "code", "what"),
    [
        ("tasks/t.yml", f"{TRUE}pool: apj\n", "unknown-pool", "there is no pool 'apj' (did you mean 'api'?)"),
        ("ingest/orders.yml", ORDERS.format("pool: x\n"), "unknown-pool", "there is no pool 'x'"),
        ("headgate.yml", "pools: {api: 0}\n", "bad-value", "pool api is a number from 1 to 256, not '0'"),
        ("headgate.yml", "pools: api\n", "bad-value", "pools must be a mapping"),
        (
            "tasks/t.yml",
            f"{TRUE}when: {{if: 'true', timezone: Europe/Pari}}\n",
            "bad-value",
            "is no time zone (did you",
        ),
        ("tasks/t.yml", f"{TRUE}when: {{timezone: UTC}}\n", "missing-key", "does not say if what"),
        ("tasks/t.yml", f"{TRUE}when: var('lod')\n", "unknown-var", "var('lod') is not set (did you mean 'load'?)"),
        ("tasks/t.yml", "python: j.py:f\nwith: {x: \"{{ var('lod') }}\"}\n", "unknown-var", "var('lod')"),
        ("tasks/t.yml", "python: j.py:f\nwith: {query: 1}\n", "reserved-name", "'query' can't name a value"),
        ("tasks/t.yml", "shell: x\nwith: {a b: 1}\n", "reserved-name", "'a b' can't name a value"),
        ("tasks/t.yml", "shell: [x, '${secret:A}']\n", "bad-value", "a secret on a command line"),
        ("tasks/t.yml", "shell: []\n", "bad-value", "names no program"),
        ("tasks/t.yml", "shell: x\nsql: x.sql\n", "duplicate-key", "a task does one thing, not 2"),
        ("tasks/t.yml", "needs: daily\n", "missing-key", "nothing is said"),
        ("tasks/t.yml", "", "missing-key", "the file says nothing"),
        ("tasks/t.yml", "sql: ../x.sql\n", "bad-value", "names no SQL file"),
        ("tasks/t.yml", "sql: x.sql\nretry_on_exit: 3\n", "bad-value", "retry_on_exit is for shell tasks"),
        ("tasks/t.yml", "shell: x\nretry_on_exit: [0]\n", "bad-value", "exit codes from 1 to 255, not '0'"),
        ("tasks/t.yml", "shell: x\ntrigger_rule: all_sucess\n", "bad-value", "(did you mean 'all_success'?)"),
        ("tasks/t.yml", "sql: x.sql\nconnection: sdie\n", "unknown-connection", "'sdie' (did you mean 'side'?)"),
        ("tasks/t.yml", "shell: x\nnedes: daily\n", "unknown-key", "(did you mean 'needs'?)"),
        ("tasks/daily.yml", TRUE, "duplicate-task", "a table or model has that name"),
        ("tasks/x/t.yml", TRUE, "duplicate-task", "a task in tasks/t.yml has that name"),
        ("tasks/a-b.yml", TRUE, "reserved-name", "'a-b' can't be a task's name"),
    ],
)
def test_mistakes_in_files_are_told(tmp_path: Path, name: str, text: str, code: str, what: str) -> None:
    more = 'pools: {api: 1}\nvars: {load: true}\nconnections: {side: "duckdb:side.duckdb"}\n'
    folder: Folder = project(tmp_path, {"tasks/t.yml": TRUE}, "" if name == "headgate.yml" else more)
    folder.write(name, text)
    with pytest.raises(ProjectError) as told:
        folder.open()
    assert [one.code for one in told.value.findings] == [code]
    assert what in told.value.finding.what
    assert told.value.finding.where.startswith(name)
