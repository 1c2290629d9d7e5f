"""What the verbs that watch give back: the history of runs, health and scores."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from headgate.api.recording import opened
from headgate.api.results import (
    HealthCheck,
    HealthRemark,
    HealthResult,
    QualityScore,
    RunHistory,
    RunRecord,
    RunStep,
)
from headgate.api.warehouse import Warehouse
from headgate.contracts.model import Contract
from headgate.core import clock
from headgate.core.errors import Finding, ProjectError, nearest
from headgate.core.protocols import Session
from headgate.core.records import dataclass
from headgate.observe import books, facts, health, score
from headgate.observe.facts import TableFacts
from headgate.project.model import Project
from headgate.run.pipeline import Pipeline
from headgate.state.history import History
from headgate.state.runs import RunRow, StepRow

SCORED_DAYS = 30
"""Broken rules and refused records count from so many days ago on."""

RUNS = 60
"""So many runs are looked at to tell how the last ones went."""


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


@dataclass(frozen=True)
class Seen:
    """Everything that is known of the tables of a project at one time."""

    at: datetime
    tables: Mapping[str, TableFacts]
    contracts: Mapping[str, Contract]
    runs: Sequence[RunRow]
    total_runs: int
    checks: tuple[health.Check, ...]
    scores: Mapping[str, score.Score]


def seen(session: Session, files: Project, pipeline: Pipeline, history: History, found: health.Check) -> Seen:
    """Looks at everything. `found`: what the books answer."""
    now = clock.now()
    since = (now - timedelta(days=SCORED_DAYS)).isoformat(timespec="microseconds")
    tables = facts.gather(session, history, since)
    declared = {str(one.table): one.freshness_secs for one in files.ingests if one.freshness_secs is not None}
    bounds = health.Bounds(declared, files.observing.quarantine_at_most)
    past = history.runs(RUNS)
    asked = health.checks(_wanted(tables, pipeline), past, found, bounds, now)
    contracts = _contracts(pipeline)
    scores = {
        name: score.score(contracts.get(name), table.judged, _fresh(table, declared.get(name), now))
        for name, table in tables.items()
    }
    return Seen(now, tables, contracts, past, history.count(), asked, scores)


def _wanted(tables: Mapping[str, TableFacts], pipeline: Pipeline) -> dict[str, TableFacts]:
    """The tables that the project still has: one that it let go need not be fresh."""
    names = {flow.name for flow in pipeline.flows} | {str(model.target) for model in pipeline.models}
    return {name: table for name, table in tables.items() if name in names}


def _contracts(pipeline: Pipeline) -> dict[str, Contract]:
    found = {flow.name: flow.contract for flow in pipeline.flows if flow.contract is not None}
    return found | {str(one.target): one.split.contract for one in pipeline.models if one.split is not None}


def _fresh(table: TableFacts, declared: int | None, now: datetime) -> float | None:
    limit = health.stale_after(table, declared)
    if limit is None:
        return None
    age = health.age_secs(table, now)
    return 1.0 if age <= limit else limit / age


def answered(found: Seen, findings: Iterable[Finding]) -> HealthResult:
    """Health as an answer."""
    checks = tuple(
        HealthCheck(
            one.name,
            one.status,
            one.judged,
            tuple(HealthRemark(r.table, r.status, r.what, r.fix, r.evidence) for r in one.remarks),
        )
        for one in found.checks
    )
    scores = tuple(_score(name, one) for name, one in found.scores.items() if one.total is not None)
    ok = not any(one.status == "bad" for one in checks)
    at = found.at.isoformat(timespec="microseconds")
    whole = _score("", score.total(list(found.scores.values())))
    return HealthResult(ok, at, checks, whole, scores, tuple(findings))


def _score(name: str, one: score.Score) -> QualityScore:
    shares = {key: None if share is None else round(share, 6) for key, share in one.dimensions.items()}
    return QualityScore(name, None if one.total is None else round(one.total, 6), **shares)


def health_of(warehouse: Warehouse, files: Project, pipeline: Pipeline) -> HealthResult:
    """Health, with an audit of the books."""
    from headgate.books.audit import audit
    from headgate.project.children import declared

    with warehouse.reading() as store, store.session() as session:
        found = audit(session, declared(files.ingests))
        with opened(files.root, session, files.observing.keep_secs) as history:
            told = seen(session, files, pipeline, history, books.audited(found.findings, found.tables))
            return answered(told, history.findings)
