"""Whether tables are as they should be: seven questions, each answered from the books and the history of runs.

What a table's past says is taken by medians: a single odd load moves no bound. A question that the past can't answer
yet is `unknown`, which is no failure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any, Literal

from headgate.contracts.model import Limit
from headgate.core.records import dataclass
from headgate.observe.facts import POINTS, Load, TableFacts
from headgate.state.runs import RUNNING, FigureRow, RunRow

Status = Literal["ok", "bad", "unknown"]
NAMES = ("last-run", "books", "freshness", "volume", "nulls", "schema", "quarantine")

LEAST = 5
"""So many loads before the last one are needed to judge it."""
WEEKDAYS = 4
"""So many loads of the same weekday are enough to judge by these alone."""
LEAST_STALE_SECS = 3600.0
_MAD = 1.4826
"""What makes the median distance from the median comparable with a standard deviation."""
_FAR, _DOUBLE = 4.0, math.log(2)


@dataclass(frozen=True)
class Remark:
    """One table's answer to a question, where it is not good or can't be told."""

    table: str
    status: Status
    what: str
    fix: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """One question. `judged`: tables that it could be answered for."""

    name: str
    status: Status
    judged: int
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class Bounds:
    """What is declared: after how many seconds each table is stale, how many records may wait of those it read."""

    stale_secs: Mapping[str, int] = field(default_factory=dict)
    waiting: Limit = field(default_factory=lambda: Limit(share=0.05))


def checks(
    tables: Mapping[str, TableFacts], runs: Sequence[RunRow], books: Check, bounds: Bounds, now: datetime
) -> tuple[Check, ...]:
    """The answers, in the order of `NAMES`. `runs`: the latest first. `books`: what was found there."""
    by_table: dict[str, Callable[[TableFacts], Remark | None]] = {
        "freshness": lambda table: freshness(table, bounds.stale_secs.get(table.name), now),
        "volume": volume,
        "nulls": nulls,
        "schema": schema,
        "quarantine": lambda table: quarantine(table, bounds.waiting),
    }
    asked = {name: _asked(name, map(ask, tables.values())) for name, ask in by_table.items()}
    asked |= {"last-run": last_run(runs), "books": books}
    return tuple(asked[name] for name in NAMES)


def _asked(name: str, remarks: Iterable[Remark | None]) -> Check:
    every = list(remarks)
    told = tuple(one for one in every if one is not None)
    judged = sum(one is None or one.status != "unknown" for one in every)
    bad = any(one.status == "bad" for one in told)
    return Check(name, "bad" if bad else "ok" if judged else "unknown", judged, told)


def last_run(runs: Sequence[RunRow]) -> Check:
    """The latest run that is not going on succeeded."""
    last = next((run for run in runs if run.status != RUNNING), None)
    if last is None:
        return Check("last-run", "unknown", 0, (Remark("", "unknown", "nothing ran yet", "headgate run"),))
    if last.status == "ok":
        return Check("last-run", "ok", 1)
    why = f" ({last.failure})" if last.failure else ""
    what = f"the run of {last.begun_at[:16]} ended as {last.status}{why}"
    return Check("last-run", "bad", 1, (Remark("", "bad", what, f"see: headgate runs {last.id}", {"run": last.id}),))


# -- freshness


def freshness(table: TableFacts, declared: int | None, now: datetime) -> Remark | None:
    """The table's last load is not older than declared, or than its past says it should be."""
    limit = stale_after(table, declared)
    if limit is None:
        return Remark(table.name, "unknown", f"{_many(len(table.loads), 'load')} so far: too few to learn from")
    age = age_secs(table, now)
    if age <= limit:
        return None
    source = "declared" if declared is not None else "learned"
    what = f"last loaded {span(age)} ago, {span(limit)} are {source}"
    facts = {"age_secs": round(age), "limit_secs": round(limit), "limit": source}
    return Remark(table.name, "bad", what, "see why nothing came: headgate plan, headgate runs", facts)


def age_secs(table: TableFacts, now: datetime) -> float:
    """How long ago the table's last load began to be committed."""
    at = table.loads[-1].at if table.loads else table.changed_at
    return max(0.0, (now - datetime.fromisoformat(at)).total_seconds())


def stale_after(table: TableFacts, declared: int | None) -> float | None:
    """Declared seconds; else 1.5 times the gap that 19 of 20 gaps between loads keep, and an hour at least.

    None where nothing is declared and the past is too short, or the table is built by a model, which has no pace of
    its own: it follows what it reads.
    """
    if declared is not None:
        return float(declared)
    if not table.loads or table.loads[-1].kind != "load":
        return None
    times = [datetime.fromisoformat(load.at) for load in table.loads]
    gaps = sorted((later - earlier).total_seconds() for earlier, later in pairwise(times))
    if len(gaps) < LEAST:
        return None
    return max(LEAST_STALE_SECS, 1.5 * gaps[math.ceil(0.95 * len(gaps)) - 1])


# -- volume


