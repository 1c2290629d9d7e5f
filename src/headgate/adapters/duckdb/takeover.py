"""A table that somebody else made in DuckDB: what keeps it from having books, and how it gets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headgate.core.protocols import Promise
from headgate.core.values import TableRef
from headgate.sql import quote

if TYPE_CHECKING:
    from headgate.adapters.duckdb.store import DuckDBSession

_KINDS = {
    "NOT NULL": "required",
    "PRIMARY KEY": "unique",
    "UNIQUE": "unique",
    "CHECK": "check",
    "FOREIGN KEY": "refers",
}
_ROWID = "rowid"


class DuckDBTakeover:
    """Columns change before rows go: behind a DELETE the engine refuses to alter the table in the same transaction."""

    strikes_first = False

    def __init__(self, session: DuckDBSession, table: TableRef) -> None:
        self._session, self._table = session, table

    def unfit(self) -> tuple[str, str] | None:
        found = self._catalog("duckdb_indexes", "index_name")
        if found:
            return f"an index holds on to it: {found[0][0]}", "drop the index, and make it again after"
        if self._referred():
            return "a foreign key of another table refers to it", "make the other table without the foreign key"
        for name, _ in self._session.columns(self._table) or []:
            if name.lower() == _ROWID:
                return f"its column {name!r} hides the engine's own numbers of the rows", "rename the column"
        made = str(self._catalog("duckdb_tables", "sql")[0][0])
        if "GENERATED ALWAYS AS" in made.upper():
            return "the engine computes one of its columns", "make a table without generated columns of it"
        return None

    def _referred(self) -> bool:
        found = self._session.execute(
            """SELECT 1 FROM duckdb_constraints() WHERE database_name = current_database()
               AND constraint_type = 'FOREIGN KEY' AND lower(referenced_table) = lower(?) LIMIT 1""",
            [self._table.name],
        )
        return bool(found)

    def exchanges(self) -> str:
        """A key that a transaction deletes is not free before its end."""
        held = next((promise.text for promise in self.promises() if promise.kind == "unique"), "")
        return f"it is declared {held}, and a loaded row could not take the place of another" if held else ""

    def promises(self) -> list[Promise]:
        found = self._catalog("duckdb_constraints", "constraint_type, constraint_column_names, constraint_text")
        known = [(_KINDS.get(str(kind)), columns, text) for kind, columns, text in found]
        return [Promise(kind, tuple(columns), str(text)) for kind, columns, text in known if kind]  # type: ignore[arg-type]

    def hold(self) -> None:
        """Nothing: no other process has the file, and a transaction that alters a table conflicts with every other."""

    def rows(self) -> str:
        names = [name for name, _ in self._session.columns(self._table) or []]
        return f"SELECT {_ROWID} + 1 AS _hg_row, {quote.columns(names)} FROM {quote.table(self._table)}"

    def strike(self, select: str) -> int:
        numbers = f"SELECT s.n - 1 FROM ({select}) AS s(n)"
        deleted = f"DELETE FROM {quote.table(self._table)} WHERE {_ROWID} IN ({numbers})"
        return int(self._session.execute(deleted)[0][0])

    def mark(self, column: str, number: int) -> None:
        start, name = f"ALTER TABLE {quote.table(self._table)}", quote.ident(column)
        self._session.alter(
            self._table,
            [
                f"{start} ADD COLUMN {name} BIGINT DEFAULT {number}",
                f"{start} ALTER COLUMN {name} SET NOT NULL",
                f"{start} ALTER COLUMN {name} DROP DEFAULT",
            ],
            False,
        )

    def fill(self, column: str, relation: str) -> None:
        table, name = quote.table(self._table), quote.ident(column)
        self._session.alter(self._table, [f"ALTER TABLE {table} ADD COLUMN {name} VARCHAR"], False)
        self._session.execute(
            f"UPDATE {table} SET {name} = s.{name} FROM {relation} AS s WHERE {table}.{_ROWID} = s._hg_row - 1"
        )

    def _catalog(self, function: str, columns: str) -> list[tuple[Any, ...]]:
        return self._session.execute(
            f"""SELECT {columns} FROM {function}() WHERE database_name = current_database()
                AND lower(schema_name) = lower(?) AND lower(table_name) = lower(?)""",
            [self._table.schema, self._table.name],
        )
