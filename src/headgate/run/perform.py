"""Carries out a task: a function of the project, an SQL file, a program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from headgate.adapters.python.code import Code
from headgate.core import environ, stop
from headgate.core.errors import PASSING, AdapterError, Finding, HeadgateError
from headgate.project.model import Task
from headgate.project.tasks import GIVEN
from headgate.run.errand import Errand, Performed, performed


def perform(errand: Errand) -> Performed:
    """What the task gave back. Raises whatever ended it."""
    if errand.task.kind == "sql":
        from headgate.run import script

        return script.run(errand)
    if errand.task.kind == "shell":
        from headgate.run import program

        return program.run(errand)
    return _called(errand)


def _called(errand: Errand) -> Performed:
    """*Errors*: as `Code.function`; AdapterError `task-raised`, `transient-error`; ProjectError `bad-result`."""
    from headgate.run.script import Asking

    task, given = errand.task, errand.given()
    code, function = _function(task, errand.home.root)
    offered = {**given.values, "needs": errand.needs, "vars": dict(errand.home.variables),
               "query": Asking(errand, given)}  # fmt: skip
    with code.running():
        result = _answer(code, function, offered)
    stop.check()
    return performed(task, result, given)


def _function(task: Task, root: Path) -> tuple[Code, Callable[..., Any]]:
    assert isinstance(task.does, str)
    file, _, name = task.does.rpartition(":")
    code = Code(root, file)
    return code, code.function(name, (*GIVEN, *task.values))


def _answer(code: Code, function: Callable[..., Any], offered: dict[str, Any]) -> object:
    try:
        return function(**code.wanted(function, offered))
    except HeadgateError:
        raise
    except (Exception, SystemExit) as error:
        stop.check()  # it may have been ended from outside
        if isinstance(error, PASSING):
            raise code.passing(function, error) from error
        what = f"{code.name_of(function)} raised {type(error).__name__}"
        fix = "mend it and run again (HEADGATE_DEBUG=1 shows the traceback)"
        raise AdapterError.of("task-raised", what, code.place_of(error, function), fix) from error


def check(task: Task, root: Path) -> list[Finding]:
    """What would keep the task from running, as far as can be told without running it."""
    if task.kind == "sql":
        from headgate.run import script

        return script.check(task, root)
    if task.kind == "shell":
        from headgate.run import program

        return program.check(task, root, environ.every())
    try:
        _function(task, root)
    except HeadgateError as error:
        return list(error.findings)
    return []
