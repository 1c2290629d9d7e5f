"""Tries a step again where the error may pass, and waits in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from headgate.core import clock
from headgate.core.errors import Finding, HeadgateError
from headgate.core.protocols import Store
from headgate.project.model import Retries
from headgate.run.deadletter import TRANSIENT

PASSING = (TRANSIENT, "warehouse-unreachable", "commit-contested", "commit-unknown")
"""What is told of errors that may pass: of the project's code, of the connection, of another runner."""


def waits(retries: Retries) -> Iterator[float]:
    """The seconds to wait before the second attempt, before the third, and so on."""
    wait = retries.wait
    for _ in range(retries.attempts - 1):
        drawn = 1 + retries.jitter * (2 * clock.chance() - 1) if retries.jitter else 1.0
        yield min(wait, retries.max) * drawn
        wait = min(wait * retries.backoff, retries.max)


def may_pass(store: Store, error: BaseException) -> bool:
    """Whether another attempt may end otherwise: the adapters say so."""
    if isinstance(error, HeadgateError):
        return told_to_pass(error.findings)
    return store.is_conflict(error)


def told_to_pass(findings: Sequence[Finding]) -> bool:
    """The same of a step that did not succeed and said why."""
    errors = [one for one in findings if one.level == "error"]
    return bool(errors) and all(one.code in PASSING for one in errors)
