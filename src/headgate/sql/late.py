"""Values that may stand twice: mostly far fewer than there are, for keys grow with the rows.

A value that no row before it reaches is met for the first time. So of two equal values at least one is *late*: not
above the greatest value before it. One look in the order of the rows finds the late ones without a hash table; only
they need to be grouped.
"""

from __future__ import annotations

LEAST = 200_000
"""Rows below which grouping all values is cheap enough."""

PROBE = 100_000
"""Rows that are looked at first, to see whether the values grow at all."""

SHARE = 8
"""At most one row in so many may be late; else grouping all is cheaper."""

GROWING = ("int", "bigint", "decimal", "date", "timestamp", "timestamptz")
"""Types of columns whose values may grow with the rows."""


def late(values: str) -> str:
    """The late ones of the SELECT of `value`, and whether the two windows saw the rows in orders of their own.

    Both windows take the rows as they come. The proof holds for any order, even for two that differ in rows of equal
    `reached`; should they differ more, `reached` falls somewhere on the way, and that row is `astray`.
    """
    return f"""SELECT value, before > reached AS astray FROM (
            SELECT value, reached, lag(reached) OVER () AS before FROM (
                SELECT value, max(value) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS reached
                FROM ({values}) AS v WHERE value IS NOT NULL) AS r) AS b
        WHERE before >= value"""
