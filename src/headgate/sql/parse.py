"""SQL text as a tree of SQLGlot, or the reason why there is none. Only what stands behind this door loads SQLGlot."""

from __future__ import annotations

import logging
from functools import cache, lru_cache

from sqlglot import exp, parse_one
from sqlglot.errors import ErrorLevel, SqlglotError

from headgate.core.records import dataclass
from headgate.sql.lineage.known import Dialect

KEPT = 256


@dataclass(frozen=True)
class Unparsed:
    """No tree. `reason`: one line for people."""

    reason: str


@lru_cache(maxsize=KEPT)
def parse(sql: str, dialect: Dialect) -> exp.Expr | Unparsed:
    """The tree of one statement; it is shared, so nobody may change it.

    *Guarantee*: never raises, whatever the text holds, and prints nothing.
    """
    _quiet()
    try:
        tree = parse_one(sql, read=dialect, error_level=ErrorLevel.IMMEDIATE)
    except SqlglotError as error:
        return Unparsed(_first_line(str(error)))
    except RecursionError:
        return Unparsed("it is nested too deeply")
    except Exception as error:
        # Another's parser over anybody's text: its own mistakes must not stop a run that does not need the tree.
        return Unparsed(f"{type(error).__name__}: {_first_line(str(error))}")
    if tree.find(exp.Command) is not None:
        return Unparsed("it holds a statement that is not taken apart")
    return tree


@cache
def _quiet() -> None:
    """SQLGlot tells of odd text through the log, which Python prints where nobody listens."""
    logging.getLogger("sqlglot").addHandler(logging.NullHandler())


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[0].rstrip(". ")
