"""The history of runs as far as the books know it: every load and build that was committed, grouped into runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from headgate.core.protocols import Session
from headgate.core.records import dataclass
from headgate.state.runs import RunRow, StepRow

APART_SECS = 60.0
"""What was committed longer after the commit before belongs to another run."""

_FATES = ("rows_read", "rows_loaded", "rows_quarantined", "rows_deduplicated", "rows_skipped")


@dataclass(frozen=True)
class _Attempt:
    """What one attempt at a table committed."""

    table: str
    attempt: str
    kind: str
    author: str
    first: str
    last: str
    counts: tuple[int, ...]


def rebuild(session: Session, since: str = "") -> list[RunRow | StepRow]:
    """Runs and their steps from this time on, as rows of the history.

    Who ran what was not written into the books as one run: commits of one author belong together unless a minute lies
    between them or a table comes again. All of them succeeded: what did not left nothing in the books.
    """
    found: list[RunRow | StepRow] = []
    for group in _grouped(_attempts(session, since)):
        steps = [_step(group[0].attempt, number, one) for number, one in enumerate(group, 1)]
        found += [_run(group), *steps]
    return found


def _attempts(session: Session, since: str) -> list[_Attempt]:
    sums = ", ".join(f"CAST(sum({name}) AS BIGINT)" for name in _FATES)
    rows = session.execute(
        f"""SELECT table_name, attempt, max(kind), max(author), min(committed_at), max(committed_at), {sums}
            FROM _headgate.entry WHERE kind IN ('load', 'build') AND committed_at >= ?
            GROUP BY table_name, attempt ORDER BY min(committed_at), attempt""",
        [since],
    )
    return [_Attempt(row[0], row[1], row[2], row[3], row[4], row[5], tuple(row[6:])) for row in rows]


def _grouped(attempts: Sequence[_Attempt]) -> Iterator[list[_Attempt]]:
    group: list[_Attempt] = []
    for one in attempts:
        if group and not _goes_on(group, one):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _goes_on(group: Sequence[_Attempt], one: _Attempt) -> bool:
    last = max(other.last for other in group)
    apart = (datetime.fromisoformat(one.first) - datetime.fromisoformat(last)).total_seconds()
    return one.author == group[-1].author and apart <= APART_SECS and one.table not in {other.table for other in group}


def _step(run: str, number: int, one: _Attempt) -> StepRow:
    kind = "load" if one.kind == "load" else "model"
    return replace(StepRow(run, number, one.table, kind, "ok"), **_counts(one.counts))


def _run(group: Sequence[_Attempt]) -> RunRow:
    begun, ended = min(one.first for one in group), max(one.last for one in group)
    sums = [sum(column) for column in zip(*(one.counts for one in group), strict=True)]
    row = RunRow(group[0].attempt, "headgate run", begun, ended, "ok", author=group[0].author, origin="ledger")
    return replace(row, **_counts(sums))


def _counts(values: Sequence[int]) -> dict[str, Any]:
    return dict(zip(_FATES, values, strict=True))
