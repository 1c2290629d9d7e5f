"""A table that somebody else made in PostgreSQL: what keeps it from having books, and how it gets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headgate.core.protocols import Promise
from headgate.core.values import TableRef
from headgate.sql import quote

if TYPE_CHECKING:
    from headgate.adapters.postgres.session import PostgresSession

_KINDS = {"n": "required", "p": "unique", "u": "unique", "x": "check", "c": "check", "f": "refers"}
_PAGE = 65536
"""More rows than a page of the table can hold: page and place in it make one number."""
_NAMES = """(SELECT array_agg(CAST(a.attname AS text) ORDER BY k.n)
             FROM unnest({keys}) WITH ORDINALITY AS k(attnum, n)
             JOIN pg_attribute AS a ON a.attrelid = {table} AND a.attnum = k.attnum)"""


class PostgresTakeover:
    """Rows go before columns change: a value that does not fit its column's new type would end the transaction."""

    strikes_first = True

    def __init__(self, session: PostgresSession, table: TableRef) -> None:
        self._session, self._table = session, table

    def unfit(self) -> tuple[str, str] | None:
        kind, inherits, secured, owned = self._asked(
            """SELECT c.relkind, EXISTS (SELECT 1 FROM pg_inherits AS i WHERE c.oid IN (i.inhrelid, i.inhparent)),
                      c.relforcerowsecurity, pg_has_role(c.relowner, 'USAGE')
               FROM pg_class AS c WHERE c.oid = CAST(? AS regclass)"""
        )[0]
        if kind != "r" or inherits:
            return "it is partitioned, foreign, or inherits", "make a plain table of its rows, and adopt that one"
        if not owned:
            return "it belongs to another role", "let its owner grant us its role, or change its owner"
        if secured:
            return "row security hides rows from its owner, too", "ALTER TABLE ... NO FORCE ROW LEVEL SECURITY"
        made = self._asked(
            """SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = CAST(? AS regclass)
               AND a.attgenerated <> '' AND NOT a.attisdropped"""
        )
        if made:
            return f"the server computes its column {made[0][0]!r}", "drop the expression of the column"
        return None

    def exchanges(self) -> str:
        return ""

    def promises(self) -> list[Promise]:
        mine = _NAMES.format(keys="c.conkey", table="c.conrelid")
        found = self._asked(
            f"""SELECT CAST(c.contype AS text), {mine}, pg_get_constraintdef(c.oid)
                FROM pg_constraint AS c WHERE c.conrelid = CAST(? AS regclass) AND c.contype <> 't' ORDER BY 3"""
        )
        found += self._asked(
            """SELECT 'n', ARRAY[CAST(a.attname AS text)], 'NOT NULL' FROM pg_attribute AS a
               WHERE a.attrelid = CAST(? AS regclass) AND a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped
               AND NOT EXISTS (SELECT 1 FROM pg_constraint AS c
                               WHERE c.conrelid = a.attrelid AND c.contype = 'n' AND c.conkey = ARRAY[a.attnum])
               ORDER BY a.attnum"""
        )
        found += self._asked(
            f"""SELECT 'u', {_NAMES.format(keys="CAST(i.indkey AS int2[])", table="i.indrelid")},
                    'UNIQUE INDEX ' || CAST(i.indexrelid AS regclass)
                FROM pg_index AS i WHERE i.indrelid = CAST(? AS regclass) AND i.indisunique
                AND NOT EXISTS (SELECT 1 FROM pg_constraint AS c WHERE c.conindid = i.indexrelid)"""
        )
        referred = self._asked(
            """SELECT CAST(c.conrelid AS regclass) || ': ' || pg_get_constraintdef(c.oid)
               FROM pg_constraint AS c WHERE c.confrelid = CAST(? AS regclass) AND c.contype = 'f'"""
        )
        known = [(_KINDS.get(kind, "check"), tuple(columns or ()), text) for kind, columns, text in found]
        return [
            *(Promise(kind, columns, str(text)) for kind, columns, text in known),  # type: ignore[arg-type]
            *(Promise("referred", (), str(row[0])) for row in referred),
        ]

    def hold(self) -> None:
        self._session.execute(f"LOCK TABLE {quote.table(self._table)} IN SHARE ROW EXCLUSIVE MODE")

    def rows(self) -> str:
        """A row's number is its place. Bytes are taken as text, which the engine would read otherwise."""
        place = "CAST(CAST(ctid AS text) AS point)"
        number = f"CAST(({place})[0] AS bigint) * {_PAGE} + CAST(({place})[1] AS bigint)"
        columns = self._session.columns(self._table) or []
        listed = ", ".join(_taken(quote.ident(name), kind) for name, kind in columns)
        return f"SELECT {number} AS _hg_row, {listed} FROM {quote.table(self._table)}"

    def strike(self, select: str) -> int:
        numbers = f"SELECT {_place('s.n')} AS place FROM ({select}) AS s(n)"
        deleted = f"DELETE FROM {quote.table(self._table)} AS t USING ({numbers}) AS gone WHERE t.ctid = gone.place"
        return int(self._session.execute(deleted)[0][0])

    def mark(self, column: str, number: int) -> None:
        start, name = f"ALTER TABLE {quote.table(self._table)}", quote.ident(column)
        self._session.alter(
            self._table,
            [
                f"{start} ADD COLUMN {name} bigint NOT NULL DEFAULT {number}",
                f"{start} ALTER COLUMN {name} DROP DEFAULT",
            ],
            False,
        )

    def fill(self, column: str, relation: str) -> None:
        table, name = quote.table(self._table), quote.ident(column)
        self._session.alter(self._table, [f'ALTER TABLE {table} ADD COLUMN {name} text COLLATE "C"'], False)
        said = f"SELECT {_place('s._hg_row')} AS place, s.{name} FROM {relation} AS s"
        self._session.execute(f"UPDATE {table} AS t SET {name} = f.{name} FROM ({said}) AS f WHERE t.ctid = f.place")

    def _asked(self, sql: str) -> list[tuple[Any, ...]]:
        return self._session.execute(sql, [quote.table(self._table)])


def _place(number: str) -> str:
    return f"CAST('(' || {number} / {_PAGE} || ',' || {number} % {_PAGE} || ')' AS tid)"


def _taken(column: str, kind: str) -> str:
    return f"CAST({column} AS text) AS {column}" if kind == "bytea" else column
