"""Where a column comes from and who uses it, in words: cells of the dictionary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from headgate.report.markup import bdi, clipped, quoted
from headgate.report.model import Exposure, Link, Table
from headgate.report.ways import Place, Ways

CELL, FACTS = 4, 24
"""So many places in a cell, and in a line of facts, are told one by one."""

COLUMNS = 300
"""So many columns of a table stand in the dictionary."""

Told = TypeVar("Told")

_HOW = {"identity": "", "group_by": "group by"}
"""How the kinds of flows are told, where it is not by their name."""


class Places:
    """Tells columns, tables and exposures as links to where they stand in the dictionary: as HTML, "" for nothing."""

    def __init__(self, ways: Ways, anchors: Mapping[str, str]) -> None:
        self.ways, self.anchors = ways, anchors
        self._told: dict[Link, str] = {}
        self._called: dict[str, tuple[str, str]] = {}
        self._columns: dict[Place, str] = {
            (table.name, column.name): f"{anchors[table.name]}c{at}"
            for table in ways.tables.values()
            for at, column in enumerate(table.columns[:COLUMNS])
        }

    def anchor(self, port: Place) -> str | None:
        """Where the column, or else its table, stands."""
        return self._columns.get(port) or self.anchors.get(port[0])

    def called(self, table: str) -> tuple[str, str]:
        """The short name of a table, of a file or of an exposure, and what it is."""
        found = self._called.get(table)
        if found is None:
            found = self._called[table] = self._short(table)
        return found

    def _short(self, table: str) -> tuple[str, str]:
        if table in self.ways.exposures:
            return self.ways.exposures[table].name, self.ways.exposures[table].kind
        if table in self.ways.tables:
            schema, _, short = table.rpartition(".")
            return (short or table), schema
        parts = [part for part in table.replace("\\", "/").split("/") if part] or [table]
        return "/".join(parts[-2:] if "*" in parts[-1] else parts[-1:]), "source"

    def comes_from(self, links: Sequence[Link]) -> str:
        """What a column is made of; what only decides which value it has is told with its kind."""
        if len(links) == 1:
            return self._place(links[0])
        told = [link for link in links if link.column is not None]
        if len(told) < len(links):
            there = {link.table for link in told}
            told += [link for link in links if link.column is None and link.table not in there]
        return _cut(told, CELL, self._place)

    def used_by(self, port: Place) -> str:
        """The columns that are made of this one, and the tables whose rows it decides."""
        own, exposures = port[0], self.ways.exposures
        told: dict[Link, None] = {}
        rows: dict[Link, None] = {}
        for link in self.ways.users(port):
            if link.column is not None or link.table in exposures:
                told[link] = None
            else:
                rows[Link(link.table, None, "")] = None
        return _cut([link for link in (*told, *rows) if link.table != own], CELL, self._place)

    def decided_by(self, table: Table) -> str:
        """What decides which rows a built table has; nothing for one that is loaded, whose rules say it."""
        if table.kind == "load":
            return ""
        links = [link for link in table.rows_from if link.column is not None and link.table != table.name]
        return _cut(links, FACTS, self._place)

    def readers(self, table: Table) -> str:
        """The tables and exposures that read it."""
        return _cut(self.ways.readers(table.name), FACTS, self._table)

    def reads(self, one: Exposure) -> str:
        """The columns that an exposure reads."""
        return _cut([link._replace(kind="") for link in one.reads], FACTS, self._place)

    def _place(self, link: Link) -> str:
        found = self._told.get(link)
        if found is None:
            found = self._told[link] = self._said(link)
        return found

    def _said(self, link: Link) -> str:
        """A column, or the rows of a table, as a link; how it flows, where it is not just handed on."""
        table, column, kind = link
        anchor, (short, what) = self.anchor((table, column)), self.called(table)
        if table in self.ways.exposures:
            return _link(anchor, short, what)
        if column is None:
            return _link(anchor, f"rows of {short}", "")
        if table not in self.ways.tables:
            return _link(anchor, column or "some column", f"in {clipped(short, 60)}")
        return _link(anchor, f"{clipped(short, 40)}.{column or 'some column'}", _HOW.get(kind, kind))

    def _table(self, table: str) -> str:
        one = self.ways.exposures.get(table)
        if one is None:
            return _link(self.anchors.get(table), table, "")
        return _link(self.anchors[table], one.name, ", ".join(filter(None, (one.kind, clipped(one.owner, 80)))))


def _link(anchor: str | None, shown: str, said: str) -> str:
    how = f'<span class="kind"> {quoted(said)}</span>' if said else ""
    if anchor:
        return f'<span class="place"><a href="#{anchor}">{bdi(shown)}</a>{how}</span>'
    return f'<span class="place">{bdi(shown)}{how}</span>'


def _cut(places: Sequence[Told], most: int, say: Callable[[Told], str]) -> str:
    """The places as `say` says them, and how many more there are where more than one is left out."""
    more = len(places) - most
    if more <= 1:
        return "".join(map(say, places))
    return "".join(map(say, places[:most])) + f'<span class="place quiet">and {more:,} more</span>'
