"""What the verbs answer: frozen data that survives a JSON round trip.

The keys are a contract with programs that read `--json`: `docs/json.md` describes every one of them, and a test
compares the two. Counts are integers and 0 where nothing was read; seconds are numbers; times are ISO 8601 in UTC.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headgate.api.results.answer import Answer
    from headgate.api.results.books import AdjustResult, AdoptResult, LedgerEntry, LedgerResult, RestoreResult
    from headgate.api.results.checking import AuditResult, CheckResult, DataCheck, Law
    from headgate.api.results.contracts import ContractChange, ContractDiff, ContractText
    from headgate.api.results.explaining import CodeExplained, CodeList, PlanOperator, QueryAnalysis, StepExplained
    from headgate.api.results.lineage import LineageEdge, LineageResult, LineageTable
    from headgate.api.results.observing import (
        HealthCheck,
        HealthRemark,
        HealthResult,
        QualityScore,
        ReportResult,
        RunHistory,
        RunRecord,
        RunStep,
    )
    from headgate.api.results.quarantine import (
        ExportResult,
        FixResult,
        PurgeReceipt,
        PurgeResult,
        QuarantineList,
        QuarantineRecord,
        QuarantineSample,
        Reason,
        ReasonGroup,
        RecordChange,
        ReplayResult,
        Revision,
    )
    from headgate.api.results.running import (
        ChildRows,
        PlanChange,
        PlanExposure,
        PlanFollower,
        PlanIntervals,
        PlanResult,
        PlanStep,
        Progress,
        RunResult,
        RunStatus,
        Step,
        StepStatus,
    )
    from headgate.api.results.starting import InitResult, InitTable, LeftAlone, ProfileResult
    from headgate.api.results.tables import QueryResult, ResultColumn, SchemaChange, SchemaHistory

__all__ = [
    "AdjustResult",
    "AdoptResult",
    "Answer",
    "AuditResult",
    "CheckResult",
    "ChildRows",
    "CodeExplained",
    "CodeList",
    "ContractChange",
    "ContractDiff",
    "ContractText",
    "DataCheck",
    "ExportResult",
    "FixResult",
    "HealthCheck",
    "HealthRemark",
    "HealthResult",
    "InitResult",
    "InitTable",
    "Law",
    "LedgerEntry",
    "LedgerResult",
    "LeftAlone",
    "LineageEdge",
    "LineageResult",
    "LineageTable",
    "PlanChange",
    "PlanExposure",
    "PlanFollower",
    "PlanIntervals",
    "PlanOperator",
    "PlanResult",
    "PlanStep",
    "ProfileResult",
    "Progress",
    "PurgeReceipt",
    "PurgeResult",
    "QualityScore",
    "QuarantineList",
    "QuarantineRecord",
    "QuarantineSample",
    "QueryAnalysis",
    "QueryResult",
    "Reason",
    "ReasonGroup",
    "RecordChange",
    "ReplayResult",
    "ReportResult",
    "RestoreResult",
    "ResultColumn",
    "Revision",
    "RunHistory",
    "RunRecord",
    "RunResult",
    "RunStatus",
    "RunStep",
    "SchemaChange",
    "SchemaHistory",
    "Step",
    "StepExplained",
    "StepStatus",
]

_WHERE = {
    "answer": "Answer",
    "books": "AdjustResult AdoptResult LedgerEntry LedgerResult RestoreResult",
    "checking": "AuditResult CheckResult DataCheck Law",
    "contracts": "ContractChange ContractDiff ContractText",
    "explaining": "CodeExplained CodeList PlanOperator QueryAnalysis StepExplained",
    "lineage": "LineageEdge LineageResult LineageTable",
    "observing": "HealthCheck HealthRemark HealthResult QualityScore ReportResult RunHistory RunRecord RunStep",
    "quarantine": "ExportResult FixResult PurgeReceipt PurgeResult QuarantineList QuarantineRecord QuarantineSample "
    "Reason ReasonGroup RecordChange ReplayResult Revision",
    "running": "ChildRows PlanChange PlanExposure PlanFollower PlanIntervals PlanResult PlanStep "
    "Progress RunResult RunStatus Step StepStatus",
    "starting": "InitResult InitTable LeftAlone ProfileResult",
    "tables": "QueryResult ResultColumn SchemaChange SchemaHistory",
}
"""By module, what it defines."""


def __getattr__(name: str) -> Any:
    """A command answers with a few of them: the others are not made."""
    module = next((module for module, names in _WHERE.items() if name in names.split()), None)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return found
