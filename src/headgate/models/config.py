"""What `config(...)` in a model may say, and where the model then lives."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

from headgate.core.errors import nearest
from headgate.models.model import READ_PREFIX, STAGE_MARK, Materialized, ModelSource
from headgate.models.template import Refused

KEYS = ("materialized", "schema", "tags")
KINDS = ("table", "view")
RESERVED = ("_headgate", "information_schema", "pg_catalog", "system", "temp")


@dataclass
class Config:
    """Filled while the template renders: a later `config()` adds to an earlier one."""

    materialized: Materialized = "view"
    schema: str | None = None
    tags: tuple[str, ...] = field(default=())

    def take(self, *words: object, **options: Any) -> str:
        """The `config` of a template. Raises Refused `model-config` for what it does not know."""
        if words:
            raise _wrong("config() takes its settings by name", "Write config(materialized='table')")
        for key, value in options.items():
            if key not in KEYS:
                raise _wrong(f"config() has no setting {key!r}{nearest(key, KEYS)}", f"Use {', '.join(KEYS)}")
            getattr(self, f"_{key}")(value)
        return ""

    def _materialized(self, value: object) -> None:
        if value not in KINDS:
            hint = nearest(str(value), KINDS)
            raise _wrong(f"materialized={value!r} is unknown{hint}", "Use materialized='view' or materialized='table'")
        self.materialized = cast(Materialized, value)

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
    """The config with its schema decided. Raises Refused `model-config` if the folder's name is reserved."""
    if config.schema is not None:
        return config
    schema = default_schema(source.folder)
    if is_reserved(schema):
        fix = "Rename the folder, or write config(schema='gold')"
        raise _wrong(f"the folder {schema!r} has the name of a reserved schema", fix)
    return replace(config, schema=schema)
