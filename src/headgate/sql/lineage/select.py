"""Queries: SELECT, set operations and what stands around them, each as the relation that it makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sqlglot import exp

from headgate.sql.lineage import tables
from headgate.sql.lineage.context import Context
from headgate.sql.lineage.flow import NOTHING, Flows, Kind, Value, anything, merged, named, through, union
from headgate.sql.lineage.names import output_name, unique
from headgate.sql.lineage.scope import Column, Relation, Scope, Untraceable, refuse_others
from headgate.sql.lineage.values import all_of, value

ROUNDS = 12
"""A recursive query is walked again until nothing more flows, at most so often."""
CLAUSES = frozenset(
    (
        "with_",
        "expressions",
        "from_",
        "joins",
        "laterals",
        "where",
        "group",
        "having",
        "qualify",
        "windows",
        "distinct",
        "order",
        "limit",
        "offset",
        "sample",
        "kind",
        "hint",
        "locks",
    )
)
MULTIPLIES = (exp.Explode, exp.ExplodeOuter, exp.Posexplode, exp.Unnest, exp.GenerateSeries, exp.Inline)


def query(node: exp.Expr, context: Context, outer: Scope | None = None) -> Relation:
    """The relation that the query makes. Raises Untraceable for what is no query, or none that is taken apart."""
    context = _with_ctes(node, context, outer)
    if isinstance(node, exp.Select):
        return _select(node, context, outer)
    if isinstance(node, exp.SetOperation):
        return _set_operation(node, context, outer)
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query):
        made = query(node.this, context, outer)
        return _ordered(node, made, context, _over(made, outer))
    if isinstance(node, exp.Values | exp.Pivot | exp.Table | exp.Subquery):
        return _alone(node, context, outer)
    raise Untraceable(f"{type(node).__name__.upper()} is not taken apart")


def _alone(node: exp.Expr, context: Context, outer: Scope | None) -> Relation:
    """What is a query of its own although it could stand behind FROM: VALUES, PIVOT, TABLE."""
    scope = outer.within() if outer else Scope()
    tables.add(node, scope, context)
    relations = scope.relations
    if len(relations) == 1:
        return relations[0]
    columns, rest = _everything(relations)
    return Relation(columns=unique(columns), rest=rest, rows=union(one.rows for one in relations))


def _with_ctes(node: exp.Expr, context: Context, outer: Scope | None) -> Context:
    given = node.args.get("with_")
    if given is None:
        return context
    for cte in given.expressions:
        names = [one.name for one in (cte.args["alias"].args.get("columns") or [])]
        if given.args.get("recursive") and isinstance(cte.this, exp.SetOperation):
            made = _recursive(cte.this, cte.alias, names, context, outer)
        else:
            made = query(cte.this, context, outer).called("", names)
        context = context.with_cte(cte.alias, made)
    return context


def _recursive(
    node: exp.SetOperation, name: str, columns: list[str], context: Context, outer: Scope | None
) -> Relation:
    """Walked again and again with what it made before, until nothing more flows."""
    made = query(node.this, context, outer).called("", columns)
    for _ in range(ROUNDS):
        again = query(node, context.with_cte(name, made), outer).called("", columns)
        if _same(again, made):
            return again
        made = again
    everything = made.everything | made.rows
    settled = tuple(Column(one.name, Value(through(everything, "transformation"))) for one in made.columns)
    return replace(made, columns=settled, rows=through(everything, "filter"))


def _same(one: Relation, other: Relation) -> bool:
    return (one.rows, one.rest, [(item.name, item.value.flows) for item in one.columns]) == (
        other.rows,
        other.rest,
        [(item.name, item.value.flows) for item in other.columns],
    )


# -- SELECT ----------------------------------------------------------------------------------------------------------


def _select(node: exp.Select, context: Context, outer: Scope | None) -> Relation:
    refuse_others(node, CLAUSES)
    scope = Scope(outer, unknown=outer.unknown if outer else set())
    rows = [tables.read(node, scope, context)]
    scope.windows = {one.name.casefold(): one for one in node.args.get("windows") or []}
    columns, rest = _projections(node, scope, context, rows)
    made = Relation(columns=unique(columns), rest=rest)
    clauses = _clauses(scope, made)
    rows += _filters(node, clauses, context)
    rows += _grouping(node, made, clauses, context)
    rows += _distinct(node, made, clauses, context)
    return _ordered(node, replace(made, rows=union(rows)), context, clauses)


def _clauses(scope: Scope, made: Relation) -> Scope:
    """The scope of the clauses, in which names may also mean output columns."""
    aliases = {one.name.casefold(): one.value for one in made.columns} | scope.aliases
    return replace(scope, aliases=aliases, in_clause=True)


def _projections(
    node: exp.Select, scope: Scope, context: Context, rows: list[Flows]
) -> tuple[list[Column], Flows | None]:
    """The columns as they are written, stars expanded, and what columns are made of that can't be named."""
    columns: list[Column] = []
    rest: Flows | None = None
    for item in node.expressions:
        if _is_star(item):
            found, more = _star(item, scope, context)
            columns += found
        else:
            single = value(item, scope, context)
            plain = _is_plain(item)  # most are, and to search each of them takes as long as all else
            more = single.by("transformation").flows if not plain and _makes_several(item) else None
            columns.append(Column(output_name(item, context.dialect), single))
            if isinstance(item, exp.Alias):
                scope.aliases.setdefault(item.alias.casefold(), single)
            if not plain and _multiplies(item, context):
                rows.append(through(single.flows, "join"))
        rest = rest if more is None else (rest or NOTHING) | more
    return columns, rest


