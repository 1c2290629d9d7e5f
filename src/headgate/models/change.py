"""What an edit of a query does: nothing, only more columns, or something that may change rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from sqlglot import exp

from headgate.core.records import dataclass
from headgate.models import lexer
from headgate.sql.lineage.known import Dialect
from headgate.sql.parse import Unparsed, parse

Verdict = Literal["none", "additive", "breaking"]
NOISE = frozenset(("as", "inner", "outer", "asc"))
"""Words that may be left out; whether that changes anything is seen in the tree."""
AFTER = frozenset(("from", "where", "group", "having", "qualify", "window", "order", "limit", "offset", "using"))
"""Words that end the projections of a SELECT."""


@dataclass(frozen=True)
class Change:
    """`none`: the same query, written otherwise. `additive`: more columns; those that were there before have the values
    that they had. `breaking`: anything else, and whatever could not be told apart.

    `added`, `removed`, `altered`: output columns by name, as far as they are known. `rows`: which rows there are may
    have changed, and with them every column.
    """

    verdict: Verdict
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    rows: bool = False


NONE = Change("none")
UNKNOWN = Change("breaking", rows=True)


def change(old: str, new: str, dialect: Dialect) -> Change:
    """What the edit of one SELECT into another does to its rows, as far as its text alone tells.

    *Guarantee*: `none` and `additive` are proven; in doubt it is `breaking`. Never raises.
    """
    if same(old, new, dialect):
        return NONE
    before, after = parse(old, dialect), parse(new, dialect)
    if isinstance(before, Unparsed) or isinstance(after, Unparsed):
        return UNKNOWN
    try:
        return _compared(before, after, _cut(old), _cut(new))
    except RecursionError:
        return UNKNOWN


def same(old: str, new: str, dialect: Dialect) -> bool:
    """Whether both texts are one query: they differ in layout, comments, the case of keywords, and parentheses that
    change nothing.

    Both ways of reading must say so, the words and the tree: a parser may take two functions for one, and words alone
    don't know what binds closer.
    """
    if _said(old) != _said(new):
        return False
    before, after = parse(old, dialect), parse(new, dialect)
    if isinstance(before, Unparsed) or isinstance(after, Unparsed):
        return False
    try:
        return canonical(before) == canonical(after)
    except RecursionError:
        return False


def _said(sql: str) -> list[str]:
    """The words of the query without blanks, comments and parentheses; strings and quoted names as they are."""
    return _without_noise(_tokens(sql))


def _tokens(sql: str) -> list[str]:
    """Words in lower case, all else as it is. A line break between two strings, which joins them, is a word."""
    found: list[str] = []
    last = gap = ""
    for kind, text in lexer.tokens(sql):
        if kind == "blank":
            gap += text
            continue
        if last == kind == "string" and "\n" in gap:
            found.append("\n")
        found.append(text.casefold() if kind == "word" else text)
        last, gap = kind, ""
    return found


def _without_noise(said: Iterable[str]) -> list[str]:
    return [text for text in said if text not in ("(", ")") and text not in NOISE]


def canonical(node: exp.Expr) -> object:
    """The tree as nested tuples, exact in names, literals and structure; without parentheses, comments, positions."""
    while isinstance(node, exp.Paren):
        node = node.this
    args = [(key, _plain(value)) for key, value in sorted(node.args.items()) if value not in (None, False, [])]
    if isinstance(node, exp.Anonymous):
        args = [(key, value.lower() if key == "this" and isinstance(value, str) else value) for key, value in args]
    return (type(node).__name__, tuple(args))


def _plain(value: object) -> object:
    if isinstance(value, exp.Expr):
        return canonical(value)
    if isinstance(value, list):
        return tuple(_plain(one) for one in value)
    return value if isinstance(value, str | int | bool) else str(value)


# -- what an edit of the outermost SELECT does -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cut:
    """The words of one SELECT: those of each projection, and all others."""

    items: tuple[tuple[str, ...], ...]
    frame: tuple[str, ...]


def _cut(sql: str) -> _Cut:
    """The SELECT that is in no parentheses, cut at the commas of its projections."""
    items: list[list[str]] = []
    frame: list[str] = []
    depth, inside, before = 0, False, ""
    for text in _tokens(sql):
        if depth == 0 and text == "select":
            inside, items = True, [[]]
        elif depth == 0 and inside and text in AFTER and not (text == "from" and before == "distinct"):
            inside = False
        if inside and depth == 0 and text == ",":
            items.append([])
        elif inside and text != "select":
            items[-1].append(text)
        else:
            frame.append(text)
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(text, 0)
        before = text
    return _Cut(tuple(tuple(_without_noise(one)) for one in items if one), tuple(_without_noise(frame)))


def _compared(before: exp.Expr, after: exp.Expr, old_words: _Cut, new_words: _Cut) -> Change:
    if not isinstance(before, exp.Select) or not isinstance(after, exp.Select):
        return UNKNOWN
    if old_words.frame != new_words.frame or _frame(before) != _frame(after):
        return UNKNOWN
    old, new = _named(before), _named(after)
    if old is None or new is None or len(old) != len(old_words.items) or len(new) != len(new_words.items):
        return UNKNOWN
    said_old, said_new = dict(zip(old, old_words.items, strict=True)), dict(zip(new, new_words.items, strict=True))
    added = tuple(name for name in new if name not in old)
    removed = tuple(name for name in old if name not in new)
    altered = tuple(
        name
        for name in old
        if name in new and (said_old[name] != said_new[name] or canonical(old[name]) != canonical(new[name]))
    )
    moved = [name for name in old if name in new] != [name for name in new if name in old]
    shared = [name for name in new if name in old]
    in_place = list(new)[: len(shared)] == shared
    safe = in_place or not _places(after)
    quiet = _rows_stay(after, (new[name] for name in (*added, *altered))) and _rows_stay(
        before, (old[name] for name in (*removed, *altered))
    )
    free = quiet and safe and not moved and not _captured(after, {*added, *altered, *removed})
    if free and added and not removed and not altered:
        return Change("additive", added)
    return Change("breaking", added, removed, altered, rows=not free)


def _frame(node: exp.Select) -> object:
    """Everything of the query but its projections."""
    kept = {key: value for key, value in node.args.items() if key != "expressions" and value not in (None, False, [])}
    return tuple((key, _plain(value)) for key, value in sorted(kept.items()))


def _named(node: exp.Select) -> dict[str, exp.Expr] | None:
    """The projections by name, a star by `*`; None where a name is not said or occurs twice."""
    found: dict[str, exp.Expr] = {}
    for item in node.expressions:
        name = item.alias_or_name if isinstance(item, exp.Alias | exp.Column) else ""
        name = "*" if isinstance(item, exp.Star) else name
        if not name or name.casefold() in {one.casefold() for one in found}:
            return None
        found[name] = item
    return found


def _places(node: exp.Select) -> bool:
    """Whether GROUP BY or ORDER BY name output columns by their place."""
    clauses = [clause for key in ("group", "order") if (clause := node.args.get(key)) is not None]
    parts = [part.this if isinstance(part, exp.Ordered) else part for one in clauses for part in one.expressions]
    return any(isinstance(part, exp.Literal) for part in parts)


def _rows_stay(node: exp.Select, items: Iterable[exp.Expr]) -> bool:
    """Whether these projections say nothing about which rows there are, nor about other columns."""
    listed = list(items)
    if not listed:
        return True
    group = node.args.get("group")
    order = node.args.get("order")
    by_all = (group is not None and group.args.get("all")) or any(
        isinstance(part.this, exp.Var) for part in (order.expressions if order is not None else [])
    )
    any_rows = (node.args.get("limit") is not None and order is None) or node.args.get("sample") is not None
    if by_all or any_rows or node.args.get("distinct") is not None:
        return False
    folded = group is not None or any(_aggregates(one) for one in node.expressions if one not in listed)
    return all(_plain_value(one) and (folded or not _aggregates(one)) for one in listed)


def _aggregates(node: exp.Expr) -> bool:
    """Whether it makes one row of many: an aggregate that is no window's."""
    return any(
        not isinstance(one.find_ancestor(exp.Window, exp.Select), exp.Window) for one in node.find_all(exp.AggFunc)
    )


