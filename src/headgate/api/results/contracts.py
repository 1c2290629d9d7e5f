"""Answers of `contract show` and `contract diff`."""

from __future__ import annotations

from headgate.api.results.answer import Answer
from headgate.core.errors import Finding
from headgate.core.records import dataclass


@dataclass(frozen=True)
class ContractText(Answer):
    """The contract of a table as text. `format`: short | odcs | json-schema. `findings`: what the text can't say."""

    table: str
    format: str
    text: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class ContractChange(Answer):
    """One difference between two contracts. `column` is None for rules across columns; `sql` changes the table.

    `verdict`: backward (what kept the old one keeps the new), forward (what keeps the new one kept the old), full
    (both) or breaking (neither).
    """

    what: str
    column: str | None
    verdict: str
    sql: str = ""


@dataclass(frozen=True)
class ContractDiff(Answer):
    """What changed from `old` to `new`. `verdict` of all changes together; `failed`: it is the one to fail on."""

    old: str
    new: str
    verdict: str
    failed: bool
    changes: tuple[ContractChange, ...] = ()
