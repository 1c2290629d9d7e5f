"""Snapshots: the versions of a query's rows, staged, checked and joined to those that stand, within the transaction.

What is staged are rows of the history as they will stand: versions that begin, and versions that end. They take the
place of those of their id, as an incremental model's rows take the place of those of their key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from headgate.books import ledger
from headgate.books.commit import lock_table
from headgate.core.clock import stamp
from headgate.core.errors import Finding, nearest
from headgate.core.faults import fault
from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.models import delta, due, explain
from headgate.models.build import How, Prepared, judge, stage, staged_ref, told
from headgate.models.delta import Joined
from headgate.models.failed import BuildFailed, Contested, Staged
from headgate.models.incremental import doubled_keys, join_rows
from headgate.models.model import Incremental, Model, Snapshot
from headgate.models.versions import Columns, Versions
from headgate.sql import quote


@dataclass(frozen=True)
class _Found:
    """The history that stands: how many rows the books know of, its columns, what its last build said of itself."""

    rows: int
    columns: Columns
    said: dict[str, Any]


@dataclass(frozen=True)
class _Try:
    session: StoreSession
    model: Model
    attempt: str
    at: str

    @property
    def changes(self) -> str:
        return f"hg_{self.attempt}_changes"


def prepare(session: StoreSession, model: Model, attempt: str, how: How) -> Prepared:
    """The versions that begin and end, staged and checked.

    *Guarantee*: the history is only added to; `how.full` begins one where there is none, and never another one.
    *Errors*: BuildFailed with `unique-key`, `updated-at-null`, `model-config`, `schema-changed`, `snapshot-changed`,
    `snapshot-gone`, `snapshot-place`, `snapshot-history` and what every model may be told; Contested.
    """
    found = _found(session, model, how)
    rows = stage(session, model, f"{attempt}_q", model.sql)
    fault("after_stage")
    model = _spelled(model, rows.columns)
    _fit(session, model, rows)
    one = _Try(session, model, attempt, how.at or stamp())
    versions = _versions(one, rows, found)
    return _first(one, rows, versions) if found is None else _next(one, rows, versions, found)


def snapshot_of(model: Model) -> Snapshot:
    assert model.snapshot is not None
    return model.snapshot


def _found(session: StoreSession, model: Model, how: How) -> _Found | None:
    """The history to add to; None where there is none yet. Raises BuildFailed where it is gone, or is none of ours."""
    state = lock_table(session, model.target)
    if how.seen is not None and (state.version if state else 0) != how.seen:
        raise Contested(model.name)
    last = ledger.last_build(session, model.target) if state is not None else None
    was = last is not None and last.stream == ledger.BUILD and last.facts.get("materialized") == "snapshot"
    standing = session.standing(model.target)
    if was and standing == "table" and last is not None and state is not None:
        rows = ledger.tail(session, model.target, state.version).rows
        said = dict(last.facts.get("snapshot", {}))
        _same_history(model, said)
        return _Found(rows, tuple(session.columns(model.target) or ()), said)
    if was and not how.full:
        raise BuildFailed([_gone(model)])
    if standing == "table" and last is None:
        raise BuildFailed([_in_the_way(model)])
    return None


def _versions(one: _Try, rows: Staged, found: _Found | None) -> Versions:
    how = snapshot_of(one.model)
    zoned = bool(how.updated_at) and "with time zone" in _kind(rows.columns, how.updated_at).lower()
    kind = "TIMESTAMP WITH TIME ZONE" if zoned else "TIMESTAMP"
    now = one.at if zoned else one.at.partition("+")[0]
    nulls = any(
        one.session.execute(f"SELECT 1 FROM {quote.table(rows.ref)} WHERE {quote.ident(key)} IS NULL LIMIT 1")
        for key in how.unique_key
    )
    kept = found.columns if found is not None else ()
    target = quote.table(one.model.target)
    return Versions(
        how, quote.table(rows.ref), rows.columns, target, kept, f"CAST({quote.literal(now)} AS {kind})", kind, nulls
    )


def _first(one: _Try, rows: Staged, versions: Versions) -> Prepared:
    staged = _staged(one, versions.first())
    one.session.execute(f"DROP TABLE {quote.table(rows.ref)}")
    number, warnings = judge(one.session, one.model, staged)
    return Prepared(one.model, staged, number, (*one.model.warnings, *warnings), facts=_facts(one, {"new": number}))


def _next(one: _Try, rows: Staged, versions: Versions, found: _Found) -> Prepared:
    session, model = one.session, _merging(one.model)
    join = _joined(session, model, versions.columns)
    _run(one, f"CREATE TEMP TABLE {one.changes} AS {versions.changes()}")
    _single(one, versions)
    staged = _staged(one, versions.next(one.changes))
    staged = replace(staged, whole=partial(delta.union, model, join, nulls=False))
    facts = _facts(one, _counted(one, staged, versions))
    warnings = [*one.model.warnings, *join.warnings, *_unseen(one, versions)]
    for relation in (one.changes, quote.table(rows.ref)):  # before the checks: nothing but the stage may be left
        session.execute(f"DROP TABLE {relation}")
    number, more = judge(session, model, staged)
    put = partial(join_rows, join=join, before=found.rows, attempt=one.attempt)
    return Prepared(model, staged, number, (*warnings, *more), put, facts)


def _merging(model: Model) -> Model:
    """The model as one whose rows take the place of those of their id."""
    key = (snapshot_of(model).columns.scd_id,)
    return replace(model, incremental=Incremental(model.sql, "merge", key, "append"))


def _joined(session: StoreSession, model: Model, columns: Columns) -> Joined:
    """How the staged columns fit those of the history; new ones are added to it."""
    join = delta.joined(session, model, columns, None)
    if isinstance(join, Finding):
        fix = "cast the column in the SELECT to the type that it has in the history, or give it another name"
        raise BuildFailed([replace(join, fix=fix)])
    told = tuple(replace(one, fix="see that this is meant") for one in join.warnings)
    return replace(join, warnings=told)


def _staged(one: _Try, select: str) -> Staged:
    """The rows beside the history; once they are published, that is where they can be looked at."""
    ref = staged_ref(one.model.target, one.attempt)
    answer = _run(one, f"CREATE TABLE {quote.table(ref)} AS {select}")
    reported = answer[0][0] if answer and isinstance(answer[0][0], int) else None
    return Staged(
        ref, tuple(one.session.columns(ref) or ()), reported, f"SELECT * FROM {quote.table(one.model.target)}"
    )


def _run(one: _Try, sql: str) -> list[tuple[Any, ...]]:
    """An error is the model's own: of its `dbt_valid_to_current`, or of types that can't be compared."""
    try:
        return one.session.execute(sql)
    except Exception as error:
        raise BuildFailed([explain.sql_failed(one.model, told(one.session, error), prefix_lines=None)]) from error


def _facts(one: _Try, counts: dict[str, Any]) -> dict[str, object]:
    how = snapshot_of(one.model)
    return {"snapshot": {**_identity(how), "at": one.at, **counts}}


def _identity(how: Snapshot) -> dict[str, Any]:
    """What can't change while a history goes on."""
    names = how.columns
    return {
        "unique_key": [name.casefold() for name in how.unique_key],
        "columns": [names.scd_id, names.updated_at, names.valid_from, names.valid_to],
        "current": how.current,
    }