def _plain_value(node: exp.Expr) -> bool:
    """Whether it certainly makes one value per row: no function that nobody knows, nothing that makes rows."""
    unsure = (exp.Anonymous, exp.AnonymousAggFunc, exp.UDTF, exp.Explode, exp.GenerateSeries, exp.Columns, exp.Star)
    risky = [
        one for one in node.find_all(*unsure) if not (isinstance(one, exp.Star) and isinstance(one.parent, exp.Count))
    ]
    return not risky


def _captured(node: exp.Select, names: set[str]) -> bool:
    """Whether a name without a table, elsewhere in the query, may mean one of these output columns and not the column
    of a table."""
    items = {item.alias_or_name.casefold(): item for item in node.expressions}
    folded = {name.casefold() for name in names}
    bare = {name for name in folded if isinstance(items.get(name), exp.Column)}
    own = {id(items[name]) for name in folded if name in items}
    for column in node.find_all(exp.Column):
        name = column.name.casefold()
        if not column.table and name in folded - bare and not _within(column, node, own):
            return True
    return False


def _within(column: exp.Expr, node: exp.Select, own: set[int]) -> bool:
    """Whether it stands in one of these projections, or in a common table expression, which does not see them."""
    holder = column
    while holder.parent is not None and holder.parent is not node:
        holder = holder.parent
    return id(holder) in own or isinstance(holder, exp.With)
