"""Whether a model must be built, and why: asked of every model, in every run and plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from headgate.books import ledger
from headgate.books.known import Known
from headgate.core.errors import Finding
from headgate.core.protocols import Session, StoreSession
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models.build import AS_NEEDED, How
from headgate.models.model import Model
from headgate.run.change import same_code

if TYPE_CHECKING:
    from headgate.run.pipeline import Pipeline

EDITED = "its code, checks, contract or engine changed"


@dataclass(frozen=True)
class Inputs:
    """The tables that a model reads, by the name under which its last build remembers their versions.

    `versions`: those of the tables, by table, as they stood no later than when the model reads them.

    `loaded`: those of them that are read through views, because their rows name the entry that wrote them. `stale`:
    optional steps that did not succeed in this run, and whose former rows are read.
    """

    tables: dict[str, TableRef]
    loaded: tuple[TableRef, ...]
    versions: Mapping[str, int] | None = None
    stale: tuple[str, ...] = ()


def inputs_of(model: Model, pipeline: Pipeline, stale: tuple[str, ...] = ()) -> Inputs:
    made = pipeline.made
    return Inputs(
        {name: made[name].table for name in model.inputs},
        tuple(made[name].table for name in model.inputs if made[name].loaded),
        stale=stale,
    )


def stale(session: StoreSession, model: Model, inputs: Inputs, known: Known | None = None) -> str | None:
    """Why the model must be built, or None where it is as its inputs and its code would make it.

    `known`: what the books say; without it they are asked.
    """
    known = known or Known()
    last = known.build(session, model.target)
    if last is None:
        return "not built yet"
    facts = last.facts
    if not same_code(facts, model):
        return EDITED
    if not known.stands(session, model.target):
        return "its table is gone"
    versions = known.versions(session, inputs.tables.values())
    for name, table in inputs.tables.items():
        if facts.get("inputs", {}).get(name) != versions[str(table)]:
            return f"{name} changed"
    return None


def asked_for(model: Model, anew: How) -> str | None:
    """Why the model is built although nothing changed."""
    if anew.full:
        return refresh_of(model)
    by_time = model.incremental is not None and model.incremental.intervals is not None
    return f"asked for from {anew.again[0]} to {anew.again[1]}" if anew.again and by_time else None


def refresh_of(model: Model) -> str:
    """What a full refresh is for the model: what a snapshot saw in the past can't be seen again."""
    return "full refresh" if model.snapshot is None else "full refresh: a snapshot keeps its history"


def due_of(
    session: StoreSession,
    models: Sequence[Model],
    reads: Mapping[str, Inputs],
    anew: How = AS_NEEDED,
    known: Known | None = None,
) -> dict[str, str]:
    """The models (inputs first) that must be built, and why: those that are stale, and those that read one of them."""
    due: dict[str, str] = {}
    for model in models:
        reason = asked_for(model, anew) or stale(session, model, reads[model.name], known)
        changing = [name for name in reads[model.name].tables if name in due]
        if reason is None and changing:
            reason = f"{changing[0]} changes"
        if reason is not None:
            due[model.name] = reason
    return due


def held_by_history(session: StoreSession, model: Model, reason: str | None) -> Finding | None:
    """Why a model that is to be built, for this reason, can't be: its table is the history of a snapshot."""
    if model.snapshot is not None or reason is None or not (reason == EDITED or reason.startswith("full refresh")):
        return None
    last = ledger.last_build(session, model.target)
    if last is None or last.facts.get("materialized") != "snapshot" or session.standing(model.target) != "table":
        return None
    what = f"{model.target} is the history of a snapshot, and can't be made anew: model {model.name!r} would replace it"
    fix = "write materialized='snapshot' again; or give the model another name; or rename the table first"
    return Finding("snapshot-place", "error", what, str(model.path), fix)


def missing_inputs(session: Session, inputs: Inputs, known: Known) -> list[str]:
    """Inputs that nothing has made yet."""
    versions = known.versions(session, inputs.tables.values())
    return [name for name, table in inputs.tables.items() if not versions[str(table)]]
