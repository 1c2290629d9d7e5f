"""The filter by the newest row that stands, as incremental models are often written, and what it never reads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from headgate.core.errors import Finding, Location
from headgate.models import lexer
from headgate.models.model import Model
from headgate.sql import quote

_NEAR = 24
"""How many tokens before the model's own name its `max` and the comparison are looked for."""
_THIS = re.compile(r"\bthis\b")


def lossy(model: Model) -> Iterator[Finding]:
    """A warning `late-rows-lost` for every `column > (select max(column) from {{ this }})` of an incremental model."""
    if model.incremental is None or model.incremental.intervals is not None:
        return
    found = [(kind, text) for kind, text in lexer.tokens(model.incremental.sql) if kind != "blank"]
    own = [text for kind, text in lexer.tokens(quote.table(model.target)) if kind != "blank"]
    lines = [number for number, line in enumerate(model.text.splitlines(), 1) if _THIS.search(line)]
    for at in range(len(found) - len(own) + 1):
        if [text for _, text in found[at : at + len(own)]] != own:
            continue
        compared = _compared([text for _, text in found[max(0, at - _NEAR) : at]])
        if compared is not None:
            yield _finding(model, *compared, lines.pop(0) if len(lines) > 1 else lines[0] if lines else 0)


def _compared(before: list[str]) -> tuple[str, str, str] | None:
    """Column, comparison and newest value in front of `FROM this`: `created_at`, `>`, `max(day)`."""
    folded = [text.lower() for text in before]
    if "max" not in folded or "select" not in folded:
        return None
    start = len(folded) - 1 - folded[::-1].index("max")
    end = next((at for at in range(start, len(before)) if before[at] == ")"), len(before) - 1)
    signs = [at for at in range(start) if before[at] == ">"]
    if not signs or signs[-1] == 0:
        return None
    at = signs[-1]
    operator = ">=" if before[at + 1] == "=" else ">"
    return before[at - 1], operator, "".join(before[start : end + 1])


def _finding(model: Model, column: str, operator: str, newest: str, line: int) -> Finding:
    lost = f"a row that arrives with an earlier {column} than {newest} of the table is never read"
    if operator == ">":
        lost += ", nor is one with exactly that value (midnight, where it is a date)"
    what = f"model {model.name!r} takes rows where {column} {operator} {newest}: {lost}"
    fix = "Take the filter out and write time_column='...' into config(): late rows are then found by their load"
    fix += "; lookback=3 builds the last 3 intervals anew besides"
    evidence = {"model": model.name, "column": column, "comparison": operator, "newest": newest}
    return Finding("late-rows-lost", "warning", what, str(Location(str(model.path), line)), fix, evidence)
