"""Raw landing: batches as they were received, and the table that takes whatever columns they bring.

A table that is landed raw has no contract in its file: its contract is its own columns and those that the batches of a
commit bring. What a record is, the reader says; no value is converted. Where two files type a column differently it
becomes text, and each entry remembers the columns and types of what it read, so that who reads the table gets the
values of the file (`adapters/table`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from headgate.books import ledger, quarantine, tables
from headgate.contracts.model import Contract, ContractColumn
from headgate.core.errors import ContractError, nearest, tidied
from headgate.core.protocols import Engine, StoreSession
from headgate.core.values import Batch, SourceColumn
from headgate.gate import pin
from headgate.gate.scan import RECORD, Temp
from headgate.gate.stage import staged
from headgate.run.evolve import follow
from headgate.run.flow import Flow
from headgate.sql.quote import ident
from headgate.types import jsonvalue
from headgate.types.codec import encode
from headgate.types.convert import conversion
from headgate.types.inferred import of_physical
from headgate.types.logical import LogicalType, of_engine
from headgate.types.schema import parse_physical

TEXT = LogicalType("text")
OWN = "_hg_"
"""What names of columns that Headgate adds begin with."""


def known(session: StoreSession, flow: Flow) -> Contract | None:
    """The contract of a flow whose file has none, as the books or the table know it; None before the first load."""
    if flow.ingest.land != "raw":
        return pin.pinned(session, flow.table)
    state = ledger.table_state(session, flow.table)
    if state is None or tables.is_blank(session, flow.table, state):
        return None
    columns = [(name, kind) for name, kind in session.columns(flow.table) or [] if not name.startswith(OWN)]
    return contract(flow, {name: of_engine(session.engine_type(kind)) for name, kind in columns})


def contract(flow: Flow, columns: dict[str, LogicalType]) -> Contract:
    """The contract of a raw landing with these columns: no rules but what the load itself needs.

    *Errors*: ContractError `missing-column` where the load names a column that is not there.
    """
    made = [ContractColumn(name, kind, name) for name, kind in columns.items()]
    made.append(ContractColumn(RECORD, LogicalType("bigint"), RECORD))
    spec = flow.ingest.load
    for key in spec.keys:
        if key not in columns:
            what = f"load: {spec.kind} names column {key!r}, which {flow.name} does not have{nearest(key, columns)}"
            raise ContractError.of("missing-column", what, spec.where or flow.name, "name a column of the files")
    return pin.keyed(Contract(tuple(made), refuse_at_most=flow.ingest.limit), spec.kind, spec.keys)


def kept(physical: str) -> tuple[LogicalType, bool]:
    """The type of a column for values of an engine's type, none of which is lost, and whether they are kept as the
    canonical text of `types.codec`."""
    if physical == jsonvalue.PHYSICAL:
        return LogicalType("json"), False
    if parse_physical(physical).nested:
        return LogicalType("json"), True
    logical = of_physical(physical)
    made = conversion("v", physical, logical)
    if physical == "VARCHAR" or (logical != TEXT and made is not None and made.ok is None):
        return logical, False
    return TEXT, True


@contextmanager
def landed(
    session: StoreSession, flow: Flow, batches: Sequence[Batch], prefix: str
) -> Iterator[tuple[dict[str, LogicalType], list[Batch]]]:
    """The columns that the batches bring, and the batches as the gate takes them; readable as long as it is open.

    *Errors*: ContractError `reserved-name`; InternalError `parser-disagrees`.
    """
    temp = Temp(session.engine, f"{prefix}_raw")
    with tidied(temp.drop):
        made = [_landed(session, temp, number, batch) for number, batch in enumerate(batches)]
        found: dict[str, tuple[str, LogicalType]] = {}
        for batch, shape in made:
            _see_names(flow, batch, shape)
            for column in shape:
                name, kind = found.get(column.name.lower(), (column.name, kept(column.physical)[0]))
                found[column.name.lower()] = name, _joined(kind, kept(column.physical)[0])
        yield dict(found.values()), [batch for batch, _ in made]


def _landed(session: StoreSession, temp: Temp, number: int, batch: Batch) -> tuple[Batch, Sequence[SourceColumn]]:
    """The batch with its record numbers as a column, and its columns as the source has them."""
    used, values, relation, row = batch, [ident(one.name) for one in batch.columns], batch.relation, "_hg_row"
    if not batch.rescan:
        name = temp.name(str(number))
        used, row = staged(session.engine, name, batch)
        values, relation = [f"c{place}" for place in range(len(used.columns))], f"SELECT *, rowid FROM {name}"
    shape = used.columns
    picked, columns = [], []
    for value, column in zip(values, shape, strict=True):
        encoded = kept(column.physical)[1]
        value = encode(f"src.{value}", column.physical) if encoded else f"src.{value}"
        picked.append(f"{value} AS {ident(column.name)}")
        columns.append(SourceColumn(column.name, "VARCHAR" if encoded else column.physical))
    rows = f"SELECT {', '.join([f'{row} AS _hg_row', f'{row} AS {RECORD}', *picked])} FROM ({relation}) AS src"
    made = replace(
        used, relation=rows, columns=tuple(columns), row_base=None, careful=None, rescan=True,
        originals=_any_numbers(session.engine, used),
        facts={"shape": quarantine.keep_shape(session, shape)},
    )  # fmt: skip
    return made, shape


def _any_numbers(engine: Engine, batch: Batch) -> Callable[[Sequence[int] | str], str]:
    """The batch's originals, by numbers or by a SELECT of them."""

    def originals(rows: Sequence[int] | str) -> str:
        if isinstance(rows, str) and not batch.rescan:
            rows = sorted(int(row[0]) for row in engine.execute(rows))
        return batch.originals(rows)

    return originals


