"""The column lineage of one table as SVG: its columns in the middle, what they are made of to the left, what is made of
them to the right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from headgate.core.records import dataclass
from headgate.report.markup import Markup, clipped, el, many
from headgate.report.model import Table
from headgate.report.origins import Places
from headgate.report.parts import scrolled
from headgate.report.ways import OUTSIDE, Edge, Port, around

COLUMNS, ROWS, BOXES = 40, 16, 10
"""So many columns of the table itself, of one beside it, and so many tables one above the other are drawn."""

DRAWN = 600_000
"""Characters of drawings that a page may hold."""

_WIDE, _GAP_X, _GAP_Y, _HEAD, _ROW, _FOOT, _PAD = 164, 50, 14, 40, 20, 6, 8


@dataclass(frozen=True)
class _Box:
    """One table. `level`: 0 is the table itself, before it is negative. `rows`: its columns that are drawn."""

    table: str
    level: int
    rows: tuple[str, ...]
    y: float = 0.0

    @property
    def tall(self) -> float:
        return _HEAD + len(self.rows) * _ROW + (_FOOT if self.rows else 0)

    def port(self, row: str | None) -> Port:
        return Port(self.table, row)

    def middle(self, port: Port) -> float:
        """The height at which an edge meets the column, or the head."""
        if port.column is None:
            return self.y + _HEAD / 2
        return self.y + _HEAD + (self.rows.index(port.column) + 0.5) * _ROW


def drawing(places: Places, table: Table) -> Markup | None:
    """The drawing in a window that scrolls, and what it leaves out; nothing where nothing is known."""
    edges = around(places.ways, table, COLUMNS)
    if not edges:
        return None
    boxes, left_out = _boxes(table, edges)
    placed = _stacked(boxes, edges)
    ports = {port: box.level for box in placed.values() for port in map(box.port, (None, *box.rows))}
    shown = [
        one for one in edges if one.source in ports and one.target in ports and ports[one.source] < ports[one.target]
    ]
    drawn = _svg(places, table, placed, shown)
    more = f"Not all of it is drawn: headgate lineage {clipped(table.name)}" if left_out else None
    legend = el(
        "p",
        el("span", class_="line-direct", aria_hidden="true"),
        "the value is made of it ",
        el("span", class_="line-decides", aria_hidden="true"),
        "it decides which value, or which rows",
        el("span", f" · {more}") if more else None,
        class_="legend",
    )
    return el("div", scrolled(drawn, f"Column lineage of {clipped(table.name)}", "graph-box ways-box"), legend)


# -- what stands where


def _boxes(table: Table, edges: Sequence[Edge]) -> tuple[list[_Box], bool]:
    """Every table with its level and its columns that have an edge, and whether some are left out."""
    levels = _levels(table.name, edges)
    ports = dict.fromkeys(port for edge in edges for port in (edge.source, edge.target))
    own = tuple(column.name for column in table.columns[:COLUMNS])
    boxes, left_out = [_Box(table.name, 0, own)], len(table.columns) > COLUMNS
    for name, level in levels.items():
        rows = tuple(port.column for port in ports if port.table == name and port.column is not None)
        crowd = sum(box.level == level for box in boxes)
        left_out = left_out or len(rows) > ROWS or crowd >= BOXES
        if level and crowd < BOXES:
            boxes.append(_Box(name, level, rows[:ROWS]))
    return boxes, left_out


def _levels(table: str, edges: Sequence[Edge]) -> dict[str, int]:
    """How far each table stands from this one: at most two before it, at most two behind it."""
    before = {edge.source.table for edge in edges if edge.target.table == table}
    behind = {edge.target.table for edge in edges if edge.source.table == table}
    levels = {table: 0}
    for source, target in dict.fromkeys((edge.source.table, edge.target.table) for edge in edges):
        if target in before:
            levels[source] = -2
        elif target == table:
            levels.setdefault(source, -1)
        if source in behind:
            levels[target] = 2
        elif source == table:
            levels.setdefault(target, 1)
    return levels


def _stacked(boxes: Sequence[_Box], edges: Sequence[Edge]) -> dict[str, _Box]:
    """The boxes with their heights: from the middle outwards, each beside what it has to do with."""
    placed = {box.table: box for box in boxes if box.level == 0}
    beside: dict[Port, list[Port]] = {}
    for edge in edges:
        beside.setdefault(edge.source, []).append(edge.target)
        beside.setdefault(edge.target, []).append(edge.source)
    for level in (-1, 1, -2, 2):
        stack = [_ordered(box, beside, placed) for box in boxes if box.level == level]
        y = 0.0
        for box in sorted(stack, key=lambda box: _middle(map(box.port, (None, *box.rows)), beside, placed)):
            placed[box.table] = replace(box, y=y)
            y += box.tall + _GAP_Y
    tallest = max(_tall(placed, level) for level in range(-2, 3))
    shift = {level: _PAD + (tallest - _tall(placed, level)) / 2 for level in range(-2, 3)}
    return {name: replace(box, y=box.y + shift[box.level]) for name, box in placed.items()}


def _tall(placed: Mapping[str, _Box], level: int) -> float:
    stack = [box.tall + _GAP_Y for box in placed.values() if box.level == level]
    return sum(stack) - _GAP_Y if stack else 0


def _ordered(box: _Box, beside: Mapping[Port, Sequence[Port]], placed: Mapping[str, _Box]) -> _Box:
    """The box with its columns in the order of what they lead to, so that few lines cross."""
    order = {row: (_middle([box.port(row)], beside, placed), at) for at, row in enumerate(box.rows)}
    return replace(box, rows=tuple(sorted(box.rows, key=order.__getitem__)))


def _middle(ports: Iterable[Port], beside: Mapping[Port, Sequence[Port]], placed: Mapping[str, _Box]) -> float:
    """The mean height of what these have an edge with, among what is placed."""
    found = [
        placed[other.table].middle(other) for port in ports for other in beside.get(port, ()) if _stands(other, placed)
    ]
    return sum(found) / len(found) if found else float("inf")


def _stands(port: Port, placed: Mapping[str, _Box]) -> bool:
    box = placed.get(port.table)
    return box is not None and (port.column is None or port.column in box.rows)


# -- SVG


def _svg(places: Places, table: Table, placed: Mapping[str, _Box], edges: Sequence[Edge]) -> Markup:
    first = min(box.level for box in placed.values())
    last = max(box.level for box in placed.values())
    left = {box.table: _PAD + (box.level - first) * (_WIDE + _GAP_X) for box in placed.values()}
    numbers = {port: at for at, port in enumerate(_ports(placed.values()))}
    lines = [_line(edge, placed, left, numbers) for edge in sorted(edges, key=lambda edge: edge.direct)]
    drawn = [_box(places, box, left[box.table], numbers) for box in placed.values()]
    wide = (last - first + 1) * (_WIDE + _GAP_X) - _GAP_X + 2 * _PAD
    tall = max(box.y + box.tall for box in placed.values()) + _PAD
    return el(
        "svg", el("g", *lines, class_="edges", aria_hidden="true"), *drawn, class_="graph ways",
        viewBox=f"0 0 {wide} {tall:g}", width=wide, height=f"{tall:g}", role="group",
        aria_label=f"Column lineage of {clipped(table.name)}: {many(len(placed), 'table')}",
    )  # fmt: skip


def _ports(boxes: Iterable[_Box]) -> Iterable[Port]:
    for box in boxes:
        yield from map(box.port, (None, *box.rows))


def _line(edge: Edge, placed: Mapping[str, _Box], left: Mapping[str, float], numbers: Mapping[Port, int]) -> Markup:
    x1, x2 = left[edge.source.table] + _WIDE, left[edge.target.table]
    y1, y2 = placed[edge.source.table].middle(edge.source), placed[edge.target.table].middle(edge.target)
    half = min((x2 - x1) / 2, 60)
    path = f"M{x1:g} {y1:g}C{x1 + half:g} {y1:g} {x2 - half:g} {y2:g} {x2:g} {y2:g}"
    return el(
        "path",
        d=path,
        class_=None if edge.direct else "decides",
        data_from=str(numbers[edge.source]),
        data_to=str(numbers[edge.target]),
    )


def _box(places: Places, box: _Box, x: float, numbers: Mapping[Port, int]) -> Markup:
    name, kind = places.called(box.table)
    anchor = places.anchors.get(box.table)
    head = [
        el("text", clipped(name, 22), x=f"{x + 12:g}", y=f"{box.y + 18:g}", class_="label"),
        el("text", clipped(kind, 26), x=f"{x + 12:g}", y=f"{box.y + 32:g}", class_="sub"),
        el("title", clipped(box.table.removeprefix(OUTSIDE), 300)),
    ]
    rows = [_row(places, box, at, x, numbers) for at in range(len(box.rows))]
    number = str(numbers[Port(box.table, None)])
    spoken = f"{clipped(name, 120)}, {clipped(kind)}"
    return el(
        "g",
        el("rect", x=f"{x:g}", y=f"{box.y:g}", width=_WIDE, height=f"{box.tall:g}", rx=5, class_="box"),
        el("a", *head, href=f"#{anchor}", class_="node", data_node=number, aria_label=spoken)
        if anchor
        else el("g", *head, class_="node", data_node=number),
        *rows,
        class_="own" if box.level == 0 else None,
    )


def _row(places: Places, box: _Box, at: int, x: float, numbers: Mapping[Port, int]) -> Markup:
    row, y = box.rows[at], box.y + _HEAD + at * _ROW
    shown = row or "some column"
    inside = [
        el("rect", x=f"{x + 1:g}", y=f"{y:g}", width=_WIDE - 2, height=_ROW, class_="row"),
        el("text", clipped(shown, 24), x=f"{x + 12:g}", y=f"{y + 14:g}"),
        el("title", clipped(shown, 300)) if len(shown) > 24 else None,
    ]
    number = str(numbers[Port(box.table, row)])
    link = places.anchor(Port(box.table, row))
    if link is None:
        return el("g", *inside, class_="node", data_node=number)
    spoken = f"{clipped(box.table, 120)}, column {clipped(shown, 120)}"
    return el("a", *inside, href=f"#{link}", class_="node", data_node=number, aria_label=spoken)
