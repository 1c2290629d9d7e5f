"""Two runs of one project at once, as processes over two copies of its files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from tests.forks.client import COMMAND, Popen
from tests.services.postgres import Postgres

from headgate.adapters.postgres.store import PostgresStore
from headgate.api.project import Project
from headgate.books import ledger, tables
from headgate.books.schema import migrate
from headgate.core.errors import CommitError
from headgate.core.protocols import StoreSession
from headgate.core.values import TableRef
from headgate.testing.kills_project import TABLES, state, write_day, write_project
from headgate.testing.kills_sites import PostgresSite
from headgate.testing.races import race

pytestmark = pytest.mark.usefixtures("forked_runs")

PATIENCE_SECS = 120
STOP = """
import sys
from headgate.cli.main import main
from headgate.core import faults

def hook(point):
    if point == "after_begin":
        faults.install(None)
        print("stopped", file=sys.__stdout__, flush=True)
        sys.stdin.readline()

faults.install(hook)
sys.exit(main(["run", "--json"]))
"""


@pytest.fixture
def site(postgres_server: Postgres) -> Iterator[PostgresSite]:
    with closing(PostgresSite(postgres_server.admin)) as made:
        yield made


@pytest.fixture
def calm(site: PostgresSite, tmp_path: Path) -> Path:
    """A project for one run alone."""
    return project(site, tmp_path / "calm")


def project(site: PostgresSite, folder: Path) -> Path:
    folder.mkdir()
    write_project(folder, site.settle(folder))
    return folder


def entries(site: PostgresSite, folder: Path) -> list[ledger.Entry]:
    with closing(site.store(folder)) as store, store.session() as session:
        return ledger.entries(session)


def test_two_runs_that_keep_no_turns_end_as_one(site: PostgresSite, calm: Path, tmp_path: Path) -> None:
    one = project(site, tmp_path / "one")
    two = Path(shutil.copytree(one, tmp_path / "two"))
    lost = 0
    known: set[str] = set()
    for day in (1, 2, 3):
        for folder in (calm, one, two):
            write_day(folder, 5, day)
        assert Project.open(calm).run().status == "ok"
        told = race([one, two])
        assert {status for each in told for _, status, _, _ in each.steps} <= {"ok", "skipped"}
        new = [entry for entry in entries(site, one) if entry.attempt not in known]
        reported = Counter[str]()
        for each in told:
            lost += each.lost
            for name, _, read, loaded in each.steps:
                reported[name] += read + loaded
        for table in TABLES:
            assert reported[table] == sum(e.rows_read + e.rows_loaded for e in new if e.table_name == table)
        assert len(new) <= sum(each.committed for each in told)
        known |= {entry.attempt for entry in new}
        assert Project.open(one).audit().findings == ()
    with closing(site.store(calm)) as first, closing(site.store(one)) as other:
        assert state(other) == state(first)
    assert lost >= 3  # both begin each load at the same moment: at most one of them can win


@dataclass
class Interrupted:
    """A session after whose first statement with `mark` in it another runner does something."""

    inner: StoreSession
    mark: str
    do: Callable[[], object]
    done: bool = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        found = self.inner.execute(sql, params)
        if self.mark in sql and not self.done:
            self.done = True
            self.do()
        return found


TABLE = TableRef("raw", "t")
COLUMNS = [("id", "BIGINT")]


@pytest.fixture
def two_sessions(postgres: str, tmp_path: Path) -> Iterator[tuple[StoreSession, StoreSession]]:
    with (
        closing(PostgresStore(postgres, "the warehouse", tmp_path)) as store,
        store.session() as one,
        store.session() as other,
    ):
        migrate(one)
        yield one, other


def test_a_table_that_another_run_makes_meanwhile_is_not_unknown(
    two_sessions: tuple[StoreSession, StoreSession],
) -> None:
    one, other = two_sessions
    between = Interrupted(one, "FROM _headgate.table_state", lambda: tables.prepare(other, TABLE, COLUMNS, False))
    tables.prepare(cast(StoreSession, between), TABLE, COLUMNS, False)
    assert between.done
    assert ledger.table_versions(one) == {"raw.t": 0}


def test_a_table_that_another_run_fills_meanwhile_is_not_made_anew(
    two_sessions: tuple[StoreSession, StoreSession],
) -> None:
    one, other = two_sessions
    tables.prepare(one, TABLE, COLUMNS, False)

    def fill() -> None:
        other.execute("INSERT INTO raw.t VALUES (1, 1)")
        other.execute("UPDATE _headgate.table_state SET version = 1")

    between = Interrupted(one, 'FROM "raw"."t" LIMIT 1', fill)
    with pytest.raises(CommitError) as caught:
        tables.prepare(cast(StoreSession, between), TABLE, [("id", "VARCHAR")], False)
    assert between.done
    assert caught.value.finding.code == "contract-misfit"
    assert one.execute("SELECT count(*) FROM raw.t") == [(1,)]


def test_with_turns_the_second_run_waits_and_finds_nothing_new(site: PostgresSite, calm: Path, tmp_path: Path) -> None:
    two = Path(shutil.copytree(calm, tmp_path / "two"))
    for folder in (calm, two):
        for file in (folder / "ingest").iterdir():
            if file.name != "orders.yml":  # behind it the two would race
                file.unlink()
        shutil.rmtree(folder / "models")
        write_day(folder, 5, 1)
    first = Popen([sys.executable, "-c", STOP], cwd=calm, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    assert first.stdout.readline() == "stopped\n"
    second = Popen(
        [*COMMAND, "run", "--json"],
        cwd=two,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert second.stderr is not None
    assert second.stderr.readline().startswith("waiting: headgate run (server process ")
    out, _ = first.communicate("go\n", timeout=PATIENCE_SECS)
    assert json.loads(out)["steps"][0]["status"] == "ok"
    out, err = second.communicate(timeout=PATIENCE_SECS)
    assert second.returncode == 0
    assert all(line.startswith("waiting: headgate run (server process ") for line in err.splitlines())
    assert {(step["status"], step["reason"]) for step in json.loads(out)["steps"]} == {("skipped", "nothing new")}
    assert len([entry for entry in entries(site, calm) if entry.table_name == "raw.orders"]) == 1
