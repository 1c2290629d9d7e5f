"""A loaded table follows an edit of its contract: all changes of columns and their entry in one transaction.

Positions stay, and so do the rows: every value stands or is converted without loss, or nothing changes at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace

from headgate.books import ledger, record, tables
from headgate.books.commit import lock_table, settled
from headgate.books.ledger import EVOLVE, Entry
from headgate.books.work import LOAD_COLUMN, Committed, Lost, Outcome
from headgate.books.write import pin, shape
from headgate.contracts.evolution import Change, Policy, Standing, changes
from headgate.contracts.model import Contract, ContractColumn
from headgate.core.errors import AdapterError, CommitError, Finding
from headgate.core.faults import fault
from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.sql import quote

SHOWN = 3
"""So many entries are named as examples of values that can't follow."""


@dataclass(frozen=True)
class Edit:
    """The contract that a table is to follow, and how far it may. `attempt` and `author` go into the entry.

    `beside`: columns of the table that its load adds to the contract's. `hashed`: rows carry a digest of their columns
    (a table of versions), so that none of these may change.
    """

    contract: Contract
    policy: Policy = field(default_factory=Policy)
    attempt: str = ""
    author: str = ""
    beside: tuple[str, ...] = ()
    hashed: bool = False
    kept: tuple[tuple[str, str], ...] = ()
    """Columns, and beside each another of the table, which holds values of it and so has its type."""
    pin: str = ""
    """What of the contract was taken from the data, as text: kept with the change."""


@dataclass(frozen=True)
class Evolution:
    """What a table is to become: the changes, and the statements that make them in this store."""

    changes: tuple[Change, ...]
    statements: tuple[str, ...]

    @property
    def text(self) -> str:
        return "; ".join(change.text for change in self.changes)


def pending(session: StoreSession, table: TableRef, edit: Edit) -> Evolution:
    """What the table would follow; without a change, it fits as it is. Nothing is changed, and no value looked at.

    *Errors*: CommitError `table-missing`, `column-missing`, `contract-misfit` where the policy holds the table as it
    is or no value could follow, `evolve-required` for a required column that the rows lack.
    """
    return planned(session, table, edit, [one for one in _standing(session, table) if one.name not in edit.beside])


def planned(session: StoreSession, table: TableRef, edit: Edit, have: Sequence[Standing]) -> Evolution:
    """As `pending`, of a table that has these columns beside those of the books."""
    found = changes(have, _with_kept(edit), session.physical)
    frozen = [one for one in found if edit.policy.word(one.case) == "freeze" or _impossible(one)]
    if frozen or (found and edit.hashed):
        raise _misfit(table, found, [] if edit.hashed else frozen)
    required = [one for one in found if one.case == "new" and one.declared is not None and one.declared.required]
    if required and session.execute(f"SELECT 1 FROM {quote.table(table)} LIMIT 1"):
        raise _required(table, required)
    return Evolution(found, tuple(_statement(session, table, one) for one in found))


def _with_kept(edit: Edit) -> Contract:
    """The contract with the columns beside it that follow one of its own."""
    types = {column.name: column.type for column in edit.contract.columns}
    beside = tuple(ContractColumn(name, types[column], "") for column, name in edit.kept)
    return replace(edit.contract, columns=(*edit.contract.columns, *beside))


def inspect(session: StoreSession, table: TableRef, edit: Edit) -> Evolution:
    """As `pending`, and every value of a narrowed column looked at. Raises CommitError `evolve-lossy` as well."""
    found = pending(session, table, edit)
    must_fit(session, table, found, edit.attempt)
    return found


def must_fit(session: StoreSession, table: TableRef, found: Evolution, attempt: str, rows: str = "") -> None:
    """Looks at every value of a narrowed column. `rows`: a SELECT of the rows that are to follow, if not all of them.

    *Errors*: CommitError `evolve-lossy`.
    """
    for number, change in enumerate(found.changes):
        _must_fit(
            session, table, change, f"hg_{attempt}_evolve_{number}", rows or f"SELECT * FROM {quote.table(table)}"
        )


def evolve(session: StoreSession, table: TableRef, edit: Edit) -> Entry | None:
    """Lets the table follow; its entry, or None where there is nothing to follow.

    *Guarantee*: old or new columns, never some of both; killed anywhere, the next run finds one or the other.
    *Errors*: those of `inspect`; AdapterError `needed-by`, `name-unfit`. Nothing is changed then.
    """
    if not pending(session, table, edit).changes:
        return None
    outcome = settled(session, table, lambda: _inside(session, table, edit))
    return outcome.entries[-1] if isinstance(outcome, Committed) else None


def _inside(session: StoreSession, table: TableRef, edit: Edit) -> Outcome:
    state = lock_table(session, table)
    if state is None:
        raise tables.missing(table)
    fault("after_begin")
    before = shape(session, table)
    found = inspect(session, table, edit)  # again: another runner may have been first
    fault("after_stage")
    if not found.changes:
        return Lost()
    _must_keep(session, table, edit.contract)
    fault("after_decide")
    session.alter(table, found.statements, any(one.case not in ("new", "renamed") for one in found.changes))
    details = {
        "changes": [change.to_json() for change in found.changes],
        "sql": list(found.statements),
        "columns_before": before,
        "columns": shape(session, table),
        "contract_before": state.contract,
        **({"pinned": ledger.fingerprint(edit.pin)} if edit.pin else {}),
    }
    if edit.pin:
        pin(session, table, edit.contract.digest(), edit.pin)
    made = record.Made(EVOLVE, edit.attempt, edit.author, details, edit.contract.digest())
    rows = ledger.tail(session, table, state.version).rows
    return Committed((record.add(session, table, state.version, rows, made),))


