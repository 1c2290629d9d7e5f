"""Unit tests of a model before it is built: where it, they or the engine changed since they last passed."""

from __future__ import annotations

from headgate.books import ledger
from headgate.core.errors import Finding
from headgate.core.protocols import StoreSession
from headgate.models.model import Model
from headgate.models.unittests import failures


def failed(session: StoreSession, model: Model) -> list[Finding]:
    """What keeps the model from being built. Nothing is run where the last build passed the same tests."""
    if not model.unit_tests:
        return []
    last = ledger.last_build(session, model.target)
    if last is not None and last.facts.get("fingerprint") == model.fingerprint:
        return []
    return failures(session, model.name, model.unit_tests)
