"""Answers of `check` and `audit`."""

from __future__ import annotations

from headgate.api.results.answer import Answer
from headgate.core.errors import Edit, Finding
from headgate.core.records import dataclass
from headgate.quality.counts import TableCount


@dataclass(frozen=True)
class CheckResult(Answer):
    """`ok` is False if any finding is an error. `applied`: what `--fix` changed in the project's files, and `diff` the
    same as lines of a unified diff."""

    ok: bool
    findings: tuple[Finding, ...] = ()
    applied: tuple[Edit, ...] = ()
    diff: tuple[str, ...] = ()


@dataclass(frozen=True)
class DataCheck(Answer):
    """What was counted in tables as they stand. `ok` is False if an error rule of one of them is broken."""

    ok: bool
    tables: tuple[TableCount, ...] = ()


@dataclass(frozen=True)
class Law(Answer):
    """How often one law of the books was tested, and how often it did not hold."""

    id: str
    title: str
    checked: int
    failed: int


@dataclass(frozen=True)
class AuditResult(Answer):
    """What re-adding the books gave. `tables` and `entries` say over how much of them."""

    balanced: bool
    findings: tuple[Finding, ...] = ()
    laws: tuple[Law, ...] = ()
    tables: int = 0
    entries: int = 0
