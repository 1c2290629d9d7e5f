"""Why a model is not published."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from headgate.core.errors import Finding
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models import explain
from headgate.models.checks import FLAT
from headgate.models.model import Model, ModelCheck
from headgate.sql import quote


@dataclass(frozen=True)
class Staged:
    """A model's rows beside its target. `select`: what made them; `whole`: the SELECT of all rows as they would stand,
    by the relation of the staged ones, where that is more than these; `reported`: how many the engine says it wrote."""

    ref: TableRef
    columns: tuple[tuple[str, str], ...]
    reported: int | None
    select: str
    whole: Callable[[str], str] | None = None


class Contested(Exception):
    """Another runner built the model since it was decided to; nothing was done."""


class BuildFailed(Exception):
    """The model's own fault: everything is to be rolled back, and told in the outcome."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(findings[0].what)
        self.findings = tuple(findings)


class ChecksFailed(BuildFailed):
    """Staged rows fail checks, some of severity error. `failing`: those checks, and how many rows fail each."""

    def __init__(self, model: Model, staged: Staged, failing: Sequence[tuple[ModelCheck, int]]) -> None:
        self.model, self.staged, self.failing = model, staged, tuple(failing)
        super().__init__(self.told())

    def told(self, left: TableRef | None = None) -> tuple[Finding, ...]:
        """The findings, errors first. `left`: where the staged rows can be looked at."""
        found = [
            explain.check_failed(self.model, check, rows, shown(self.staged, check, left), left)
            for check, rows in self.failing
        ]
        return tuple(sorted(found, key=lambda finding: finding.level != "error"))


def shown(staged: Staged, check: ModelCheck, left: TableRef | None = None) -> str:
    """The SELECT of the rows that the check looked at: it can be run after a rollback, too."""
    whole = None if check.kind in FLAT else staged.whole
    if left is not None:
        return whole(quote.table(left)) if whole else f"SELECT * FROM {quote.table(left)}"
    return whole(f"(\n{staged.select}\n)") if whole else staged.select
