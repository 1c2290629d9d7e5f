"""What a user needs to know when a model fails: the place in the file, the engine's reason, the query to look at."""

from __future__ import annotations

import difflib
import re
import shlex

from headgate.core.errors import Finding, Location
from headgate.core.protocols import Session
from headgate.models import checks, lexer
from headgate.models.model import Model, ModelCheck
from headgate.sql import quote

_LINE = re.compile(r"^LINE (\d+):.*", re.MULTILINE | re.DOTALL)
# Errors that speak of the SQL text. All others may quote a value out of a row.
_TEXT_ERRORS = ("ParserException", "BinderException", "CatalogException", "SyntaxException")
_VALUE = re.compile(r"'[^']*'|\"[^\"]*\"|(?<=value )\S+")
SHORT = 400
"""A query of at most this many characters is shown in the fix; a longer one stands in the evidence only."""


def select_problem(session: Session, model: Model) -> Finding | None:
    """Why the engine would not take the model's SQL as one SELECT; None if it would. Nothing is executed or bound.

    *Errors*: a finding `model-not-select` or `model-sql` with the line of a syntax error.
    """
    parsed = "SELECT json_serialize_sql(CAST(? AS VARCHAR)) AS j"
    facts = "j->>'error_message', j->>'error_type', j->>'position', json_array_length(j, '$.statements')"
    ((message, kind, position, count),) = session.execute(f"SELECT {facts} FROM ({parsed})", [model.sql])
    if message is None:
        return None if count == 1 else _not_select(model, f"is {count} statements, not one SELECT")
    if kind == "not implemented":
        return _not_select(model, "is no SELECT, or one whose columns depend on data")
    line = model.sql[: int(position)].count("\n") + 1 if position is not None else 0
    what = f"model {model.name!r}: {message}"
    return Finding("model-sql", "error", what, str(_place(model, line)), "Mend the SQL of the model")


def _not_select(model: Model, what: str) -> Finding:
    fix = "Write one SELECT; give a PIVOT its values: PIVOT ... ON column IN (...)"
    return Finding("model-not-select", "error", f"model {model.name!r} {what}", str(model.path), fix)


def sql_failed(model: Model, error: Exception, prefix_lines: int | None) -> Finding:
    """The finding `model-sql` for an engine's error about a statement with `prefix_lines` lines before the SQL.

    None: the statement only reads what the SQL made, so its lines say nothing.
    """
    text = str(error)
    found = _LINE.search(text)
    line = int(found[1]) - prefix_lines if found and prefix_lines is not None else 0
    reason = _reason(error, _LINE.sub("", text))
    where = str(_place(model, line))
    return Finding("model-sql", "error", f"model {model.name!r}: {reason}", where, "Mend the SQL of the model")


def check_broken(model: Model, suspects: list[ModelCheck], error: Exception) -> Finding:
    """The finding `model-check` for a check that the engine cannot evaluate (one of `suspects`)."""
    reason = _reason(error, _LINE.sub("", str(error)))
    labels = ", ".join(check.label for check in suspects)
    what = f"model {model.name!r}: the test {labels} cannot be evaluated: {reason}"
    where = suspects[0].where if suspects else None
    return Finding("model-check", "error", what, str(where or model.path), "Mend the test's expression")


def check_failed(model: Model, check: ModelCheck, failing: int) -> Finding:
    """The finding `check-failed`: the check, the number of rows and the query that shows them. Never a value."""
    relation = f"(\n{model.sql}\n) AS {quote.ident(model.name)}"
    query = lexer.normal(checks.sample(check, relation))
    rows = "1 row fails" if failing == 1 else f"{failing:,} rows fail"
    fix = "Look at the rows, then mend the model or the test"
    fix += f": headgate query {shlex.quote(query)}" if len(query) <= SHORT else " (the query is in the evidence)"
    return Finding(
        "check-failed",
        "warning" if check.severity == "warn" else "error",
        f"model {model.name!r}: {rows} the test {check.label}",
        str(check.where or model.path),
        fix,
        {"model": model.name, "check": check.label, "rows": failing, "query": query},
    )


def speaks_of_text(error: Exception) -> bool:
    """Whether the engine refused the SQL's text before it read a row."""
    return type(error).__name__ in _TEXT_ERRORS


def _reason(error: Exception, text: str) -> str:
    """The engine's message on one line; values out of rows are left out."""
    line = " ".join(text.split())
    return line if speaks_of_text(error) else _VALUE.sub("<value>", line)


def _place(model: Model, line: int) -> Location:
    """The place in the model's file for a line of its rendered SQL; the whole file if none fits."""
    return Location(str(model.path), _source_line(model.text, model.sql, line))


def _source_line(text: str, sql: str, line: int) -> int:
    """The line of the template that became this line of the SQL; 0 if unknown. Blocks of equal length are matched."""
    match = difflib.SequenceMatcher(None, text.splitlines(), sql.splitlines(), autojunk=False)
    for _, start, end, sql_start, sql_end in match.get_opcodes():
        if sql_start < line <= sql_end and end - start == sql_end - sql_start:
            return start + line - sql_start
    return 0
