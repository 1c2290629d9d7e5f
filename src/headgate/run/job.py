"""What a load is given, and what it did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from headgate.books.ledger import Counts
from headgate.core.errors import Finding
from headgate.core.protocols import Store
from headgate.core.records import dataclass
from headgate.run.flow import Flow
from headgate.run.pace import Pace


@dataclass(frozen=True)
class Slices:
    """How much a visible load commits at once."""

    rows: int = 4_000_000
    size: int = 1 << 30


DEFAULT_SLICES = Slices()


DEFAULT_SLICES = Slices()


@dataclass
class Loaded:
    """What a load did. `status`: ok | skipped | refused. `evolved`: how the table followed its contract first."""

    status: str
    reason: str
    counts: Counts = field(default_factory=Counts)
    findings: list[Finding] = field(default_factory=list)
    evolved: str = ""
    begun: bool = False
    """Whether something was committed."""

    def ended(self) -> Loaded:
        """The same, with what became of the table's columns in its reason."""
        if self.evolved:
            self.reason = f"{self.evolved}; {self.reason}" if self.status != "skipped" else self.evolved
            self.status = "ok" if self.status == "skipped" else self.status
        return self


@dataclass(frozen=True)
class Job:
    """A load with all that it needs. `progress` is told how many records are committed."""

    store: Store
    flow: Flow
    author: str
    full_refresh: bool = False
    slices: Slices = DEFAULT_SLICES
    progress: Callable[[int], None] = lambda rows: None
    last: bool = True
    """Whether nobody tries again where an error that may pass ends it."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What every entry says besides."""
    pace: Pace = field(default_factory=Pace)
    """Hears of what was read, long before it is committed."""
