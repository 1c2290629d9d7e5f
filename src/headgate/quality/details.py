"""What a second look finds: shapes of texts, outliers, columns that go together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from headgate.core.protocols import Session
from headgate.quality.measure import NUMBERS, View, Viewed
from headgate.quality.model import ColumnProfile, PairProfile, Share

SAMPLE = 10_000
LONGEST = 60
SHAPES = 5
STRONG = 0.7
FAR = 3.5
"""Robust standard deviations (0.6745 * distance to the median / median distance) from which a value is an outlier."""
MOST_NUMBERS = 20


def with_shapes(session: Session, seen: View, profiles: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """The profiles with the most frequent shapes of texts, of a sample of the rows."""
    able = [
        (one, profile)
        for one, profile in zip(seen.columns, profiles, strict=True)
        if one.kind == "text" and profile.filled and (profile.longest or 0) <= LONGEST
    ]
    found = {one.alias: _shapes(session, seen, one, profile) for one, profile in able}
    return [found.get(one.alias, profile) for one, profile in zip(seen.columns, profiles, strict=True)]


def _shapes(session: Session, seen: View, one: Viewed, profile: ColumnProfile) -> ColumnProfile:
    shape = one.alias
    for pattern, sign in (("[0-9]", "9"), ("[a-z]", "a"), ("[A-Z]", "A")):
        shape = f"regexp_replace({shape}, '{pattern}', '{sign}', 'g')"
    picked = f"SELECT {one.alias} FROM ({seen.select([one])}) WHERE {one.alias} IS NOT NULL"
    sample = f"SELECT * FROM ({picked}) USING SAMPLE reservoir({SAMPLE} ROWS) REPEATABLE (1)"
    rows = session.execute(
        f"SELECT {shape}, count(*) AS n, sum(count(*)) OVER ()::BIGINT FROM ({sample}) GROUP BY 1"
        f" ORDER BY n DESC, 1 LIMIT {SHAPES}"
    )
    shapes = tuple(Share(value, number) for value, number, _ in rows)
    return replace(profile, shapes=shapes, shaped=rows[0][2] if rows else 0)


def _numbers(seen: View, profiles: Sequence[ColumnProfile]) -> list[tuple[Viewed, ColumnProfile, str]]:
    """Number columns that vary, each with SQL of its values as doubles, without those whose squares have no place."""
    pairs = zip(seen.columns, profiles, strict=True)
    able = [(one, profile) for one, profile in pairs if one.kind in NUMBERS and (profile.std or 0) > 0]
    return [
        (one, profile, f"CASE WHEN abs({one.alias}) < 1e70 THEN CAST({one.alias} AS DOUBLE) END")
        for one, profile in able[:MOST_NUMBERS]
    ]


def with_outliers(session: Session, seen: View, profiles: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """The profiles with the number of values far from the median; where most values are equal there is no measure."""
    numbers = _numbers(seen, profiles)
    tested = [
        (one, profile.name, f"abs({value} - {float(profile.quantiles['0.5'])!r})")
        for one, profile, value in numbers
        if profile.quantiles
    ]
    if not tested:
        return list(profiles)
    parts = ", ".join(f"approx_quantile({distance}, 0.5)" for _, _, distance in tested)
    select = seen.select(one for one, _, _ in tested)
    ((*spreads,),) = session.execute(f"SELECT {parts} FROM ({select})")
    limits = [FAR * spread / 0.6745 if spread else None for spread in spreads]
    counts = [
        f"count(*) FILTER (WHERE {distance} > {limit!r})" if limit else "NULL"
        for (_, _, distance), limit in zip(tested, limits, strict=True)
    ]
    ((_, *found),) = session.execute(f"SELECT {', '.join(['count(*)', *counts])} FROM ({select})")
    outliers = dict(zip((name for _, name, _ in tested), found, strict=True))
    return [replace(one, outliers=outliers.get(one.name)) for one in profiles]


def pairs(session: Session, seen: View, profiles: Sequence[ColumnProfile]) -> list[PairProfile]:
    """Columns that are equal row by row, and pairs of numbers that are strongly correlated."""
    same = [pair for pair in _alike(seen, profiles) if _equal(session, seen, pair)]
    equal = [PairProfile(first.fitted.column.name, second.fitted.column.name, "same", 1.0) for first, second in same]
    known = {(one.first, one.second) for one in equal}
    return equal + [one for one in _correlated(session, seen, profiles) if (one.first, one.second) not in known]


def _alike(seen: View, profiles: Sequence[ColumnProfile]) -> Iterator[tuple[Viewed, Viewed]]:
    both = list(zip(seen.columns, profiles, strict=True))
    for (first, one), (second, other) in combinations(both, 2):
        marks = [(item.type, item.filled, item.min, item.max, item.distinct) for item in (one, other)]
        if marks[0] == marks[1] and (one.distinct or 0) > 1:
            yield first, second


def _equal(session: Session, seen: View, pair: tuple[Viewed, Viewed]) -> bool:
    first, second = (one.alias for one in pair)
    differ = f"SELECT 1 FROM ({seen.select(pair)}) WHERE {first} IS DISTINCT FROM {second} LIMIT 1"
    return not session.execute(differ)


def _correlated(session: Session, seen: View, profiles: Sequence[ColumnProfile]) -> list[PairProfile]:
    numbers = _numbers(seen, profiles)
    tested = list(combinations(numbers, 2))
    if not tested:
        return []
    parts = ", ".join(f"corr({first[2]}, {second[2]})" for first, second in tested)
    ((*found,),) = session.execute(f"SELECT {parts} FROM ({seen.select(one for one, _, _ in numbers)})")
    strong = [
        PairProfile(first[1].name, second[1].name, "correlated", round(value, 3))
        for (first, second), value in zip(tested, found, strict=True)
        if value is not None and STRONG <= abs(value) <= 1.0001
    ]
    return sorted(strong, key=lambda one: -abs(one.strength))
