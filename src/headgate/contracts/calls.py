"""Rules in Python: functions of the user's, found, and told apart by what they take."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from headgate.adapters.python.arrow import pyarrow
from headgate.adapters.python.code import Code
from headgate.contracts.model import CallRule, Contract, Severity
from headgate.core.errors import Finding, HeadgateError, Location, ProjectError
from headgate.core.records import dataclass

_TABLES = ("Table", "pa.Table", "pyarrow.Table", "pyarrow.lib.Table")


@dataclass(frozen=True)
class Callee:
    """The function of a rule; `whole`: it takes a `pyarrow.Table` and answers for each of its rows."""

    rule: CallRule
    function: Callable[[Any], Any]
    whole: bool

    @property
    def location(self) -> Location:
        return self.rule.program.line_of(self.function)


def call_rule(
    name: str, function: str, root: Path, severity: Severity = "error", where: Location | None = None
) -> CallRule:
    """The rule that `name: {python: function}` states; nothing of the file is run.

    *Errors*: ProjectError `bad-value` where the text names no function of a file.
    """
    file, _, called = function.rpartition(":")
    if not file or not called.isidentifier():
        what = f"{function!r} does not name a function of a file"
        raise ProjectError.of("bad-value", what, where or "", "write python: rules/orders.py:check_amount")
    code = Code(root, file)
    return CallRule(name, function, code.fingerprint(), code, severity, where)


def callee(rule: CallRule) -> Callee:
    """The rule's function; its file is run.

    *Errors*: AdapterError `missing-extra`; ProjectError `python-file`, `path-escapes`, `unknown-function`,
    `bad-function`.
    """
    pyarrow("a rule in Python")
    function = rule.program.judge(rule.name)
    return Callee(rule, function, _takes_table(function))


def verify_calls(contract: Contract) -> Iterator[Finding]:
    """What keeps the contract's functions from being called, each at the rule that names it."""
    for rule in contract.calls:
        try:
            callee(rule)
        except HeadgateError as error:
            for one in error.findings:
                what = f"rule {rule.code!r}: {one.what}"
                yield Finding(one.code, one.level, what, one.where or str(rule.where or ""), one.fix, one.evidence)


def _takes_table(function: Callable[[Any], Any]) -> bool:
    """Whether the first parameter is annotated as a table of pyarrow, in whatever spelling."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return False
    noted = parameters[0].annotation if parameters else None
    if isinstance(noted, str):
        return noted.strip("'\" ") in _TABLES
    return isinstance(noted, type) and noted.__name__ == "Table" and noted.__module__.partition(".")[0] == "pyarrow"
