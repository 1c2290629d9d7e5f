"""The page of a project: what is known of it, put together and written as one file."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from headgate import __version__
from headgate.api import columns, quarantine
from headgate.api.leaving import PAGE
from headgate.api.observing import Seen, seen
from headgate.api.quarantine import Masks
from headgate.api.recording import opened
from headgate.api.results import QuarantineRecord, QuarantineSample, ReportResult
from headgate.books import ledger
from headgate.contracts import render
from headgate.contracts.model import Contract
from headgate.core import clock
from headgate.core.errors import AdapterError, Finding
from headgate.core.protocols import StoreSession
from headgate.models.model import Model
from headgate.observe import books, facts, health, score
from headgate.observe.facts import TableFacts
from headgate.project.descriptions import Told, descriptions
from headgate.project.model import Project
from headgate.report import model as page
from headgate.report.document import document
from headgate.run.flow import Flow
from headgate.run.pipeline import Pipeline
from headgate.state.history import History
from headgate.state.runs import RunRow, StepRow

ENTRIES = 20


def write(
    session: StoreSession, files: Project, pipeline: Pipeline, masks: Masks, out: Path | str | None, samples: int | None
) -> ReportResult:
    """Writes the page where it is wanted. Raises AdapterError `report-unwritten`."""
    shown = files.observing.samples if samples is None else samples
    with opened(files.root, session, files.observing.keep_secs) as history:
        made = assemble(session, files, pipeline, masks, history, shown)
        path = files.root / PAGE if out is None else Path(out)
        size = _save(path, document(made))
        return ReportResult(str(path), size, len(made.tables), shown, tuple(history.findings))


def after_run(session: StoreSession, files: Project, pipeline: Pipeline, masks: Masks, history: History) -> None:
    """Writes the page at its usual place."""
    made = assemble(session, files, pipeline, masks, history, files.observing.samples)
    _save(files.root / PAGE, document(made))


def _save(path: Path, text: str) -> int:
    """Puts the file in place at once: whoever has the page open never sees half of it."""
    data = text.encode("utf-8", "backslashreplace")
    part = path.with_name(f".{path.name}.{clock.new_id()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        what = f"the page can't be written: {error.strerror or error}"
        fix = "name a file in a folder that can be written to: headgate report --out FILE"
        raise AdapterError(Finding("report-unwritten", "error", what, str(path), fix)) from None
    return len(data)


def assemble(
    session: StoreSession, files: Project, pipeline: Pipeline, masks: Masks, history: History, samples: int
) -> page.Page:
    """Everything that stands on the page; of the quarantine `samples` records of each reason."""
    found = seen(session, files, pipeline, history, books.glanced(session))
    waiting = quarantine.sample(session, quarantine.chosen(None, ("open",), {}), samples)
    if samples:
        waiting = masks.sampled(waiting)
    views = {model.name for model in pipeline.models if model.materialized == "view"}
    entries, total = ledger.latest(session, ENTRIES)
    whole = score.total(list(found.scores.values()))
    tables, exposures = columns.traced(session, files, pipeline, tuple(_tables(files, pipeline, found)))
    timed = next((run.id for run in found.runs if run.rows_read or run.status != "ok"), None) or _first(found.runs)
    return page.Page(
        files.name,
        files.warehouse.shown if files.warehouse.kind == "postgres" else Path(files.warehouse.shown).name,
        found.at.isoformat(timespec="seconds"),
        __version__,
        tuple(_check(one) for one in found.checks),
        tables,
        tuple(map(_run, found.runs)),
        found.total_runs,
        tuple(_step(step, views) for step in history.steps([timed] if timed else [])),
        tuple(map(_entry, entries)),
        total,
        tuple(_reasons(waiting)),
        waiting.total,
        page.Fates(*facts.totals(session)),
        whole.total,
        whole.dimensions,
        any(record.masked for group in waiting.groups for record in group.records),
        exposures,
    )


def _first(runs: Sequence[RunRow]) -> str | None:
    return runs[0].id if runs else None


def _check(one: health.Check) -> page.Check:
    remarks = tuple(page.Remark(r.table, r.status, r.what, r.fix) for r in one.remarks)
    return page.Check(one.name, one.status, one.judged, remarks)


# -- tables


def _tables(files: Project, pipeline: Pipeline, found: Seen) -> Iterable[page.Table]:
    told = descriptions(files.root)
    bad = {remark.table for check in found.checks for remark in check.remarks if remark.status == "bad"}
    stale = {remark.table for check in found.checks if check.name == "freshness" for remark in check.remarks
             if remark.status == "bad"}  # fmt: skip
    declared = {flow.name: flow.ingest.freshness_secs for flow in pipeline.flows}
    targets = {model.name: str(model.target) for model in pipeline.models}
    for flow in pipeline.flows:
        table = _table(flow.name, found, found.contracts.get(flow.name), Told())
        table = replace(table, kind="load", how=flow.ingest.load.kind, source=_source(flow))
        table = replace(table, reads=(flow.bronze.name,)) if flow.bronze is not None else table
        yield _aged(table, found, declared[flow.name], flow.name in stale, flow.name in bad)
    for model in pipeline.models:
        name = str(model.target)
        table = _table(name, found, model.split.contract if model.split else None, told.get(model.name, Told()))
        reads = tuple(dict.fromkeys(targets.get(one, one) for one in model.inputs))
        table = replace(table, kind=model.materialized, how=model.materialized, reads=reads, rules=_tests(model, table))
        yield _aged(table, found, None, name in stale, name in bad)


def _source(flow: Flow) -> str:
    options = flow.ingest.source.options
    said = options.get("path") or options.get("function") or options.get("table") or ""
    return f"{flow.ingest.source.kind}: {said}" if said else flow.ingest.source.kind


def _tests(model: Model, table: page.Table) -> tuple[str, ...]:
    return (*table.rules, *(f"{one.label}{', warn' if one.severity == 'warn' else ''}" for one in model.checks))


def _aged(table: page.Table, found: Seen, declared: int | None, stale: bool, bad: bool) -> page.Table:
    past = found.tables.get(table.name)
    limit = health.stale_after(past, declared) if past is not None else None
    fresh: page.Status = "bad" if stale else "ok" if limit is not None else "unknown"
    return replace(table, fresh=fresh, stale_secs=limit, bad=bad)


def _table(name: str, found: Seen, contract: Contract | None, told: Told) -> page.Table:
    past = found.tables.get(name)
    scored = found.scores.get(name)
    columns = tuple(_columns(past, contract, told))
    table = page.Table(name, name.rpartition(".")[0], "load", description=told.text, columns=columns)
    if contract is not None:
        table = replace(table, rules=tuple(_rule(key, rule) for key, rule in render.conditions(contract).items()))
    if past is None:
        return table
    loads = tuple(load.rows for load in past.loads)
    at = past.loads[-1].at if past.loads else past.changed_at
    table = replace(table, rows=past.rows, at=at, loads=loads, open=past.open)
    return replace(table, quality=scored.total, scores=scored.dimensions) if scored is not None else table


def _rule(name: str, rule: object) -> str:
    return f"{name}: {rule}" if isinstance(rule, str) else name


def _columns(past: TableFacts | None, contract: Contract | None, told: Told) -> Iterable[page.Column]:
    """The contract's columns, then those that the table has besides; where nothing is known of it, none."""
    there = dict(past.columns or ()) if past is not None else {}
    measured = past.figures[-1] if past is not None and past.figures else ()
    missing = {row.column_name: row.nulls / row.rows for row in measured if row.rows}
    lines = render.lines(contract) if contract is not None else {}
    pii = {column.name for column in contract.columns if column.pii} if contract is not None else set()
    types = {column.name: str(column.type) for column in contract.columns} if contract is not None else {}
    for name in dict.fromkeys((*types, *there)):
        kind = types.get(name) or there[name].lower()
        rules = (lines[name].removeprefix(kind).removeprefix(", "),) if name in lines else ()
        words = told.columns.get(name.lower(), "")
        yield page.Column(name, kind, tuple(filter(None, rules)), words, name in pii, missing.get(name))


