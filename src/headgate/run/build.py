"""Builds one model when it is stale, and says why it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from headgate.books import ledger, record
from headgate.books.commit import asked, in_plain_transaction
from headgate.core.clock import new_id
from headgate.core.errors import CommitError, Finding
from headgate.core.protocols import Session, Store, StoreSession
from headgate.core.values import TableRef
from headgate.models.build import build, staged_ref
from headgate.models.model import BuildOutcome, Model
from headgate.models.names import read_view, read_view_sql
from headgate.run.pipeline import Pipeline

TRIES = 5


@dataclass(frozen=True)
class Inputs:
    """The tables that a model reads, by the name under which its last build remembers their versions."""

    tables: dict[str, TableRef]
    loaded: tuple[TableRef, ...]


def inputs_of(model: Model, pipeline: Pipeline) -> Inputs:
    targets = {one.name: one.target for one in pipeline.models}
    loads = {flow.name: flow.table for flow in pipeline.flows}
    return Inputs(
        {name: targets.get(name) or loads[name] for name in model.inputs},
        tuple(loads[name] for name in model.inputs if name in loads and name not in targets),
    )


def stale(session: StoreSession, model: Model, inputs: Inputs) -> str | None:
    """Why the model must be built, or None where it is as its inputs and its code would make it."""
    last = ledger.last_entry(session, model.target)
    if last is None:
        return "not built yet"
    facts = last.facts
    if facts.get("fingerprint") != model.fingerprint:
        return "its code, checks or engine changed"
    if session.columns(model.target) is None:
        return "its table is gone"
    versions = ledger.table_versions(session)
    for name, table in inputs.tables.items():
        if facts.get("inputs", {}).get(name) != versions.get(str(table), 0):
            return f"{name} changed"
    return None


def missing_inputs(session: Session, inputs: Inputs) -> list[str]:
    """Inputs that nothing has made yet."""
    versions = ledger.table_versions(session)
    return [name for name, table in inputs.tables.items() if not versions.get(str(table))]


def build_model(store: Store, model: Model, inputs: Inputs, author: str) -> BuildOutcome:
    """Builds, checks and swaps; the ledger's entry commits with it and is read back. A conflict is tried again."""
    for left in reversed(range(TRIES)):
        attempt = new_id()
        with store.lock(model.target), store.session() as session:
            try:
                _read_views(session, inputs.loaded, attempt)
                details = _details(session, model, inputs)

                def write(inner: StoreSession, outcome: BuildOutcome, facts: dict[str, object] = details) -> None:
                    record.record_build(inner, model.target, outcome.attempt, outcome.rows or 0, facts, author)

                return build(session, model, attempt, write, _confirm)
            except Exception as error:
                if not left or not store.is_conflict(error):
                    raise
    raise AssertionError("unreachable")


def _details(session: Session, model: Model, inputs: Inputs) -> dict[str, object]:
    versions = ledger.table_versions(session)
    return {
        "model": model.name,
        "materialized": model.materialized,
        "fingerprint": model.fingerprint,
        "inputs": {name: versions.get(str(table), 0) for name, table in inputs.tables.items()},
    }


def _confirm(session: StoreSession, outcome: BuildOutcome) -> None:
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


def _read_views(session: StoreSession, loaded: tuple[TableRef, ...], attempt: str) -> None:
    """Makes the views through which models read loaded tables, where they are missing or the columns changed."""
    for table in loaded:
        columns = [name for name, _ in session.columns(table) or [] if not name.startswith("_hg_")]
        have = [name for name, _ in session.columns(read_view(table)) or []]
        if columns and columns != have:
            in_plain_transaction(session, partial(_read_view, session, table, columns, attempt))


def _read_view(session: StoreSession, table: TableRef, columns: list[str], attempt: str) -> None:
    """Swapped in like a model, so that the views over it follow where the store binds them to it."""
    view = read_view(table)
    staged = staged_ref(view, attempt)
    for statement in read_view_sql(table, columns, staged):
        session.execute(statement)
    session.swap(staged, view, "view")
