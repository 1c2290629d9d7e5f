"""Where the columns of the page's tables come from: the project's lineage, in the words of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from headgate.core.protocols import StoreSession
from headgate.project.model import Project
from headgate.report import model as page
from headgate.run.lineage import ProjectLineage, lineage_of
from headgate.run.pipeline import Pipeline
from headgate.sql.lineage.flow import ANY, DIRECT, ROWS, SAME, Flow, Flows
from headgate.state.kept import Kept


def ways(session: StoreSession, files: Project, pipeline: Pipeline) -> Ways:
    """Where the columns of the project come from, and who reads them outside of it.

    Queries that were walked before are not walked again: what was found is kept with the project.
    """
    with Kept.open(files.root) as kept:
        found = lineage_of(pipeline, files.exposures, session, files.warehouse.kind, kept)
    return Ways(found, {model.name: str(model.target) for model in pipeline.models})


class Ways:
    """Tells flows by the names of the page: tables by where they stand, columns as their table spells them.

    Tables are asked for by the names that the lineage knows them by.
    """

    def __init__(self, found: ProjectLineage, shown: Mapping[str, str]) -> None:
        self._found, self._shown = found, shown
        self._told: dict[Flow, page.Link] = {}

    def columns(self, table: str) -> Callable[[str], tuple[page.Link, ...]]:
        """What gives the links of each column of the table, by its name."""
        known = self._found.lineage.tables.get(table)
        flows = {column.casefold(): flows for column, flows in known.columns} if known is not None else {}

        def links(column: str) -> tuple[page.Link, ...]:
            found = flows.get(column.casefold())
            return self._links(found, column) if found else ()

        return links

    def rows(self, table: str) -> tuple[page.Link, ...]:
        """What decides which rows the table has."""
        known = self._found.lineage.tables.get(table)
        return self._links(known.rows, None) if known is not None else ()

    def exposures(self) -> Iterator[page.Exposure]:
        """Each with the columns that it reads."""
        for label, one in self._found.exposures.items():
            reads = self._found.lineage.tables[label].rows
            links = tuple(link for link in self._links(reads, None) if link.column is not None)
            yield page.Exposure(one.name, one.type, one.owner, one.url, links)

    def _links(self, flows: Flows, own: str | None) -> tuple[page.Link, ...]:
        """What makes the value first, then what decides it."""
        links = {self._link(flow, own) for flow in flows}
        return tuple(sorted(links, key=_place)) if len(links) > 1 else tuple(links)

    def _link(self, flow: Flow, own: str | None) -> page.Link:
        found = self._told.get(flow)
        if found is None:
            found = page.Link(self._shown.get(flow.table, flow.table), self._column(flow, own), flow.kind)
            if flow.column != SAME:
                self._told[flow] = found
        return found

    def _column(self, flow: Flow, own: str | None) -> str | None:
        if flow.column == ROWS:
            return None
        if flow.column == ANY or (flow.column == SAME and own is None):
            return ""
        called = own if flow.column == SAME and own is not None else flow.column
        return self._found.lineage.node(flow.table, called).column


def _place(link: page.Link) -> tuple[bool, str, str, str]:
    return link.kind not in DIRECT, link.table, link.column or "", link.kind
