"""What a contract's column is fed from: a column of the source, or a member of a struct by a path with dots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headgate.core.records import dataclass
from headgate.core.values import SourceColumn
from headgate.sql.quote import ident, literal
from headgate.types.schema import Physical, parse_physical


@dataclass(frozen=True)
class Fed:
    """`expr`: SQL of the value over the alias given; `physical`: its type; `base`: the source's column it is in."""

    expr: str
    physical: str
    base: str


def feed(columns: Sequence[SourceColumn], wanted: str, alias: str) -> Fed | None:
    """Where `wanted` is found; None where it is not. A column of that very name wins over a path.

    Upper and lower case are the same in a column's name; of members, one that is written alike wins.
    """
    return feed_of(named(columns), wanted, alias)


def named(columns: Sequence[SourceColumn]) -> dict[str, SourceColumn]:
    """The columns by their names in lower case, for who asks for many of them."""
    return {column.name.lower(): column for column in columns}


def feed_of(by_name: Mapping[str, SourceColumn], wanted: str, alias: str) -> Fed | None:
    """As `feed`, of columns that are `named`."""
    found = by_name.get(wanted.lower())
    if found is not None:
        return Fed(f"{alias}.{ident(found.name)}", found.physical, found.name)
    first, *rest = wanted.split(".")
    base = by_name.get(first.lower())
    if base is None or not rest:
        return None
    expr, kind = f"{alias}.{ident(base.name)}", parse_physical(base.physical)
    for name in rest:
        member = _member(kind, name)
        if member is None:
            return None
        expr, kind = f"struct_extract({expr}, {literal(member[0])})", member[1]
    return Fed(expr, kind.text, base.name)


def bases(columns: Sequence[SourceColumn], wanted: Sequence[str]) -> list[str]:
    """The wanted names; for each that is a path into a struct, the name of the column it is in."""
    by_name = named(columns)
    found = [(name, feed_of(by_name, name, "src")) for name in wanted]
    return [fed.base if fed is not None else name for name, fed in found]


def _member(kind: Physical, name: str) -> tuple[str, Physical] | None:
    if kind.name != "STRUCT":
        return None
    exact = [one for one in kind.fields if one[0] == name]
    alike = exact or [one for one in kind.fields if one[0] and one[0].lower() == name.lower()]
    return alike[0] if len(alike) == 1 else None
