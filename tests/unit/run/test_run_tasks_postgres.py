"""Tasks in SQL and looks of functions on a real PostgreSQL: as the warehouse, and as another database."""

from __future__ import annotations

from pathlib import Path

import psycopg
from tests.unit.run.task_kit import project, statuses, step

SQL = """create table if not exists kept (day date, note text, n int);
insert into kept values ($day, $note, $n);
select count(*) from kept where day = $day and note = $note"""
GIVEN = 'with: {day: 2026-06-01, note: "it\'s $day", n: 3}\n'
LOOK = """def look(query):
    return query("select day::text as day, n from kept where note = $note and n > $n", note="it's $day", n=2)
"""


def test_tasks_on_postgres(tmp_path: Path, postgres: str) -> None:
    folder = project(tmp_path, {
        "tasks/a.yml": f"sql: a.sql\n{GIVEN}", "a.sql": SQL,
        "tasks/b.yml": "python: jobs.py:look\nneeds: a\n", "jobs.py": LOOK,
        "tasks/c.yml": "sql: c.sql\nneeds: a\ntransaction: false\n", "c.sql": "vacuum kept; select 7",
        "tasks/d.yml": "sql: d.sql\nneeds: a\n", "d.sql": "delete from kept;\nselect * from nowhere",
    })  # fmt: skip
    folder.write("headgate.yml", "project: p\nwarehouse: ${secret:ADDRESS}\nreport: {after_run: no}\n")
    folder.write("secrets.yml", f"ADDRESS: {postgres}\n")
    done = folder.open().run(["kind:task"])
    assert statuses(done) == {"a": "ok", "b": "ok", "c": "ok", "d": "failed"}
    assert [step(done, name).result for name in "abc"] == [
        {"statements": 3, "value": 1}, [{"day": "2026-06-01", "n": 3}], {"statements": 2, "value": 7},
    ]  # fmt: skip
    [found] = done.findings
    assert (found.code, found.where) == ("task-sql", "d.sql:2")
    assert folder.rows("select count(*) from kept") == [(1,)]


def test_another_database_is_postgres(tmp_path: Path, postgres: str) -> None:
    more = "connections: {side: '${secret:ADDRESS}'}\n"
    folder = project(tmp_path, {"tasks/a.yml": f"sql: a.sql\nconnection: side\n{GIVEN}", "a.sql": SQL,
                                "secrets.yml": f"ADDRESS: {postgres}\n"}, more)  # fmt: skip
    assert step(folder.open().run(["a"]), "a").result == {"statements": 3, "value": 1}
    with psycopg.connect(postgres) as there:
        assert there.execute("select note, n from kept").fetchall() == [("it's $day", 3)]
