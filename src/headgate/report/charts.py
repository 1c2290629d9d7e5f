"""Small drawings as SVG: the graph of tables, loads as a line of bars, runs as bars, shares as a bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from headgate.report.dag import Placed, place
from headgate.report.markup import Attribute, Child, Markup, clipped, count, el, joined, many, quoted
from headgate.report.model import Exposure, Run, Table

NODES = 150
"""A graph of more tables is drawn by layers."""

_WIDE, _TALL, _GAP_X, _ROW, _PAD = 170, 44, 46, 60, 10
_SPARK, _SPARK_TALL = 24, 22


def spark(rows: Sequence[int]) -> Markup:
    """The latest loads as bars; the last one stands out."""
    shown = list(rows)[-_SPARK:]
    most = max(shown, default=0)
    if len(shown) < 2 or not most:
        return Markup("")
    talls = [max(1.0, value / most * _SPARK_TALL) for value in shown]
    bars = [
        f'<rect x="{at * 4}" y="{_SPARK_TALL - tall:.1f}" width="3.0" height="{tall:.1f}"></rect>'
        for at, tall in enumerate(talls)
    ]
    bars[-1] = bars[-1].replace("></rect>", ' class="last"></rect>')
    wide = len(shown) * 4
    return Markup(
        f'<svg class="spark" viewBox="0 0 {wide} {_SPARK_TALL}" width="{wide}" height="{_SPARK_TALL}" role="img" '
        f'aria-label="Rows of the last {len(shown)} loads, from {count(shown[0])} to {count(shown[-1])}">'
        f"{''.join(bars)}</svg>"
    )


def fates(parts: Sequence[tuple[str, int]]) -> Markup:
    """Shares of a whole as one bar; what is there at all is at least a hair wide."""
    whole = sum(number for _, number in parts)
    if not whole:
        return Markup("")
    least = 4.0
    raw = {name: max(least, number / whole * 1000) for name, number in parts if number}
    scale = 1000 / sum(raw.values())
    bars, at = [], 0.0
    for name, wide in raw.items():
        bars.append(_rect(at, 0, max(wide * scale - 2, 1), 12, class_=f"fate-{name}"))
        at += wide * scale
    told = ", ".join(f"{count(number)} {name}" for name, number in parts)
    return el(
        "svg", *bars, class_="fates", viewBox="0 0 1000 12", preserveAspectRatio="none", role="img", aria_label=told
    )


def share(value: float, tone: str) -> Markup:
    """A share from 0 to 1 as a thin bar."""
    wide = max(1.0, min(1.0, value) * 64)
    return Markup(
        '<svg class="share" viewBox="0 0 64 4" width="64" height="4" preserveAspectRatio="none" aria-hidden="true">'
        '<rect x="0" y="0" width="64" height="4" rx="2" class="track"></rect>'
        f'<rect x="0" y="0" width="{wide:.1f}" height="4" rx="2" class="fill-{quoted(tone)}"></rect></svg>'
    )


def durations(runs: Sequence[Run]) -> Markup:
    """Runs as bars, the oldest first: their height is how long they took, their colour how they ended."""
    shown = list(runs)[::-1]
    most = max((run.seconds or 0.0 for run in shown), default=0.0) or 1.0
    bars = []
    for index, run in enumerate(shown):
        tall = max(3.0, (run.seconds or 0.0) / most * 64)
        seconds = "not timed" if run.seconds is None else f"{run.seconds:.2f} s"
        when = run.at[:16].replace("T", " ")
        title = el("title", f"{when} UTC: {run.status}, {seconds}, {many(run.read, 'record')} read")
        bars.append(_rect(index * 12, 64 - tall, 9, tall, title, rx=1.5, class_=f"run-{tone(run.status)}"))
    wide = max(1, len(shown)) * 12 - 3
    label = f"How long the last {many(len(shown), 'run')} took, the longest {most:.2f} seconds"
    return el(
        "svg", *bars, class_="durations", viewBox=f"0 0 {wide} 64", width=wide, height=64, role="img", aria_label=label
    )


def _rect(x: float, y: float, wide: float, tall: float, *inside: Child, **attributes: Attribute) -> Markup:
    return el("rect", *inside, x=f"{x:g}", y=f"{y:.1f}", width=f"{wide:.1f}", height=f"{tall:.1f}", **attributes)


def bar(part: float, tones: str) -> Markup:
    """A part of the largest, from 0 to 1, as a bar as wide as there is room; what is there at all is to be seen."""
    inside = _rect(0, 0, max(0.5, part * 100), 6, rx=1, class_=tones)
    return el("svg", inside, class_="bar", viewBox="0 0 100 6", preserveAspectRatio="none", aria_hidden="true")


def tone(status: str) -> str:
    """The colour that a status has."""
    return {"ok": "ok", "skipped": "quiet", "running": "quiet", "unknown": "quiet", "refused": "warn"}.get(
        status, "bad"
    )


def graph(tables: Sequence[Table], exposures: Mapping[str, Exposure], anchors: Mapping[str, str]) -> Markup:
    """Tables, what they are made of and what reads them outside, or, of very many, the layers of tables."""
    names = {table.name for table in tables}
    if len(tables) > NODES:
        return _of_layers(tables)
    edges = [(read, table.name) for table in tables for read in table.reads if read in names]
    edges += [(read, key) for key, one in exposures.items() for read in {link.table for link in one.reads} & names]
    placed = place([*(table.name for table in tables), *exposures], edges)
    nodes = [_node(table, *placed.at[table.name], anchors) for table in tables]
    nodes += [_outside(one, *placed.at[key], anchors[key]) for key, one in exposures.items()]
    label = f"Graph of {many(len(tables), 'table')} and what each is made of"
    return _svg(placed, nodes, {name: anchors[name] for name in (*names, *exposures)}, label)


def _of_layers(tables: Sequence[Table]) -> Markup:
    layer = {table.name: table.layer for table in tables}
    order = list(dict.fromkeys(layer.values()))
    between: dict[tuple[str, str], int] = {}
    for table in tables:
        for read in table.reads:
            pair = (layer.get(read, table.layer), table.layer)
            if order.index(pair[0]) < order.index(pair[1]):
                between[pair] = between.get(pair, 0) + 1
    placed = place(order, between)
    nodes = []
    for one in order:
        number = sum(value == one for value in layer.values())
        rows = sum(table.rows or 0 for table in tables if table.layer == one)
        nodes.append(_box(one, f"{many(number, 'table')}, {many(rows, 'row')}", *placed.at[one], "ok"))
    return _svg(
        placed,
        nodes,
        {one: f"layer-{number}" for number, one in enumerate(order)},
        f"Graph of {many(len(order), 'layer')}",
    )


def _svg(placed: Placed, nodes: Sequence[Markup], ids: Mapping[str, str], label: str) -> Markup:
    wide = placed.layers * (_WIDE + _GAP_X) - _GAP_X + 2 * _PAD
    tall = round(placed.height * _ROW - (_ROW - _TALL) + 2 * _PAD)
    lines = [
        el("path", d=_path(points), data_from=ids.get(one), data_to=ids.get(two))
        for (one, two), points in placed.paths.items()
    ]
    return el(
        "svg", el("g", *lines, class_="edges"), *nodes, class_="graph", viewBox=f"0 0 {wide} {tall}", width=wide,
        height=tall, role="group", aria_label=label,
    )  # fmt: skip


def _corner(layer: int, height: float) -> tuple[float, float]:
    return _PAD + layer * (_WIDE + _GAP_X), _PAD + height * _ROW


def _path(points: Sequence[tuple[int, float]]) -> str:
    """From the right edge of the first box to the left edge of the last, softly through the bends between them."""
    stops = []
    for index, (layer, height) in enumerate(points):
        x, y = _corner(layer, height)
        y += _TALL / 2
        if index:
            stops.append((x, y))
        if index < len(points) - 1:
            stops.append((x + _WIDE, y))
    path = f"M{stops[0][0]:.0f} {stops[0][1]:.1f}"
    for (x1, y1), (x2, y2) in pairwise(stops):
        half = (x2 - x1) / 2
        path += f"C{x1 + half:.0f} {y1:.1f} {x2 - half:.0f} {y2:.1f} {x2:.0f} {y2:.1f}"
    return path


def _node(table: Table, layer: int, height: float, anchors: Mapping[str, str]) -> Markup:
    kind = {"load": "loaded", "view": "view"}.get(table.kind, "table")
    told = kind if table.rows is None or table.kind == "view" else many(table.rows, "row")
    tones = "bad" if table.bad else "quiet" if not table.at else "ok"
    box = _box(table.name, told, layer, height, tones)
    anchor = anchors[table.name]
    return el(
        "a", box, href=f"#{anchor}", class_="node", data_node=anchor, aria_label=f"{clipped(table.name, 120)}, {told}"
    )


def _outside(one: Exposure, layer: int, height: float, anchor: str) -> Markup:
    box = _lines(one.name, one.name, one.kind, layer, height, None)
    spoken = f"{clipped(one.name, 120)}, {clipped(one.kind)}"
    return el("a", box, href=f"#{anchor}", class_="node outside", data_node=anchor, aria_label=spoken)


def _box(label: str, told: str, layer: int, height: float, tones: str) -> Markup:
    schema, _, short = label.rpartition(".")
    return _lines(label, short or label, f"{schema} · {told}" if schema else told, layer, height, tones)


def _lines(label: str, short: str, below: str, layer: int, height: float, tones: str | None) -> Markup:
    x, y = _corner(layer, height)
    mark = el("rect", x=x, y=f"{y + 10:.1f}", width=3, height=_TALL - 20, rx=1.5, class_=f"fill-{tones}")
    lines = joined(
        [
            el("rect", x=x, y=f"{y:.1f}", width=_WIDE, height=_TALL, rx=5, class_="box"),
            mark if tones else None,
            el("text", clipped(short, 22), x=x + 14, y=f"{y + 19:.1f}", class_="label"),
            el("text", clipped(below, 27), x=x + 14, y=f"{y + 34:.1f}", class_="sub"),
            el("title", clipped(label, 300)),
        ]
    )
    return el("g", lines)
