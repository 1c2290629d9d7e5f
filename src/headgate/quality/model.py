"""A profile as plain data: what was seen in a table, and what holds in it."""

from __future__ import annotations

from dataclasses import field

from headgate.core.records import dataclass


@dataclass(frozen=True)
class Share:
    """A text and how many rows have it."""

    value: str
    rows: int


@dataclass(frozen=True)
class Misfit:
    """A type that not every value of a text column fits: how many do not, and one of them."""

    type: str
    rows: int
    example: str


@dataclass(frozen=True)
class ColumnProfile:
    """One column. Values are canonical text; in a `pii` column they are shapes (`Aaaa@aaa.aa`), never values.

    `physical`: the source's type. `type`: the logical type that every value fits. `filled`: rows that are not NULL;
    `percent` of all. `distinct`: number of different values, `distinct_exact` or within some 2%. `mean`, `std`,
    `quantiles` (0.01 to 0.99): numbers, of dates and times only quantiles; values that are not finite don't count.
    `empty`, `blank`: texts without a character, with blanks only. `shortest`, `longest`, `mean_length`: characters.
    `top`: the most frequent values; all of them if `distinct_exact` and no more than there are. `misfits`: types that
    nearly every value of a text column fits. `shapes`: the most frequent ones, of a sample of `shaped` values.
    `outliers`: values far from the median (more than 3.5 robust standard deviations, by the median distance).
    """

    name: str
    physical: str
    type: str
    rows: int
    filled: int
    percent: float
    distinct: int | None = None
    distinct_exact: bool = False
    min: str | None = None
    max: str | None = None
    mean: float | None = None
    std: float | None = None
    quantiles: dict[str, str] = field(default_factory=dict)
    empty: int | None = None
    blank: int | None = None
    shortest: int | None = None
    longest: int | None = None
    mean_length: float | None = None
    top: tuple[Share, ...] = ()
    misfits: tuple[Misfit, ...] = ()
    shapes: tuple[Share, ...] = ()
    shaped: int = 0
    outliers: int | None = None
    pii: str = ""

    @property
    def nulls(self) -> int:
        return self.rows - self.filled


@dataclass(frozen=True)
class KeyProfile:
    """Columns that may identify a row, counted exactly over all rows.

    `unique`: no value stands twice and none is NULL. Else `repeated` values stand in `rows` rows, `examples` the most
    frequent of them.
    """

    columns: tuple[str, ...]
    unique: bool
    repeated: int = 0
    rows: int = 0
    examples: tuple[Share, ...] = ()


@dataclass(frozen=True)
class LinkProfile:
    """Every value of `column` stands in `to_column` of `to_table`, tested over all rows.

    `coverage`: the share of the different values of `to_column` that are used.
    """

    column: str
    to_table: str
    to_column: str
    coverage: float


@dataclass(frozen=True)
class PairProfile:
    """Two columns. `kind`: correlated (Pearson's `strength` of two numbers) or same (row by row, `strength` 1)."""

    first: str
    second: str
    kind: str
    strength: float


@dataclass(frozen=True)
class TableProfile:
    """One table, file or group of files. `rows` were looked at: all, or a sample of `total`.

    `malformed`: records that are no rows (they are in no other number). `seconds`: how long it took.
    """

    name: str
    rows: int
    total: int
    malformed: int
    tier: int
    columns: tuple[ColumnProfile, ...] = ()
    keys: tuple[KeyProfile, ...] = ()
    links: tuple[LinkProfile, ...] = ()
    pairs: tuple[PairProfile, ...] = ()
    seconds: float = 0.0

    def column(self, name: str) -> ColumnProfile:
        return next(one for one in self.columns if one.name == name)
