"""Where the columns of the page's tables come from: the project's lineage, in the words of the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

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

    def columns(self, table: str, names: Iterable[str]) -> dict[str, tuple[page.Link, ...]]:
        """What each of these columns of the table is made of; one that is not traced is left out."""
        known = self._found.lineage.tables.get(table)
        if known is None:
            return {}
        if [column for column, _ in known.columns] == [*names]:  # nearly always
            return {name: self._links(flows, name) for name, flows in known.columns}
        flows = {column.casefold(): flows for column, flows in known.columns}
        return {name: self._links(found, name) for name in names if (found := flows.get(name.casefold()))}

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
        told = self._told
        if len(flows) == 1:
            (flow,) = flows
            return (told.get(flow) or self._link(flow, own),)
        links = {told.get(flow) or self._link(flow, own) for flow in flows}
        return tuple(sorted(links, key=_place))

    def _link(self, flow: Flow, own: str | None) -> page.Link:
        table, column, kind = flow
        link = page.Link(self._shown.get(table, table), self._column(table, column, own), kind)
        if column != SAME:
            self._told[flow] = link
        return link

    def _column(self, table: str, column: str, own: str | None) -> str | None:
        if column == ROWS:
            return None
        if column == ANY or (column == SAME and own is None):
            return ""
        return self._found.lineage.spelled(table, own if column == SAME and own is not None else column)


def _place(link: page.Link) -> tuple[bool, str, str, str]:
    return link.kind not in DIRECT, link.table, link.column or "", link.kind