def _counted(one: _Try, staged: Staged, versions: Versions) -> dict[str, Any]:
    [(new, changed)] = one.session.execute(
        f"SELECT count(*) FILTER (WHERE _hg_id IS NULL), count(*) FILTER (WHERE _hg_id IS NOT NULL) FROM {one.changes}"
    )
    [(every,)] = one.session.execute(f"SELECT count(*) FROM {quote.table(staged.ref)}")
    deleted = int(every) - int(new) - 2 * int(changed)
    return {"new": int(new), "changed": int(changed), "deleted": deleted // (2 if versions.tells_deleted else 1)}


def _unseen(one: _Try, versions: Versions) -> list[Finding]:
    """A warning for rows that changed although the time of their change did not."""
    how, model = snapshot_of(one.model), one.model
    if how.strategy != "timestamp":
        return []
    [(rows,)] = _run(one, versions.unseen())
    if not rows:
        return []
    which = "1 row" if rows == 1 else f"{rows:,} rows"
    what = f"snapshot {model.name!r}: {which} changed, but not in {how.updated_at}: the change is no version"
    fix = f"see why {how.updated_at} stays, or write strategy='check', which compares the columns"
    return [Finding("change-unseen", "warning", what, str(model.path), fix, {"model": model.name, "rows": int(rows)})]


# -- what is refused -------------------------------------------------------------------------------------------------


def _spelled(model: Model, columns: Columns) -> Model:
    """The columns of the config spelled as the SELECT does; unknown ones stay."""
    how, known = snapshot_of(model), {name.casefold(): name for name, _ in columns}

    def named(name: str) -> str:
        return known.get(name.casefold(), name)

    keys, compared = tuple(map(named, how.unique_key)), tuple(map(named, how.check_cols))
    said = replace(how, unique_key=keys, updated_at=named(how.updated_at), check_cols=compared)
    return replace(model, snapshot=said)


def _fit(session: StoreSession, model: Model, rows: Staged) -> None:
    """Raises BuildFailed where the query's rows can't be versions."""
    problems = _unknown(model, rows.columns)
    if problems:
        raise BuildFailed(problems)
    how, relation = snapshot_of(model), quote.table(rows.ref)
    keyed = replace(model, incremental=Incremental(model.sql, "merge", how.unique_key))
    doubled = delta.doubled(session, keyed, relation)
    if doubled:
        raise BuildFailed([doubled_keys(keyed, rows.select, doubled)])
    if how.strategy == "timestamp":
        column = quote.ident(how.updated_at)
        [(nulls,)] = session.execute(f"SELECT count(*) FROM {relation} WHERE {column} IS NULL")
        if nulls:
            raise BuildFailed([_no_time(model, rows.select, int(nulls))])


def _unknown(model: Model, columns: Columns) -> list[Finding]:
    how, names = snapshot_of(model), [name for name, _ in columns]
    have = {name.casefold() for name in names}
    wanted = [("unique_key", name) for name in how.unique_key]
    wanted += [("updated_at", how.updated_at)] if how.updated_at else []
    wanted += [("check_cols", name) for name in how.check_cols]
    found = [
        _wrong(model, f"{key}: there is no column {name!r}{nearest(name, names)}", "Name one of " + ", ".join(names))
        for key, name in wanted
        if name.casefold() not in have
    ]
    taken = {one.casefold() for one in how.columns.all}
    found += [
        _wrong(model, f"its SELECT gives column {name!r}, which the snapshot adds", "Leave it out, or rename it")
        for name in names
        if name.casefold() in taken
    ]
    if not found and how.updated_at and not due.is_time(kind := _kind(columns, how.updated_at)):
        fix = f"Cast it in the SELECT: cast({how.updated_at} as timestamp)"
        found.append(_wrong(model, f"updated_at: {how.updated_at!r} is {kind}, no date and no timestamp", fix))
    return found


def _wrong(model: Model, what: str, fix: str) -> Finding:
    return Finding("model-config", "error", f"snapshot {model.name!r}: {what}", str(model.path), fix)


def _kind(columns: Sequence[tuple[str, str]], wanted: str) -> str:
    return next(kind for name, kind in columns if name == wanted)


def _no_time(model: Model, select: str, rows: int) -> Finding:
    column = snapshot_of(model).updated_at
    which = "1 row has" if rows == 1 else f"{rows:,} rows have"
    what = f"snapshot {model.name!r}: {which} no {column}, so nobody can say from when they are valid"
    fix = f"fill {column} in the SELECT, leave such rows out, or write strategy='check'"
    query = f"SELECT * FROM (\n{select}\n) AS _hg_rows WHERE {quote.ident(column)} IS NULL"
    evidence = {"model": model.name, "rows": rows, "query": explain.shown(query)}
    return Finding("updated-at-null", "error", what, str(model.path), fix, evidence)


def _single(one: _Try, versions: Versions) -> None:
    """Raises BuildFailed where a row has two versions that are valid now: somebody else wrote into the history."""
    by = quote.columns(snapshot_of(one.model).unique_key)
    if not one.session.execute(f"SELECT 1 FROM {one.changes} GROUP BY {by} HAVING count(*) > 1 LIMIT 1"):
        return
    what = f"{one.model.target}: rows of one unique_key have several versions that are valid now"
    fix = f"see whether rows were made by hand, and end all but one: headgate query {quote.literal(versions.doubled())}"
    raise BuildFailed([Finding("snapshot-history", "error", what, str(one.model.path), fix)])


def _same_history(model: Model, said: dict[str, Any]) -> None:
    """Raises BuildFailed where the versions that stand were written by another key, or under other names."""
    now = _identity(snapshot_of(model))
    words = {
        "unique_key": "unique_key",
        "columns": "snapshot_meta_column_names",
        "current": "dbt_valid_to_current",
    }
    for key, word in words.items():
        if key in said and said[key] != now[key]:
            was = said[key] if isinstance(said[key], str) else ", ".join(said[key])
            what = f"snapshot {model.name!r}: {word} is not what its history was written by ({was or 'NULL'})"
            fix = f"put it back; or rename the model, and let a new history begin beside {model.target}"
            raise BuildFailed([Finding("snapshot-changed", "error", what, str(model.path), fix)])


def _gone(model: Model) -> Finding:
    what = f"{model.target}, the history of snapshot {model.name!r}, is gone; it can't be made anew from its inputs"
    fix = f"bring it back from a backup; or begin a new history: headgate run --full-refresh {model.target}"
    return Finding("snapshot-gone", "error", what, str(model.path), fix)


def _in_the_way(model: Model) -> Finding:
    what = f"{model.target} stands already, and no run of this project has made it: it may be somebody's history"
    fix = "give the snapshot another name or schema; or rename that table"
    return Finding("snapshot-place", "error", what, str(model.path), fix)