def volume(table: TableFacts) -> Remark | None:
    """The last load had about as many rows as those before it: of the same weekday, if there are enough of them."""
    if not table.loads:
        return Remark(table.name, "unknown", "no load yet")
    *before, last = table.loads
    same = [load for load in before if _weekday(load) == _weekday(last)]
    past = same if len(same) >= WEEKDAYS else before
    if len(before) < LEAST:
        return Remark(table.name, "unknown", f"{_many(len(table.loads), 'load')} so far: too few to learn from")
    least, most = usual([load.rows for load in past])
    if least <= last.rows <= most:
        return None
    days = f"of {len(past)} loads on the same weekday" if past is same else f"of the {len(past)} loads before"
    what = f"the last load had {last.rows:,} rows; {least:,} to {most:,} are usual, {days}"
    facts = {"rows": last.rows, "least": least, "most": most}
    return Remark(table.name, "bad", what, f"see what was delivered: headgate ledger {table.name}", facts)


def usual(past: Sequence[int]) -> tuple[int, int]:
    """From how many to how many rows are no surprise: within a factor of two of the median, or of four robust standard
    deviations, by the logarithm of the number of rows."""
    logs = [math.log1p(rows) for rows in past]
    middle = median(logs)
    width = max(_DOUBLE, _FAR * _MAD * median(abs(one - middle) for one in logs))
    least, most = (round(math.expm1(middle + side * width), 6) for side in (-1, 1))
    return max(0, math.ceil(least)), math.floor(most)


def _weekday(load: Load) -> int:
    return datetime.fromisoformat(load.at).weekday()


# -- missing values


def nulls(table: TableFacts) -> Remark | None:
    """No column of the last load misses values more often than before."""
    if len(table.figures) <= LEAST:
        return Remark(
            table.name, "unknown", f"measured {_many(len(table.figures), 'time')} so far: too few to learn from"
        )
    *before, last = table.figures
    risen = [found for figure in last if (found := _risen(figure, before)) is not None]
    if not risen:
        return None
    what = "; ".join(f"{name}: {now:.1%} missing, {usually:.1%} is usual" for name, now, usually in risen[:3])
    what += f"; and {len(risen) - 3} more columns" if len(risen) > 3 else ""
    facts = {name: {"share": round(now, 4), "usual": round(usually, 4)} for name, now, usually in risen}
    return Remark(table.name, "bad", what, f"see what was delivered: headgate profile {table.name}", facts)


def _risen(figure: FigureRow, before: Sequence[Sequence[FigureRow]]) -> tuple[str, float, float] | None:
    """Column, share now and usual share, where it is five points and four robust deviations above what is usual."""
    past = [row.nulls / row.rows for rows in before for row in rows if row.column_name == figure.column_name]
    if len(past) < LEAST:
        return None
    share, usually = figure.nulls / figure.rows, median(past)
    spread = _MAD * median(abs(one - usually) for one in past)
    chance = math.sqrt(max(usually * (1 - usually), 1 / figure.rows) / figure.rows)
    far = max(POINTS, _FAR * spread, _FAR * chance)
    return (figure.column_name, share, usually) if share > usually + far else None


# -- schema, quarantine


def schema(table: TableFacts) -> Remark | None:
    """The table has the columns that it was left with."""
    fix = f"undo the change, or run it again: headgate run --full-refresh {table.name}"
    if table.columns is None:
        return Remark(
            table.name, "bad", "the table is gone", f"make it again: headgate run --full-refresh {table.name}"
        )
    if table.known is None:
        return Remark(table.name, "unknown", "its columns were not kept: they are after its next build or load")
    now, then = dict(table.columns), dict(table.known)
    lost, new = [name for name in then if name not in now], [name for name in now if name not in then]
    kinds = _retyped(table, now)
    told = [f"{name} is gone" for name in lost] + [f"{name} is new" for name in new] + kinds
    if not told:
        return None
    return Remark(
        table.name, "bad", "; ".join(told[:5]) + (" ..." if len(told) > 5 else ""), fix, {"changes": len(told)}
    )


def _retyped(table: TableFacts, now: Mapping[str, str]) -> list[str]:
    """Columns of another type than at the last measurement, as long as nothing was loaded or built since."""
    if not table.figures or table.figures[-1][0].entry != table.version:
        return []
    then = {row.column_name: row.type for row in table.figures[-1]}
    return [f"{name} was {then[name]}, is {kind}" for name, kind in now.items() if then.get(name, kind) != kind]


def quarantine(table: TableFacts, limit: Limit) -> Remark | None:
    """No more refused records wait for somebody than may."""
    if not table.open or not limit.exceeded(table.open, max(table.judged.records, table.open)):
        return None
    share = table.open / max(table.judged.records, table.open)
    what = f"{_many(table.open, 'refused record')} of {table.judged.records:,} read wait for somebody ({share:.1%})"
    fix = f"headgate quarantine sample --table {table.name}"
    return Remark(table.name, "bad", what, fix, {"open": table.open, "read": table.judged.records})


# -- words


def span(secs: float) -> str:
    """`45 minutes`, `27 hours`, `3 days`: the largest unit of which there are at least two."""
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if secs >= 2 * size:
            return _many(round(secs / size) if unit == "day" else int(secs // size), unit)
    return _many(int(secs), "second")


def _many(number: int, one: str) -> str:
    return f"{number:,} {one}" + ("" if number == 1 else "s")
