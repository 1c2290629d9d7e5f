"""Tables that follow their contract: when a run or a replay lets them, and what a plan says of it."""

from __future__ import annotations

from dataclasses import replace

from headgate.books import evolve, ledger, tables
from headgate.books.evolve import Edit, Evolution
from headgate.contracts.evolution import phrase
from headgate.contracts.model import Contract
from headgate.core.protocols import StoreSession
from headgate.models.names import read_view
from headgate.run.flow import Flow
from headgate.run.learned import as_known

NOTHING = Evolution((), ())


def follow(session: StoreSession, flow: Flow, attempt: str, author: str, pin: str = "") -> str:
    """Lets the flow's table follow its contract; what was changed, "" where it fits as it is. `pin`: see `Edit`.

    The view through which models read the table follows with it. *Errors*: those of `books.evolve.evolve`.
    """
    assert flow.contract is not None
    entry = evolve.evolve(session, flow.table, replace(_edit(flow, flow.contract, attempt, author), pin=pin))
    if entry is None:
        return ""
    if session.standing(read_view(flow.table)):
        from headgate.run.build import read_views

        read_views(session, (flow.table,), attempt)
    return "; ".join(phrase(change) for change in entry.facts["changes"])


def due(session: StoreSession, flow: Flow, contract: Contract, state: ledger.TableState | None) -> bool:
    """Whether the table may have to follow: by another contract than this, or without what its load keeps beside."""
    if state is None or state.contract != contract.digest():
        return True
    there = dict(session.columns(flow.table) or ()) if flow.ingest.load.previous else {}
    return any(name not in there for _, name in flow.ingest.load.previous)


def expected(session: StoreSession, flow: Flow) -> Evolution:
    """What the next run would change, every value looked at; nothing where the table is about to be made.

    *Errors*: those of `books.evolve.inspect`.
    """
    state = ledger.table_state(session, flow.table)
    contract = as_known(session, flow).contract
    if contract is None or state is None or not due(session, flow, contract, state):
        return NOTHING
    if tables.is_blank(session, flow.table, state):
        return NOTHING
    return evolve.inspect(session, flow.table, _edit(flow, contract, "look"))


def _edit(flow: Flow, contract: Contract, attempt: str, author: str = "") -> Edit:
    kept = flow.ingest.load.previous
    own = {column.name for column in contract.columns} | {name for _, name in kept}
    beside = tuple(name for name, _ in flow.columns(contract) if name not in own)
    hashed = flow.ingest.load.history is not None
    return Edit(contract, flow.ingest.evolution, attempt, author, beside, hashed, kept)
