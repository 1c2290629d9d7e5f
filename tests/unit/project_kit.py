"""A project folder for tests that go through files and the Python API, and its warehouse behind Headgate's back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from headgate.api.project import Project
from headgate.api.results import RunResult, Step

WAREHOUSE = "w.duckdb"


@dataclass(frozen=True)
class Folder:
    """A project in `root`. Every verb opens it anew, as a command does."""

    root: Path

    @classmethod
    def make(cls, root: Path, files: Mapping[str, str]) -> Folder:
        folder = cls(root)
        folder.write("headgate.yml", f"project: p\nwarehouse: duckdb:{WAREHOUSE}\n")
        for name, text in files.items():
            folder.write(name, text)
        return folder

    def copy(self, to: Path) -> Folder:
        shutil.copytree(self.root, to, dirs_exist_ok=True)
        return Folder(to)

    def write(self, name: str, text: str) -> Path:
        """The file, with a later time of change than it had (a clock may stand still between two writes)."""
        path = self.root / name
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if path.stat().st_mtime_ns <= before:
            os.utime(path, ns=(before + 1_000_000, before + 1_000_000))
        return path

    def open(self) -> Project:
        return Project.open(self.root)

    def run(self, *select: str, full_refresh: bool = False) -> RunResult:
        return self.open().run(select, full_refresh)

    def step(self, name: str, *select: str, full_refresh: bool = False) -> Step:
        """Runs, and gives what became of one step."""
        return next(step for step in self.run(*select, full_refresh=full_refresh).steps if step.id == name)

    def codes(self) -> list[str]:
        """What an audit finds."""
        return [finding.code for finding in self.open().audit().findings]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.open().query(sql).rows]

    def refused(self, table: str, status: str = "open") -> list[tuple[str, int, list[tuple[str, str | None]]]]:
        """Partition, record number and reasons (rule, column) of the table's quarantine records."""
        return [
            (one.source, one.position["record"], [(reason.rule, reason.column) for reason in one.reasons])
            for one in self.open().quarantine(table, status).records
        ]

    def behind(self, *statements: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Runs SQL on the warehouse as somebody would who knows nothing of Headgate; rows of the last statement."""
        with duckdb.connect(str(self.root / WAREHOUSE)) as connection:
            for statement in statements[:-1]:
                connection.execute(statement)
            return connection.execute(statements[-1], list(params)).fetchall()
