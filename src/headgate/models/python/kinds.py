"""As what an input is given, by the annotation of its parameter: read from the text, so that no library is loaded."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Literal

Kind = Literal["relation", "arrow", "batches", "polars", "lazy", "pandas"]

UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What `ast.parse` raises for a text that is no Python, or too deep."""

_KINDS: dict[str, Kind] = {
    "duckdb.DuckDBPyRelation": "relation",
    "pyarrow.Table": "arrow",
    "pyarrow.lib.Table": "arrow",
    "pyarrow.RecordBatchReader": "batches",
    "pyarrow.lib.RecordBatchReader": "batches",
    "pyarrow.ipc.RecordBatchReader": "batches",
    "polars.DataFrame": "polars",
    "polars.LazyFrame": "lazy",
    "pandas.DataFrame": "pandas",
}
SPELLED = (
    "duckdb.DuckDBPyRelation",
    "pyarrow.Table",
    "pyarrow.RecordBatchReader",
    "polars.DataFrame",
    "polars.LazyFrame",
    "pandas.DataFrame",
)
LIBRARY: dict[Kind, str] = {"polars": "polars", "lazy": "polars", "pandas": "pandas"}
"""What must be installed for a kind, besides what Headgate needs itself."""


def imported(tree: ast.Module) -> dict[str, str]:
    """What the names that the file imports stand for: `pa` for `pyarrow`, `Table` for `pyarrow.Table`."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                found[one.asname or one.name.partition(".")[0]] = one.name if one.asname else one.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for one in node.names:
                found[one.asname or one.name] = f"{node.module}.{one.name}"
    return found


def dotted(node: ast.expr, names: Mapping[str, str]) -> str:
    """The full name of `pa.Table`, as far as imports tell it; "" for anything but a name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([names.get(node.id, node.id), *reversed(parts)])


def kind_of(annotation: ast.expr, names: Mapping[str, str]) -> Kind | None:
    """The kind that an annotation means, in quotes or with `| None` as well; None where it means none."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            return kind_of(ast.parse(annotation.value, mode="eval").body, names)
        except UNREADABLE:
            return None
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        sides = [one for one in (annotation.left, annotation.right) if not _is_none(one)]
        return kind_of(sides[0], names) if len(sides) == 1 else None
    if isinstance(annotation, ast.Subscript) and dotted(annotation.value, names) in ("typing.Optional", "Optional"):
        return kind_of(annotation.slice, names)
    return _KINDS.get(dotted(annotation, names))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
