"""Which values of a column of a commit may occur twice."""

from __future__ import annotations

from headgate.gate.scan import Scan
from headgate.sql import quote
from headgate.sql.late import GROWING, LEAST, PROBE, SHARE, late


def suspects(scan: Scan, column: str) -> str | None:
    """A temporary table `value` with every value that the scan has more than once, among others; None: look at all."""
    rows = sum(span.extent for span in scan.spans)
    kinds = {one.name: one.type.name for one in scan.contract.columns}
    if rows < LEAST or kinds[column] not in GROWING:
        return None
    values = f"SELECT {quote.ident(column)} AS value FROM ({scan.sql}) AS scan"
    execute, most = scan.session.execute, rows // SHARE
    probe = f"SELECT count(*) FROM ({late(f'{values} LIMIT {PROBE}')}) AS late"
    if execute(probe)[0][0] > PROBE // SHARE:
        return None
    made = scan.temp.keep(f"late_{len(scan.temp.tables)}", f"{late(values)} LIMIT {most + 1}")
    found, astray = execute(f"SELECT count(value), coalesce(bool_or(astray), false) FROM {made}")[0]
    return None if astray or found > most else made
