"""The history of runs, health and the page as text for people; the log of a run as lines of JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headgate.api import results
from headgate.cli.findings import findings
from headgate.cli.screen import Screen
from headgate.cli.show import fates, shown
from headgate.cli.table import Column, table
from headgate.cli.text import count, many, safe

_NUMBERS = ("read", "loaded", "quarantined", "deduplicated", "skipped")
_COLOURS = {"ok": "green", "bad": "red", "unknown": "yellow"}
_SHOWN = 5


def log(event: Mapping[str, Any]) -> None:
    """One event as one line of JSON on standard error. Who has stopped reading misses it; the run goes on."""
    try:
        sys.stderr.write(json.dumps(event, allow_nan=False, default=str) + "\n")
        sys.stderr.flush()
    except OSError:
        pass


def browse(path: str) -> None:
    """Shows the file in the user's browser."""
    import webbrowser

    webbrowser.open(Path(path).resolve().as_uri())


def runs(answer: results.RunHistory, screen: Screen) -> list[str]:
    """A line for each run; of one run, its steps."""
    told = findings(answer.findings, screen)
    if len(answer.runs) == 1 and answer.runs[0].steps:
        return [*told, *_run(answer.runs[0], screen)]
    columns = [
        *map(Column, ("run", "begun", "status", "failure")),
        *(Column(name, right=True) for name in (*_NUMBERS, "seconds")),
        *(Column(name, right=True, spare=1) for name in ("cpu", "memory")),
    ]
    rows = [
        [
            one.id,
            one.begun_at,
            one.status,
            one.failure,
            count(one.rows_read),
            *map(count, fates(one)),
            *_used(one),
        ]
        for one in answer.runs
    ]
    lines = table(columns, rows, screen.width) if rows else []
    return [*told, *lines, shown(len(rows), answer.total, "run", "runs")]


def _run(one: results.RunRecord, screen: Screen) -> list[str]:
    columns = [
        *map(Column, ("step", "kind", "status", "failure")),
        *(Column(name, right=True) for name in (*_NUMBERS, "rows after", "bytes", "seconds")),
        *(Column(name, right=True, spare=1) for name in ("cpu", "memory")),
    ]
    rows = [
        [
            step.id,
            step.kind,
            step.status,
            step.failure,
            count(step.rows_read),
            *map(count, fates(step)),
            "" if step.rows_after is None else count(step.rows_after),
            "" if step.bytes is None else count(step.bytes),
            *_used(step),
        ]
        for step in one.steps
    ]
    told = [f"{safe(step.id)} was skipped: {safe(step.reason)}" for step in one.steps if step.passed]
    told += [line for step in one.steps for line in findings(step.findings, screen)]
    origin = ", made anew from the books" if one.origin == "ledger" else ""
    head = f"run {safe(one.id)}, {one.begun_at}, by {safe(one.author)}: {one.status}{origin}"
    return [head, "", *table(columns, rows, screen.width), *(["", *told] if told else [])]


def _used(one: results.RunRecord | results.RunStep) -> list[str]:
    """Seconds, seconds of CPU and megabytes; empty where they are not known."""
    secs = ["" if value is None else f"{value:.2f}" for value in (one.seconds, one.cpu_seconds)]
    return [*secs, "" if one.peak_bytes is None else f"{one.peak_bytes / 1e6:.0f} MB"]


def health(answer: results.HealthResult, screen: Screen) -> list[str]:
    """A line for each check with what is wrong, then the scores."""
    lines = findings(answer.findings, screen)
    for check in answer.checks:
        lines += _check(check, screen)
    lines += ["", *_scores(answer, screen)] if answer.scores else []
    bad = sum(check.status == "bad" for check in answer.checks)
    verdict = screen.paint("healthy", "green") if answer.ok else screen.paint("NOT healthy", "red")
    return [*lines, "", f"{verdict}: {bad} of {many(len(answer.checks), 'check')} bad" if bad else verdict]


def _check(check: results.HealthCheck, screen: Screen) -> list[str]:
    bad = [one for one in check.remarks if one.status == "bad"]
    word = screen.paint(f"{check.status:<7}", _COLOURS[check.status])
    tables = f"  {many(check.judged, 'table')}" if check.judged and check.name != "last-run" else ""
    lines = [f"{word}  {check.name:<10}{tables}".rstrip()]
    for one in bad[:_SHOWN]:
        about = f"{one.table}: " if one.table else ""
        lines.append(f"         {safe(about + one.what)}")
        lines += [f"         fix: {safe(one.fix)}"] if one.fix else []
    if len(bad) > _SHOWN:
        lines.append(f"         and {count(len(bad) - _SHOWN)} more: --json lists all")
    return lines


_DIMENSIONS = ("completeness", "validity", "uniqueness", "consistency", "timeliness")


def _scores(answer: results.HealthResult, screen: Screen) -> list[str]:
    columns = [Column("quality"), *(Column(name, right=True) for name in (*_DIMENSIONS, "total"))]
    every = [*answer.scores, answer.score]
    rows = [
        [one.table or "all tables", *(_percent(getattr(one, name)) for name in (*_DIMENSIONS, "total"))]
        for one in every
    ]
    return table(columns, rows, screen.width)


def _percent(share: float | None) -> str:
    """Rounded down, so that only what is perfect reads 100%."""
    if share is None:
        return ""
    return "100%" if share >= 1 else f"{int(share * 1000) / 10:.1f}%"


def report(answer: results.ReportResult, screen: Screen) -> list[str]:
    told = findings(answer.findings, screen)
    size = f"{many(answer.tables, 'table')}, {answer.bytes / 1000:,.0f} kB"
    return [*told, f"wrote {safe(answer.path)}: {size}"]
