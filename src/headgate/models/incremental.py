"""Stages, checks and joins the rows of an incremental model, within the open transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from headgate.books import ledger
from headgate.books.commit import lock_table
from headgate.books.ledger import Counts
from headgate.core.errors import Finding
from headgate.core.faults import fault
from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.models import delta, due, explain
from headgate.models.build import How, Prepared, built, judge, stage, told
from headgate.models.delta import Joined
from headgate.models.failed import BuildFailed, Contested, Staged
from headgate.models.left import left_ref
from headgate.models.model import BuildOutcome, Model
from headgate.sql import quote


@dataclass(frozen=True)
class _Found:
    """What stands: the rows that the books know of, the columns, and the last build's facts."""

    rows: int
    columns: tuple[tuple[str, str], ...]
    built: due.Built


def prepare(session: StoreSession, model: Model, attempt: str, how: How) -> Prepared:
    """The model staged and checked: all of it where nothing stands or all is wanted anew, else what is new.

    The table is locked before anything is read, so that of two runners the second sees what the first has done.
    *Errors*: BuildFailed, Contested.
    """
    found = _found(session, model, how)
    intervals = delta.how_of(model).intervals
    facts: dict[str, object] = {"code": delta.how_of(model).code}
    if intervals is not None:
        facts["late"] = due.seen_now(session, model)
    if found is None:
        return _all(session, model, attempt, facts)
    return _new(session, model, _Try(attempt, how.again), facts, found)


def _found(session: StoreSession, model: Model, how: How) -> _Found | None:
    """What stands to be added to; None where there is nothing of the kind."""
    state = lock_table(session, model.target)
    if how.seen is not None and (state.version if state else 0) != how.seen:
        raise Contested(model.name)
    last = ledger.last_build(session, model.target) if state is not None else None
    if last is not None and last.stream == ledger.DATA and last.facts.get("materialized") == "incremental":
        _had_contract(session, model, how)
    if state is None or not _usable(session, model, how, state):
        if how.adds:
            raise Contested(model.name)
        return None
    last = ledger.last_build(session, model.target)
    assert last is not None
    columns = tuple(session.columns(model.target) or ())
    rows = ledger.tail(session, model.target, state.version).rows
    return _Found(rows, columns, due.Built(last.facts, {name.casefold(): kind for name, kind in columns}))


def stands(session: StoreSession, model: Model, how: How) -> bool:
    """Whether rows stand that the model adds to, as far as can be told without a lock."""
    state = ledger.table_state(session, model.target)
    return state is not None and _usable(session, model, how, state)


def _usable(session: StoreSession, model: Model, how: How, state: ledger.TableState) -> bool:
    last = ledger.last_build(session, model.target)
    made = last is not None and last.stream == ledger.BUILD and last.facts.get("materialized") != "view"
    return made and not how.full and session.standing(model.target) == "table"


def _had_contract(session: StoreSession, model: Model, how: How) -> None:
    """Raises BuildFailed where rows would go that only passed a contract which the model has no more."""
    if how.full or session.standing(model.target) != "table":
        return
    what = f"model {model.name!r} had a contract when its rows were built: they name entries, and can't be added to"
    fix = f"give it its contract again; or build all of it: headgate run --full-refresh {model.target}"
    raise BuildFailed([Finding("model-contract", "error", what, str(model.path), fix)])


def _all(session: StoreSession, model: Model, attempt: str, facts: dict[str, object]) -> Prepared:
    staged = stage(session, model, attempt, model.sql)
    model = delta.as_named(model, staged.columns)
    fault("after_stage")
    _fit_for_keys(session, model, staged)
    rows, warnings = judge(session, model, staged)
    facts |= _covered(session, model, staged, {}, {"all": "built anew"})
    return Prepared(model, staged, rows, (*model.warnings, *warnings), facts=facts)


@dataclass(frozen=True)
class _Try:
    attempt: str
    again: tuple[str, str] | None


