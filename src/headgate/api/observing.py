"""What the verbs that watch give back: the history of runs, and health; and what a run leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from headgate.api.quarantine import Masks
from headgate.api.recording import Recording, opened, recording
from headgate.api.results import (
    HealthResult,
    RunHistory,
    RunRecord,
    RunStep,
)
from headgate.api.warehouse import Warehouse
from headgate.core import clock, environ
from headgate.core.errors import Finding, HeadgateError, ProjectError, nearest
from headgate.core.garbage import uncollected
from headgate.core.protocols import Session, Store
from headgate.project.model import Project
from headgate.run.pipeline import Pipeline
from headgate.state.owner import FOLDER
from headgate.state.runs import RunRow, StepRow

WRITES_PAGES = True
"""Whether runs of this process write pages; for programs that run projects by the thousand."""

PAGE = f"{FOLDER}/report.html"
"""Where the page stands, unless another place is named."""

RECENT_SECS = 3600.0
"""A page may be as old as this if nothing has happened since but runs that had nothing to do."""


def recorded(
    files: Project,
    store: Store,
    pipeline: Pipeline,
    log: Callable[[Mapping[str, Any]], None] | None,
    command: str = "headgate run",
) -> AbstractContextManager[Recording]:
    """A recording of a run that begins now."""
    names = {model.name: str(model.target) for model in pipeline.models}
    local = files.warehouse.kind == "duckdb"
    return recording(files.root, store, environ.user(), files.observing.keep_secs, local, log, names, command)


def runs(session: Session, files: Project, limit: int | None, name: str | None) -> RunHistory:
    """The history of runs; with `name` (an id, its beginning, or `last`) one run with its steps.

    Raises ProjectError `unknown-run`.
    """
    with opened(files.root, session, files.observing.keep_secs) as history:
        if name is None:
            found = history.runs(limit)
            return RunHistory(history.count(), tuple(map(_record, found)), tuple(history.findings))
        chosen = history.runs(1) if name == "last" else history.run(name)
        if len(chosen) != 1:
            raise _unknown(name, chosen)
        steps = tuple(map(_step, history.steps([chosen[0].id])))
        return RunHistory(1, (_record(chosen[0], steps),), tuple(history.findings))


def _unknown(name: str, found: Sequence[RunRow]) -> ProjectError:
    unknown = f"the history knows no run {name!r}{nearest(name, ['last'])}"
    what = f"{len(found)} runs begin with {name!r}" if found else unknown
    return ProjectError(Finding("unknown-run", "error", what, name, "see what there is: headgate runs"))


def _record(run: RunRow, steps: tuple[RunStep, ...] = ()) -> RunRecord:
    return RunRecord(
        run.id,
        run.command,
        run.begun_at,
        run.ended_at,
        run.status,
        run.failure,
        run.seconds,
        run.cpu_secs,
        run.peak_bytes,
        *_fates(run),
        run.author,
        run.origin,
        steps,
    )


def _step(step: StepRow) -> RunStep:
    return RunStep(
        step.id,
        step.kind,
        step.status,
        step.reason,
        step.failure,
        step.seconds,
        step.cpu_secs,
        step.peak_bytes,
        step.bytes,
        *_fates(step),
        step.rows_after,
        tuple(Finding(**told) for told in step.findings),
        bool(step.passed),
        json.loads(step.result) if step.result else None,
    )


def _fates(row: RunRow | StepRow) -> tuple[int, int, int, int, int]:
    return row.rows_read, row.rows_loaded, row.rows_quarantined, row.rows_deduplicated, row.rows_skipped


def health_of(warehouse: Warehouse, files: Project, pipeline: Pipeline) -> HealthResult:
    """Health, with an audit of the books."""
    from headgate.api import seeing

    with warehouse.reading() as store, store.session() as session:
        return seeing.audited(session, files, pipeline)


def ended(record: Recording, files: Project, pipeline: Pipeline, masks: Masks, status: str) -> tuple[Finding, ...]:
    """Keeps how the run ended and writes the page. What went wrong with either is told, and fails nothing."""
    record.ended(status)
    told: tuple[Finding, ...] = ()
    if WRITES_PAGES and files.observing.page and not (record.idle and _is_recent(files)):
        told = _page(record, files, pipeline, masks)
    for one in told:
        record.say("finding", one.level, code=one.code, what=one.what, where=one.where, fix=one.fix)
    return (*record.history.findings, *told)


def _is_recent(files: Project) -> bool:
    """Whether the page that is there was written so lately that a run without work need not write it again."""
    try:
        written = (files.root / PAGE).stat().st_mtime
    except OSError:
        return False
    return 0 <= clock.now().timestamp() - written < RECENT_SECS


def _page(record: Recording, files: Project, pipeline: Pipeline, masks: Masks) -> tuple[Finding, ...]:
    try:
        with uncollected(), record.store.session() as session:
            from headgate.api import page

            page.after_run(session, files, pipeline, masks, record.history)
    except Exception as error:  # a run is what it is, whatever its page says
        if isinstance(error, HeadgateError):
            return tuple(replace(one, level="warning") for one in error.findings)
        what = f"the page could not be written: {type(error).__name__}: {error}"
        fix = "the run is not affected; write it again: headgate report"
        return (Finding("report-unwritten", "warning", what, PAGE, fix),)
    return ()
