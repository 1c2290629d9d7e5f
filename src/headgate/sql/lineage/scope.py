"""Names: the relations that a query reads, and what a name in it means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from headgate.core.records import dataclass
from headgate.sql.lineage.flow import (
    NOTHING,
    ROWS,
    SAME,
    Flow,
    Flows,
    Value,
    anything,
    merged,
    named,
    union,
)
from headgate.sql.lineage.known import Known

if TYPE_CHECKING:
    from sqlglot import exp


class Untraceable(Exception):
    """The query holds something that is not taken apart; the message says what."""


def refuse_others(node: exp.Expr, taken: frozenset[str]) -> None:
    """Raises Untraceable where the node has a clause that is none of `taken`: it might decide about rows."""
    other = next((key for key, value in node.args.items() if value and key not in taken), None)
    if other is not None:
        what = f"{other.strip('_').replace('_', ' ').upper()} of {type(node).__name__.upper()}"
        raise Untraceable(f"{what} is not taken apart")


@dataclass(frozen=True)
class Column:
    """One column of a relation: its name as written, and what it is made of."""

    name: str
    value: Value


@dataclass(frozen=True)
class Relation:
    """What stands behind FROM. `rest`: what any other column is made of; None where there is no other column.

    `rows`: what decides which rows there are. `hidden`: names that `*` and a bare name leave to another relation.
    """

    alias: str = ""
    schema: str = ""
    columns: tuple[Column, ...] = ()
    rest: Flows | None = None
    rows: Flows = NOTHING
    hidden: frozenset[str] = frozenset()

    @property
    def everything(self) -> Flows:
        own = union(one.value.flows for one in self.columns)
        return own | anything(self.rest) if self.rest else own

    def column(self, name: str) -> Value | None:
        """What the column is made of; None if there is none of this name. Case does not count."""
        found = self._by_name.get(name.casefold(), [])
        if found:
            return found[0] if len(found) == 1 else merged(found)
        return None

    @cached_property
    def _by_name(self) -> dict[str, list[Value]]:
        found: dict[str, list[Value]] = {}
        for one in self.columns:
            found.setdefault(one.name.casefold(), []).append(one.value)
        return found

    def other(self, name: str) -> Value | None:
        """What a column is made of that is not among those known."""
        return None if self.rest is None else Value(named(self.rest, name))

    def called(self, alias: str, columns: Sequence[str] = (), schema: str = "") -> Relation:
        """The relation under another name, its first columns renamed."""
        renamed = (
            tuple(Column(name, one.value) for name, one in zip(columns, self.columns, strict=False))
            + self.columns[len(columns) :]
        )
        extra = tuple(Column(name, Value(anything(self.rest))) for name in columns[len(self.columns) :] if self.rest)
        return replace(self, alias=alias, schema=schema, columns=renamed + extra, hidden=frozenset())

    def struct(self) -> Value:
        """A whole row as one value."""
        fields = {one.name.casefold(): one.value for one in self.columns} if self.rest is None else None
        return Value(self.everything, fields)


def table(known: Known, alias: str, schema: str) -> Relation:
    """The relation of a table as the warehouse has it."""
    rows = frozenset([Flow(known.name, ROWS, "rows")])
    rest = frozenset([Flow(known.name, SAME, "identity")]) if known.more else None
    columns = tuple(Column(name, Value(frozenset([Flow(known.name, name, "identity")]))) for name in known.columns)
    return Relation(alias, schema, columns, rest, rows)


@dataclass
class Scope:
    """The relations that a name may mean, innermost first, and names bound by the query itself."""

    parent: Scope | None = None
    relations: list[Relation] = field(default_factory=list)
    bound: Mapping[str, Value] = field(default_factory=dict)
    aliases: dict[str, Value] = field(default_factory=dict)
    windows: dict[str, exp.Expr] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    in_clause: bool = False
    gone: list[Flows] = field(default_factory=list)

    def within(self, bound: Mapping[str, Value] | None = None) -> Scope:
        """A scope inside this one."""
        return Scope(self, bound=bound or {}, unknown=self.unknown)

    @property
    def everything(self) -> Flows:
        own = union([*(one.everything for one in self.relations), *(one.flows for one in self.bound.values())])
        return own | self.parent.everything if self.parent else own

    def bare(self, name: str) -> Value:
        """What a name without a table means: in a clause it may also mean an output column."""
        found = self._bare(name)
        if self.in_clause and name.casefold() in self.aliases:
            return merged([self.aliases[name.casefold()], *([found] if found is not None else [])])
        if found is None:
            self.unknown.add(name)
            return Value(self.everything)
        return found

    def means(self, name: str) -> bool:
        """Whether the name without a table means anything here."""
        return self._bare(name) is not None

    def _bare(self, name: str) -> Value | None:
        folded = name.casefold()
        if folded in self.bound:
            return self.bound[folded]
        seen = [one for one in self.relations if folded not in one.hidden]
        found = [value for one in seen if (value := one.column(name)) is not None]
        if found:
            return merged(found)
        guesses = [value for one in seen if (value := one.other(name)) is not None]
        if folded in self.aliases:
            guesses.append(self.aliases[folded])
        if not guesses:
            guesses += [one.struct() for one in self.relations if one.alias.casefold() == folded]
            if guesses:
                return merged(guesses)
        outer = self.parent._bare(name) if self.parent else None
        guesses += [outer] if outer is not None else []
        return merged(guesses) if guesses else None

    def qualified(self, parts: Sequence[str]) -> Value:
        """What `table.column`, `schema.table.column` or `struct.field` means."""
        found = self._qualified(parts)
        if found is None:
            self.unknown.add(".".join(parts))
            return Value(self.everything)
        return found

    def _qualified(self, parts: Sequence[str]) -> Value | None:
        for at in range(len(parts) - 1, 0, -1):
            for one in self.matching(parts[:at]):
                value = one.column(parts[at]) or one.other(parts[at]) or Value(one.everything)
                return _fields(value, parts[at + 1 :])
        outer = self.parent._qualified(parts) if self.parent else None
        struct = self._bare(parts[0])
        inner = _fields(struct, parts[1:]) if struct is not None else None
        found = [one for one in (inner, outer) if one is not None]
        return merged(found) if found else None

    def matching(self, parts: Sequence[str]) -> Iterator[Relation]:
        """The relations of this scope that `parts` (at most catalog, schema, table) name."""
        folded = [part.casefold() for part in parts]
        if not 1 <= len(folded) <= 3:
            return
        for one in self.relations:
            schema_fits = len(folded) == 1 or (one.schema or "main").casefold() == folded[-2]
            if one.alias.casefold() == folded[-1] and schema_fits:
                yield one

    def star(self, parts: Sequence[str]) -> list[Relation]:
        """The relations that `*` or `table.*` expands to."""
        if not parts:
            return list(self.relations)
        found = [replace(one, hidden=frozenset()) for one in self.matching(parts)]
        if found or self.parent is None:
            return found
        return self.parent.star(parts)


def _fields(value: Value, names: Iterable[str]) -> Value:
    for name in names:
        value = value.item(name)
    return value
