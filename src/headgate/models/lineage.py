"""The column lineage of models: each query is walked once, in the order in which models are built."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import cache, lru_cache
from typing import Protocol

from headgate.contracts.model import Contract
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models.model import Model
from headgate.models.names import read_view
from headgate.models.versions import made_of
from headgate.sql.lineage.flow import ANY, ROWS, Flow, Flows, named, union
from headgate.sql.lineage.known import Dialect, Known, Macro, Traced
from headgate.sql.lineage.wire import dumps, loads

VERSION = "1"
"""Part of the key of what is kept: a change of what the walk finds is a change of it."""
FUNCTION = "it is a function in Python"
"""Why nothing is told apart."""
_WORD = re.compile(r"\w+")
_PLAIN = re.compile(r"[^\W\d]\w*")


class Kept(Protocol):
    """Texts by key that outlive the process. Losing one costs time, nothing else."""

    def get(self, key: str) -> str | None: ...
    def put(self, key: str, text: str) -> None: ...


@dataclass
class Forgetful:
    """Keeps nothing."""

    def get(self, key: str) -> str | None:
        return None

    def put(self, key: str, text: str) -> None:
        return None


@dataclass(frozen=True)
class Surroundings:
    """What lineage needs to know besides the models.

    `loaded`: the tables of ingest files, with their columns, by their place. `built`: the columns that the warehouse
    has of a model, none unless it was built from just this SQL; it is asked where the query alone does not tell them.
    `macros`: those of the warehouse. `gone`: columns that models had once, which later models may still read.
    """

    dialect: Dialect
    loaded: Mapping[TableRef, Known]
    built: Callable[[Model], tuple[str, ...]] = lambda model: ()
    macros: Sequence[Macro] = ()
    kept: Kept = field(default_factory=Forgetful)
    gone: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def trace_models(models: Iterable[Model], around: Surroundings) -> dict[str, Traced]:
    """The lineage of every model, by name. `models` stand in building order.

    *Guarantee*: of a query that can't be taken apart, every column comes of everything that the model reads, and
    `doubt` says so; a column is never left out because it was not understood.
    """
    walk = _Walk(around, _by_place(around.loaded))
    return {model.name: walk.model(model) for model in models}


def _words(sql: str) -> set[str]:
    """The words of a text, whose case does not count."""
    if sql.isascii():
        return set(_WORD.findall(sql.lower()))
    return {word.casefold() for word in _WORD.findall(sql)}  # of a whole text it may take words apart


def _by_place(loaded: Mapping[TableRef, Known]) -> dict[str, Known]:
    """Loaded tables as models name them: through their view, or themselves."""
    return {str(place).casefold(): known for table, known in loaded.items() for place in (read_view(table), table)}


def _sql(model: Model) -> str:
    """What gives the model's columns: of a snapshot, more than its SELECT."""
    return model.sql if model.snapshot is None else made_of(model.sql, model.snapshot)


class _Walk:
    """One walk over the models of a project."""

    def __init__(self, around: Surroundings, tables: dict[str, Known]) -> None:
        self._around = around
        self._tables = tables
        self._places: dict[str, list[str]] = {}
        self._macros: dict[str, list[Macro]] = {}
        for macro in around.macros:
            self._macros.setdefault(macro.name.casefold(), []).append(macro)
        self._in_macros = {word for one in around.macros for word in _words(one.sql)}
        self._bare: dict[str, list[str]] = {}
        for place, known in tables.items():
            self._index(place, known)
        self._common = json.dumps([VERSION, version(), around.dialect, [vars(one) for one in around.macros]])

    def model(self, model: Model) -> Traced:
        if model.python is not None:
            return self._judged(model, opaque(model.inputs))
        tables = self._readable(model)
        key = self._key(model, tables)
        text = self._around.kept.get(key)
        traced = loads(text) if text is not None else None
        if traced is None:
            traced = self._traced(model, tables)
            self._around.kept.put(key, dumps(traced))
        return self._judged(model, traced)

    def _judged(self, model: Model, traced: Traced) -> Traced:
        if model.split is not None:
            traced = judged(model.split.contract, traced)
        elif _unsure(traced) and (columns := self._around.built(model)):
            traced = settled(traced, columns)
        self._add(model, traced)
        return traced

    def _traced(self, model: Model, tables: Mapping[str, Known]) -> Traced:
        from headgate.sql.lineage.trace import trace  # loads the parser: not where everything is known already

        macros = {name: tuple(found) for name, found in self._macros.items()}
        reads = dict.fromkeys([*model.inputs, *(known.name for known in tables.values())])
        return trace(_sql(model), self._around.dialect, tables, list(reads), macros)

    def _readable(self, model: Model) -> dict[str, Known]:
        """The tables that the model can mean: those it references, and those whose names stand in its SQL."""
        words = _words(model.sql)
        if words & self._macros.keys():  # a macro may read a table that the model does not name
            words |= self._in_macros
        near = [place for word in words & self._bare.keys() for place in self._bare[word]]
        given = [place for name in model.inputs for place in self._places.get(name, ())]
        found = {place: self._tables[place] for place in sorted({*near, *given})}
        if model.target.name.casefold() in words:  # it may read the rows that it has already
            found.setdefault(str(model.target).casefold(), Known.by_name(model.name))
        return found

    def _key(self, model: Model, tables: Mapping[str, Known]) -> str:
        seen = sorted((place, one.name, one.columns, one.more) for place, one in tables.items())
        parts = json.dumps([self._common, _sql(model), model.inputs, seen])
        return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()

    def _add(self, model: Model, traced: Traced) -> None:
        """What later models know of this one."""
        columns = [*(name for name, _ in traced.columns), *self._around.gone.get(model.name, ())]
        known = Known(model.name, tuple(columns), traced.rest is not None)
        for place in (str(one).casefold() for one in (model.target, read_view(model.target))):
            self._tables[place] = known
            self._index(place, known)

    def _index(self, place: str, known: Known) -> None:
        self._places.setdefault(known.name, []).append(place)
        self._bare.setdefault(place.rpartition(".")[2], []).append(place)


