"""Rows between the engine and PostgreSQL: COPY as CSV, through a pipe to it and through a file from it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from headgate.adapters.postgres.types import ENGINE, written
from headgate.core.errors import InternalError
from headgate.sql import quote

if TYPE_CHECKING:
    import psycopg

    from headgate.adapters.duckdb.store import DuckDBSession

    Connection = psycopg.Connection[tuple[object, ...]]

Columns = Sequence[tuple[str, str]]
BLOCK = 1 << 20
LONGEST = 1 << 30
"""Bytes of the longest record that is taken: more than PostgreSQL can hold in one text."""
_TO = "(FORMAT csv)"
_CSV = "(FORMAT csv, HEADER false, DELIMITER ',', QUOTE '\"', ESCAPE '\"')"


def described(engine: DuckDBSession, select: str) -> list[tuple[str, str]]:
    """Names and engine types of the SELECT's columns."""
    return [(row[0], row[1]) for row in engine.execute(f"DESCRIBE {select}")]


def send(engine: DuckDBSession, select: str, columns: Columns, into: str, connection: Connection, lossy: bool) -> None:
    """Copies the rows of the engine's SELECT into `into` (a table with a list of columns).

    The engine writes into a pipe in a thread of its own while PostgreSQL reads. An error on either side ends both, and
    the engine's own is raised.
    """
    listed = ", ".join(f"{written(quote.ident(name), kind, lossy)} AS {quote.ident(name)}" for name, kind in columns)
    rows = f"SELECT {listed} FROM ({select}) AS sent"
    with (
        _writer(engine, rows) as (source, failure),
        connection.cursor() as cursor,
        cursor.copy(f"COPY {into} FROM STDIN {_CSV}".encode()) as copy,
    ):
        while block := source(BLOCK):
            copy.write(block)
        if failure:
            raise failure[0]


@contextmanager
def _writer(engine: DuckDBSession, rows: str) -> Iterator[tuple[Callable[[int], bytes], list[BaseException]]]:
    """Reads what the engine writes; `failure` holds its error, if any, once the end was read."""
    read, write = os.pipe()
    failure: list[BaseException] = []

    def run() -> None:
        try:
            engine.execute(f"COPY ({rows}) TO '/dev/fd/{write}' {_CSV}")
        except BaseException as error:
            failure.append(error)
        finally:
            os.close(write)

    thread = threading.Thread(target=run, name="headgate copy")
    thread.start()

    def source(size: int) -> bytes:
        block = os.read(read, size)
        if not block:
            thread.join()
        return block

    try:
        yield source, failure
    finally:
        os.close(read)
        thread.join()


def fetch(connection: Connection, select: str, engine: DuckDBSession, name: str, folder: Path) -> None:
    """Makes the engine's temporary table `name` of the rows of PostgreSQL's SELECT.

    *Errors*: InternalError `transfer-lost` unless the engine counts as many rows as PostgreSQL sent.
    """
    columns = _columns(connection, select)
    typed = ", ".join(f"{quote.ident(column)} {kind}" for column, kind in columns)
    engine.execute(f"CREATE TEMP TABLE {name} ({typed})")
    path = folder / f"{name}.csv"
    try:
        sent = _save(connection, select, path)
        if sent:
            engine.execute(f"INSERT INTO {name} {_read(path, columns)}")
    finally:
        path.unlink(missing_ok=True)
    found = engine.execute(f"SELECT count(*) FROM {name}")[0][0]
    if found != sent:
        what = f"the store sent {sent} rows, the engine read {found}; nothing was committed"
        raise InternalError.of("transfer-lost", what, name, "report it: a defect of Headgate")


def _columns(connection: Connection, select: str) -> list[tuple[str, str]]:
    """Names and engine types; types that only PostgreSQL has become text."""
    with connection.cursor() as cursor:
        shape = cursor.execute(f"SELECT * FROM ({select}) AS shape LIMIT 0".encode()).description or []
        codes = [one.type_code for one in shape]
        named = cursor.execute("SELECT oid, format_type(oid, NULL) FROM pg_type WHERE oid = ANY(%s)", [codes])
        kinds = {row[0]: str(row[1]) for row in named}
    return [(one.name, ENGINE.get(kinds[one.type_code], "VARCHAR")) for one in shape]


def _save(connection: Connection, select: str, path: Path) -> int:
    with path.open("wb") as file, connection.cursor() as cursor:
        with cursor.copy(f"COPY ({select}) TO STDOUT {_TO}".encode()) as copy:
            for block in copy:
                file.write(block)
        return cursor.rowcount


def _read(path: Path, columns: Columns) -> str:
    """The engine's SELECT of the file. On one thread: the parallel reader loses its place in texts with line breaks."""
    typed = ", ".join(f"{quote.literal(name)}: {quote.literal(kind)}" for name, kind in columns)
    return f"""SELECT * FROM read_csv({quote.literal(str(path))}, header = false, auto_detect = false,
        columns = {{{typed}}}, delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false,
        parallel = false, strict_mode = true, max_line_size = {LONGEST}, new_line = '\\n')"""
