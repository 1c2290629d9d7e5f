"""What flows into a value: columns of tables, each with how it gets there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import lru_cache
from typing import Literal, NamedTuple

from headgate.core.records import dataclass

Kind = Literal[
    "identity", "transformation", "aggregation", "join", "filter", "group_by", "sort", "window", "conditional", "rows"
]
DIRECT = ("identity", "transformation", "aggregation")
"""The value is made of it; by every other kind it only decides which value, or which rows there are."""

ANY = "\x00any"
"""In place of a column: some column of the table, nobody knows which. No name of a column holds a NUL."""
SAME = "\x00same"
"""In place of a column: the column of the same name, where a table's columns are not known."""
ROWS = "\x00rows"
"""In place of a column: which rows the table has, whatever stands in them."""


class Flow(NamedTuple):
    """One column (or ANY, SAME, ROWS) of a table, and how it flows."""

    table: str
    column: str
    kind: Kind


Flows = frozenset[Flow]
NOTHING: Flows = frozenset()


@lru_cache(maxsize=4096)
def through(flows: Flows, outer: Kind) -> Flows:
    """The flows of a value when the value itself flows on by `outer`."""
    return frozenset(Flow(one.table, one.column, _joined(one.kind, outer)) for one in flows)


def _joined(inner: Kind, outer: Kind) -> Kind:
    if inner == "rows":
        return inner
    if outer not in DIRECT:
        return outer
    if inner not in DIRECT:
        return inner
    return max(inner, outer, key=DIRECT.index)


def union(parts: Iterable[Flows]) -> Flows:
    return NOTHING.union(*parts)


def named(flows: Flows, name: str) -> Flows:
    """The flows with SAME replaced by this name."""
    if not any(one.column == SAME for one in flows):
        return flows
    return frozenset(one._replace(column=name) if one.column == SAME else one for one in flows)


def anything(flows: Flows) -> Flows:
    """The flows with SAME replaced by ANY: of a column whose name is not known."""
    return frozenset(one._replace(column=ANY) if one.column == SAME else one for one in flows)


@dataclass(frozen=True)
class Value:
    """What an expression is made of. `fields`: of a struct whose fields are known, each apart."""

    flows: Flows = NOTHING
    fields: Mapping[str, Value] | None = field(default=None, compare=False)

    def by(self, kind: Kind) -> Value:
        return self if kind == "identity" else Value(through(self.flows, kind))

    def item(self, name: str) -> Value:
        """The struct's field of this name; all of it where its fields are not known."""
        found = self.fields.get(name.casefold()) if self.fields is not None else None
        return found if found is not None else self.by("transformation")


EMPTY = Value()


def merged(values: Iterable[Value], kind: Kind = "identity") -> Value:
    found = list(values)
    if len(found) == 1:
        return found[0].by(kind)
    return Value(through(union(one.flows for one in found), kind))
