"""Builds one model: a view, a table, or what is added to one."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from headgate.books import ledger, record
from headgate.books.commit import asked, in_plain_transaction
from headgate.core.clock import new_id
from headgate.core.errors import CommitError, Finding, HeadgateError
from headgate.core.protocols import Session, Store, StoreSession
from headgate.core.values import TableRef
from headgate.models.build import AS_NEEDED, How, build, staged_ref
from headgate.models.failed import Contested
from headgate.models.model import BuildOutcome, Model
from headgate.models.names import read_view, read_view_sql
from headgate.models.python.build import ready
from headgate.models.python.kept import keep
from headgate.run.stale import Inputs, stale
from headgate.run.unittests import failed

if TYPE_CHECKING:
    pass

TRIES = 5


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
