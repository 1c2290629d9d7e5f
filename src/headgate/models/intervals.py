"""Models that are built by intervals of time: what is compiled for them.

Where every input is a loaded table, or a view over such, the rows that came since the last build can be told by the
entry that they name. The model's own SELECT over these rows alone then says in which intervals they belong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from headgate.models import lexer
from headgate.models.model import Intervals, Late
from headgate.models.names import Input
from headgate.models.render import Draft, Renderer
from headgate.sql import quote

_MARK = "\x00{}\x00"
"""Stands for a schema that has its name only when the model is built; no name holds a NUL."""


def intervals(draft: Draft, renderer: Renderer, every: Mapping[str, Draft]) -> Intervals:
    """How the model is built by intervals. `every`: all files by the model's name."""
    config = draft.config
    plain = Intervals(config.time_column, config.interval, config.lookback)
    found: dict[str, Late] = {}
    made = renderer.select(draft, read=late_name)
    if not all(_add(one, renderer, every, found) for one, _ in made.inputs.values()):
        return plain
    return Intervals(plain.column, plain.grain, plain.lookback, tuple(found.values()), made.sql)


def late_name(one: Input) -> str:
    """An input under its own name, in a schema that is to be made."""
    return f"{_mark(one)}.{quote.ident(one.table.name)}"


def _mark(one: Input) -> str:
    return _MARK.format(one.table.schema)


def _add(one: Input, renderer: Renderer, every: Mapping[str, Draft], found: dict[str, Late]) -> bool:
    """Whether new rows of the input can be told; it and what it reads are then in `found`, inputs first."""
    if one.name in found:
        return True
    draft = every.get(one.name)
    if draft is None:
        found[one.name] = Late(one.name, one.table, _mark(one))
        return True
    if draft.config.materialized != "view":
        return False
    made = renderer.select(draft, read=late_name)
    if not all(_add(deeper, renderer, every, found) for deeper, _ in made.inputs.values()):
        return False
    digest = hashlib.sha256(lexer.normal(made.sql).encode("utf-8", "surrogatepass")).hexdigest()
    found[one.name] = Late(one.name, one.table, _mark(one), made.sql, digest)
    return True
