"""Where the nodes of a graph stand, layer after layer from left to right, so that few lines cross.

The way of Sugiyama: nodes go into layers by their longest path, an edge over several layers gets a bend in each of
them, the order within a layer follows the neighbours' middle, and heights follow the neighbours, too.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from itertools import pairwise

from headgate.core.records import dataclass

SWEEPS = 12

Edge = tuple[str, str]


@dataclass(frozen=True)
class Placed:
    """`at`: layer and height (in rows, from 0) of each node. `paths`: the points of each edge, ends included.
    `layers`, `height`: how many of them there are."""

    at: Mapping[str, tuple[int, float]]
    paths: Mapping[Edge, tuple[tuple[int, float], ...]]
    layers: int
    height: float


def place(nodes: Sequence[str], edges: Iterable[Edge]) -> Placed:
    """The layout of a graph without cycles; edges to nodes that are not listed are left out."""
    known = set(nodes)
    wanted = sorted({(one, two) for one, two in edges if one in known and two in known and one != two})
    layer = _layers(nodes, wanted)
    bends = {edge: _bends(edge, layer) for edge in wanted}
    chains = {edge: (edge[0], *bends[edge], edge[1]) for edge in wanted}
    everywhere = layer | {bend: layer[edge[0]] + 1 + n for edge in wanted for n, bend in enumerate(bends[edge])}
    links = [pair for chain in chains.values() for pair in pairwise(chain)]
    columns = _ordered(_columns(nodes, everywhere), links)
    heights = _heights(columns, links)
    at = {node: (everywhere[node], heights[node]) for node in everywhere}
    paths = {edge: tuple(at[node] for node in chain) for edge, chain in chains.items()}
    tall = max((heights[node] for node in known), default=0.0) + 1
    return Placed({node: at[node] for node in nodes}, paths, len(columns), tall)


def _layers(nodes: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """The longest path to each node; what nothing leads to stands just before what it leads to."""
    before: dict[str, list[str]] = {node: [] for node in nodes}
    after: dict[str, list[str]] = {node: [] for node in nodes}
    for one, two in edges:
        before[two].append(one)
        after[one].append(two)
    layer: dict[str, int] = {}
    for node in TopologicalSorter(before).static_order():
        layer[node] = max((layer[other] + 1 for other in before[node]), default=0)
    for node in nodes:
        if not before[node] and after[node]:
            layer[node] = min(layer[other] for other in after[node]) - 1
    return {node: layer[node] for node in nodes}


def _bends(edge: Edge, layer: Mapping[str, int]) -> tuple[str, ...]:
    one, two = edge
    return tuple(f"\0{one}\0{two}\0{number}" for number in range(layer[one] + 1, layer[two]))


def _columns(nodes: Sequence[str], layer: Mapping[str, int]) -> list[list[str]]:
    columns: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for node in (*nodes, *(node for node in layer if node.startswith("\0"))):
        columns[layer[node]].append(node)
    return columns


def _ordered(columns: list[list[str]], links: Sequence[Edge]) -> list[list[str]]:
    """The columns in the best order that the sweeps came by."""
    left, right = _neighbours(links)
    best, fewest = [list(column) for column in columns], _crossings(columns, right)
    for sweep in range(SWEEPS):
        towards, order = (left, columns) if sweep % 2 == 0 else (right, columns[::-1])
        sign = -1 if sweep % 4 in (1, 2) else 1  # of equals, now one stands first, now the other
        for number in range(1, len(order)):
            place = {node: index for index, node in enumerate(order[number - 1])}
            keys = {
                node: (_middle(node, towards, place, index), sign * index) for index, node in enumerate(order[number])
            }
            order[number].sort(key=keys.__getitem__)
        _untangle(columns, left, right)
        crossed = _crossings(columns, right)
        if crossed < fewest:
            best, fewest = [list(column) for column in columns], crossed
        if not fewest:
            break
    return best


def _untangle(columns: list[list[str]], left: Mapping[str, list[str]], right: Mapping[str, list[str]]) -> None:
    """Lets two that stand next to each other change places where fewer lines cross then."""
    place = {node: index for column in columns for index, node in enumerate(column)}
    for column in columns:
        for index in range(len(column) - 1):
            one, two = column[index], column[index + 1]
            if _tangled(one, two, left, right, place) > _tangled(two, one, left, right, place):
                column[index], column[index + 1] = two, one
                place[one], place[two] = index + 1, index


def _tangled(
    one: str, two: str, left: Mapping[str, list[str]], right: Mapping[str, list[str]], place: Mapping[str, int]
) -> int:
    """How many lines of these two cross if `one` stands above `two`."""
    return sum(
        place[mine] > place[other]
        for side in (left, right)
        for mine in side.get(one, ())
        for other in side.get(two, ())
    )


def _neighbours(links: Sequence[Edge]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    left: dict[str, list[str]] = {}
    right: dict[str, list[str]] = {}
    for one, two in links:
        left.setdefault(two, []).append(one)
        right.setdefault(one, []).append(two)
    return left, right


def _middle(node: str, towards: Mapping[str, list[str]], place: Mapping[str, int], own: int) -> float:
    found = [place[other] for other in towards.get(node, ()) if other in place]
    return sum(found) / len(found) if found else float(own)


def _crossings(columns: Sequence[Sequence[str]], right: Mapping[str, list[str]]) -> int:
    """How many pairs of lines between neighbouring columns cross."""
    crossed = 0
    for column, following in pairwise(columns):
        place = {node: index for index, node in enumerate(following)}
        seen: list[int] = []
        for node in column:
            ends = sorted(place[other] for other in right.get(node, ()))
            crossed += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return crossed


def _heights(columns: Sequence[Sequence[str]], links: Sequence[Edge]) -> dict[str, float]:
    """Heights that keep the order, stand a row apart (a bend half a row), and follow the neighbours."""
    left, right = _neighbours(links)
    height = {node: float(index) for column in columns for index, node in enumerate(column)}
    for sweep in range(SWEEPS):
        forwards = sweep % 2 == 0
        for column in columns if forwards else columns[::-1]:
            _settle(column, left if forwards else right, height)
    lowest = min(height.values(), default=0.0)
    return {node: value - lowest for node, value in height.items()}


def _settle(column: Sequence[str], towards: Mapping[str, list[str]], height: dict[str, float]) -> None:
    """Moves a column's nodes to the middle of their neighbours, as far as the others leave room."""
    wanted = [_wanted(node, towards, height) for node in column]
    down, up = list(wanted), list(wanted)
    for index in range(1, len(column)):
        down[index] = max(wanted[index], down[index - 1] + _room(column[index - 1], column[index]))
    for index in range(len(column) - 2, -1, -1):
        up[index] = min(wanted[index], up[index + 1] - _room(column[index], column[index + 1]))
    for index, node in enumerate(column):
        height[node] = (down[index] + up[index]) / 2


def _wanted(node: str, towards: Mapping[str, list[str]], height: Mapping[str, float]) -> float:
    found = [height[other] for other in towards.get(node, ())]
    return sum(found) / len(found) if found else height[node]


def _room(one: str, two: str) -> float:
    return 0.5 if one.startswith("\0") and two.startswith("\0") else 0.75 if "\0" in (one[:1], two[:1]) else 1.0
