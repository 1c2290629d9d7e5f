"""A contract as plain data: columns, rules, limits. Made by the short form (and later by ODCS), used by the gate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, field
from fractions import Fraction
from typing import Any, Literal

from headgate.adapters.python.code import Code
from headgate.contracts.batch import BatchRule, Share
from headgate.core.errors import Finding, Location
from headgate.core.records import dataclass
from headgate.types.forms import Form
from headgate.types.logical import LogicalType

Keep = Literal["first", "last", "none"]
Severity = Literal["error", "warn"]

COLUMN_REFERENCE = "references"
"""The code of a reference that stands in a column's line."""


@dataclass(frozen=True)
class RowRule:
    """A condition on one row. `sql` is true for a good row, over the contract's column names; NULL passes.

    `code` is what a reason names as `rule`: required | min | max | above | below | between | multiple_of | length |
    pattern | in | not_in | type, or the name given under `rules:`. `column` is None for a rule across columns.
    `message` says what is expected, never a value.
    `args`: the arguments of a rule of the short form as canonical text (`between(0, 9.50)`: "0", "9.5"), so that it can
    be written out again; empty for `required` and for conditions; of a conditional rule its `when` and its `then`.
    `mostly`: the share of records that must keep the rule, or the load is stopped (see `Threshold`).
    """

    code: str
    column: str | None
    sql: str
    message: str
    severity: Severity = "error"
    where: Location | None = None
    args: tuple[str, ...] = ()
    mostly: Share | None = None


@dataclass(frozen=True)
class UniqueRule:
    """No two accepted rows agree in `columns` (a row with a NULL among them takes no key).

    `code`: unique | key, or the name given under `rules:`.
    """

    code: str
    columns: tuple[str, ...]
    keep: Keep
    message: str
    where: Location | None = None
    mostly: Share | None = None


@dataclass(frozen=True)
class ReferenceRule:
    """A row of `to_table` (`schema.name`) has in `to_columns` what the record has in `columns`, in this order; a record
    with a NULL among them passes (MATCH SIMPLE of SQL). `code`: references, or the name given under `rules:`.

    `nulls`: a record whose values do not stand there is loaded with NULL in the place of all of them, and counted.
    """

    columns: tuple[str, ...]
    to_table: str
    to_columns: tuple[str, ...]
    message: str
    severity: Severity = "error"
    where: Location | None = None
    code: str = COLUMN_REFERENCE
    mostly: Share | None = None
    nulls: bool = False

    @property
    def column(self) -> str:
        """As reasons name it: several columns with commas."""
        return ", ".join(self.columns)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Each column beside the one that it is compared with."""
        return tuple(zip(self.columns, self.to_columns, strict=True))

    @property
    def target(self) -> str:
        """What it leads to, as messages name it: `raw.customers.id`, `raw.flights (carrier, number)`."""
        if len(self.to_columns) == 1:
            return f"{self.to_table}.{self.to_columns[0]}"
        return f"{self.to_table} ({', '.join(self.to_columns)})"

    @property
    def unmatched(self) -> Literal["quarantine", "null", "warn"]:
        """What becomes of a record whose value does not stand there."""
        return "null" if self.nulls else "quarantine" if self.severity == "error" else "warn"


@dataclass(frozen=True)
class Threshold:
    """`mostly`: the load is stopped unless `share` of the records that count keep the rule.

    Of the records that are well-formed and not skipped, those count whose converted value is not NULL (of a rule
    about several columns: in all of them); all of them count for `required` and for conditions (`column` None). Under
    severity warn, records that break the rule load; under error, they are quarantined: either way the load is stopped
    if there are too many. A column may have several rules of one `code` (`pattern`): `rule` tells which is meant.
    """

    rule: RowRule | UniqueRule | ReferenceRule
    share: Share

    @property
    def code(self) -> str:
        return self.rule.code

    @property
    def columns(self) -> tuple[str, ...]:
        if not isinstance(self.rule, RowRule):
            return self.rule.columns
        return (self.rule.column,) if self.rule.column is not None else ()

    @property
    def column(self) -> str | None:
        """As reasons name it: several columns of a rule with commas."""
        return ", ".join(self.columns) or None

    @property
    def values_only(self) -> bool:
        """Records with a NULL in `columns` do not count."""
        return bool(self.columns) and self.code != "required"

    @property
    def severity(self) -> Severity:
        return "error" if isinstance(self.rule, UniqueRule) else self.rule.severity

    @property
    def where(self) -> Location | None:
        return self.rule.where

    def kept(self, broken: int, counted: int) -> bool:
        """Whether the load may go on: `broken` of the `counted` records break the rule. No record breaks none."""
        return counted == 0 or self.share.reached(counted - broken, counted)


@dataclass(frozen=True)
class CallRule:
    """A function of the user's that judges records; `code` is its name under `rules:`.

    `function`: `path.py:name`; `source`: the fingerprint of the file's text, so that an edit is another contract.
    """

    code: str
    function: str
    source: str
    program: Code = field(compare=False, repr=False)
    severity: Severity = "error"
    where: Location | None = None

    @property
    def name(self) -> str:
        """The function's name in its file."""
        return self.function.rpartition(":")[2]

    @property
    def message(self) -> str:
        """What a record is told where the function says no more than False."""
        return f"must pass {self.function}"


