"""What is seen of the tables of a project at one time: facts, health and scores, for the verb and for the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from headgate.api.recording import opened
from headgate.api.results import HealthCheck, HealthRemark, HealthResult, QualityScore
from headgate.books.audit import audit
from headgate.contracts.model import Contract
from headgate.core import clock
from headgate.core.errors import Finding
from headgate.core.protocols import Session, StoreSession
from headgate.observe import books, facts, health, score
from headgate.observe.facts import TableFacts
from headgate.project.children import declared
from headgate.project.model import Project
from headgate.run.pipeline import Pipeline
from headgate.state.history import History
from headgate.state.runs import RunRow

SCORED_DAYS = 30
"""Broken rules and refused records count from so many days ago on."""

RUNS = 60
"""So many runs are looked at to tell how the last ones went."""


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


def audited(session: StoreSession, files: Project, pipeline: Pipeline) -> HealthResult:
    """Health, with an audit of the books."""
    found = audit(session, declared(files.ingests))
    with opened(files.root, session, files.observing.keep_secs) as history:
        told = seen(session, files, pipeline, history, books.audited(found.findings, found.tables))
        return answered(told, history.findings)
