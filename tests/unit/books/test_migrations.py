"""Books of an older schema are brought up with all their data; those of a newer one are left alone by every verb."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from corruption_kit import built
from tests.unit.project_kit import WAREHOUSE, Folder

from headgate.adapters.duckdb.store import DuckDBStore
from headgate.books.schema import MIGRATIONS, VERSION, migrate, version_of
from headgate.cli.main import main
from headgate.core.errors import CommitError, ProjectError

FILES = {
    "ingest/orders.yml": """
        table: raw.orders
        from: data/orders/*.csv
        columns:
          id: int, key
          amount: int, min(0)
        """,
    "data/orders/1.csv": "id,amount\n1,10\n2,-20\n3,30\n",
}
VERBS = [
    ["audit"], ["plan"], ["check"], ["run"], ["ledger"], ["ledger", "adjust", "raw.orders", "--reason", "x"],
    ["quarantine", "list"], ["quarantine", "show", "1"], ["quarantine", "replay", "--all"], ["query", "SELECT 1"],
]  # fmt: skip
LOOKING = [verb for verb in VERBS if verb[0] not in ("run", "query") and verb[-1] not in ("x", "--all")]


def set_back(folder: Folder, version: int) -> None:
    """Gives the warehouse books of an older schema: made by the first migrations only, with the data that fits."""
    old = folder.root / "old.duckdb"
    with duckdb.connect(str(old)) as connection:
        connection.execute("CREATE SCHEMA _headgate")
        connection.execute("CREATE TABLE _headgate.meta (key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL)")
        connection.execute("INSERT INTO _headgate.meta VALUES ('schema_version', ?)", [str(version)])
        for statement in (text for step in MIGRATIONS[:version] for text in step):
            connection.execute(statement)
        made = _tables(connection)
        connection.execute(f"ATTACH '{folder.root / WAREHOUSE}' AS new")
        for table in made - {"meta"}:
            known = [f'"{row[0]}"' for row in connection.execute(f"DESCRIBE _headgate.{table}").fetchall()]
            names = ", ".join(known)
            connection.execute(f"INSERT INTO _headgate.{table} ({names}) SELECT {names} FROM new._headgate.{table}")
        connection.execute("CREATE SCHEMA raw")
        connection.execute("CREATE TABLE raw.orders AS SELECT * FROM new.raw.orders")
        connection.execute("SELECT nextval('_headgate.quarantine_id')")
    old.rename(folder.root / WAREHOUSE)


def _tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    return {
        row[0]
        for row in connection.execute(
            """SELECT table_name FROM duckdb_tables()
               WHERE schema_name = '_headgate' AND database_name = current_database()"""
        ).fetchall()
    }


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder.make(tmp_path, FILES)
    assert made.run().status == "ok"
    return made


def test_every_version_is_the_next_ones_beginning() -> None:
    assert len(MIGRATIONS) == VERSION > 1
    for version in range(VERSION + 1):
        store = DuckDBStore(None)
        try:
            with store.session() as session:
                session.execute("CREATE SCHEMA _headgate")
                session.execute("CREATE TABLE _headgate.meta (key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL)")
                session.execute("INSERT INTO _headgate.meta VALUES ('schema_version', ?)", [str(version)])
                for statement in (text for step in MIGRATIONS[:version] for text in step):
                    session.execute(statement)
                assert migrate(session) == version
                assert version_of(session) == VERSION
                assert migrate(session) == VERSION
        finally:
            store.close()


def test_a_run_migrates_old_books_and_goes_on(folder: Folder) -> None:
    set_back(folder, 1)
    assert folder.behind("SELECT value FROM _headgate.meta") == [("1",)]
    folder.write("data/orders/2.csv", "id,amount\n3,1\n4,40\n5,-1\n")
    step = folder.step("raw.orders")
    assert (step.status, step.rows_read, step.rows_loaded, step.rows_quarantined) == ("ok", 3, 1, 2)
    assert folder.behind("SELECT value FROM _headgate.meta") == [(str(VERSION),)]
    assert folder.codes() == []
    assert [entry.seq for entry in folder.open().ledger().entries] == [1, 1]
    assert folder.rows("SELECT id FROM raw.orders ORDER BY 1") == [(1,), (3,), (4,)]


@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
def test_a_verb_that_looks_migrates_old_books_first(
    words: Sequence[str], folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    set_back(folder, 1)
    assert main([*words, "--project", str(folder.root)]) == 0, capsys.readouterr().err
    assert folder.behind("SELECT value FROM _headgate.meta") == [(str(VERSION),)]
    assert folder.codes() == []
    assert folder.behind("SELECT count(*) FROM raw.orders") == [(2,)]


@pytest.mark.parametrize("version", [1, VERSION])
def test_a_query_cannot_write_whatever_version_the_books_had(folder: Folder, version: int) -> None:
    set_back(folder, version)
    target = folder.root / "stolen.csv"
    for sql in (
        "DELETE FROM raw.orders RETURNING id",
        f"COPY raw.orders TO '{target}'",
        f"SELECT * FROM read_csv('{folder.root}/data/orders/1.csv')",
        "SELECT nextval('_headgate.quarantine_id')",
    ):
        with pytest.raises(ProjectError) as caught:
            folder.open().query(sql)
        assert caught.value.finding.code == "query-failed"
    assert not target.exists()
    assert folder.rows("SELECT count(*) FROM raw.orders") == [(2,)]
    assert folder.behind("SELECT value FROM _headgate.meta") == [(str(version),)]


def test_a_query_before_the_first_run_reaches_no_file_either(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, FILES)
    assert folder.rows("SELECT 1") == [(1,)]
    with pytest.raises(ProjectError) as caught:
        folder.open().query(f"SELECT * FROM read_csv('{tmp_path}/data/orders/1.csv')")
    assert caught.value.finding.code == "query-failed"
    assert not (tmp_path / WAREHOUSE).exists()


def test_a_warehouse_that_somebody_else_made_is_shown_as_it_is(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, FILES)
    folder.behind("CREATE SCHEMA raw", "CREATE TABLE raw.mine AS SELECT 42 AS x")
    assert folder.rows("SELECT x FROM raw.mine") == [(42,)]
    assert folder.codes() == []
    assert folder.behind("SELECT count(*) FROM duckdb_tables() WHERE schema_name = '_headgate'") == [(0,)]


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_newer_books_are_refused_and_nothing_is_changed(
    words: Sequence[str], folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = VERSION + 1
    folder.behind(f"UPDATE _headgate.meta SET value = '{newer}'", "DROP TABLE _headgate.refusal")
    folder.write("data/orders/2.csv", "id,amount\n4,40\n")
    before = (folder.root / WAREHOUSE).read_bytes()
    assert main([*words, "--project", str(folder.root)]) == 1
    told = capsys.readouterr().err
    assert "error[books-newer]" in told
    assert f"schema version {newer}" in told
    assert "pip install --upgrade headgate" in told
    assert (folder.root / WAREHOUSE).read_bytes() == before


class _Failing:
    """A session on which the statement that holds `text` fails."""

    def __init__(self, session: Any, text: str) -> None:
        self.session, self.text = session, text

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if self.text in sql:
            raise OSError("the disk is full")
        done: list[tuple[Any, ...]] = self.session.execute(sql, params)
        return done


@pytest.mark.parametrize("text", ["CREATE TABLE _headgate.refusal", "UPDATE _headgate.meta"])
def test_a_migration_that_fails_leaves_the_old_version_whole(folder: Folder, text: str) -> None:
    set_back(folder, 1)
    store = DuckDBStore(folder.root / WAREHOUSE)
    try:
        with store.session() as session:
            with pytest.raises(OSError, match="disk is full"):
                migrate(_Failing(session, text))
            assert version_of(session) == 1
            assert migrate(session) == 1
    finally:
        store.close()
    assert folder.codes() == []


@pytest.mark.parametrize("value", ["", "two", "-1"])
def test_a_version_that_is_none_is_an_error(folder: Folder, value: str) -> None:
    folder.behind(f"UPDATE _headgate.meta SET value = '{value}'")
    with pytest.raises(CommitError) as caught:
        folder.open().audit()
    assert caught.value.finding.code == "books-broken"


def test_a_long_history_of_every_kind_survives(tmp_path: Path) -> None:
    """Version 2 has all that version 1 lacks: nothing of it is touched by looking."""
    folder = built(tmp_path)
    before = folder.behind("SELECT * FROM _headgate.entry ORDER BY ALL")
    folder.run()
    assert [row for row in folder.behind("SELECT * FROM _headgate.entry ORDER BY ALL") if row in before] == before
    assert folder.codes() == []
