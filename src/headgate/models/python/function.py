"""A model that is a function, compiled: its code, and the SELECT of each input."""

from __future__ import annotations

import json
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models.python.kinds import Kind

if TYPE_CHECKING:
    from headgate.adapters.python.code import Code


@dataclass(frozen=True)
class CodeHome:
    """Where the code of a project stands, and where files may be kept while it runs."""

    root: Path
    temp: Path


@dataclass(frozen=True)
class Read:
    """One input: the parameter that is given it, as what, and the SELECT of its rows in physical names.

    `table`: what stands behind it, which knows its columns' types; None for a SELECT of its own.
    """

    name: str
    kind: Kind
    select: str
    table: TableRef | None = None


@dataclass(frozen=True)
class Function:
    """`def model` of a file. `this`: how the rows that stand are given, where it asks for them. `digest`: of the code.

    `dbt`: it is called as dbt calls Python models. `settings`: what its `config` said, which only that may ask for.
    """

    code: Code = field(compare=False)
    temp: Path
    inputs: tuple[Read, ...]
    digest: str
    this: Read | None = None
    dbt: bool = False
    settings: tuple[tuple[str, object], ...] = ()

    @property
    def identity(self) -> str:
        """Changes when the rows could change although no input did."""
        return json.dumps([self.digest, [[one.name, one.kind, one.select] for one in self.inputs]])

    @property
    def file(self) -> str:
        """Its path, as messages tell it."""
        return self.code.file
