"""What a project's files say, as plain data with a place for every value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Literal

from headgate.books.history import History
from headgate.contracts.evolution import Policy
from headgate.contracts.great_expectations.suite import Suite
from headgate.contracts.model import Contract, Limit
from headgate.core.errors import Location
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.gate.horizon import Horizon
from headgate.models.checkfiles import SqlTest
from headgate.models.macros import MacroFile
from headgate.models.model import ModelCheck
from headgate.models.unit import UnitSpec
from headgate.project.condition import Condition
from headgate.project.exposures import Exposure
from headgate.project.layers import Layers

Disposition = Literal["append", "upsert", "insert", "replace", "partition", "scd2"]
OnChange = Literal["error", "ignore", "reload"]


@dataclass(frozen=True)
class Retries:
    """How often a step is tried where an error may pass, and the seconds between: `wait`, each time `backoff` times as
    long, at most `max`, up to the share `jitter` longer or shorter by chance."""

    attempts: int = 1
    wait: float = 1.0
    backoff: float = 2.0
    max: float = 60.0
    jitter: float = 0.0


@dataclass(frozen=True)
class StepSettings:
    """How a step is run. `optional`: what needs it goes on with the rows that were published before; `timeout` in
    seconds; None where the project's settings hold. `when`: it is skipped unless that is true; `pool`: whose places it
    takes turns for, and `pool_at` where that is said."""

    tags: tuple[str, ...] = ()
    optional: bool = False
    timeout: float | None = None
    retries: Retries | None = None
    when: Condition | None = None
    pool: str = ""
    pool_at: Location | None = field(default=None, compare=False)


TaskKind = Literal["python", "sql", "shell"]
Trigger = Literal["all_success", "all_done", "one_failed", "none_failed", "all_failed", "one_success"]


@dataclass(frozen=True)
class Word:
    """A word of a file, and where it stands."""

    text: str
    where: Location


@dataclass(frozen=True)
class Task:
    """One file of `tasks/`: a step that fills no table. `does`: the function (`jobs.py:notify`), the SQL file, the
    command of a shell or the words of a program.

    `values`: what it is given by name: plain data, in which a text may name secrets and a `Condition` is computed.
    `needs`, `before`: words that choose steps. `connection`: where its SQL runs, None for the warehouse; in one
    `transaction`, or statement by statement. `retry_on_exit`: codes of a program that say that it may work later.
    """

    name: str
    kind: TaskKind
    does: str | tuple[str | Condition, ...]
    where: Location
    values: Mapping[str, object] = field(default_factory=dict)
    needs: tuple[Word, ...] = ()
    before: tuple[Word, ...] = ()
    trigger: Trigger = "all_success"
    connection: Warehouse | None = None
    transaction: bool = True
    retry_on_exit: tuple[int, ...] = ()
    settings: StepSettings = field(default_factory=StepSettings)


@dataclass(frozen=True)
class SourceSpec:
    """What stands under `from:`: the adapter's name and its options (already checked against its known options).

    `options["path"]` is the path or glob as written; `places` maps an option to where it was written.
    """

    kind: str
    options: Mapping[str, Any]
    where: Location
    places: Mapping[str, Location] = field(default_factory=dict)


@dataclass(frozen=True)
class Tombstones:
    """Records that tell that their identity is gone, under upsert: the SQL `condition` on them, and the `column` of the
    table, beside the contract's, that says so of a row."""

    condition: str
    column: str


@dataclass(frozen=True)
class LoadSpec:
    """What stands under `load:`. `keys`: the identity of upsert and insert, the columns that name a partition.
    `order_by` for upsert and scd2, `history` for scd2, `tombstones` for upsert; `previous`, for upsert: columns, and
    beside each the name of the one that keeps what it said before it last changed."""

    kind: Disposition = "append"
    keys: tuple[str, ...] = ()
    order_by: str | None = None
    history: History | None = None
    duplicates: Literal["latest", "refuse"] = "latest"
    allow_empty: bool = False
    where: Location | None = None
    tombstones: Tombstones | None = None
    previous: tuple[tuple[str, str], ...] = ()
    horizon: Horizon | None = None
    """Under insert, how far apart two rows of one identity must be; None: there is one for ever."""

    @property
    def deleted_if(self) -> str:
        """The condition under which a record tells that its identity is gone; empty where none is said."""
        if self.tombstones is not None:
            return self.tombstones.condition
        return self.history.deleted_if if self.history else ""


