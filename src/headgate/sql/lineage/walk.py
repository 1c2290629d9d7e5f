"""The way of columns through many queries: up to what they are made of, down to what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import NamedTuple

from headgate.core.records import dataclass
from headgate.sql.lineage.flow import ANY, ROWS, SAME, Flows, Kind, anything, named, union
from headgate.sql.lineage.known import Traced


class Node(NamedTuple):
    """A column of a table; ROWS: which rows it has; ANY: some column of it."""

    table: str
    column: str


class Hop(NamedTuple):
    """`source` flows into `target` by `kind`. `depth`: how many tables away from where the walk began, from 1."""

    source: Node
    target: Node
    kind: Kind
    depth: int


@dataclass(frozen=True)
class Lineage:
    """What every table's columns are made of, by its name. A name that is missing is made of nothing that is known."""

    tables: Mapping[str, Traced]
    _names: dict[str, dict[str, str]] = field(default_factory=dict, compare=False, repr=False)

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns that are known."""
        found = self.tables.get(table)
        return tuple(name for name, _ in found.columns) if found is not None else ()

    def node(self, table: str, column: str) -> Node:
        """The column as its table spells it."""
        return Node(table, column if column in (ROWS, ANY) else self.spelled(table, column))

    def spelled(self, table: str, column: str) -> str:
        """The name of a column as its table spells it; as it is, where the table has none of this name."""
        names = self._names.get(table)
        if names is None:
            names = self._names[table] = {name.casefold(): name for name in self.columns(table)}
        return names.get(column.casefold(), column)

    def into(self, node: Node) -> Flows:
        """What flows into a column of itself, or into the rows of a table."""
        found = self.tables.get(node.table)
        if found is None:
            return frozenset()
        if node.column == ROWS:
            return found.rows
        if node.column == ANY:
            return union(flows for _, flows in found.columns) | anything(found.rest or frozenset())
        for name, flows in found.columns:
            if name == node.column:
                return flows
        return named(found.rest, node.column) if found.rest is not None else frozenset()

    def up(self, starts: Iterable[Node], depth: int | None = None) -> list[Hop]:
        """Every hop on the way to what these are made of, nearest first. The rows of a table decide about each of its
        columns: the way of a column is that of its table's rows, too."""
        return _walk(starts, depth, self._above, forward=False)

    def down(self, starts: Iterable[Node], depth: int | None = None) -> list[Hop]:
        """Every hop on the way to what is made of these, nearest first. Where a table's rows are reached, so is every
        column of it."""
        return _walk(starts, depth, self._below, forward=True)

    def _above(self, node: Node) -> Iterator[tuple[Node, Node, Kind]]:
        for target in dict.fromkeys((node, Node(node.table, ROWS))):
            for flow in sorted(self.into(target)):
                yield self.node(flow.table, flow.column), target, flow.kind

    def _below(self, node: Node) -> Iterator[tuple[Node, Node, Kind]]:
        for target, kind in self._users.get(node, ()):
            yield node, target, kind
        if node.column == ROWS:
            return
        for target, kind in self._users.get(Node(node.table, ANY), ()) if node.column != ANY else ():
            yield node, target, kind
        for target, kind in self._users.get(Node(node.table, SAME), ()):
            yield node, Node(target.table, node.column) if target.column == ANY else target, kind
        if node.column == ANY:  # some column that is not known: whoever reads one that is not known may mean it
            for name in self._unknown.get(node.table, ()):
                for target, kind in self._users[Node(node.table, name)]:
                    yield node, target, kind

    @cached_property
    def _users(self) -> dict[Node, list[tuple[Node, Kind]]]:
        """What each column flows into."""
        found: dict[Node, list[tuple[Node, Kind]]] = {}
        for table, traced in self.tables.items():
            targets = [*traced.columns, (ROWS, traced.rows)]
            targets += [(ANY, traced.rest)] if traced.rest is not None else []
            for column, flows in targets:
                for flow in sorted(flows):
                    source = Node(flow.table, SAME) if flow.column == SAME else self.node(flow.table, flow.column)
                    found.setdefault(source, []).append((Node(table, column), flow.kind))
        return found

    @cached_property
    def _unknown(self) -> dict[str, list[str]]:
        """The columns that are read of each table and are not among those known."""
        found: dict[str, list[str]] = {}
        for node in self._users:
            if node.column not in (ROWS, ANY, SAME) and node.column not in self.columns(node.table):
                found.setdefault(node.table, []).append(node.column)
        return found


def _walk(
    starts: Iterable[Node], depth: int | None, step: Callable[[Node], Iterator[tuple[Node, Node, Kind]]], forward: bool
) -> list[Hop]:
    hops: dict[tuple[Node, Node, Kind], Hop] = {}
    todo, seen, level = list(dict.fromkeys(starts)), set[Node](), 0
    while todo and (depth is None or level < depth):
        level += 1
        reached: dict[Node, None] = {}
        for node in todo:
            seen.add(node)
            for source, target, kind in step(node):
                hops.setdefault((source, target, kind), Hop(source, target, kind, level))
                reached[target if forward else source] = None
        todo = [node for node in reached if node not in seen]
    return list(hops.values())
