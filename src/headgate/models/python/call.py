"""Calls a Python model: its inputs as it wants them, its rows as a relation of the store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from headgate.adapters.python.arrow import pyarrow
from headgate.core.clock import new_id
from headgate.core.errors import PASSING, HeadgateError, ProjectError, tidied
from headgate.core.protocols import StoreSession
from headgate.models.explain import without_values
from headgate.models.python import stored
from headgate.models.python.byname import Asked, DbtSession
from headgate.models.python.function import Function, Read
from headgate.models.python.given import WHO, Taken, values
from headgate.models.python.result import Place, Rows
from headgate.models.python.signature import BY_DBT, FUNCTION, THIS


@contextmanager
def rows_of(session: StoreSession, function: Function, adds: bool = False, inside: bool = False) -> Iterator[str]:
    """The SELECT, for the store, of the rows that the function gives; they are there until the block ends.

    `adds`: it is given the rows that stand, and gives those to add. `inside` an open transaction or not: it sees what
    was written there; else all inputs are of one moment, and what it would change in the warehouse is refused.

    *Errors*: ProjectError `model-raised` with the line of the project's file, `not-a-table`, `mixed-column`,
    `unreadable-value`, `python-file`, `unknown-function`; AdapterError `transient-error`, `missing-extra`,
    `bad-schema`, `unreadable-type`, `no-space`.
    """
    pyarrow(WHO)
    name = f"hg_py_{new_id()}"
    folder = function.temp / name
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        with ExitStack() as reading:
            if not inside:
                reading.enter_context(session.reading())
            reads = [*function.inputs, *([function.this] if function.this is not None and adds else [])]
            with _readable(session, function):
                taken = [_taken(session, read, f"{name}_{number}", stack) for number, read in enumerate(reads)]
            if not stored.one_system(session):  # a server is not kept waiting while the function thinks
                reading.close()
            with function.code.running():
                with _readable(session, function):
                    given = values(session.engine, taken, folder, function)
                rows = _called(session, function, given, folder)
        stack.callback(rows.discard)
        yield stored.select(session, rows, name, stack)


def _taken(session: StoreSession, read: Read, name: str, stack: ExitStack) -> Taken:
    if stored.one_system(session):
        return Taken(read, read.select)
    select = stored.taken(session, read, name)
    stack.enter_context(tidied(lambda: session.engine.execute(f"DROP TABLE IF EXISTS {name}")))
    return Taken(read, select)


@contextmanager
def _readable(session: StoreSession, function: Function) -> Iterator[None]:
    """An input whose rows can't be computed is told, as the SQL that reads them would be."""
    try:
        yield
    except Exception as error:
        trouble = session.trouble(error)
        if not isinstance(error, ValueError) and (trouble is None or trouble.kind in ("stopped", "other")):
            raise
        why = without_values(trouble) if trouble is not None else type(error).__name__
        what = f"what {function.file} reads can't be read: {why}"
        fix = "Mend the view or the ephemeral model that gives these rows"
        raise ProjectError.of("model-sql", what, function.file, fix) from error


def _called(session: StoreSession, function: Function, given: dict[str, Any], folder: Path) -> Rows:
    """The rows that the function gives, all of them."""
    code, found = function.code, None
    place = Place(function.file, f"{FUNCTION}() of {function.file}")
    try:
        found = code.named(FUNCTION, "function")
        place = Place(str(code.line_of(found)), place.name)
        made = found(**arguments(session, function, given, found))
        return Rows(folder, place).take(made)
    except HeadgateError:
        raise
    except (Exception, SystemExit) as error:
        raise _raised(session, function, found, error) from error


def arguments(session: StoreSession, function: Function, given: dict[str, Any], found: Any) -> dict[str, Any]:
    """What the function is called with: its inputs, and None for `this` where nothing stands."""
    if function.this is not None:
        given.setdefault(THIS, None)
    if not function.dbt:
        return given
    asked = Asked(given, dict(function.settings), function.file)
    names: Sequence[str] = found.__code__.co_varnames[: len(BY_DBT)]
    return {names[0]: asked, names[1]: DbtSession(session.engine)}


def _raised(session: StoreSession, function: Function, found: Any, error: BaseException) -> HeadgateError:
    """The finding for an exception of the function: its type and its line, and what the engine says of its SQL."""
    code = function.code
    if isinstance(error, PASSING):
        return code.passing(found, error)
    trouble = session.trouble(error)
    said = f" ({without_values(trouble)})" if trouble is not None and trouble.kind in ("text", "value") else ""
    what = f"{FUNCTION}() of {function.file} raised {type(error).__name__}{said}; nothing of it was published"
    fix = "mend it and run again (HEADGATE_DEBUG=1 shows the traceback)"
    return ProjectError.of("model-raised", what, code.place_of(error, found), fix)
