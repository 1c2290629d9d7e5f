"""Quoting: every name and every value that reaches SQL text goes through here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from headgate.core.values import TableRef


def ident(name: str) -> str:
    """The name as a quoted identifier, whatever it holds."""
    if "\x00" in name:
        raise ValueError("a name holds a NUL character")
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as a string literal."""
    return "'" + text.replace("'", "''") + "'"


def table(ref: TableRef) -> str:
    """Schema and table name, quoted."""
    return f"{ident(ref.schema)}.{ident(ref.name)}"


def aside(ref: TableRef) -> TableRef:
    """A name in the table's schema, short enough for every store, for a table while two change places."""
    return TableRef(ref.schema, f"_hg_aside_{hashlib.sha256(str(ref).encode()).hexdigest()[:12]}")


def columns(names: Iterable[str], prefix: str = "") -> str:
    """Quoted names with commas, each behind `prefix.` if one is given."""
    dot = prefix + "." if prefix else ""
    return ", ".join(dot + ident(name) for name in names)


def create_table(ref: TableRef, typed: Iterable[tuple[str, str]], required: Sequence[str] = ()) -> str:
    """CREATE TABLE with columns of these types; `required` ones take no NULL."""
    listed = (f"{ident(name)} {kind}{' NOT NULL' * (name in required)}" for name, kind in typed)
    return f"CREATE TABLE {table(ref)} ({', '.join(listed)})"
