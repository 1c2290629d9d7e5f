"""An incremental model with a contract: which rows of a build are new, and how those that pass join what stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from headgate.books import ledger, tables
from headgate.books.ledger import Entry, Seat
from headgate.contracts.model import Contract
from headgate.core.clock import new_id
from headgate.core.errors import ContractError, Finding
from headgate.core.protocols import StoreSession
from headgate.core.values import TableRef
from headgate.gate.judge import Rules
from headgate.gate.scan import columns_of
from headgate.models import delta
from headgate.models.build import How, judge
from headgate.models.delta import Joined
from headgate.models.failed import Staged
from headgate.models.model import Model
from headgate.project.model import LoadSpec
from headgate.run.build import read_views
from headgate.run.evolve import follow
from headgate.run.flow import Flow


def keys_of(model: Model) -> tuple[str, ...]:
    """The columns by which new rows take the place of those that stand; none where they are only added."""
    return model.incremental.unique_key if model.incremental is not None else ()


def load_of(model: Model) -> LoadSpec:
    """How rows of the model join its table when they are replayed."""
    keys = keys_of(model)
    return LoadSpec("upsert", keys, duplicates="refuse") if keys else LoadSpec("append")


def rules_of(model: Model, contract: Contract) -> Rules:
    """What the rows of a build are judged by."""
    keys = keys_of(model)
    if not keys:
        return Rules(model.target, contract, "append")
    return Rules(model.target, contract, "upsert", keys, once=True)


def seat_of(session: StoreSession, model: Model, how: How, seats: Mapping[str, Seat]) -> Seat | None:
    """Where the build goes on; None where the table is made anew.

    *Errors*: ContractError `model-contract` where rows stand that passed no contract.
    """
    last = ledger.last_build(session, model.target)
    if model.incremental is None or how.full or last is None or session.standing(model.target) != "table":
        return None
    if last.facts.get("materialized") != "incremental":
        return None
    if last.stream == ledger.BUILD:
        raise ContractError(_never_judged(model))
    return seats.get(model.name)


def last_code(last: Entry | None, model: Model) -> list[Finding]:
    """A warning where the rows that stand were made by another SELECT."""
    code = last.facts.get("code") if last is not None else None
    if model.incremental is None or code in (None, model.incremental.code):
        return []
    return [delta.built_before(model)]


def prepare(session: StoreSession, flow: Flow, author: str, attempt: str, inside: bool) -> None:
    """The table follows its contract, and can be read as `this`, before new rows are looked for.

    `inside` an open transaction it follows nothing: there it fits, or is refused.
    *Errors*: CommitError of a table that can't follow.
    """
    contract = flow.contract
    assert contract is not None
    state = ledger.table_state(session, flow.table)
    if not inside and (state is None or state.contract != contract.digest()):
        follow(session, flow, new_id(), author)
    tables.compare(session, flow.table, columns_of(contract))
    read_views(session, (flow.table,), attempt, inside)


def new_rows(model: Model) -> Model:
    """The model whose SELECT gives what is new."""
    assert model.incremental is not None
    return replace(model, sql=model.incremental.sql)


def inspect(session: StoreSession, model: Model, contract: Contract, ref: TableRef) -> tuple[Finding, ...]:
    """Runs the model's checks on the new rows at `ref`, and on all as they would stand: warnings.

    Raises BuildFailed where one fails.
    """
    names = tuple(column.name for column in contract.columns)
    whole = partial(delta.union, model, Joined(None, names), nulls=False)
    staged = Staged(ref, tuple(session.columns(ref) or ()), None, delta.how_of(model).sql, whole)
    return judge(session, model, staged)[1]


def _never_judged(model: Model) -> Finding:
    what = f"the rows of model {model.name!r} that stand passed no contract: it had none when they were built"
    fix = f"build all of it through the contract: headgate run --full-refresh {model.target}"
    where = model.split.where if model.split is not None else model.path
    return Finding("model-contract", "error", what, str(where), fix)
