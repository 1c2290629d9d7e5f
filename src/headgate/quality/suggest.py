"""Rules that a profile suggests: true in the data, which does not make them rules. Each with its evidence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation

from headgate.core.protocols import Session
from headgate.core.records import dataclass
from headgate.quality.keys import identifies
from headgate.quality.links import Seen
from headgate.quality.measure import AT_ONCE, NUMBERS
from headgate.quality.model import ColumnProfile, Share
from headgate.sql.quote import ident, literal

SET = 50
"""A column with at most so many different values may be a set."""
LEAST, PER_VALUE = 50, 10
"""Values that a suggestion needs at least, and per value of a set."""
ALMOST = 0.995
"""The share of a sample's texts that one shape must cover."""
EMAIL = "^[^@ ]+@[^@ ]+[.][^@ ]+$"
_SPECIAL = set("\\.^$|?*+()[]{}")


@dataclass(frozen=True)
class Suggestion:
    """`check` is SQL over the contract's column names; it holds in every row that has a value. `column`: of the source.

    `name`: a name for the rule. `evidence` never holds a value of a personal column. `weak`: too little was seen.
    """

    column: str
    name: str
    check: str
    evidence: str
    weak: bool = False


@dataclass(frozen=True)
class _Name:
    """A contract column's name; `words` are the engine's own."""

    text: str
    words: frozenset[str]

    @property
    def sql(self) -> str:
        plain = re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", self.text) and self.text.lower() not in self.words
        return self.text if plain else ident(self.text)


def suggestions(session: Session, table: Seen, names: Mapping[str, str], settled: Sequence[str]) -> list[Suggestion]:
    """What holds in all rows of the table, by column. `names`: the contract's name of each column of the source.

    `settled`: columns that keys and references say enough about.
    """
    found = session.execute("SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'")
    words = frozenset(row[0] for row in found)
    drafts = [
        draft
        for one in table.profile.columns
        if one.name in names and one.filled
        for draft in _drafts(one, _Name(names[one.name], words), one.name in settled)
    ]
    return _true(session, table, names, drafts)


def _drafts(one: ColumnProfile, name: _Name, settled: bool) -> Iterator[Suggestion]:
    kind = one.type.partition("(")[0]
    if kind in NUMBERS and not settled and not identifies(one.name) and not one.pii:
        yield from _range(one, name)
    if kind == "text" and not settled and not one.misfits:
        found = list(_set(one, name)) or list(_pattern(one, name)) or list(_length(one, name))
        yield from found


def _enough(one: ColumnProfile) -> bool:
    return one.filled >= LEAST


def _set(one: ColumnProfile, name: _Name) -> Iterator[Suggestion]:
    values = [item.value for item in one.top]
    complete = one.distinct_exact and 1 <= len(values) <= SET and sum(item.rows for item in one.top) == one.filled
    if one.pii or not complete or (one.longest or 0) > 60 or any(not _tellable(value) for value in values):
        return
    repeated = one.filled >= 2 * len(values)
    if not repeated:
        return
    listed = ", ".join(literal(value) for value in sorted(values))
    check = f"{name.sql} in ({listed})"
    many = f"{len(values)} value{'s' if len(values) > 1 else ''} cover{'' if len(values) > 1 else 's'}"
    weak = not _enough(one) or one.filled < PER_VALUE * len(values) or len(values) == 1
    yield Suggestion(one.name, f"{name.text}_values", check, f"{many} 100% of {one.filled:,}", weak)


def _tellable(value: str) -> bool:
    return value.isprintable()


def _range(one: ColumnProfile, name: _Name) -> Iterator[Suggestion]:
    try:
        low, high = Decimal(one.min or ""), Decimal(one.max or "")
    except InvalidOperation:
        return
    if not (low.is_finite() and high.is_finite()) or low == high or max(abs(low), abs(high)) >= Decimal(10) ** 17:
        return
    room = (high - low) / 10
    step = Decimal(10) ** ((high - low).adjusted() - 1)
    if one.type in ("int", "bigint"):
        step = max(step, Decimal(1))
    below = _rounded(low - room, step, ROUND_FLOOR)
    below = max(below, Decimal(0)) if low >= 0 else below
    above = _rounded(high + room, step, ROUND_CEILING)
    above = min(above, Decimal(0)) if high <= 0 else above
    check = f"{name.sql} between {below:f} and {above:f}"
    yield Suggestion(one.name, f"{name.text}_range", check, f"seen from {low:f} to {high:f}", not _enough(one))


