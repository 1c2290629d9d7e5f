"""What `headgate adopt` tells a person."""

from __future__ import annotations

from headgate.api import results
from headgate.cli.findings import findings
from headgate.cli.screen import Screen
from headgate.cli.text import count, many, safe


def adopt(answer: results.AdoptResult, screen: Screen) -> list[str]:
    """How many rows have books now, what went to the quarantine, what changed, and what the next run does."""
    verb, had = ("would adopt", "would go") if answer.dry_run else ("adopted", "went")
    told = f"{many(answer.rows_read, 'row')} = {count(answer.rows_loaded)} adopted"
    lines = [f"{verb} {safe(answer.table)}: {told} + {count(answer.rows_quarantined)} quarantined, by {safe(answer.by)}"]
    lines += [f"  {safe(name)}: {many(rows, 'row')}" for name, rows in sorted(answer.reasons.items())]
    lines += [f"  {safe(change)}" for change in answer.changes]
    if answer.dry_run:
        lines += [f"    {safe(statement)};" for statement in answer.sql]
    if answer.seen:
        lines.append(f"{many(answer.seen, 'partition')} of its source counts as read: {many(answer.skipped, 'record')}")
    if answer.waiting:
        lines.append(f"{many(answer.waiting, 'partition')} of its source waits for the next run: headgate run {answer.table}")
    if answer.rows_quarantined and not answer.dry_run:
        lines.append(f"{many(answer.rows_quarantined, 'row')} {had} to the quarantine: headgate quarantine list")
    return [*lines, *findings(answer.warnings, screen)]
