"""PIVOT and UNPIVOT, as statements and behind a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from headgate.sql.lineage.context import Context
from headgate.sql.lineage.flow import Flows, Value, merged, through
from headgate.sql.lineage.scope import Column, Relation, Scope
from headgate.sql.lineage.values import all_of


def statement(node: exp.Pivot, source: Relation, scope: Scope, context: Context) -> Relation:
    """`PIVOT t ON k IN (...) USING sum(v) GROUP BY g`, `UNPIVOT t ON a, b INTO NAME n VALUE v`."""
    if node.args.get("unpivot"):
        into = node.args.get("into")
        names = [into.this.name] if into is not None else ["name"]
        values = [one.name for one in into.expressions] if into is not None else ["value"]
        return _unpivot(source, node.expressions, names, values, scope, context)
    used = node.args.get("using")
    return _pivot(node, source, node.expressions, used if isinstance(used, list) else [], scope, context)


def behind(node: exp.Pivot, source: Relation, scope: Scope, context: Context) -> Relation:
    """`t PIVOT (sum(v) FOR k IN (...) GROUP BY g)`, `t UNPIVOT (v FOR n IN (a, b))`."""
    fields = node.args.get("fields") or []
    if node.args.get("unpivot"):
        columns = [item for one in fields for item in (one.expressions if isinstance(one, exp.In) else [one])]
        names = [one.this.name for one in fields if isinstance(one, exp.In)]
        values = [part.name for one in node.expressions for part in _flat(one)]
        return _unpivot(source, columns, names, values, scope, context)
    return _pivot(node, source, fields, node.expressions, scope, context)


def _flat(node: exp.Expr) -> Sequence[exp.Expr]:
    return node.expressions if isinstance(node, exp.Tuple) else [node]


def _pivot(
    node: exp.Pivot,
    source: Relation,
    on: Sequence[exp.Expr],
    using: Sequence[exp.Expr],
    scope: Scope,
    context: Context,
) -> Relation:
    """The grouping columns, and one column per value (and aggregate), whose names the engine makes."""
    keys = [one.this if isinstance(one, exp.In) else one for one in on]
    deciding = all_of(keys, scope, context, "conditional")
    made = merged([all_of(using, scope, context, "aggregation"), deciding])
    group = node.args.get("group")
    grouping = _groups(group, source, [*keys, *using])
    columns = [*grouping, *(Column(name, made) for name in _named(on, using))]
    rest = made.flows | (source.rest or frozenset())
    rows = source.rows | through(merged(one.value for one in grouping).flows | (source.rest or frozenset()), "group_by")
    listed = all(isinstance(one, exp.In) for one in on)
    return Relation(columns=tuple(columns), rest=rest, rows=rows if listed else rows | deciding.flows)


def _groups(group: exp.Expr | None, source: Relation, used: Iterable[exp.Expr]) -> list[Column]:
    """The columns by which rows are grouped: those named, else all that the pivot does not use."""
    if group is not None:
        wanted = {one.name.casefold() for one in group.expressions}
        return [one for one in source.columns if one.name.casefold() in wanted]
    taken = {column.name.casefold() for one in used for column in one.find_all(exp.Column)}
    return [one for one in source.columns if one.name.casefold() not in taken]


def _named(on: Sequence[exp.Expr], using: Sequence[exp.Expr]) -> list[str]:
    """The names of the pivoted columns where there is one list of literals."""
    if len(on) != 1 or not isinstance(on[0], exp.In):
        return []
    heads = [one.alias_or_name for one in on[0].expressions]
    if not all(heads):
        return []
    tails = [one.alias or one.sql("duckdb").lower() for one in using]
    if len(using) <= 1 and not (using and using[0].alias):
        return heads
    return [f"{head}_{tail}" for head in heads for tail in tails]


def _unpivot(
    source: Relation,
    columns: Sequence[exp.Expr],
    names: Sequence[str],
    values: Sequence[str],
    scope: Scope,
    context: Context,
) -> Relation:
    """Other columns as they are, one for the names, one or more for the values."""
    named = [one.this if isinstance(one, exp.PivotAlias | exp.Alias) else one for one in columns]
    parts = [part for one in named for part in _flat(one)]
    plain = all(isinstance(part, exp.Column) and not isinstance(part.this, exp.Star) for part in parts)
    read = all_of(parts, scope, context, "transformation") if plain else Value(source.everything).by("transformation")
    taken = {part.name.casefold() for part in parts} if plain else set()
    kept = [one for one in source.columns if one.name.casefold() not in taken]
    columns_made = [*kept, *(Column(name, Value()) for name in names), *(Column(name, read) for name in values)]
    rest: Flows | None = source.rest if plain else (source.rest or frozenset()) | read.flows
    # NULLs are left out: which rows there are depends on the values.
    return Relation(columns=tuple(columns_made), rest=rest, rows=source.rows | through(read.flows, "filter"))
