"""What a walk over a query knows besides the query: tables, macros, common table expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace

from sqlglot import exp

from headgate.core.records import dataclass
from headgate.sql.lineage.known import Dialect, Known, Macro
from headgate.sql.lineage.scope import Relation, Scope, Untraceable
from headgate.sql.parse import Unparsed, parse

DEEPEST = 16
"""Macros that call macros are followed so far."""


@dataclass(frozen=True)
class Context:
    """`tables` by `schema.name` and `macros` by name, both in lower case. `query` makes a query into a relation."""

    tables: Mapping[str, Known]
    dialect: Dialect
    query: Callable[[exp.Expr, Context, Scope | None], Relation]
    macros: Mapping[str, tuple[Macro, ...]] = field(default_factory=dict)
    ctes: Mapping[str, Relation] = field(default_factory=dict)
    depth: int = 0

    def with_cte(self, name: str, relation: Relation) -> Context:
        return replace(self, ctes={**self.ctes, name.casefold(): relation})

    def bodies(self, node: exp.Expr, is_table: bool) -> Iterator[tuple[Macro, exp.Expr]]:
        """The macros that a call may mean, each with its body. Raises Untraceable where one can't be followed."""
        if not self.macros:
            return
        for macro in self.macros.get(_called(node), ()):
            if macro.is_table != is_table:
                continue
            text = macro.sql if is_table else f"SELECT {macro.sql}"
            body = parse(text, self.dialect)
            if isinstance(body, Unparsed) or self.depth >= DEEPEST:
                raise Untraceable(f"the macro {macro.name} can't be followed")
            yield macro, body if is_table else body.expressions[0]

    def inside(self) -> Context:
        """The context of a macro's body, which sees no common table expression of its caller."""
        return replace(self, ctes={}, depth=self.depth + 1)


def _called(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return str(node.this).casefold()
    return node.sql_name().casefold() if isinstance(node, exp.Func) else ""
