"""What `config(...)` in a model may say, and where the model then lives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from headgate.core.errors import nearest
from headgate.models import keeping
from headgate.models.model import (
    READ_PREFIX,
    STAGE_MARK,
    Grain,
    Materialized,
    ModelSource,
    OnSchemaChange,
    Severity,
    Snapshot,
    Strategy,
)
from headgate.models.template import Refused

KEYS = (
    "materialized",
    "schema",
    "tags",
    "incremental_strategy",
    "unique_key",
    "on_schema_change",
    "time_column",
    "interval",
    "lookback",
    "severity",
    *keeping.KEYS,
)
INCREMENTAL = ("incremental_strategy", "unique_key", "on_schema_change", "time_column", "interval", "lookback")
KINDS = ("table", "view", "incremental", "ephemeral", "snapshot")
STRATEGIES = ("append", "merge", "delete+insert")
GRAINS = ("hour", "day", "week", "month", "year")
SCHEMA_CHANGES = {
    "error": "error",
    "fail": "error",
    "append": "append",
    "append_new_columns": "append",
    "sync": "sync",
    "sync_all_columns": "sync",
    "ignore": "ignore",
}
RESERVED = ("_headgate", "information_schema", "pg_catalog", "system", "temp")


@dataclass
class Config:
    """Filled while the template renders: a later `config()` adds to an earlier one."""

    materialized: Materialized | Literal["ephemeral"] = "view"
    schema: str | None = None
    tags: tuple[str, ...] = field(default=())
    strategy: Strategy | None = None
    unique_key: tuple[str, ...] = ()
    on_schema_change: OnSchemaChange = "error"
    time_column: str = ""
    interval: Grain = "day"
    lookback: int | None = None
    severity: Severity = "error"
    snapshot: Snapshot | None = None
    said: dict[str, object] = field(default_factory=dict)

    def take(self, *words: object, **options: Any) -> str:
        """The `config` of a template. Raises Refused `model-config` for what it does not know."""
        if words:
            raise _wrong("config() takes its settings by name", "Write config(materialized='table')")
        for key, value in options.items():
            if key not in KEYS:
                raise _wrong(f"config() has no setting {key!r}{nearest(key, KEYS)}", f"Use {', '.join(KEYS)}")
            if key not in keeping.KEYS:  # these are looked at together
                getattr(self, f"_{key}")(value)
            self.said[key] = value
        return ""

    def _materialized(self, value: object) -> None:
        if value not in KINDS:
            hint = nearest(str(value), KINDS)
            raise _wrong(f"materialized={value!r} is unknown{hint}", f"Use one of {', '.join(KINDS)}")
        self.materialized = cast(Materialized, value)

    def _severity(self, value: object) -> None:
        self.severity = cast(Severity, _one_of("severity", value, ("error", "warn")))

    def _incremental_strategy(self, value: object) -> None:
        self.strategy = cast(Strategy, _one_of("incremental_strategy", value, STRATEGIES))

    def _on_schema_change(self, value: object) -> None:
        self.on_schema_change = cast(OnSchemaChange, SCHEMA_CHANGES[_one_of("on_schema_change", value, SCHEMA_CHANGES)])

    def _interval(self, value: object) -> None:
        self.interval = cast(Grain, _one_of("interval", value, GRAINS))

    def _time_column(self, value: object) -> None:
        if not _is_name(value):
            raise _wrong(f"time_column={value!r} is no column", "Write time_column='ordered_at'")
        self.time_column = cast(str, value)

    def _lookback(self, value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 100_000:
            raise _wrong(f"lookback={value!r} is no number of intervals", "Write lookback=3")
        self.lookback = value

    def _unique_key(self, value: object) -> None:
        names = (value,) if isinstance(value, str) else value
        folded = [name.casefold() for name in names if _is_name(name)] if isinstance(names, list | tuple) else []
        if not isinstance(names, list | tuple) or not folded or len(set(folded)) < len(names):
            raise _wrong(f"unique_key={value!r} names no columns", "Write unique_key='id' or unique_key=['id', 'day']")
        self.unique_key = tuple(names)

    def _schema(self, value: object) -> None:
        if not isinstance(value, str) or not value.strip() or "\x00" in value:
            raise _wrong(f"schema={value!r} is no name", "Write schema='gold'")
        if is_reserved(value):
            raise _wrong(f"schema {value!r} is reserved", "Choose another schema, e.g. schema='gold'")
        self.schema = value

    def _tags(self, value: object) -> None:
        tags = (value,) if isinstance(value, str) else value
        if not isinstance(tags, list | tuple) or not all(isinstance(tag, str) for tag in tags):
            raise _wrong("tags are a text or a list of texts", "Write tags=['daily', 'finance']")
        self.tags = tuple(dict.fromkeys((*self.tags, *tags)))


class ConfigWord:
    """The `config` of a template: a call sets, `config.get` tells what was set."""

    def __init__(self, config: Config, frozen: bool = False) -> None:
        self._config, self._frozen = config, frozen

    def __call__(self, *words: object, **options: Any) -> str:
        return "" if self._frozen else self._config.take(*words, **options)

    def get(self, name: str, default: object = None) -> object:
        """The setting as the file wrote it, else `default`."""
        return self._config.said.get(name, default)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "\x00" not in value


def _one_of(key: str, value: object, words: Iterable[str]) -> str:
    if isinstance(value, str) and value in words:
        return value
    raise _wrong(f"{key}={value!r} is unknown{nearest(str(value), words)}", f"Use one of {', '.join(words)}")


def _wrong(what: str, fix: str) -> Refused:
    return Refused("model-config", what, fix)


def is_reserved(schema: str) -> bool:
    """Whether a schema belongs to Headgate or to the engine."""
    folded = schema.casefold()
    return folded in RESERVED or folded.startswith(READ_PREFIX)


def default_schema(folder: str) -> str:
    """The first folder below `models/`, else `main`."""
    first = folder.replace("\\", "/").strip("/").split("/")[0]
    return first or "main"


def name_problem(name: str) -> str:
    """Why a file name cannot name a model; empty if it can."""
    if not name.strip() or "\x00" in name:
        return "is empty"
    if "." in name:
        return "holds a dot, which separates schema and table"
    return f"holds {STAGE_MARK!r}, which marks staged tables" if STAGE_MARK in name.casefold() else ""


def settled(config: Config, source: ModelSource) -> Config:
    """The config with its schema and its strategy decided. Raises Refused `model-config` for what does not go together,
    and where the folder's name is reserved."""
    config = _snapshot(config) if config.materialized == "snapshot" else _incremental(config)
    if "severity" in config.said:
        raise _wrong("severity is a setting of tests", "Write it in a file of tests/, or in the YAML of the test")
    if config.schema is not None:
        return config
    schema = default_schema(source.folder)
    if is_reserved(schema):
        fix = "Rename the folder, or write config(schema='gold')"
        raise _wrong(f"the folder {schema!r} has the name of a reserved schema", fix)
    return replace(config, schema=schema)


