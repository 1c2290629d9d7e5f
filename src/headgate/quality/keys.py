"""Which columns identify a row: guessed by names and measures, counted exactly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from headgate.core.protocols import Session
from headgate.quality.measure import OPAQUE, SHOWN, View
from headgate.quality.model import ColumnProfile, KeyProfile, Share

_NAMED = re.compile(r"(id|key|code|number|no|nr|num|uuid|guid|sku|iban|isbn|ean|ref|symbol)$")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
ALMOST = 0.9
"""A column with fewer different values than this share of the rows is no candidate."""
SINGLES, PARTS, TRIED = 8, 10, 40
GLANCE = 10_000
"""Rows that may rule a candidate out before all are read."""


def words(name: str) -> list[str]:
    """The words of a name: `customerId`, `customer_id` and `Customer ID` have the same."""
    return [word.lower() for word in _WORDS.findall(name)]


def singular(word: str) -> str:
    """`orders` -> order, `countries` -> country, `addresses` -> address; others as they are."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if re.search(r"(ss|sh|ch|x|z)es$", word):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def identifies(name: str) -> bool:
    """Whether the name says that the column identifies something."""
    parts = words(name)
    return bool(parts) and bool(_NAMED.fullmatch(parts[-1]))


def rank(name: str, table: str, position: int) -> int:
    """How much the name looks like the table's own key; the smaller the more, from 4 on not at all."""
    parts, own = words(name), [singular(word) for word in words(table.rpartition(".")[2])]
    if parts in (["id"], [*own, "id"], [*own[-1:], "id"]):
        return 0
    if parts and identifies(name) and [singular(word) for word in parts[:-1]] in (own, own[-1:], []):
        return 1
    if identifies(name):
        return 2 if position == 0 else 3
    return 4 if position == 0 else 5


def keys(session: Session, seen: View, columns: Sequence[ColumnProfile], table: str) -> list[KeyProfile]:
    """Candidates, the likeliest first, each counted over all rows; of several columns only where no one suffices.

    A column that by its name should be the key is among them even if it is not unique.
    """
    if not columns or columns[0].rows == 0:
        return []
    found = [count(session, seen, columns, (one.name,)) for one in _singles(columns, table)]
    if not any(one.unique for one in found):
        found += _composite(session, seen, columns)
    return sorted(found, key=lambda one: not one.unique)


def count(session: Session, seen: View, columns: Sequence[ColumnProfile], names: tuple[str, ...]) -> KeyProfile:
    """How many rows share their values in these columns with another row. Rows with a NULL among them don't count."""
    parts = [seen.at(name) for name in names]
    aliases = [part.alias for part in parts]
    here = " AND ".join(f"{alias} IS NOT NULL" for alias in aliases)
    listed = ", ".join(aliases)
    grouped = (
        f"SELECT {listed}, count(*) AS n FROM ({seen.select(parts)}) WHERE {here} GROUP BY {listed} HAVING count(*) > 1"
    )
    ((values, rows),) = session.execute(f"SELECT count(*), coalesce(sum(n), 0)::BIGINT FROM ({grouped})")
    full = all(one.filled == one.rows for one in columns if one.name in names)
    examples: tuple[Share, ...] = ()
    if values:
        shown = " || ', ' || ".join(f"left({seen.at(name).text}, {SHOWN})" for name in names)
        top = session.execute(f"SELECT {shown}, n FROM ({grouped}) ORDER BY n DESC, {listed} LIMIT 5")
        examples = tuple(Share(value, number) for value, number in top)
    return KeyProfile(names, not values and full, values, rows, examples)


def _singles(columns: Sequence[ColumnProfile], table: str) -> list[ColumnProfile]:
    ranked = [(rank(one.name, table, at), at, one) for at, one in enumerate(columns) if _can(one)]
    likely = [
        entry
        for entry in ranked
        if entry[0] <= 1 or (entry[2].filled == entry[2].rows and (entry[2].distinct or 0) >= ALMOST * entry[2].rows)
    ]
    return [one for _, _, one in sorted(likely, key=lambda entry: entry[:2])][:SINGLES]


def _can(one: ColumnProfile) -> bool:
    kind = one.type.partition("(")[0]
    return kind not in (*OPAQUE, "double", "bool") and one.filled > 0 and (one.longest or 0) <= 200


def _composite(session: Session, seen: View, columns: Sequence[ColumnProfile]) -> Iterator[KeyProfile]:
    """The smallest unique sets of two or three columns, as far as PARTS columns and TRIED sets lead."""
    able = [one for one in columns if _can(one) and one.filled == one.rows and (one.distinct or 0) > 1]
    parts = [one for one in able if not one.type.startswith("decimal")]
    parts = sorted(parts, key=lambda one: (not identifies(one.name), columns.index(one)))[:PARTS]
    tried = 0
    for size in (2, 3):
        good = []
        for chosen in combinations(parts, size):
            product = 1
            for one in chosen:
                product *= one.distinct or 1
            names = tuple(one.name for one in sorted(chosen, key=columns.index))
            if product < columns[0].rows or tried >= TRIED or not _may(session, seen, names):
                continue
            tried += 1
            made = count(session, seen, columns, names)
            good += [made] if made.unique else []
        if good:
            yield from good[:3]
            return


def _may(session: Session, seen: View, names: tuple[str, ...]) -> bool:
    """Whether the first rows don't rule the set out."""
    parts = [seen.at(name) for name in names]
    listed = ", ".join(part.alias for part in parts)
    glance = f"SELECT * FROM ({seen.select(parts)}) LIMIT {GLANCE}"
    ((there, different),) = session.execute(f"SELECT count(*), count(DISTINCT ({listed})) FROM ({glance})")
    return bool(there == different)
