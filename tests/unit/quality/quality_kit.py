"""Profiles of files, without a project."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from headgate.adapters.duckdb.store import DuckDBStore
from headgate.core import registry
from headgate.core.protocols import Engine
from headgate.quality import profile, rows
from headgate.quality.links import Seen
from headgate.quality.model import TableProfile


@contextmanager
def surveyed(
    tmp: Path, tables: dict[str, str], tier: int = 2, tolerate: float = 0.0
) -> Iterator[tuple[Engine, list[Seen]]]:
    """The session, and what was seen of each table: name -> path or glob of its files below `tmp`."""
    store = DuckDBStore(tmp / "survey.duckdb", temp=tmp)
    try:
        with store.session() as session, ExitStack() as stack:
            seen = []
            for name, path in tables.items():
                source = registry.open_source(registry.kind_of(path) or "", {"path": path}, tmp, tmp)
                found = stack.enter_context(rows.opened(session, source, name, source.partitions({})))
                seen.append(profile.profile(session, found, tier, tolerate))
            yield session, profile.linked(session, seen) if tier > 1 else seen
    finally:
        store.close()


def profiled(tmp: Path, text: str, tier: int = 2, tolerate: float = 0.0) -> TableProfile:
    """The profile of one CSV file."""
    (tmp / "t.csv").write_text(text, encoding="utf-8")
    with surveyed(tmp, {"raw.things": "t.csv"}, tier, tolerate) as (_, (seen,)):
        return seen.profile


def column_of(values: list[str], name: str = "v") -> str:
    """A CSV file of an id and one column, whose values must need no quotes."""
    return f"n,{name}\n" + "".join(f"x{number},{value}\n" for number, value in enumerate(values))
