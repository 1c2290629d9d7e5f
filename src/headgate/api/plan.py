"""A plan as an answer: the steps, what an edit does, and who is behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace

from headgate.api.results import PlanChange, PlanExposure, PlanFollower, PlanIntervals, PlanResult, PlanStep
from headgate.api.resume import Left
from headgate.core.protocols import Session, StoreSession
from headgate.core.records import dataclass
from headgate.models.lineage import Kept
from headgate.project.model import Project as Files
from headgate.run.impact import followers, reached
from headgate.run.pipeline import Pipeline
from headgate.run.plan import Asked, Planned, plan
from headgate.run.selector import Selection, States


@dataclass(frozen=True)
class Wanted:
    """What a run would be asked for. `states`: looked up where the selection speaks of them."""

    selection: Selection
    full_refresh: bool
    states: States
    again: tuple[str, str] | None = None
    left: Left | None = None
    command: str = "headgate run"


def planned(session: StoreSession, pipeline: Pipeline, files: Files, kept: Kept, wanted: Wanted) -> PlanResult:
    """What a run would do, in order, and why."""
    if wanted.left is not None and not wanted.left.why:
        return PlanResult(notes=(wanted.left.note,))
    with _reader_of_files(pipeline) as reading:
        selection = wanted.selection if wanted.left is None else wanted.left.selection
        asked = Asked(selection, wanted.full_refresh, wanted.states, reading, wanted.again)
        steps = plan(pipeline, session, asked)
    if wanted.left is not None:
        why = wanted.left.why
        steps = [replace(one, reason=f"{why[one.id]}; {one.reason}") if one.id in why else one for one in steps]
    changes = _changes(steps, session, pipeline, files, kept)
    due = [step.id for step in steps if step.runs]
    made = tuple(_step(step, changes.get(step.id)) for step in steps)
    return PlanResult(made, _exposures(due, pipeline, files), command=wanted.command)


@contextmanager
def _reader_of_files(pipeline: Pipeline) -> Iterator[Session | None]:
    """An engine beside the warehouse, which reaches no files where it is only looked at; None if none is needed."""
    if all(flow.ingest.extra != "evolve" for flow in pipeline.flows):
        yield None
        return
    from headgate.adapters.duckdb.store import DuckDBStore

    with closing(DuckDBStore(None)) as engine, engine.session() as session:
        yield session


def _step(step: Planned, change: PlanChange | None) -> PlanStep:
    return PlanStep(
        step.id,
        step.kind,
        "run" if step.runs else "skip",
        step.reason,
        step.sql,
        step.rows_read,
        step.rows_quarantined,
        change,
        step.stale,
        _intervals(step),
    )


def _intervals(step: Planned) -> PlanIntervals | None:
    found = step.intervals
    if found is None:
        return None
    first, last = (moment.isoformat() for moment in (found.first, found.last))
    return PlanIntervals(found.grain, first, last, found.count, found.whole)


def _changes(
    steps: Sequence[Planned], session: StoreSession, pipeline: Pipeline, files: Files, kept: Kept
) -> dict[str, PlanChange]:
    edits = {step.id: step.edit for step in steps if step.edit is not None}
    if not edits:
        return {}
    behind = followers(edits, pipeline, files.exposures, session, files.warehouse.kind, kept)
    return {
        name: PlanChange(
            "additive" if edit.verdict == "additive" else "breaking",
            edit.added,
            edit.removed,
            edit.altered,
            edit.rows,
            tuple(PlanFollower(one.name, one.kind, one.reads, one.touched) for one in behind[name]),
        )
        for name, edit in edits.items()
    }


def _exposures(due: Sequence[str], pipeline: Pipeline, files: Files) -> tuple[PlanExposure, ...]:
    if not files.exposures:
        return ()
    return tuple(
        PlanExposure(one.exposure.name, one.exposure.type, one.exposure.owner, one.exposure.url, one.through)
        for one in reached(due, pipeline, files.exposures)
    )
