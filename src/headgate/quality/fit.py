"""Which logical type every value of a column fits, tested on every value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field

from headgate.core.protocols import Session
from headgate.core.records import dataclass
from headgate.core.values import SourceColumn
from headgate.quality.model import Misfit
from headgate.sql.quote import ident
from headgate.types.codec import encode
from headgate.types.convert import Conversion, conversion
from headgate.types.inferred import CANDIDATES, of_physical, roomy_decimal
from headgate.types.logical import LogicalType

SAMPLE = 2_000
"""Rows on which a type is dropped at once if more than NEARLY of the values don't look like it."""
LONGEST = 60
NEARLY = 0.05
AT_ONCE = 50
"""Columns that one query tests."""
_NUMBERS = ("bigint", "decimal", "double")
_CODE = r"^(?:\+|[+-]?0[0-9])"
"""Beginnings that a number would lose: 007, +49."""
_DIGITS = "[+-]?[0-9]*[.]?[0-9]*"
TEXT = LogicalType("text")
_MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9:.]+)?"
LOOKS = {
    "bigint": re.compile(r"[+-]?[0-9]+"),
    "decimal": re.compile(r"[+-]?[0-9]*\.?[0-9]*"),
    "double": re.compile(r"[+-]?[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]+)?|[+-]?(?:nan|inf|infinity)", re.IGNORECASE),
    "bool": re.compile("true|false|t|f|yes|no|y|n|on|off|[01]", re.IGNORECASE),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "timestamp": re.compile(_MOMENT),
    "timestamptz": re.compile(_MOMENT + r"(?:[Zz]|[+-][0-9:]+)?"),
    "uuid": re.compile(r"[0-9a-fA-F-]{36}"),
}
"""What texts of a type look like at least; cheaper than reading them."""


@dataclass(frozen=True)
class Fitted:
    """A column read as the type that all its values fit. `value`: SQL over the relation as `src`, of `type.duckdb`."""

    column: SourceColumn
    type: LogicalType
    value: str
    misfits: tuple[Misfit, ...] = ()


@dataclass
class _Search:
    """The types still to be tried on a column, and what was found about those that failed."""

    column: SourceColumn
    left: list[LogicalType]
    misfits: list[Misfit] = field(default_factory=list)

    @property
    def expr(self) -> str:
        return f"src.{ident(self.column.name)}"

    @property
    def type(self) -> LogicalType:
        return self.left[0]

    def converted(self, zone: str) -> Conversion | None:
        return conversion(self.expr, self.column.physical, self.type, timezone=zone)

    def bad(self, zone: str) -> str | None:
        """True for a value that does not fit; None where every value does."""
        found = self.converted(zone)
        if found is None:
            return f"{self.expr} IS NOT NULL"
        if found.ok is None:
            return None
        code = self.column.physical == "VARCHAR" and self.type.name in _NUMBERS
        lost = f" OR coalesce(regexp_matches({self.expr}, '{_CODE}'), false)" if code else ""
        return f"(NOT ({found.ok}){lost})"


def fit(
    session: Session, relation: str, columns: Sequence[SourceColumn], zone: str = "UTC", tolerate: float = 0.0
) -> list[Fitted]:
    """Every column with its type: the first of CANDIDATES that no value contradicts, text where each is contradicted.

    Numbers whose leading zeros or plus sign mean something (codes, telephones) stay text. A text column without a
    single value stays text. A typed column keeps its type unless it holds a value that the logical type can't.
    `tolerate`: the share of a column's values that may contradict its type.
    """
    chunks = [columns[first : first + AT_ONCE] for first in range(0, len(columns), AT_ONCE)]
    return [one for chunk in chunks for one in _fit(session, relation, chunk, zone, tolerate)]


