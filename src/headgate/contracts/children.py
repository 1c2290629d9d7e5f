"""Child tables of a contract, each with the columns that it has in the warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from headgate.contracts.model import Child, Contract
from headgate.core.records import dataclass

ITSELF = "."
"""As the source of a column: the element of the list itself, where that is no object."""


POSITION = "position"
"""What the column with a line's place in its list is called by default."""


@dataclass(frozen=True)
class Asked:
    """Lists that an ingest file wants as tables, whose lines a contract in a file of its own describes: by where they
    stand in the record, those inside of their lines."""

    lists: Mapping[str, Asked] = field(default_factory=dict)


@dataclass(frozen=True)
class Kin:
    """One child table of a record, or of the lines of another (`above`, its number in the family; None for a record's).

    `key`: (key column of the record's table, the column here that repeats it). `places`: the columns with positions,
    the outermost list first, its own last. `columns`: names and types of the engine, in the table's order.
    """

    number: int
    above: int | None
    child: Child
    key: tuple[tuple[str, str], ...]
    places: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns by which a line is told from every other."""
        return (*(name for _, name in self.key), *self.places)


def family(contract: Contract) -> tuple[Kin, ...]:
    """Every child table of the contract, whatever its depth: a list before the lists inside of its lines."""
    kinds = {column.name: column.type.duckdb for column in contract.columns}
    found: list[Kin] = []
    for child in contract.children:
        key = tuple(child.links)
        _add(found, child, None, key, (), [(name, kinds[column]) for column, name in key])
    return tuple(found)


def _add(
    found: list[Kin],
    child: Child,
    above: int | None,
    key: tuple[tuple[str, str], ...],
    places: tuple[str, ...],
    head: list[tuple[str, str]],
) -> None:
    """`places` and `head`: the columns here that repeat positions above, and all columns that repeat something."""
    own = [(column.name, column.type.duckdb) for column in child.contract.columns]
    columns = (*head, (child.position, "BIGINT"), *own)
    me = Kin(len(found), above, child, key, (*places, child.position), columns)
    found.append(me)
    kinds = dict(columns)
    for inner in child.contract.children:
        named = dict(inner.links)
        repeated = tuple((record, named[here]) for record, here in key)
        _add(
            found,
            inner,
            me.number,
            repeated,
            tuple(named[place] for place in me.places),
            [(name, kinds[column]) for column, name in inner.links],
        )


def contracts(contract: Contract) -> Iterator[tuple[Child, Contract]]:
    """Every child with its contract, whatever its depth."""
    for child in contract.children:
        yield child, child.contract
        yield from contracts(child.contract)


def places(table: str) -> str:
    """What the names of places in a child's part of a file begin with."""
    return f"children.{table}."
