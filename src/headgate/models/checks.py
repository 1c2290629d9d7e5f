"""Checks of models as SQL: how many rows fail, and which.

A relation is anything that may stand behind FROM, e.g. `"gold"."sales" AS "sales"`.
"""

from __future__ import annotations

from collections.abc import Sequence

from headgate.core.protocols import Session
from headgate.core.records import dataclass
from headgate.models.model import UNDER_TEST, CheckKind, ModelCheck
from headgate.sql import quote

# Expressions stand on lines of their own: a line comment at their end must not swallow what follows.

FLAT: tuple[CheckKind, ...] = ("not_null", "expression", "accepted_values")
"""Whether a row fails can be said from the row alone."""


def failing(check: ModelCheck, relation: str) -> str:
    """The query that counts the failing rows."""
    if check.kind == "unique":
        column = quote.columns(_unique(check))
        where = _where(_compared(check), _only(check))
        groups = f"SELECT count(*) AS n FROM {relation}{where} GROUP BY {column} HAVING count(*) > 1"
        return f"SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM ({groups}) AS groups"
    if check.kind == "query":
        return f"{_under_test(check, relation)} SELECT count(*) FROM (\n{check.sql}\n) AS _hg_failing"
    if check.kind == "row_count":
        return f"SELECT CASE WHEN count(*) {_beyond(check)} THEN 1 ELSE 0 END FROM {relation}{_where(_only(check))}"
    return f"SELECT count(*) FROM {_source(check, relation)}"


def sample(check: ModelCheck, relation: str, limit: int = 5) -> str:
    """The query that shows failing rows, at most `limit`; of `row_count`, the number of rows."""
    if check.kind == "row_count":
        return f"SELECT count(*) FROM {relation}{_where(_only(check))}"
    if check.kind == "query":
        return f"{_under_test(check, relation)} SELECT * FROM (\n{check.sql}\n) AS _hg_failing LIMIT {limit:d}"
    if check.kind != "unique":
        return f"SELECT * FROM {_source(check, relation)} LIMIT {limit:d}"
    names = _unique(check)
    columns = quote.columns(names)
    same = " AND ".join(
        f"_hg_one.{quote.ident(name)} IS NOT DISTINCT FROM _hg_two.{quote.ident(name)}" for name in names
    )
    groups = f"SELECT {columns} FROM {UNDER_TEST}{_where(_compared(check))} GROUP BY {columns} HAVING count(*) > 1"
    return (
        f"{_under_test(check, relation)} SELECT * FROM {UNDER_TEST} AS _hg_one WHERE EXISTS"
        f" (SELECT 1 FROM ({groups}) AS _hg_two WHERE {same}) ORDER BY {columns} LIMIT {limit:d}"
    )


def _source(check: ModelCheck, relation: str) -> str:
    """The failing rows behind FROM, for checks that look at one row."""
    if check.kind == "relationships":  # a name for the row's own column, which the other table may have, too
        return f"(SELECT * FROM {relation}{_where(_only(check))}) AS _hg_from WHERE {_condition(check, relation)}"
    return relation + _where(_condition(check), _only(check))


def _under_test(check: ModelCheck, relation: str) -> str:
    return f"WITH {UNDER_TEST} AS (SELECT * FROM {relation}{_where(_only(check))})"


def _where(*conditions: str) -> str:
    parts = [condition for condition in conditions if condition]
    return f" WHERE {' AND '.join(parts)}" if parts else ""


def _only(check: ModelCheck) -> str:
    return f"(\n{check.only}\n)" if check.only else ""


def _unique(check: ModelCheck) -> tuple[str, ...]:
    return check.columns or (check.column or "",)


def _compared(check: ModelCheck) -> str:
    """A single NULL is not compared; a NULL in one of several columns must not hide that the others are doubled."""
    return "" if check.columns else f"{quote.ident(check.column or '')} IS NOT NULL"


def _beyond(check: ModelCheck) -> str:
    least = check.least if check.least is not None else 0
    return f"NOT BETWEEN {least:d} AND {check.most:d}" if check.most is not None else f"< {least:d}"


def _condition(check: ModelCheck, relation: str = "") -> str:
    """True for a row that fails. `relation`: where all rows are, for one that refers to its own table."""
    column = quote.ident(check.column or "")
    if check.kind == "not_null":
        return f"{column} IS NULL"
    if check.kind == "accepted_values":
        return f"{column} NOT IN ({', '.join(check.values)})"
    if check.kind == "relationships":
        to = f"(SELECT * FROM {relation})" if check.to == UNDER_TEST else check.to
        inside = f"SELECT 1 FROM {to} AS _hg_to WHERE _hg_to.{quote.ident(check.field)} = _hg_from.{column}"
        return f"{column} IS NOT NULL AND NOT EXISTS ({inside})"
    return f"NOT (\n{check.sql}\n)"


@dataclass(frozen=True)
class Counts:
    """`rows` of the relation, counted by a scan; `failing[i]` rows that fail the i-th check."""

    rows: int
    failing: tuple[int, ...]


def count(session: Session, checks: Sequence[ModelCheck], relation: str, column: str) -> Counts:
    """Rows and failing rows: one scan for rows and all that a row alone can say, one for every other check.

    `column` is any column of the relation: its values are looked at, because a bare count(*) may be answered without
    reading a row, and must not prove that rows are there.
    """
    flat = [index for index, check in enumerate(checks) if check.kind in FLAT]
    found = [0] * len(checks)
    (row,) = session.execute(_flat_query([checks[index] for index in flat], relation, column))
    for index, value in zip(flat, row[1:], strict=True):
        found[index] = int(value)
    for index, check in enumerate(checks):
        if check.kind not in FLAT:
            found[index] = int(session.execute(failing(check, relation))[0][0])
    return Counts(int(row[0]), tuple(found))


def _flat_query(checks: Sequence[ModelCheck], relation: str, column: str) -> str:
    # The conditions are columns of an inner query, so that an expression may hold a subquery or a window.
    inner = [f"CASE WHEN {quote.ident(column)} IS NULL THEN 1 ELSE 1 END AS _hg_one"]
    inner += [f"{_flagged(check)} AS _hg_f{index}" for index, check in enumerate(checks)]
    outer = ["coalesce(sum(_hg_one), 0)", *(f"count(*) FILTER (WHERE _hg_f{index})" for index in range(len(checks)))]
    return f"SELECT {', '.join(outer)} FROM (SELECT {', '.join(inner)} FROM {relation}) AS _hg_rows"


def _flagged(check: ModelCheck) -> str:
    condition = _condition(check)
    return f"{_only(check)} AND {condition}" if check.only else condition
