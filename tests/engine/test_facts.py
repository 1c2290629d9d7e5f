"""What Headgate relies on, and what it guards against, in DuckDB: each observation as a test of the engine alone.

`test_fN_...` belongs to observation FN. `make test-matrix` shows them all, for the newest engine of each major version,
in docs/compat.md. A strict xfail is an answer that is wrong with every engine in the pinned range: Headgate never asks.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from headgate.adapters.duckdb.store import DuckDBSession, DuckDBStore
from headgate.sql import quote

ROWS = 500_000
"""Enough for the engine to read on two threads and to write whole row groups."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DuckDBStore]:
    with closing(DuckDBStore(tmp_path / "w.duckdb")) as made:
        with made.session() as session:
            session.execute("SET threads = 2")
        yield made


@pytest.fixture
def pair(store: DuckDBStore) -> Iterator[tuple[DuckDBSession, DuckDBSession]]:
    with store.session() as one, store.session() as other:
        yield one, other


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The column `i` = 0 .. ROWS-1 as a relation over each kind of file."""
    folder = tmp_path_factory.mktemp("numbers")
    with closing(duckdb.connect()) as connection:
        for kind in ("parquet", "csv"):
            connection.execute(f"COPY (FROM range({ROWS}) AS t(i)) TO {quote.literal(str(folder / f'n.{kind}'))}")
    files = {kind: quote.literal(str(folder / f"n.{kind}")) for kind in ("parquet", "csv")}
    return {
        "parquet": f"read_parquet({files['parquet']})",
        "csv": f"read_csv({files['csv']}, header = true, columns = {{'i': 'BIGINT'}})",
    }


def visible(session: DuckDBSession, table: str = "t") -> int:
    """Rows that a scan of the column finds; `count(*)` alone is answered without one."""
    [(found,)] = session.execute(f"SELECT count(*) FILTER (WHERE i >= 0) FROM {table}")
    return int(found)


def refusal(session: DuckDBSession, sql: str) -> duckdb.Error:
    with pytest.raises(duckdb.Error) as caught:
        session.execute(sql)
    return caught.value


# F1: an insert of no rows, then a big one, into one table in one transaction

ALWAYS_WRONG = pytest.mark.xfail(
    strict=True, reason="rows vanish behind an insert of none; Headgate never writes so", raises=AssertionError
)


@pytest.mark.parametrize(
    ("kind", "order"),
    [
        pytest.param("parquet", "", id="parquet"),
        pytest.param("parquet", "ORDER BY i", id="parquet-ordered", marks=ALWAYS_WRONG),
        pytest.param("csv", "", id="csv", marks=ALWAYS_WRONG),
        pytest.param("csv", "ORDER BY i", id="csv-ordered", marks=ALWAYS_WRONG),
    ],
)
def test_f1_a_big_insert_behind_one_of_no_rows_is_visible(
    store: DuckDBStore, numbers: dict[str, str], kind: str, order: str
) -> None:
    with store.session() as session:
        session.execute("CREATE TABLE t (i BIGINT)")
        session.execute("BEGIN")
        session.execute(f"INSERT INTO t SELECT i FROM {numbers[kind]} WHERE i < 0 {order}")
        reported = session.execute(f"INSERT INTO t SELECT i FROM {numbers[kind]} {order}")
        session.execute("COMMIT")
        assert reported == [(ROWS,)]
        assert visible(session) == ROWS


@pytest.mark.parametrize("kind", ["parquet", pytest.param("csv", marks=ALWAYS_WRONG)])
def test_f1_a_big_insert_behind_a_table_made_of_no_rows_is_visible(
    store: DuckDBStore, numbers: dict[str, str], kind: str
) -> None:
    with store.session() as session:
        session.execute("BEGIN")
        session.execute(f"CREATE TABLE t AS SELECT i FROM {numbers[kind]} WHERE i < 0")
        session.execute(f"INSERT INTO t SELECT i FROM {numbers[kind]}")
        session.execute("COMMIT")
        assert visible(session) == ROWS


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_f1_a_stage_that_began_empty_shows_later_rows_where_each_statement_is_its_own_transaction(
    store: DuckDBStore, numbers: dict[str, str], kind: str
) -> None:
    with store.session() as session:
        session.execute(f"CREATE TEMP TABLE stage AS SELECT i FROM {numbers[kind]} WHERE i < 0")
        session.execute(f"INSERT INTO stage SELECT i FROM {numbers[kind]}")
        assert visible(session, "stage") == ROWS


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_f1_one_insert_behind_a_delete_of_every_row_is_visible(
    store: DuckDBStore, numbers: dict[str, str], kind: str
) -> None:
    with store.session() as session:
        session.execute(f"CREATE TABLE t AS SELECT i FROM {numbers[kind]}")
        session.execute("BEGIN")
        session.execute("DELETE FROM t")
        session.execute(f"INSERT INTO t SELECT i FROM {numbers[kind]}")
        session.execute("COMMIT")
        assert visible(session) == ROWS


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_f1_inserts_by_except_are_visible_behind_one_of_no_rows(
    store: DuckDBStore, numbers: dict[str, str], kind: str
) -> None:
    # How the gate collects the rows that its set rules strike out, round by round.
    with store.session() as session:
        session.execute("BEGIN")
        session.execute("CREATE TEMP TABLE struck (i BIGINT)")
        for which in ("i < 0", "i >= 0"):
            hits = f"SELECT i FROM {numbers[kind]} WHERE {which}"
            session.execute(f"INSERT INTO struck SELECT * FROM ({hits}) AS h EXCEPT SELECT * FROM struck")
        assert visible(session, "struck") == ROWS
        session.execute("ROLLBACK")


# F2: a COMMIT behind an error that somebody swallowed

NOTHING_KEPT = pytest.mark.xfail(
    strict=True,
    reason="COMMIT ends the aborted transaction without an error; commits are read back",
    raises=AssertionError,
)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param("SELECT no_such_column FROM t", id="unknown-column"),
        pytest.param("SELECT * FROM nowhere", id="unknown-table"),
        pytest.param("SELEC", id="syntax"),
        pytest.param("SELECT CAST('x' AS BIGINT) FROM t", id="conversion", marks=NOTHING_KEPT),
        pytest.param("INSERT INTO t VALUES (1)", id="constraint", marks=NOTHING_KEPT),
        pytest.param("SELECT error('x') FROM t", id="raised-by-sql", marks=NOTHING_KEPT),
    ],
)
def test_f2_commit_behind_a_swallowed_error_keeps_the_rows_or_fails(store: DuckDBStore, broken: str) -> None:
    with store.session() as session:
        session.execute("CREATE TABLE t (i BIGINT PRIMARY KEY)")
        session.execute("BEGIN")
        session.execute("INSERT INTO t VALUES (1)")
        refusal(session, broken)
        try:
            session.execute("COMMIT")
        except duckdb.Error:
            session.abandon()
            assert session.execute("SELECT i FROM t") == []
        else:
            assert session.execute("SELECT i FROM t") == [(1,)]


@pytest.mark.parametrize("broken", ["SELECT no_such_column FROM t", "SELECT CAST('x' AS BIGINT) FROM t"])
def test_f2_rollback_behind_an_error_takes_all_back_and_the_session_goes_on(store: DuckDBStore, broken: str) -> None:
    with store.session() as session:
        session.execute("CREATE TABLE t (i BIGINT)")
        session.execute("INSERT INTO t VALUES (0)")
        session.execute("BEGIN")
        session.execute("INSERT INTO t VALUES (1)")
        refusal(session, broken)
        session.execute("ROLLBACK")
        session.execute("INSERT INTO t VALUES (2)")
        assert session.execute("SELECT i FROM t ORDER BY i") == [(0,), (2,)]


# F3: compare-and-set


def seats(session: DuckDBSession) -> None:
    session.execute("CREATE TABLE seat (name VARCHAR PRIMARY KEY, seq BIGINT)")
    session.execute("INSERT INTO seat VALUES ('a', 1), ('b', 1)")


def claim(name: str) -> str:
    return f"UPDATE seat SET seq = seq + 1 WHERE name = {quote.literal(name)} AND seq = 1 RETURNING seq"


def test_f3_a_second_update_of_one_row_is_refused_at_once(
    store: DuckDBStore, pair: tuple[DuckDBSession, DuckDBSession]
) -> None:
    one, other = pair
    seats(one)
    for session in pair:
        session.execute("BEGIN")
    assert one.execute(claim("a")) == [(2,)]
    assert store.is_conflict(refusal(other, claim("a")))
    other.execute("ROLLBACK")
    one.execute("COMMIT")
    assert other.execute(claim("a")) == []
    assert other.execute("SELECT seq FROM seat WHERE name = 'a'") == [(2,)]


def test_f3_updates_of_different_rows_are_no_conflict(pair: tuple[DuckDBSession, DuckDBSession]) -> None:
    seats(pair[0])
    for session in pair:
        session.execute("BEGIN")
    for session, name in zip(pair, "ab", strict=True):
        assert session.execute(claim(name)) == [(2,)]
    for session in pair:
        session.execute("COMMIT")
    assert pair[0].execute("SELECT seq FROM seat") == [(2,), (2,)]


def test_f3_inserts_of_one_new_key_are_refused_before_two_of_them_are_kept(
    store: DuckDBStore, pair: tuple[DuckDBSession, DuckDBSession]
) -> None:
    one, other = pair
    seats(one)
    for session in pair:
        session.execute("BEGIN")
        session.execute("INSERT INTO seat VALUES ('c', 1) ON CONFLICT DO NOTHING")  # tells both that it was first
    one.execute("COMMIT")
    assert store.is_conflict(refusal(other, "COMMIT"))
    assert one.execute("SELECT seq FROM seat WHERE name = 'c'") == [(1,)]


# F4: writers that look before they write


def put_if_absent(session: DuckDBSession) -> None:
    session.execute("INSERT INTO t SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM t WHERE i = 1)")


def test_f4_two_writers_that_looked_first_both_succeed(pair: tuple[DuckDBSession, DuckDBSession]) -> None:
    pair[0].execute("CREATE TABLE t (i BIGINT)")
    for session in pair:
        session.execute("BEGIN")
        put_if_absent(session)
    for session in pair:
        session.execute("COMMIT")
    assert pair[0].execute("SELECT i FROM t") == [(1,), (1,)], "write skew: this is why a table has a line that locks"


def test_f4_the_line_of_the_table_lets_one_writer_in_at_a_time(
    store: DuckDBStore, pair: tuple[DuckDBSession, DuckDBSession]
) -> None:
    one, other = pair
    lock = "UPDATE state SET version = version WHERE name = 't' RETURNING version"
    one.execute("CREATE TABLE t (i BIGINT)")
    one.execute("CREATE TABLE state (name VARCHAR PRIMARY KEY, version BIGINT)")
    one.execute("INSERT INTO state VALUES ('t', 1)")
    for session in pair:
        session.execute("BEGIN")
    assert one.execute(lock) == [(1,)]
    put_if_absent(one)
    assert store.is_conflict(refusal(other, lock))
    other.execute("ROLLBACK")
    one.execute("COMMIT")
    other.execute("BEGIN")
    assert other.execute(lock) == [(1,)]
    put_if_absent(other)
    other.execute("COMMIT")
    assert one.execute("SELECT i FROM t") == [(1,)]


# F5: tables that are made, changed and exchanged

SWAP = ("CREATE TABLE t__new AS SELECT 7 AS i", "DROP TABLE t", "ALTER TABLE t__new RENAME TO t")
CHANGES = {"swap": SWAP, "alter": ("ALTER TABLE t ADD COLUMN j BIGINT",)}


@pytest.mark.parametrize("change", CHANGES)
def test_f5_a_writer_of_a_table_that_was_changed_meanwhile_fails(
    store: DuckDBStore, pair: tuple[DuckDBSession, DuckDBSession], change: str
) -> None:
    builder, writer = pair
    builder.execute("CREATE TABLE t AS SELECT 1 AS i")
    for session in pair:
        session.execute("BEGIN")
    writer.execute("INSERT INTO t VALUES (2)")
    for sql in CHANGES[change]:
        builder.execute(sql)
    builder.execute("COMMIT")
    assert store.is_conflict(refusal(writer, "COMMIT"))
    assert builder.execute("SELECT i FROM t") == [(7 if change == "swap" else 1,)]


def test_f5_readers_see_the_old_table_until_the_swap_is_committed(pair: tuple[DuckDBSession, DuckDBSession]) -> None:
    builder, reader = pair
    builder.execute("CREATE TABLE t AS SELECT 1 AS i")
    builder.execute("BEGIN")
    for sql in SWAP:
        builder.execute(sql)
        assert reader.execute("SELECT i FROM t") == [(1,)]
    builder.execute("COMMIT")
    assert reader.execute("SELECT i FROM t") == [(7,)]


def test_f5_different_tables_are_exchanged_at_once(pair: tuple[DuckDBSession, DuckDBSession]) -> None:
    for name in ("a", "b"):
        pair[0].execute(f"CREATE TABLE {name} AS SELECT 1 AS i")
    for session in pair:
        session.execute("BEGIN")
    for session, name in zip(pair, "ab", strict=True):
        for sql in (
            f"CREATE TABLE {name}_new AS SELECT 7 AS i",
            f"DROP TABLE {name}",
            f"ALTER TABLE {name}_new RENAME TO {name}",
        ):
            session.execute(sql)
    for session in pair:
        session.execute("COMMIT")
    assert pair[0].execute("SELECT i FROM a UNION ALL SELECT i FROM b") == [(7,), (7,)]


def test_f5_two_that_make_one_schema_are_a_conflict(
    store: DuckDBStore, pair: tuple[DuckDBSession, DuckDBSession]
) -> None:
    one, other = pair
    for session in pair:
        session.execute("BEGIN")
    one.execute("CREATE SCHEMA IF NOT EXISTS s")
    assert store.is_conflict(refusal(other, "CREATE SCHEMA IF NOT EXISTS s"))
    one.execute("COMMIT")


def test_f5_temporary_tables_belong_to_their_session(pair: tuple[DuckDBSession, DuckDBSession]) -> None:
    one, other = pair
    one.execute("CREATE TEMP TABLE mine AS SELECT 1 AS i")
    assert isinstance(refusal(other, "SELECT i FROM mine"), duckdb.CatalogException)
    assert one.execute("SELECT i FROM mine") == [(1,)]


SWAPPER = """
import sys
import duckdb
path, stop = sys.argv[1], int(sys.argv[2])
connection = duckdb.connect(path)
steps = ["BEGIN", "CREATE TABLE t__new AS SELECT 7 AS i FROM range(300000)", "DROP TABLE t",
         "ALTER TABLE t__new RENAME TO t", "COMMIT"]
for sql in steps[:stop]:
    connection.execute(sql)
print("here", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("steps", [2, 3, 4, 5], ids=["staged", "dropped", "renamed", "committed"])
def test_f5_a_process_that_is_killed_in_a_swap_leaves_one_whole_table(tmp_path: Path, steps: int) -> None:
    path = tmp_path / "w.duckdb"
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS i FROM range(300000)")
    command: list[Any] = [sys.executable, "-c", SWAPPER, path, str(steps)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGKILL)
    with closing(DuckDBStore(path)) as store, store.session() as session:
        assert session.execute("SELECT DISTINCT i, count(i) FROM t GROUP BY i") == [(7 if steps == 5 else 1, 300_000)]
        assert session.execute("SELECT table_name FROM duckdb_tables()") == [("t",)]
