"""The plan: what a run would do and why, from the project, the source and the positions. It changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from headgate.books import child_tables, ledger, tables
from headgate.books.known import Known
from headgate.core.errors import HeadgateError
from headgate.core.protocols import Session, StoreSession
from headgate.models.model import Model
from headgate.run import selector
from headgate.run.bronze import bound
from headgate.run.build import EDITED, inputs_of, stale
from headgate.run.change import edit_of
from headgate.run.evolve import NOTHING, expected
from headgate.run.flow import Flow, choose
from headgate.run.learned import brings
from headgate.run.pipeline import Pipeline
from headgate.run.selector import Selection, States

if TYPE_CHECKING:
    from headgate.models.change import Change

STOPS = "would stop:"


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
    stale: tuple[str, ...] = ()
    """Optional steps that did not succeed before its last build, and that still have work to do."""


@dataclass(frozen=True)
class Asked:
    """Of which steps. `states`: looked up where the selection speaks of them; `reading`: an engine that reads files, to
    say which columns they bring."""

    selection: Selection = selector.EVERYTHING
    full_refresh: bool = False
    states: States | None = None
    reading: Session | None = None


EVERYTHING = Asked()


def plan(
    pipeline: Pipeline,
    session: StoreSession,
    asked: Asked = EVERYTHING,
) -> list[Planned]:
    """The steps in the order of a run."""
    flows, models = pipeline.select(asked.selection, asked.states)
    full_refresh = asked.full_refresh
    steps: list[Planned] = []
    for flow in flows:
        steps.append(_behind(flow, _load(session, bound(flow, session), full_refresh, asked.reading), steps))
    changing = {str(table) for flow, step in zip(flows, steps, strict=True) if step.runs for table in flow.tables}
    optional = any(one.optional for one in pipeline.settings.values())
    known = Known()
    for model in models:
        inputs = inputs_of(model, pipeline)
        reason = "full refresh" if full_refresh else stale(session, model, inputs, known)
        reads = [name for name in inputs.tables if name in changing]
        if reason is None and reads:
            reason = f"{reads[0]} changes"
        if reason:
            changing.add(model.name)
        last = known.build(session, model.target) if model.split is not None or optional else None
        read, refused = (last.rows_read, last.rows_quarantined) if last is not None else (0, 0)
        rests_on = tuple(one for one in (last.facts.get("stale", ()) if last is not None else ()) if one in changing)
        why = reason or "nothing changed"
        edit = _edit(session, model) if reason == EDITED else None
        step = Planned(
            model.name, "model", reason is not None, why,
            rows_read=read, rows_quarantined=refused, edit=edit, stale=rests_on,
        )  # fmt: skip
        steps.append(step)
    return steps


def _edit(session: StoreSession, model: Model) -> Change | None:
    last = ledger.last_build(session, model.target)
    return edit_of(last.facts, model) if last is not None else None


def _behind(flow: Flow, step: Planned, before: Sequence[Planned]) -> Planned:
    """The step, where the raw landing that it reads is a step before it."""
    landing = next((one for one in before if flow.bronze is not None and one.id == flow.bronze.name), None)
    if landing is None or not landing.runs:
        return step
    if landing.reason.startswith(STOPS):
        return replace(step, runs=True, reason=f"would be blocked: {landing.id} would stop")
    return step if step.runs else replace(step, runs=True, reason=f"{landing.id} changes")


def _load(session: StoreSession, flow: Flow, full_refresh: bool, reading: Session | None) -> Planned:
    try:
        state = ledger.table_state(session, flow.table)
        if state is None and session.columns(flow.table) is not None:
            raise tables.unknown(flow.table)
        choice = choose(flow, ledger.seats(session, flow.name), state, full_refresh)
        change = NOTHING if choice.rebuild else expected(session, flow)
        if not choice.rebuild:
            child_tables.expected(session, flow.table, flow.children)
    except HeadgateError as error:
        return Planned(flow.name, "load", True, f"{STOPS} {error.finding.what}")
    why = choice.reason
    if choice.readings and reading is not None:
        news = brings(flow, session, reading)
        why += f"; would add {', '.join(news)}" if news else ""
    if not change.changes:
        return Planned(flow.name, "load", bool(choice.readings), why)
    reason = f"{change.text}; {why}" if choice.readings else change.text
    return Planned(flow.name, "load", True, reason, change.statements)
