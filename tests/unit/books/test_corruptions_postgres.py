"""The same corruptions in PostgreSQL are found with the same code and at the same place as in DuckDB."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from corruption_kit import FIRST, grown
from test_corruptions import CORRUPTIONS, LOST_BOOKS, Corruption, audited, named
from tests.services.postgres import Postgres, connect
from tests.unit.project_kit import Folder

ONE_DIALECT = ("* REPLACE", "DROP NOT NULL", "raw__customers")
BOTH = [one for one in (*CORRUPTIONS, *LOST_BOOKS) if not any(mark in sql for sql in one.sql for mark in ONE_DIALECT)]


@dataclass(frozen=True)
class ServerFolder(Folder):
    """A project whose warehouse is a database of a server of ours."""

    server: Postgres
    database: str

    @classmethod
    def begin(cls, root: Path, server: Postgres, template: str = "template0") -> ServerFolder:
        folder = cls(root, server, f"headgate_{uuid.uuid4().hex[:16]}")
        with connect(server.admin) as admin:
            admin.execute(f"CREATE DATABASE {folder.database} TEMPLATE {template}")
        root.mkdir(exist_ok=True)
        folder.write("headgate.yml", f"project: p\nwarehouse: {server.url(folder.database)}\n")
        return folder

    def behind(self, *statements: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with connect(self.server.url(self.database)) as connection:
            for statement in statements:
                cursor = connection.execute(statement, list(params) or None)
            return cursor.fetchall() if cursor.description else []

    def drop(self) -> None:
        self.server.start()
        with connect(self.server.admin) as admin:
            admin.execute(f"DROP DATABASE {self.database} WITH (FORCE)")


@pytest.fixture(scope="module")
def whole(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFolder]:
    folder = ServerFolder.begin(tmp_path_factory.mktemp("whole"), postgres_server)
    for name, text in FIRST.items():
        folder.write(name, text)
    grown(folder)
    yield folder
    folder.drop()


@pytest.fixture
def folder(whole: ServerFolder, tmp_path: Path) -> Iterator[ServerFolder]:
    """A copy of it, database and all."""
    whole.copy(tmp_path)
    made = ServerFolder.begin(tmp_path, whole.server, whole.database)
    yield made
    made.drop()


def test_many_corruptions_are_tried_on_both_stores() -> None:
    assert len(BOTH) >= 60


def test_without_a_corruption_nothing_is_found(folder: ServerFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert audited(folder, capsys) == (0, set())


@pytest.mark.parametrize("one", BOTH, ids=named)
def test_audit_finds_the_corruption_and_names_its_place(
    one: Corruption, folder: ServerFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.behind(*one.sql)
    assert audited(folder, capsys) == (1, one.finds)
