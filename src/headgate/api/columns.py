"""Where the columns of the page's tables come from: the project's lineage, in the words of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from headgate.core.protocols import StoreSession
from headgate.project.model import Project
from headgate.report import model as page
from headgate.run.lineage import ProjectLineage, lineage_of
from headgate.run.pipeline import Pipeline
from headgate.sql.lineage.flow import ANY, DIRECT, ROWS, SAME, Flows
from headgate.state.kept import Kept


def traced(
    session: StoreSession, files: Project, pipeline: Pipeline, tables: Sequence[page.Table]
) -> tuple[tuple[page.Table, ...], tuple[page.Exposure, ...]]:
    """The tables with where each column comes from, and what reads them outside of the project.

    Queries that were walked before are not walked again: what was found is kept with the project.
    """
    with Kept.open(files.root) as kept:
        found = lineage_of(pipeline, files.exposures, session, files.warehouse.kind, kept)
    shown = {model.name: str(model.target) for model in pipeline.models}
    named = _Named(found, shown)
    own = {there: name for name, there in shown.items()}
    return tuple(named.table(table, own.get(table.name, table.name)) for table in tables), tuple(named.exposures())


class _Named:
    """Tells flows by the names of the page: tables by where they stand, columns as their table spells them."""

    def __init__(self, found: ProjectLineage, shown: Mapping[str, str]) -> None:
        self._found, self._shown = found, shown

    def table(self, table: page.Table, name: str) -> page.Table:
        """The table, which the lineage knows by `name`, with the links of its columns and of its rows."""
        known = self._found.lineage.tables.get(name)
        if known is None:
            return table
        flows = {column.casefold(): flows for column, flows in known.columns}
        columns = tuple(
            replace(column, comes_from=self._links(flows.get(column.name.casefold(), frozenset()), column.name))
            for column in table.columns
        )
        return replace(table, columns=columns, rows_from=self._links(known.rows, None))

    def exposures(self) -> Iterable[page.Exposure]:
        """Each with the columns that it reads."""
        for label, one in self._found.exposures.items():
            reads = self._found.lineage.tables[label].rows
            links = tuple(link for link in self._links(reads, None) if link.column is not None)
            yield page.Exposure(one.name, one.type, one.owner, one.url, links)

    def _links(self, flows: Flows, own: str | None) -> tuple[page.Link, ...]:
        """What makes the value first, then what decides it."""
        links = {page.Link(self._shown.get(f.table, f.table), self._column(f.table, f.column, own), f.kind)
                 for f in flows}  # fmt: skip
        return tuple(
            sorted(links, key=lambda link: (link.kind not in DIRECT, link.table, link.column or "", link.kind))
        )

    def _column(self, table: str, column: str, own: str | None) -> str | None:
        if column == ROWS:
            return None
        if column == ANY or (column == SAME and own is None):
            return ""
        return self._found.lineage.node(table, own if column == SAME and own is not None else column).column