# -- runs, ledger, quarantine


def _run(run: RunRow) -> page.Run:
    return page.Run(
        run.id,
        run.begun_at,
        run.status,
        run.failure,
        run.seconds,
        run.cpu_secs,
        run.peak_bytes,
        run.rows_read,
        run.rows_loaded,
        run.rows_quarantined,
        run.rows_deduplicated,
        run.rows_skipped,
    )


def _step(step: StepRow, views: Collection[str]) -> page.Step:
    told = tuple(str(one.get("what", "")) for one in step.findings if isinstance(one, Mapping))
    return page.Step(
        step.id,
        step.kind,
        step.status,
        step.reason,
        step.seconds,
        None if step.id in views else step.rows_after,
        step.bytes,
        told[:5],
        bool(step.passed),
    )


def _entry(entry: ledger.Entry) -> page.Entry:
    return page.Entry(
        entry.committed_at,
        entry.table_name,
        entry.id,
        entry.kind,
        entry.partition,
        entry.rows_read,
        entry.rows_loaded,
        entry.rows_quarantined,
        entry.rows_deduplicated,
        entry.rows_skipped,
        entry.rows_after,
    )


def _reasons(found: QuarantineSample) -> Iterable[page.Reason]:
    for group in found.groups:
        samples = tuple(page.Sample(_place(one), _said(one)) for one in group.records)
        yield page.Reason(group.table, group.rule, group.column or "", group.message, group.count, samples)


def _place(record: QuarantineRecord) -> str:
    line = record.position.get("line")
    return f"{record.source}:{line}" if line is not None else f"{record.source} record {record.position.get('record')}"


def _said(record: QuarantineRecord) -> str:
    """The record's columns where they are known: of those that are hidden, only that they are."""
    if record.row is None:
        return record.raw or ""
    return ", ".join(f"{key}={'NULL' if value is None else value}" for key, value in record.row.items())
