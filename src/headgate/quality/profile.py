"""Profiles of tables: tier 0 counts, tier 1 measures in one pass, tier 2 takes a second look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from headgate.core import clock
from headgate.core.protocols import Session
from headgate.quality import details, fit, keys, links, measure, pii
from headgate.quality.links import Seen
from headgate.quality.measure import View, Viewed
from headgate.quality.model import ColumnProfile, TableProfile
from headgate.quality.rows import Rows

TIERS = (0, 1, 2)
LOOKED = 500
"""Values of a column that are looked at for personal data."""


def profile(session: Session, rows: Rows, tier: int, tolerate: float = 0.0) -> Seen:
    """The profile of the rows, without links to other tables: `linked` adds them.

    `tolerate`: the share of a column's values that need not fit its type.
    """
    started = clock.monotonic()
    zone = "UTC"
    fitted = fit.fit(session, rows.relation, rows.columns, zone, tolerate)
    seen = measure.view(rows.relation, fitted)
    number, columns = (measure.measures if tier else measure.counts)(session, seen)
    if tier:
        columns = measure.with_top(session, seen, columns)
    if tier > 1:
        columns = details.with_outliers(session, seen, details.with_shapes(session, seen, columns))
    columns = _marked(session, seen, columns, rows.name)
    total = number if rows.total is None else rows.total
    made = TableProfile(rows.name, number, total, rows.malformed, tier, tuple(columns))
    if tier > 1:
        made = replace(
            made,
            keys=tuple(keys.keys(session, seen, columns, rows.name)),
            pairs=tuple(details.pairs(session, seen, columns)),
        )
    return Seen(replace(made, seconds=round(clock.monotonic() - started, 3)), seen)


def linked(session: Session, tables: Sequence[Seen]) -> list[Seen]:
    """The tables with their references to each other's keys."""
    return [
        replace(one, profile=replace(one.profile, links=tuple(links.links(session, one, tables)))) for one in tables
    ]


def _marked(session: Session, seen: View, columns: Sequence[ColumnProfile], table: str) -> list[ColumnProfile]:
    """The columns with what they say of people."""
    samples = _samples(session, seen)
    return [
        replace(profile, pii=pii.kind_of(profile.name, table, samples.get(one.alias, ())))
        for one, profile in zip(seen.columns, columns, strict=True)
    ]


def _samples(session: Session, seen: View) -> dict[str, list[str]]:
    """Values of every column that may hold personal data: of the first rows, or the first ones where these are NULL."""
    able = [one for one in seen.columns if one.kind in ("text", "bigint")]
    found: dict[str, list[str]] = {}
    for first in range(0, len(able), measure.AT_ONCE):
        some = able[first : first + measure.AT_ONCE]
        texts = ", ".join(_short(one) for one in some)
        rows = session.execute(f"SELECT {texts} FROM ({seen.select(some)}) LIMIT {LOOKED}")
        for one, values in zip(some, zip(*rows, strict=True), strict=False):
            found[one.alias] = [value for value in values if value is not None] or _first(session, seen, one)
    return found


def _short(one: Viewed) -> str:
    return f"left({one.text}, 100)"


def _first(session: Session, seen: View, one: Viewed) -> list[str]:
    select = seen.select([one])
    rows = session.execute(f"SELECT {_short(one)} FROM ({select}) WHERE {one.alias} IS NOT NULL LIMIT {LOOKED}")
    return [row[0] for row in rows]


def masked(table: TableProfile) -> TableProfile:
    """The profile with shapes in place of personal values, for eyes and files."""
    private = {one.name for one in table.columns if one.pii}
    covered = tuple(
        replace(one, examples=tuple(replace(item, value=pii.shape(item.value)) for item in one.examples))
        if private & set(one.columns)
        else one
        for one in table.keys
    )
    return replace(table, columns=tuple(_masked(one) for one in table.columns), keys=covered)


def _masked(one: ColumnProfile) -> ColumnProfile:
    if not one.pii:
        return one
    return replace(
        one,
        min=pii.shape(one.min) if one.min is not None else None,
        max=pii.shape(one.max) if one.max is not None else None,
        quantiles={},
        mean=None,
        std=None,
        top=tuple(replace(item, value=pii.shape(item.value)) for item in one.top),
        misfits=tuple(replace(item, example=pii.shape(item.example)) for item in one.misfits),
    )
