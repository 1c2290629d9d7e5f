"""The page of a project: what is known of it, put together and written as one file."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from headgate import __version__
from headgate.api import columns, quarantine
from headgate.api.columns import Ways
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
from headgate.core.garbage import uncollected
from headgate.core.protocols import StoreSession
from headgate.models.model import Model
from headgate.observe import books, facts, health, score
from headgate.project.descriptions import Told, descriptions
from headgate.project.model import Project
from headgate.report import model as page
from headgate.report.document import pieces
from headgate.run.flow import Flow
from headgate.run.pipeline import Pipeline
from headgate.state.history import History
from headgate.state.kept import Kept
from headgate.state.runs import RunRow, StepRow

ENTRIES = 20


def write(
    session: StoreSession, files: Project, pipeline: Pipeline, masks: Masks, out: Path | str | None, samples: int | None
) -> ReportResult:
    """Writes the page where it is wanted. Raises AdapterError `report-unwritten`."""
    shown = files.observing.samples if samples is None else samples
    with opened(files.root, session, files.observing.keep_secs) as history:
        path = files.root / PAGE if out is None else Path(out)
        with uncollected():
            made = assemble(session, files, pipeline, masks, history, shown)
            with Kept.open(files.root, "page") as kept:
                size = _save(path, pieces(made, kept))
        return ReportResult(str(path), size, len(made.tables), shown, tuple(history.findings))


def after_run(session: StoreSession, files: Project, pipeline: Pipeline, masks: Masks, history: History) -> None:
    """Writes the page at its usual place."""
    made = assemble(session, files, pipeline, masks, history, files.observing.samples)
    with Kept.open(files.root, "page") as kept:
        _save(files.root / PAGE, pieces(made, kept))


def _save(path: Path, pieces: Iterable[str]) -> int:
    """Puts the file in place at once: whoever has the page open never sees half of it. Gives its size in bytes."""
    part = path.with_name(f".{path.name}.{clock.new_id()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            size = sum(file.write(piece.encode("utf-8", "backslashreplace")) for piece in pieces)
        os.replace(part, path)
    except OSError as error:
        what = f"the page can't be written: {error.strerror or error}"
        fix = "name a file in a folder that can be written to: headgate report --out FILE"
        raise AdapterError(Finding("report-unwritten", "error", what, str(path), fix)) from None
    finally:
        part.unlink(missing_ok=True)
    return size


def assemble(
    session: StoreSession, files: Project, pipeline: Pipeline, masks: Masks, history: History, samples: int
) -> page.Page:
    """Everything that stands on the page; of the quarantine `samples` records of each reason."""
    with session.engine.alone():
        return _assembled(session, files, pipeline, masks, history, samples)


def _assembled(
    session: StoreSession, files: Project, pipeline: Pipeline, masks: Masks, history: History, samples: int
) -> page.Page:
    found = seen(session, files, pipeline, history, books.glanced(session))
    waiting = quarantine.sample(session, quarantine.chosen(None, ("open",), {}), samples)
    if samples:
        waiting = masks.sampled(waiting)
    views = {model.name for model in pipeline.models if model.materialized == "view"}
    entries, total = ledger.latest(session, ENTRIES)
    whole = score.total(list(found.scores.values()))
    ways = columns.ways(session, files, pipeline)
    timed = next((run.id for run in found.runs if run.rows_read or run.status != "ok"), None) or _first(found.runs)
    return page.Page(
        files.name,
        files.warehouse.shown if files.warehouse.kind == "postgres" else Path(files.warehouse.shown).name,
        found.at.isoformat(timespec="seconds"),
        __version__,
        tuple(_check(one) for one in found.checks),
        tuple(_Tables(files, pipeline, found, ways).every()),
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
        tuple(ways.exposures()),
    )


def _first(runs: Sequence[RunRow]) -> str | None:
    return runs[0].id if runs else None


def _check(one: health.Check) -> page.Check:
    remarks = tuple(page.Remark(r.table, r.status, r.what, r.fix) for r in one.remarks)
    return page.Check(one.name, one.status, one.judged, remarks)


# -- tables


class _Tables:
    """Tells tables: what was seen of them, what their files say, and where their columns come from."""

    def __init__(self, files: Project, pipeline: Pipeline, found: Seen, ways: Ways) -> None:
        self._pipeline, self._found, self._ways = pipeline, found, ways
        self._told = descriptions(files.root)
        bad = [(remark.table, check.name) for check in found.checks for remark in check.remarks
               if remark.status == "bad"]  # fmt: skip
        self._bad = {table for table, _ in bad}
        self._stale = {table for table, check in bad if check == "freshness"}
        self._targets = {model.name: str(model.target) for model in pipeline.models}

    def every(self) -> Iterator[page.Table]:
        yield from map(self._loaded, self._pipeline.flows)
        yield from map(self._built, self._pipeline.models)

    def _loaded(self, flow: Flow) -> page.Table:
        contract = self._found.contracts.get(flow.name)
        reads = (flow.bronze.name,) if flow.bronze is not None else ()
        columns = tuple(self._columns(flow.name, flow.name, contract, Told()))
        table = page.Table(
            flow.name, flow.name.rpartition(".")[0], "load", source=_source(flow), how=flow.ingest.load.kind,
            reads=reads, rules=_conditions(contract), columns=columns, rows_from=self._ways.rows(flow.name),
        )  # fmt: skip
        return self._seen(table, flow.ingest.freshness_secs)

    def _built(self, model: Model) -> page.Table:
        name, told = self._targets[model.name], self._told.get(model.name, Told())
        contract = model.split.contract if model.split else None
        reads = tuple(dict.fromkeys([self._targets.get(one, one) for one in model.inputs]))
        tests = [f"{one.label}{', warn' if one.severity == 'warn' else ''}" for one in model.checks]
        table = page.Table(
            name, name.rpartition(".")[0], model.materialized, description=told.text, how=model.materialized,
            reads=reads, rules=(*_conditions(contract), *tests),
            columns=tuple(self._columns(name, model.name, contract, told)), rows_from=self._ways.rows(model.name),
        )  # fmt: skip
        return self._seen(table, None)

    def _seen(self, table: page.Table, declared: int | None) -> page.Table:
        """The table with what the books say of it. `declared`: after how many seconds it is stale."""
        name, past, scored = table.name, self._found.tables.get(table.name), self._found.scores.get(table.name)
        if past is None:
            fresh: page.Status = "bad" if name in self._stale else "unknown"
            return table._replace(fresh=fresh, bad=name in self._bad)
        limit = health.stale_after(past, declared)
        return table._replace(
            rows=past.rows,
            at=past.loads[-1].at if past.loads else past.changed_at,
            fresh="bad" if name in self._stale else "ok" if limit is not None else "unknown",
            stale_secs=limit,
            loads=tuple([load.rows for load in past.loads]),
            open=past.open,
            quality=scored.total if scored is not None else None,
            scores=scored.dimensions if scored is not None else table.scores,
            bad=name in self._bad,
        )

    def _columns(self, table: str, known_as: str, contract: Contract | None, told: Told) -> Iterator[page.Column]:
        """The contract's columns, then those that the table has besides; where nothing is known of it, none."""
        past = self._found.tables.get(table)
        there = dict(past.columns or ()) if past is not None else {}
        measured = past.figures[-1] if past is not None and past.figures else ()
        missing = {row.column_name: row.nulls / row.rows for row in measured if row.rows}
        promised = {one.name: one for one in contract.columns} if contract is not None else {}
        lines = render.lines(contract) if contract is not None else {}
        names = dict.fromkeys((*promised, *there))
        links, words = self._ways.columns(known_as, names), told.columns
        for name in names:
            one, said = promised.get(name), words.get(name.lower(), "") if words else ""
            kind = str(one.type) if one is not None else there[name].lower()
            rules = lines[name].removeprefix(kind).removeprefix(", ") if one is not None else ""
            pii = one is not None and one.pii
            yield page.Column(name, kind, (rules,) if rules else (), said, pii, missing.get(name), links.get(name, ()))


def _source(flow: Flow) -> str:
    options = flow.ingest.source.options
    said = options.get("path") or options.get("function") or options.get("table") or ""
    return f"{flow.ingest.source.kind}: {said}" if said else flow.ingest.source.kind


def _conditions(contract: Contract | None) -> tuple[str, ...]:
    """The rules of a contract that are no column's."""
    rules = render.conditions(contract) if contract is not None else {}
    return tuple(f"{name}: {rule}" if isinstance(rule, str) else name for name, rule in rules.items())


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
