"""Builds one model when it is stale, and says why it is."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from headgate.books import ledger, record
from headgate.books.commit import asked, in_plain_transaction
from headgate.books.known import Known
from headgate.core.clock import new_id
from headgate.core.errors import CommitError, Finding, HeadgateError
from headgate.core.protocols import Session, Store, StoreSession
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models.build import AS_NEEDED, How, build, staged_ref
from headgate.models.failed import Contested
from headgate.models.model import BuildOutcome, Model
from headgate.models.names import read_view, read_view_sql
from headgate.models.python.build import ready
from headgate.models.python.kept import keep
from headgate.run.change import same_code
from headgate.run.unittests import failed

if TYPE_CHECKING:
    from headgate.run.pipeline import Pipeline

TRIES = 5
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


def build_model(
    store: Store,
    model: Model,
    inputs: Inputs,
    author: str,
    anew: How = AS_NEEDED,
) -> BuildOutcome | None:
    """Builds, checks and swaps; the ledger's entry commits with it and is read back. A conflict is tried again.

    None: another runner has built it meanwhile. `anew`: what of an incremental model is to be built again.
    """
    for left in reversed(range(TRIES)):
        attempt = new_id()
        with store.lock(model.target), store.session() as session:
            try:
                how = how_of(session, model, anew)
                if left < TRIES - 1 and anew.as_needed and stale(session, model, inputs) is None:
                    return None
                read_views(session, inputs.loaded, attempt)
                if problems := failed(session, model):
                    return replace(unbuilt(model, attempt), findings=tuple(problems))
                write = partial(write_entry, model, details_of(session, model, inputs), author)
                with ready(session, model, how) as (made, so):
                    outcome = build(session, made, attempt, write, confirm, so)
                    keep(session, made, outcome.findings if outcome.status == "failed" else ())
                    return outcome
            except Contested:
                if not left:
                    raise contested(model.name) from None
            except Exception as error:
                if not left or not store.is_conflict(error):
                    raise
    raise AssertionError("unreachable")


def how_of(session: Session, model: Model, anew: How) -> How:
    """How to build it, decided now: what adds to rows that stand is built only if nobody else does before."""
    if model.incremental is None and model.snapshot is None:
        return anew
    state = ledger.table_state(session, model.target)
    return replace(anew, seen=state.version if state is not None else 0)


def unbuilt(model: Model, attempt: str) -> BuildOutcome:
    """The outcome of a model that was not built."""
    return BuildOutcome(model.name, model.target, model.materialized, attempt, model.fingerprint, "failed")


def contested(names: str) -> HeadgateError:
    what = f"{TRIES} times another runner changed {names} first"
    return CommitError.of("commit-contested", what, names, "let one run end before the next begins")


def write_entry(
    model: Model, facts: Mapping[str, object], author: str, session: StoreSession, outcome: BuildOutcome
) -> None:
    """The entry of a model that was put in place, within its transaction."""
    done = outcome.delta
    joined = record.Joined(done.inserted, done.updated, done.deleted) if done is not None else None
    details = {**facts, **outcome.facts}
    record.record_build(session, model.target, outcome.attempt, outcome.rows or 0, details, author, joined)


def details_of(session: Session, model: Model, inputs: Inputs) -> dict[str, object]:
    """What the entry of a build says of it."""
    versions = inputs.versions
    if versions is None:
        versions = ledger.versions_of(session, [str(table) for table in inputs.tables.values()])
    return {
        "model": model.name,
        "materialized": model.materialized,
        "fingerprint": model.fingerprint,
        "frame": model.frame,
        **({"sql": model.sql} if model.python is None else {"python": model.python.digest}),
        "inputs": {name: versions.get(str(table), 0) for name, table in inputs.tables.items()},
        **({"stale": list(inputs.stale)} if inputs.stale else {}),
    }


def confirm(session: StoreSession, outcome: BuildOutcome) -> None:
    """Finds the entry by its attempt: another runner may have built the model once more since."""
    if not asked(session, lambda: ledger.has_attempt(session, outcome.target, outcome.attempt)):
        raise CommitError(
            Finding(
                "commit-vanished",
                "error",
                f"the engine reported a build of {outcome.model} that a new transaction does not find",
                str(outcome.target),
                "run it again: the relation published before is still there",
            )
        )


def read_views(session: StoreSession, loaded: tuple[TableRef, ...], attempt: str, inside: bool = False) -> None:
    """Makes the views through which models read loaded tables, where they are missing or the columns changed.

    `inside`: within the open transaction.
    """
    with nullcontext() if inside else _views:
        for table in loaded:
            columns = [name for name, _ in session.columns(table) or [] if not name.startswith("_hg_")]
            have = [name for name, _ in session.columns(read_view(table)) or []]
            if columns and columns != have:
                make = partial(_read_view, session, table, columns, attempt)
                make() if inside else in_plain_transaction(session, make)


_views = threading.Lock()
"""Two models that read a table make its view one after the other."""


def _read_view(session: StoreSession, table: TableRef, columns: list[str], attempt: str) -> None:
    """Swapped in like a model, so that the views over it follow where the store binds them to it."""
    view = read_view(table)
    staged = staged_ref(view, attempt)
    for statement in read_view_sql(table, columns, staged):
        session.execute(statement)
    session.swap(staged, view, "view")
