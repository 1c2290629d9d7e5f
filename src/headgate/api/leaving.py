"""What a run leaves behind: its entry in the history of runs, and the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from headgate.api.recording import Recording, recording
from headgate.core import clock, environ
from headgate.core.errors import Finding, HeadgateError
from headgate.core.garbage import uncollected
from headgate.state.owner import FOLDER

if TYPE_CHECKING:
    from headgate.api.quarantine import Masks
    from headgate.core.protocols import Store
    from headgate.project.model import Project
    from headgate.run.pipeline import Pipeline

PAGE = f"{FOLDER}/report.html"
"""Where the page stands, unless another place is named."""

WRITES_PAGES = True
"""Whether runs of this process write pages; for programs that run projects by the thousand."""

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


def ended(
    record: Recording, files: Project, pipeline: Pipeline, masks: Callable[[], Masks], status: str
) -> tuple[Finding, ...]:
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


def _page(record: Recording, files: Project, pipeline: Pipeline, masks: Callable[[], Masks]) -> tuple[Finding, ...]:
    try:
        with uncollected(), record.store.session() as session:
            from headgate.api import page

            page.after_run(session, files, pipeline, masks(), record.history)
    except Exception as error:  # a run is what it is, whatever its page says
        if isinstance(error, HeadgateError):
            return tuple(replace(one, level="warning") for one in error.findings)
        what = f"the page could not be written: {type(error).__name__}: {error}"
        fix = "the run is not affected; write it again: headgate report"
        return (Finding("report-unwritten", "warning", what, PAGE, fix),)
    return ()
