"""Child tables beside the table of their records: made, compared with the contract, found missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from headgate.books import ledger, lines, tables
from headgate.books.commit import in_plain_transaction
from headgate.books.work import LOAD_COLUMN, loaded_columns
from headgate.contracts.children import Kin
from headgate.core.errors import CommitError, Finding
from headgate.core.protocols import StoreSession
from headgate.core.values import TableRef
from headgate.sql import quote


def prepare(session: StoreSession, table: TableRef, children: Sequence[Kin], rebuild: bool) -> None:
    """Makes sure that the children of a prepared table exist and fit; those about to be rebuilt may differ.

    *Errors*: CommitError `table-missing`, `table-unknown`, `column-missing`, `contract-misfit`; also where a table with
    rows would get a child, or lose one.
    """
    known = lines.last(session, table)
    if not children and not known:
        return
    state = ledger.table_state(session, table)
    blank = state is None or not state.version
    gone = [name for name in known if name not in {kin.child.table for kin in children}]
    if gone and not rebuild and any(known[name] for name in gone):
        raise _misfit(table, f"{gone[0]} is not in the contract any more")
    for kin in children:
        child = TableRef.parse(kin.child.table)
        if rebuild or blank or str(child) not in known:
            in_plain_transaction(session, partial(_make, session, table, kin, rebuild, blank))
        else:
            compare(session, table, kin)


def expected(session: StoreSession, table: TableRef, children: Sequence[Kin]) -> None:
    """Raises what `prepare` would, as far as can be told without changing anything."""
    known, state = lines.last(session, table), ledger.table_state(session, table)
    if state is None or not state.version:
        return
    for name in (one for one in known if known[one] and one not in {kin.child.table for kin in children}):
        raise _misfit(table, f"{name} is not in the contract any more")
    for kin in children:
        if kin.child.table not in known:
            raise _misfit(table, f"{kin.child.table} is new, and the records loaded before have no lines in it")
        compare(session, table, kin)


def compare(session: StoreSession, table: TableRef, kin: Kin) -> None:
    """Raises CommitError `table-missing`, `column-missing`, `contract-misfit` unless the child has its columns."""
    try:
        tables.compare(session, TableRef.parse(kin.child.table), kin.columns)
    except CommitError as error:
        fix = f"load it with its records: headgate run --full-refresh {table}"
        if error.finding.code == "contract-misfit":
            fix = f"undo the edit, or load both anew: headgate run --full-refresh {table}"
        raise CommitError(replace(error.finding, fix=fix)) from error


def _make(session: StoreSession, table: TableRef, kin: Kin, rebuild: bool, blank: bool) -> None:
    child = TableRef.parse(kin.child.table)
    state, columns = ledger.table_state(session, child), session.columns(child)
    mine = str(child) in lines.last(session, table)
    if (state is None and columns is not None) or (state is not None and state.version and not mine):
        raise tables.unknown(child)
    if not blank and not rebuild:
        raise _misfit(table, f"{child} is new, and the records loaded before have no lines in it")
    if state is None:
        tables.register(session, str(child))
    if columns is None:
        session.execute(f"CREATE SCHEMA IF NOT EXISTS {quote.ident(child.schema)}")
        session.create(child, loaded_columns(kin.columns), (LOAD_COLUMN,))
    elif blank and not mine:
        if session.execute(f"SELECT 1 FROM {quote.table(child)} LIMIT 1"):
            raise tables.unknown(child)
        session.clear(child, loaded_columns(kin.columns), (LOAD_COLUMN,))


def _misfit(table: TableRef, what: str) -> CommitError:
    return CommitError(
        Finding(
            "contract-misfit",
            "error",
            f"the contract no longer fits {table}: {what}",
            str(table),
            f"undo the edit, or load all anew: headgate run --full-refresh {table}",
        )
    )
