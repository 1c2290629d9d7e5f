"""The transform kit: every macro on the same rows on every engine, its guards, its arguments, its documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.unit.models.kit_cases import GUARDED, Case, Guarded, cases

from headgate.core.errors import ProjectError
from headgate.core.values import TableRef
from headgate.models import kit
from headgate.models.compile import compile_models
from headgate.models.context import Settings, Target
from headgate.models.model import Model, ModelCheck, ModelSource

CASES = list(cases())


def compiled(text: str, engine: str = "duckdb", tests: tuple[ModelCheck, ...] = ()) -> Model:
    source = ModelSource("m", Path("models/gold/m.sql"), text, "gold", tests)
    (model,) = compile_models([source], [TableRef("raw", "orders")], engine, Settings(target=Target(type=engine)))
    return model


@pytest.fixture(scope="module")
def duck() -> Iterator[Any]:
    with duckdb.connect() as connection:
        yield connection.execute


@pytest.fixture
def postgres_query(postgres_of_worker: str) -> Iterator[Any]:
    import psycopg

    with psycopg.connect(postgres_of_worker, autocommit=True) as connection:
        yield connection.execute


def plain(cell: Any) -> str | None:
    """A value as text; decimals without the zeros at their end, flags as SQL writes them."""
    if cell is None or isinstance(cell, bool):
        return None if cell is None else str(cell).lower()
    return f"{cell.normalize():f}" if isinstance(cell, Decimal) else str(cell)


def texts(rows: Iterable[tuple[Any, ...]]) -> list[list[str | None]]:
    return sorted(([plain(cell) for cell in row] for row in rows), key=str)


def difference(case: Case, engine: str, execute: Callable[[str], Any]) -> tuple[object, ...] | None:
    """What the macro gives and what it should give, where they differ."""
    found, expected = texts(execute(compiled(case.model, engine).sql).fetchall()), texts(case.rows)
    return None if found == expected else (case.text, found, expected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.macro)
def test_macros_on_duckdb(case: Case, duck: Callable[[str], Any]) -> None:
    assert difference(case, "duckdb", duck) is None


def test_macros_on_postgres(postgres_query: Callable[[str], Any]) -> None:
    assert [found for case in CASES if (found := difference(case, "postgres", postgres_query))] == []
