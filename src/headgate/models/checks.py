"""Checks of models as SQL: how many rows fail, and which.

A relation is anything that may stand behind FROM, e.g. `"gold"."sales" AS "sales"`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headgate.core.protocols import Session
from headgate.models.model import ModelCheck
from headgate.sql import quote

# Expressions stand on lines of their own: a line comment at their end must not swallow what follows.


def failing(check: ModelCheck, relation: str) -> str:
    """The query that counts the failing rows. For `unique` that is every row whose value occurs more than once."""
    if check.kind == "unique":
        column = quote.ident(check.column or "")
        groups = (
            f"SELECT count(*) AS n FROM {relation} WHERE {column} IS NOT NULL GROUP BY {column} HAVING count(*) > 1"
        )
        return f"SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM ({groups}) AS groups"
    return f"SELECT count(*) FROM {relation} WHERE {_condition(check)}"


def sample(check: ModelCheck, relation: str, limit: int = 5) -> str:
    """The query that shows failing rows, at most `limit`."""
    if check.kind == "unique":
        column = quote.ident(check.column or "")
        where = f"{column} IS NOT NULL QUALIFY count(*) OVER (PARTITION BY {column}) > 1 ORDER BY {column}"
    else:
        where = _condition(check)
    return f"SELECT * FROM {relation} WHERE {where} LIMIT {limit:d}"


def _condition(check: ModelCheck) -> str:
    if check.kind == "not_null":
        return f"{quote.ident(check.column or '')} IS NULL"
    return f"NOT (\n{check.sql}\n)"


@dataclass(frozen=True)
class Counts:
    """`rows` of the relation, counted by a scan; `failing[i]` rows that fail the i-th check."""

    rows: int
    failing: tuple[int, ...]


def count(session: Session, checks: Sequence[ModelCheck], relation: str, column: str) -> Counts:
    """Rows and failing rows: one scan for rows, `not_null` and expressions together, one per `unique` on its column.

    `column` is any column of the relation: its values are looked at, because a bare count(*) may be answered without
    reading a row, and must not prove that rows are there.
    """
    flat = [index for index, check in enumerate(checks) if check.kind != "unique"]
    found = [0] * len(checks)
    (row,) = session.execute(_flat_query([checks[index] for index in flat], relation, column))
    for index, value in zip(flat, row[1:], strict=True):
        found[index] = int(value)
    for index, check in enumerate(checks):
        if check.kind == "unique":
            found[index] = int(session.execute(failing(check, relation))[0][0])
    return Counts(int(row[0]), tuple(found))


def _flat_query(checks: Sequence[ModelCheck], relation: str, column: str) -> str:
    # The conditions are columns of an inner query, so that an expression may hold a subquery or a window.
    inner = [f"CASE WHEN {quote.ident(column)} IS NULL THEN 1 ELSE 1 END AS _hg_one"]
    inner += [f"{_condition(check)} AS _hg_f{index}" for index, check in enumerate(checks)]
    outer = ["coalesce(sum(_hg_one), 0)", *(f"count(*) FILTER (WHERE _hg_f{index})" for index in range(len(checks)))]
    return f"SELECT {', '.join(outer)} FROM (SELECT {', '.join(inner)} FROM {relation}) AS _hg_rows"
