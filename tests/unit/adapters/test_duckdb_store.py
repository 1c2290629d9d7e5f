"""The DuckDB store where the conformance suite does not look: files that cannot be opened, and what is a conflict."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import duckdb
import pyarrow
import pytest

from headgate.adapters.duckdb.store import DuckDBSession, DuckDBStore
from headgate.core.errors import AdapterError


@pytest.fixture
def store() -> Iterator[DuckDBStore]:
    made = DuckDBStore(None)
    yield made
    made.close()


def error_of(session: Any, sql: str) -> duckdb.Error:
    with pytest.raises(duckdb.Error) as caught:
        session.execute(sql)
    return caught.value


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    path.write_text("id,name\n" * 1000)
    for place in (path, tmp_path, tmp_path / "no" / "folder.duckdb"):
        with pytest.raises(AdapterError) as caught:
            DuckDBStore(place)
        assert caught.value.finding.code == "warehouse-unreadable"
        assert caught.value.finding.where == str(place)
    assert path.read_text() == "id,name\n" * 1000


def test_new_files_have_a_format_that_the_oldest_engine_opens(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    made = DuckDBStore(path)
    with made.session() as session:
        session.execute("CREATE TABLE t AS SELECT 1 AS x")
    made.close()
    # 12 bytes of checksum and magic, then the format's number; 1.5 reads up to 68.
    assert 64 <= int.from_bytes(path.read_bytes()[12:20], "little") <= 68


def test_who_holds_the_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    code = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        for read_only in (False, True):
            with pytest.raises(AdapterError) as caught:
                DuckDBStore(path, read_only)
            assert caught.value.finding.code == "warehouse-busy"
            assert caught.value.finding.evidence == {"pid": other.pid}
            assert str(other.pid) in caught.value.finding.what
        other.communicate()
    DuckDBStore(path).close()


def test_two_changes_of_one_row_are_a_conflict(store: DuckDBStore) -> None:
    with store.session() as one, store.session() as other:
        one.execute("CREATE TABLE t (x BIGINT PRIMARY KEY, y BIGINT)")
        one.execute("INSERT INTO t VALUES (1, 1)")
        for session in (one, other):
            session.execute("BEGIN")
        one.execute("UPDATE t SET y = 2")
        assert store.is_conflict(error_of(other, "UPDATE t SET y = 3"))
        one.execute("COMMIT")


def test_two_inserts_of_one_key_are_a_conflict(store: DuckDBStore) -> None:
    with store.session() as one, store.session() as other:
        one.execute("CREATE TABLE t (x BIGINT PRIMARY KEY)")
        for session in (one, other):
            session.execute("BEGIN")
            session.execute("INSERT INTO t VALUES (1)")
        one.execute("COMMIT")
        assert store.is_conflict(error_of(other, "COMMIT"))


def test_two_tables_of_one_name_are_a_conflict(store: DuckDBStore) -> None:
    with store.session() as one, store.session() as other:
        for session in (one, other):
            session.execute("BEGIN")
        one.execute("CREATE TABLE t (x BIGINT)")
        assert store.is_conflict(error_of(other, "CREATE TABLE t (y BIGINT)"))
        one.execute("COMMIT")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT CAST('write-write conflict' AS INTEGER)",
        "SELECT strptime('conflict', '%Y')",
        "SELECT CAST(9223372036854775807 AS BIGINT) + 1",
        "SELECT * FROM nowhere",
        "SELECT",
        "SELECT error('out of luck')",
    ],
)
def test_an_error_of_a_statement_is_no_conflict_whatever_it_quotes(store: DuckDBStore, sql: str) -> None:
    with store.session() as session:
        assert not store.is_conflict(error_of(session, sql))


def test_one_in_memory_that_is_read_only_reaches_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n")
    made = DuckDBStore(None, read_only=True)
    try:
        with made.session() as session:
            session.execute("CREATE TABLE t AS SELECT 1 AS x")
            error = error_of(session, f"SELECT * FROM read_csv('{tmp_path / 'a.csv'}')")
            assert isinstance(error, duckdb.PermissionException)
    finally:
        made.close()


def test_rows_from_memory_are_read_as_often_as_wanted(store: DuckDBStore) -> None:
    with store.session() as session:
        session.register("hg_rows_0", pyarrow.table({"n": [1, 2, 3]}))
        for _ in range(2):
            assert session.execute("SELECT sum(n) FROM hg_rows_0") == [(6,)]
        session.unregister("hg_rows_0")
        session.unregister("hg_rows_0")
        with pytest.raises(duckdb.CatalogException, match="does not exist"):
            session.execute("SELECT n FROM hg_rows_0")


def test_limits_are_those_of_the_engine() -> None:
    store = DuckDBStore(None, limits={"memory_limit": "512MiB", "threads": "1"})
    with store.session() as session:
        found = session.execute("SELECT current_setting('memory_limit'), current_setting('threads')")
    store.close()
    assert found == [("512.0 MiB", 1)]


class Full:
    """A cursor of an engine whose disk is full."""

    def execute(self, sql: str) -> None:
        raise duckdb.TransactionException(f"Failed to commit: Could not write file: No space left on device ({sql})")


def test_a_full_disk_is_told_and_is_no_conflict() -> None:
    with pytest.raises(AdapterError) as caught:
        DuckDBSession(cast(Any, Full())).execute("COMMIT")
    assert caught.value.finding.code == "no-space"
    assert "COMMIT" not in caught.value.finding.what
    store = DuckDBStore(None)
    assert not store.is_conflict(caught.value)
    store.close()


def test_too_little_memory_is_told(tmp_path: Path) -> None:
    store = DuckDBStore(tmp_path / "w.duckdb", temp=tmp_path, limits={"memory_limit": "20MB", "threads": "1"})
    with store.session() as session:
        session.execute("SET max_temp_directory_size = '1MB'")
        with pytest.raises(AdapterError) as caught:
            session.execute("CREATE TABLE t AS SELECT md5(i::VARCHAR) a FROM range(3000000) AS x(i) ORDER BY a")
    store.close()
    assert caught.value.finding.code == "out-of-memory"


def test_alone_is_one_thread_and_afterwards_as_many_as_before(store: DuckDBStore) -> None:
    def threads() -> int:
        return int(session.execute("SELECT current_setting('threads')")[0][0])

    with store.session() as session:
        session.execute("SET threads = 3")
        with pytest.raises(ZeroDivisionError), session.alone():
            assert threads() == 1
            raise ZeroDivisionError
        assert threads() == 3
