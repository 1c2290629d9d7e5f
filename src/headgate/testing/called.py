"""Functions that judge records, as the text of a user's file and as what the oracle asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headgate.testing.oracle.model import Call, Severity

FILE = "rules/checks.py"
SOURCE = """
from __future__ import annotations
import pyarrow as pa


def thirds(row):
    if row["id"] is not None and row["id"] % 3 == 0:
        return f"{row['id']} is a third"


def fails(row):
    if row["n"] == 3:
        raise ValueError("it is three")
    return 6 // (row["n"] - 1) > 0


def table(rows: pa.Table):
    if 2 in rows["n"].to_pylist():
        raise RuntimeError("a two is in here")
    return [None if one != 4 else "a four" for one in rows["id"].to_pylist()]


def nothing_else(row):
    row.clear()
    return True
"""
NAMES = ("thirds", "fails", "table", "nothing_else")


def call(name: str, severity: Severity) -> Call:
    """The function of that name as a rule of the same name."""
    return Call(name, _answers(name), f"{FILE}:{name}", severity)


def _answers(name: str) -> Callable[[dict[str, Any]], Any]:
    if name == "table":
        return _table
    found: dict[str, Any] = {}
    exec(SOURCE.replace("import pyarrow as pa", ""), found)  # noqa: S102  # the text above
    judge: Callable[[dict[str, Any]], Any] = found[name]
    return judge


def _table(row: dict[str, Any]) -> str | None:
    """What the function says of a table of this one row."""
    if row["n"] == 2:
        raise RuntimeError("a two is in here")
    return "a four" if row["id"] == 4 else None
