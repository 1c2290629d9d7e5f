"""A suite of expectations: rules whose columns have no types until the data is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from typing import Any

from headgate.contracts.short import Beside
from headgate.core.errors import Finding, Location
from headgate.core.records import dataclass


@dataclass(frozen=True)
class Expectation:
    """One expectation. `type` in snake case: `expect_column_values_to_not_be_null`; `severity`: error or warn."""

    type: str
    kwargs: Mapping[str, Any]
    where: Location
    severity: str = "error"


@dataclass(frozen=True)
class Suite:
    """Expectations in the order written. `notes`: what of the file has no effect, whatever the data is."""

    expectations: tuple[Expectation, ...]
    where: Location
    notes: tuple[Finding, ...] = ()
    beside: Beside = field(default_factory=Beside)


class Unfit(ValueError):
    """The expectation can't be a rule; says why."""


def is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
