"""What `headgate adopt` tells a person."""

from __future__ import annotations

from headgate.api import results
from headgate.cli.findings import findings
from headgate.cli.screen import Screen
from headgate.cli.text import count, many, safe


def adopt(answer: results.AdoptResult, screen: Screen) -> list[str]:
    """How many rows have books now, what went to the quarantine, what changed, and what the next run does."""
    verb, table = "would adopt" if answer.dry_run else "adopted", safe(answer.table)
    fates = f"{count(answer.rows_loaded)} adopted + {count(answer.rows_quarantined)} quarantined"
    lines = [f"{verb} {table}: {many(answer.rows_read, 'row')} = {fates}, by {safe(answer.by)}"]
    lines += [f"  {safe(name)}: {many(rows, 'row')}" for name, rows in sorted(answer.reasons.items())]
    lines += [f"  {safe(change)}" for change in answer.changes]
    if answer.dry_run:
        lines += [f"    {safe(statement)};" for statement in answer.sql]
    if answer.seen:
        counts = many(answer.seen, "partition of its source counts", "partitions of its source count")
        lines.append(f"{counts} as read: {many(answer.skipped, 'record')}")
    if answer.waiting:
        waits = many(answer.waiting, "partition of its source waits", "partitions of its source wait")
        lines.append(f"{waits} for the next run: headgate run {table}")
    if answer.rows_quarantined and not answer.dry_run:
        waits = many(answer.rows_quarantined, "row waits", "rows wait")
        lines.append(f"{waits} in quarantine: headgate quarantine list")
    return [*lines, *findings(answer.warnings, screen)]
