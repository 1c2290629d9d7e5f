"""How the engine calls the columns of a query."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from headgate.sql.lineage.known import Dialect
from headgate.sql.lineage.scope import Column


def output_name(node: exp.Expr, dialect: Dialect) -> str:
    """The name of a projection. Without an alias it is the engine's way of writing the expression, as near as can be
    told from outside."""
    if isinstance(node, exp.Alias | exp.Column):
        return node.alias_or_name
    if isinstance(node, exp.Paren):
        return output_name(node.this, dialect)
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Identifier):
        return str(node.expression.name)
    if dialect == "postgres":
        return _postgres(node)
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Star):
        return "count_star()"
    if isinstance(node, exp.Window | exp.Filter):
        return node.sql(dialect)
    if isinstance(node, exp.Func) and not isinstance(node, exp.Anonymous | exp.Cast):
        arguments = ", ".join(one.sql(dialect) for one in node.iter_expressions())
        return f"{node.sql_name().lower()}({arguments})"
    return node.sql(dialect)


def _postgres(node: exp.Expr) -> str:
    if isinstance(node, exp.Cast):
        if isinstance(node.this, exp.Column):
            return output_name(node.this, "postgres")
        return str(node.to.sql("postgres")).lower()
    if isinstance(node, exp.Window | exp.Filter):
        return _postgres(node.this)
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower()
    if isinstance(node, exp.Case):
        return "case"
    return node.sql_name().lower() if isinstance(node, exp.Func) else "?column?"


def unique(columns: Iterable[Column]) -> tuple[Column, ...]:
    """The columns with names that occur once: the second `id` is `id_1`, as the engine has it."""
    taken: dict[str, int] = {}
    made = []
    for one in columns:
        folded = one.name.casefold()
        times = taken.get(folded, 0)
        taken[folded] = times + 1
        made.append(one if not times else Column(f"{one.name}_{times}", one.value))
    return tuple(made)
