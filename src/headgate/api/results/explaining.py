"""Answers of `explain`."""

from __future__ import annotations

from typing import Literal

from headgate.api.results.answer import Answer
from headgate.core.errors import Finding
from headgate.core.records import dataclass


@dataclass(frozen=True)
class CodeExplained(Answer):
    """What the code of a finding stands for. `area`: where it comes up; `why`: why Headgate insists; `example`: what
    leads to it. `also`: how to ask for the step of the same name, if there is one."""

    code: str
    area: str
    means: str
    why: str
    causes: tuple[str, ...]
    fix: str
    example: str
    also: str = ""


@dataclass(frozen=True)
class CodeList(Answer):
    """Every code."""

    codes: tuple[CodeExplained, ...]


@dataclass(frozen=True)
class PlanOperator(Answer):
    """One operator of a query that was run. `depth`: how far below the last one, from 0; `about`: table, keys,
    conditions; `estimated`: rows that the engine expected, `scanned`: rows of a scan that were read, None where the
    engine does not say. `seconds` of its own, over all threads."""

    depth: int
    name: str
    about: str
    rows: int
    seconds: float
    estimated: int | None = None
    scanned: int | None = None


@dataclass(frozen=True)
class QueryAnalysis(Answer):
    """What one run of a query took: `seconds` by the clock, `spilled_bytes` that went to disk."""

    seconds: float
    spilled_bytes: int
    operators: tuple[PlanOperator, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class StepExplained(Answer):
    """One step: what it reads, whether and why it would run, the SQL that a run would carry out.

    `table` is empty for a task, `sql` for a load or a task; `materialized` of a task is its kind. `adds`: the SQL gives
    rows that join those that stand. `analysis` where it was asked for.
    """

    id: str
    kind: Literal["load", "model", "task"]
    table: str
    file: str
    inputs: tuple[str, ...]
    status: Literal["run", "skip"]
    reason: str
    materialized: str = ""
    sql: str = ""
    adds: bool = False
    analysis: QueryAnalysis | None = None
