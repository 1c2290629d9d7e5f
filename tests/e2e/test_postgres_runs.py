"""Steps at once, time that is up and retries, with a PostgreSQL database as the warehouse."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from tests.unit.project_kit import Folder

from headgate.core import clock

TABLE = "{{ config(materialized='table') }}\n"
LOAD = "table: raw.t{0}\nfrom: data/{0}.csv\ncolumns:\n  id: int, key\n"

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
def folder(tmp_path: Path, postgres: str) -> Folder:
    made = Folder.make(tmp_path, {f"ingest/t{at}.yml": LOAD.format(at) for at in range(3)})
    made.write("headgate.yml", f"project: lab\nwarehouse: {postgres}\nthreads: 3\n")
    for at in range(3):
        made.write(f"data/{at}.csv", "id\n1\n2\n")
        read = " + ".join(f"(select count(*) from {{{{ ref('raw.t{other}') }}}})" for other in range(at + 1))
        made.write(f"models/gold/m{at}.sql", TABLE + f"select {read} as n")
    return made


def test_steps_at_once_end_as_one_after_the_other(folder: Folder, postgres: str) -> None:
    done = folder.run()
    assert [(step.id, step.status, step.rows_loaded) for step in done.steps] == [
        ("raw.t0", "ok", 2), ("raw.t1", "ok", 2), ("raw.t2", "ok", 2),
        ("m0", "ok", 0), ("m1", "ok", 0), ("m2", "ok", 0),
    ]  # fmt: skip
    with psycopg.connect(postgres) as connection:
        assert connection.execute("SELECT m0.n, m1.n, m2.n FROM gold.m0, gold.m1, gold.m2").fetchall() == [(2, 4, 6)]
    assert folder.codes() == []
    assert {step.status for step in folder.run().steps} == {"skipped"}


@pytest.mark.parametrize("threads", [1, 3])
def test_a_statement_of_the_server_is_ended_in_time(folder: Folder, postgres: str, threads: int) -> None:
    folder.run()
    folder.write("models/gold/m1.sql", TABLE + "select 1 as n from pg_sleep(600)")
    folder.write("models/gold/models.yml", "models: [{name: m1, config: {timeout: 200ms}}]\n")
    done = folder.open().run(threads=threads)
    assert [one.code for one in done.findings] == ["step-timeout"]
    with psycopg.connect(postgres) as connection:
        assert connection.execute("SELECT n FROM gold.m1").fetchall() == [(4,)]
    assert folder.codes() == []


def test_a_server_that_goes_away_is_tried_again(folder: Folder, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("headgate.yml", f"project: lab\nwarehouse: {postgres}\nretries: 2\n")
    folder.write("models/gold/m0.sql", TABLE + "select count(*) as n from {{ ref('raw.t0') }}, "
                 "(select pg_terminate_backend(pg_backend_pid()) where not exists "
                 "(select from pg_namespace where nspname = 'calm')) as x")  # fmt: skip
    waited: list[float] = []

    def pause(secs: float) -> None:
        waited.append(secs)
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute("CREATE SCHEMA IF NOT EXISTS calm")

    folder.run("kind:load")
    monkeypatch.setattr(clock, "pause", pause)
    [step] = folder.run("m0").steps
    assert (step.status, step.attempts, waited) == ("ok", 2, [1.0])
    assert folder.codes() == []
