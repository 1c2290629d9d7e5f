"""Where a column comes from and who uses it, in words: cells of the dictionary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from headgate.report.markup import Markup, clipped, name, quoted
from headgate.report.model import Exposure, Link, Table
from headgate.report.ways import Place, Port, Ways

CELL, FACTS = 4, 24
"""So many places in a cell, and in a line of facts, are told one by one."""

COLUMNS = 300
"""So many columns of a table stand in the dictionary."""

Told = TypeVar("Told")

_HOW = {"identity": "", "group_by": "group by"}
"""How the kinds of flows are told, where it is not by their name."""


class Places:
    """Tells columns, tables and exposures as links to where they stand in the dictionary."""

    def __init__(self, ways: Ways, anchors: Mapping[str, str]) -> None:
        self.ways, self.anchors = ways, anchors
        self._told: dict[tuple[Place, str], str] = {}
        self._called: dict[str, tuple[str, str]] = {}

    def anchor(self, port: Place) -> str | None:
        """Where the column, or else its table, stands."""
        anchor, place = self.anchors.get(port[0]), self.ways.place(port)
        return f"{anchor}c{place}" if anchor is not None and place is not None and place < COLUMNS else anchor

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

    def comes_from(self, links: Sequence[Link]) -> Markup:
        """What a column is made of; what only decides which value it has is told with its kind."""
        told = [(link[:2], link.kind) for link in links if link.column is not None]
        if len(told) < len(links):
            there = {table for (table, _), _ in told}
            told += [(link[:2], link.kind) for link in links if link.column is None and link.table not in there]
        return self._listed(told, CELL)

    def used_by(self, port: Place) -> Markup:
        """The columns that are made of this one, and the tables whose rows it decides."""
        own, exposures = port[0], self.ways.exposures
        told: dict[tuple[Place, str], None] = {}
        rows: dict[tuple[Place, str], None] = {}
        for target, kind in self.ways.users(port):
            if target.table != own:
                if target.column is not None or target.table in exposures:
                    told[target, kind] = None
                else:
                    rows[target, ""] = None
        return self._listed([*told, *rows] if rows else list(told), CELL)

    def decided_by(self, table: Table) -> Markup:
        """What decides which rows a built table has; nothing for one that is loaded, whose rules say it."""
        if table.kind == "load":
            return Markup("")
        links = [link for link in table.rows_from if link.column is not None and link.table != table.name]
        return self._listed([(link[:2], link.kind) for link in links], FACTS)

    def readers(self, table: Table) -> Markup:
        """The tables and exposures that read it."""
        return _cut(self.ways.readers(table.name), FACTS, self._table)

    def reads(self, one: Exposure) -> Markup:
        """The columns that an exposure reads."""
        return self._listed([(link[:2], "") for link in one.reads], FACTS)

    def _listed(self, places: Sequence[tuple[Place, str]], most: int) -> Markup:
        return _cut(places, most, self._place)

    def _place(self, place: tuple[Place, str]) -> str:
        found = self._told.get(place)
        if found is None:
            found = self._told[place] = self._said(*place)
        return found

    def _said(self, port: Place, kind: str) -> str:
        """A column, or the rows of a table, as a link; how it flows, where it is not just handed on."""
        table, column = port
        short, what = self.called(table)
        if table in self.ways.exposures:
            return _link(self.anchor(port), short, what)
        if column is None:
            return _link(self.anchor(port), f"rows of {short}", "")
        if table not in self.ways.tables:
            return _link(self.anchor(port), column or "some column", f"in {clipped(short, 60)}")
        return _link(self.anchor(port), f"{clipped(short, 40)}.{column or 'some column'}", _HOW.get(kind, kind))

    def _table(self, table: str) -> str:
        one = self.ways.exposures.get(table)
        if one is None:
            return _link(self.anchors.get(table), table, "")
        return _link(self.anchors[table], one.name, ", ".join(filter(None, (one.kind, clipped(one.owner, 80)))))


def _link(anchor: str | None, shown: str, said: str) -> str:
    """The HTML of a place."""
    place = f'<a href="#{anchor}">{name(shown)}</a>' if anchor else name(shown)
    how = f'<span class="kind"> {quoted(said)}</span>' if said else ""
    return f'<span class="place">{place}{how}</span>'


def _cut(places: Sequence[Told], most: int, say: Callable[[Told], str]) -> Markup:
    """The places as `say` says them, and how many more there are where more than one is left out."""
    more = len(places) - most
    if more <= 1:
        return Markup("".join(map(say, places)))
    rest = f'<span class="place quiet">and {more:,} more</span>'
    return Markup("".join(map(say, places[:most])) + rest)
