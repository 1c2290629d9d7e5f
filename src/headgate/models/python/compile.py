"""Files of Python models to drafts and functions. Nothing of them is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from headgate.core.errors import Location, ProjectError
from headgate.models.model import ModelSource
from headgate.models.names import Input
from headgate.models.python.canonical import digest
from headgate.models.python.function import Function, Read
from headgate.models.python.signature import THIS, Signature, dbt_name, signature
from headgate.models.render import Draft, Renderer
from headgate.models.template import Call, Refused, parse
from headgate.sql import quote

SUFFIX = ".py"
_NO_SQL = "select 1"
"""Stands for the SQL of a draft, where only what it reads matters."""


def is_python(source: ModelSource) -> bool:
    return source.path.suffix == SUFFIX


def draft(source: ModelSource) -> Draft:
    """The file as the first pass leaves it. *Errors*: ProjectError `python-file`, `python-model`, `model-config`."""
    path = str(source.path)
    said = signature(source.text, path)
    made = Draft(source, parse(_NO_SQL, path), calls=list(said.calls), signature=said)
    made.config.materialized = "table"
    for setting in said.settings:
        try:
            made.config.take(**setting.values)
            _refuse_views(made)
        except Refused as error:
            raise ProjectError.of(error.code, error.what, Location(path, setting.line), error.fix) from error
    return made


def _refuse_views(made: Draft) -> None:
    kind = made.config.materialized
    if kind in ("view", "ephemeral"):
        what = f"materialized={kind!r}: what a function gives are rows, which only a table can hold"
        raise Refused("model-config", what, "Write materialized='table' or 'incremental'")


def function(made: Draft, renderer: Renderer, read: Callable[[Input], str] | None = None, this: str = "") -> Function:
    """The compiled function. `read`: what stands for an input, `this` for the model's own table, if that is another.

    *Errors*: ProjectError `unknown-ref`, `ambiguous-ref` at the parameter.
    """
    from headgate.adapters.python.code import Code

    source, said = made.source, said_by(made)
    assert source.home is not None
    home, path = source.home, source.path.as_posix()
    inputs = tuple(
        replace(_read(one.call, renderer, path, read), name=one.name, kind=one.kind)
        for one in said.parameters
        if one.call is not None
    )
    own = next((one for one in said.parameters if one.call is None), None)
    standing = f"SELECT * FROM {this or quote.table(made.target)}"
    return Function(
        Code(home.root, path, (home.root,)),
        home.temp,
        inputs,
        digest(source.text, home.root / source.path, home.root),
        Read(THIS, own.kind, standing, None if this else made.target) if own is not None else None,
        said.dbt,
        tuple(made.config.said.items()),
    )


def said_by(made: Draft) -> Signature:
    """What the file of a draft says, which is a Python model's."""
    assert made.signature is not None
    return made.signature


def _read(call: Call, renderer: Renderer, path: str, read: Callable[[Input], str] | None) -> Read:
    one = renderer.resolve(call, path)
    given = read or (lambda found: found.sql)
    if one.ephemeral:
        return Read(dbt_name(call), "relation", renderer.select(renderer.drafts[one.name], read=given).sql)
    return Read(dbt_name(call), "relation", f"SELECT * FROM {given(one)}", None if read else one.table)
