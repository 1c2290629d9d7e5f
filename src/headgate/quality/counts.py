"""What was counted in a table as it stands, as plain data: its columns, and the rows that break each of its rules."""

from __future__ import annotations

from typing import Any, Literal

from headgate.contracts.batch import Share as Least
from headgate.core.errors import Location
from headgate.core.records import dataclass
from headgate.quality.model import Share

Status = Literal["ok", "warn", "error", "skipped"]


@dataclass(frozen=True)
class ColumnCount:
    """Completeness of a column: `filled` of `rows` are not NULL, which is `percent` (100 only if it is all)."""

    name: str
    type: str
    rows: int
    filled: int
    percent: float


@dataclass(frozen=True)
class RuleCount:
    """One rule of a contract, or one test of a model.

    `broken` rows break it, of the `counted` ones that it speaks of: where a rule is about values of columns, rows with
    a NULL there don't count, unless it is `required`. Of values that must be unique, every row with one that stands
    more than once is broken: `repeated` different values, the most frequent of them in `examples`.
    `value`: of a rule about the table as a whole, its number. `status`: ok | warn (rows break a rule that only warns,
    or no more than `mostly` lets pass) | error | skipped. `reason`: why
    it was skipped, or could not be counted (status is its severity then). `query`: a SELECT that shows the rows.
    """

    rule: str
    column: str | None
    origin: Literal["contract", "test"]
    severity: Literal["error", "warn"]
    status: Status
    broken: int = 0
    counted: int = 0
    message: str = ""
    mostly: str = ""
    repeated: int = 0
    examples: tuple[Share, ...] = ()
    value: str | None = None
    reason: str = ""
    query: str = ""
    where: str = ""


@dataclass(frozen=True)
class Said:
    """What a rule says, before anything is counted."""

    rule: str
    column: str | None
    severity: Literal["error", "warn"]
    message: str
    where: Location | None = None
    mostly: Least | None = None
    origin: Literal["contract", "test"] = "contract"

    def counted(self, broken: int, counted: int, **more: Any) -> RuleCount:
        """With so many rows that break it, of so many."""
        return self._made(self._status(broken, counted), broken=broken, counted=counted, **more)

    def _status(self, broken: int, counted: int) -> Status:
        if self.mostly is not None and counted and not self.mostly.reached(counted - broken, counted):
            return "error"
        if not broken:
            return "ok"
        return "warn" if self.mostly is not None else self.severity

    def failed(self, why: str) -> RuleCount:
        """It could not be counted, so nobody may take it for kept."""
        return self._made(self.severity, reason=" ".join(why.split()))

    def skipped(self, why: str, **more: Any) -> RuleCount:
        """It says nothing about a table as it stands."""
        return self._made("skipped", reason=why, **more)

    def _made(self, status: Status, **more: Any) -> RuleCount:
        return RuleCount(
            self.rule, self.column, self.origin, self.severity, status, message=self.message,
            mostly=str(self.mostly or ""), where=str(self.where or ""), **more,
        )  # fmt: skip


@dataclass(frozen=True)
class TableCount:
    """One table or model. `seconds`: how long it took."""

    name: str
    kind: Literal["table", "model"]
    rows: int
    columns: tuple[ColumnCount, ...] = ()
    rules: tuple[RuleCount, ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return not any(one.status == "error" for one in self.rules)
