"""Whether a run could work: contracts that bind, sources that can be read, tables and models that fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from headgate.api.brought import brought
from headgate.books import child_tables, ledger, tables
from headgate.contracts.great_expectations.bind import expected_columns
from headgate.contracts.verify import verify
from headgate.core.errors import CommitError, Finding, HeadgateError
from headgate.core.protocols import Engine, Store, StoreSession
from headgate.core.records import dataclass
from headgate.core.values import Partition, TableRef
from headgate.gate import pin
from headgate.gate.bits import bits_of
from headgate.gate.children import fits_children
from headgate.gate.scan import Scan, convert_columns
from headgate.models.build import check_models
from headgate.models.model import Model
from headgate.models.unittests import failures
from headgate.project.model import Task
from headgate.run import bronze, perform
from headgate.run.evolve import expected
from headgate.run.flow import Flow, typed
from headgate.run.learned import as_known
from headgate.run.pipeline import Pipeline


@dataclass(frozen=True)
class Checked:
    """The steps to look at, of a pipeline."""

    pipeline: Pipeline
    flows: tuple[Flow, ...]
    models: tuple[Model, ...]
    tasks: tuple[Task, ...] = ()


def check(chosen: Checked, store: Store, engine: Store, system: Store) -> list[Finding]:
    """Every finding of every flow and model that is chosen; nothing is changed.

    `engine` reads files, `store` has the books, and `system` is what will keep the tables and run the models: it is
    another than `store` as long as nothing was loaded.
    """
    findings: list[Finding] = []
    with store.session() as session, engine.session() as reading:
        known = ledger.table_versions(session)
        for flow in chosen.flows:
            findings += _bound(flow, session, reading.engine)
    with system.session() as session:
        for flow in chosen.flows:
            findings += _names(flow, session)
            if flow.name not in known and session.columns(flow.table) is not None:
                findings.append(tables.unknown(flow.table).finding)
        loaded = [table for flow in chosen.pipeline.flows for table in flow.tables]
        findings += check_models(session, chosen.models, loaded)
        findings += _unit_tests(chosen.models, session)
        for model in chosen.models:
            findings += _split(model, session)
    return findings + [one for task in chosen.tasks for one in perform.check(task, chosen.pipeline.home.root)]


def _bound(flow: Flow, session: StoreSession, reading: Engine) -> list[Finding]:
    """As `_flow`; a flow that reads a raw landing is bound to what the books say of it first."""
    try:
        return list(_flow(bronze.bound(flow, session), session, reading))
    except CommitError as error:
        return list(error.findings)


def _unit_tests(models: Iterable[Model], session: StoreSession) -> Iterator[Finding]:
    """What unit tests find. One whose inputs don't stand yet is left to the run: it would have to guess their types."""
    for model in models:
        ready = [
            test
            for test in model.unit_tests
            if test.python is None  # `check` runs no code of a model
            and all(
                one.fixture.sql or one.name == "this" or session.columns(one.table) is not None for one in test.given
            )
        ]
        yield from failures(session, model.name, ready)
        if len(ready) < len(model.unit_tests):
            left = len(model.unit_tests) - len(ready)
            when = "before it is built" if model.python is not None else "when what they read is there"
            what = f"{left} unit test{'s' * (left > 1)} of model {model.name!r} run {when}"
            yield Finding("unit-test-later", "info", what, str(model.path), "headgate run")


def _split(model: Model, session: StoreSession) -> Iterator[Finding]:
    """What speaks against a model's contract, as far as can be told without building it."""
    if model.split is None:
        return
    contract = model.split.contract
    yield from verify(contract, model.split.places)
    why = session.unfit(model.target, [column.name for column in contract.columns])
    if why is not None:
        yield Finding("name-unfit", "error", why, str(model.split.where), "choose another name")


def _names(flow: Flow, session: StoreSession) -> Iterator[Finding]:
    why = session.unfit(flow.table, [name for name, _ in flow.columns(flow.contract)] if flow.contract else [])
    if why is not None:
        yield Finding("name-unfit", "error", why, str(flow.ingest.where or flow.table), "choose another name")
    for kin in flow.children:
        why = session.unfit(TableRef.parse(kin.child.table), [name for name, _ in kin.columns])
        if why is not None:
            yield Finding("name-unfit", "error", why, str(kin.child.where or flow.table), "choose another name")


def _flow(flow: Flow, session: StoreSession, reading: Engine) -> Iterator[Finding]:
    if flow.contract is None:
        expected = expected_columns(flow.ingest.suite) if flow.ingest.suite is not None else []
        yield from (one for one in bronze.checked(flow, reading, expected) if one.code != "unknown-column")
        yield from _suite(flow, session)
        return
    yield from brought(flow, session)
    flow = as_known(session, flow)
    assert flow.contract is not None
    yield from flow.contract.notes
    broken = verify(flow.contract, flow.ingest.places, flow.ingest.load.deleted_if)
    yield from broken
    found = _source(flow, reading)
    yield from found
    if not broken and not found and flow.contract.model is None:
        yield from _types(flow, reading)
    yield from _table(flow, session)


def _suite(flow: Flow, session: StoreSession) -> Iterator[Finding]:
    """What of a suite is not checked, as far as it can be known: some of it only once the table has its types."""
    if flow.ingest.suite is None:
        return
    known = pin.pinned(session, flow.table) if ledger.table_state(session, flow.table) else None
    if known is None:
        yield from flow.ingest.suite.notes
        return
    try:
        yield from typed(flow, known).notes
    except HeadgateError as error:
        yield from error.findings


def _source(flow: Flow, reading: Engine) -> list[Finding]:
    """What keeps the source's columns from being read, as far as the ingest file does not let it pass."""
    assert flow.contract is not None
    model, columns = flow.contract.model, flow.contract.columns
    ignored, known, optional = flow.ingest.extra != "error", set[str](), set[str]()
    if model is not None:  # a field with a default needs no column, and the model may know more names than one
        ignored = ignored or model.extra != "forbid"
        known, optional = {name.lower() for name in model.known}, set(model.optional)
    optional |= {column.source for column in columns if column.name in flow.optional and not column.required}
    names = [column.source for column in columns if column.source not in optional]
    names += [child.source for child in flow.contract.children]
    found = bronze.checked(flow, reading, names)
    if flow.ingest.missing == "null":
        needed = {column.source for column in columns if column.required}  # a list may be missing: it has no line
        found = [one for one in found if one.code != "missing-column" or str(one.evidence.get("column", "")) in needed]
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
            lenient = flow.ingest.missing == "null"
            scan = Scan(reading, flow.contract, bits_of(flow.contract), "check", "UTC", lenient=lenient)
            scan.optional = flow.optional
            convert_columns(scan, batch)
            fits_children(scan, batch, flow.contract)
    finally:
        reader.close()
    yield from ()


def _table(flow: Flow, session: StoreSession) -> Iterator[Finding]:
    assert flow.contract is not None
    try:
        found = expected(session, flow)
        child_tables.expected(session, flow.table, flow.children)
    except HeadgateError as error:
        yield from error.findings
        return
    if found.changes:
        yield Finding(
            "evolve-pending",
            "info",
            f"{flow.table} will follow its contract: {found.text}",
            str(flow.table),
            "see the statements: headgate plan",
        )
