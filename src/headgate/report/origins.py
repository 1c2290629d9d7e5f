"""Where a column comes from and who uses it, in words: cells of the dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from headgate.report.markup import Child, Markup, clipped, el, name
from headgate.report.model import Exposure, Link, Table
from headgate.report.ways import Port, Ways

CELL, FACTS = 4, 24
"""So many places in a cell, and in a line of facts, are told one by one."""

COLUMNS = 300
"""So many columns of a table stand in the dictionary."""

_HOW = {"identity": "", "group_by": "group by"}
"""How the kinds of flows are told, where it is not by their name."""


class Places:
    """Tells columns, tables and exposures as links to where they stand in the dictionary."""

    def __init__(self, ways: Ways, anchors: Mapping[str, str]) -> None:
        self.ways, self.anchors = ways, anchors
        self._told: dict[tuple[Port, str], Markup] = {}

    def anchor(self, port: Port) -> str | None:
        """Where the column, or else its table, stands."""
        anchor, place = self.anchors.get(port.table), self.ways.place(port)
        return f"{anchor}c{place}" if anchor is not None and place is not None and place < COLUMNS else anchor

    def called(self, table: str) -> tuple[str, str]:
        """The short name of a table, of a file or of an exposure, and what it is."""
        if table in self.ways.exposures:
            return self.ways.exposures[table].name, self.ways.exposures[table].kind
        if table in self.ways.tables:
            schema, _, short = table.rpartition(".")
            return (short or table), schema
        parts = [part for part in table.replace("\\", "/").split("/") if part] or [table]
        return "/".join(parts[-2:] if "*" in parts[-1] else parts[-1:]), "source"

    def comes_from(self, links: Sequence[Link]) -> Child:
        """What a column is made of; what only decides which value it has is told with its kind."""
        told = [link for link in links if link.column is not None]
        counted = [link for link in links if link.column is None and all(one.table != link.table for one in told)]
        return self._listed(((Port(one.table, one.column), one.kind) for one in (*told, *counted)), CELL)

    def used_by(self, port: Port) -> Child:
        """The columns that are made of this one, and the tables whose rows it decides."""
        users = [one for one in self.ways.users(port) if one.target.table != port.table]
        makes = [one for one in users if one.target.column is not None or one.target.table in self.ways.exposures]
        rows = dict.fromkeys(one.target for one in users if one not in makes)
        told = dict.fromkeys((one.target, one.kind) for one in makes)
        return self._listed([*told, *((one, "") for one in rows)], CELL)

    def decided_by(self, table: Table) -> Child:
        """What decides which rows a built table has; nothing for one that is loaded, whose rules say it."""
        if table.kind == "load":
            return None
        links = [link for link in table.rows_from if link.column is not None and link.table != table.name]
        return self._listed([(Port(one.table, one.column), one.kind) for one in links], FACTS)

    def readers(self, table: Table) -> Child:
        """The tables and exposures that read it."""
        return _cut([self._table(one) for one in self.ways.readers(table.name)], FACTS)

    def reads(self, one: Exposure) -> Child:
        """The columns that an exposure reads."""
        return self._listed([(Port(link.table, link.column), "") for link in one.reads], FACTS)

    def _listed(self, places: Iterable[tuple[Port, str]], most: int) -> Child:
        return _cut([self._place(port, kind) for port, kind in places], most)

    def _place(self, port: Port, kind: str) -> Markup:
        found = self._told.get((port, kind))
        if found is None:
            found = self._told[port, kind] = self._said(port, kind)
        return found

    def _said(self, port: Port, kind: str) -> Markup:
        """A column, or the rows of a table, as a link; how it flows, where it is not just handed on."""
        short, what = self.called(port.table)
        shown, how = f"{clipped(short, 40)}.{port.column or 'some column'}", _HOW.get(kind, kind)
        if port.table in self.ways.exposures:
            shown, how = short, what
        elif port.column is None:
            shown, how = f"rows of {short}", ""
        elif port.table not in self.ways.tables:
            shown, how = port.column or "some column", f"in {clipped(short, 60)}"
        return self._link(self.anchor(port), shown, how)

    def _table(self, table: str) -> Markup:
        one = self.ways.exposures.get(table)
        if one is None:
            return self._link(self.anchors.get(table), table, "")
        return self._link(self.anchors[table], one.name, ", ".join(filter(None, (one.kind, clipped(one.owner, 80)))))

    def _link(self, anchor: str | None, shown: str, said: str) -> Markup:
        place = el("a", name(shown), href=f"#{anchor}") if anchor else name(shown)
        return el("span", place, el("span", " ", said, class_="kind") if said else None, class_="place")


def _cut(parts: Sequence[Markup], most: int) -> Child:
    if not parts:
        return None
    more = len(parts) - most
    rest = el("span", f"and {more:,} more", class_="place quiet") if more > 1 else None
    return [*(parts if more <= 1 else parts[:most]), rest]
