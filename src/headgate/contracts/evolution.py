"""What an edit of a contract means for the columns of a table that has rows, and which of it the table may follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Literal

from headgate.contracts.model import Contract, ContractColumn
from headgate.core.records import dataclass
from headgate.types.convert import Conversion, conversion
from headgate.types.typed import INTEGER_DIGITS

Word = Literal["evolve", "freeze"]
Case = Literal["new", "missing", "widened", "narrowed", "renamed"]
WORDS: tuple[Word, ...] = ("evolve", "freeze")


@dataclass(frozen=True)
class Policy:
    """What stands under `evolution:`: whether the table follows an edit of the contract, by what the edit does.

    `new`: a column that the table lacks. `missing`: a column that the contract no longer has. `widened`: a type that
    takes every value of the old one and is of the same kind; `narrowed`: any other. `renamed`: a column declared as
    `was(old)`.
    """

    new: Word = "evolve"
    missing: Word = "freeze"
    widened: Word = "evolve"
    narrowed: Word = "freeze"
    renamed: Word = "evolve"

    @classmethod
    def all(cls, word: Word) -> Policy:
        """The same word for every case."""
        return cls(*(word for _ in CASES))

    def word(self, case: Case) -> Word:
        found: Word = getattr(self, case)
        return found


CASES: tuple[Case, ...] = tuple(one.name for one in fields(Policy))  # type: ignore[misc]


@dataclass(frozen=True)
class Standing:
    """A column of a table as it is: its name, its type as the store spells it, and in the engine's spelling."""

    name: str
    stored: str
    type: str


@dataclass(frozen=True)
class Change:
    """One difference between a table and its contract.

    `column`: its name in the contract (in the table where `missing`). `before`: the old name where renamed, the old
    type of a changed or dropped one. `after`: the new type. Types are the engine's, and the store's in `told`.
    `standing`: of a changed type, the column's name in the table now; `conversion`: over `src."v"`, None where no value
    could fit.
    """

    case: Case
    column: str
    before: str = ""
    after: str = ""
    told: tuple[str, str] = ("", "")
    declared: ContractColumn | None = None
    standing: str = ""
    conversion: Conversion | None = None

    @property
    def text(self) -> str:
        """The change in one phrase."""
        return phrase(self.to_json())

    def to_json(self) -> dict[str, str]:
        """What the books keep of it."""
        before, after = self.told if self.case != "renamed" else (self.before, self.column)
        return {"case": self.case, "column": self.column, "before": before, "after": after}


def phrase(change: Mapping[str, str]) -> str:
    """A change as the books keep it, in one phrase."""
    column, before, after = change["column"], change["before"], change["after"]
    match change["case"]:
        case "new":
            return f"added {column} {after}"
        case "missing":
            return f"dropped {column} {before}"
        case "renamed":
            return f"renamed {before} to {column}"
    return f"{column}: {before} to {after}"


def changes(have: Sequence[Standing], contract: Contract, stored: Callable[[str], str]) -> tuple[Change, ...]:
    """What differs, in the order in which a table follows: renamed, types, dropped, added.

    `stored`: the store's spelling of a type of the engine. The order of the columns is no difference, and neither is
    the letter case of a type. A name in other letters is the same column under a new name.
    """
    found = _renamed(have, contract)
    old_names = {change.column: change.before for change in found}
    by_name = {one.name: one for one in have}
    added: list[Change] = []
    for column in contract.columns:
        there = by_name.pop(old_names.get(column.name, column.name), None)
        wanted = stored(column.type.duckdb)
        if there is None:
            added.append(Change("new", column.name, after=column.type.duckdb, told=("", wanted), declared=column))
        elif spelled(there.stored) != spelled(wanted):
            found.append(_retyped(there, column, wanted))
    dropped = [Change("missing", one.name, one.type, told=(one.stored, "")) for one in by_name.values()]
    return (*found, *dropped, *added)


def _renamed(have: Sequence[Standing], contract: Contract) -> list[Change]:
    there = {one.name for one in have}
    kept = {column.name for column in contract.columns}
    free = {one.name.lower(): one.name for one in have if one.name not in kept}
    found = []
    for column in contract.columns:
        if column.name in there:
            continue
        old = next((free[name.lower()] for name in (column.name, *column.was) if name.lower() in free), None)
        if old is not None:
            del free[old.lower()]
            found.append(Change("renamed", column.name, before=old, declared=column))
    return found


def _retyped(there: Standing, column: ContractColumn, wanted: str) -> Change:
    binary = "BLOB" in (there.type, column.type.duckdb)  # has no text that every store writes alike
    made = None if binary else conversion('src."v"', there.type, column.type)
    total = made is not None and made.ok is None
    fits = total or (there.type, column.type.duckdb) == ("DATE", "TIMESTAMP")  # but for days beyond the year 294246
    case: Case = "widened" if fits and _kind(there.type) == _kind(column.type.duckdb) else "narrowed"
    return Change(case, column.name, there.type, column.type.duckdb, (there.stored, wanted), column, there.name, made)


def _kind(physical: str) -> str:
    """What arithmetic and order mean for the type: a number that becomes text keeps its digits, and sorts otherwise."""
    name = physical.partition("(")[0]
    if name in INTEGER_DIGITS or name == "DECIMAL":
        return "exact number"
    return {"FLOAT": "DOUBLE", "DATE": "TIMESTAMP"}.get(name, name)


def spelled(physical: str) -> str:
    """The type without what does not count in its spelling."""
    return physical.upper().replace(" ", "")
