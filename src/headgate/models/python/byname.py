"""What a model that is written for dbt is called with: `dbt` and `session`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headgate.core.errors import ProjectError, nearest
from headgate.core.protocols import Engine
from headgate.models.python.signature import THIS, dbt_name
from headgate.models.template import Call


class Asked:
    """The `dbt` of a Python model: gives its inputs by name, and what it said of itself."""

    def __init__(self, given: Mapping[str, Any], settings: Mapping[str, object], file: str) -> None:
        self._given, self._file = given, file
        self.config = Settings(settings)

    @property
    def this(self) -> Any:
        """The rows that stand. Raises ProjectError where none do."""
        found = self._given.get(THIS)
        if found is None:
            what = "dbt.this is asked for, and no rows stand that the model adds to"
            fix = "ask dbt.is_incremental first, a property: if dbt.is_incremental:"
            raise ProjectError.of("python-model", what, self._file, fix)
        return found

    @property
    def is_incremental(self) -> bool:
        return self._given.get(THIS) is not None

    def ref(self, *names: str) -> Any:
        return self._input("ref", names)

    def source(self, *names: str) -> Any:
        return self._input("source", names)

    def _input(self, word: str, names: tuple[str, ...]) -> Any:
        name = dbt_name(Call(word, names, 0))
        if name not in self._given:
            what = f"dbt.{name} was not found in the text of model(){nearest(name, self._given)}"
            fix = f'write dbt.{word}("name") within model() itself, with the name in quotes'
            raise ProjectError.of("python-model", what, self._file, fix)
        return self._given[name]


class Settings:
    """`dbt.config`: a call was read in the text and does nothing more; `get` tells what was said."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self._settings = settings

    def __call__(self, **settings: object) -> None:
        return None

    def get(self, name: str, default: object = None) -> object:
        return self._settings.get(name, default)


class DbtSession:
    """The `session` of a Python model: the engine, for SELECTs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def sql(self, query: str) -> Any:
        """The SELECT as a DuckDBPyRelation."""
        return self._engine.relation(query)
