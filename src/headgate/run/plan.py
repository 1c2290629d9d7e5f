"""The plan: what a run would do and why, from the project, the source and the positions. It changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from headgate.books import child_tables, ledger
from headgate.core.errors import HeadgateError
from headgate.core.protocols import StoreSession
from headgate.models.model import Model
from headgate.run.build import EDITED, inputs_of, stale
from headgate.run.change import edit_of
from headgate.run.evolve import NOTHING, expected
from headgate.run.flow import Flow, choose
from headgate.run.pipeline import Pipeline

if TYPE_CHECKING:
    from headgate.models.change import Change


@dataclass(frozen=True)
class Planned:
    """One step: would it run, and why (not).

    `rows_read`, `rows_quarantined`: of the last build of a model with a contract; else 0.
    """

    id: str
    kind: Literal["load", "model"]
    runs: bool
    reason: str
    sql: tuple[str, ...] = ()
    """The statements by which its table would follow the contract."""
    rows_read: int = 0
    rows_quarantined: int = 0
    edit: Change | None = None
    """What the edit of a model's SQL since its last build does."""


def plan(
    pipeline: Pipeline, session: StoreSession, select: Sequence[str] = (), full_refresh: bool = False
) -> list[Planned]:
    """The steps in the order of a run."""
    flows, models = pipeline.select(select)
    steps = [_load(session, flow, full_refresh) for flow in flows]
    changing = {str(table) for flow, step in zip(flows, steps, strict=True) if step.runs for table in flow.tables}
    for model in models:
        inputs = inputs_of(model, pipeline)
        reason = "full refresh" if full_refresh else stale(session, model, inputs)
        reads = [name for name in inputs.tables if name in changing]
        if reason is None and reads:
            reason = f"{reads[0]} changes"
        if reason:
            changing.add(model.name)
        last = ledger.last_build(session, model.target) if model.split is not None else None
        read, refused = (last.rows_read, last.rows_quarantined) if last is not None else (0, 0)
        why = reason or "nothing changed"
        edit = _edit(session, model) if reason == EDITED else None
        step = Planned(
            model.name, "model", reason is not None, why, rows_read=read, rows_quarantined=refused, edit=edit
        )
        steps.append(step)
    return steps


def _edit(session: StoreSession, model: Model) -> Change | None:
    last = ledger.last_build(session, model.target)
    return edit_of(last.facts, model) if last is not None else None


def _load(session: StoreSession, flow: Flow, full_refresh: bool) -> Planned:
    try:
        choice = choose(flow, ledger.seats(session, flow.name), ledger.table_state(session, flow.table), full_refresh)
        change = NOTHING if choice.rebuild else expected(session, flow)
        if not choice.rebuild:
            child_tables.expected(session, flow.table, flow.children)
    except HeadgateError as error:
        return Planned(flow.name, "load", True, f"would stop: {error.finding.what}")
    if not change.changes:
        return Planned(flow.name, "load", bool(choice.readings), choice.reason)
    reason = f"{change.text}; {choice.reason}" if choice.readings else change.text
    return Planned(flow.name, "load", True, reason, change.statements)
