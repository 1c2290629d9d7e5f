"""A contract as plain data: columns, rules, limits. Made by the short form (and later by ODCS), used by the gate."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any, Literal

from headgate.core.errors import Location
from headgate.types.logical import LogicalType

Keep = Literal["first", "last", "none"]
Severity = Literal["error", "warn"]


@dataclass(frozen=True)
class RowRule:
    """A condition on one row. `sql` is true for a good row, over the contract's column names; NULL passes.

    `code` is what a reason names as `rule`: required | min | max | between | length | pattern | in | type, or the name
    given under `rules:`. `column` is None for a rule across columns. `message` says what is expected, never a value.
    `args`: the arguments of a rule of the short form as canonical text (`between(0, 9.50)`: "0", "9.5"), so that it can
    be written out again; empty for `required` and for rules across columns.
    """

    code: str
    column: str | None
    sql: str
    message: str
    severity: Severity = "error"
    where: Location | None = None
    args: tuple[str, ...] = ()


@dataclass(frozen=True)
class UniqueRule:
    """No two accepted rows agree in `columns` (a row with a NULL among them takes no key). `code`: unique | key."""

    code: Literal["unique", "key"]
    columns: tuple[str, ...]
    keep: Keep
    message: str
    where: Location | None = None


@dataclass(frozen=True)
class ReferenceRule:
    """The value stands in `to_column` of `to_table` (`schema.name`); NULL passes. `code`: references."""

    column: str
    to_table: str
    to_column: str
    message: str
    severity: Severity = "error"
    where: Location | None = None
    code: str = "references"


@dataclass(frozen=True)
class ContractColumn:
    """One column. `source` is the name in the source (default: its own). `required` covers key columns too.

    `was`: names that the column had before; they say what becomes of a table, not what a row must be.
    """

    name: str
    type: LogicalType
    source: str
    required: bool = False
    key: bool = False
    pii: bool = False
    where: Location | None = None
    was: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limit:
    """`refuse_at_most`: a number of records, or a share of the records read (0..1). A share of 1 is no limit."""

    rows: int | None = None
    share: float | None = None

    def exceeded(self, refused: int, read: int) -> bool:
        if self.rows is not None:
            return refused > self.rows
        # 0.29 * 100 is 28.999999999999996: the share counts as the decimal that was written, not as its double.
        return self.share is not None and read > 0 and refused > Fraction(str(self.share)) * read


@dataclass(frozen=True)
class Contract:
    """What a table promises. Rules keep the order in which they were written: reasons are listed in that order."""

    columns: tuple[ContractColumn, ...]
    rows: tuple[RowRule, ...] = ()
    uniques: tuple[UniqueRule, ...] = ()
    references: tuple[ReferenceRule, ...] = ()
    skips: tuple[tuple[str, str], ...] = ()
    refuse_at_most: Limit | None = None
    where: Location | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.key)

    def digest(self) -> str:
        """A short fingerprint of what a row must be: places in files and former names do not count."""
        text = json.dumps(_without_places(asdict(self)), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_places(item) for key, item in value.items() if key not in ("where", "was")}
    if isinstance(value, list | tuple):
        return [_without_places(item) for item in value]
    return value