def _snapshot(config: Config) -> Config:
    stray = next((key for key in INCREMENTAL if key in config.said and key != "unique_key"), None)
    if stray is not None:
        raise _wrong(f"{stray} does not go with materialized='snapshot'", "Leave it out")
    return replace(config, snapshot=keeping.snapshot(config.said, config.unique_key))


def _incremental(config: Config) -> Config:
    if stray := next((key for key in keeping.KEYS if key in config.said), None):
        raise _wrong(f"{stray} does not go with materialized='{config.materialized}'", "Write materialized='snapshot'")
    if config.materialized != "incremental":
        stray = next((key for key in INCREMENTAL if key in config.said), None)
        if stray is not None:
            raise _wrong(
                f"{stray} does not go with materialized='{config.materialized}'", "Write materialized='incremental'"
            )
        return config
    key, time = config.unique_key, config.time_column
    strategy = config.strategy or ("delete+insert" if time else "merge" if key else "append")
    if strategy == "append" and (key or time):
        raise _wrong(
            "append takes no unique_key and no time_column", "Use incremental_strategy='merge', or leave it out"
        )
    if strategy == "merge" and not key:
        raise _wrong("merge needs to know a row by its key", "Write unique_key='id'")
    if strategy == "delete+insert" and not key and not time:
        raise _wrong("delete+insert needs to know what to delete", "Write unique_key='id', or time_column='day'")
    if not time and (stray := next((name for name in ("interval", "lookback") if name in config.said), None)):
        raise _wrong(f"{stray} needs a time_column", "Write time_column='ordered_at'")
    return replace(config, strategy=strategy)