def _is_star(node: exp.Expr) -> bool:
    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))


def _is_plain(node: exp.Expr) -> bool:
    """A column by its name, or a literal."""
    inner = node.this if isinstance(node, exp.Alias) else node
    return isinstance(inner, exp.Literal) or (
        isinstance(inner, exp.Column) and all(isinstance(part, exp.Identifier) for part in inner.parts)
    )


def _makes_several(node: exp.Expr) -> bool:
    """Whether more columns than one may come of it, with names that only the engine knows."""
    if node.find(exp.Columns) is not None or any(isinstance(one.parent, exp.Like) for one in node.find_all(exp.Star)):
        return True
    inner = node.this if isinstance(node, exp.Alias) else node
    return isinstance(inner, exp.Explode | exp.Unnest)


def _multiplies(node: exp.Expr, context: Context) -> bool:
    """Whether it may make several rows of one: UNNEST, or in PostgreSQL any function that nobody knows."""
    kinds = (*MULTIPLIES, exp.Anonymous) if context.dialect == "postgres" or context.macros else MULTIPLIES
    return node.find(*kinds) is not None


def _star(node: exp.Expr, scope: Scope, context: Context) -> tuple[list[Column], Flows | None]:
    """`*`, `t.*`, with EXCLUDE, REPLACE and RENAME."""
    star = node if isinstance(node, exp.Star) else node.this
    parts = [part.name for part in node.parts[:-1]] if isinstance(node, exp.Column) else []
    relations = scope.star(parts)
    if not relations:
        found = scope.qualified(parts) if parts else Value()
        return _struct_star(found)
    columns, rest = _everything(relations)
    dropped = {one.name.casefold() for one in star.args.get("except_") or []}
    replaced = {one.alias.casefold(): value(one.this, scope, context) for one in star.args.get("replace") or []}
    renamed = {one.this.name.casefold(): one.alias for one in star.args.get("rename") or []}
    kept = [
        Column(renamed.get(one.name.casefold(), one.name), replaced.get(one.name.casefold(), one.value))
        for one in columns
        if one.name.casefold() not in dropped
    ]
    if rest is not None:
        kept += _of_open(rest, replaced, renamed)
    return kept, rest


def _of_open(rest: Flows, replaced: dict[str, Value], renamed: dict[str, str]) -> Iterator[Column]:
    """The columns that a star over a table of unknown columns names itself."""
    for name, found in replaced.items():
        yield Column(name, found)
    for name, new in renamed.items():
        yield Column(new, Value(named(rest, name)))


def _struct_star(found: Value) -> tuple[list[Column], Flows | None]:
    """`s.*` of a struct."""
    if found.fields is not None:
        return [Column(name, one) for name, one in found.fields.items()], None
    return [], through(anything(found.flows), "transformation")


def _everything(relations: Iterable[Relation]) -> tuple[list[Column], Flows | None]:
    columns: list[Column] = []
    rest: Flows | None = None
    for one in relations:
        columns += [item for item in one.columns if item.name.casefold() not in one.hidden]
        if one.rest is not None:
            rest = (rest or NOTHING) | one.rest
    return columns, rest


# -- what decides which rows there are ---------------------------------------------------------------------------------


def _filters(node: exp.Expr, scope: Scope, context: Context) -> Iterator[Flows]:
    for key in ("where", "having", "qualify"):
        clause = node.args.get(key)
        if clause is not None:
            yield all_of([clause.this], scope, context, "filter").flows


def _grouping(node: exp.Expr, made: Relation, scope: Scope, context: Context) -> Iterator[Flows]:
    group = node.args.get("group")
    if group is None:
        return
    if group.args.get("all"):
        keys = [
            one.value
            for one, item in zip(made.columns, node.expressions, strict=False)
            if len(made.columns) != len(node.expressions) or not _aggregates(item)
        ]
        keys += [Value(anything(made.rest))] if made.rest else []
        yield merged(keys, "group_by").flows
    parts = [part for key in ("expressions", "cube", "rollup", "grouping_sets") for part in group.args.get(key) or []]
    for part in parts:
        yield _positioned(part, made, scope, context, "group_by")


