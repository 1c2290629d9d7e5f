"""Answers about refused records as text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headgate.api import results
from headgate.cli import show
from headgate.cli.screen import Screen
from headgate.cli.show import as_text, shown
from headgate.cli.table import Column, table
from headgate.cli.text import count, many, safe

_COLUMNS = (Column("id"), Column("table"), Column("from"), Column("reasons"), Column("record"))
_NEXT = {
    "open": "   again through the gate: headgate quarantine replay",
    "held": "   their load was refused: mend the data or the contract, then headgate run",
}


def quarantine(answer: results.QuarantineList, screen: Screen) -> list[str]:
    """A table of the records, and what can be done with them: what is held waits for its load, not for a replay."""
    rows = [[item.id, item.table, _place(item), _reasons(item), _record(item)] for item in answer.records]
    lines = table(_COLUMNS, rows, screen.width) if rows else []
    lines.append(shown(len(rows), answer.total, "record", "records"))
    if rows:
        statuses = [status for status in _NEXT if any(item.status == status for item in answer.records)]
        lines.append(f"whole: headgate quarantine show {rows[0][0]}" + (_NEXT[statuses[0]] if statuses else ""))
    return lines + _masked(answer.records)


def _masked(records: Sequence[results.QuarantineRecord]) -> list[str]:
    return (
        ["values of columns marked pii are hidden: --unmask shows them"] if any(one.masked for one in records) else []
    )


def sample(answer: results.QuarantineSample, screen: Screen) -> list[str]:
    """Reason by reason: how many there are, and some of them."""
    lines: list[str] = []
    for group in answer.groups:
        name = f"{group.column}: " if group.column else ""
        what = f"{safe(group.table)}  {safe(group.rule)}  {safe(name + group.message)}"
        lines.append(f"{what}: {many(group.count, 'record', 'records')}")
        lines += [f"  {safe(one.id)}  {safe(_place(one))}  {safe(_record(one))}" for one in group.records]
        lines.append("")
    kinds = many(len(answer.groups), "reason")
    lines.append(f"{many(answer.total, 'record', 'records')}, {kinds}")
    return lines + _masked([one for group in answer.groups for one in group.records])


def export(answer: results.ExportResult, screen: Screen) -> list[str]:
    lines = [
        f"wrote {safe(answer.path)}: {many(answer.records, 'record', 'records')}, {many(len(answer.columns), 'column')}"
    ]
    if answer.masked:
        lines.append("values of columns marked pii are hidden in it: --unmask writes them")
    if answer.format != "parquet" and answer.records:
        lines.append(f'edit it, then: headgate quarantine fix --from {safe(answer.path)} --reason "..." --dry-run')
    return lines


def fix(answer: results.FixResult, screen: Screen) -> list[str]:
    """What changes, record by record; then how many, and what became of them."""
    lines = [line for one in answer.changes for line in _change(one)]
    if answer.fixed > len(answer.changes):
        lines.append(f"{count(len(answer.changes))} of {many(answer.fixed, 'change')} (--limit 0 shows all)")
    word = "would change" if answer.dry_run else "fixed"
    lines.append(f"{word}: {count(answer.fixed)} of {many(answer.chosen, 'record', 'records')}")
    if answer.malformed:
        left = many(answer.malformed, "record was", "records were")
        lines.append(f"{left} left out: they could not be taken apart, and take --raw")
    return lines + _after(answer)


def _after(answer: results.FixResult) -> list[str]:
    again = answer.replay
    if again is None:
        return ["again through the gate: headgate quarantine replay"] if answer.fixed else []
    sums = show.sum_text(again.rows_read, show.fates(again))
    if answer.dry_run:
        return [f"a replay of them would end in: {sums}"]
    waits = [f"{many(again.rows_quarantined, 'row waits', 'rows wait')} again: headgate quarantine list"]
    return [f"replayed: {sums}", *(waits if again.rows_quarantined else [])]


def _change(one: results.RecordChange) -> list[str]:
    lines = [f"{safe(one.id)}  {safe(one.table)}  revision {one.revision} -> {one.revision + 1}"]
    if one.raw is not None:
        lines.append(f"  raw: {safe(as_text(one.raw[0]))} -> {safe(as_text(one.raw[1]))}")
    moved: Mapping[str, Any] = one.columns
    return lines + [f"  {safe(name)}: {safe(as_text(a))} -> {safe(as_text(b))}" for name, (a, b) in moved.items()]


def purge(answer: results.PurgeResult, screen: Screen) -> list[str]:
    lines = [
        f"{safe(one.table)} entry {safe(one.entry)}: {many(one.emptied, 'record', 'records')} erased, "
        f"{count(one.purged)} of them open; digest {safe(one.digest)}"
        for one in answer.receipts
    ]
    said = f"by {safe(answer.by)}: {safe(answer.reason)}"
    return [*lines, f"purged: {many(answer.emptied, 'record', 'records')}, {said}"]


def _place(item: results.QuarantineRecord) -> str:
    line, record = item.position.get("line"), item.position.get("record")
    return f"{item.source}:{line}" if line is not None else f"{item.source} record {record}"


def _reasons(item: results.QuarantineRecord) -> str:
    return "; ".join(_reason(reason) for reason in item.reasons)


def _reason(reason: results.Reason) -> str:
    return f"{reason.column or reason.rule}: {reason.message}"


def _record(item: results.QuarantineRecord) -> str:
    """Its text as received; once it was fixed, or where the text is hidden, its columns."""
    told = item.raw if item.row is None or not (item.revision or item.masked) else None
    if told is not None:
        return told
    return as_text(item.row) if item.row is not None or item.status != "purged" else "(purged)"


def quarantine_show(answer: results.QuarantineList, screen: Screen) -> list[str]:
    """Each record whole, one below the other; nothing is cut."""
    return [line for item in answer.records for line in (*_whole(item), "")][:-1]


def _whole(item: results.QuarantineRecord) -> list[str]:
    lines = [f"{safe(item.id)}  {safe(item.table)}  {item.status}  {safe(_place(item))}"]
    lines += [f"  refused: {safe(_reason(reason))} ({safe(reason.rule)})" for reason in item.reasons]
    if item.parent:
        lines.append(f"  refused before as {safe(item.parent)}")
    if item.raw is not None:
        lines.append(f"  raw: {safe(item.raw)}")
    lines += [f"    {safe(name)} = {safe(as_text(value))}" for name, value in (item.row or {}).items()]
    lines += [line for one in item.revisions for line in _revision(one)]
    return lines + [f"  {line}" for line in _masked([item])]


def _revision(one: results.Revision) -> list[str]:
    lines = [f"  revision {one.revision} by {safe(one.by)} at {safe(one.at)}: {safe(one.reason)}; before:"]
    if one.raw is not None:
        lines.append(f"    raw: {safe(one.raw)}")
    return lines + [f"    {safe(name)} = {safe(as_text(value))}" for name, value in (one.row or {}).items()]
