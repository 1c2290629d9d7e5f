"""New rows of an incremental model beside those that stand: staged, compared, and put in place.

Keys are compared so that NULL equals NULL: by `=` where a key has none, which engines do fast, and one by one for the
few rows that have some.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from headgate.core.errors import Finding, InternalError, nearest
from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models.due import EVERY, Due
from headgate.models.model import Delta, Incremental, Model
from headgate.sql import quote

_WIDENS = (
    ("tinyint", "smallint", "integer", "bigint", "hugeint"),
    ("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"),
    ("float", "double"),
    ("real", "double precision"),
)
"""A value of a type in a row goes into each that stands behind it, and means the same there."""


@dataclass(frozen=True)
class Joined:
    """How staged rows join those that stand. `columns`: the names that are written; `changes`: statements that give the
    table its columns first; `rebinds`: some of them go. `warnings`: what that means."""

    due: Due | None
    columns: tuple[str, ...]
    changes: tuple[str, ...] = ()
    rebinds: bool = False
    added: tuple[tuple[str, str], ...] = ()
    """Columns of which the rows that stand know nothing yet."""
    warnings: tuple[Finding, ...] = ()


def how_of(model: Model) -> Incremental:
    assert model.incremental is not None
    return model.incremental


def unknown_names(model: Model, columns: Sequence[tuple[str, str]]) -> list[Finding]:
    """Findings `model-config` for columns of the config that the SELECT does not give."""
    how, names = how_of(model), [name for name, _ in columns]
    wanted = [("unique_key", name) for name in how.unique_key]
    wanted += [("time_column", how.intervals.column)] if how.intervals else []
    return [
        Finding(
            "model-config",
            "error",
            f"{key} of model {model.name!r}: there is no column {name!r}{nearest(name, names)}",
            str(model.path),
            "Name a column of the model: " + ", ".join(names),
        )
        for key, name in wanted
        if name.casefold() not in {one.casefold() for one in names}
    ]


def as_named(model: Model, columns: Sequence[tuple[str, str]]) -> Model:
    """The model with the columns of its config spelled as these are: some engines tell `ID` from `id`."""
    how, spelled = how_of(model), {name.casefold(): name for name, _ in columns}
    key = tuple(spelled.get(name.casefold(), name) for name in how.unique_key)
    times = how.intervals
    if times is not None:
        times = replace(times, column=spelled.get(times.column.casefold(), times.column))
    return replace(model, incremental=replace(how, unique_key=key, intervals=times))


def doubled(session: StoreSession, model: Model, relation: str) -> int:
    """How many rows of the relation share their key with another one."""
    keys = quote.columns(how_of(model).unique_key)
    groups = f"SELECT count(*) AS n FROM {relation} GROUP BY {keys} HAVING count(*) > 1"
    return int(session.execute(f"SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM ({groups}) AS groups")[0][0])


def doubled_rows(model: Model, select: str) -> str:
    """The query that shows those of the SELECT's rows that share their key with another one."""
    keys = how_of(model).unique_key
    groups = f"SELECT {quote.columns(keys)} FROM _hg_rows GROUP BY {quote.columns(keys)} HAVING count(*) > 1"
    same = same_key(keys, "_hg_one", "_hg_two", nulls=True)
    shown = f"SELECT * FROM _hg_rows AS _hg_one WHERE EXISTS (SELECT 1 FROM ({groups}) AS _hg_two WHERE {same})"
    return f"WITH _hg_rows AS (\n{select}\n) {shown}"


def built_before(model: Model) -> Finding:
    """The warning that the rows that stand were made by another SELECT."""
    what = f"model {model.name!r} has changed: the rows that stand were built by what it said before"
    fix = f"build all of it: headgate run --full-refresh {model.target}"
    return Finding("built-before", "warning", what, str(model.path), fix)


def same_key(keys: Sequence[str], one: str, two: str, nulls: bool = False) -> str:
    equal = "IS NOT DISTINCT FROM" if nulls else "="
    return " AND ".join(f"{one}.{quote.ident(key)} {equal} {two}.{quote.ident(key)}" for key in keys)


