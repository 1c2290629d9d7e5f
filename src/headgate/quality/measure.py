"""The measures of every column, in one pass of the engine over the rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from headgate.core.protocols import Session
from headgate.core.records import dataclass
from headgate.quality.fit import Fitted, spelled
from headgate.quality.model import ColumnProfile, Share
from headgate.quality.rows import PART
from headgate.types.codec import encode

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
NUMBERS = ("int", "bigint", "decimal", "double")
MOMENTS = ("date", "timestamp", "timestamptz")
OPAQUE = ("json", "binary")
FEW = 10_000
"""Columns with no more different values have their most frequent ones counted exactly."""
EXACT = 100_000
TOP = 60
AT_ONCE = 100
"""Columns that one pass measures: the engine is slow to plan thousands of sums."""
SHOWN = 200
"""Characters of a text that is kept as an example."""


@dataclass(frozen=True)
class Viewed:
    """A column of `select`: every value under a short name, as its type. `name`: of the source."""

    fitted: Fitted
    alias: str

    @property
    def kind(self) -> str:
        return self.fitted.type.name

    @property
    def text(self) -> str:
        """SQL of the canonical text."""
        if self.kind == "json":
            return f"CAST({self.alias} AS VARCHAR)"
        return encode(self.alias, self.fitted.type.duckdb)


@dataclass(frozen=True)
class View:
    """The rows with every column read as its type: `v0`, `v1`, ... and the number of the partition."""

    relation: str
    columns: tuple[Viewed, ...]

    @property
    def names(self) -> list[str]:
        return [one.fitted.column.name for one in self.columns]

    def at(self, name: str) -> Viewed:
        return next(one for one in self.columns if one.fitted.column.name == name)

    def select(self, columns: Iterable[Viewed]) -> str:
        """A SELECT of these columns and PART: the engine takes its time to read a list of thousands."""
        picked = [f"{one.fitted.value} AS {one.alias}" for one in columns]
        return f"SELECT {', '.join([*picked, f'src.{PART}'])} FROM {self.relation} AS src"


def view(relation: str, fitted: Sequence[Fitted]) -> View:
    """The relation's columns under their types."""
    return View(relation, tuple(Viewed(one, f"v{number}") for number, one in enumerate(fitted)))


Take = Callable[[ColumnProfile, Any], ColumnProfile]
Measure = tuple[str, Take]


def counts(session: Session, seen: View) -> tuple[int, list[ColumnProfile]]:
    """Rows, and of every column NULLs, smallest and greatest value."""
    return _run(session, seen, lambda one: _basic(one))


def measures(session: Session, seen: View) -> tuple[int, list[ColumnProfile]]:
    """What `counts` gives, and distinct values, mean, deviation, quantiles, lengths: one pass."""
    return _run(session, seen, lambda one: [*_basic(one), *_full(one)])


def _run(session: Session, seen: View, of: Callable[[Viewed], list[Measure]]) -> tuple[int, list[ColumnProfile]]:
    rows, profiles = 0, []
    for first in range(0, max(len(seen.columns), 1), AT_ONCE):
        columns = seen.columns[first : first + AT_ONCE]
        plan = [(number, *measure) for number, one in enumerate(columns) for measure in of(one)]
        parts = ["count(*)", *(sql for _, sql, _ in plan)]
        ((rows, *found),) = session.execute(f"SELECT {', '.join(parts)} FROM ({seen.select(columns)})")
        some = [_blank(one, rows) for one in columns]
        for (number, _, take), value in zip(plan, found, strict=True):
            some[number] = take(some[number], value)
        profiles += some
    return rows, profiles


def _blank(one: Viewed, rows: int) -> ColumnProfile:
    fitted = one.fitted
    kind = spelled(fitted.type)
    return ColumnProfile(fitted.column.name, fitted.column.physical, kind, rows, 0, 0.0, misfits=fitted.misfits)


def _basic(one: Viewed) -> list[Measure]:
    found: list[Measure] = [(f"count({one.alias})", _filled)]
    if one.kind in OPAQUE:
        return found
    return [*found, *((f"left({_of(one, f'{what}({one.alias})')}, {SHOWN})", _put(what)) for what in ("min", "max"))]


def _of(one: Viewed, value: str) -> str:
    return replace(one, alias=value).text if one.kind not in ("text",) else value


