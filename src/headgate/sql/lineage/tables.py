"""What stands behind FROM and JOIN: tables, subqueries, functions, pivots."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlglot import exp

from headgate.sql.lineage import pivots
from headgate.sql.lineage.context import Context
from headgate.sql.lineage.flow import Flows, Value, anything, merged, through, union
from headgate.sql.lineage.known import Known
from headgate.sql.lineage.scope import Column, Relation, Scope, Untraceable, refuse_others, table
from headgate.sql.lineage.values import all_of, parameters, value

JOIN = frozenset(["this", "on", "using", "side", "kind", "method", "global_", "hint"])
NO_COLUMNS = (exp.GenerateSeries, exp.GenerateDateArray, exp.Explode, exp.Unnest)
"""Functions that make rows of their arguments alone; every other one may read a file or a table."""
MAKERS = ("range", "generate_series", "unnest", "repeat", "generate_subscripts", "json_each", "json_tree", "glob")


def read(node: exp.Expr, scope: Scope, context: Context) -> Flows:
    """Puts everything behind FROM and JOIN into the scope; what it decides about the rows."""
    source = node.args.get("from_")
    if source is not None:
        add(source.this, scope, context)
    rows = [_join(join, scope, context) for join in node.args.get("joins") or []]
    for lateral in node.args.get("laterals") or []:
        add(lateral, scope, context)
    gone = scope.gone
    return union([*rows, *(one.rows for one in scope.relations), *gone])


def add(node: exp.Expr, scope: Scope, context: Context) -> list[Relation]:
    """Puts what the node names into the scope, with its own joins: the relations that were added."""
    before = len(scope.relations)
    nested = node.args.get("joins") or []
    if isinstance(node, exp.Subquery) and not isinstance(node.this, exp.Query):
        _parenthesised(node, scope, context)
    else:
        scope.relations.append(_pivoted(node, _relation(node, scope, context), scope, context))
    for join in nested:
        scope.gone.append(_join(join, scope, context))
    return scope.relations[before:]


def _parenthesised(node: exp.Subquery, scope: Scope, context: Context) -> None:
    """`(a JOIN b ON ...)`, perhaps with a name for all of it."""
    inner = Scope(scope.parent, list(scope.relations), unknown=scope.unknown)
    before = len(inner.relations)
    add(node.this, inner, context)
    scope.gone += inner.gone
    found = inner.relations[before:]
    if not node.alias and not node.args.get("pivots"):
        scope.relations += found
        return
    columns = tuple(item for one in found for item in one.columns if item.name.casefold() not in one.hidden)
    rests = [one.rest for one in found if one.rest is not None]
    made = Relation(columns=columns, rest=union(rests) if rests else None, rows=union(one.rows for one in found))
    scope.relations.append(_pivoted(node, made.called(node.alias, _columns(node)), scope, context))


def _columns(node: exp.Expr) -> list[str]:
    alias = node.args.get("alias")
    named = alias.args.get("columns") or [] if isinstance(alias, exp.TableAlias) else []
    return [one.name for one in named]


def _relation(node: exp.Expr, scope: Scope, context: Context) -> Relation:
    if isinstance(node, exp.Table):
        return _table(node, scope, context)
    if isinstance(node, exp.Subquery):
        return context.query(node.this, context, _lateral(scope)).called(node.alias, _columns(node))
    if isinstance(node, exp.Values):
        return _values(node, scope, context)
    if isinstance(node, exp.Lateral):
        return _relation(node.this, scope, context).called(node.alias, _columns(node))
    if isinstance(node, exp.Pivot):
        inner = scope.within()
        found = add(node.this, inner, context)[0]
        return pivots.statement(node, found, inner, context).called(node.alias)
    if isinstance(node, exp.Query):
        return context.query(node, context, _lateral(scope))
    if isinstance(node, exp.Func | exp.UDTF):
        return _function(node, node, scope, context)
    raise Untraceable(f"{type(node).__name__.upper()} behind FROM is not taken apart")


def _lateral(scope: Scope) -> Scope:
    """What stands before it behind FROM may be named in a subquery, too."""
    return replace(scope, relations=list(scope.relations), in_clause=False)


def _table(node: exp.Table, scope: Scope, context: Context) -> Relation:
    if not isinstance(node.this, exp.Identifier):
        return _function(node.this, node, scope, context)
    name, schema = node.name, node.db
    cte = context.ctes.get(name.casefold()) if not schema else None
    if cte is not None:
        return cte.called(node.alias or name, _columns(node))
    full = f"{schema or 'main'}.{name}"
    known = context.tables.get(full.casefold()) or Known.by_name(full if schema else name)
    made = table(known, node.alias or name, "" if node.alias else schema)
    return made.called(made.alias, _columns(node), made.schema)


def _function(call: exp.Expr, node: exp.Expr, scope: Scope, context: Context) -> Relation:
    """A table function: a macro of the warehouse, something that makes rows of its arguments, or a reader of files."""
    names = _columns(node)
    for macro, body in context.bodies(call, is_table=True):
        inner = scope.within(parameters(macro, call, scope, context))
        return context.query(body, context.inside(), inner).called(node.alias or macro.name, names)
    arguments = [child for child in call.iter_expressions() if not isinstance(child, exp.TableAlias)]
    made_of = all_of(arguments, scope, context, "transformation")
    word = str(call.this) if isinstance(call, exp.Anonymous) else call.sql_name() if isinstance(call, exp.Func) else ""
    alias = node.alias or word.lower()
    if isinstance(call, NO_COLUMNS) or word.lower() in MAKERS:
        only = (Column(alias, made_of),) if alias else ()
        made = Relation(alias, columns=only, rest=made_of.flows, rows=through(made_of.flows, "join"))
        return made.called(alias, names)
    outside = table(Known.by_name(call.sql(context.dialect)), alias, "")
    rest = (outside.rest or frozenset()) | made_of.flows
    return replace(outside, rest=rest, rows=outside.rows | through(made_of.flows, "join")).called(alias, names)


def _values(node: exp.Values, scope: Scope, context: Context) -> Relation:
    width = max((len(one.expressions) if isinstance(one, exp.Tuple) else 1 for one in node.expressions), default=0)
    columns = []
    for at in range(width):
        cells = [one.expressions[at] if isinstance(one, exp.Tuple) else one for one in node.expressions]
        columns.append(Column(f"col{at}", all_of(cells, scope, context, "transformation")))
    return Relation(columns=tuple(columns)).called(node.alias, _columns(node))


def _pivoted(node: exp.Expr, found: Relation, scope: Scope, context: Context) -> Relation:
    """With the PIVOT and UNPIVOT that stand behind it."""
    given = node.args.get("pivots") or []
    if isinstance(node, exp.Pivot) or not given:
        return found
    for pivot in given:
        inner = replace(scope.within(), relations=[found])
        found = pivots.behind(pivot, found, inner, context).called(pivot.alias or found.alias)
    return found


# -- joins -------------------------------------------------------------------------------------------------------------


def _join(join: exp.Join, scope: Scope, context: Context) -> Flows:
    """Adds what is joined; which columns decide which rows meet."""
    refuse_others(join, JOIN)
    left = list(scope.relations)
    right = add(join.this, scope, context)
    rows: list[Flows] = []
    on = join.args.get("on")
    if on is not None:
        rows.append(value(on, scope, context).by("join").flows)
    using = [one.name for one in join.args.get("using") or []]
    if (join.method or "").upper() == "NATURAL":
        using, unsure = _common(left, right)
        rows.append(unsure)
    for name in using:
        rows.append(_using(name, left, right, scope, (join.side or "").upper()))
    if (join.kind or "").upper() in ("SEMI", "ANTI") or (join.side or "").upper() in ("SEMI", "ANTI"):
        rows += [one.rows for one in right]
        scope.relations = [one for one in scope.relations if not any(one is other for other in right)]
    return union(rows)


def _common(left: Iterable[Relation], right: Iterable[Relation]) -> tuple[list[str], Flows]:
    """The columns that both sides have; where a side's are not known, any may decide."""
    mine = {item.name.casefold() for one in left for item in one.columns}
    names = [item.name for one in right for item in one.columns if item.name.casefold() in mine]
    sides = [*left, *right]
    if all(one.rest is None for one in sides):
        return names, frozenset()
    return names, through(anything(union(one.everything for one in sides)), "join")


def _using(name: str, left: list[Relation], right: list[Relation], scope: Scope, side: str) -> Flows:
    """One column of USING: it is one column from here on, which an outer join may take from either side."""
    found = [merged(values) for part in (left, right) if (values := _having(part, name))]
    both = merged(found)
    shown = both if side in ("RIGHT", "FULL") else found[0] if found else both
    for at, one in enumerate(scope.relations):
        if any(one is other for other in right):
            scope.relations[at] = replace(one, hidden=one.hidden | {name.casefold()})
            right[:] = [scope.relations[at] if other is one else other for other in right]
        elif one.column(name) is not None or one.rest is not None:
            # The bare name and the star show the common column; `one.name` behind a dot is still the side's own.
            columns = tuple(
                Column(item.name, shown) if item.name.casefold() == name.casefold() else item for item in one.columns
            )
            scope.relations[at] = replace(one, columns=columns)
            left[:] = [scope.relations[at] if other is one else other for other in left]
    return both.by("join").flows


def _having(relations: Iterable[Relation], name: str) -> list[Value]:
    seen = [one for one in relations if name.casefold() not in one.hidden]
    found = [one.column(name) or one.other(name) for one in seen]
    return [one for one in found if one is not None]
