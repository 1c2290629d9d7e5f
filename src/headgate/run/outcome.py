"""What became of one step of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from headgate.books.ledger import Counts
from headgate.contracts.model import COLUMN_REFERENCE
from headgate.core.errors import Finding

Status = Literal["ok", "skipped", "refused", "failed", "blocked"]
Kind = Literal["load", "model", "task"]


@dataclass
class Done:
    """`findings`: why it did not succeed, and what deserves attention. `attempts`: how often it was tried; 0 where it
    was not. `stale`: optional steps that did not succeed, and whose former rows it rests on. `optional`: the run can do
    without it. `passed`: it was skipped by its condition or trigger rule. `result`: what a task gave back."""

    id: str
    kind: Kind
    status: Status
    reason: str = ""
    counts: Counts = field(default_factory=Counts)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0
    cpu_secs: float = 0.0
    peak_bytes: int = 0
    failure: str = ""
    """Who must act, as `run.failures` names them; empty where the step succeeded."""
    attempts: int = 0
    stale: tuple[str, ...] = ()
    optional: bool = False
    passed: bool = False
    result: object = None

    @property
    def bad(self) -> bool:
        return self.status in ("refused", "failed", "blocked")


def blocked(name: str, kind: Kind, why: str) -> Done:
    return Done(name, kind, "blocked", why)


def passed_over(name: str, kind: Kind, why: str) -> Done:
    """The step as skipped by its condition or trigger rule."""
    return Done(name, kind, "skipped", why, passed=True)


def unpublished(name: str, culprit: str) -> Done:
    """A model that nothing is wrong with, but that is published together with one that did not succeed."""
    return blocked(name, "model", f"{culprit} did not succeed, and they are published together")


def missing(name: str, kind: Kind, need: str, why: str) -> Done:
    """The step as blocked, because nothing has made what it needs."""
    fix = f"make it first: headgate run +{name}; or see what keeps {need} from being made: headgate plan"
    return Done(name, kind, "blocked", why, findings=[Finding("input-missing", "error", why, name, fix)])


def warned(table: str, counts: Counts) -> list[Finding]:
    """One finding per rule that only warns and was broken."""
    of_rows = [
        Finding("rule-warning", "warning", _broke(rows, rule), table, "", {"rule": rule, "rows": rows})
        for rule, rows in counts.details.get("warnings", {}).items()
    ]
    of_rows += [
        Finding("value-nulled", "warning", _emptied(rows, rule), table, "", {"rule": rule, "rows": rows})
        for rule, rows in counts.details.get("nulled", {}).items()
    ]
    return of_rows + [
        Finding("batch-warning", "warning", f"{rule}: {what}", table, "see what was delivered", {"rule": rule})
        for rule, what in counts.details.get("breaches", {}).items()
    ]


def _emptied(rows: int, rule: str) -> str:
    column, _, code = rule.rpartition(".")
    column += "" if code == COLUMN_REFERENCE else f" ({code})"
    which = "1 row was" if rows == 1 else f"{rows:,} rows were"
    return f"{which} loaded with NULL in {column}: the referenced table has no such value"


def _broke(rows: int, rule: str) -> str:
    return f"1 loaded row breaks {rule}" if rows == 1 else f"{rows:,} loaded rows break {rule}"