def _new(session: StoreSession, model: Model, one: _Try, facts: dict[str, object], found: _Found) -> Prepared:
    how, attempt = delta.how_of(model), one.attempt
    if how.intervals is not None and how.intervals.column.casefold() not in found.built.columns:
        raise BuildFailed([_no_time_yet(model)])
    wanted = _due(session, delta.as_named(model, found.columns), found.built, attempt) if how.intervals else None
    if wanted is not None and how.intervals is not None and one.again is not None:
        wanted = due.besides(wanted, how.intervals, found.built, one.again)
    staged = stage(session, model, attempt, how.sql, wanted.where if wanted else "")
    model = delta.as_named(model, staged.columns)
    fault("after_stage")
    _fit_for_keys(session, model, staged)
    join = delta.joined(session, model, staged.columns, wanted)
    if isinstance(join, Finding):
        raise BuildFailed([join])
    nulls = delta.null_keys(session, model, quote.table(staged.ref))
    staged = replace(staged, whole=partial(delta.union, model, join, nulls=nulls))
    rows, warnings = judge(session, model, staged)
    warnings = (*model.warnings, *_other_code(model, found), *join.warnings, *warnings)
    facts |= _covered(session, model, staged, found.built.facts, wanted.told if wanted else {})
    put = partial(join_rows, join=join, before=found.rows, attempt=attempt)
    return Prepared(model, staged, rows, warnings, put, facts)


def _due(session: StoreSession, model: Model, last: due.Built, attempt: str) -> due.Due:
    """What is to be built. An error of the model's own SELECT over new rows is its mistake."""
    try:
        return due.due(session, model, last, attempt)
    except Exception as error:
        raise BuildFailed([explain.sql_failed(model, told(session, error), prefix_lines=None)]) from error


def join_rows(session: StoreSession, prepared: Prepared, join: Joined, before: int, attempt: str) -> BuildOutcome:
    """Puts the staged rows beside those that stand, `before` of them, within the open transaction."""
    model = prepared.model
    done = delta.apply(session, model, join, prepared.staged.ref, prepared.rows or 0)
    rows = before + done.inserted - done.deleted
    outcome = built(prepared, attempt, rows, tuple(session.columns(model.target) or ()), "table")
    counts = Counts(read=done.rows, loaded=done.rows, inserted=done.inserted, updated=done.updated)
    return replace(outcome, counts=counts, delta=done)


def _covered(
    session: StoreSession, model: Model, staged: Staged, before: Mapping[str, object], told: Mapping[str, object]
) -> dict[str, object]:
    """What the ledger keeps of the intervals."""
    intervals = delta.how_of(model).intervals
    if intervals is None:
        return {}
    kind = _kind(staged.columns, intervals.column)
    seen = before if "all" not in told else {}
    return {"intervals": {**due.covered(session, model, quote.table(staged.ref), kind, seen), "built": dict(told)}}


def _kind(columns: Sequence[tuple[str, str]], wanted: str) -> str:
    return next(kind for name, kind in columns if name.casefold() == wanted.casefold())


def _fit_for_keys(session: StoreSession, model: Model, staged: Staged) -> None:
    """Raises BuildFailed where rows of one key are staged, or where key or time is no column that can be one."""
    how = delta.how_of(model)
    problems = delta.unknown_names(model, staged.columns)
    if problems:
        raise BuildFailed(problems)
    if how.intervals is not None and not due.is_time(kind := _kind(staged.columns, how.intervals.column)):
        what = f"time_column of model {model.name!r}: {how.intervals.column!r} is {kind}, no date and no timestamp"
        fix = f"Cast it in the SELECT: cast({how.intervals.column} as date)"
        raise BuildFailed([Finding("model-config", "error", what, str(model.path), fix)])
    if how.unique_key:
        rows = delta.doubled(session, model, quote.table(staged.ref))
        if rows:
            raise BuildFailed([doubled_keys(model, staged.select, rows)])


def doubled_keys(model: Model, select: str, rows: int) -> Finding:
    """The finding `unique-key`: so many of the SELECT's rows share their key with another one."""
    key = ", ".join(delta.how_of(model).unique_key)
    what = (
        f"model {model.name!r}: {rows:,} rows share their unique_key ({key}) with another one, and only one can stand"
    )
    fix = "Make the SELECT give one row for each key (group by, or the newest one), or widen unique_key"
    if model.python is not None:  # no query makes its rows again: they are left
        select = f"SELECT * FROM {quote.table(left_ref(model.target))}"
    evidence = {"model": model.name, "rows": rows, "query": explain.shown(delta.doubled_rows(model, select))}
    return Finding("unique-key", "error", what, str(model.path), fix, evidence)


def _no_time_yet(model: Model) -> Finding:
    what = f"the table of model {model.name!r} has no column {delta.how_of(model).intervals.column!r} yet"  # type: ignore[union-attr]
    fix = f"build all of it: headgate run --full-refresh {model.target}"
    return Finding("schema-changed", "error", what, str(model.path), fix)


def _other_code(model: Model, found: _Found) -> tuple[Finding, ...]:
    """A warning where rows that stand were made by another SELECT."""
    before = found.built.facts.get("code")
    if before is None or before == delta.how_of(model).code:
        return ()
    return (delta.built_before(model),)
