"""Whether the books balance, as an answer to the question of health."""

from __future__ import annotations

from collections.abc import Sequence

from headgate.core.errors import Finding
from headgate.core.protocols import Session
from headgate.observe.health import Check, Remark

FIX = "see what does not hold: headgate audit"


def audited(findings: Sequence[Finding], tables: int) -> Check:
    """What an audit found."""
    remarks = tuple(Remark(one.where, "bad", one.what, FIX, {"code": one.code}) for one in findings)
    return Check("books", "bad" if remarks else "ok" if tables else "unknown", tables, remarks)


def glanced(session: Session) -> Check:
    """Whether every entry gives every record a fate and no line of the ledger is missing: tables are not looked at."""
    rows = session.execute(
        """SELECT s.table_name, s.version, count(e.id),
                  coalesce(sum(CASE WHEN e.rows_read <> e.rows_loaded + e.rows_quarantined + e.rows_deduplicated
                                           + e.rows_skipped THEN 1 ELSE 0 END), 0)
           FROM _headgate.table_state AS s LEFT JOIN _headgate.entry AS e ON e.table_name = s.table_name
           GROUP BY s.table_name, s.version ORDER BY 1"""
    )
    remarks = []
    for table, version, entries, wrong in rows:
        if wrong:
            remarks.append(Remark(table, "bad", f"{wrong} of {entries} entries do not balance", FIX))
        elif entries != version:
            remarks.append(Remark(table, "bad", f"the ledger has {entries} of {version} entries", FIX))
    return Check("books", "bad" if remarks else "ok" if rows else "unknown", len(rows), tuple(remarks))
