"""What the books and the history of runs say of each table, gathered in a handful of queries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from headgate.core.protocols import Session
from headgate.core.records import dataclass
from headgate.observe.figures import columns_of_all, own
from headgate.state.history import History
from headgate.state.runs import FigureRow

LOADS = 60
"""How many loads of a table its past is judged by."""

POINTS = 0.05
"""A column is worth a word when the share of its values that are missing has risen by more."""

ENTRIES = 20_000
"""How many of the latest entries are looked at for the rules that were broken."""


@dataclass(frozen=True)
class Load:
    """One load of a table, or one build: when its first commit was, how many rows it loaded or built."""

    at: str
    rows: int
    read: int
    quarantined: int
    kind: str


@dataclass(frozen=True)
class Judged:
    """What the gate judged of a table, and how often each rule was broken: the key is `column.rule`, or `rule`."""

    records: int = 0
    broken: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TableFacts:
    """One table. `loads` are the latest ones, the oldest first. `columns` are those it has, None where it is gone;
    `known`: those the books (of a built table: the last figures) say it has, None where they don't. `figures`: the
    measurements of its columns, the oldest first; those before the last one tell only of columns that miss more than a
    few values now. `entry_balance`: records whose fate the books don't tell.
    """

    name: str
    version: int = 0
    rows: int = 0
    changed_at: str = ""
    loads: tuple[Load, ...] = ()
    judged: Judged = field(default_factory=Judged)
    open: int = 0
    columns: tuple[tuple[str, str], ...] | None = None
    known: tuple[tuple[str, str], ...] | None = None
    figures: tuple[tuple[FigureRow, ...], ...] = ()


def gather(session: Session, history: History, since: str) -> dict[str, TableFacts]:
    """Every table of the books, by name. Broken rules are counted from the time `since` on."""
    columns = columns_of_all(session)
    loads, judged, waiting = _loads(session), _judged(session, since), _open(session)
    shapes, figures = _shapes(session), figures_of(history)
    found = {}
    for name, version, rows, at in _last(session):
        measured = figures.get(name, [])
        known = shapes.get(name) or _measured(measured, version)
        there = columns.get(name)
        found[name] = TableFacts(
            name,
            version,
            rows,
            at,
            tuple(loads.get(name, ())),
            judged.get(name, Judged()),
            waiting.get(name, 0),
            None if there is None else tuple(own(there)),
            known,
            tuple(measured),
        )
    return found


def totals(session: Session) -> tuple[int, int, int, int, int, str]:
    """Records read by all loads, what became of them, and when the first load was committed (empty: none was)."""
    names = ("rows_read", "rows_loaded", "rows_quarantined", "rows_deduplicated", "rows_skipped")
    sums = ", ".join(f"CAST(coalesce(sum({name}), 0) AS BIGINT)" for name in names)
    row = session.execute(f"SELECT {sums}, coalesce(min(committed_at), '') FROM _headgate.entry WHERE kind = 'load'")[0]
    read, loaded, quarantined, deduplicated, skipped, since = row
    return read, loaded, quarantined, deduplicated, skipped, since


def _last(session: Session) -> list[tuple[Any, ...]]:
    return session.execute(
        """SELECT s.table_name, s.version, coalesce(e.rows_after, 0), coalesce(e.committed_at, '')
           FROM _headgate.table_state AS s
           LEFT JOIN _headgate.entry AS e ON e.table_name = s.table_name AND e.id = s.version ORDER BY 1"""
    )


def _loads(session: Session) -> dict[str, list[Load]]:
    rows = session.execute(
        f"""SELECT table_name, first_at, CASE WHEN records = 0 AND kind = 'build' THEN made ELSE loaded END, records,
                   refused, kind
            FROM (SELECT table_name, max(kind) AS kind, min(committed_at) AS first_at,
                         CAST(sum(rows_loaded) AS BIGINT) AS loaded, CAST(sum(rows_read) AS BIGINT) AS records,
                         CAST(sum(rows_quarantined) AS BIGINT) AS refused, max(rows_after) AS made,
                         row_number() OVER (PARTITION BY table_name ORDER BY max(id) DESC) AS age
                  FROM _headgate.entry WHERE kind IN ('load', 'build') GROUP BY table_name, attempt) AS attempts
            WHERE age <= {LOADS} ORDER BY table_name, age DESC"""
    )
    found: dict[str, list[Load]] = {}
    for name, *facts in rows:
        found.setdefault(name, []).append(Load(*facts))
    return found


def _judged(session: Session, since: str) -> dict[str, Judged]:
    rows = session.execute(
        f"""SELECT table_name, rows_read - rows_skipped, details FROM _headgate.entry
            WHERE kind IN ('load', 'build') AND committed_at >= ? AND rows_read > 0
            ORDER BY committed_at DESC LIMIT {ENTRIES}""",
        [since],
    )
    records: dict[str, int] = {}
    broken: dict[str, dict[str, int]] = {}
    for name, number, text in rows:
        records[name] = records.get(name, 0) + number
        facts = json.loads(text) if "reasons" in text or "warnings" in text else {}
        counts = broken.setdefault(name, {})
        for part in ("reasons", "warnings"):
            for rule, times in facts.get(part, {}).items():
                counts[rule] = counts.get(rule, 0) + times
    return {name: Judged(number, broken[name]) for name, number in records.items()}


def _open(session: Session) -> dict[str, int]:
    rows = session.execute("SELECT table_name, count(*) FROM _headgate.quarantine WHERE status = 'open' GROUP BY 1")
    return {row[0]: row[1] for row in rows}


def _shapes(session: Session) -> dict[str, tuple[tuple[str, str], ...]]:
    """The columns that the books last said each loaded table has."""
    rows = session.execute(
        """SELECT table_name, details FROM _headgate.entry WHERE details LIKE '%"columns":[[%'
           ORDER BY table_name, id"""
    )
    found = {}
    for name, text in rows:
        told = json.loads(text).get("columns")
        if isinstance(told, list):
            found[name] = tuple((str(column), str(kind)) for column, kind in told if not column.startswith("_hg_"))
    return found


def figures_of(history: History) -> dict[str, list[tuple[FigureRow, ...]]]:
    """The measurements of each table, the oldest first; of those before the last one only what may have risen since."""
    found: dict[str, dict[int, list[FigureRow]]] = {}
    for name, entry in history.measured(LOADS):
        found.setdefault(name, {})[entry] = []
    for row in history.figures(LOADS, above=POINTS / 2):
        found[row.table_name][row.entry].append(row)
    return {name: [tuple(rows) for rows in entries.values()] for name, entries in found.items()}


def _measured(measured: Sequence[tuple[FigureRow, ...]], version: int) -> tuple[tuple[str, str], ...] | None:
    """The columns at the last measurement, where nothing was built since."""
    if not measured or measured[-1][0].entry != version:
        return None
    return tuple((row.column_name, row.type) for row in measured[-1])
