"""DuckDB as engine and store: one connection per file, one cursor per session."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, cast

from headgate.adapters.duckdb.binding import inlined, without_pandas
from headgate.core.errors import AdapterError, Finding, HeadgateError, InternalError
from headgate.core.protocols import Answer, Columns, Takeover, Trouble
from headgate.core.values import TableRef
from headgate.sql import quote
from headgate.types.convert import converted

if TYPE_CHECKING:
    import duckdb

    from headgate.core.profile import Profile

SETTINGS = (
    "SET GLOBAL TimeZone = 'UTC'",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET preserve_insertion_order = true",
    "SET enable_progress_bar = false",
)
BATCH_ROWS = 100_000
STORAGE_VERSION = "v1.5.0"
"""The format of new files, whatever the engine: DuckDB 2 would make files that 1.5 cannot open."""
_HELD = re.compile(r"Conflicting lock is held in (.*?) \(PID (\d+)\)")


_LINE = re.compile(r"^LINE (\d+):.*", re.MULTILINE | re.DOTALL)
_TEXT_ERRORS = ("ParserException", "BinderException", "CatalogException", "SyntaxException")
"""Errors that speak of the SQL text. All others may quote a value out of a row."""

_STANDING = {
    kind: f"SELECT '{kind}' FROM duckdb_{kind}s() WHERE database_name = current_database()"
    f" AND lower(schema_name) = lower($1) AND lower({kind}_name) = lower($2)"
    for kind in ("table", "view")
}
_SELECTS = re.compile(r"\s*(?:select|with|from|values)\b", re.IGNORECASE)


def _column(shown: str) -> int:
    """The column under which the engine put its caret; 0 where it showed a part of the line only, or other bytes."""
    line, _, caret = shown.partition("\n")
    head = line.index(":") + 2
    whole = line.isascii() and not line[head:].startswith("...") and caret.strip() == "^"
    return caret.index("^") - head + 1 if whole else 0


def _short(error: Exception) -> HeadgateError | None:
    """What the machine has too little of: `no-space` or `out-of-memory`; None where it is something else.

    A full disk comes as an error of the transaction, too, and is no conflict with another one.
    """
    said = " ".join(str(error).split())
    if "No space left on device" in said:
        what = "the disk is full: the engine could not write the warehouse or a temporary file"
        return AdapterError.of("no-space", what, "", "free some disk space, then run again: nothing of this was kept")
    if type(error).__name__ == "OutOfMemoryException":
        fix = "give it more, or fewer threads: engine: {memory: 4GB, threads: 2} in headgate.yml; then run again"
        return AdapterError.of("out-of-memory", f"the engine needs more memory than it may take: {said}", "", fix)
    return None


class DuckDBSession:
    """One cursor, for one thread: engine and store at once."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self.cursor = cursor

    @property
    def engine(self) -> DuckDBSession:
        return self

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            done = self._bound(sql, params) if params else self.cursor.execute(sql)
            return done.fetchall() if done.description else []
        except Exception as error:
            short = _short(error)
            if short is None:
                raise
            raise short from error

    def _bound(self, sql: str, params: Sequence[Any]) -> duckdb.DuckDBPyConnection:
        plain = inlined(sql, params)
        if plain is not None:
            return self.cursor.execute(plain)
        with without_pandas():
            return self.cursor.execute(sql, list(params))

    def register(self, name: str, rows: Any) -> None:
        """Makes `rows` (anything with `__arrow_c_stream__`) readable under `name`, as often as wanted."""
        with without_pandas():
            self.cursor.register(name, rows)

    def arrow(self, sql: str) -> Any:
        return self.cursor.execute(sql).to_arrow_table()

    def batches(self, sql: str) -> Any:
        return self.cursor.execute(sql).to_arrow_reader(BATCH_ROWS)

    def relation(self, sql: str) -> Any:
        return self.cursor.sql(sql)

    @contextmanager
    def reading(self) -> Iterator[None]:
        self.execute("BEGIN TRANSACTION READ ONLY")
        try:
            yield
        finally:
            self.abandon()

    def unregister(self, name: str) -> None:
        self.cursor.unregister(name)

    @contextmanager
    def alone(self) -> Iterator[None]:
        (threads,) = self.execute("SELECT current_setting('threads')")[0]
        self.execute("SET threads = 1")
        try:
            yield
        finally:
            self.execute(f"SET threads = {int(threads)}")

    def shape(self, sql: str) -> list[tuple[str, Any]]:
        """Names and types (with `id` and `children`) of the columns that the SELECT would give, without running it."""
        relation = self.cursor.sql(sql)
        return list(zip(relation.columns, relation.types, strict=True))

    def bring(self, select: str, name: str) -> str:
        """The SELECT itself: engine and store are one."""
        return f"({select})"

    def take(self, select: str, name: str) -> str:
        """The SELECT itself: engine and store are one."""
        return f"({select})"

    def append(self, table: TableRef, names: Sequence[str], select: str) -> None:
        self.execute(f"INSERT INTO {quote.table(table)} ({quote.columns(names)}) {select}")

    def physical(self, engine_type: str) -> str:
        return engine_type

    def engine_type(self, stored: str) -> str:
        return stored

    def declared(self, engine_type: str) -> str:
        return engine_type

    def recast(self, value: str, before: str, after: str) -> str:
        """As the gate would convert it: a plain cast rounds."""
        return converted(value, before, after)

    def alter(self, table: TableRef, statements: Sequence[str], rebinds: bool) -> None:
        """Views find the columns by their names. An index holds on to the whole table."""
        import duckdb

        try:
            for statement in statements:
                self.execute(statement)
        except duckdb.DependencyException as error:
            what = f"an index of {table} holds on to its columns"
            fix = "drop the index first (duckdb_indexes() lists them), and make it again after"
            raise AdapterError.of("needed-by", what, str(table), fix) from error
        except duckdb.BinderException as error:
            if "constraint specified" not in str(error):
                raise
            what = f"a constraint of {table} holds on to a column whose type is to change"
            fix = "make the table anew without the constraint (CREATE TABLE ... AS): the contract says what holds"
            raise AdapterError.of("needed-by", what, str(table), fix) from error

    def holds(self, value: str, engine_type: str) -> tuple[str, str] | None:
        return None

    def unfit(self, table: TableRef, names: Sequence[str] = ()) -> str | None:
        return None

    def columns(self, table: TableRef) -> list[tuple[str, str]] | None:
        """Asked of the binder: the catalogue's views look at every column of every table."""
        import duckdb

        try:
            bound = self.cursor.sql(f"FROM {quote.table(table)} LIMIT 0")
        except (duckdb.CatalogException, duckdb.BinderException):
            return self._listed(table)
        return [(name, str(kind)) for name, kind in zip(bound.columns, bound.types, strict=True)]

    def _listed(self, table: TableRef) -> list[tuple[str, str]] | None:
        """A view can stand whose own tables are gone: its columns are still known by name."""
        if not self.execute(_STANDING["view"], [table.schema, table.name]):
            return None
        rows = self.execute(
            """SELECT column_name, data_type FROM information_schema.columns WHERE table_catalog = current_database()
               AND lower(table_schema) = lower(?) AND lower(table_name) = lower(?) ORDER BY ordinal_position""",
            [table.schema, table.name],
        )
        return [(row[0], row[1]) for row in rows] or None

    def standing(self, target: TableRef) -> Literal["", "table", "view"]:
        """Case does not count, as for the engine."""
        both = f"{_STANDING['table']} UNION ALL {_STANDING['view']}"
        found = self.execute(both, [target.schema, target.name])
        return cast(Literal["", "table", "view"], found[0][0]) if found else ""

    def comment(self, table: TableRef) -> str:
        found = self.execute(
            "SELECT comment FROM duckdb_tables() WHERE database_name = current_database()"
            " AND schema_name = ? AND table_name = ?",
            [table.schema, table.name],
        )
        return str(found[0][0] or "") if found else ""

    def swap(self, staged: TableRef, target: TableRef, kind: Literal["table", "view"]) -> Literal["", "table", "view"]:
        """Views find the new relation by its name. It is tried: to look for one table is to look at all of them."""
        import duckdb

        rename = f"ALTER {kind.upper()} {quote.table(staged)} RENAME TO {quote.ident(target.name)}"
        try:
            self.execute(rename)
            return ""
        except duckdb.CatalogException:
            standing = self.standing(target)
            if not standing:
                raise
        self.execute(f"DROP {standing.upper()} {quote.table(target)}")
        self.execute(rename)
        return standing

    def exchange(self, table: TableRef, successor: TableRef, kept: TableRef) -> None:
        """An index holds on to its table's name: those of others are dropped, as with the table itself."""
        aside = quote.aside(kept)
        indexes = self.execute(
            "SELECT index_name FROM duckdb_indexes() WHERE database_name = current_database()"
            " AND schema_name = ? AND table_name = ?",
            [table.schema, table.name],
        )
        for (name,) in indexes:
            self.execute(f"DROP INDEX {quote.ident(table.schema)}.{quote.ident(name)}")
        self.execute(f"ALTER TABLE {quote.table(table)} RENAME TO {quote.ident(aside.name)}")
        if kept != successor:
            self.execute(f"DROP TABLE IF EXISTS {quote.table(kept)}")
        self.execute(f"ALTER TABLE {quote.table(successor)} RENAME TO {quote.ident(table.name)}")
        self.execute(f"ALTER TABLE {quote.table(aside)} RENAME TO {quote.ident(kept.name)}")

    def create(
        self, table: TableRef, columns: Columns, required: Sequence[str] = (), like: TableRef | None = None
    ) -> None:
        self.execute(quote.create_table(table, columns, required))

    def clear(self, table: TableRef, columns: Columns, required: Sequence[str] = ()) -> None:
        self.execute(f"DROP TABLE IF EXISTS {quote.table(table)}")
        self.create(table, columns, required)

    def take_away(self, table: TableRef, select: str, same: str) -> list[tuple[int, int, int]]:
        matched = f"{quote.table(table)} AS old JOIN ({select}) AS new ON {same}"
        found = self.execute(f"SELECT new._hg_part, coalesce(old._hg_load, 0), count(*) FROM {matched} GROUP BY 1, 2")
        if found:
            counted = sum(row[2] for row in found)
            target = quote.table(table)
            deleted = self.execute(f"DELETE FROM {target} AS old USING ({select}) AS new WHERE {same}")[0][0]
            if deleted != counted:
                what = f"{deleted} old versions were deleted, {counted} were counted; nothing was committed"
                fix = "see whether rows were made by hand: headgate audit"
                raise InternalError.of("books-unbalanced", what, table, fix)
        return [(row[0], row[1], row[2]) for row in found]

    def lookup(self, table: TableRef, columns: Sequence[str]) -> None:
        """Nothing: the engine prunes by the smallest and greatest value of each row group."""

    def takeover(self, table: TableRef) -> Takeover:
        from headgate.adapters.duckdb.takeover import DuckDBTakeover

        return DuckDBTakeover(self, table)

    def abandon(self) -> None:
        try:
            self.execute("ROLLBACK")
        except Exception as error:
            if "no transaction" not in str(error).lower():
                raise

    def interrupt(self) -> None:
        self.cursor.interrupt()

    def trouble(self, error: BaseException) -> Trouble | None:
        import duckdb

        if not isinstance(error, duckdb.Error):
            return None
        name, text = type(error).__name__, str(error)
        found = _LINE.search(text)
        message = " ".join(_LINE.sub("", text).split())
        if name == "InterruptException":
            return Trouble("stopped", message)
        kind: Literal["text", "value"] = "text" if name in _TEXT_ERRORS else "value"
        return Trouble(kind, message, int(found[1]) if found else 0, _column(found[0]) if found else 0)

    def syntax(self, sql: str) -> Trouble | None:
        if _SELECTS.match(sql) and self._is_select(sql):
            return None
        parsed = "SELECT json_serialize_sql(CAST(? AS VARCHAR)) AS j"
        facts = "j->>'error_message', j->>'error_type', j->>'position', json_array_length(j, '$.statements')"
        ((message, kind, position, count),) = self.execute(f"SELECT {facts} FROM ({parsed})", [sql])
        if message is None:
            return None if count == 1 else Trouble("other", f"is {count} statements, not one SELECT")
        if kind == "not implemented":
            return Trouble("other", "is no SELECT, or one whose columns depend on data")
        if position is None:
            return Trouble("text", message)
        before = sql[: int(position)].split("\n")
        return Trouble("text", message, len(before), len(before[-1]) + 1)

    def _is_select(self, sql: str) -> bool:
        import duckdb

        try:
            return [one.type for one in self.cursor.extract_statements(sql)] == [duckdb.StatementType.SELECT]
        except duckdb.Error:
            return False

    def answer(self, sql: str, limit: int | None) -> Answer:
        from headgate.adapters.duckdb.answer import answer

        return answer(self, sql, limit)

    def analyze(self, select: str) -> Profile:
        from headgate.adapters.duckdb.profile import profile

        return profile(self.execute(f"EXPLAIN (ANALYZE, FORMAT json) {select}")[0][1])


