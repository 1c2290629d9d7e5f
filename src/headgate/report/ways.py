"""The ways of columns over the whole page: what flows into each, and into what each flows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from headgate.report.model import Exposure, Link, Page, Table

DIRECT = ("identity", "transformation", "aggregation")
OUTSIDE = "\0"
"""Before the name of an exposure, so that it is no table's."""


class Port(NamedTuple):
    """A column of a table; None: which rows it has; "": some column of it that is not known."""

    table: str
    column: str | None


Place = tuple[str, str | None]
"""A port, or just what one consists of."""


class Edge(NamedTuple):
    """`direct`: the value is made of it; else it decides which value, or which rows."""

    source: Port
    target: Port
    direct: bool


class Ways:
    """Both directions of every link of a page."""

    def __init__(self, page: Page) -> None:
        self.tables = {table.name: table for table in page.tables}
        self.exposures = {OUTSIDE + one.name: one for one in page.exposures}
        self._into: dict[Place, Sequence[Link]] = {port: links for port, links in _into(page.tables) if links}
        self._users: defaultdict[Place, list[Link]] = defaultdict(list)
        for (table, column), links in chain(self._into.items(), _outside(self.exposures)):
            for link in links:
                self._users[link[:2]].append(Link(table, column, link[2]))

    @property
    def known(self) -> bool:
        """Whether anything was traced at all."""
        return bool(self._users)

    def into(self, port: Place) -> Sequence[Link]:
        """What flows into it, what makes its value first."""
        return self._into.get(port, ())

    def users(self, port: Place) -> Sequence[Link]:
        """What it flows into, and by which kind, in the order of the page."""
        return self._users.get(port, ())

    def readers(self, table: str) -> list[str]:
        """The tables and exposures that read something of the table."""
        own = self.tables.get(table)
        columns = [None, "", *[one.name for one in (own.columns if own else ())]]
        found = dict.fromkeys([user.table for name in columns for user in self.users((table, name))])
        return [one for one in found if one != table]


def _into(tables: Iterable[Table]) -> Iterator[tuple[Port, tuple[Link, ...]]]:
    for table in tables:
        yield Port(table.name, None), table.rows_from
        for column in table.columns:
            yield Port(table.name, column.name), column.comes_from


def _outside(exposures: dict[str, Exposure]) -> Iterator[tuple[Port, tuple[Link, ...]]]:
    for key, one in exposures.items():
        yield Port(key, None), one.reads


# -- around one table


def around(ways: Ways, table: Table, columns: int) -> list[Edge]:
    """The edges around a table: two hops up and two down for what makes values, one hop for what only decides.

    Of the table, the first `columns` columns. A table that reads itself has no edge for it.
    """
    own = [Port(table.name, one.name) for one in table.columns[:columns]]
    above = _above(ways, [*own, Port(table.name, None)], everything=True)
    below = _below(ways, [*own, Port(table.name, None)], everything=True)
    above += _above(ways, dict.fromkeys(edge.source for edge in above if edge.direct), everything=False)
    below += _below(ways, dict.fromkeys(edge.target for edge in below if edge.direct), everything=False)
    found = list(dict.fromkeys((*above, *below)))
    joined = {(one.source.table, one.target.table) for one in found if one.source.column is not None or one.direct}
    return [
        one
        for one in found
        if (not _only_rows(one) or (one.source.table, one.target.table) not in joined)
        and (one.direct or one.source.table in ways.tables)  # what a load may be refused for is said by its rules
    ]


def _only_rows(edge: Edge) -> bool:
    return edge.source.column is None and edge.target.column is None


def _above(ways: Ways, ports: Iterable[Port], everything: bool) -> list[Edge]:
    found = []
    for port in ports:
        for link in ways.into(port):
            direct = link.kind in DIRECT and port.column is not None
            if link.table != port.table and (direct or (everything and _tells(link, ways.into(port)))):
                found.append(Edge(Port(link.table, link.column), port, direct))
    return found


def _below(ways: Ways, ports: Iterable[Port], everything: bool) -> list[Edge]:
    found = []
    for port in ports:
        for table, column, kind in ways.users(port):
            direct = kind in DIRECT and (column is not None or table in ways.exposures)
            told = direct or (everything and _tells(Link(*port, kind), ways.into((table, column))))
            if table != port.table and told:
                found.append(Edge(port, Port(table, column), direct))
    return found


def _tells(link: Link, links: Sequence[Link]) -> bool:
    """Whether the link says more than the others: the rows of a table say nothing beside a column of it."""
    return link.column is not None or all(one.column is None for one in links if one.table == link.table)
