"""A real DuckDB file, and models made from text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from headgate.adapters.duckdb.store import DuckDBSession
from headgate.core import faults
from headgate.core.values import TableRef
from headgate.models.compile import compile_models
from headgate.models.model import Model, ModelCheck, ModelSource


class DuckSession(DuckDBSession):
    """A session on one connection that keeps the statements it was given."""

    def __init__(self, path: Path) -> None:
        self.connection = duckdb.connect(str(path))
        super().__init__(self.connection)
        self.statements: list[str] = []

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self.statements.append(sql)
        return super().execute(sql, params)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[DuckSession]:
    made = DuckSession(tmp_path / "warehouse.duckdb")
    yield made
    made.connection.close()


@pytest.fixture(autouse=True)
def no_faults() -> Iterator[None]:
    yield
    faults.install(None)


@pytest.fixture
def source() -> Callable[..., ModelSource]:
    def make(name: str, text: str, folder: str = "", tests: Sequence[ModelCheck] = ()) -> ModelSource:
        path = Path("models") / folder / f"{name}.sql"
        return ModelSource(name, path, text, folder, tuple(tests))

    return make


@pytest.fixture
def one(source: Callable[..., ModelSource]) -> Callable[..., Model]:
    """One compiled model that reads at most the loaded table raw.orders."""

    def make(text: str, name: str = "daily", folder: str = "gold", tests: Sequence[ModelCheck] = ()) -> Model:
        (model,) = compile_models([source(name, text, folder, tests)], [TableRef("raw", "orders")], "engine 1")
        return model

    return make


@pytest.fixture
def relations(session: DuckSession) -> Callable[[], list[tuple[str, str, str]]]:
    """Every table and view of the database: (schema, name, kind)."""

    def find() -> list[tuple[Any, ...]]:
        return session.execute(
            "SELECT table_schema, table_name, table_type FROM information_schema.tables ORDER BY ALL"
        )

    return find  # type: ignore[return-value]
