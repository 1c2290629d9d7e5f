"""Which adapter reads what: a literal table for the built-in ones, entry points for others'."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, cast

from headgate.core.errors import ProjectError, nearest
from headgate.core.protocols import Source
from headgate.core.suffixes import ARCHIVE, PACKED, kind_of

GROUP = "headgate.sources"
SURVEYED = frozenset({"csv", "parquet", "json", "ndjson", "avro", "orc", "excel"})
"""Kinds of files that say themselves what their columns are."""
__all__ = [
    "GROUP",
    "PACKED",
    "SOURCES",
    "SURVEYED",
    "kind_of",
    "kinds",
    "open_source",
    "options_of",
    "source_class",
    "surveyed",
]

SOURCES = {
    "csv": "headgate.adapters.files.csv:CsvSource",
    "avro": "headgate.adapters.files.converted:AvroSource",
    "fixed": "headgate.adapters.files.fixed:FixedSource",
    "orc": "headgate.adapters.files.converted:OrcSource",
    "excel": "headgate.adapters.files.excel:ExcelSource",
    "json": "headgate.adapters.files.json:JsonSource",
    "ndjson": "headgate.adapters.files.json:NdjsonSource",
    "parquet": "headgate.adapters.files.parquet:ParquetSource",
    "python": "headgate.adapters.python.source:PythonSource",
    "table": "headgate.adapters.table.source:TableSource",
}


def surveyed(path: str) -> str | None:
    """As `kind_of`, for the kinds whose files can be profiled before there is a contract; None for all others."""
    kind = kind_of(path)
    return kind if kind in SURVEYED and not path.lower().endswith(ARCHIVE) else None


def kinds() -> list[str]:
    """Every known kind of source, in order."""
    return sorted({*SOURCES, *_others()})


def source_class(kind: str) -> type[Any]:
    """The adapter's class; its module is imported now. *Errors*: ProjectError `unknown-source`."""
    if kind in SOURCES:
        module, _, name = SOURCES[kind].partition(":")
        return cast("type[Any]", getattr(import_module(module), name))
    others = _others()
    if kind in others:
        return cast("type[Any]", others[kind].load())
    known = kinds()
    what = f"unknown kind of source {kind!r}{nearest(kind, known)}"
    raise ProjectError.of("unknown-source", what, "", f"use one of: {', '.join(known)}")


def options_of(kind: str) -> frozenset[str]:
    """The names of the options that the kind of source knows."""
    return frozenset(source_class(kind).OPTIONS)


def open_source(kind: str, options: Mapping[str, Any], root: Path, tmp: Path) -> Source:
    """A source of that kind. Paths in `options` are relative to `root`; temporary files go under `tmp`."""
    return cast(Source, source_class(kind)(options, root, tmp))


def _others() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}