@dataclass(frozen=True)
class ModelRule:
    """A Pydantic model that judges records before everything else, and makes the values that are loaded.

    `reference`: `path.py:Class`; `source`: the fingerprint of the file's text. `extra`: what the model says of columns
    that it does not know. `optional`: the source columns that a file need not have; `known`: every name of a field.
    """

    reference: str
    source: str
    program: Code = field(compare=False, repr=False)
    extra: Literal["ignore", "allow", "forbid"] = "ignore"
    optional: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    where: Location | None = None

    @property
    def name(self) -> str:
        """The class's name in its file."""
        return self.reference.rpartition(":")[2]


@dataclass(frozen=True)
class ContractColumn:
    """One column. `source` is the name in the source (default: its own). `required` covers key columns too.

    `was`: names that the column had before; they say what becomes of a table, not what a row must be.
    `form`: how its texts are written, where that is not as usual.
    """

    name: str
    type: LogicalType
    source: str
    required: bool = False
    key: bool = False
    pii: bool = False
    where: Location | None = None
    was: tuple[str, ...] = ()
    form: Form | None = None


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
class Child:
    """A list inside of each record (or of each line of another list), whose elements are rows of `table`.

    `source`: the keys that lead to the list, with dots between. `contract`: what a line must be; its key and its unique
    rules hold among the lines of one list. `links`: (column that identifies the record, the line's column that repeats
    it); `position`: the line's column with its place in the list, from 1.
    """

    table: str
    source: str
    contract: Contract
    links: tuple[tuple[str, str], ...]
    position: str
    where: Location | None = None


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
    calls: tuple[CallRule, ...] = ()
    model: ModelRule | None = None
    batches: tuple[BatchRule, ...] = ()
    version: str = ""
    """What the contract's author calls this state of it; no part of its meaning."""
    notes: tuple[Finding, ...] = ()
    """What the file that it was read from says besides, and has no effect; no part of its meaning."""
    children: tuple[Child, ...] = ()
    """Lists inside of a record whose elements are rows of tables of their own."""

    @property
    def sources(self) -> tuple[str, ...]:
        """What a record is asked for: what feeds the columns, and the lists."""
        return (*(column.source for column in self.columns), *(child.source for child in self.children))

    @property
    def targets(self) -> tuple[str, ...]:
        """The tables that its references lead to, those of its children's lines included."""
        own = (rule.to_table for rule in self.references)
        return tuple(dict.fromkeys([*own, *(name for one in self.children for name in one.contract.targets)]))

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.key)

    def references_of(self, column: str) -> list[ReferenceRule]:
        """The references that stand in the line of this column."""
        return [one for one in self.references if one.code == COLUMN_REFERENCE and one.columns == (column,)]

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """One for each rule with `mostly`: row rules, then unique rules, then references."""
        rules: Iterator[RowRule | UniqueRule | ReferenceRule] = (
            rule for group in (self.rows, self.uniques, self.references) for rule in group
        )
        return tuple(Threshold(rule, rule.mostly) for rule in rules if rule.mostly is not None)

    def digest(self) -> str:
        """A short fingerprint of what a row must be: places in files, the version and former names do not count."""
        text = json.dumps(_without_places(asdict(self)), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_places(item) for key, item in _as_first_said(value).items() if _counts(key, item)}
    if isinstance(value, list | tuple):
        return [_without_places(item) for item in value]
    return value


def _as_first_said(value: dict[str, Any]) -> dict[str, Any]:
    """A reference of one column as it was said before references had several: its fingerprint stays."""
    if "to_columns" not in value or len(value["columns"]) != 1:
        return value
    single = {"column": value["columns"][0], "to_column": value["to_columns"][0]}
    return {key: item for key, item in value.items() if key not in ("columns", "to_columns")} | single


def _counts(key: str, value: Any) -> bool:
    # What is not there does not count, so that a contract keeps its fingerprint when contracts learn something new.
    return key not in ("where", "version", "notes", "program", "was") and (key not in _LATER or bool(value))


_LATER = ("mostly", "batches", "form", "calls", "model", "nulls", "children")