def _standing(session: StoreSession, table: TableRef) -> list[Standing]:
    found = session.columns(table)
    if found is None:
        raise tables.missing(table)
    if LOAD_COLUMN not in dict(found):
        raise tables.no_origin(table)
    return [Standing(name, kind, session.engine_type(kind)) for name, kind in found if name != LOAD_COLUMN]


def _impossible(change: Change) -> bool:
    return change.case == "narrowed" and change.conversion is None


def _statement(session: StoreSession, table: TableRef, change: Change) -> str:
    column, start = quote.ident(change.column), f"ALTER TABLE {quote.table(table)}"
    match change.case:
        case "new":
            return f"{start} ADD COLUMN {column} {session.declared(change.after)}"
        case "missing":
            return f"{start} DROP COLUMN {column}"
        case "renamed":
            return f"{start} RENAME COLUMN {quote.ident(change.before)} TO {column}"
    recast = session.recast(column, change.before, change.after)
    return f"{start} ALTER COLUMN {column} TYPE {session.declared(change.after)} USING {recast}"


def _must_keep(session: StoreSession, table: TableRef, contract: Contract) -> None:
    why = session.unfit(table, [column.name for column in contract.columns])
    if why is not None:
        raise AdapterError.of("name-unfit", why, str(table), "choose another name")


def _must_fit(session: StoreSession, table: TableRef, change: Change, name: str, rows: str) -> None:
    """Every value of a column that changes its type is the same value afterwards, in this very store."""
    made = change.conversion
    if made is None:
        return
    old = quote.ident(change.standing)
    values = f"SELECT {LOAD_COLUMN} AS load, {old} AS v FROM ({rows}) AS standing WHERE {old} IS NOT NULL"
    if made.ok is not None:
        failing = _failing(session, values, change, f"NOT ({made.ok})", name)
        _refuse_lossy(session, table, change, failing, "would lose")
    engine: object = session.engine
    if engine is not session:  # the store converts by itself: it must come to what the engine comes to
        recast = f"CAST({session.recast('v', change.before, change.after)} AS {session.physical('VARCHAR')})"
        both = f"SELECT load, v, {recast} AS w FROM ({values}) AS t"
        other = f"({made.value}) IS DISTINCT FROM CAST(src.w AS {change.after})"
        failing = _failing(session, both, change, other, f"{name}_w")
        _refuse_lossy(session, table, change, failing, "would in this warehouse change")


def _failing(session: StoreSession, select: str, change: Change, condition: str, name: str) -> dict[int, int]:
    """Rows under the condition by the entry that wrote them. The store's texts get their type of the engine back."""
    taken = session.take(select, name)
    try:
        typed = f"SELECT * REPLACE (CAST(v AS {change.before}) AS v) FROM {taken} AS taken"
        found = session.engine.execute(f"SELECT load, count(*) FROM ({typed}) AS src WHERE {condition} GROUP BY 1")
    finally:
        if taken == name:
            session.engine.execute(f"DROP TABLE {name}")
    return {int(row[0] or 0): int(row[1]) for row in sorted(found, key=lambda row: row[0] or 0)}


def _refuse_lossy(session: StoreSession, table: TableRef, change: Change, failing: dict[int, int], would: str) -> None:
    if not failing:
        return
    partitions = {entry.id: entry.partition for entry in ledger.entries(session, str(table))}
    places = [f"{rows} of entry {load} ({partitions.get(load, '')})" for load, rows in list(failing.items())[:SHOWN]]
    count = sum(failing.values())
    rows, values = ("row", "its value") if count == 1 else ("rows", "their values")
    raise CommitError(
        Finding(
            "evolve-lossy",
            "error",
            f"{change.standing} of {table} can't become {change.told[1]}: {count} {rows} {would} {values}, "
            f"{', '.join(places)}; nothing was changed",
            str(change.declared.where if change.declared and change.declared.where else table),
            f"give the column a type that holds them, or load the table anew: headgate run --full-refresh {table}",
            {"column": change.standing, "rows": count, "entries": {str(load): n for load, n in failing.items()}},
        )
    )


def _required(table: TableRef, lacking: Sequence[Change]) -> CommitError:
    names = ", ".join(one.column for one in lacking)
    where = lacking[0].declared.where if lacking[0].declared else None
    return CommitError(
        Finding(
            "evolve-required",
            "error",
            f"{names} of the contract is required, and the rows of {table} have no value for it",
            str(where or table),
            "add it without required, fill it, and require it then; "
            f"or load the table anew: headgate run --full-refresh {table}",
        )
    )


def _misfit(table: TableRef, found: Sequence[Change], frozen: Sequence[Change]) -> CommitError:
    gone = [one.column for one in found if one.case == "missing"]
    new = [one.column for one in found if one.case == "new"]
    parts = [f"not in the contract: {', '.join(gone)}"] if gone else []
    parts += [f"not in the table: {', '.join(new)}"] if new else []
    parts += [f"{one.before} in the table, {one.column} in the contract" for one in found if one.case == "renamed"]
    parts += [
        f"{one.column}: {one.told[0]} in the table, {one.told[1]} in the contract"
        for one in found
        if one.case in ("widened", "narrowed")
    ]
    never = [one.column for one in frozen if _impossible(one)]
    words = dict.fromkeys(one.case for one in frozen if not _impossible(one))
    follow = (
        ""
        if never or not words
        else f"let the table follow (evolution: {{{', '.join(f'{w}: evolve' for w in words)}}}), "
    )
    return CommitError(
        Finding(
            "contract-misfit",
            "error",
            f"the contract no longer fits {table}: {'; '.join(parts)}",
            str(table),
            f"undo the edit, {follow}or load the table anew: headgate run --full-refresh {table}",
            {"cases": [] if never else list(words)},
        )
    )
