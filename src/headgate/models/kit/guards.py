"""Queries that end themselves: what a guard of the kit says, and how it is found again in the engine's error.

A guard stands in the SQL, so it holds wherever that SQL is read: in a build, in a unit test, in a view. Its text is
taken from the model, never from the error, which may hold values of rows.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from headgate.core.errors import Finding, Location
from headgate.models.model import Model

_MARKED = re.compile(r"'headgate\[(?P<code>[a-z-]+)\] (?P<what>(?:[^'|]|'')*) \| (?P<query>(?:[^']|'')*?) \| '")
_COUNT = re.compile(r"\s*(\d{1,18})")
FIXES = {
    "lookup-duplicates": "Make the key unique there: hg.deduplicate(...), or take more columns into on=",
    "lookup-unmatched": "Load what is missing, or say unmatched='null' or 'unknown'",
    "versions-overlap": "Make versions of one identity end where the next begins: load it with load: {scd2: ...}",
    "features-duplicates": "Keep one row per key and time: hg.deduplicate(...)",
}
"""The codes of guards, and what to do."""
SHORT = 400


def marker(code: str, what: str, query: str) -> str:
    """The text that a guard ends a query with; how many rows failed follows it."""
    return f"headgate[{code}] {what.replace('|', '/')} | {query} | "


def told(model: Model, message: str) -> Finding | None:
    """The finding of the guard that ended the model's query; None for any other error."""
    for code, what, query in _guards(model):
        at = message.find(" ".join(marker(code, what, query).split()))
        if at >= 0:
            return _finding(model, (code, what, query), message[at:])
    return None


def _guards(model: Model) -> Iterator[tuple[str, str, str]]:
    texts = (model.sql, model.incremental.sql) if model.incremental else (model.sql,)
    for text in texts:
        for found in _MARKED.finditer(text):
            code, what, query = (one.replace("''", "'") for one in found.groups())
            if code in FIXES:
                yield code, what, query


def _finding(model: Model, guard: tuple[str, str, str], message: str) -> Finding:
    code, what, query = guard
    number = _COUNT.match(message, len(" ".join(marker(*guard).split())))
    rows = int(number[1]) if number else 1
    fix = FIXES[code]
    if query:
        fix += f"; look: headgate query {shlex.quote(query)}" if len(query) <= SHORT else " (query in the evidence)"
    said = f"model {model.name!r}: {what}: {rows:,} {'key' if rows == 1 else 'keys'}"
    evidence = {"model": model.name, "keys": rows, "query": query}
    return Finding(code, "error", said, str(Location(str(model.path), 0)), fix, evidence)
