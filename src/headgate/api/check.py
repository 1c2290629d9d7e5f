"""Whether a run could work: contracts that bind, sources that can be read, tables and models that fit."""

from __future__ import annotations

from collections.abc import Iterator

from headgate.books import ledger, tables
from headgate.contracts.verify import verify
from headgate.core.errors import Finding, HeadgateError
from headgate.core.protocols import Engine, Store, StoreSession
from headgate.core.values import Partition
from headgate.gate.bits import bits_of
from headgate.gate.scan import Scan, convert_columns
from headgate.models.build import check_models
from headgate.run.flow import Flow
from headgate.run.pipeline import Pipeline


def check(pipeline: Pipeline, store: Store, engine: Store, system: Store) -> list[Finding]:
    """Every finding of every flow and model; nothing is changed.

    `engine` reads files, `store` has the books, and `system` is what will keep the tables and run the models: it is
    another than `store` as long as nothing was loaded.
    """
    findings: list[Finding] = []
    with store.session() as session, engine.session() as reading:
        for flow in pipeline.flows:
            findings += _flow(flow, session, reading.engine)
    with system.session() as session:
        for flow in pipeline.flows:
            findings += _names(flow, session)
        findings += check_models(session, pipeline.models, [flow.table for flow in pipeline.flows])
    return findings


def _names(flow: Flow, session: StoreSession) -> Iterator[Finding]:
    why = session.unfit(flow.table, [column.name for column in flow.contract.columns] if flow.contract else [])
    if why is not None:
        yield Finding("name-unfit", "error", why, str(flow.ingest.where or flow.table), "choose another name")


def _flow(flow: Flow, session: StoreSession, reading: Engine) -> Iterator[Finding]:
    if flow.contract is None:
        yield from (one for one in flow.source.check(reading, ()) if one.code != "unknown-column")
        return
    broken = verify(flow.contract, flow.ingest.places)
    yield from broken
    found = _source(flow, reading)
    yield from found
    if not broken and not found and flow.contract.model is None:
        yield from _types(flow, reading)
    yield from _table(flow, session)


def _source(flow: Flow, reading: Engine) -> list[Finding]:
    """What would keep the source's columns from being read."""
    assert flow.contract is not None
    model, names = flow.contract.model, [column.source for column in flow.contract.columns]
    ignored, known = flow.ingest.extra == "ignore", set[str]()
    if model is not None:  # a field with a default needs no column, and the model may know more names than one
        ignored = ignored or model.extra != "forbid"
        known = {name.lower() for name in model.known}
        names = [name for name in names if name not in model.optional]
    found = flow.source.check(reading, names)
    return [one for one in found if one.code != "unknown-column" or not (ignored or _named(one) in known)]


def _named(finding: Finding) -> str:
    """The column that the finding is about."""
    return str(finding.evidence.get("column", "")).lower()


def _types(flow: Flow, reading: Engine) -> Iterator[Finding]:
    """Whether values of each file's types could fit the contract at all; text always could."""
    assert flow.contract is not None
    for partition in flow.source.partitions({}):
        try:
            yield from _fits(flow, reading, partition)
        except HeadgateError as error:
            yield from error.findings


def _fits(flow: Flow, reading: Engine, partition: Partition) -> Iterator[Finding]:
    assert flow.contract is not None
    if not flow.source.typed:
        return
    reader = flow.source.open(reading, partition, None)
    try:
        batch = reader.read(1, 1)
        if batch is not None:
            scan = Scan(reading, flow.contract, bits_of(flow.contract), "check", "UTC")
            convert_columns(scan, batch)
    finally:
        reader.close()
    yield from ()


def _table(flow: Flow, session: StoreSession) -> Iterator[Finding]:
    assert flow.contract is not None
    state = ledger.table_state(session, flow.table)
    if state is None or tables.is_blank(session, flow.table, state):
        return
    try:
        tables.compare(session, flow.table, flow.columns(flow.contract))
    except HeadgateError as error:
        yield from error.findings
