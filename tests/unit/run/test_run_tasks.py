"""Tasks: functions, SQL files and programs as steps of a run."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import pytest
from tests.unit.project_kit import Folder
from tests.unit.run.task_kit import ORDERS, project, statuses, step

from headgate.core import clock
from headgate.core.errors import ProjectError
from headgate.run import program
from headgate.run.script import put, statements

JOBS = """from headgate import TransientError

CALLS = []


def notify(needs, vars, query, channel, rows):
    found = query("select n, $word as word from main.daily where n >= $least", word="it's $n", least=1)
    return {"to": channel, "rows": rows, "saw": found, "status": needs["daily"]["status"], "region": vars["region"]}


def broken():
    raise ValueError("secret value")


def flaky():
    with open("calls.txt", "a") as file:
        file.write("x")
    raise TransientError("later")


def odd():
    return {1, 2}


def writes(query):
    return query("create table main.t as select 1 as x")
"""
PYTHON = f"{sys.executable!s}"


def findings(folder: Folder) -> list[tuple[str, str, str]]:
    return [(one.code, one.what, one.where) for one in folder.open().run().findings]


def test_a_function_gets_results_values_and_a_look_at_the_warehouse(tmp_path: Path) -> None:
    said = "python: jobs.py:notify\nneeds: [daily, raw.orders]\nwith:\n  channel: ops\n"
    said += "  rows: \"{{ needs['raw.orders'].rows_loaded }}\"\n"
    folder = project(tmp_path, {"tasks/notify.yml": said, "jobs.py": JOBS}, "vars: {region: eu}\n")
    done = folder.run()
    assert step(done, "notify").result == {
        "to": "ops", "rows": 2, "saw": [{"n": 2, "word": "it's $n"}], "status": "ok", "region": "eu",
    }  # fmt: skip
    assert [(one.id, one.kind) for one in done.steps] == [
        ("raw.orders", "load"), ("daily", "model"), ("notify", "task"),
    ]  # fmt: skip
    [kept] = folder.open().runs(run="last").runs
    told = {one.id: one for one in kept.steps}["notify"]
    assert (told.kind, told.result, told.seconds is not None) == ("task", step(done, "notify").result, True)
    assert step(folder.run(), "notify").result["rows"] == 0  # type: ignore[index]


@pytest.mark.parametrize(
    ("function", "code", "what", "where"),
    [
        ("broken", "task-raised", "broken() of jobs.py raised ValueError", "jobs.py:12"),
        ("odd", "bad-result", "t gives back what JSON can't hold", "tasks/t.yml"),
        ("writes", "task-sql", "query() only looks", "tasks/t.yml"),
        ("brocken", "unknown-function", "did you mean 'broken'", "jobs.py"),
        ("notify", "bad-function", "that nobody gives it", "jobs.py:6"),
    ],
)
def test_what_is_wrong_with_a_function(tmp_path: Path, function: str, code: str, what: str, where: str) -> None:
    folder = project(tmp_path, {"tasks/t.yml": f"python: jobs.py:{function}\n", "jobs.py": JOBS})
    done = folder.open().run(["t"])
    [found] = done.findings
    assert (done.status, found.code, found.where) == ("failed", code, where)
    assert what in found.what
    assert "secret value" not in str(done.to_json())


def test_a_function_that_may_work_later_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(clock, "pause", waited.append)
    monkeypatch.chdir(tmp_path)
    folder = project(tmp_path, {"tasks/t.yml": "python: jobs.py:flaky\nretries: {attempts: 3}\n", "jobs.py": JOBS})
    done = folder.open().run(["t"])
    assert (step(done, "t").attempts, done.findings[0].code, waited) == (3, "transient-error", [1.0, 2.0])
    assert (tmp_path / "calls.txt").read_text() == "xxx"


def test_sql_runs_in_one_transaction_with_bound_values(tmp_path: Path) -> None:
    sql = """-- $nothing here
        create table main.kept as select * from (values (1, 'a'), (2, 'it''s $name')) as v(id, name);
        delete from main.kept where name = $name and id = $id;  /* ; $id */
        select count(*) from main.kept where name <> $name"""
    hostile = "it's $name"
    folder = project(tmp_path, {
        "tasks/t.yml": f'sql: sql/t.sql\nneeds: daily\nwith: {{name: "{hostile}", id: 2}}\n', "sql/t.sql": sql,
    })  # fmt: skip
    assert step(folder.run(), "t").result == {"statements": 3, "value": 1}
    folder.write("sql/t.sql", "insert into main.kept values (7, 'x'); insert into main.gone values ($id, $name)")
    [(code, what, where)] = findings(folder)
    assert (code, where) == ("task-sql", "sql/t.sql:1")
    assert "gone" in what
    assert folder.rows("select count(*) from main.kept where id = 7") == [(0,)]
    folder.write("tasks/t.yml", "sql: sql/t.sql\ntransaction: false\nwith: {name: x, id: 2}\n")
    findings(folder)
    assert folder.rows("select count(*) from main.kept where id = 7") == [(1,)]


def test_a_value_that_sql_can_not_take_is_not_told(tmp_path: Path) -> None:
    folder = project(tmp_path, {"tasks/t.yml": "sql: t.sql\nwith: {x: hush}\n", "t.sql": "select $x::int"})
    [(code, what, _)] = findings(folder)
    assert code == "task-sql"
    assert "nothing of its transaction is kept" in what
    assert "hush" not in what


def test_sql_on_another_database(tmp_path: Path) -> None:
    more = 'connections: {side: "duckdb:side.duckdb", same: "duckdb:w.duckdb"}\n'
    folder = project(tmp_path, {
        "tasks/t.yml": "sql: t.sql\nconnection: side\n", "t.sql": "create or replace table here as select 5 as x",
        "tasks/u.yml": "sql: u.sql\nconnection: same\nneeds: daily\n", "u.sql": "select n from main.daily",
    }, more)  # fmt: skip
    done = folder.run()
    assert (done.status, step(done, "u").result) == ("ok", {"statements": 1, "value": 2})
    assert (tmp_path / "side.duckdb").exists()
    with pytest.raises(ProjectError, match="here"):
        folder.rows("select * from here")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 1;;\n select $a, $b, $a -- ;\n;", [("select 1", (), 1), ("select $1, $2, $1 -- ;", ("a", "b"), 2)]),
        (
            "select ';$a', \"$b\", $$ $c; $$, $x$;$d$x$, 1$e",
            [("select ';$a', \"$b\", $$ $c; $$, $x$;$d$x$, 1$1", ("e",), 1)],
        ),
        ("/* a;\n b */\n\nselect 1", [("select 1", (), 4)]),
        ("", []),
        (" -- nothing\n;", []),
    ],
)
def test_how_a_file_is_cut_into_statements(text: str, expected: list[tuple[str, tuple[str, ...], int]]) -> None:
    assert [(one.sql, one.names, one.line) for one in statements(text)] == expected


def test_literals_stand_for_values() -> None:
    values = {"t": "it's", "n": -1, "b": True, "x": None, "f": 1.5, "l": [1, "a'"]}
    assert put("select $t, $n, $b, $x, $f, $l, '$t', $u", values) == (
        "select 'it''s', (-1), TRUE, NULL, (1.5), '[1, \"a''\"]', '$t', $u"
    )


def test_a_program_gets_values_as_environment_and_never_as_text(tmp_path: Path) -> None:
    hostile = "$(touch pwned); `touch pwned` ' \" & echo"
    said = 'shell: \'printf "%s|%s|%s\\n" "$VALUE" "$N" "$LIST"\'\n'
    said += f"with:\n  VALUE: {json.dumps(hostile)}\n  N: 3\n  LIST: [1, a]\n"
    folder = project(tmp_path, {"tasks/t.yml": said})
    done = folder.open().run(["t"])
    assert step(done, "t").result == {"exit_code": 0, "output": f'{hostile}|3|[1, "a"]\n'}
    assert not (tmp_path / "pwned").exists()


def test_a_list_of_words_goes_through_no_shell(tmp_path: Path) -> None:
    script = "import json, os, sys; d = json.load(open(os.environ['HEADGATE_CONTEXT'])); "
    script += "n = d['needs']['raw.orders']['rows_loaded']; "
    script += "print(json.dumps({'argv': sys.argv[1:], 'rows': n, 'vars': d['vars']}))"
    words = json.dumps([PYTHON, "-c", script, "$HOME; ls", "{{ needs['raw.orders'].rows_loaded + 1 }}"])
    folder = project(tmp_path, {"tasks/t.yml": f"shell: {words}\nneeds: raw.orders\n"}, "vars: {a: 1}\n")
    found = step(folder.run(), "t").result
    assert isinstance(found, dict)
    assert found["value"] == {"argv": ["$HOME; ls", "3"], "rows": 2, "vars": {"a": 1}}


def test_secrets_are_masked_wherever_they_come_back(tmp_path: Path) -> None:
    said = 'shell: \'echo "token $TOKEN"; echo "{{\\"t\\": \\"$TOKEN\\"}}"; exit {0}\'\n'
    said += "with: {{TOKEN: '${{secret:TOKEN}}'}}\n"
    files = {"secrets.yml": 'TOKEN: open"sesame\n', "jobs.py": "def give(key):\n    return {key: [key]}\n"}
    files["tasks/p.yml"] = "python: jobs.py:give\nwith: {key: 'Bearer ${secret:TOKEN}'}\n"
    folder = project(tmp_path, {**files, "tasks/t.yml": said.format(0), "tasks/u.yml": said.format(9)})
    done = folder.open().run(["t", "u", "p"])
    assert step(done, "p").result == {"Bearer ***": ["Bearer ***"]}
    assert statuses(done) == {"t": "ok", "u": "failed", "p": "ok"}
    assert "token ***" in str(step(done, "t").result)
    [failed] = done.findings
    assert (failed.code, failed.evidence["exit_code"]) == ("task-failed", 9)
    for told in (done.to_json(), folder.open().runs(run="last").to_json()):
        assert "sesame" not in json.dumps(told)
    assert "sesame" not in (tmp_path / ".headgate" / "state.db").read_bytes().decode("latin-1")


def test_what_a_program_says_is_kept_to_its_end_and_bounded(tmp_path: Path) -> None:
    script = "import os; print('x' * 300000 + os.environ['TOKEN'] * 20000); print('the end')"
    words = json.dumps([PYTHON, "-c", script])
    folder = project(tmp_path, {"tasks/t.yml": f"shell: {words}\nwith: {{TOKEN: '${{secret:TOKEN}}'}}\n",
                                "secrets.yml": "TOKEN: abcdefghij\n"})  # fmt: skip
    found = step(folder.open().run(["t"]), "t").result
    assert isinstance(found, dict)
    assert found["output"].endswith("***\nthe end\n")
    assert len(found["output"]) <= program.KEPT
    assert not any(part in found["output"] for part in ("abc", "hij"))


def test_exit_codes_that_may_pass_are_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(clock, "pause", waited.append)
    said = "shell: 'test -f once || {{ touch once; exit {0}; }}'\nretry_on_exit: [75, 69]\nretries: 2\n"
    folder = project(tmp_path, {"tasks/t.yml": said.format(75)})
    done = folder.open().run(["t"])
    assert (step(done, "t").status, step(done, "t").attempts, waited) == ("ok", 2, [1.0])
    (tmp_path / "once").unlink()
    folder.write("tasks/t.yml", said.format(74))
    done = folder.open().run(["t"])
    assert (step(done, "t").attempts, done.findings[0].code) == (1, "task-failed")


def test_time_that_is_up_ends_a_program_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    awaited = clock.awaited

    def until_begun(event: threading.Event, secs: float) -> bool:
        """The second of the timeout is over when the program has begun, however long that takes."""
        while secs == 1.0 and not (tmp_path / "begun").exists() and not event.is_set():
            awaited(event, 0.01)
        return event.is_set() if secs == 1.0 else awaited(event, secs)

    monkeypatch.setattr(clock, "awaited", until_begun)
    monkeypatch.setattr(program, "GRACE_SECS", 0.2)
    stubborn = "trap '' TERM; sleep 600 & echo $! > child; mv child begun; while :; do wait; done"
    folder = project(tmp_path, {"tasks/t.yml": f"shell: {json.dumps(stubborn)}\ntimeout: 1s\nretries: 3\n"})
    done = folder.open().run(["t"])
    assert (done.findings[0].code, step(done, "t").attempts) == ("step-timeout", 1)
    assert _gone(int((tmp_path / "begun").read_text()))


def test_what_a_program_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    folder = project(tmp_path, {"tasks/t.yml": "shell: 'sleep 600 & echo $! > child; echo done'\n"})
    done = folder.open().run(["t"])
    assert step(done, "t").result == {"exit_code": 0, "output": "done\n"}
    assert _gone(int((tmp_path / "child").read_text()))


def test_a_signal_ends_the_program_before_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(tmp_path, {"tasks/t.yml": "shell: 'sleep 600 & echo $! > child; mv child begun; wait'\n"})
    waitid = os.waitid

    def interrupted(*given: int) -> object:
        """As the handler of the signal does, once the program has begun."""
        if threading.current_thread() is threading.main_thread():
            patience = threading.Event()
            while not (tmp_path / "begun").exists():
                patience.wait(0.01)
            raise KeyboardInterrupt
        return waitid(*given)

    monkeypatch.setattr(os, "waitid", interrupted)
    with pytest.raises(KeyboardInterrupt):
        folder.open().run(["t"])
    assert _gone(int((tmp_path / "begun").read_text()))
    [told] = folder.open().runs().runs
    assert (told.status, told.failure) == ("interrupted", "interrupted")


def test_a_run_that_ends_takes_the_programs_of_its_threads_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(tmp_path, {
        "tasks/long.yml": "shell: 'sleep 600 & echo $! > child; mv child begun; wait'\n",
        "tasks/stop.yml": "python: jobs.py:stop\n",
        "jobs.py": "import os, threading\n\n\ndef stop():\n    wait = threading.Event()\n"
        "    while not os.path.exists(os.path.join(os.path.dirname(__file__), 'begun')):\n        wait.wait(0.01)\n"
        "    raise KeyboardInterrupt\n",
    })  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        folder.open().run(["kind:task"], threads=2)
    assert _gone(int((tmp_path / "begun").read_text()))


def _gone(pid: int) -> bool:
    """Whether the process has ended, or ends: one that was killed may wait to be collected by its new parent."""
    patience = threading.Event()
    for _ in range(600):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z"):
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        patience.wait(0.05)
    return False


def test_a_task_comes_before_a_load_and_after_what_it_needs(tmp_path: Path) -> None:
    folder = project(tmp_path, {
        "data/1.csv": "id\n", "tasks/fetch.yml": "shell: 'printf \"id\\n7\\n\" > data/2.csv'\nbefore: raw.orders\n",
        "tasks/after.yml": "shell: 'echo after'\nneeds: ['*']\n",
        "tasks/night/tidy.yml": "shell: 'true'\ntags: nightly\nneeds: fetch\n",
    })  # fmt: skip
    done = folder.run()
    order = [one.id for one in done.steps]
    assert order == ["fetch", "raw.orders", "daily", "tidy", "after"]
    assert folder.rows("select n from main.daily") == [(1,)]
    assert [one.id for one in folder.open().plan().steps] == order
    for words, expected in (
        (["kind:task"], ["fetch", "tidy", "after"]), (["fetch+1"], ["fetch", "raw.orders", "tidy", "after"]),
        (["tag:nightly"], ["tidy"]),
        (["night"], ["tidy"]), (["path:tasks/night"], ["tidy"]), (["+raw.orders"], ["fetch", "raw.orders"]),
        (["state:stale"], ["fetch", "tidy", "after"]), (["AFTER"], ["after"]),
    ):  # fmt: skip
        assert [one.id for one in folder.open().plan(words).steps] == expected, words
    assert [(one.kind, one.status, one.reason) for one in folder.open().plan(["tidy"]).steps] == [
        ("task", "run", "a task runs each time"),
    ]  # fmt: skip


def test_what_a_task_waits_for_is_not_what_waits_for_it(tmp_path: Path) -> None:
    """A pattern leaves out what comes behind the task itself, and other tasks with patterns."""
    folder = project(tmp_path, {
        "ingest/late.yml": ORDERS.format("").replace("raw.orders", "raw.late"),
        "tasks/a.yml": "shell: 'true'\nneeds: '*'\nbefore: raw.late\n", "tasks/b.yml": "shell: 'true'\nneeds: '*'\n",
        "tasks/c.yml": "shell: 'true'\nbefore: 'kind:load'\n",
    })  # fmt: skip
    assert [one.id for one in folder.open().plan().steps] == ["c", "raw.orders", "daily", "a", "raw.late", "b"]


@pytest.mark.parametrize(
    ("said", "code", "what"),
    [
        ("needs: raw.order\n", "unknown-step", "'raw.order' (did you mean 'raw.orders'?)"),
        ("needs: tag:daly\n", "nothing-matches", "no step matches 'tag:daly'"),
        ("needs: state:new\n", "bad-selector", "chooses by what is known when a run begins"),
        ("needs: daily\nbefore: raw.orders\n", "step-cycle", "raw.orders -> t -> daily -> raw.orders"),
        ("when: needs.dayly.status == 'ok'\nneeds: daily\n", "bad-condition", "t does not need 'dayly'"),
        ('with: {x: "{{ needs.daily.status }}"}\n', "bad-condition", "t does not need 'daily'"),
    ],
)
def test_words_that_make_no_sense_are_told_with_their_place(tmp_path: Path, said: str, code: str, what: str) -> None:
    folder = project(tmp_path, {"tasks/t.yml": f"shell: 'true'\n{said}"})
    with pytest.raises(ProjectError) as told:
        folder.open().plan()
    assert told.value.finding.code == code
    assert what in told.value.finding.what
    assert code == "step-cycle" or told.value.finding.where.startswith("tasks/t.yml:")


def test_check_looks_at_tasks_without_running_them(tmp_path: Path) -> None:
    folder = project(tmp_path, {
        "jobs.py": JOBS, "tasks/a.yml": "python: jobs.py:nobody\n", "tasks/b.yml": "sql: b.sql\nwith: {day: 1}\n",
        "b.sql": "select $dya",
        "tasks/c.yml": "shell: [no-such-program-anywhere]\n", "tasks/d.yml": "sql: none.sql\n",
        "tasks/e.yml": "shell: 'touch ran'\n", "tasks/f.yml": "sql: f.sql\n", "f.sql": "-- nothing",
    })  # fmt: skip
    found = folder.open().check(["kind:task"])
    assert sorted((one.code, one.where) for one in found.findings) == [
        ("program-missing", "tasks/c.yml"), ("task-sql", "b.sql:1"), ("task-sql", "f.sql"),
        ("unknown-function", "jobs.py"), ("unreadable-file", "none.sql"),
    ]  # fmt: skip
    assert any("'day'" in one.what for one in found.findings)
    assert not (tmp_path / "ran").exists()


def test_a_result_that_is_too_long_is_seen_by_the_run_alone(tmp_path: Path) -> None:
    folder = project(tmp_path, {
        "jobs.py": "def much():\n    return 'x' * 70000\n", "tasks/a.yml": "python: jobs.py:much\n",
        "tasks/b.yml": "shell: 'true'\nneeds: a\nwhen: len(needs.a.result) == 70000\n",
    })  # fmt: skip
    done = folder.open().run(["a", "b"])
    assert (statuses(done), [one.code for one in step(done, "a").warnings]) == (
        {"a": "ok", "b": "ok"},
        ["result-too-long"],
    )
    [kept] = folder.open().runs(run="last").runs
    assert [one.result is None for one in kept.steps] == [True, False]


def test_a_conflict_in_sql_may_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from headgate.adapters.duckdb.store import DuckDBStore

    folder = project(tmp_path, {"tasks/t.yml": "sql: t.sql\nretries: 2\n", "t.sql": "select 1 from nowhere"})
    monkeypatch.setattr(clock, "pause", lambda secs: None)
    monkeypatch.setattr(DuckDBStore, "is_conflict", lambda self, error: "nowhere" in str(error))
    done = folder.open().run(["t"])
    assert (step(done, "t").attempts, done.findings[0].code) == (2, "commit-contested")


def test_other_stores_are_closed_and_their_errors_told(tmp_path: Path) -> None:
    files = {"tasks/t.yml": "sql: t.sql\nconnection: side\n", "t.sql": "select 1", "side": "no database"}
    folder = project(tmp_path, files,
                     'connections: {side: "duckdb:side"}\n')  # fmt: skip
    done = folder.open().run(["t"])
    assert (done.status, done.findings[0].code) == ("failed", "warehouse-unreadable")