def joined(session: StoreSession, model: Model, staged: Sequence[tuple[str, str]], due: Due | None) -> Joined | Finding:
    """How staged rows fit the columns that stand; a finding `schema-changed` where the policy forbids it."""
    policy = how_of(model).on_schema_change
    there = {name.casefold(): (name, kind) for name, kind in session.columns(model.target) or []}
    now = {name.casefold(): (name, kind) for name, kind in staged}
    added = [now[key] for key in now if key not in there]
    gone = [there[key] for key in there if key not in now]
    retyped = [
        f"{now[key][0]} from {there[key][1]} to {now[key][1]}"
        for key in now
        if key in there and not _fits(now[key][1], there[key][1])
    ]
    told = [f"column {name} is new" for name, _ in added] + [f"column {name} is gone" for name, _ in gone]
    if retyped or (policy == "error" and told):
        return _schema_changed(model, told + [f"the type of {one}" for one in retyped], bool(retyped))
    if not told:
        return Joined(due, tuple(name for name, _ in staged))
    return _following(session, model, _Change(added, gone, tuple(name for name, _ in staged), due))


@dataclass(frozen=True)
class _Change:
    added: Sequence[tuple[str, str]]
    gone: Sequence[tuple[str, str]]
    names: tuple[str, ...]
    due: Due | None


def _following(session: StoreSession, model: Model, change: _Change) -> Joined:
    """append adds columns, sync removes some, too; whatever is not there is NULL. Each is told."""
    policy, table = how_of(model).on_schema_change, quote.table(model.target)
    names, changes, told = change.names, [], []
    new = {name for name, _ in change.added}
    if policy == "ignore":
        names = tuple(name for name in names if name not in new)
        told += [f"column {name} of its SELECT is left out" for name in new]
    else:
        changes += [f"ALTER TABLE {table} ADD COLUMN {quote.ident(name)} {kind}" for name, kind in change.added]
        told += [f"column {name} is new, and NULL in the rows of before" for name in new]
    if policy == "sync":
        changes += [f"ALTER TABLE {table} DROP COLUMN {quote.ident(name)}" for name, _ in change.gone]
        told += [f"column {name} is dropped, with what it held" for name, _ in change.gone]
    else:
        told += [f"column {name} is gone from its SELECT, and NULL in new rows" for name, _ in change.gone]
    dropped = policy == "sync" and bool(change.gone)
    fix = f"see that this is meant; all rows alike: headgate run --full-refresh {model.target}"
    findings = tuple(
        Finding("schema-followed", "warning", f"model {model.name!r}: {one}", str(model.path), fix) for one in told
    )
    added = tuple(one for one in change.added if one[0] in names)
    return Joined(change.due, names, tuple(changes), dropped, added, findings)


def _fits(new: str, old: str) -> bool:
    new, old = new.lower(), old.lower()
    return new == old or any(new in row and old in row and row.index(new) <= row.index(old) for row in _WIDENS)


def _schema_changed(model: Model, told: Sequence[str], retyped: bool) -> Finding:
    what = f"model {model.name!r} gives other columns than its table has: {'; '.join(told)}"
    again = f"build all of it: headgate run --full-refresh {model.target}"
    fix = again if retyped else f"{again}; or write on_schema_change='append' (or sync, ignore) into config()"
    return Finding("schema-changed", "error", what, str(model.path), fix, {"model": model.name, "changes": list(told)})


def union(model: Model, join: Joined, staged: str, nulls: bool) -> str:
    """The SELECT of all rows as they would stand, where the new ones are those of the relation `staged`."""
    names, target, kinds = quote.columns(join.columns), quote.table(model.target), dict(join.added)
    before = ", ".join(
        f"CAST(NULL AS {kinds[name]}) AS {quote.ident(name)}" if name in kinds else f"_hg_old.{quote.ident(name)}"
        for name in join.columns
    )
    key = how_of(model).unique_key
    stays = [_kept_by_time(model, join)]
    if key:
        stays.append(f"NOT EXISTS (SELECT 1 FROM {staged} AS _hg_new WHERE {same_key(key, '_hg_old', '_hg_new')})")
        if nulls:
            some = f"SELECT 1 FROM {staged} AS _hg_new WHERE ({_some_null(key, '_hg_new')})"
            stays.append(f"NOT EXISTS ({some} AND {same_key(key, '_hg_old', '_hg_new', nulls=True)})")
    where = " AND ".join(one for one in stays if one)
    old = f"SELECT {before} FROM {target} AS _hg_old" + (f" WHERE {where}" if where else "")
    return f"{old} UNION ALL SELECT {names} FROM {staged} AS _hg_added"


