"""Rows of a Python model that could not be published: left beside its table, because no query could show them again."""

from __future__ import annotations

from collections.abc import Iterable

from headgate.books.commit import in_plain_transaction
from headgate.core.clock import stamp
from headgate.core.errors import Finding, tidied
from headgate.core.protocols import StoreSession
from headgate.models.left import left_ref
from headgate.models.model import Model
from headgate.sql import quote


def keep(session: StoreSession, made: Model, findings: Iterable[Finding]) -> None:
    """Leaves all rows that the function gave, where a finding has a query that shows some of them, and they are not
    left already. In no transaction.

    What goes wrong here is not told: the findings tell why the model failed.
    """
    evidence = [one.evidence for one in findings]
    if made.python is None or any("left" in one for one in evidence) or not any("query" in one for one in evidence):
        return
    ref = left_ref(made.target)

    def make() -> None:
        session.execute(f"CREATE SCHEMA IF NOT EXISTS {quote.ident(ref.schema)}")
        session.execute(f"DROP TABLE IF EXISTS {quote.table(ref)}")
        session.execute(f"CREATE TABLE {quote.table(ref)} AS\n{made.sql}")
        session.execute(f"COMMENT ON TABLE {quote.table(ref)} IS {quote.literal(stamp())}")

    with tidied(lambda: in_plain_transaction(session, make)):
        pass