def _rounded(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    return (value / step).to_integral_value(rounding=rounding) * step


def _length(one: ColumnProfile, name: _Name) -> Iterator[Suggestion]:
    if not one.longest or (one.pii and one.shortest != one.longest):
        return
    same = one.shortest == one.longest
    check = f"length({name.sql}) {f'= {one.longest}' if same else f'<= {_roomy(one.longest)}'}"
    seen = f"{one.longest} characters" if same else f"{one.shortest} to {one.longest} characters"
    yield Suggestion(one.name, f"{name.text}_length", check, seen, not same or not _enough(one) or one.longest == 1)


def _roomy(longest: int) -> int:
    return next(size for size in (10, 20, 50, 100, 200, 500, 1000, 10_000, 10**6, 10**9) if size >= longest * 1.2)


def _pattern(one: ColumnProfile, name: _Name) -> Iterator[Suggestion]:
    if one.pii == "email":
        yield _matching(one, name, EMAIL, "e-mail addresses")
        return
    for collapse in (_kept, _collapsed):
        shapes = _counted(one.shapes, collapse)
        if shapes and shapes[0].rows >= ALMOST * one.shaped and _telling(shapes[0].value):
            yield _matching(one, name, _regex(shapes[0].value), f"shaped like {shapes[0].value}")
            return


def _matching(one: ColumnProfile, name: _Name, pattern: str, seen: str) -> Suggestion:
    check = f"regexp_matches({name.sql}, {literal(pattern)})"
    return Suggestion(one.name, f"{name.text}_pattern", check, seen, not _enough(one))


def _counted(shapes: Sequence[Share], collapse: Callable[[str], str]) -> list[Share]:
    found: dict[str, int] = {}
    for one in shapes:
        found[collapse(one.value)] = found.get(collapse(one.value), 0) + one.rows
    return sorted((Share(*item) for item in found.items()), key=lambda one: -one.rows)


def _kept(shape: str) -> str:
    return shape


def _collapsed(shape: str) -> str:
    """`AAA-999` -> `A+-9+`."""
    return re.sub(r"([Aa9])\1*", r"\1+", shape)


def _telling(shape: str) -> bool:
    """Whether the shape says more than `a word`."""
    return shape.isprintable() and re.search("9", shape) is not None and re.search("[^9+]", shape) is not None


def _regex(shape: str) -> str:
    parts = []
    for found in re.finditer(r"([Aa9])(\+|\1*)|(.)", shape):
        sign, more, other = found[1], found[2], found[3]
        if other is not None:
            parts.append("\\" + other if other in _SPECIAL else other)
            continue
        size = "+" if more == "+" else f"{{{len(more) + 1}}}" if more else ""
        parts.append({"A": "[A-Z]", "a": "[a-z]", "9": "[0-9]"}[sign] + size)
    return f"^{''.join(parts)}$"


def _true(session: Session, table: Seen, names: Mapping[str, str], drafts: Sequence[Suggestion]) -> list[Suggestion]:
    """Those that hold in every row, by a count over all of them."""
    found = []
    for first in range(0, len(drafts), AT_ONCE):
        some = drafts[first : first + AT_ONCE]
        columns = [table.view.at(name) for name in dict.fromkeys(draft.column for draft in some)]
        picked = ", ".join(f"{one.alias} AS {ident(names[one.fitted.column.name])}" for one in columns)
        counts = ", ".join(f"count(*) FILTER (WHERE NOT ({draft.check}))" for draft in some)
        select = f"SELECT {picked} FROM ({table.view.select(columns)})"
        ((*broken,),) = session.execute(f"SELECT {counts} FROM ({select})")
        found += [draft for draft, bad in zip(some, broken, strict=True) if not bad]
    return found