def _kept_by_time(model: Model, join: Joined) -> str:
    if not deletes_by_time(model, join):
        return ""
    assert join.due is not None
    return "FALSE" if join.due.where == EVERY else f"NOT {join.due.where}"


def deletes_by_time(model: Model, join: Joined) -> bool:
    return join.due is not None and how_of(model).strategy == "delete+insert"


def _some_null(keys: Sequence[str], alias: str) -> str:
    return " OR ".join(f"{alias}.{quote.ident(key)} IS NULL" for key in keys)


def null_keys(session: StoreSession, model: Model, staged: str) -> bool:
    """Whether a staged row has a NULL in its key."""
    key = how_of(model).unique_key
    return bool(key) and bool(
        session.execute(f"SELECT 1 FROM {staged} AS _hg_new WHERE {_some_null(key, '_hg_new')} LIMIT 1")
    )


def apply(session: StoreSession, model: Model, join: Joined, stage: TableRef, rows: int) -> Delta:
    """Puts the staged rows in place, within the open transaction, and drops the stage."""
    if join.changes:
        session.alter(model.target, join.changes, join.rebinds)
    staged, target = quote.table(stage), quote.table(model.target)
    removed = updated = 0
    if how_of(model).unique_key and rows:
        old, updated = _take_by_key(session, model, staged, nulls=False)
        removed += old - updated
        if null_keys(session, model, staged):
            old, more = _take_by_key(session, model, staged, nulls=True)
            removed, updated = removed + old - more, updated + more
    if deletes_by_time(model, join):
        assert join.due is not None
        removed += _delete(session, model, f"{target} AS _hg_old", f" WHERE {join.due.where}")
    if rows:  # an insert of no row, then of many, has been seen to lose them
        names = quote.columns(join.columns)
        counted = session.execute(f"INSERT INTO {target} ({names}) SELECT {names} FROM {staged}")
        _agree(model, "inserted", counted, rows)
    session.execute(f"DROP TABLE {staged}")
    return Delta(rows, rows - updated, updated, removed)


def _take_by_key(session: StoreSession, model: Model, staged: str, nulls: bool) -> tuple[int, int]:
    """Deletes the rows whose key is staged: how many there were, and for how many staged rows."""
    key, target = how_of(model).unique_key, quote.table(model.target)
    some = f" WHERE {_some_null(key, '_hg_new')}" if nulls else ""
    new = f"(SELECT {quote.columns(key)} FROM {staged} AS _hg_new{some}) AS _hg_new"
    same, by = same_key(key, "_hg_old", "_hg_new", nulls), quote.columns(key, "_hg_new")
    groups = f"SELECT count(*) AS n FROM {target} AS _hg_old JOIN {new} ON {same} GROUP BY {by}"
    [(old, staged_rows)] = session.execute(
        f"SELECT CAST(coalesce(sum(n), 0) AS BIGINT), count(*) FROM ({groups}) AS groups"
    )
    if old:
        counted = session.execute(f"DELETE FROM {target} AS _hg_old USING {new} WHERE {same}")
        _agree(model, "deleted", counted, int(old))
    return int(old), int(staged_rows)


def _delete(session: StoreSession, model: Model, relation: str, where: str) -> int:
    rows = int(session.execute(f"SELECT count(*) FROM {relation}{where}")[0][0])
    if rows:
        _agree(model, "deleted", session.execute(f"DELETE FROM {relation}{where}"), rows)
    return rows


def _agree(model: Model, word: str, counted: Sequence[Sequence[object]], rows: int) -> None:
    """What the engine says it did is what was counted before."""
    said = counted[0][0] if counted else rows
    if said != rows:
        what = f"{said} rows of {model.target} were {word}, {rows} were counted; nothing was committed"
        raise InternalError.of(
            "books-unbalanced", what, model.target, "see whether rows were made by hand: headgate audit"
        )
