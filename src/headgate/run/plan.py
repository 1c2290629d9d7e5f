"""The plan: what a run would do and why, from the project, the source and the positions. It changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from headgate.books import child_tables, ledger, tables
from headgate.books.known import Known
from headgate.core.errors import HeadgateError
from headgate.core.protocols import Session, StoreSession
from headgate.core.records import dataclass
from headgate.models.model import Model
from headgate.project.model import Task
from headgate.run import selector
from headgate.run.bronze import bound
from headgate.run.change import edit_of
from headgate.run.evolve import NOTHING, expected
from headgate.run.flow import Flow, choose
from headgate.run.foresight import Foresight
from headgate.run.intervals import Intervals, again_of
from headgate.run.learned import brings
from headgate.run.pipeline import Chosen, Pipeline
from headgate.run.selector import Selection, States
from headgate.run.stale import EDITED, Inputs, inputs_of, refresh_of, stale

if TYPE_CHECKING:
    from headgate.models.change import Change

STOPS = "would stop:"


@dataclass(frozen=True)
class Planned:
    """One step: would it run, and why (not).

    `rows_read`, `rows_quarantined`: of the last build of a model with a contract; else 0.
    """

    id: str
    kind: Literal["load", "model", "task"]
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
    passed: bool = False
    """Its condition is false whatever the other steps do."""
    intervals: Intervals | None = None
    """What of a model by time is asked for once more."""


@dataclass(frozen=True)
class Asked:
    """Of which steps. `states`: looked up where the selection speaks of them; `reading`: an engine that reads files, to
    say which columns they bring."""

    selection: Selection = selector.EVERYTHING
    full_refresh: bool = False
    states: States | None = None
    reading: Session | None = None
    again: tuple[str, str] | None = None


EVERYTHING = Asked()


def plan(
    pipeline: Pipeline,
    session: StoreSession,
    asked: Asked = EVERYTHING,
) -> list[Planned]:
    """The steps in the order of a run."""
    chosen = pipeline.choose(asked.selection, asked.states)
    flows = chosen.flows
    steps: list[Planned] = []
    foresight = Foresight(pipeline)
    for flow in flows:
        step = _behind(flow, _load(session, bound(flow, session), asked.full_refresh, asked.reading), steps)
        steps.append(_if_its_turn_comes(foresight, step))
    changing = {str(table) for flow, step in zip(flows, steps, strict=True) if step.runs for table in flow.tables}
    books = _Books(session, Known(), any(one.optional for one in pipeline.settings.values()))
    for model in chosen.models:
        steps.append(_if_its_turn_comes(foresight, _model(books, model, inputs_of(model, pipeline), asked, changing)))
        if steps[-1].runs:
            changing.add(model.name)
    return _with_tasks(pipeline, chosen, steps, foresight) if chosen.tasks else steps


@dataclass(frozen=True)
class _Books:
    """What stands. `optional`: some step of the project may fail without its followers."""

    session: StoreSession
    known: Known
    optional: bool


def _model(books: _Books, model: Model, inputs: Inputs, asked: Asked, changing: Collection[str]) -> Planned:
    """The model, where these tables and models change before it."""
    session, full, known = books.session, asked.full_refresh, books.known
    found = None if full else stale(session, model, inputs, known)
    again = again_of(session, model, asked.again, known) if asked.again is not None and not full else None
    reason = refresh_of(model) if full else _asked_for(again, asked) or found
    reads = [name for name in inputs.tables if name in changing]
    if reason is None and reads:
        reason = f"{reads[0]} changes"
    last = known.build(session, model.target) if model.split is not None or books.optional else None
    read, refused = (last.rows_read, last.rows_quarantined) if last is not None else (0, 0)
    rests_on = tuple(one for one in (last.facts.get("stale", ()) if last is not None else ()) if one in changing)
    edit = _edit(session, model) if found == EDITED else None
    return Planned(
        model.name, "model", reason is not None, reason or "nothing changed",
        rows_read=read, rows_quarantined=refused, edit=edit, stale=rests_on, intervals=again,
    )  # fmt: skip


def _with_tasks(pipeline: Pipeline, chosen: Chosen, steps: Sequence[Planned], foresight: Foresight) -> list[Planned]:
    """The steps and the tasks in the order of a run."""
    by_name = {step.id: step for step in steps}
    made = []
    for step in (step for unit in pipeline.arrange(chosen) for step in unit):
        if isinstance(step, Task):
            verdict, why = foresight.task(step)
            made.append(Planned(step.name, "task", verdict is not False, why, passed=verdict is False))
        else:
            made.append(by_name[step.name])
    return made


def _if_its_turn_comes(foresight: Foresight, step: Planned) -> Planned:
    """The step, which its condition may leave out."""
    verdict, why = foresight.of(step.id)
    if verdict is False:
        return replace(step, runs=False, reason=why, passed=True)
    return replace(step, reason=f"{step.reason}; {why}") if step.runs and why else step


def _asked_for(again: Intervals | None, asked: Asked) -> str | None:
    """Why a model is built although nothing changed, and which of it."""
    if again is None or asked.again is None:
        return None
    return f"asked for from {asked.again[0]} to {asked.again[1]}: {again.said}"


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
