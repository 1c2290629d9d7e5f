"""How Headgate keeps clear of what tests/engine/test_facts.py observes: real loads, statement by statement."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from headgate.adapters.duckdb.store import DuckDBSession, DuckDBStore
from headgate.adapters.files.csv import CsvSource
from headgate.books.schema import migrate
from headgate.contracts.short import parse_lines
from headgate.core.errors import CommitError, Location
from headgate.core.protocols import Store
from headgate.core.values import TableRef
from headgate.project.model import Disposition, Ingest, LoadSpec, SourceSpec
from headgate.run.flow import Flow
from headgate.run.job import Job
from headgate.run.load import load
from headgate.testing.store_suite import CHANGES, PREPARING, Shop, ids, seen

Execute = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]


@dataclass
class Wrapped:
    """A store whose sessions pass each statement through `around(statement, parameters, execute)`."""

    inner: DuckDBStore
    around: Callable[[str, Sequence[Any], Execute], list[tuple[Any, ...]]]

    def __post_init__(self) -> None:
        self.atomicity = self.inner.atomicity

    @contextmanager
    def session(self) -> Iterator[WrappedSession]:
        with self.inner.session() as session:
            yield WrappedSession(session, self)

    def lock(self, table: TableRef) -> AbstractContextManager[None]:
        return self.inner.lock(table)

    def is_conflict(self, error: BaseException) -> bool:
        return self.inner.is_conflict(error)

    def close(self) -> None:
        self.inner.close()


class WrappedSession(DuckDBSession):
    def __init__(self, inner: DuckDBSession, owner: Wrapped) -> None:
        super().__init__(inner.cursor)
        self.owner = owner

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self.owner.around(sql, params, super().execute)


@dataclass
class Recorder:
    """Statements in order, each with its answer."""

    log: list[tuple[str, list[tuple[Any, ...]]]] = field(default_factory=list)

    def __call__(self, sql: str, params: Sequence[Any], execute: Execute) -> list[tuple[Any, ...]]:
        answer = execute(sql, params)
        self.log.append((" ".join(sql.split()), answer))
        return answer


WRITES = re.compile(r"(INSERT INTO|CREATE (?:TEMP )?TABLE|DROP TABLE(?: IF EXISTS)?) (\S+)")


def dangers(log: Sequence[tuple[str, list[tuple[Any, ...]]]]) -> list[str]:
    """Statements that put rows behind an INSERT or CREATE .. AS that wrote none, into one table in one transaction; and
    INSERTs of a SELECT into a table that stays, if they write nothing or are the table's second in the transaction.

    INSERTs of VALUES are not written in parallel, and those by EXCEPT are seen to be right (test_facts).
    """
    found: list[str] = []
    inside, temporary = False, set()
    rows: dict[str, list[int]] = {}
    for sql, answer in log:
        if sql in ("BEGIN", "COMMIT", "ROLLBACK"):
            inside, rows = sql == "BEGIN", {}
        write = WRITES.match(sql)
        if write is None:
            continue
        verb, table = write.groups()
        if "TEMP" in verb:
            temporary.add(table)
        if verb.startswith("DROP") or (verb.startswith("CREATE") and " AS " not in sql):
            rows.pop(table, None)
        elif inside and "SELECT" in sql and " EXCEPT " not in sql:
            earlier = rows.setdefault(table, [])
            stays = table not in temporary and verb == "INSERT INTO"
            if 0 in earlier or (stays and (earlier or answer[0][0] == 0)):
                found.append(sql)
            earlier.append(answer[0][0])
    return found


@pytest.mark.parametrize(
    "log",
    [
        [("BEGIN", []), ("INSERT INTO t SELECT 1 WHERE false", [(0,)])],
        [("BEGIN", []), ("INSERT INTO t SELECT 1", [(1,)]), ("INSERT INTO t SELECT 2", [(1,)])],
        [("BEGIN", []), ("CREATE TEMP TABLE t AS SELECT 1 WHERE false", [(0,)]), ("INSERT INTO t SELECT 2", [(1,)])],
        [("BEGIN", []), ("CREATE TABLE t AS SELECT 1", [(1,)]), ("INSERT INTO t SELECT 2 WHERE false", [(0,)])],
    ],
)
def test_f1_a_dangerous_order_would_be_found(log: list[tuple[str, list[tuple[Any, ...]]]]) -> None:
    assert dangers(log) == [log[-1][0]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(DuckDBStore(tmp_path / "w.duckdb")) as made:
        with made.session() as session:
            migrate(session)
        yield made


@pytest.mark.parametrize("name", CHANGES)
def test_f1_no_load_or_replay_writes_in_the_dangerous_order(store: Store, name: str) -> None:
    recorder = Recorder()
    CHANGES[name].begin(Wrapped(store, recorder))
    CHANGES[name].end(Wrapped(store, recorder))
    assert sum(sql.startswith('INSERT INTO "suite"."orders') for sql, _ in recorder.log) == 2
    assert any(sql.startswith("INSERT INTO _headgate.quarantine") for sql, _ in recorder.log)
    assert dangers(recorder.log) == []


@pytest.mark.parametrize("disposition", ["append", "replace"])
@pytest.mark.parametrize("first", ["id,name\n", 'id,name\n1,"torn\n'], ids=["empty", "malformed"])
def test_f1_files_without_a_good_record_come_before_big_ones(
    store: Store, tmp_path: Path, first: str, disposition: Disposition
) -> None:
    rows = 300_000
    with store.session() as session:
        session.execute("SET threads = 2")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text(first)
    (tmp_path / "data" / "b.csv").write_text("id,name\n" + "".join(f"{number},n\n" for number in range(rows)))
    table, place = TableRef("raw", "t"), Location("t.yml")
    contract = parse_lines({"id": "int", "name": "text"})
    source = CsvSource({"path": "data/*.csv"}, tmp_path, tmp_path)
    ingest = Ingest(table, SourceSpec("csv", {}, place), LoadSpec(disposition, (), None), contract, where=place)
    recorder = Recorder()
    done = load(Job(Wrapped(store, recorder), Flow(ingest, source, contract), "tests"))
    assert (done.status, done.counts.loaded) == ("ok", rows)
    assert dangers(recorder.log) == []
    with store.session() as session:
        assert session.execute("SELECT count(DISTINCT id) FROM raw.t") == [(rows,)]


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize(
    "broken", ["SELECT no_such_column FROM _headgate.entry", "SELECT error('x') FROM _headgate.table_state", "SELEC"]
)
def test_f2_an_error_that_was_swallowed_before_commit_costs_the_commit_or_nothing(
    store: Store, name: str, broken: str
) -> None:
    """What Headgate acknowledges is there, whatever COMMIT said: the engine drops the rows here, or keeps them."""
    change, commits = CHANGES[name], 0

    def around(sql: str, params: Sequence[Any], execute: Execute) -> list[tuple[Any, ...]]:
        nonlocal commits
        if sql == "COMMIT":
            commits += 1
            if commits == 1 + PREPARING:
                with suppress(Exception):
                    execute(broken, ())
        return execute(sql, params)

    change.begin(store)
    before = seen(store)
    vanished = ""
    try:
        change.end(Wrapped(store, around))
    except CommitError as error:
        vanished = error.finding.code
    assert commits > PREPARING
    assert (seen(store) == before) == (vanished == "commit-vanished")
    if vanished:
        change.end(store)
    after = seen(store)
    assert after != before
    assert ids(after) == ids_of(name)


def ids_of(name: str) -> list[str]:
    """The keys in the table after the change, as a store of its own has them that nothing disturbed."""
    with closing(DuckDBStore(None)) as calm:
        with calm.session() as session:
            migrate(session)
        CHANGES[name].begin(calm)
        CHANGES[name].end(calm)
        return ids(seen(calm))


def test_f4_every_commit_takes_the_line_of_its_table_first(store: Store) -> None:
    recorder = Recorder()
    Shop({"mon": CHANGES["append"].first.files["mon"]}).into(Wrapped(store, recorder))
    begins = [number for number, (sql, _) in enumerate(recorder.log) if sql == "BEGIN"]
    last = [sql for sql, _ in recorder.log[begins[-1] :]]
    assert last[1].startswith("UPDATE _headgate.table_state SET version = version WHERE table_name = ?")
    assert any(sql.startswith('INSERT INTO "suite"."orders"') for sql in last)
