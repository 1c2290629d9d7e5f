"""`extra: evolve`: a column that files bring and the contract does not name becomes one of the table and the contract.

What was brought is kept in the books, beside what the ingest file says; a column that is written there is the author's
from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from headgate.contracts.model import Contract, ContractColumn
from headgate.core.errors import ContractError, Finding
from headgate.core.protocols import Session, StoreSession
from headgate.core.values import Batch
from headgate.gate import pin
from headgate.gate.scan import unknown_columns
from headgate.run.flow import Flow


def grows(flow: Flow) -> bool:
    """Whether files may bring columns."""
    return flow.ingest.extra == "evolve"


def as_known(session: Session, flow: Flow, anew: bool = False) -> Flow:
    """The flow with the columns that files brought before; `anew`: the table is made again, and they with it.

    A column that was brought and is written by now may still be missing in a file, unless it is required. Types of a
    two-line ingest are left to its first look.
    """
    if not grows(flow):
        return flow
    brought, contract = pin.brought(session, flow.table), flow.contract
    if contract is None:
        return flow if anew else replace(flow, optional=tuple(column.name for column in brought))
    written = [column.name for column in brought if _is_written(contract, column)]
    flow = replace(flow, optional=tuple(written))
    return flow if anew else _with(flow, contract, unwritten(contract, brought))


def unwritten(contract: Contract, brought: Sequence[ContractColumn]) -> list[ContractColumn]:
    """What was brought and the contract does not name: as its own, or as what one of its columns is fed from."""
    return [column for column in brought if not _is_written(contract, column)]


def _is_written(contract: Contract, column: ContractColumn) -> bool:
    names = {name.lower() for one in contract.columns for name in (one.name, one.source, *one.was)}
    return column.name.lower() in names


def _with(flow: Flow, contract: Contract, brought: Sequence[ContractColumn]) -> Flow:
    columns = (*contract.columns, *brought)
    optional = (*flow.optional, *(column.name for column in brought))
    return replace(flow, contract=replace(contract, columns=columns), optional=tuple(dict.fromkeys(optional)))


def brings(flow: Flow, session: Session, reading: Session) -> list[str]:
    """The columns in its files that the table would take in; `reading` is an engine that reads files."""
    known = as_known(session, flow)
    contract = known.contract or pin.pinned(session, flow.table)
    if not grows(flow) or contract is None or flow.source.replay != "stable":
        return []
    found = flow.source.check(reading, [column.source for column in contract.columns])
    names = [str(one.evidence["column"]) for one in found if one.code == "unknown-column"]
    return list({name.lower(): name for name in names}.values())


def is_brought(flow: Flow, error: ContractError) -> bool:
    """Whether the load stopped at a column that the table may take in."""
    return grows(flow) and error.finding.code == "unknown-column" and "column" in error.finding.evidence


def learn(session: StoreSession, flow: Flow, pieces: Sequence[Batch]) -> tuple[Flow, str]:
    """The flow with every column that the batches bring, typed by all their values, and what the books keep of it:
    what was taken from the data, and what else not every file has.

    *Errors*: ContractError `unknown-column` where a column can't be taken in under its name.
    """
    contract = flow.contract
    assert contract is not None
    names: dict[str, str] = {}
    for piece in pieces:
        for name in unknown_columns(contract, piece.columns):
            names.setdefault(name.lower(), name)
    for name in names.values():
        _must_be_takable(session, flow, name)
    zone = str(flow.ingest.source.options.get("timezone") or "UTC")
    found = [ContractColumn(name, pin.kind_of(session.engine, pieces, name, zone), name) for name in names.values()]
    made = _with(flow, contract, found)
    assert made.contract is not None
    written = () if flow.ingest.contract is None else tuple(one.name for one in flow.ingest.contract.columns)
    kept = tuple(one for one in made.contract.columns if one.name not in written or one.name in made.optional)
    return made, pin.body(replace(made.contract, columns=kept), made.optional)


def _must_be_takable(session: StoreSession, flow: Flow, name: str) -> None:
    assert flow.contract is not None
    why = session.unfit(flow.table, [name])
    if name.lower() in {column.name.lower() for column in flow.contract.columns}:
        why = "the contract has a column of that name, which is fed from another one"
    elif not name or "\x00" in name or name.lower().startswith("_hg_"):
        why = "no column can have that name"
    if why is None:
        return
    what = f"column {name!r} of the source is not in the contract, and can't be taken in: {why}"
    fix = f"name it in the contract: its_name: type, from('{name}')"
    raise ContractError(Finding("unknown-column", "error", what, flow.name, fix))