def opaque(inputs: Sequence[str]) -> Traced:
    """The lineage of a model that is a function: every column comes of everything that it is given."""
    every = frozenset(Flow(name, ANY, "transformation") for name in inputs)
    there = frozenset(Flow(name, ROWS, "rows") for name in inputs)
    return Traced((), every, there | frozenset(one._replace(kind="filter") for one in every), doubt=FUNCTION)


@cache
def version() -> str:
    """The version of the parser, without loading it."""
    from importlib.metadata import version as installed

    return installed("sqlglot")


# -- what is not said by a query ---------------------------------------------------------------------------------------


def _unsure(traced: Traced) -> bool:
    """Whether the engine may know the columns better: some are unknown, or have a name that the engine made."""
    return traced.rest is not None or not all(_is_plain(name) for name, _ in traced.columns)


@lru_cache(4096)
def _is_plain(name: str) -> bool:
    return _PLAIN.fullmatch(name) is not None


def settled(traced: Traced, columns: Sequence[str]) -> Traced:
    """The lineage with the columns as the warehouse has them: none is left unknown, and names are the engine's."""
    if traced.rest is None and len(traced.columns) == len(columns):
        renamed = tuple((name, flows) for name, (_, flows) in zip(columns, traced.columns, strict=True))
        return replace(traced, columns=renamed)
    made = tuple((name, _flows_of(traced, name)) for name in columns)
    return replace(traced, columns=made, rest=None)


def _flows_of(traced: Traced, name: str) -> Flows:
    """What a column of this name is made of; everything, where there is none."""
    found = [flows for own, flows in traced.columns if own.casefold() == name.casefold()]
    if found:
        return union(found)
    return named(traced.rest, name) if traced.rest is not None else union(flows for _, flows in traced.columns)


def judged(contract: Contract, before: Traced) -> Traced:
    """The lineage of a table whose rows pass a contract: it has the contract's columns, and those that the contract
    judges decide which rows there are."""
    columns = tuple((one.name, _flows_of(before, one.source)) for one in contract.columns)
    by_name = {one.name.casefold(): flows for one, (_, flows) in zip(contract.columns, columns, strict=True)}
    deciding = union(by_name.get(name.casefold(), frozenset()) for name in judging(contract))
    rows = {flow if flow.kind == "rows" else flow._replace(kind="filter") for flow in deciding}
    for rule in contract.references:
        rows |= {Flow(rule.to_table, ROWS, "rows"), *(Flow(rule.to_table, to, "filter") for to in rule.to_columns)}
    return replace(before, columns=columns, rest=None, rows=before.rows | rows)


def judging(contract: Contract) -> list[str]:
    """The columns for which a row may be refused: all of them where a rule names none."""
    everything = [one.name for one in contract.columns]
    loose = any(rule.column is None and rule.severity == "error" for rule in contract.rows)
    if loose or contract.skips or contract.calls or contract.model is not None or contract.batches:
        return everything
    found = {rule.column for rule in contract.rows if rule.severity == "error"}
    found |= {name for rule in contract.references if rule.severity == "error" for name in rule.columns}
    found |= {column for rule in contract.uniques for column in rule.columns}
    found |= {one.name for one in contract.columns if one.required or one.key or one.type.name != "text"}
    found |= {one.name for one in contract.columns if one.type.length is not None}
    return [name for name in everything if name in found]
