"""What is said to PostgreSQL, and which values it can keep: without a server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from headgate.adapters.duckdb.store import DuckDBStore
from headgate.adapters.postgres.session import numbered
from headgate.adapters.postgres.types import holds, written


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    store = DuckDBStore(None)
    with store.session() as made:
        yield made
    store.close()


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT ?, ?", "SELECT $1, $2"),
        ("SELECT '?', ?", "SELECT '?', $1"),
        ("SELECT 'it''s ?' || ?", "SELECT 'it''s ?' || $1"),
        ('SELECT "a?""?" FROM t WHERE x = ?', 'SELECT "a?""?" FROM t WHERE x = $1'),
        ("SELECT ''?''", "SELECT ''$1''"),
        ("SELECT 1", "SELECT 1"),
    ],
)
def test_marks_become_numbers_but_not_in_texts_and_names(sql: str, said: str) -> None:
    assert numbered(sql) == said


@pytest.mark.parametrize(
    ("value", "kind", "kept"),
    [
        ("'a'", "VARCHAR", True),
        ("''", "VARCHAR", True),
        ("'a' || chr(0) || 'b'", "VARCHAR", False),
        ("DATE '0001-01-01'", "DATE", True),
        ("DATE '0001-12-31 (BC)'", "DATE", False),
        ("DATE '-infinity'", "DATE", True),
        ("TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP", True),
        ("TIMESTAMP '0001-12-31 (BC) 23:59:59'", "TIMESTAMP", False),
        ("TIMESTAMPTZ 'infinity'", "TIMESTAMP WITH TIME ZONE", True),
    ],
)
def test_values_that_it_can_not_keep_are_known_beforehand(engine: Any, value: str, kind: str, kept: bool) -> None:
    found = holds("x", kind)
    assert found is not None
    condition, message = found
    assert "keeps" in message
    assert engine.execute(f"SELECT {condition} FROM (SELECT {value} AS x)") == [(kept,)]


@pytest.mark.parametrize("kind", ["BIGINT", "DECIMAL(12,2)", "UUID", "BLOB", "BOOLEAN", "TIME"])
def test_it_keeps_every_value_of_other_types(kind: str) -> None:
    assert holds("x", kind) is None


def test_bytes_are_written_as_hexadecimal_digits_and_a_nul_as_its_symbol(engine: Any) -> None:
    select = f"SELECT {written('b', 'BLOB', False)}, {written('t', 'VARCHAR', True)}, {written('t', 'VARCHAR', False)}"
    found = engine.execute(f"{select} FROM (SELECT '\\x00\\xFFa'::BLOB AS b, 'x' || chr(0) AS t)")
    assert found == [("\\x00FF61", "x\u2400", "x\0")]
