"""Counts of tables and models as they stand in the warehouse: completeness, and rows that break rules and tests."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Literal

from headgate.api.contracts import of_flow
from headgate.api.profiling import named
from headgate.api.results import DataCheck
from headgate.books.work import IDENTIFIED
from headgate.contracts.model import Contract
from headgate.core.protocols import StoreSession, Trouble
from headgate.core.values import TableRef
from headgate.models import checks
from headgate.models.model import Model, ModelCheck
from headgate.quality.counting import Counter, Subject
from headgate.quality.counts import RuleCount, Said, TableCount
from headgate.run.flow import Flow
from headgate.run.pipeline import Pipeline
from headgate.sql import quote


def count_tables(session: StoreSession, pipeline: Pipeline, names: Sequence[str]) -> DataCheck:
    """Counts these tables and models, or all that are in the warehouse. *Errors*: ProjectError `unknown-table`."""
    flows = {str(flow.table): flow for flow in pipeline.flows}
    models = {str(model.target): model for model in pipeline.models}
    there = [flow.table for flow in pipeline.flows] + [model.target for model in pipeline.models]
    refs = [named(session, pipeline, name) for name in names] or [ref for ref in there if session.columns(ref)]
    found = []
    for number, ref in enumerate(dict.fromkeys(refs)):
        began = time.perf_counter()
        flow, model = flows.get(str(ref)), models.get(str(ref))
        subject = _loaded(session, flow) if flow is not None else _built(ref, model)
        counter = Counter(session, subject, f"_hg_counted_{number}")
        columns, rules = counter.columns(), counter.rules()
        tests = tuple(_tests(session, model)) if model is not None else ()
        seconds = round(time.perf_counter() - began, 3)
        name = str(ref) if model is None else model.name
        kind: Literal["table", "model"] = "table" if model is None else "model"
        found.append(TableCount(name, kind, counter.rows, columns, (*rules, *tests), seconds))
    return DataCheck(all(one.ok for one in found), tuple(found))


def _loaded(session: StoreSession, flow: Flow) -> Subject:
    contract, load = of_flow(flow, session), flow.ingest.load
    return Subject(
        flow.table,
        contract,
        load.keys if load.kind in IDENTIFIED and load.horizon is None else (),
        load.history.current if load.history is not None else "",
        load.history.latest if load.history is not None else (),
        whole=flow.replaces,
        timezone=str(flow.ingest.source.options.get("timezone") or "UTC"),
    )


def _built(ref: TableRef, model: Model | None) -> Subject:
    """A model's rows keep its contract, where it has one."""
    split = model.split if model is not None else None
    return Subject(ref, split.contract if split is not None else Contract(()), whole=True)


def _tests(session: StoreSession, model: Model) -> Iterator[RuleCount]:
    relation = f"{quote.table(model.target)} AS {quote.ident(model.name)}"
    names = [name for name, _ in session.columns(model.target) or ()]
    if not model.checks or not names:
        return
    found = _failing(session, model.checks, relation, names[0])
    if isinstance(found, Trouble):
        each = [_failing(session, [check], relation, names[0]) for check in model.checks]
    else:
        each = [(found[0], [broken]) for broken in found[1]]
    for check, counted in zip(model.checks, each, strict=True):
        said = Said(check.label, check.column, check.severity, _promise(check), check.where, origin="test")
        if isinstance(counted, Trouble):
            yield said.failed(counted.message)
        else:
            broken = counted[1][0]
            yield said.counted(broken, counted[0], query=checks.sample(check, relation) if broken else "")


def _failing(
    session: StoreSession, wanted: Sequence[ModelCheck], relation: str, column: str
) -> tuple[int, Sequence[int]] | Trouble:
    """Rows, and rows that fail each test; what the warehouse says where it can't tell."""
    try:
        found = checks.count(session, wanted, relation, column)
    except Exception as error:
        trouble = session.trouble(error)
        if trouble is None or trouble.kind not in ("text", "value"):
            raise
        return trouble
    return found.rows, found.failing


def _promise(check: ModelCheck) -> str:
    return {"not_null": "required", "unique": "must be unique"}.get(check.kind, check.sql or check.label)
