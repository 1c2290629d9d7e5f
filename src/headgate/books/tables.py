"""The tables that the books keep: made, compared with their contract, found missing."""

from __future__ import annotations

from headgate.books import ledger
from headgate.books.commit import in_plain_transaction, lock_table
from headgate.books.work import LOAD_COLUMN, loaded_columns
from headgate.contracts.evolution import spelled
from headgate.core.errors import CommitError, Finding
from headgate.core.protocols import Columns, StoreSession
from headgate.core.values import TableRef
from headgate.sql import quote


def prepare(session: StoreSession, table: TableRef, columns: Columns, rebuild: bool) -> None:
    """Makes sure that the table and its line in the books exist and fit; one about to be rebuilt may differ.

    A table that no entry has filled yet is no reason to hold on to an earlier wording of the contract: it is remade.

    *Errors*: CommitError `table-missing`, `table-unknown` (not of our books), `column-missing`, `contract-misfit`.
    """
    in_plain_transaction(session, lambda: _prepare(session, table, columns, rebuild))


def _prepare(session: StoreSession, table: TableRef, columns: Columns, rebuild: bool) -> None:
    state = ledger.table_state(session, table)
    if state is None and session.columns(table) is not None:
        # Each statement may have a snapshot of its own: another runner makes both at once, so look again.
        state = ledger.table_state(session, table)
        if state is None:
            raise unknown(table)
    if state is None:
        _create(session, table, columns)
        register(session, str(table))
    elif rebuild:
        return
    elif is_blank(session, table, state):
        _remake(session, table, columns)
    else:
        compare(session, table, columns)


def is_blank(session: StoreSession, table: TableRef, state: ledger.TableState) -> bool:
    """Whether nothing was ever committed to the table, nor put there by somebody else."""
    if state.version:
        return False
    return session.columns(table) is None or not session.execute(f"SELECT 1 FROM {quote.table(table)} LIMIT 1")


def compare(session: StoreSession, table: TableRef, columns: Columns) -> None:
    """Raises CommitError `table-missing`, `column-missing`, `contract-misfit` unless it has exactly these columns.

    Their order is the table's own business.
    """
    found = session.columns(table)
    if found is None:
        raise missing(table)
    if LOAD_COLUMN not in dict(found):
        raise no_origin(table)
    wanted = [(name, spelled(session.physical(physical))) for name, physical in columns]
    have = [(name, spelled(physical)) for name, physical in found if name != LOAD_COLUMN]
    if dict(wanted) != dict(have):
        raise _misfit(table, wanted, have)


def register(session: StoreSession, name: str, version: int = 0) -> None:
    """Opens a line in the books for a table that something else makes (a model), whose last entry is `version`."""
    session.execute("INSERT INTO _headgate.table_state VALUES (?, ?, 1, NULL)", [name, version])


def _create(session: StoreSession, table: TableRef, columns: Columns) -> None:
    session.execute(f"CREATE SCHEMA IF NOT EXISTS {quote.ident(table.schema)}")
    session.create(table, loaded_columns(columns), (LOAD_COLUMN,))


def _remake(session: StoreSession, table: TableRef, columns: Columns) -> None:
    found = [one for one in session.columns(table) or [] if one[0] != LOAD_COLUMN]
    wanted = [(name, spelled(session.physical(physical))) for name, physical in columns]
    if wanted == [(name, spelled(kind)) for name, kind in found]:
        return
    state = lock_table(session, table)
    if state is None or not is_blank(session, table, state):  # another runner was first to fill it
        raise _misfit(table, wanted, [(name, spelled(kind)) for name, kind in found])
    session.clear(table, loaded_columns(columns), (LOAD_COLUMN,))


def missing(table: TableRef) -> CommitError:
    return CommitError(
        Finding(
            "table-missing",
            "error",
            f"the books know {table}, but the warehouse has no such table",
            str(table),
            f"load it anew: headgate run --full-refresh {table}",
        )
    )


def no_origin(table: TableRef) -> CommitError:
    """A loaded table that lost the column by which its rows name their entries."""
    return CommitError(
        Finding(
            "column-missing",
            "error",
            f"{table} has no column {LOAD_COLUMN}: its rows no longer say which entry wrote them",
            str(table),
            f"load it anew: headgate run --full-refresh {table}",
        )
    )


def unknown(table: TableRef) -> CommitError:
    """A table that stands where a load would make one."""
    return CommitError(
        Finding(
            "table-unknown",
            "error",
            f"{table} exists in the warehouse but not in the books; it is left alone",
            str(table),
            f"give it books with the rows it has: headgate adopt {table}; or rename it, or load into another table",
        )
    )


def _misfit(table: TableRef, wanted: Columns, have: Columns) -> CommitError:
    gone = [name for name, _ in have if name not in dict(wanted)]
    new = [name for name, _ in wanted if name not in dict(have)]
    other = [
        f"{name}: {dict(have)[name]} in the table, {physical} in the contract"
        for name, physical in wanted
        if name in dict(have) and dict(have)[name] != physical
    ]
    parts = [f"not in the contract: {', '.join(gone)}"] if gone else []
    parts += [f"not in the table: {', '.join(new)}"] if new else []
    parts += other
    return CommitError(
        Finding(
            "contract-misfit",
            "error",
            f"the contract no longer fits {table}: {'; '.join(parts)}",
            str(table),
            f"undo the edit, or load the table anew: headgate run --full-refresh {table}",
        )
    )
