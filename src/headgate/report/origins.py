"""Where a column comes from and who uses it, in words: cells of the dictionary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headgate.report.markup import Child, Markup, clipped, el, name
from headgate.report.model import Exposure, Link, Table
from headgate.report.ways import DIRECT, Port, Ways

CELL, FACTS = 5, 24
"""So many places in a cell, and in a line of facts, are told one by one."""

COLUMNS = 300
"""So many columns of a table stand in the dictionary."""


def anchor_of(ways: Ways, port: Port, anchors: Mapping[str, str]) -> str | None:
    """Where the column, or else its table, stands in the dictionary."""
    anchor, place = anchors.get(port.table), ways.place(port)
    return f"{anchor}c{place}" if anchor is not None and place is not None and place < COLUMNS else anchor


def called(ways: Ways, table: str) -> tuple[str, str]:
    """The short name of a table, of a file or of an exposure, and what it is."""
    if table in ways.exposures:
        return ways.exposures[table].name, ways.exposures[table].kind
    if table in ways.tables:
        schema, _, short = table.rpartition(".")
        return (short or table), schema
    parts = [part for part in table.replace("\\", "/").split("/") if part] or [table]
    return "/".join(parts[-2:] if "*" in parts[-1] else parts[-1:]), "source"


def comes_from(ways: Ways, links: Sequence[Link], anchors: Mapping[str, str]) -> Child:
    """What a column is made of; what only decides which value it has is told with its kind."""
    told = [link for link in links if link.column is not None]
    counted = [link for link in links if link.column is None and all(one.table != link.table for one in told)]
    return _listed([_place(ways, Port(one.table, one.column), one.kind, anchors) for one in (*told, *counted)], CELL)


def used_by(ways: Ways, port: Port, anchors: Mapping[str, str]) -> Child:
    """The columns that are made of this one, and the tables whose rows it decides."""
    users = [one for one in ways.users(port) if one.target.table != port.table]
    makes = [one for one in users if one.target.column is not None or one.target.table in ways.exposures]
    rows = dict.fromkeys(one.target for one in users if one not in makes)
    told = [_place(ways, one.target, one.kind, anchors) for one in makes]
    return _listed([*told, *(_place(ways, one, "", anchors) for one in rows)], CELL)


def decided_by(ways: Ways, table: Table, anchors: Mapping[str, str]) -> Child:
    """What decides which rows a built table has; nothing for one that is loaded, whose rules say it."""
    if table.kind == "load":
        return None
    links = [link for link in table.rows_from if link.column is not None and link.table != table.name]
    return _listed([_place(ways, Port(one.table, one.column), one.kind, anchors) for one in links], FACTS)


def readers(ways: Ways, table: Table, anchors: Mapping[str, str]) -> Child:
    """The tables and exposures that read it."""
    return _listed([_table(ways, one, anchors) for one in ways.readers(table.name)], FACTS)


def reads(ways: Ways, one: Exposure, anchors: Mapping[str, str]) -> Child:
    """The columns that an exposure reads."""
    return _listed([_place(ways, Port(link.table, link.column), "", anchors) for link in one.reads], FACTS)


def _listed(parts: Sequence[Markup], most: int) -> Child:
    if not parts:
        return None
    more = len(parts) - most
    shown = [el("li", part) for part in (parts if more <= 1 else parts[:most])]
    return el("ul", *shown, el("li", f"and {more:,} more", class_="quiet") if more > 1 else None, class_="places")


def _place(ways: Ways, port: Port, kind: str, anchors: Mapping[str, str]) -> Markup:
    """A column, or the rows of a table, as a link; how it flows, where it is not just handed on."""
    short, what = called(ways, port.table)
    if port.table in ways.exposures:
        shown: list[Child] = [name(short, 40)]
        kind = what
    elif port.column is None:
        shown = ["rows of ", name(short, 40)]
        kind = ""
    elif port.table not in ways.tables:
        shown = [name(port.column or "some column", 40), el("span", " in ", name(short, 40), class_="kind")]
    else:
        shown = [el("bdi", clipped(short, 40), "."), name(port.column or "some column", 40)]
    said = el("span", f" {kind.replace('_', ' ')}", class_="kind") if kind and kind != DIRECT[0] else None
    anchor = anchor_of(ways, port, anchors)
    place = el("a", *shown, href=f"#{anchor}") if anchor else el("span", *shown)
    return el("span", place, said)


def _table(ways: Ways, table: str, anchors: Mapping[str, str]) -> Markup:
    if table not in ways.exposures:
        return el("a", name(table), href=f"#{anchors[table]}") if table in anchors else name(table)
    one = ways.exposures[table]
    said = el("span", f" {one.kind}{', ' + clipped(one.owner, 80) if one.owner else ''}", class_="kind")
    return el("span", el("a", name(one.name), href=f"#{anchors[table]}"), said)
