"""Unit tests as data: as YAML says them, and compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from headgate.core.errors import Location
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models.python.function import Function

Row = Mapping[str, object]


@dataclass(frozen=True)
class Fixture:
    """Rows: as mappings of plain values, or as the SELECT that gives them."""

    where: Location
    rows: tuple[Row, ...] = ()
    sql: str = ""

    @property
    def columns(self) -> list[str]:
        return list(dict.fromkeys(name for row in self.rows for name in row))


@dataclass(frozen=True)
class UnitSpec:
    """A unit test as YAML says it. `given`: by what stands behind `input:`, a call of ref or source, or `this`."""

    name: str
    where: Location
    given: tuple[tuple[str, Fixture], ...]
    expect: Fixture
    vars: Mapping[str, object] = field(default_factory=dict)
    incremental: bool = False


@dataclass(frozen=True)
class Given:
    """An input of a compiled unit test: `part` is what its SELECT calls it, `table` has the types of its columns."""

    name: str
    part: str
    table: TableRef
    fixture: Fixture


@dataclass(frozen=True)
class UnitTest:
    """A compiled unit test: `sql` is the model's SELECT over the parts of `given`.

    `whole`: the SELECT of a build of all rows, which tells the types of `this` where it does not stand yet.
    `python`: of a Python model, the function over these parts.
    """

    name: str
    where: Location
    sql: str
    given: tuple[Given, ...]
    expect: Fixture
    whole: str
    python: Function | None = None
