"""What a selection means by `state:`: steps that are new, whose code changed, or that a run would have work for."""

from __future__ import annotations

from headgate.books import ledger
from headgate.core.protocols import StoreSession
from headgate.models.model import Model
from headgate.run.change import same_code
from headgate.run.flow import Flow
from headgate.run.pipeline import Pipeline
from headgate.run.plan import plan


def states(pipeline: Pipeline, session: StoreSession) -> dict[str, set[str]]:
    """By word, the steps that are so. `new`: never loaded or built. `modified`: new, or the contract of its table, the
    code, checks, contract or engine of the model are others than those of its last entry. `stale`: would run."""
    steps: list[Flow | Model] = [*pipeline.flows, *pipeline.models]
    new = {one.name for one in steps if _is_new(session, one)}
    changed = {one.name for one in steps if _is_changed(session, one)}
    stale = {step.id for step in plan(pipeline, session) if step.runs}
    return {"new": new, "modified": new | changed, "stale": stale}


def _is_new(session: StoreSession, step: Flow | Model) -> bool:
    if isinstance(step, Model):
        return ledger.last_build(session, step.target) is None
    state = ledger.table_state(session, step.table)
    return state is None or not state.version


def _is_changed(session: StoreSession, step: Flow | Model) -> bool:
    if isinstance(step, Model):
        last = ledger.last_build(session, step.target)
        return last is not None and not same_code(last.facts, step)
    state = ledger.table_state(session, step.table)
    return bool(state and step.contract and state.contract != step.contract.digest())
