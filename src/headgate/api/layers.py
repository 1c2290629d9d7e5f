"""The conventions of the medallion layers as findings of `check`, where a project declares layers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from headgate.contracts.model import Contract
from headgate.core.errors import Finding
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models import lexer
from headgate.models.model import Model
from headgate.project.layers import LAYERS, Layers
from headgate.run.flow import Flow
from headgate.run.pipeline import Pipeline

DIMENSIONAL = ("dim", "fct", "fact", "bridge", "agg", "obt", "rpt")
"""First words of the names of dimensions, facts and the like."""
AGGREGATES = ("count", "sum", "avg", "min", "max", "median", "any_value", "bool_and", "bool_or", "array_agg", "list")
SHAPING = ("distinct", "join", "union", "qualify", "pivot", "unpivot")
KEYED = ("upsert", "insert", "scd2")
"""Loads that know a row by its key."""
_BREAKS = "what is refused here was never kept as it was received"


@dataclass(frozen=True)
class _Table:
    """A step with its place in the layers."""

    step: Flow | Model
    ref: TableRef
    layer: str
    where: str


def layer_findings(pipeline: Pipeline, layers: Layers, chosen: Iterable[Flow | Model]) -> list[Finding]:
    """A warning for every convention that one of the chosen steps breaks and that is not allowed for its table; and one
    (`layer-allowed-unused`) for every allowance of a chosen table that nothing needs."""
    steps: list[Flow | Model] = [*pipeline.flows, *pipeline.models]
    every = {step.name: table for step in steps if (table := _table(step, layers))}
    names = {step.name for step in chosen}
    found: list[Finding] = []
    used: set[tuple[str, str]] = set()
    for name, table in every.items():
        if name in names:
            own = str(table.ref).lower()
            for finding in _of(table, pipeline, every):
                used.add((own, finding.code))
                found += [finding] if finding.code not in layers.allowed.get(own, {}) else []
    listed = {str(table.ref).lower() for name, table in every.items() if name in names}
    whole = names >= {step.name for step in steps}
    return found + list(_unused(layers, used, listed, whole))


def _table(step: Flow | Model, layers: Layers) -> _Table | None:
    ref = step.target if isinstance(step, Model) else step.table
    layer = layers.schemas.get(ref.schema.lower())
    if layer is None:
        return None
    place = str(step.path) if isinstance(step, Model) else str(step.ingest.where or ref)
    return _Table(step, ref, layer, place)


def _of(table: _Table, pipeline: Pipeline, every: dict[str, _Table]) -> Iterator[Finding]:
    if table.layer == "bronze":
        yield from _bronze(table)
    elif table.layer == "silver":
        yield from _silver(table)
    elif isinstance(table.step, Model) and not _shaped(table.step):
        what = f"{table.ref} is gold, and neither aggregates nor joins, nor is it named as a dimension or fact"
        fix = f"group or join it, call it dim_{table.ref.name} or fct_{table.ref.name}, or move it to silver"
        yield _finding("gold-not-shaped", table, what, fix)
    yield from _reads(table, pipeline, every)


def _bronze(table: _Table) -> Iterator[Finding]:
    step = table.step
    if isinstance(step, Model):
        what = f"{table.ref} is bronze, and a model: bronze is what was received"
        yield _finding("bronze-not-raw", table, what, "move the file to a folder of silver, and land its input raw")
    elif step.ingest.land != "raw":
        judged = step.ingest.contract is not None
        why = f"judged by a contract: {_BREAKS}" if judged else "typed as it is loaded"
        fix = f"write land: raw there, and load silver with from: {{table: {table.ref}}}"
        yield _finding("bronze-not-raw", table, f"{table.ref} is bronze, and {why}", fix)


def _silver(table: _Table) -> Iterator[Finding]:
    step = table.step
    if isinstance(step, Flow):
        if step.ingest.contract is None and step.ingest.suite is None:
            what = f"{table.ref} is silver, and its types are whatever the data bring"
            yield _finding("silver-untyped", table, what, "write its contract: columns: {id: int, key}")
            return
        contract = step.ingest.contract
        if contract is not None and not _keyed(contract) and step.ingest.load.kind not in KEYED:
            yield _no_key(table, "mark the key in its contract: id: int, key")
        return
    contract = step.split.contract if step.split is not None else None
    if contract is None and not step.checks:
        what = f"{table.ref} is silver, and has neither a contract nor tests"
        yield _finding("silver-untested", table, what, "write tests or a contract for it in a YAML file beside it")
    keyed = contract is not None and _keyed(contract)
    if not keyed and not any(check.kind == "unique" for check in step.checks):
        yield _no_key(table, "write unique among its tests, or key into its contract")


def _keyed(contract: Contract) -> bool:
    return bool(contract.uniques) or any(column.key for column in contract.columns)


def _no_key(table: _Table, fix: str) -> Finding:
    return _finding("silver-no-key", table, f"nothing says what a row of {table.ref} is known by", fix)


def _shaped(model: Model) -> bool:
    """Whether the model is named as a dimension or fact, or its query groups, joins or takes apart; a function may."""
    if model.python is not None:
        return True
    if model.name.lower().split("_")[0] in DIMENSIONAL:
        return True
    words = [text.lower() for kind, text in lexer.tokens(model.sql) if kind != "blank"]
    pairs = list(pairwise(words))
    called = any(one in AGGREGATES and two == "(" for one, two in pairs)
    return called or ("group", "by") in pairs or any(word in SHAPING for word in words)


def _reads(table: _Table, pipeline: Pipeline, every: dict[str, _Table]) -> Iterator[Finding]:
    for name in pipeline.needs(table.step):
        other = every.get(name)
        if other is None:
            continue
        if LAYERS.index(other.layer) > LAYERS.index(table.layer):
            what = f"{table.ref} is {table.layer}, and reads {other.ref}, which is {other.layer}"
            yield _finding("layer-reads-higher", table, what, f"read what {other.ref} is made of, or move the table")
        elif table.layer == "gold" and other.layer == "bronze":
            what = f"{table.ref} is gold, and reads {other.ref} as it was received"
            yield _finding("gold-reads-bronze", table, what, f"make a silver table of {other.ref}, and read that")


def _finding(code: str, table: _Table, what: str, fix: str) -> Finding:
    return Finding(code, "warning", what, table.where, fix, {"table": str(table.ref), "layer": table.layer})


def _unused(layers: Layers, used: set[tuple[str, str]], listed: set[str], whole: bool) -> Iterator[Finding]:
    """Allowances of tables that were looked at, which nothing needed; of unknown tables, if all were looked at."""
    for name, codes in layers.allowed.items():
        for code, where in codes.items():
            if (name, code) not in used and (name in listed or whole):
                what = f"{code} is allowed for {name}, and would not be told of it"
                yield Finding("layer-allowed-unused", "warning", what, str(where), "take it out of allow:")
