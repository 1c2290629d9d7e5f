"""The column lineage of one table as SVG: its columns in the middle, what they are made of to the left, what is made of
them to the right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from headgate.report.markup import Markup, clipped, el, many, quoted
from headgate.report.model import Table
from headgate.report.origins import Places
from headgate.report.parts import scrolled
from headgate.report.ways import OUTSIDE, Edge, Place, around

COLUMNS, ROWS, BOXES = 40, 16, 10
"""So many columns of the table itself, of one beside it, and so many tables one above the other are drawn."""

DRAWN = 600_000
"""Characters of drawings that a page may hold."""

_WIDE, _GAP_X, _GAP_Y, _HEAD, _ROW, _FOOT, _PAD = 164, 50, 14, 40, 20, 6, 8


class _Box(NamedTuple):
    """One table. `level`: 0 is the table itself, before it is negative. `rows`: its columns that are drawn."""

    table: str
    level: int
    rows: tuple[str, ...]
    y: float = 0.0

    @property
    def tall(self) -> float:
        return _HEAD + len(self.rows) * _ROW + (_FOOT if self.rows else 0)

    @property
    def ports(self) -> list[Place]:
        """The table itself and its columns."""
        return [(self.table, None), *[(self.table, row) for row in self.rows]]

    def middles(self) -> dict[Place, float]:
        """The height at which edges meet the table itself and its columns."""
        middles = [self.y + _HEAD / 2, *[self.y + _HEAD + (at + 0.5) * _ROW for at in range(len(self.rows))]]
        return dict(zip(self.ports, middles, strict=True))


def drawing(places: Places, table: Table) -> Markup | None:
    """The drawing in a window that scrolls, and what it leaves out; nothing where nothing is known."""
    edges = around(places.ways, table, COLUMNS)
    if not edges:
        return None
    boxes, left_out = _boxes(table, edges)
    placed = _stacked(boxes, edges)
    ports = {port: box.level for box in placed.values() for port in box.ports}
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
    drawn: dict[str, list[str]] = {}
    for table_of, row in dict.fromkeys(port for source, target, _ in edges for port in (source, target)):
        if row is not None:
            drawn.setdefault(table_of, []).append(row)
    own = tuple(column.name for column in table.columns[:COLUMNS])
    boxes, left_out = [_Box(table.name, 0, own)], len(table.columns) > COLUMNS
    for name, level in levels.items():
        rows = tuple(drawn.get(name, ()))
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
    middles = boxes[0].middles()
    beside: dict[Place, list[Place]] = {}
    for source, target, _ in edges:
        beside.setdefault(source, []).append(target)
        beside.setdefault(target, []).append(source)
    for level in (-1, 1, -2, 2):
        stack = [_ordered(box, beside, middles) for box in boxes if box.level == level]
        order = {box.table: _middle(box.ports, beside, middles) for box in stack}
        y, level_middles = 0.0, dict[Place, float]()
        for box in sorted(stack, key=lambda box: order[box.table]):
            placed[box.table] = box._replace(y=y)
            level_middles |= placed[box.table].middles()
            y += box.tall + _GAP_Y
        middles |= level_middles
    tallest = max(_tall(placed, level) for level in range(-2, 3))
    shift = {level: _PAD + (tallest - _tall(placed, level)) / 2 for level in range(-2, 3)}
    return {name: box._replace(y=box.y + shift[box.level]) for name, box in placed.items()}


def _tall(placed: Mapping[str, _Box], level: int) -> float:
    stack = [box.tall + _GAP_Y for box in placed.values() if box.level == level]
    return sum(stack) - _GAP_Y if stack else 0


def _ordered(box: _Box, beside: Mapping[Place, Sequence[Place]], middles: Mapping[Place, float]) -> _Box:
    """The box with its columns in the order of what they lead to, so that few lines cross."""
    order = {row: (_middle([(box.table, row)], beside, middles), at) for at, row in enumerate(box.rows)}
    return box._replace(rows=tuple(sorted(box.rows, key=order.__getitem__)))


def _middle(ports: Iterable[Place], beside: Mapping[Place, Sequence[Place]], middles: Mapping[Place, float]) -> float:
    """The mean height of what these have an edge with, among what is placed."""
    found = [middles[other] for port in ports for other in beside.get(port, ()) if other in middles]
    return sum(found) / len(found) if found else float("inf")


# -- SVG


def _svg(places: Places, table: Table, placed: Mapping[str, _Box], edges: Sequence[Edge]) -> Markup:
    first = min(box.level for box in placed.values())
    last = max(box.level for box in placed.values())
    left = {box.table: _PAD + (box.level - first) * (_WIDE + _GAP_X) for box in placed.values()}
    numbers = {port: at for at, port in enumerate(_ports(placed.values()))}
    middles = {port: y for box in placed.values() for port, y in box.middles().items()}
    lines = [_line(edge, middles, left, numbers) for edge in sorted(edges, key=lambda edge: edge.direct)]
    drawn = [_box(places, box, left[box.table], numbers) for box in placed.values()]
    wide = (last - first + 1) * (_WIDE + _GAP_X) - _GAP_X + 2 * _PAD
    tall = max(box.y + box.tall for box in placed.values()) + _PAD
    spoken = quoted(f"Column lineage of {clipped(table.name)}: {many(len(placed), 'table')}")
    return Markup(
        f'<svg class="graph ways" viewBox="0 0 {wide} {tall:g}" width="{wide}" height="{tall:g}" role="group" '
        f'aria-label="{spoken}"><g class="edges" aria-hidden="true">{"".join(lines)}</g>{"".join(drawn)}</svg>'
    )


def _ports(boxes: Iterable[_Box]) -> Iterator[Place]:
    for box in boxes:
        yield from box.ports


def _line(edge: Edge, middles: Mapping[Place, float], left: Mapping[str, float], numbers: Mapping[Place, int]) -> str:
    source, target, direct = edge
    x1, x2 = left[source.table] + _WIDE, left[target.table]
    y1, y2 = f"{middles[source]:g}", f"{middles[target]:g}"
    half = min((x2 - x1) / 2, 60)
    kind = "" if direct else ' class="decides"'
    return (
        f'<path d="M{x1:g} {y1}C{x1 + half:g} {y1} {x2 - half:g} {y2} {x2:g} {y2}"{kind} '
        f'data-from="{numbers[source]}" data-to="{numbers[target]}"></path>'
    )


def _box(places: Places, box: _Box, x: float, numbers: Mapping[Place, int]) -> str:
    name, kind = places.called(box.table)
    anchor, y, node = places.anchors.get(box.table), box.y, numbers[box.table, None]
    head = (
        f'<text x="{x + 12:g}" y="{y + 18:g}" class="label">{quoted(name, 22)}</text>'
        f'<text x="{x + 12:g}" y="{y + 32:g}" class="sub">{quoted(kind, 26)}</text>'
        f"<title>{quoted(box.table.removeprefix(OUTSIDE), 300)}</title>"
    )
    if anchor:
        spoken = quoted(f"{clipped(name, 120)}, {clipped(kind)}")
        head = f'<a href="#{anchor}" class="node" data-node="{node}" aria-label="{spoken}">{head}</a>'
    else:
        head = f'<g class="node" data-node="{node}">{head}</g>'
    rows = "".join([_row(places, box, at, (f"{x + 1:g}", f"{x + 12:g}"), numbers[box.table, row])
                    for at, row in enumerate(box.rows)])  # fmt: skip
    own = ' class="own"' if box.level == 0 else ""
    frame = f'<rect x="{x:g}" y="{y:g}" width="{_WIDE}" height="{box.tall:g}" rx="5" class="box"></rect>'
    return f"<g{own}>{frame}{head}{rows}</g>"


def _row(places: Places, box: _Box, at: int, left: tuple[str, str], node: int) -> str:
    """A column. `left`: where its frame and its name begin."""
    port, y = (box.table, box.rows[at]), box.y + _HEAD + at * _ROW
    shown = box.rows[at] or "some column"
    title = f"<title>{quoted(shown, 300)}</title>" if len(shown) > 24 else ""
    inside = (
        f'<rect x="{left[0]}" y="{y:g}" width="{_WIDE - 2}" height="{_ROW}" class="row"></rect>'
        f'<text x="{left[1]}" y="{y + 14:g}">{quoted(shown, 24)}</text>{title}'
    )
    link = places.anchor(port)
    if link is None:
        return f'<g class="node" data-node="{node}">{inside}</g>'
    spoken = quoted(f"{clipped(box.table, 120)}, column {clipped(shown, 120)}")
    return f'<a href="#{link}" class="node" data-node="{node}" aria-label="{spoken}">{inside}</a>'