class DuckDBStore:
    """A warehouse in one DuckDB file (None: in memory).

    `read_only` opens it beside other readers; it then also cannot reach files or the network, not even in memory.
    `limits`: `memory_limit` (`512MB`) and `threads`, where the engine's own choice is not wanted.
    *Errors*: AdapterError `warehouse-busy` when another process holds the file, `warehouse-unreadable` when it is no
    database or was written by a newer engine.
    """

    atomicity: Literal["transaction", "log", "none"] = "transaction"
    ddl_in_commit = True

    def __init__(
        self,
        path: Path | None,
        read_only: bool = False,
        temp: Path | None = None,
        limits: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.path = path
        self.read_only = read_only
        self._locks: dict[str, threading.RLock] = {}
        self._guard = threading.Lock()
        self._connection = _connect(path, read_only, limits)
        if not read_only and temp is not None:
            with without_pandas():
                self._connection.execute("SET temp_directory = ?", [str(temp)])
        for setting in SETTINGS:
            self._connection.execute(setting)

    @contextmanager
    def session(self) -> Iterator[DuckDBSession]:
        with self._guard:
            cursor = self._connection.cursor()
        try:
            yield DuckDBSession(cursor)
        finally:
            cursor.close()

    @contextmanager
    def lock(self, table: TableRef) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault(str(table), threading.RLock())
        with lock:
            yield

    def is_conflict(self, error: BaseException) -> bool:
        """True where the engine refused because another transaction was first; a retry may succeed."""
        import duckdb

        if isinstance(error, duckdb.TransactionException):
            return True
        if isinstance(error, duckdb.ConstraintException) and "_headgate" not in str(error):
            return True
        # An error about a value quotes it, and any text may hold the word.
        about_values = isinstance(error, duckdb.DataError | duckdb.InvalidInputException)
        return isinstance(error, duckdb.Error) and not about_values and "conflict" in str(error).lower()

    def close(self) -> None:
        self._connection.close()


def _connect(path: Path | None, read_only: bool, limits: Mapping[str, str]) -> duckdb.DuckDBPyConnection:
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = dict(limits)
    if read_only:
        config["enable_external_access"] = "false"
    elif int(duckdb.__version__.partition(".")[0]) >= 2:
        config["storage_compatibility_version"] = STORAGE_VERSION
    try:
        return duckdb.connect(
            str(path) if path else ":memory:", read_only=read_only and path is not None, config=config
        )
    except duckdb.IOException as error:
        held = _HELD.search(str(error))
        if held:
            raise _busy(path, held[1], held[2]) from None
        raise _unreadable(path, error) from error
    except duckdb.Error as error:
        raise _unreadable(path, error) from error


def _busy(path: Path | None, program: str, pid: str) -> AdapterError:
    return AdapterError(
        Finding(
            "warehouse-busy",
            "error",
            f"another process holds the warehouse: {program} (pid {pid})",
            str(path),
            "wait until it ends, or add --wait",
            {"pid": int(pid)},
        )
    )


def _unreadable(path: Path | None, error: Exception) -> AdapterError:
    first = str(error).strip().splitlines()[0]
    return AdapterError(
        Finding(
            "warehouse-unreadable",
            "error",
            f"the warehouse cannot be opened: {first}",
            str(path),
            "see that the folder exists and is writable, and that the file was made by DuckDB 1.x",
        )
    )
