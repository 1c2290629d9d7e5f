"""SQL files of tasks: statements, whose `$name` are parameters, on the warehouse or another database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headgate.core import stop
from headgate.core.errors import AdapterError, Finding, HeadgateError, Location, ProjectError, nearest
from headgate.core.protocols import Store, StoreSession
from headgate.core.records import dataclass
from headgate.models import lexer
from headgate.project.model import Task, Warehouse
from headgate.run.errand import Errand, Given, Performed, performed
from headgate.sql import quote


@dataclass(frozen=True)
class Statement:
    """One statement with numbered parameters, `names` of which are in their order, and the line where it begins."""

    sql: str
    names: tuple[str, ...]
    line: int


def statements(text: str) -> list[Statement]:
    """The statements of a file: `$name` outside of texts, names and comments is a parameter."""
    found: list[Statement] = []
    parts: list[str] = []
    names: list[str] = []
    line = begun = 1
    tokens = [*lexer.tokens(text), ("other", ";")]
    skip = False
    for at, (kind, part) in enumerate(tokens):
        if skip:
            skip = False
        elif kind == "other" and part == ";":
            if sql := "".join(parts).strip():
                found.append(Statement(sql, tuple(names), begun))
            parts, names = [], []
        elif kind == "other" and part == "$" and at + 1 < len(tokens) and tokens[at + 1][0] == "word":
            name = tokens[at + 1][1]
            names += [name] if name not in names else []
            parts.append(f"${names.index(name) + 1}")
            skip = True
        elif kind != "blank" or parts:
            begun = begun if parts else line
            parts.append(part)
        line += part.count("\n")
    return found


def read(task: Task, root: Path) -> list[Statement]:
    """The statements of the task's file. *Errors*: ProjectError `unreadable-file`, `bad-encoding`, `task-sql`."""
    assert isinstance(task.does, str)
    try:
        found = statements((root / task.does).read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise ProjectError.of("bad-encoding", "the file is not UTF-8", task.does, "save it as UTF-8") from None
    except OSError as error:
        what = f"the file of task {task.name} can't be read: {error.strerror}"
        fix = "correct the path: it begins at the project's folder"
        raise ProjectError.of("unreadable-file", what, task.does, fix) from None
    if not found:
        raise ProjectError.of("task-sql", f"{task.does} holds no statement", task.does, "write one, or remove the task")
    for one in found:
        for name in one.names:
            if name not in task.values:
                what = f"${name} of {task.does} is not among the task's values{nearest(name, task.values)}"
                fix = f"write with: {{{name}: value}} into {task.where.path}"
                raise ProjectError.of("task-sql", what, Location(task.does, one.line), fix)
    return found


def run(errand: Errand) -> Performed:
    """Runs the statements in one transaction, or each by itself. The result is the first value of the last one.

    *Errors*: ProjectError as `read`, `task-sql`; AdapterError `task-sql`, `commit-contested`, and those of a store.
    """
    task = errand.task
    every, given = read(task, errand.home.root), errand.given()
    with _database(errand) as store, store.session() as session, errand.watch.lent(session):
        value = _all(_Script(task, store, session), every, given.values)
    return performed(task, {"statements": len(every), "value": value}, given)


@contextmanager
def _database(errand: Errand) -> Iterator[Store]:
    """The store that the statements run on."""
    if errand.task.connection is None:
        yield errand.watch.store
        return
    store = opened(errand.task.connection, errand.home.temp)
    try:
        yield store
    finally:
        store.close()


def opened(named: Warehouse, temp: Path) -> Store:
    """Another database than the warehouse. *Errors*: AdapterError."""
    if named.kind == "duckdb":
        from headgate.adapters.duckdb.store import DuckDBStore

        return DuckDBStore(named.path, temp=temp)
    from headgate.adapters.postgres.store import PostgresStore

    return PostgresStore(named.address, named.shown, temp, program="headgate task")


@dataclass(frozen=True)
class _Script:
    task: Task
    store: Store
    session: StoreSession


def _all(script: _Script, every: list[Statement], values: Mapping[str, object]) -> object:
    session, at, rows = script.session, every[0], []
    try:
        if script.task.transaction:
            session.execute("BEGIN")
        for at in every:
            stop.check()
            rows = session.execute(at.sql, [_bound(values[name]) for name in at.names])
        if script.task.transaction:
            session.execute("COMMIT")
    except Exception as error:
        session.abandon()
        raise _wrong(script, at, error) from error
    except BaseException:
        session.abandon()
        raise
    return _plain(rows[0][0]) if rows and rows[0] else None


def _bound(value: object) -> object:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _plain(value: Any) -> object:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _wrong(script: _Script, at: Statement, error: Exception) -> BaseException:
    """What is told of a statement that failed: the system's words where they speak of the SQL, never of a value."""
    if isinstance(error, HeadgateError):
        return error
    task = script.task
    where = Location(str(task.does), at.line)
    if script.store.is_conflict(error):
        what = f"{task.name}: another transaction was first"
        return AdapterError.of("commit-contested", what, where, "run it again, or write retries: 3")
    trouble = script.session.trouble(error)
    if trouble is None or trouble.kind == "stopped":
        return error
    if trouble.kind == "text":
        line = Location(str(task.does), at.line + max(trouble.line - 1, 0))
        return ProjectError.of("task-sql", f"{task.name}: {trouble.message}", line, "mend the SQL of the task")
    fix = "see what the statement reads: it worked on rows that it can't take"
    what = f"{task.name}: a statement failed ({type(error).__name__}); nothing of its transaction is kept"
    if not task.transaction:
        what = f"{task.name}: a statement failed ({type(error).__name__}); what came before it is kept"
    return AdapterError.of("task-sql", what, where, fix)


class Asking:
    """What a function is given to look at the warehouse: `query(sql, name=value)`."""

    def __init__(self, errand: Errand, given: Given) -> None:
        self._errand, self._given = errand, given

    def __call__(self, sql: str, **values: object) -> list[dict[str, object]]:
        """The rows of one SELECT, by column; `$name` stands for a value. Decimals and times are texts.

        *Errors*: HeadgateError `task-sql`.
        """
        stop.check()
        where = self._errand.task.where
        parts = statements(sql)
        if len(parts) != 1:
            raise ProjectError.of("task-sql", f"query() takes one SELECT, not {len(parts)}", where, "write one SELECT")
        missing = [name for name in parts[0].names if name not in values]
        if missing:
            what = f"query() has no value for ${missing[0]}{nearest(missing[0], values)}"
            raise ProjectError.of("task-sql", what, where, f"write query(sql, {missing[0]}=value)")
        with self._errand.watch.session() as session:
            return self._rows(session, put(sql, values))

    def _rows(self, session: StoreSession, sql: str) -> list[dict[str, object]]:
        try:
            found = session.answer(sql, None)
        except ValueError as error:
            what = f"query() only looks: {error}"
            raise ProjectError.of("task-sql", what, self._errand.task.where, "change tables by a task in SQL") from None
        except Exception as error:
            trouble = session.trouble(error)
            if trouble is None or trouble.kind == "stopped":
                raise
            what = (
                self._given.masked(trouble.message)
                if trouble.kind == "text"
                else f"the query failed ({type(error).__name__})"
            )
            raise ProjectError.of("task-sql", f"query(): {what}", self._errand.task.where, "mend the query") from error
        names = [name for name, _ in found.columns]
        return [dict(zip(names, row, strict=True)) for row in found.rows]


def put(sql: str, values: Mapping[str, object]) -> str:
    """The text with literals for its `$name`."""
    parts: list[str] = []
    tokens = lexer.tokens(sql)
    for at, (kind, part) in enumerate(tokens):
        marked = at > 0 and tokens[at - 1] == ("other", "$")
        if marked and kind == "word" and part in values:
            parts[-1] = _literal(values[part])
        else:
            parts.append(part)
    return "".join(parts)


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return quote.literal(repr(value)) if repr(value) in ("nan", "inf", "-inf") else f"({value!r})"
    return quote.literal(json.dumps(value) if isinstance(value, dict | list) else str(value))


def check(task: Task, root: Path) -> list[Finding]:
    try:
        read(task, root)
    except HeadgateError as error:
        return list(error.findings)
    return []
