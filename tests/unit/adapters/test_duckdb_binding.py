"""Parameters of DuckDB's statements: texts and integers as literals, everything else without importing pandas."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.adapters.duckdb.binding import inlined
from headgate.adapters.duckdb.store import DuckDBStore

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ["'", "''", "?", "\\", "--", "$1", "a\0b", '"']
)
VALUES = TEXTS | st.integers(-(2**63), 2**63 - 1) | st.none()


@given(st.lists(VALUES, min_size=1, max_size=4))
def test_a_value_arrives_as_it_is(values: list[str | int | None]) -> None:
    store = DuckDBStore(None)
    with store.session() as session:
        marks = ", ".join("?" * len(values))
        assert session.execute(f"SELECT {marks}", values) == [tuple(values)]
        kept = [value for value in values if not isinstance(value, str) or "\0" not in value]
        assert (inlined(f"SELECT {marks}", values) is None) is (kept != values)
    store.close()


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        ("SELECT '?', ?", ["a", "b"]),
        ('SELECT ? AS "what?"', ["a"]),
        ("SELECT ? -- really?", ["a"]),
        ("SELECT $$?$$ || ?", ["a"]),
        ("SELECT $1", ["a"]),
        ("SELECT ?", [1.5]),
        ("SELECT ?", [True]),
        ("SELECT ?", [dt.date(2026, 1, 1)]),
        ("SELECT ?", [["a"]]),
    ],
)
def test_what_is_not_certain_is_left_to_the_client(sql: str, params: list[object]) -> None:
    assert inlined(sql, params) is None


def test_a_negative_number_begins_no_comment() -> None:
    store = DuckDBStore(None)
    with store.session() as session:
        assert session.execute("SELECT 1 -?", [-2]) == [(3,)]
    store.close()


def test_pandas_is_not_imported_and_can_be_later(tmp_path: Path) -> None:
    """Nor is another thread kept from it meanwhile. The module here only says that it was imported."""
    (tmp_path / "pandas.py").write_text("MARK = 'imported'\n", encoding="utf-8")
    program = f"""
import sys, threading
sys.path.insert(0, {str(tmp_path)!r})
from headgate.adapters.duckdb.binding import without_pandas
from headgate.adapters.duckdb.store import DuckDBStore
with DuckDBStore(None).session() as session:
    assert session.execute("SELECT ? + 1", [1.5]) == [(2.5,)]
assert "pandas" not in sys.modules
with without_pandas():
    other = threading.Thread(target=__import__, args=("pandas",))
    other.start()
    other.join()
print(sys.modules["pandas"].MARK)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("imported", 0), done.stderr
