"""What a user needs to know when a model fails: the place in the file, the engine's reason, the query to look at."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

from headgate.core.errors import Finding, Location
from headgate.core.protocols import StoreSession, Trouble
from headgate.core.values import TableRef
from headgate.models import checks, lexer
from headgate.models.kit import guards
from headgate.models.model import Model, ModelCheck
from headgate.sql import quote

_VALUE = re.compile(r"'[^']*'|\"[^\"]*\"|(?<=value )\S+")
SHORT = 400
"""A query of at most this many characters is shown in the fix; a longer one stands in the evidence only."""


def select_problem(session: StoreSession, model: Model) -> Finding | None:
    """Why the engine would not take the model's SQL as one SELECT; None if it would. Nothing is executed or bound.

    *Errors*: a finding `model-not-select` or `model-sql` with the line of a syntax error.
    """
    wrong = session.syntax(model.sql)
    if wrong is None and model.incremental is not None and model.incremental.sql != model.sql:
        model = replace(model, sql=model.incremental.sql)
        wrong = session.syntax(model.sql)
    if wrong is None:
        return None
    if wrong.kind != "text":
        return _not_select(model, wrong.message)
    what = f"model {model.name!r}: {wrong.message}"
    where = str(_place(model, wrong.line, wrong.column))
    return Finding("model-sql", "error", what, where, "Mend the SQL of the model")


def _not_select(model: Model, what: str) -> Finding:
    fix = "Write one SELECT; give a PIVOT its values: PIVOT ... ON column IN (...)"
    return Finding("model-not-select", "error", f"model {model.name!r} {what}", str(model.path), fix)


def sql_failed(model: Model, trouble: Trouble, prefix_lines: int | None) -> Finding:
    """The finding `model-sql` for an engine's error about a statement with `prefix_lines` lines before the SQL.

    None: the statement only reads what the SQL made, so its lines say nothing.
    """
    if (guarded := guards.told(model, trouble.message)) is not None:
        return guarded
    line = trouble.line - prefix_lines if trouble.line and prefix_lines is not None else 0
    where = str(_place(model, line, trouble.column))
    what = f"model {model.name!r}: {without_values(trouble)}"
    fix = "Mend the SQL of the model" if model.python is None else "Mend what model() returns"
    return Finding("model-sql", "error", what, where, fix)


def check_broken(model: Model, suspects: list[ModelCheck], trouble: Trouble) -> Finding:
    """The finding `model-check` for a check that the engine cannot evaluate (one of `suspects`)."""
    reason = without_values(trouble)
    labels = ", ".join(check.label for check in suspects)
    what = f"model {model.name!r}: the test {labels} cannot be evaluated: {reason}"
    where = suspects[0].where if suspects else None
    return Finding("model-check", "error", what, str(where or model.path), "Mend the test's expression")


def check_failed(model: Model, check: ModelCheck, failing: int, select: str, left: TableRef | None = None) -> Finding:
    """The finding `check-failed`: the check, the number of rows and the query that shows them. Never a value.

    `select` gives the rows that the check looked at; `left`: where all of the build were left to be looked at.
    """
    relation = f"(\n{select}\n) AS {quote.ident(model.name)}"
    query = lexer.normal(checks.sample(check, relation))
    rows = "1 row fails" if failing == 1 else f"{failing:,} rows fail"
    rows = "its rows fail" if check.kind == "row_count" else rows
    seen = f" (the whole build is left in {left})" if left is not None else ""
    fix = f"Look at the rows{seen}, then mend the model or the test"
    fix += f": headgate query {shlex.quote(query)}" if len(query) <= SHORT else " (the query is in the evidence)"
    return Finding(
        "check-failed",
        "warning" if check.severity == "warn" else "error",
        f"model {model.name!r}: {rows} the test {check.label}",
        str(check.where or model.path),
        fix,
        {
            "model": model.name,
            "check": check.label,
            "rows": failing,
            "query": query,
            **({"left": str(left)} if left is not None else {}),
        },
    )


def shown(sql: str) -> str:
    """A query on one line as far as possible, to be run by hand."""
    return lexer.normal(sql)


def without_values(trouble: Trouble) -> str:
    """The engine's message on one line; values out of rows are left out."""
    return trouble.message if trouble.kind == "text" else _VALUE.sub("<value>", trouble.message)


def _place(model: Model, line: int, column: int) -> Location:
    """The place in the file for one of the model's SQL; the whole file where that is not sure."""
    found = model.origin.at(model.sql, line, column) if model.origin is not None and line > 0 else None
    return found or Location(str(model.path))
