"""Rules about a load as a whole: how many rows, what a total comes to, how old the newest row is."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from headgate.core.errors import Location
from headgate.core.records import dataclass


@dataclass(frozen=True)
class Share:
    """At least `percent` per cent (text of a decimal, `99.5`), or more than that (`more`)."""

    percent: str
    more: bool = False

    def reached(self, kept: int, of: int) -> bool:
        """Whether `kept` of `of` records are enough. Exact: no binary fractions."""
        left, right = kept * 100, Fraction(self.percent) * of
        return left > right if self.more else left >= right

    def __str__(self) -> str:
        return f"{'>' if self.more else ''}{self.percent}%"


@dataclass(frozen=True)
class BatchRule:
    """A number of the load lies between `low` and `high`, else the load is stopped (warn: a finding).

    `sql`: the number as one SQL aggregate over the rows that the load accepts: `count(*)` for rows, the user's for sql,
    the seconds from the latest moment of a column to `now()` for freshness. NULL passes, as it does in other rules.
    `of_last`: bounds are multiples of the median of `count(*)` over the last so many loads that were committed; where
    there was none yet, the rule passes. Bounds belong to the range unless `low_open`/`high_open`; None is no bound.
    `column`: of freshness, the column looked at.
    """

    name: str
    kind: Literal["rows", "sql", "freshness"]
    sql: str
    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False
    of_last: int | None = None
    severity: Literal["error", "warn"] = "error"
    where: Location | None = None
    message: str = ""
    column: str | None = None

    def bounds(self, history: Sequence[int] = ()) -> tuple[Decimal | Fraction | None, Decimal | Fraction | None]:
        """The bounds for a load. `history`: rows of the loads before, the latest last; of it the last count."""
        if self.of_last is None:
            return self.low, self.high
        if not history:
            return None, None
        usual = Fraction(statistics.median(Fraction(rows) for rows in history[-self.of_last :]))
        low, high = (None if one is None else Fraction(one) * usual for one in (self.low, self.high))
        return low, high

    def holds(self, value: Decimal | float | None, history: Sequence[int] = ()) -> bool:
        """Whether the number is within the bounds. A double counts as its shortest decimal; NaN is in no range."""
        if value is None:
            return True
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        low, high = self.bounds(history)
        if number.is_nan():
            return low is None and high is None
        if number.is_infinite():
            return high is None if number > 0 else low is None
        exact = Fraction(number)
        above = low is None or exact > low or (exact == low and not self.low_open)
        return above and (high is None or exact < high or (exact == high and not self.high_open))
