"""Projects that the benchmarks write, and the plain DuckDB that they are compared with."""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks import harness


def write(folder: Path, ingests: dict[str, str], files: Iterable[tuple[str, Path]] = ()) -> Path:
    """A fresh project in `folder/project`: one ingest file per name; `files` are linked in under their new names."""
    project = folder / "project"
    shutil.rmtree(project, ignore_errors=True)
    (project / "ingest").mkdir(parents=True)
    (project / "headgate.yml").write_text("project: bench\nwarehouse: duckdb:warehouse.duckdb\n", encoding="utf-8")
    for name, text in ingests.items():
        (project / "ingest" / f"{name}.yml").write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
    for name, path in files:
        link(path, project / name)
    return project


def link(path: Path, name: Path) -> None:
    """The file under another name, without a copy."""
    name.parent.mkdir(parents=True, exist_ok=True)
    os.link(path, name)


def forget(folder: Path) -> None:
    """The project as if it had never run."""
    harness.remove(folder / "project", "warehouse.duckdb")
    shutil.rmtree(folder / "project" / ".headgate", ignore_errors=True)


def forget_reference(folder: Path) -> None:
    harness.remove(folder, "reference.duckdb")


def open_reference(folder: Path) -> Any:
    """DuckDB on `folder/reference.duckdb`; whoever opens it closes it, so that its checkpoint counts."""
    import duckdb

    return duckdb.connect(str(folder / "reference.duckdb"))


def create_table_as(folder: Path, query: str) -> None:
    """The reference of a load: a table made of the query, closed."""
    connection = open_reference(folder)
    connection.execute(f"create table loaded as {query}")
    connection.close()
