"""Parameters are bound without pandas.

DuckDB's client (1.5, 2.0) imports pandas before it looks at a parameter or a registered object, to know a NaT from
other values: half a second of every command where pandas is installed, and where it is not, a search of all of Python's
path for each parameter. So texts and integers are put into a statement as literals; and who has no pandas loaded has
none of its values to pass: for the call the import is refused, to the thread that makes it alone.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from headgate.sql import quote


def inlined(sql: str, params: Sequence[object]) -> str | None:
    """The statement with its parameters as literals; None where one is no text or integer, or where it can't be told
    for certain which marks are placeholders: in a statement with strings, or with a mark in a name or a comment."""
    parts = sql.split("?")
    if len(parts) != len(params) + 1 or "'" in sql or "$" in sql:
        return None
    literals = [_literal(value) for value in params]
    if None in literals:
        return None
    return parts[0] + "".join(f"{value}{part}" for value, part in zip(literals, parts[1:], strict=True))


def _literal(value: object) -> str | None:
    if type(value) is int:
        return str(value) if value >= 0 else f"({value})"
    if type(value) is str and "\0" not in value:
        return quote.literal(value)
    return "NULL" if value is None else None


class _Calls(threading.local):
    without = False


_calls = _Calls()


class _Refuses:
    """Stands before the finders of modules. It finds nothing."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name == "pandas" and _calls.without:
            raise ModuleNotFoundError("pandas is not loaded for this call", name=name)


@contextmanager
def without_pandas() -> Iterator[None]:
    """The client finds no pandas meanwhile, unless it is loaded already."""
    if "pandas" in sys.modules:
        yield
        return
    if _Refuses not in sys.meta_path:
        sys.meta_path.insert(0, _Refuses)
    _calls.without = True
    try:
        yield
    finally:
        _calls.without = False