def _joined(one: LogicalType, other: LogicalType) -> LogicalType:
    """The type that takes the values of both."""
    if (one.name, other.name) == ("decimal", "decimal"):
        whole = max(one.precision - one.scale, other.precision - other.scale)
        scale = max(one.scale, other.scale)
        return LogicalType("decimal", whole + scale, scale) if whole + scale <= 38 else TEXT
    return one if one == other else TEXT


def _see_names(flow: Flow, batch: Batch, shape: Sequence[SourceColumn]) -> None:
    own = next((column.name for column in shape if column.name.lower().startswith(OWN)), None)
    if own is not None:
        what = f"column {own!r} of the file has a name that Headgate keeps for itself"
        fix = "have the column delivered under another name"
        raise ContractError.of("reserved-name", what, batch.location or batch.partition, fix)


def opened(
    session: StoreSession, flow: Flow, columns: dict[str, LogicalType], rebuild: bool, attempt: str, author: str
) -> tuple[Flow, str]:
    """The flow with the contract of its table once it takes these columns, too, and what was changed for that.

    *Errors*: ContractError `landed-otherwise`; those of `books.evolve` and `books.tables`.
    """
    standing = None if rebuild else known(session, flow)
    if standing is not None:
        _see_landing(session, flow)
        columns = _with(standing, columns)
    made = replace(flow, contract=contract(flow, columns))
    assert made.contract is not None
    changed = follow(session, made, attempt, author) if standing is not None else ""
    tables.prepare(session, made.table, made.columns(made.contract), rebuild)
    return made, changed


def _with(standing: Contract, columns: dict[str, LogicalType]) -> dict[str, LogicalType]:
    made = {column.name: column.type for column in standing.columns if column.name != RECORD}
    spelled = {name.lower(): name for name in made}
    for name, kind in columns.items():
        there = spelled.get(name.lower())
        made[there or name] = _joined(made[there], kind) if there else kind
    return made


def _see_landing(session: StoreSession, flow: Flow) -> None:
    if RECORD not in dict(session.columns(flow.table) or []):
        what = f"{flow.name} holds rows that a contract loaded: they do not say which record each of them was"
        fix = f"land it anew: headgate run --full-refresh {flow.name}, or land into another table"
        raise ContractError.of("landed-otherwise", what, flow.ingest.where or flow.name, fix)
