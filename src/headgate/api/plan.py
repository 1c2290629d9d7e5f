"""A plan as an answer: the steps, what an edit does, and who is behind it."""

from __future__ import annotations

from collections.abc import Sequence

from headgate.api.results import PlanChange, PlanExposure, PlanFollower, PlanResult, PlanStep
from headgate.core.protocols import StoreSession
from headgate.models.lineage import Kept
from headgate.project.model import Project as Files
from headgate.run.impact import followers, reached
from headgate.run.pipeline import Pipeline
from headgate.run.plan import Planned, plan


def planned(
    session: StoreSession, pipeline: Pipeline, files: Files, kept: Kept, select: Sequence[str], full_refresh: bool
) -> PlanResult:
    """What a run would do, in order, and why."""
    steps = plan(pipeline, session, select, full_refresh)
    changes = _changes(steps, session, pipeline, files, kept)
    due = [step.id for step in steps if step.runs]
    made = tuple(_step(step, changes.get(step.id)) for step in steps)
    return PlanResult(made, _exposures(due, pipeline, files))


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
    )


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
