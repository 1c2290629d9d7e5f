"""Which values of a column may occur twice: mostly far fewer than there are, for keys grow with the rows.

A value that no row before it reaches is met for the first time. So of two equal values at least one is *late*: not
above the greatest value before it. One look in the order of the rows finds the late ones without a hash table; only
they need to be grouped.
"""

from __future__ import annotations

from headgate.gate.scan import Scan
from headgate.sql import quote

LEAST = 200_000
"""Rows of a scan below which grouping all values is cheap enough."""

PROBE = 100_000
"""Rows that are looked at first, to see whether the values grow at all."""

SHARE = 8
"""At most one row in so many may be late; else grouping all is cheaper."""

_GROWING = ("int", "bigint", "decimal", "date", "timestamp", "timestamptz")


def suspects(scan: Scan, column: str) -> str | None:
    """A temporary table `value` with every value that the scan has more than once, among others; None: look at all."""
    rows = sum(span.extent for span in scan.spans)
    kinds = {one.name: one.type.name for one in scan.contract.columns}
    if rows < LEAST or kinds[column] not in _GROWING:
        return None
    values = f"SELECT {quote.ident(column)} AS value FROM ({scan.sql}) AS scan"
    execute, most = scan.session.execute, rows // SHARE
    probe = f"SELECT count(*) FROM ({_late(f'{values} LIMIT {PROBE}')}) AS late"
    if execute(probe)[0][0] > PROBE // SHARE:
        return None
    made = scan.temp.keep(f"late_{len(scan.temp.tables)}", f"{_late(values)} LIMIT {most + 1}")
    found, astray = execute(f"SELECT count(value), coalesce(bool_or(astray), false) FROM {made}")[0]
    return None if astray or found > most else made


def _late(values: str) -> str:
    """The late ones of the SELECT of `value`, and whether the two windows saw the rows in orders of their own.

    Both windows take the rows as they come. The proof holds for any order, even for two that differ in rows of equal
    `reached`; should they differ more, `reached` falls somewhere on the way, and that row is `astray`.
    """
    return f"""SELECT value, before > reached AS astray FROM (
            SELECT value, reached, lag(reached) OVER () AS before FROM (
                SELECT value, max(value) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS reached
                FROM ({values}) AS v WHERE value IS NOT NULL) AS r) AS b
        WHERE before >= value"""