def _aggregates(node: exp.Expr) -> bool:
    """Whether it is certainly no key: an aggregate stands in it, and not within a window."""
    return any(one.find_ancestor(exp.Window) is None for one in node.find_all(exp.AggFunc))


def _distinct(node: exp.Expr, made: Relation, scope: Scope, context: Context) -> Iterator[Flows]:
    distinct = node.args.get("distinct")
    if distinct is None:
        return
    on = distinct.args.get("on")
    if isinstance(on, exp.Expr):
        for part in on.expressions if isinstance(on, exp.Tuple) else [on]:
            yield _positioned(part, made, scope, context, "group_by")
    else:
        yield through(made.everything, "group_by")


def _over(made: Relation, outer: Scope | None) -> Scope:
    """The scope of what stands behind a whole query: its output columns."""
    scope = outer.within() if outer else Scope()
    scope.relations = [made]
    return scope


def _ordered(node: exp.Expr, made: Relation, context: Context, scope: Scope) -> Relation:
    """The relation with ORDER BY and LIMIT: they may decide which rows are left."""
    rows = [made.rows]
    order = node.args.get("order")
    for item in order.expressions if order is not None else []:
        if isinstance(item.this, exp.Var) and item.this.name.upper() == "ALL":
            rows.append(through(made.everything, "sort"))
        else:
            rows.append(_positioned(item.this, made, scope, context, "sort"))
    for key in ("limit", "offset"):
        clause = node.args.get(key)
        if clause is not None:
            counts = [clause.args.get("expression"), clause.args.get("count")]
            rows.append(all_of(counts, scope, context, "filter").flows)
    return replace(made, rows=union(rows))


def _positioned(node: exp.Expr, made: Relation, scope: Scope, context: Context, kind: Kind) -> Flows:
    """An expression of ORDER BY or GROUP BY; a whole number means the output column at that place."""
    if isinstance(node, exp.Literal) and not node.is_string:
        at = int(node.name) - 1 if node.name.isdecimal() else -1
        if made.rest is None and 0 <= at < len(made.columns):
            return through(made.columns[at].value.flows, kind)
        return through(made.everything, kind)
    return value(node, scope, context).by(kind).flows


# -- set operations ----------------------------------------------------------------------------------------------------


def _set_operation(node: exp.SetOperation, context: Context, outer: Scope | None) -> Relation:
    steps: list[exp.SetOperation] = []
    first: exp.Expr = node
    while isinstance(first, exp.SetOperation) and (first is node or not _adorned(first)):
        steps.append(first)
        first = first.this
    made = query(first, context, outer)
    for step in reversed(steps):
        made = _combined(step, made, query(step.expression, context, outer))
    return _ordered(node, made, context, _over(made, outer))


def _adorned(node: exp.Expr) -> bool:
    """Whether it has a clause of its own, so that it is no mere link of a chain."""
    return any(node.args.get(key) is not None for key in ("with_", "order", "limit", "offset"))


def _combined(node: exp.SetOperation, left: Relation, right: Relation) -> Relation:
    rows = left.rows | right.rows
    if not isinstance(node, exp.Union):  # EXCEPT, INTERSECT: rows of the left side
        return replace(left, rows=rows | through(left.everything | right.everything, "filter"))
    columns, rest = _by_name(left, right) if node.args.get("by_name") else _by_place(left, right)
    made = Relation(columns=columns, rest=rest, rows=rows)
    return replace(made, rows=rows | through(made.everything, "group_by")) if node.args.get("distinct") else made


def _by_place(left: Relation, right: Relation) -> tuple[tuple[Column, ...], Flows | None]:
    """By position. Where one side's columns are not known, any of its columns may stand at any place."""
    if left.rest is None and right.rest is None and len(left.columns) == len(right.columns):
        pairs = zip(left.columns, right.columns, strict=True)
        return tuple(Column(one.name, merged([one.value, two.value])) for one, two in pairs), None
    if left.rest is not None:
        both = through(left.everything | right.everything, "transformation")
        return tuple(Column(one.name, Value(both)) for one in left.columns), left.rest | both
    everything = Value(right.everything)
    return tuple(Column(one.name, merged([one.value, everything])) for one in left.columns), None


def _by_name(left: Relation, right: Relation) -> tuple[tuple[Column, ...], Flows | None]:
    columns = [Column(one.name, merged([one.value, *_counterpart(right, one.name)])) for one in left.columns]
    columns += [
        Column(one.name, merged([one.value, *_counterpart(left, one.name)]))
        for one in right.columns
        if left.column(one.name) is None
    ]
    rests = [one.rest for one in (left, right) if one.rest is not None]
    return tuple(columns), union(rests) if rests else None


def _counterpart(side: Relation, name: str) -> list[Value]:
    found = side.column(name) or side.other(name)
    return [found] if found is not None else []