def _fit(session: Session, relation: str, columns: Sequence[SourceColumn], zone: str, tolerate: float) -> list[Fitted]:
    searches = [_Search(column, _possible(column)) for column in columns]
    texts = [one for one in searches if len(one.left) > 2]
    if texts:
        _drop_unlikely(session, relation, texts)
    open_ = [one for one in searches if one.bad(zone) is not None]
    while open_ := [one for one in open_ if one.type.name != "text"]:
        _size_decimals(session, relation, open_)
        open_ = _failed(session, relation, open_, zone, tolerate)
    return [_fitted(one, zone) for one in searches]


def _possible(column: SourceColumn) -> list[LogicalType]:
    if column.physical != "VARCHAR":
        logical = of_physical(column.physical)
        return [logical, TEXT] if logical.name != "text" else [TEXT]
    wide = [LogicalType(name) if name != "decimal" else LogicalType(name, 38, 10) for name in CANDIDATES]
    return [*wide, TEXT]


def _fitted(search: _Search, zone: str) -> Fitted:
    found = search.converted(zone)
    value = found.value if found is not None else encode(search.expr, search.column.physical)
    return Fitted(search.column, search.type, value, tuple(search.misfits))


def _drop_unlikely(session: Session, relation: str, searches: Sequence[_Search]) -> None:
    """Keeps the types that most values of the first rows look like; all where there is no value among them."""
    picked = ", ".join(f"left({one.expr}, {LONGEST})" for one in searches)
    rows = session.execute(f"SELECT {picked} FROM {relation} AS src LIMIT {SAMPLE}")
    for one, values in zip(searches, zip(*rows, strict=True), strict=False):
        filled = [value for value in values if value is not None]
        one.left = [kind for kind in one.left[:-1] if _likely(kind, filled)] + [TEXT]


def _likely(kind: LogicalType, values: Sequence[str]) -> bool:
    odd = sum(LOOKS[kind.name].fullmatch(value) is None for value in values)
    return odd <= NEARLY * len(values)


def _size_decimals(session: Session, relation: str, searches: Sequence[_Search]) -> None:
    """Gives columns that are tried as text's decimals the digits that their values need."""
    tried = [one for one in searches if one.type.name == "decimal" and one.column.physical == "VARCHAR"]
    if not tried:
        return
    parts = []
    for one in tried:
        here = f"FILTER (WHERE regexp_full_match({one.expr}, '{_DIGITS}'))"
        parts.append(f"max(length(split_part(ltrim({one.expr}, '+-'), '.', 1))) {here}")
        parts.append(f"max(length(split_part({one.expr}, '.', 2))) {here}")
    ((*found,),) = session.execute(f"SELECT {', '.join(parts)} FROM {relation} AS src")
    for number, one in enumerate(tried):
        whole, fraction = found[2 * number : 2 * number + 2]
        sized = roomy_decimal(whole, fraction) if whole is not None else None
        one.left[:1] = [sized] if sized is not None else []


def _failed(session: Session, relation: str, searches: Sequence[_Search], zone: str, tolerate: float) -> list[_Search]:
    """Those columns whose type some value contradicts, moved on to their next one."""
    tried = [one for one in searches if one.type.name != "text"]
    if not tried:
        return list(searches)
    parts = []
    for one in tried:
        bad = one.bad(zone) or "false"
        shown = f"left({encode(one.expr, one.column.physical)}, 200)"
        parts += [f"count({one.expr})", f"count(*) FILTER (WHERE {bad})", f"min({shown}) FILTER (WHERE {bad})"]
    ((*found,),) = session.execute(f"SELECT {', '.join(parts)} FROM {relation} AS src")
    moved = []
    for number, one in enumerate(tried):
        values, bad, example = found[3 * number : 3 * number + 3]
        text = one.column.physical == "VARCHAR"
        if bad and bad <= NEARLY * values:
            one.misfits.append(Misfit(spelled(one.type), bad, example))
        if bad <= tolerate * values if values else not text:
            continue
        one.left = one.left[1:] if values else [TEXT]
        moved.append(one)
    return moved


def spelled(kind: LogicalType) -> str:
    """The type as contracts write it: every integer is an int."""
    return "int" if kind.name == "bigint" else str(kind)
