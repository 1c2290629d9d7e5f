"""What a plain SQL model is: as its file says it, and compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from headgate.books.ledger import Counts
from headgate.contracts.model import Contract
from headgate.core.errors import Finding, Location
from headgate.core.values import TableRef
from headgate.sql.lineage.known import Dialect

CheckKind = Literal["not_null", "unique", "expression"]
Severity = Literal["error", "warn"]
Materialized = Literal["view", "table"]

READ_PREFIX = "_hg_"
"""Models read the loaded table `raw.orders` through the view `_hg_raw.orders`, which leaves the internal column out."""

STAGE_MARK = "__hg_"
"""A staged relation stands beside its target as `<name>__hg_<attempt>` until it is swapped in."""


@dataclass(frozen=True)
class ModelCheck:
    """A promise about a model's rows.

    `not_null` and `unique` name a `column`; `expression` has `sql`, true for a good row. A NULL is no failure of
    `unique` and `expression`. An `error` keeps the model from being published, a `warn` is only told.
    """

    kind: CheckKind
    column: str | None = None
    sql: str | None = None
    name: str = ""
    severity: Severity = "error"
    where: Location | None = None

    @property
    def label(self) -> str:
        """The given name, else the kind and what it is about, e.g. `unique(id)`."""
        return self.name or f"{self.kind}({self.column if self.column is not None else self.sql})"


@dataclass(frozen=True)
class ModelContract:
    """What the rows of a model are split by. `places`: where its conditions stand, as `contracts.verify` names them."""

    contract: Contract
    where: Location
    places: Mapping[str, Location] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelSource:
    """One model as the project's files say it. `folder` is its folder below `models/` (`""`, `gold`, `gold/daily`)."""

    name: str
    path: Path
    text: str
    folder: str = ""
    tests: tuple[ModelCheck, ...] = ()
    split: ModelContract | None = None


@dataclass(frozen=True)
class Model:
    """A compiled model.

    `sql` is one SELECT with physical names, without a trailing semicolon. `inputs` are names of models and
    `schema.name` of loaded tables, each once, in order of appearance; `places[i]` is where `inputs[i]` is first named.
    `fingerprint` changes when the rows could change although no input did: SQL (comments and layout do not count),
    materialization, target, checks, contract, engine; `frame` is the same without the SQL, in which words of the
    `dialect` may be written otherwise and mean the same. `split`: the contract that its rows pass one by one, if any.
    """

    name: str
    target: TableRef
    materialized: Materialized
    sql: str
    inputs: tuple[str, ...]
    fingerprint: str
    checks: tuple[ModelCheck, ...]
    path: Path
    text: str
    places: tuple[Location, ...] = ()
    tags: tuple[str, ...] = ()
    split: ModelContract | None = None
    frame: str = ""
    dialect: Dialect = "duckdb"


@dataclass(frozen=True)
class BuildOutcome:
    """What a build did. `failed` and `refused` (by a limit of its contract) = nothing changed: the relation published
    before is still there.

    `rows` is None for a view, which holds none. `columns` are (name, type) of the relation. `replaced` is what stood at
    the target before: "table", "view" or "" for nothing. `findings`: the error that failed the build, or warnings.
    `counts`: the fates of the rows of a model with a contract.
    """

    model: str
    target: TableRef
    materialized: Materialized
    attempt: str
    fingerprint: str
    status: Literal["built", "failed", "refused"]
    rows: int | None = None
    columns: tuple[tuple[str, str], ...] = ()
    replaced: Literal["", "table", "view"] = ""
    findings: tuple[Finding, ...] = ()
    counts: Counts = field(default_factory=Counts)
