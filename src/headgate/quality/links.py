"""Which columns refer to the key of another table: every value is there, tested over all rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from headgate.core.protocols import Session
from headgate.core.records import dataclass
from headgate.quality.keys import identifies, rank, singular, words
from headgate.quality.measure import NUMBERS, View
from headgate.quality.model import ColumnProfile, LinkProfile, TableProfile

LEAST_DISTINCT = 100
LEAST_COVERAGE = 0.5
"""Where names say nothing, a column must have more different values than that, and use so much of the key:
a quantity from 1 to 20 stands in every key of dense numbers."""
GLANCE = 1000
ALMOST = 0.9


@dataclass(frozen=True)
class Seen:
    """A table's profile with the view that it was made from."""

    profile: TableProfile
    view: View


def links(session: Session, child: Seen, others: Sequence[Seen]) -> list[LinkProfile]:
    """References of the table's columns to single-column keys of the others, those that names speak for first.

    A column that is by its name the key counts, too, where it repeats: an upsert keeps one row of each.
    """
    found = [
        link
        for parent in others
        if parent is not child
        for column, key in _pairs(child.profile, parent.profile)
        if (link := _verified(session, child, column, parent, key)) is not None
    ]
    return sorted(found, key=lambda link: (not named(link.column, link.to_table, link.to_column), -link.coverage))


def named(column: str, table: str, key: str) -> bool:
    """Whether names speak for the reference: `customer_id` to `customers.id`, `iata_code` to `airports.iata_code`."""
    parts, own = words(column), [singular(word) for word in words(table.rpartition(".")[2])]
    to = words(key)
    if parts == to and len(parts) > 1 and identifies(column):
        return True
    stem = [singular(word) for word in parts[:-1]] if identifies(column) and len(parts) > 1 else parts
    return stem in (own, own[-1:]) or (parts[-len(to) :] == to and len(to) > 1 and identifies(column))


def _pairs(child: TableProfile, parent: TableProfile) -> Iterator[tuple[ColumnProfile, ColumnProfile]]:
    single = [one for one in parent.keys if len(one.columns) == 1]
    keys = [parent.column(one.columns[0]) for one in single if one.unique or rank(one.columns[0], parent.name, 0) == 0]
    for column in child.columns:
        for key in keys:
            if column.filled == 0 or _family(column.type) != _family(key.type):
                continue
            distinct = column.distinct or 0
            known = named(column.name, parent.name, key.name)
            large = distinct > LEAST_DISTINCT and distinct >= 0.9 * LEAST_COVERAGE * (key.distinct or 0)
            if known or (large and _family(column.type) in ("number", "text", "uuid")):
                yield column, key


def _family(kind: str) -> str:
    name = kind.partition("(")[0]
    return "number" if name in NUMBERS and name != "double" else name


def _verified(
    session: Session, child: Seen, column: ColumnProfile, parent: Seen, key: ColumnProfile
) -> LinkProfile | None:
    own, other = child.view.at(column.name), parent.view.at(key.name)
    value, to = own.alias, other.alias
    here = f"SELECT DISTINCT {value} AS v FROM ({child.view.select([own])}) WHERE {value} IS NOT NULL"
    there = f"SELECT DISTINCT {to} AS k FROM ({parent.view.select([other])})"
    missing = "count(*) FILTER (WHERE k IS NULL)"
    joined = "SELECT {0}, count(*) FROM ({1}) AS c LEFT JOIN ({2}) AS p ON p.k = c.v"
    glance = f"{here} LIMIT {GLANCE}"
    ((lost, tried),) = session.execute(joined.format(missing, glance, there))
    if lost > (1 - ALMOST) * tried:
        return None
    ((lost, distinct),) = session.execute(joined.format(missing, here, there))
    coverage = min(1.0, distinct / key.distinct) if key.distinct else 0.0
    if lost or (not named(column.name, parent.profile.name, key.name) and coverage < LEAST_COVERAGE):
        return None
    return LinkProfile(column.name, parent.profile.name, key.name, round(coverage, 4))
