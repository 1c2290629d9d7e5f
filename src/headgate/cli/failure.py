"""From an exception to findings and an exit code: a user sees what, where and what to do, never a bare traceback."""

from __future__ import annotations

import signal

from headgate.core.environ import variable
from headgate.core.errors import Finding, HeadgateError, ProjectError
from headgate.core.stop import signalled

FAILED, USAGE, SIGNALLED, INTERRUPTED = 1, 2, 128, 130
"""`SIGNALLED` and the number of the signal, as shells count: 130 for Ctrl-C, 143 for SIGTERM."""
DEBUG = "HEADGATE_DEBUG"


def explain(error: BaseException) -> tuple[tuple[Finding, ...], int]:
    """What the error says, and the exit code that it means."""
    if (number := signalled()) is not None:  # whatever error a library made of it
        return (_interrupted(signal.Signals(number)),), SIGNALLED + number
    if _is_interrupt(error):
        return (_interrupted(signal.SIGINT),), INTERRUPTED
    if isinstance(error, ProjectError):
        return error.findings, USAGE
    if isinstance(error, HeadgateError):
        return error.findings, FAILED
    return (_unexpected(error),), FAILED


def usage(message: str, command: str) -> Finding:
    """What is wrong with the command line."""
    fix = f"see: headgate {command} --help" if command else "see: headgate --help"
    return Finding("usage", "error", message, fix=fix)


def wants_traceback() -> bool:
    return variable(DEBUG) not in (None, "", "0")


def _is_interrupt(error: BaseException | None) -> bool:
    """Ctrl-C may arrive wrapped: DuckDB raises a RuntimeError of its own while the KeyboardInterrupt is handled."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _interrupted(by: signal.Signals) -> Finding:
    how = "interrupted" if by == signal.SIGINT else f"terminated by {by.name}"
    what = f"{how}; what was committed is complete and stays, what was not left no trace"
    return Finding("interrupted", "error", what, fix="run it again to go on: headgate run")


def _unexpected(error: BaseException) -> Finding:
    said = str(error).strip()
    what = f"a defect of Headgate: {type(error).__name__}" + (f": {said}" if said else "")
    fix = f"report it with the traceback, which {DEBUG}=1 before the command prints"
    return Finding("internal-error", "error", what, _place(error), fix)


def _place(error: BaseException) -> str:
    """The innermost function, without the machine's paths."""
    trace = error.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}.{code.co_name}:{trace.tb_lineno}"
