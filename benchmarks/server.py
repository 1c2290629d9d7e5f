"""The PostgreSQL of the benchmarks: one database per side, made anew from a template before each run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from benchmarks import data, project

VARIABLE = "HEADGATE_BENCH_POSTGRES"


@contextmanager
def running() -> Iterator[None]:
    """A server for the children of this process: that of the environment, or a private one of the tests."""
    if VARIABLE in os.environ:
        yield
        return
    from tests.services.postgres import Child
    from tests.services.postgres_binaries import find_binaries

    server = Child(find_binaries())
    os.environ[VARIABLE] = server.admin
    try:
        yield
    finally:
        del os.environ[VARIABLE]
        server.close()


def address(database: str) -> str:
    """The URL of a database of the server."""
    return urlunsplit(urlsplit(os.environ[VARIABLE])._replace(path=f"/{database}"))


def anew(database: str, template: str = "template1") -> None:
    """Drops the database and makes it of the template; its pages are written before anything is measured."""
    with _connect("postgres") as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        connection.execute("CHECKPOINT")


def has(database: str) -> bool:
    with _connect("postgres") as connection:
        return bool(connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchall())


def rename(database: str, name: str) -> None:
    with _connect("postgres") as connection:
        connection.execute(f'ALTER DATABASE "{database}" RENAME TO "{name}"')


def run(database: str, *statements: str) -> None:
    with _connect(database) as connection:
        for statement in statements:
            connection.execute(statement)


def project_at(folder: Path, ingests: dict[str, str], files: list[tuple[str, Path]], database: str) -> None:
    """A project whose warehouse is the database."""
    home = project.write(folder, ingests, files)
    (home / "headgate.yml").write_text(f"project: bench\nwarehouse: {address(database)}\n", encoding="utf-8")


def ingest(database: str, query: str, table: str) -> None:
    """adbc_ingest of what DuckDB reads, into a table that is there."""
    import adbc_driver_postgresql.dbapi as driver
    import duckdb

    rows = duckdb.connect().sql(query).to_arrow_reader(100_000)
    with driver.connect(address(database)) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest(table, rows, mode="append")
        connection.commit()


def lines(scale: float) -> Path:
    """2 M rows of the line items."""
    return data.lineitem_parquet(0.4 * scale)


def _connect(database: str) -> Any:
    import psycopg

    return psycopg.connect(address(database), autocommit=True)