def _full(one: Viewed) -> list[Measure]:
    if one.kind in OPAQUE:
        return []
    found: list[Measure] = [(f"approx_count_distinct({one.alias})", _distinct)]
    if one.kind in NUMBERS:
        return found + _number(one)
    if one.kind in MOMENTS:
        quantiles = f"approx_quantile({_finite(one)}, {list(QUANTILES)})"
        return [*found, (f"CAST({quantiles} AS VARCHAR[])", _quantiles)]
    if one.kind == "text":
        return found + _text(one.alias)
    return found


def _finite(one: Viewed) -> str:
    return f"CASE WHEN isfinite({one.alias}) THEN {one.alias} END"


def _number(one: Viewed) -> list[Measure]:
    value = f"CAST({one.alias} AS DOUBLE)"
    if one.kind == "double":
        # Squares of greater ones have no place in a double; the engine would raise.
        value = f"CASE WHEN abs({one.alias}) < 1e150 THEN {one.alias} END"
    return [
        (f"avg({value})", _rounded("mean")),
        (f"stddev_samp({value})", _rounded("std")),
        (f"approx_quantile({value}, {list(QUANTILES)})", _quantiles),
    ]


def _text(alias: str) -> list[Measure]:
    return [
        (f"min(length({alias}))", _put("shortest")),
        (f"max(length({alias}))", _put("longest")),
        (f"avg(length({alias}))", _rounded("mean_length")),
        (f"count(*) FILTER (WHERE {alias} = '')", _put("empty")),
        (f"count(*) FILTER (WHERE {alias} <> '' AND trim({alias}) = '')", _put("blank")),
    ]


def _filled(seen: ColumnProfile, value: int) -> ColumnProfile:
    return replace(seen, filled=value, percent=share(value, seen.rows))


def share(part: int, whole: int) -> float:
    """Percent, cut rather than rounded to 100: 100.0 is all."""
    if not whole or part == whole:
        return 100.0 if whole else 0.0
    return min(math.floor(100_000 * part / whole) / 1000, 99.999)


def _distinct(seen: ColumnProfile, value: int) -> ColumnProfile:
    return replace(seen, distinct=min(value, seen.filled))


def _put(name: str) -> Take:
    return lambda seen, value: replace(seen, **{name: value})


def _rounded(name: str) -> Take:
    def take(seen: ColumnProfile, value: float | None) -> ColumnProfile:
        good = value is not None and math.isfinite(value)
        return replace(seen, **{name: float(f"{value:.6g}") if good else None})  # type: ignore[arg-type]

    return take


def _quantiles(seen: ColumnProfile, values: list[Any] | None) -> ColumnProfile:
    if values is None:
        return seen
    texts = [_plain(value) for value in values]
    return replace(seen, quantiles=dict(zip(map(str, QUANTILES), texts, strict=True)))


def _plain(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def with_top(session: Session, seen: View, profiles: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """The profiles with the most frequent values of the columns that have few, and then their exact number.

    Of no more than EXACT rows the number of different values is exact in every column.
    """
    found = [_top(session, seen, one, profile) for one, profile in zip(seen.columns, profiles, strict=True)]
    rough = [
        (number, one)
        for number, (one, profile) in enumerate(zip(seen.columns, found, strict=True))
        if profile.distinct is not None and not profile.distinct_exact and profile.rows <= EXACT
    ]
    for first in range(0, len(rough), AT_ONCE):
        some = rough[first : first + AT_ONCE]
        parts = ", ".join(f"count(DISTINCT {one.alias})" for _, one in some)
        ((*values,),) = session.execute(f"SELECT {parts} FROM ({seen.select(one for _, one in some)})")
        for (number, _), value in zip(some, values, strict=True):
            found[number] = replace(found[number], distinct=value, distinct_exact=True)
    return found


def _top(session: Session, seen: View, one: Viewed, profile: ColumnProfile) -> ColumnProfile:
    if profile.distinct is None or profile.distinct > FEW or one.kind in OPAQUE:
        return profile
    if profile.distinct > max(TOP, profile.filled // 2):
        return profile
    grouped = (
        f"SELECT {one.alias} AS v, count(*) AS n FROM ({seen.select([one])}) WHERE {one.alias} IS NOT NULL GROUP BY 1"
    )
    shown = f"left({_of(one, 'v')}, {SHOWN})"
    rows = session.execute(f"SELECT {shown}, n, count(*) OVER () FROM ({grouped}) ORDER BY n DESC, v LIMIT {TOP}")
    return replace(
        profile,
        distinct=rows[0][2] if rows else 0,
        distinct_exact=True,
        top=tuple(Share(value, number) for value, number, _ in rows),
    )
