"""What a step is about, as an answer."""

from __future__ import annotations

from typing import Literal

from headgate.api.results import PlanOperator, QueryAnalysis, StepExplained
from headgate.core.errors import Finding
from headgate.core.profile import Profile
from headgate.core.protocols import StoreSession
from headgate.models.model import Model
from headgate.project.model import Task
from headgate.run import explain as run_explain
from headgate.run.pipeline import Pipeline


def explained(session: StoreSession, pipeline: Pipeline, name: str, full_refresh: bool, analyze: bool) -> StepExplained:
    """The step, with what its query takes where that is asked for."""
    found = run_explain.explain(session, pipeline, name, full_refresh)
    analysis = _analysis(*run_explain.analyze(session, pipeline, found)) if analyze else None
    step, planned = found.step, found.planned
    status: Literal["run", "skip"] = "run" if planned.runs else "skip"
    if isinstance(step, Model):
        return StepExplained(
            step.name, "model", str(step.target), step.path.as_posix(), tuple(step.inputs), status, planned.reason,
            step.materialized, found.sql, found.joins, analysis,
        )  # fmt: skip
    if isinstance(step, Task):
        waits = tuple(pipeline.needs(step))
        return StepExplained(step.name, "task", "", step.where.path, waits, status, planned.reason, step.kind)
    file = step.ingest.where.path if step.ingest.where else ""
    return StepExplained(step.name, "load", str(step.table), file, tuple(step.needs), status, planned.reason)


def _analysis(profile: Profile, findings: list[Finding]) -> QueryAnalysis:
    operators = tuple(
        PlanOperator(one.depth, one.name, one.about, one.rows, round(one.seconds, 6), one.estimated, one.scanned)
        for one in profile.operators
    )
    return QueryAnalysis(round(profile.seconds, 6), profile.spilled, operators, tuple(findings))
