"""Rows between the store and a Python model: with the types that they have there, and nothing cut short."""

from __future__ import annotations

from contextlib import ExitStack

from headgate.core.errors import HeadgateError, ProjectError, tidied
from headgate.core.protocols import StoreSession
from headgate.models.python.function import Read
from headgate.models.python.result import Rows
from headgate.sql import quote

WIDER = {
    "TINYINT": "INTEGER",
    "UTINYINT": "INTEGER",
    "SMALLINT": "INTEGER",
    "USMALLINT": "INTEGER",
    "UINTEGER": "BIGINT",
    "UBIGINT": "DECIMAL(20,0)",
    "HUGEINT": "DECIMAL(38,0)",
    "FLOAT": "DOUBLE",
    "TIMESTAMP_S": "TIMESTAMP",
    "TIMESTAMP_MS": "TIMESTAMP",
}
"""Types that take every value of one that the store does not have."""
_ANY_DECIMAL = "numeric"


def one_system(session: StoreSession) -> bool:
    """Whether the store is the engine, too."""
    engine: object = session.engine
    return engine is session


def taken(session: StoreSession, read: Read, name: str) -> str:
    """The engine's SELECT of an input that was brought from the store, each column in its type there.

    A decimal whose size the store does not say has as many digits behind the point as its values need.
    """
    there = session.answer(read.select, 0).columns
    declared = dict(session.columns(read.table) or []) if read.table is not None else {}
    brought = session.take(read.select, name)
    engine = session.engine
    casts = []
    for column, kind in there:
        value = quote.ident(column)
        stored = declared.get(column, kind)
        if stored == _ANY_DECIMAL:
            places = f"coalesce(max(length(split_part(CAST({value} AS VARCHAR), '.', 2))), 0)"
            scale = int(engine.execute(f"SELECT {places} FROM {brought}")[0][0])
            wanted = f"DECIMAL(38,{min(scale, 38)})"
        else:
            wanted = session.engine_type(stored)
        casts.append(f"CAST({value} AS {wanted}) AS {value}")
    return f"SELECT {', '.join(casts)} FROM {brought}"


def select(session: StoreSession, rows: Rows, name: str, stack: ExitStack) -> str:
    """The store's SELECT of these rows. *Errors*: ProjectError `unreadable-type`, `unreadable-value`."""
    engine = session.engine
    engine.register(name, rows.whole())
    stack.enter_context(tidied(lambda: engine.unregister(name)))
    casts = []
    for column, kind in ((row[0], row[1]) for row in engine.execute(f"DESCRIBE SELECT * FROM {name}")):
        value, wanted = quote.ident(column), _kept(session, rows, column, rows.kinds.get(column, kind))
        casts.append(f"CAST({value} AS {wanted}) AS {value}" if wanted != kind else value)
        _holds(session, rows, (name, column), wanted)
    made = session.bring(f"SELECT {', '.join(casts)} FROM {name}", f"{name}_brought")
    if not one_system(session):
        stack.enter_context(tidied(lambda: session.execute(f"DROP TABLE IF EXISTS {name}_brought")))
    return f"SELECT * FROM {made} AS _hg_rows"


def _kept(session: StoreSession, rows: Rows, column: str, kind: str) -> str:
    """The type under which the store keeps the column."""
    for one in (kind, WIDER.get(kind, "VARCHAR" if kind.startswith("ENUM(") else kind)):
        try:
            session.physical(one)
        except KeyError:
            continue
        return one
    raise _unkept(rows, f"column {column!r} of the engine's type {kind}, which the warehouse does not have")


def _unkept(rows: Rows, what: str) -> HeadgateError:
    return rows.place.refuse(what, "cast the column before it is returned, e.g. to text", "unreadable-type")


def _holds(session: StoreSession, rows: Rows, at: tuple[str, str], kind: str) -> None:
    """Every value is one that the store can keep."""
    name, column = at
    limit = session.holds(quote.ident(column), kind)
    if limit is None:
        return
    condition, why = limit
    some = session.engine.execute(f"SELECT 1 FROM {name} WHERE NOT ({condition}) LIMIT 1")
    if some:
        fix = "change or leave out such values before they are returned"
        raise ProjectError.of("unreadable-value", f"column {column!r}: {why}", rows.place.where, fix)
