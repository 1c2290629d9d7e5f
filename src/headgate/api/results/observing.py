"""Answers of `runs`, `health` and `report`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from headgate.api.results.answer import Answer
from headgate.core.errors import Finding
from headgate.core.records import dataclass


@dataclass(frozen=True)
class RunStep(Answer):
    """One step of a run as the history keeps it. `rows_after`: rows of its table then; `bytes`: of the files it read;
    `passed`: it was left out by its condition or trigger rule; `result`: what a task gave back, as plain data.

    What is not known is None: durations and resources of a run that was made anew from the books.
    """

    id: str
    kind: str
    status: str
    reason: str = ""
    failure: str = ""
    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_bytes: int | None = None
    bytes: int | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_deduplicated: int = 0
    rows_skipped: int = 0
    rows_after: int | None = None
    findings: tuple[Finding, ...] = ()
    passed: bool = False
    result: object = None


@dataclass(frozen=True)
class RunRecord(Answer):
    """One run as the history keeps it. `status`: running | ok | refused | failed | interrupted | killed.

    `failure`: who must act (project | data | system | warehouse | input | defect | interrupted). `origin`: run, or
    ledger where it was made anew from the books. `steps` only where one run is asked for.
    """

    id: str
    command: str
    begun_at: str
    ended_at: str
    status: str
    failure: str = ""
    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_bytes: int | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_deduplicated: int = 0
    rows_skipped: int = 0
    author: str = ""
    origin: str = "run"
    steps: tuple[RunStep, ...] = ()


@dataclass(frozen=True)
class RunHistory(Answer):
    """Runs, the latest first. `total` counts all; `runs` may be fewer. `findings`: what became of the history."""

    total: int
    runs: tuple[RunRecord, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class HealthRemark(Answer):
    """What one table (`table` is empty: the project) has to say to a check. `status`: bad | unknown."""

    table: str
    status: str
    what: str
    fix: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class HealthCheck(Answer):
    """One check. `status`: ok | bad | unknown (nothing could be judged yet). `judged`: for how many tables it could."""

    name: str
    status: str
    judged: int
    remarks: tuple[HealthRemark, ...] = ()


@dataclass(frozen=True)
class QualityScore(Answer):
    """Shares from 0 to 1 by dimension, None where nothing tells; `table` is empty for the mean over all tables."""

    table: str
    total: float | None
    completeness: float | None = None
    validity: float | None = None
    uniqueness: float | None = None
    consistency: float | None = None
    timeliness: float | None = None


@dataclass(frozen=True)
class HealthResult(Answer):
    """How the tables are. `ok`: no check is bad. `score`: the mean of `scores`; both tell of the last 30 days."""

    ok: bool
    at: str
    checks: tuple[HealthCheck, ...] = ()
    score: QualityScore = field(default_factory=lambda: QualityScore("", None))
    scores: tuple[QualityScore, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class ReportResult(Answer):
    """The page that was written. `samples`: records of each reason that it shows."""

    path: str
    bytes: int
    tables: int
    samples: int = 0
    findings: tuple[Finding, ...] = ()