@dataclass(frozen=True)
class Ingest:
    """One ingest file. `contract` is None for a two-line ingest: its types are then taken from the data.

    `suite`: rules without types, which join those of the data.
    """

    table: TableRef
    source: SourceSpec
    load: LoadSpec
    contract: Contract | None
    extra: Literal["error", "ignore", "quarantine", "evolve"] = "error"
    missing: Literal["error", "null"] = "error"
    evolution: Policy = field(default_factory=Policy)
    on_change: OnChange = "error"
    twin_files: Literal["load", "skip"] = "load"
    where: Location | None = None
    places: Mapping[str, Location] = field(default_factory=dict)
    suite: Suite | None = None
    land: Literal["", "raw"] = ""
    """`raw`: every record is kept as it was received, with only its structure checked; there is no contract."""
    limit: Limit | None = None
    """Of a raw landing, which has no contract to say it."""
    freshness_secs: int | None = None
    """After how many seconds without a load the table is stale; None: the history of its loads says it."""
    settings: StepSettings = field(default_factory=StepSettings)

    @property
    def reads(self) -> TableRef | None:
        """The raw landing that the rows come from; None where they come from elsewhere."""
        return TableRef.parse(str(self.source.options["table"])) if self.source.kind == "table" else None


@dataclass(frozen=True)
class ModelSplit:
    """The contract of a model's rows, and where it and its conditions stand."""

    contract: Contract
    where: Location
    places: Mapping[str, Location] = field(default_factory=dict)


@dataclass(frozen=True)
class PublishGroup:
    """Models that are published together, by a name that messages call them."""

    name: str
    models: tuple[str, ...]
    where: Location


@dataclass(frozen=True)
class ModelFile:
    """One model, in SQL or Python: its text, and the tests and the contract that YAML files beside it declare."""

    name: str
    path: Path
    text: str
    folder: str
    tests: tuple[ModelCheck, ...] = ()
    split: ModelSplit | None = None
    settings: StepSettings = field(default_factory=StepSettings)
    unit_tests: tuple[UnitSpec, ...] = ()


@dataclass(frozen=True)
class Warehouse:
    """Where the tables are: a DuckDB file (`address` is its path), or a PostgreSQL database (a connection URL).

    `shown`: what messages call it, without a secret.
    """

    kind: Literal["duckdb", "postgres"]
    address: str = field(repr=False)
    shown: str

    @property
    def path(self) -> Path:
        return Path(self.address)


@dataclass(frozen=True)
class Observing:
    """How a project is watched: how long runs are remembered (None: for ever), how many refused records may wait before
    a table is no longer healthy, whether a run writes the page, and how many records of each reason stand in it."""

    keep_secs: int | None = 90 * 86_400
    quarantine_at_most: Limit = field(default_factory=lambda: Limit(share=0.05))
    page: bool = True
    samples: int = 0


@dataclass(frozen=True)
class Project:
    """Everything that the files of one project say."""

    root: Path
    name: str
    warehouse: Warehouse
    ingests: tuple[Ingest, ...] = ()
    models: tuple[ModelFile, ...] = ()
    limits: Mapping[str, str] = field(default_factory=dict)
    """What the engine may take: `memory_limit` and `threads`, as it spells them."""
    groups: tuple[PublishGroup, ...] = ()
    exposures: tuple[Exposure, ...] = ()
    observing: Observing = field(default_factory=Observing)
    settings: StepSettings = field(default_factory=StepSettings)
    """What holds for every step that does not say otherwise."""
    threads: int = 1
    """How many steps may be carried out at once."""
    macros: tuple[MacroFile, ...] = ()
    sql_tests: tuple[SqlTest, ...] = ()
    vars: Mapping[str, object] = field(default_factory=dict)
    """What `var()` in a template answers."""
    profile: str = "default"
    layers: Layers | None = None
    """Which schemas are bronze, silver and gold; None where nothing is declared."""
    tasks: tuple[Task, ...] = ()
    pools: Mapping[str, int] = field(default_factory=dict)
    """How many steps of each pool are carried out at once."""
