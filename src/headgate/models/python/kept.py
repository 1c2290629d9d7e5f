"""The rows of a Python model that failed its tests: kept beside its table, because no query could show them again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from headgate.books.commit import in_plain_transaction
from headgate.core.errors import Finding, tidied
from headgate.core.protocols import StoreSession
from headgate.core.values import TableRef
from headgate.models.model import STAGE_MARK, Model
from headgate.sql import quote

LONGEST = 36
"""Bytes of the model's name that the name begins with: PostgreSQL keeps 63 of a name."""


def failed_ref(target: TableRef) -> TableRef:
    """Where they are kept until the model is built again."""
    head = target.name.encode()[:LONGEST].decode(errors="ignore")
    mark = "" if head == target.name else f"_{hashlib.sha256(target.name.encode()).hexdigest()[:8]}"
    return TableRef(target.schema, f"{head}{mark}{STAGE_MARK}failed")


def keep(session: StoreSession, made: Model, findings: Iterable[Finding]) -> None:
    """Keeps all rows that the function gave, where a finding has a query that shows some of them. In no transaction.

    What goes wrong here is not told: the findings tell why the model failed.
    """
    if made.python is None or not any("query" in one.evidence for one in findings):
        return
    ref = failed_ref(made.target)

    def make() -> None:
        session.execute(f"CREATE SCHEMA IF NOT EXISTS {quote.ident(ref.schema)}")
        session.execute(f"DROP TABLE IF EXISTS {quote.table(ref)}")
        session.execute(f"CREATE TABLE {quote.table(ref)} AS\n{made.sql}")

    with tidied(lambda: in_plain_transaction(session, make)):
        pass


def forget(session: StoreSession, model: Model) -> None:
    """Drops what an earlier build kept."""
    session.execute(f"DROP TABLE IF EXISTS {quote.table(failed_ref(model.target))}")
