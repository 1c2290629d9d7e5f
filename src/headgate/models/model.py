"""What a model is: as its file says it, and compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from headgate.books.ledger import Counts
from headgate.contracts.model import Contract
from headgate.core.errors import Finding, Location
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models.python.function import CodeHome, Function
from headgate.models.unit import UnitSpec, UnitTest
from headgate.sql.lineage.known import Dialect

if TYPE_CHECKING:
    from headgate.models.places import Origin

CheckKind = Literal["not_null", "unique", "expression", "accepted_values", "relationships", "row_count", "query"]
Severity = Literal["error", "warn"]
Materialized = Literal["view", "table", "incremental", "snapshot"]
Strategy = Literal["append", "merge", "delete+insert"]
OnSchemaChange = Literal["error", "append", "sync", "ignore"]
HardDeletes = Literal["ignore", "invalidate", "new_record"]
Grain = Literal["hour", "day", "week", "month", "year"]

READ_PREFIX = "_hg_"
"""Models read the loaded table `raw.orders` through the view `_hg_raw.orders`, which leaves the internal column out."""

STAGE_MARK = "__hg_"
"""A staged relation stands beside its target as `<name>__hg_<attempt>` until it is swapped in."""


UNDER_TEST = "_hg_model"
"""What `{{ model }}` of a custom test, and `ref()` of the model that a SQL file tests, stand for in `query`."""


@dataclass(frozen=True)
class ModelCheck:
    """A promise about a model's rows.

    | kind | fails for |
    |---|---|
    | not_null | every row where `column` is NULL |
    | unique | every row whose `column` (NULL is not compared), or whose `columns` together, occur more than once |
    | expression | every row that makes `sql` false |
    | accepted_values | every row whose `column` is none of the literals `values`; NULL passes |
    | relationships | every row whose `column` is no value of `field` in `to`; NULL passes |
    | row_count | the model, where it has less than `least` or more than `most` rows |
    | query | every row that the SELECT `sql` gives; it reads the rows as `UNDER_TEST` |

    `only`: a condition; the others are left out. `test`, `arguments`: the custom test that gives `sql` once compiled;
    `to` is a call of `ref` or `source` until then, and SQL after. An `error` keeps the model from being published, a
    `warn` is only told.
    """

    kind: CheckKind
    column: str | None = None
    sql: str | None = None
    name: str = ""
    severity: Severity = "error"
    where: Location | None = None
    columns: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    to: str = ""
    field: str = ""
    least: int | None = None
    most: int | None = None
    only: str = ""
    test: str = ""
    arguments: tuple[tuple[str, object], ...] = ()

    @property
    def label(self) -> str:
        """The given name, else the kind and what it is about, e.g. `unique(id)`."""
        about = ", ".join(self.columns) or (self.column if self.column is not None else self.sql)
        return self.name or f"{self.kind}({about})"

    @property
    def named(self) -> tuple[str, ...]:
        """The columns of the model that must be there."""
        return self.columns or ((self.column,) if self.column is not None and self.kind != "query" else ())


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
    unit_tests: tuple[UnitSpec, ...] = ()
    home: CodeHome | None = None
    """Of a Python model."""


@dataclass(frozen=True)
class Late:
    """A relation under which the rows of an interval model's inputs are read again, to see where new ones belong.

    `table`: a loaded table, or the model whose SELECT is `sql`. In every `sql`, `mark` stands for the schema in which
    this relation is made, under the table's own name.
    """

    name: str
    table: TableRef
    mark: str
    sql: str = ""
    fingerprint: str = ""


@dataclass(frozen=True)
class Intervals:
    """How a model is built by intervals of `column`, a date or a timestamp. `grain` is their length, `lookback` how
    many before the newest are always built anew (None: none was said).

    `late`: what the model reads, inputs first; `sql`: its SELECT over them. Empty where an input is no loaded table and
    no view over such.
    """

    column: str
    grain: Grain = "day"
    lookback: int | None = None
    late: tuple[Late, ...] = ()
    sql: str = ""


@dataclass(frozen=True)
class Incremental:
    """How new rows join those that stand: `sql` is the SELECT of a build that adds to them."""

    sql: str
    strategy: Strategy = "append"
    unique_key: tuple[str, ...] = ()
    on_schema_change: OnSchemaChange = "error"
    intervals: Intervals | None = None
    code: str = ""
    """Changes when rows that were built before would be others now."""


@dataclass(frozen=True)
class SnapshotColumns:
    """The columns that a snapshot adds: from when to when a version is valid, its id, when its row changed, and under
    hard_deletes='new_record' whether the version says that the row was deleted ('True' or 'False')."""

    valid_from: str
    valid_to: str
    scd_id: str
    updated_at: str
    is_deleted: str

    @property
    def all(self) -> tuple[str, ...]:
        return (self.scd_id, self.updated_at, self.valid_from, self.valid_to, self.is_deleted)


@dataclass(frozen=True)
class Snapshot:
    """How the versions of a query's rows are kept. `check_cols`: what is compared, all where it is empty; `current`:
    SQL of the end of a version that is valid now, empty for NULL."""

    unique_key: tuple[str, ...]
    strategy: Literal["timestamp", "check"]
    updated_at: str
    check_cols: tuple[str, ...]
    hard_deletes: HardDeletes
    columns: SnapshotColumns
    current: str = ""


@dataclass(frozen=True)
class Model:
    """A compiled model.

    `sql` is one SELECT with physical names, without a trailing semicolon; empty where `python` gives the rows.
    `inputs` are names of models and `schema.name` of loaded tables, each once, in order of appearance; `places[i]` is
    where `inputs[i]` is first named.
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
    incremental: Incremental | None = None
    snapshot: Snapshot | None = None
    warnings: tuple[Finding, ...] = ()
    """What is legal, and loses rows."""
    unit_tests: tuple[UnitTest, ...] = ()
    origin: Origin | None = field(default=None, compare=False, repr=False)
    """Tells where a character of the SQL stands in the files."""
    python: Function | None = None

    @property
    def relation(self) -> Literal["table", "view"]:
        """What stands at its target."""
        return "view" if self.materialized == "view" else "table"


@dataclass(frozen=True)
class Delta:
    """What an incremental build did to the rows that stood: `rows` were staged, of which `inserted` had no row of their
    key and `updated` took the place of one; `deleted` rows went without another."""

    rows: int
    inserted: int
    updated: int
    deleted: int


@dataclass(frozen=True)
class BuildOutcome:
    """What a build did. `failed` and `refused` (by a limit of its contract) = nothing changed: the relation published
    before is still there.

    `rows` is None for a view, which holds none. `columns` are (name, type) of the relation. `replaced` is what stood at
    the target before: "table", "view" or "" for nothing. `findings`: the error that failed the build, or warnings.
    `counts`: the fates of the rows of a model with a contract, or of those that an incremental build added: `delta`.
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
    delta: Delta | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    """What the entry says besides."""
