"""The lineage of a project as an answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from headgate.api.results import LineageEdge, LineageResult, LineageTable
from headgate.core.errors import Finding
from headgate.core.protocols import Store, StoreSession
from headgate.models.lineage import Kept
from headgate.project.model import Project as Files
from headgate.run.lineage import Named, ProjectLineage, lineage_of
from headgate.run.pipeline import Pipeline
from headgate.sql.lineage.flow import ANY, DIRECT, ROWS
from headgate.sql.lineage.walk import Hop, Node


def answer(
    session: StoreSession,
    pipeline: Pipeline,
    files: Files,
    kept: Kept,
    name: str | None,
    up: bool,
    down: bool,
    depth: int | None,
) -> LineageResult:
    """What was asked for, as data. Raises ProjectError `unknown-table`, `no-such-column`."""
    found = lineage_of(pipeline, files.exposures, session, files.warehouse.kind, kept)
    table, column = Named(pipeline, found.lineage).split(name, name) if name is not None else (None, None)
    starts = _starts(found, table, column)
    if table is None:
        hops = [hop for node in starts for hop in found.lineage.up([node], 1)]
        return _result(found, None, None, _once(hops), [])
    above = found.lineage.up(starts, depth) if up else []
    below = found.lineage.down(starts, depth) if down else []
    return _result(found, table, column, above, below)


def unmet(pipeline: Pipeline, files: Files, store: Store) -> list[Finding]:
    """What exposures depend on and is not there."""
    with store.session() as session:
        return list(lineage_of(pipeline, files.exposures, session, files.warehouse.kind).findings)


def _starts(found: ProjectLineage, table: str | None, column: str | None) -> list[Node]:
    if table is not None and column is not None:
        return [Node(table, column)]
    return [
        Node(name, one)
        for name in ([table] if table is not None else found.lineage.tables)
        for one in (*found.lineage.columns(name), ROWS, *_open(found, name))
    ]


def _open(found: ProjectLineage, table: str) -> list[str]:
    traced = found.lineage.tables.get(table)
    return [ANY] if traced is not None and traced.rest is not None else []


def _once(hops: Iterable[Hop]) -> list[Hop]:
    return list(dict.fromkeys(hops))


def _result(
    found: ProjectLineage, table: str | None, column: str | None, above: Iterable[Hop], below: Iterable[Hop]
) -> LineageResult:
    up, down = tuple(map(_edge, above)), tuple(map(_edge, below))
    named = [one for edge in (*up, *down) for one in (edge.to_table, edge.from_table)]
    tables = dict.fromkeys([*([table] if table is not None else found.lineage.tables), *named])
    return LineageResult(table, column, tuple(_table(found, one) for one in tables), up, down, found.findings)


def _edge(hop: Hop) -> LineageEdge:
    source, target = (None if node.column in (ROWS, ANY) else node.column for node in (hop.source, hop.target))
    return LineageEdge(hop.source.table, source, hop.target.table, target, hop.kind, hop.kind in DIRECT, hop.depth)


def _table(found: ProjectLineage, name: str) -> LineageTable:
    traced = found.lineage.tables.get(name)
    kind = found.kind(name)
    if traced is None:
        return LineageTable(name, kind, complete=False)
    columns = found.lineage.columns(name)
    return LineageTable(name, kind, columns, traced.rest is None, traced.doubt, traced.unknown, _detail(found, name))


def _detail(found: ProjectLineage, name: str) -> Mapping[str, str]:
    """Of an exposure: type, owner and link, as far as they are said."""
    one = found.exposures.get(name)
    said = {"type": one.type, "owner": one.owner, "url": one.url} if one is not None else {}
    return {key: text for key, text in said.items() if text}
