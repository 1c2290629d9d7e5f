"""Answers as text for people: what happened, how many, how long, what to do next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from headgate.api import results
from headgate.cli import show_lineage
from headgate.cli.findings import findings
from headgate.cli.screen import Screen
from headgate.cli.table import GAP, Column, table
from headgate.cli.text import count, many, safe, width

_NUMBERS = {"DECIMAL", "DOUBLE", "FLOAT"} | {
    sign + size for sign in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
}


def run(answer: results.RunResult, screen: Screen) -> list[str]:
    """A table of the steps, warnings, findings, the balance line, what waits."""
    lines = _steps(answer.steps, screen.width) if answer.steps else []
    told = [warning for step in answer.steps for warning in step.warnings] + [*answer.findings, *answer.notes]
    lines += _block(findings(told, screen))
    return [*lines, "", _balance_line(answer, screen), *_next(answer)]


_FATES = ("loaded", "quarantined", "deduplicated", "skipped")
_STEP_COLUMNS = (
    Column("step"),
    Column("status"),
    *(Column(name, right=True) for name in ("read", *_FATES)),
    Column("seconds", right=True, spare=1),
    Column("reason"),
)


_REASON = 16
"""A reason that is cut to less than this says nothing."""


def _steps(steps: Sequence[results.Step], room: int | None) -> list[str]:
    """The table of steps. Where it does not fit, the reasons are left out, before names of steps are cut."""
    rows = [row for step in steps for row in (_step(step), *map(_child, step.children))]
    kept = [row[:-1] for row in rows]
    bare = table(_STEP_COLUMNS[:-1], kept, None)
    if room is not None and max(map(width, bare)) + len(GAP) + _REASON > room:
        return table(_STEP_COLUMNS[:-1], kept, room)
    return table(_STEP_COLUMNS, rows, room)


def _step(step: results.Step) -> list[str]:
    reason = "; ".join(part for part in (step.reason, *_beside(step)) if part)
    return [step.id, step.status, count(step.rows_read), *map(count, fates(step)), f"{step.seconds:.2f}", reason]


def _beside(step: results.Step) -> list[str]:
    """What the reason does not say: how often it was tried, what it rests on, that nobody waits for it."""
    tried = [f"{step.attempts} attempts"] if step.attempts > 1 else []
    stale = [f"stale: {', '.join(step.stale)} did not succeed"] if step.stale else []
    bad = step.status in ("refused", "failed", "blocked")
    return [*tried, *stale, *(["optional"] if step.optional and bad else [])]


def _child(child: results.ChildRows) -> list[str]:
    removed = f"{count(child.rows_removed)} removed" if child.rows_removed else ""
    return [f"  {child.table}", "lines", count(child.rows_read), *map(count, fates(child)), "", removed]


def fates(item: Any) -> list[int]:
    return [getattr(item, f"rows_{fate}") for fate in _FATES]


def _balance_line(answer: results.RunResult, screen: Screen) -> str:
    # What a refused load read was never committed: it is in the table above, not in the sum.
    steps = [step for step in answer.steps if step.status != "refused"]
    read = sum(step.rows_read for step in steps)
    sums = [sum(column) for column in zip(*map(fates, steps), strict=True)] or [0] * len(_FATES)
    if answer.balanced and read == sum(sums):
        return f"{screen.paint('balanced', 'green')}: {sum_text(read, sums)}"
    return f"{screen.paint('NOT balanced', 'red')}: {sum_text(read, sums)}; headgate audit says where"


def sum_text(read: int, fates: Sequence[int]) -> str:
    sign = "=" if read == sum(fates) else "but"
    return f"{count(read)} read {sign} " + " + ".join(
        f"{count(rows)} {name}" for rows, name in zip(fates, _FATES, strict=True)
    )


_NO_STEP = "no step is selected: widen the selection, or say what to load: headgate init --from FILES"


def _next(answer: results.RunResult) -> list[str]:
    waiting = sum(step.rows_quarantined for step in answer.steps if step.status != "refused")
    lines = [] if answer.steps or any(one.code == "nothing-to-resume" for one in answer.notes) else [_NO_STEP]
    if waiting:
        lines.append(f"{many(waiting, 'row waits', 'rows wait')} in quarantine: headgate quarantine list")
    if any(step.status == "refused" and step.rows_quarantined for step in answer.steps):
        lines.append("what a refused load would not take: headgate quarantine list --status held")
    return lines


def plan(answer: results.PlanResult, screen: Screen) -> list[str]:
    columns = [Column("step"), Column("kind", spare=1), Column("would"), Column("because")]
    rows = [[step.id, step.kind, step.status, step.reason + _last_build(step) + _stale(step)] for step in answer.steps]
    due = sum(step.status == "run" for step in answer.steps)
    todo = "headgate run --resume" if answer.command.endswith("--resume") else "headgate run"
    last = f"{count(due)} of {many(len(rows), 'step')} would run" + (f": {todo}" if due else "")
    last = last if rows else "" if answer.notes else _NO_STEP
    changes = _block([line for step in answer.steps for line in _statements(step)])
    changes += _block([line for step in answer.steps for line in show_lineage.change(step)])
    changes += _block([show_lineage.exposure(one) for one in answer.exposures])
    told = findings(answer.notes, screen)
    return [*(table(columns, rows, screen.width) if rows else []), *changes, *told, *(["", last] if last else [])]


def _statements(step: results.PlanStep) -> list[str]:
    return [f"{safe(step.id)} would change:", *(f"  {safe(text)};" for text in step.sql)] if step.sql else []


def _last_build(step: results.PlanStep) -> str:
    if not step.rows_quarantined:
        return ""
    return f" (its last build refused {count(step.rows_quarantined)} of {many(step.rows_read, 'row')})"


def _stale(step: results.PlanStep) -> str:
    return f" (stale: {', '.join(step.stale)} did not succeed before its last build)" if step.stale else ""


def check(answer: results.CheckResult, screen: Screen) -> list[str]:
    levels = [item.level for item in answer.findings]
    errors, warnings = many(levels.count("error"), "error"), many(levels.count("warning"), "warning")
    verdict = screen.paint("ok", "green") if answer.ok else screen.paint("not ok", "red")
    lines = [*map(safe, answer.diff), *([f"{many(len(answer.applied), 'edit')} made", ""] if answer.applied else [])]
    certain = sum(bool(item.edits) for item in answer.findings)
    last = f"{verdict}: {errors}, {warnings}"
    hint = f"; headgate check --fix mends {many(certain, 'of them', 'of them')}" if certain else ""
    return [*lines, *findings(answer.findings, screen), last + hint]


def audit(answer: results.AuditResult, screen: Screen) -> list[str]:
    columns = [Column("law"), Column("says"), Column("checked", right=True), Column("failed", right=True)]
    rows = [[law.id, law.title, count(law.checked), count(law.failed)] for law in answer.laws]
    scope = f"{many(answer.tables, 'table')}, {many(answer.entries, 'entry', 'entries')}"
    if answer.balanced:
        verdict = f"{screen.paint('balanced', 'green')}: every law holds over {scope}"
    else:
        verdict = f"{screen.paint('NOT balanced', 'red')}: {many(len(answer.findings), 'finding')} over {scope}"
    told = _block(findings(answer.findings, screen))
    return [*(table(columns, rows, screen.width) if rows else []), *told, "", verdict]


_ENTRY_TEXTS = ("at", "table", "kind", "partition")
_ENTRY_NUMBERS = ("generation", "seq")


def ledger(answer: results.LedgerResult, screen: Screen) -> list[str]:
    numbers = (*_ENTRY_NUMBERS, "read", *_FATES)
    columns = [*map(Column, _ENTRY_TEXTS), Column("contract", spare=1)]
    columns += [Column(name, right=True, spare=2 * (name in _ENTRY_NUMBERS)) for name in numbers]
    rows = [_entry(entry) for entry in answer.entries]
    return [*(table(columns, rows, screen.width) if rows else []), shown(len(rows), answer.total, "entry", "entries")]


def _entry(entry: results.LedgerEntry) -> list[str]:
    numbers = [entry.generation, entry.seq, entry.rows_read, *fates(entry)]
    version = f"v{entry.version}" if entry.version else ""
    return [entry.at, entry.table, entry.kind, entry.partition, version, *map(count, numbers)]


def schema_history(answer: results.SchemaHistory, screen: Screen) -> list[str]:
    columns = [Column(name) for name in ("at", "table", "entry", "kind", "by", "contract", "what changed")]
    rows = [
        [one.at, one.table, one.entry, one.kind, one.by, f"v{one.version} {one.contract}", "; ".join(one.changes)]
        for one in answer.changes
    ]
    return [*(table(columns, rows, screen.width) if rows else []), shown(len(rows), answer.total, "change", "changes")]


_NEXT = {
    "back": "the next run goes on where the restored rows end",
    "seen": "the next run waits for other content of its source",
}


def restore(answer: results.RestoreResult, screen: Screen) -> list[str]:
    rows = f"{count(answer.rows_before)} -> {many(answer.rows_after, 'row')}"
    return [
        f"restored {safe(answer.table)} as it was before {answer.replaced_at}: {rows}, by {safe(answer.by)}",
        f"{_NEXT[answer.position]}; what stood until now is kept as {safe(answer.kept)}: the same command undoes this",
    ]


def adjust(answer: results.AdjustResult, screen: Screen) -> list[str]:
    rows = f"{count(answer.rows_before)} -> {many(answer.rows_after, 'row')}"
    change = f"{count(answer.rows_added)} added, {count(answer.rows_removed)} removed"
    return [f"adjusted {safe(answer.table)}: {rows} ({change}), by {safe(answer.by)}: {safe(answer.reason)}"]


def replay(answer: results.ReplayResult, screen: Screen) -> list[str]:
    lines = [*findings(answer.findings, screen), f"replayed: {sum_text(answer.rows_read, fates(answer))}"]
    if answer.rows_quarantined:
        lines.append(f"{many(answer.rows_quarantined, 'row waits', 'rows wait')} again: headgate quarantine list")
    return lines


def query(answer: results.QueryResult, screen: Screen) -> list[str]:
    columns = [Column(safe(column.name), column.type.partition("(")[0] in _NUMBERS) for column in answer.columns]
    rows = [[as_text(value) for value in row] for row in answer.rows]
    return [*table(columns, rows, screen.width), shown(len(rows), answer.total, "row", "rows")]


def contract_text(answer: results.ContractText, screen: Screen) -> list[str]:
    """The text itself; what it can't say follows as comments of YAML, or is left to `--json` and `check`."""
    lines = answer.text.rstrip("\n").split("\n")
    if answer.format == "json-schema":
        return lines
    told = [one for one in answer.findings if one.level != "info"]
    return lines + [f"# {safe(one.what)}" for one in told]


def contract_diff(answer: results.ContractDiff, screen: Screen) -> list[str]:
    columns = [Column("verdict"), Column("column"), Column("change")]
    rows = [[one.verdict, safe(one.column or ""), safe(one.what)] for one in answer.changes]
    lines = table(columns, rows, screen.width) if rows else ["no difference"]
    statements = [f"{safe(one.sql)};" for one in answer.changes if one.sql]
    return [*lines, *_block(statements), "", f"verdict: {answer.verdict}"]


def as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return "NULL"
    if isinstance(value, Mapping | list | tuple | bool):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def shown(shown: int, total: int, one: str, several: str) -> str:
    if shown < total:
        return f"{count(shown)} of {many(total, one, several)} (--limit 0 shows all)"
    return many(total, one, several)


def _block(lines: list[str]) -> list[str]:
    return ["", *lines] if lines else []
