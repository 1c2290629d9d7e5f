"""Expressions: what a value is made of, and what only decides which value it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sqlglot import exp

from headgate.sql.lineage.context import Context
from headgate.sql.lineage.flow import EMPTY, Kind, Value, merged
from headgate.sql.lineage.known import Macro
from headgate.sql.lineage.scope import Scope

Handler = Callable[[exp.Expr, Scope, Context], Value]


def value(node: exp.Expr, scope: Scope, context: Context) -> Value:
    """What the expression is made of, in this scope."""
    handler = HANDLERS.get(type(node))
    if handler is not None:
        return handler(node, scope, context)
    if isinstance(node, exp.Query):
        return _scalar(node, scope, context)
    if isinstance(node, exp.Func):
        called = [_macro(macro, body, node, scope, context) for macro, body in context.bodies(node, is_table=False)]
        if called:
            return merged(called, "transformation")
    return _made_of(node, scope, context, "aggregation" if isinstance(node, exp.AggFunc) else "transformation")


def _made_of(node: exp.Expr, scope: Scope, context: Context, kind: Kind) -> Value:
    parts = [value(child, scope, context) for child in node.iter_expressions()]
    return merged(parts, kind) if parts else EMPTY


def all_of(nodes: Iterable[exp.Expr | None], scope: Scope, context: Context, kind: Kind) -> Value:
    """What these expressions are made of together, flowing on by `kind`."""
    return merged((value(node, scope, context) for node in nodes if node is not None), kind)


def _column(node: exp.Expr, scope: Scope, context: Context) -> Value:
    assert isinstance(node, exp.Column)
    parts = [part.name for part in node.parts]
    if isinstance(node.this, exp.Star):
        return merged((one.struct() for one in scope.star(parts[:-1])), "transformation")
    if len(parts) > 1:
        return scope.qualified(parts)
    return scope.bare(parts[0])


def _inner(node: exp.Expr, scope: Scope, context: Context) -> Value:
    return value(node.this, scope, context) if isinstance(node.this, exp.Expr) else EMPTY


def _nothing(node: exp.Expr, scope: Scope, context: Context) -> Value:
    return EMPTY


def _name(node: exp.Expr, scope: Scope, context: Context) -> Value:
    """A name that was not read as a column: `x` of `x.upper()`, or a parameter of a lambda."""
    return scope.bare(node.name)


def _lambda(node: exp.Expr, scope: Scope, context: Context) -> Value:
    """What its parameters stand for is another argument of the same function."""
    inner = scope.within({one.name.casefold(): EMPTY for one in node.expressions})
    return value(node.this, inner, context).by("transformation")


def _named_argument(node: exp.Expr, scope: Scope, context: Context) -> Value:
    return value(node.expression, scope, context)


def _count(node: exp.Expr, scope: Scope, context: Context) -> Value:
    return EMPTY if isinstance(node.this, exp.Star) else _made_of(node, scope, context, "aggregation")


def _star(node: exp.Expr, scope: Scope, context: Context) -> Value:
    return Value(scope.everything).by("transformation")


def _case(node: exp.Expr, scope: Scope, context: Context) -> Value:
    ifs = node.args.get("ifs") or []
    results = all_of([*(one.args["true"] for one in ifs), node.args.get("default")], scope, context, "transformation")
    conditions = all_of([node.this, *(one.this for one in ifs)], scope, context, "conditional")
    return merged([results, conditions])


def _if(node: exp.Expr, scope: Scope, context: Context) -> Value:
    results = all_of([node.args.get("true"), node.args.get("false")], scope, context, "transformation")
    return merged([results, all_of([node.this], scope, context, "conditional")])


def _window(node: exp.Expr, scope: Scope, context: Context) -> Value:
    own = value(node.this, scope, context).by("transformation") if not isinstance(node.this, exp.Identifier) else EMPTY
    order = node.args.get("order")
    deciding = [*(node.args.get("partition_by") or []), *(order.expressions if order else []), node.args.get("spec")]
    base = node.args.get("alias")
    named = [_named_window(base.name, scope, context)] if isinstance(base, exp.Expr) else []
    return merged([own, all_of(deciding, scope, context, "window"), *named])


def _named_window(name: str, scope: Scope, context: Context) -> Value:
    found = scope.windows.get(name.casefold())
    return value(found, scope, context) if found is not None else Value(scope.everything).by("window")


def _filtered(node: exp.Expr, scope: Scope, context: Context) -> Value:
    condition = all_of([node.expression], scope, context, "conditional")
    return merged([value(node.this, scope, context), condition])


def _ordered(node: exp.Expr, scope: Scope, context: Context) -> Value:
    """`string_agg(x ORDER BY y)`."""
    parts = [value(node.this, scope, context)] if isinstance(node.this, exp.Expr) else []
    return merged([*parts, all_of(node.expressions, scope, context, "sort")])


def _within_group(node: exp.Expr, scope: Scope, context: Context) -> Value:
    """`percentile_cont(0.5) WITHIN GROUP (ORDER BY x)`: x is what the value is made of."""
    parts = [node.this, *(one.this for one in node.expression.expressions)]
    return all_of(parts, scope, context, "aggregation")


def _struct(node: exp.Expr, scope: Scope, context: Context) -> Value:
    fields: dict[str, Value] = {}
    for item in node.expressions:
        if not isinstance(item, exp.PropertyEQ | exp.Alias | exp.EQ):
            return _made_of(node, scope, context, "transformation")
        name, inner = (item.alias, item.this) if isinstance(item, exp.Alias) else (item.this.name, item.expression)
        fields[name.casefold()] = value(inner, scope, context)
    return Value(merged(fields.values(), "transformation").flows if fields else EMPTY.flows, fields)


def _map(node: exp.Expr, scope: Scope, context: Context) -> Value:
    """`MAP {key: value}`: keys are values, not names."""
    if not isinstance(node.this, exp.Struct):
        return _made_of(node, scope, context, "transformation")
    pairs = [child for item in node.this.expressions for child in item.iter_expressions()]
    return all_of(pairs, scope, context, "transformation")


def _dot(node: exp.Expr, scope: Scope, context: Context) -> Value:
    if isinstance(node.expression, exp.Identifier):
        return value(node.this, scope, context).item(node.expression.name)
    if isinstance(node.this, exp.Identifier) and not scope.means(node.this.name):
        return value(node.expression, scope, context)  # a function by its schema
    return _made_of(node, scope, context, "transformation")


def _bracket(node: exp.Expr, scope: Scope, context: Context) -> Value:
    keys = node.expressions
    if len(keys) == 1 and isinstance(keys[0], exp.Literal) and keys[0].is_string:
        return value(node.this, scope, context).item(keys[0].name)
    return _made_of(node, scope, context, "transformation")


def _comprehension(node: exp.Expr, scope: Scope, context: Context) -> Value:
    """`[x + 1 FOR x IN list IF x > 2]`."""
    source = value(node.args["iterator"], scope, context).by("transformation")
    names = [one.name for one in (node.expression, node.args.get("position")) if isinstance(one, exp.Expr)]
    inner = scope.within({name.casefold(): source for name in names})
    condition = all_of([node.args.get("condition")], inner, context, "conditional")
    return merged([source, value(node.this, inner, context).by("transformation"), condition])


def _scalar(node: exp.Expr, scope: Scope, context: Context) -> Value:
    """A query as a value: its columns, and what decides which rows they are taken from."""
    found = context.query(node, context, scope)
    single = found.columns[0].value if len(found.columns) == 1 and found.rest is None else Value(found.everything)
    return merged([single, Value(found.rows)])


def _macro(macro: Macro, body: exp.Expr, node: exp.Expr, scope: Scope, context: Context) -> Value:
    return value(body, scope.within(parameters(macro, node, scope, context)), context.inside())


def parameters(macro: Macro, node: exp.Expr, scope: Scope, context: Context) -> Mapping[str, Value]:
    """What the parameters of a macro stand for in this call: by name, by place, or (in doubt) all arguments."""
    given = node.expressions if isinstance(node, exp.Anonymous) else list(node.iter_expressions())
    values = [value(one, scope, context) for one in given]
    if len(given) == len(macro.parameters) and not any(isinstance(one, exp.PropertyEQ | exp.Kwarg) for one in given):
        return {name.casefold(): one for name, one in zip(macro.parameters, values, strict=True)}
    return {name.casefold(): merged(values, "transformation") for name in macro.parameters}


HANDLERS: dict[type[exp.Expr], Handler] = {
    exp.Column: _column,
    exp.Alias: _inner,
    exp.Paren: _inner,
    exp.Where: _inner,
    exp.Identifier: _name,
    exp.Lambda: _lambda,
    exp.Literal: _nothing,
    exp.Null: _nothing,
    exp.Boolean: _nothing,
    exp.DataType: _nothing,
    exp.Var: _nothing,
    exp.Star: _star,
    exp.Columns: _star,
    exp.Count: _count,
    exp.Case: _case,
    exp.If: _if,
    exp.Window: _window,
    exp.Filter: _filtered,
    exp.Order: _ordered,
    exp.WithinGroup: _within_group,
    exp.Struct: _struct,
    exp.Dot: _dot,
    exp.ToMap: _map,
    exp.Bracket: _bracket,
    exp.Comprehension: _comprehension,
    exp.PropertyEQ: _named_argument,
    exp.Kwarg: _named_argument,
    exp.Subquery: _scalar,
}
