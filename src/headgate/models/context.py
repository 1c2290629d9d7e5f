"""What templates know: the words of the context, and what they answer.

Every word is made here, by `words`; another set of words is another function beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field

from headgate.core import environ
from headgate.core.errors import nearest
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models.kit import Kit
from headgate.models.macros import Library
from headgate.models.template import Refused
from headgate.sql import quote

_NOTHING = object()
SECRET_PREFIXES = ("DBT_ENV_SECRET", "HEADGATE_SECRET")


@dataclass(frozen=True)
class Target:
    """Where the project runs: the profile's name, the schema of models without a folder, and the system."""

    name: str = "default"
    schema: str = "main"
    type: str = "duckdb"


@dataclass(frozen=True)
class Settings:
    """What is the same for every template of a project."""

    vars: Mapping[str, object] = field(default_factory=dict)
    target: Target = field(default_factory=Target)
    macros: Library = field(default_factory=Library)


@dataclass(frozen=True)
class Relation:
    """A table or view in a template: its text is the SQL that reads it."""

    sql: str
    schema: str
    name: str

    def __str__(self) -> str:
        return self.sql

    @property
    def identifier(self) -> str:
        return self.name

    @classmethod
    def of(cls, table: TableRef) -> Relation:
        return cls(quote.table(table), table.schema, table.name)


@dataclass(frozen=True)
class Rendering:
    """What is particular to one rendering of one file.

    `execute` is false while only settings and references are collected; `incremental`: what `is_incremental()` says.
    """

    config: Callable[..., str]
    ref: Callable[..., object]
    source: Callable[..., object]
    this: Relation | None = None
    incremental: bool = False
    execute: bool = True


def words(settings: Settings, one: Rendering, uses: frozenset[str]) -> dict[str, object]:
    """The context of a rendering, with the macros that it uses."""
    made: dict[str, object] = {
        "config": one.config,
        "ref": one.ref,
        "source": one.source,
        "is_incremental": lambda: one.incremental,
        "var": Vars(settings.vars),
        "env_var": env_var,
        "target": settings.target,
        "execute": one.execute,
    }
    if one.this is not None:
        made["this"] = one.this
    made["hg"] = Kit(made)
    return settings.macros.bind(made, uses)


class Vars:
    """`var(name, default)`, and `var.has_var(name)`."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def __call__(self, name: str, default: object = _NOTHING) -> object:
        if name in self._values:
            return self._values[name]
        if default is _NOTHING:
            what = f"var('{name}') is not set{nearest(str(name), self._values)}"
            fix = f"Set it under vars: in headgate.yml, or with --vars '{name}: value', or write var('{name}', default)"
            raise Refused("unknown-var", what, fix)
        return default

    def has_var(self, name: str) -> bool:
        return name in self._values


def env_var(name: str, default: object = _NOTHING) -> object:
    """`env_var(name, default)`. Variables that are named as secrets don't come into SQL, where messages show them."""
    if str(name).startswith(SECRET_PREFIXES):
        what = f"env_var('{name}') names a secret, and the SQL of models is shown in messages"
        raise Refused("unknown-var", what, "Rename the variable if it is none")
    value = environ.variable(str(name))
    if value is not None:
        return value
    if default is _NOTHING:
        what = f"env_var('{name}') is not set in the environment"
        raise Refused("unknown-var", what, f"Set the variable {name}, or write env_var('{name}', default)")
    return default
