"""One connection to PostgreSQL, beside a private engine that reads sources and judges rows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from headgate.adapters.postgres import types, views
from headgate.adapters.postgres.transfer import described, fetch, send
from headgate.core.errors import AdapterError
from headgate.core.protocols import Answer, Columns, Takeover, Trouble
from headgate.core.values import TableRef
from headgate.sql import quote
from headgate.types.moments import iso

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from headgate.adapters.duckdb.store import DuckDBSession
    from headgate.core.profile import Profile

LONGEST_NAME = 63
"""Bytes; the server cuts longer names without an error."""
MOST_COLUMNS = 1600
SYSTEM_COLUMNS = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")
_MARK = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(\?)")


@lru_cache(maxsize=1000)
def numbered(sql: str) -> str:
    """The statement with `$1, $2 ...` for its question marks; those in texts and names stay."""
    count = iter(range(1, sql.count("?") + 1))
    return _MARK.sub(lambda match: f"${next(count)}" if match[1] else match[0], sql)


class PostgresSession:
    """For one thread. `reconnect(old, committing)` gives a new connection once the old one is certainly gone from the
    server; `committing` says whether a COMMIT had been sent."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        engine: DuckDBSession,
        temp: Path,
        reconnect: Callable[[psycopg.Connection[Any], bool], psycopg.Connection[Any]],
        indexed: set[str],
    ) -> None:
        self.connection = connection
        self._engine = engine
        self._temp = temp
        self._reconnect = reconnect
        self._indexed = indexed
        self._last = ""

    @property
    def engine(self) -> DuckDBSession:
        return self._engine

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows; for a statement without rows that counts some, that count."""
        from psycopg import RawCursor

        self._last = sql
        with RawCursor(self.connection) as cursor:
            if params:
                cursor.execute(numbered(sql).encode(), list(params))
            else:
                cursor.execute(sql.encode())
            if cursor.description is not None:
                return cursor.fetchall()
            return [(cursor.rowcount,)] if cursor.rowcount >= 0 else []

    def bring(self, select: str, name: str) -> str:
        columns = described(self._engine, select)
        typed = ", ".join(f"{quote.ident(column)} {types.staged(kind)}" for column, kind in columns)
        end = " ON COMMIT DROP" if self._in_transaction else ""
        self.execute(f"CREATE TEMP TABLE {name} ({typed}){end}")
        listed = quote.columns(column for column, _ in columns)
        send(self._engine, select, columns, f"{name} ({listed})", self.connection, lossy=True)
        self.execute(f"ANALYZE {name}")
        return name

    def take(self, select: str, name: str) -> str:
        fetch(self.connection, select, self._engine, name, self._temp)
        return name

    @contextmanager
    def reading(self) -> Iterator[None]:
        self.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield
        finally:
            self.abandon()

    def append(self, table: TableRef, names: Sequence[str], select: str) -> None:
        columns = list(zip(names, (kind for _, kind in described(self._engine, select)), strict=True))
        into = f"{quote.table(table)} ({quote.columns(names)})"
        send(self._engine, select, columns, into, self.connection, lossy=False)

    @property
    def _in_transaction(self) -> bool:
        return self.connection.info.transaction_status.name == "INTRANS"

    def physical(self, engine_type: str) -> str:
        return types.physical(engine_type)

    def engine_type(self, stored: str) -> str:
        return types.engine_type(stored)

    def declared(self, engine_type: str) -> str:
        return types.declared(engine_type)

    def recast(self, value: str, before: str, after: str) -> str:
        return types.recast(value, before, after)

    def alter(self, table: TableRef, statements: Sequence[str], rebinds: bool) -> None:
        made = views.take_down(self, table) if rebinds else []
        self._indexed.clear()  # an index goes with its column
        for statement in statements:
            views.guarded(self, table, statement)
        views.put_up(self, made, table)

    def holds(self, value: str, engine_type: str) -> tuple[str, str] | None:
        return types.holds(value, engine_type)

    def columns(self, table: TableRef) -> list[tuple[str, str]] | None:
        found = self.execute(
            """SELECT a.attname, format_type(a.atttypid, a.atttypmod)
               FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
               JOIN pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = ? AND c.relname = ? AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
               AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum""",
            [table.schema, table.name],
        )
        return [(row[0], row[1]) for row in found] or None

    def standing(self, target: TableRef) -> Literal["", "table", "view"]:
        found = self.execute(
            """SELECT c.relkind IN ('v', 'm') FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = ? AND c.relname = ? AND c.relkind IN ('r', 'p', 'f', 'v', 'm')""",
            [target.schema, target.name],
        )
        return ("view" if found[0][0] else "table") if found else ""

    def swap(self, staged: TableRef, target: TableRef, kind: Literal["table", "view"]) -> Literal["", "table", "view"]:
        """Views that read the target are made again over the new one: here a view holds on to the old one itself."""
        self._check(target)
        standing = self.standing(target)
        readers = views.drop(self, target, standing) if standing else []
        self.execute(f"ALTER {kind.upper()} {quote.table(staged)} RENAME TO {quote.ident(target.name)}")
        views.put_up(self, readers, target)
        return standing

    def exchange(self, table: TableRef, successor: TableRef, kept: TableRef) -> None:
        """A table keeps its grants and views by what it is, not by its name: they are given to the successor."""
        aside = quote.aside(kept)
        self._check(kept)
        grants = views.grants(self, table)
        made = views.take_down(self, table)
        views.guarded(self, table, f"ALTER TABLE {quote.table(table)} RENAME TO {quote.ident(aside.name)}")
        if kept != successor:
            views.guarded(self, kept, f"DROP TABLE IF EXISTS {quote.table(kept)}")
        self.execute(f"ALTER TABLE {quote.table(successor)} RENAME TO {quote.ident(table.name)}")
        self.execute(f"ALTER TABLE {quote.table(aside)} RENAME TO {quote.ident(kept.name)}")
        self._indexed.clear()
        views.put_up(self, made, table)
        for grant in grants:
            self.execute(grant)

    def create(
        self, table: TableRef, columns: Columns, required: Sequence[str] = (), like: TableRef | None = None
    ) -> None:
        self._check(table, [name for name, _ in columns])
        if like and self.columns(like) == [(name, types.physical(kind)) for name, kind in columns]:
            self.execute(f"CREATE TABLE {quote.table(table)} (LIKE {quote.table(like)} INCLUDING ALL)")
            return
        declared = [(name, types.declared(kind)) for name, kind in columns]
        self.execute(quote.create_table(table, declared, required))

    def clear(self, table: TableRef, columns: Columns, required: Sequence[str] = ()) -> None:
        """Row by row where the columns stay, so that readers see the old rows until the COMMIT."""
        found = self.columns(table)
        if found == [(name, types.physical(kind)) for name, kind in columns]:
            self.execute(f"DELETE FROM {quote.table(table)}")
            return
        readers = views.drop(self, table, "table") if found else []
        self._indexed.clear()
        self.create(table, columns, required)
        views.put_up(self, readers, table)

    def take_away(self, table: TableRef, select: str, same: str) -> list[tuple[int, int, int]]:
        found = self.execute(
            f"""WITH gone AS (DELETE FROM {quote.table(table)} AS old USING ({select}) AS new WHERE {same}
                              RETURNING new._hg_part, coalesce(old._hg_load, 0) AS origin)
                SELECT _hg_part, origin, count(*) FROM gone GROUP BY 1, 2"""
        )
        return [(row[0], row[1], row[2]) for row in found]

    def lookup(self, table: TableRef, columns: Sequence[str]) -> None:
        """An index, once. Texts of any length are indexed by their hash: a B-tree refuses long ones."""
        wanted = f"{table}({', '.join(columns)})"
        if wanted in self._indexed:
            return
        kinds = dict(self.columns(table) or [])
        short = [column for column in columns if kinds[column] not in ("text", "json", "bytea")]
        method, chosen = ("btree", short) if short else ("hash", [one for one in columns if kinds[one] != "json"][:1])
        if chosen and not self._has_index(table, method, chosen):
            # Named after the table itself, not its name: another that had this name may stand beside it.
            oid = self.execute("SELECT CAST(CAST(? AS regclass) AS oid)", [quote.table(table)])[0][0]
            digest = hashlib.sha256(f"{wanted} {oid}".encode()).hexdigest()[:12]
            name = f"{table.name.encode()[:30].decode(errors='ignore')}_hg_{digest}"
            listed = quote.columns(chosen)
            self.execute(f"CREATE INDEX {quote.ident(name)} ON {quote.table(table)} USING {method} ({listed})")
        self._indexed.add(wanted)

    def _has_index(self, table: TableRef, method: str, columns: Sequence[str]) -> bool:
        """Whether an index over exactly these columns of all rows is there, whoever made it."""
        found = self.execute(
            """SELECT (SELECT array_agg(CAST(a.attname AS text) ORDER BY k.n)
                       FROM unnest(CAST(i.indkey AS int2[])) WITH ORDINALITY AS k(attnum, n)
                       JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum)
               FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS m ON m.oid = c.relam
               WHERE i.indrelid = CAST(? AS regclass) AND m.amname = ? AND i.indpred IS NULL AND i.indisvalid
               AND i.indexprs IS NULL""",
            [quote.table(table), method],
        )
        return [list(columns)] in [[row[0]] for row in found]

    def unfit(self, table: TableRef, names: Sequence[str] = ()) -> str | None:
        for name in (table.schema, table.name, *names):
            if len(name.encode()) > LONGEST_NAME:
                return f"{name!r} has {len(name.encode())} bytes; PostgreSQL keeps {LONGEST_NAME} of a name"
        own = [name for name in names if name in SYSTEM_COLUMNS]
        if own:
            return f"{own[0]!r} is the name of a column that PostgreSQL gives every table itself"
        return f"a table has at most {MOST_COLUMNS} columns, not {len(names)}" if len(names) > MOST_COLUMNS else None

    def _check(self, table: TableRef, names: Sequence[str] = ()) -> None:
        why = self.unfit(table, names)
        if why is not None:
            raise AdapterError.of("name-unfit", why, str(table), "choose another name")

    def takeover(self, table: TableRef) -> Takeover:
        from headgate.adapters.postgres.takeover import PostgresTakeover

        return PostgresTakeover(self, table)

    def abandon(self) -> None:
        """A ROLLBACK; where the connection broke, a new one, once the server has ended what the old one was doing."""
        import psycopg

        self._indexed.clear()
        committing = self._last == "COMMIT"
        if not self.connection.broken:
            try:
                self.execute("ROLLBACK")
                return
            except psycopg.OperationalError:
                pass
        self.connection = self._reconnect(self.connection, committing)

    def interrupt(self) -> None:
        """The engine's statement and the server's: either may be at work."""
        self._engine.interrupt()
        self.connection.cancel()

    def trouble(self, error: BaseException) -> Trouble | None:
        import psycopg

        if not isinstance(error, psycopg.Error):
            return None
        state = error.sqlstate or ""
        message = " ".join((error.diag.message_primary or str(error)).split())
        at = error.diag.statement_position
        line = self._last[: int(at) - 1].count("\n") + 1 if at else 0
        if state == "57014":
            return Trouble("stopped", message)
        if state.startswith("42"):
            return Trouble("text", message, line)
        if state[:2] in ("21", "22", "23", "2F", "38", "P0"):
            return Trouble("value", message, line)
        return Trouble("other", message)

    def syntax(self, sql: str) -> Trouble | None:
        """The server plans the SELECT without running it, as one prepared statement: it takes no second one with it."""
        import psycopg
        from psycopg import RawCursor

        inside = self._in_transaction
        if inside:
            self.execute("SAVEPOINT hg_syntax")
        try:
            self._last = f"SELECT * FROM (\n{sql}\n) AS q"
            with RawCursor(self.connection) as cursor:
                cursor.execute(f"EXPLAIN {self._last}".encode(), prepare=True)
        except psycopg.Error as error:
            if inside:
                self.execute("ROLLBACK TO SAVEPOINT hg_syntax")
            return self._no_select(error, sql)
        return None

    def _no_select(self, error: psycopg.Error, sql: str) -> Trouble | None:
        message, line = _told(error, len("EXPLAIN "), f"SELECT * FROM (\n{sql}")
        if error.sqlstate == "42601":
            if "multiple commands" in message:
                return Trouble("other", "holds more than one statement")
            return Trouble("text", message, max(0, line - 1))
        if error.sqlstate == "0A000":
            return Trouble("other", f"is no plain SELECT: {message}")
        if not (error.sqlstate or "").startswith("42"):
            raise error
        return None

    def answer(self, sql: str, limit: int | None) -> Answer:
        """The rows of one SELECT. Raises ValueError, with the server's words, where the text is none or fails."""
        import psycopg

        text = sql.strip().rstrip("; \t\r\n")
        first = _FIRST_WORD.match(text)
        word = first[1].upper() if first else ""
        if not word and not _BRACKET.match(text):
            raise ValueError("there is no statement")
        if word and word not in ("SELECT", "WITH", "VALUES", "TABLE"):
            raise ValueError(f"a statement of kind {word}; the warehouse is only looked at here")
        try:
            return self._answer(text, limit)
        except psycopg.Error as error:
            message, line = _told(error, 0, f"SELECT * FROM (\n{text}")
            raise ValueError(f"{message} (line {line - 1})" if line > 1 else message) from error

    def analyze(self, select: str) -> Profile:
        from psycopg import RawCursor

        from headgate.adapters.postgres.profile import profile

        with RawCursor(self.connection) as cursor:
            # Prepared, the server takes one statement and no second one behind it.
            asked = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {select}".encode()
            found = cursor.execute(asked, prepare=True).fetchone()
        assert found is not None
        return profile(found[0])

    def _answer(self, text: str, limit: int | None) -> Answer:
        from psycopg import RawCursor

        with RawCursor(self.connection) as cursor:
            # Prepared, the server takes one statement and no second one behind it.
            cursor.execute(f"SELECT * FROM (\n{text}\n) AS q LIMIT 0".encode(), prepare=True)
            shape = [(one.name, one.type_code) for one in cursor.description or []]
            kinds = dict(
                cursor.execute(b"SELECT oid, format_type(oid, NULL) FROM pg_type WHERE oid = ANY($1)",
                               [[code for _, code in shape]]).fetchall()
            )  # fmt: skip
            names = [f"c{number}" for number in range(len(shape))]
            casts = [_read_as(name, kinds[code]) for name, (_, code) in zip(names, shape, strict=True)]
            inner = f"(\n{text}\n) AS q({', '.join(names)})" if names else f"(\n{text}\n) AS q"
            cut = f" LIMIT {int(limit)}" if limit is not None else ""
            rows = cursor.execute(f"SELECT {', '.join(casts)} FROM {inner}{cut}".encode(), prepare=True).fetchall()
            total = len(rows)
            if limit is not None and total >= limit:
                counted = cursor.execute(f"SELECT count(*) FROM {inner}".encode(), prepare=True)
                total = counted.fetchall()[0][0]
        moments = [kinds[code].startswith("timestamp") for _, code in shape]
        values = [
            [_iso(value) if moment else value for value, moment in zip(row, moments, strict=True)] for row in rows
        ]
        return Answer([(name, str(kinds[code])) for name, code in shape], values, total)


_PLAIN = ("boolean", "smallint", "integer", "bigint", "real", "double precision", "text", "character varying", "bytea")
_BLANK = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*"
_FIRST_WORD = re.compile(_BLANK + r"([A-Za-z_]+)", re.DOTALL)
_BRACKET = re.compile(_BLANK + r"\(", re.DOTALL)


def _read_as(name: str, kind: str) -> str:
    """Types whose Python value loses nothing are read as they are; all others, and what lists hold, as text."""
    if kind.removesuffix("[]") in _PLAIN and kind != "bytea[]":
        return name
    return f"CAST({name} AS text{'[]' if kind.endswith('[]') else ''})"


def _iso(value: Any) -> Any:
    return [_iso(one) for one in value] if isinstance(value, list) else iso(value)


def _told(error: psycopg.Error, before: int, sent: str) -> tuple[str, int]:
    """The server's message on one line, and the line of `sent` that it means (0 if unknown)."""
    message = " ".join((error.diag.message_primary or str(error)).split())
    at = error.diag.statement_position
    return message, sent[: max(0, int(at) - 1 - before)].count("\n") + 1 if at else 0
