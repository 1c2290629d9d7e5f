"""The lineage of one query, from its text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headgate.sql.lineage.context import Context
from headgate.sql.lineage.flow import ANY, ROWS, Flow, through
from headgate.sql.lineage.known import Dialect, Known, Macro, Traced
from headgate.sql.lineage.scope import Scope, Untraceable
from headgate.sql.lineage.select import query
from headgate.sql.parse import Unparsed, parse


def trace(
    sql: str,
    dialect: Dialect,
    tables: Mapping[str, Known],
    reads: Sequence[str],
    macros: Mapping[str, tuple[Macro, ...]] | None = None,
) -> Traced:
    """The lineage of one SELECT.

    `tables`: what may be read, by `schema.name` in lower case. `reads`: names of the tables that the query certainly
    may read, for the case that it can't be taken apart.
    *Guarantee*: never raises; a column is left out only if its values can't change the column in question. What is not
    understood flows from everything.
    """
    tree = parse(sql, dialect)
    if isinstance(tree, Unparsed):
        return _anything(reads, tree.reason)
    root = Scope()
    try:
        found = query(tree, Context(tables, dialect, query, macros or {}), root)
    except Untraceable as error:
        return _anything(reads, str(error))
    except RecursionError:
        return _anything(reads, "it is nested too deeply")
    except Exception as error:
        # A tree of a shape that nobody foresaw: what is asked for is an answer that leaves nothing out.
        return _anything(reads, f"{type(error).__name__}: {error}")
    if not found.columns and found.rest is None:
        return _anything(reads, "it has no columns")
    columns = tuple((one.name, one.value.flows) for one in found.columns)
    return Traced(columns, found.rest, found.rows, unknown=tuple(sorted(root.unknown)))


def _anything(reads: Sequence[str], why: str) -> Traced:
    every = frozenset(Flow(name, ANY, "transformation") for name in reads)
    there = frozenset(Flow(name, ROWS, "rows") for name in reads)
    return Traced((), every, through(every, "filter") | there, doubt=why)
