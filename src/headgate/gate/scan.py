"""Batches as one relation of converted rows: staged once where reading is dear, read in place where it is cheap.

The relation has `_hg_id` (BIGINT, unique in the commit, ascending in source order), `_hg_part` (INTEGER), the
contract's columns in their own types (NULL where a value does not convert) and one mask word per `Bits.words` with the
bits of the values that do not convert.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from headgate.books.history import History
from headgate.contracts.model import Child, Contract, ContractColumn
from headgate.core.errors import ContractError, Finding, InternalError, nearest
from headgate.core.protocols import Session
from headgate.core.records import dataclass
from headgate.core.values import Batch, SourceColumn
from headgate.gate.bits import Bits
from headgate.sql import quote
from headgate.types.convert import conversion
from headgate.types.nested import Fed, bases, feed, feed_of, named

RECORD = "_hg_record"
"""The column of a raw landing that keeps the number of each record; relations for it give it under this name."""


@dataclass(frozen=True)
class Span:
    """The ids of one batch: within `first_id` .. `first_id + extent - 1`; record number =
    id - first_id + first_record, or the stage's `_hg_row` where the batch was read the careful way."""

    part: int
    batch: Batch
    first_id: int
    extent: int
    first_record: int
    explicit: bool
    select: str


@dataclass
class Temp:
    """The temporary tables of one commit in one session."""

    session: Session
    prefix: str
    tables: list[str] = field(default_factory=list)

    def name(self, name: str) -> str:
        """A name for a table, dropped by `drop` if it was made."""
        full = f"{self.prefix}_{name}"
        if full not in self.tables:
            self.tables.append(full)
        return full

    def keep(self, name: str, select: str) -> str:
        """A table of what the SELECT gives."""
        made = self.name(name)
        self.session.execute(f"CREATE TEMP TABLE {made} AS {select}")
        return made

    def drop(self) -> None:
        for name in self.tables:
            self.session.execute(f"DROP TABLE IF EXISTS {name}")
        self.tables.clear()


@dataclass
class Scan:
    """What the gate judges. `sql` is a SELECT as the module says; `empty` tells that it has no row."""

    session: Session
    contract: Contract
    bits: Bits
    prefix: str
    timezone: str
    absolute: bool = False
    """Ids are the record numbers themselves (a replay, whose numbers are quarantine ids). Its records were read for an
    earlier contract: a column goes by a name that it had, and is NULL where they lack it."""
    lenient: bool = False
    """A column that a batch lacks is NULL, unless it is required."""
    absent: dict[str, int] = field(default_factory=dict)
    """By column that was NULL because a batch lacked it: records of such batches."""
    holds: Callable[[str, str], tuple[str, str] | None] = lambda value, kind: None
    """What the store can keep: see `StoreSession.holds`."""
    optional: tuple[str, ...] = ()
    """Columns that a batch may lack without a word."""
    deleted_if: str = ""
    """The condition under which a record tells that its identity is gone."""
    lists: tuple[Child, ...] = ()
    """Lists inside of the records, kept as received where the records are staged: columns `_hg_k0` and so on."""
    spans: list[Span] = field(default_factory=list)
    emptied: dict[str, list[str]] = field(default_factory=dict)
    """By column, tables of `_hg_id` of the records whose value there is not loaded."""

    def __post_init__(self) -> None:
        self.temp = Temp(self.session, self.prefix)

    @property
    def sql(self) -> str:
        read = " UNION ALL ".join(dict.fromkeys(span.select for span in self.spans)) or self._nothing()
        if not self.emptied:
            return read
        kept = ", ".join(self._unless_emptied(column, tables) for column, tables in self.emptied.items())
        return f"SELECT * REPLACE ({kept}) FROM ({read}) AS whole"

    def _unless_emptied(self, column: str, tables: Sequence[str]) -> str:
        found = " UNION ALL ".join(f"SELECT _hg_id FROM {table}" for table in tables)
        name = quote.ident(column)
        return f"CASE WHEN whole._hg_id NOT IN ({found}) THEN whole.{name} END AS {name}"

    @property
    def empty(self) -> bool:
        return not any(span.extent for span in self.spans)

    def _nothing(self) -> str:
        values = ", ".join(f"CAST(NULL AS {c.type.duckdb}) AS {quote.ident(c.name)}" for c in self.contract.columns)
        masks = ", ".join(f"CAST(0 AS BIGINT) AS {name}" for name in self.bits.mask_columns())
        return f"SELECT CAST(0 AS BIGINT) AS _hg_id, 0 AS _hg_part, {values}, {masks} WHERE false"


def add(scan: Scan, part: int, batch: Batch) -> Batch:
    """Adds the batch to the scan; returns the batch that was really used (the careful one where the first failed)."""
    rows = batch.records - batch.malformed
    if batch.rescan:
        in_place(scan, part, batch)
        return batch
    if batch.careful is None:
        _stage(scan, part, batch, rows)
        return batch
    try:
        _stage(scan, part, batch, rows)
        return batch
    except _Disagreement:
        pass
    except Exception as error:
        if not is_parse_error(error):
            raise
    careful = batch.careful()
    _stage(scan, part, careful, careful.records - careful.malformed)
    return careful


class _Disagreement(Exception):
    """The parser's rows are not the splitter's records."""


def is_parse_error(error: Exception) -> bool:
    """Whether the engine stopped at the text that it was to read."""
    # Not implemented: the parallel reader lost its place and asks to be called again on one thread (DuckDB 1.5.6).
    return type(error).__name__ in (
        "InvalidInputException",
        "ConversionException",
        "IOException",
        "NotImplementedException",
    )


def next_id(scan: Scan) -> int:
    """The first id of the next batch."""
    last = scan.spans[-1] if scan.spans else None
    return last.first_id + last.extent if last else 0


def in_place(scan: Scan, part: int, batch: Batch, judged: Batch | None = None) -> None:
    """Adds the batch as it can be read again; `judged`: the same records as they are judged, where that differs."""
    # Ids follow the record numbers, which count malformed records, too.
    first = batch.first_record
    base = first_id(scan, batch)
    ident = f"CAST(_hg_row - {first} + {base} AS BIGINT)"
    select = _select(scan, judged or batch, ident, str(part))
    scan.spans.append(Span(part, batch, base, batch.extent or batch.records, first, False, select))


def first_id(scan: Scan, batch: Batch) -> int:
    """The id of the first record of a batch that is read in place."""
    return batch.first_record if scan.absolute else next_id(scan)


def _stage(scan: Scan, part: int, batch: Batch, rows: int) -> None:
    """Reads a text batch once into the stage, and proves that the parser saw as many rows as our splitter counted."""
    stage = f"{scan.prefix}_stage"
    explicit = batch.row_base is None
    row = "CAST(_hg_row AS BIGINT)" if explicit else "CAST(NULL AS BIGINT)"
    names = [quote.ident(column.name) for column in scan.contract.columns]
    # Numbered, because a column called rowid would hide the stage's own.
    kept = ", ".join(f"{name} AS c{number}" for number, name in enumerate(names))
    masks = ", ".join(scan.bits.mask_columns())
    lists = "".join(f", _hg_k{number}" for number in range(len(scan.lists)))
    inner = _select(scan, batch, row, str(part), "_hg_row", lists_of(scan, batch))
    select = f"SELECT _hg_row, _hg_part, {kept}, {masks}{lists} FROM ({inner}) AS s"
    session = scan.session
    if stage not in scan.temp.tables:
        session.execute(f"CREATE TEMP TABLE {stage} AS {select}")
        scan.temp.tables.append(stage)  # not before: where the parser stops, there is no stage yet
    elif rows:
        session.execute(f"INSERT INTO {stage} {select}")
    low, high, count = session.execute(f"SELECT min(rowid), max(rowid), sum(1) FROM {stage} WHERE _hg_part = {part}")[0]
    if (count or 0) != rows or (count and high - low + 1 != count):
        session.execute(f"DELETE FROM {stage} WHERE _hg_part = {part}")
        if batch.careful is None:
            raise lost_rows(batch, rows, count or 0)
        raise _Disagreement
    shown = ", ".join(f"c{number} AS {name}" for number, name in enumerate(names))
    whole = f"SELECT CAST(rowid AS BIGINT) AS _hg_id, _hg_part, {shown}, {masks} FROM {stage}"
    scan.spans.append(
        Span(part, batch, low if low is not None else next_id(scan), rows, batch.first_record, explicit, whole)
    )


def lost_rows(batch: Batch, rows: int, count: int) -> InternalError:
    """The parser returned other than the splitter's `rows`, and there is no other way to read them."""
    return InternalError(
        Finding(
            "parser-disagrees",
            "error",
            f"the record splitter counts {rows} well-formed records, the parser returned {count}; nothing was loaded",
            batch.location or batch.partition,
            "report it with the file: this is a defect of Headgate",
        )
    )


def lists_of(scan: Scan, batch: Batch) -> list[str]:
    """The lists inside of the batch's records as SQL over it (alias `src`). Raises ContractError `missing-column`."""
    fed = [list_source(scan, batch, child) for child in scan.lists]
    return [f"CAST({one.expr} AS VARCHAR) AS _hg_k{number}" for number, one in enumerate(fed)]


def list_source(scan: Scan, batch: Batch, child: Child) -> Fed:
    """What of the batch is the child's list; NULL of text where it has none and may. Raises ContractError."""
    found = feed(batch.columns, child.source, "src")
    if found is None and not scan.absolute and not scan.lenient:
        raise missing_column(batch, child)
    return found or Fed("CAST(NULL AS VARCHAR)", "VARCHAR", child.source)


def _select(scan: Scan, batch: Batch, ident: str, part: str, name: str = "_hg_id", more: Sequence[str] = ()) -> str:
    values, failing = convert_columns(scan, batch)
    masks = [f"{word} AS _hg_m{number}" for number, word in enumerate(scan.bits.mask(failing))]
    listed = ", ".join([f"{ident} AS {name}", f"CAST({part} AS INTEGER) AS _hg_part", *values, *masks, *more])
    return f"SELECT {listed} FROM ({batch.relation}) AS src"


def convert_columns(scan: Scan, batch: Batch) -> tuple[list[str], list[tuple[int, str]]]:
    """The contract's columns as SQL over the batch (alias `src`), and the bit and condition of values that don't fit.

    *Errors*: ContractError `missing-column`, `type-never-fits`.
    """
    by_name = named(batch.columns)
    values, failing = [], []
    for column in scan.contract.columns:
        source = _source(scan, by_name, column)
        may_lack = scan.lenient or column.name in scan.optional
        if source is None and not scan.absolute and (column.required or not may_lack):
            raise missing_column(batch, column)
        if source is None and column.name in scan.optional:
            values.append(f"CAST(NULL AS {column.type.duckdb}) AS {quote.ident(column.name)}")
            continue
        if source is None:
            scan.absent[column.name] = scan.absent.get(column.name, 0) + batch.records
            values.append(f"CAST(NULL AS {column.type.duckdb}) AS {quote.ident(column.name)}")
            continue
        kind, form = column.type, column.form
        converted = conversion(source.expr, source.physical, kind, timezone=scan.timezone, form=form)
        if converted is None:
            raise _never_fits(batch, column, source.physical)
        values.append(f"{converted.value} AS {quote.ident(column.name)}")
        held = scan.holds(f"({converted.value})", column.type.duckdb)
        if converted.ok is not None:
            failing.append((scan.bits.type_bits[column.name], f"NOT ({converted.ok})"))
        if held is not None:
            failing.append((scan.bits.store_bits[column.name], f"NOT coalesce({held[0]}, true)"))
    if scan.bits.model_bit is not None:
        failing.append((scan.bits.model_bit, "src._hg_refused"))
    for name, bit in scan.bits.extra_bits.items():
        if name in by_name:
            failing.append((bit, f"src.{quote.ident(by_name[name].name)} IS NOT NULL"))
    return values, failing


def _source(scan: Scan, by_name: Mapping[str, SourceColumn], column: ContractColumn) -> Fed | None:
    """What of the batch feeds this column."""
    if column.source == RECORD:
        return Fed(f"src.{RECORD}", "BIGINT", RECORD)
    names = (column.source, *column.was) if scan.absolute else (column.source,)
    return next((fed for name in names if (fed := feed_of(by_name, name, "src"))), None)


def missing_column(batch: Batch, column: ContractColumn | Child) -> ContractError:
    names = [one.name for one in batch.columns]
    return ContractError(
        Finding(
            "missing-column",
            "error",
            f"column {column.source!r} of the contract is not in the file{nearest(column.source, names)}",
            batch.location or batch.partition,
            "mend the file, take the column out of the contract, or name its source: from('Name in the file')",
            {"columns": names},
        )
    )


def unknown_columns(contract: Contract, columns: Sequence[SourceColumn], former: bool = False) -> list[str]:
    """The columns that the contract does not name; `former` names of its columns may count, too."""
    wanted = list(contract.sources)
    wanted += [name for column in contract.columns if former for name in column.was]
    known = {name.lower() for name in bases(columns, wanted)}
    return [column.name for column in columns if column.name.lower() not in known]


def refuse_unknown(contract: Contract, batch: Batch, former: bool = False) -> None:
    """Stops the load at a column that the contract does not name."""
    for name in unknown_columns(contract, batch.columns, former)[:1]:
        raise ContractError(
            Finding(
                "unknown-column",
                "error",
                f"column {name!r} of the file is not in the contract"
                f"{nearest(name, [one.source for one in contract.columns])}",
                batch.location or batch.partition,
                "add it to the contract, or let unknown columns pass: extra: ignore",
                {"column": name},
            )
        )


def _never_fits(batch: Batch, column: ContractColumn, physical: str) -> ContractError:
    return ContractError(
        Finding(
            "type-never-fits",
            "error",
            f"column {column.name!r}: no value of type {physical} fits {column.type}",
            f"{column.where or ''} against {batch.location or batch.partition}",
            "change the column's type in the contract",
        )
    )


def columns_of(
    contract: Contract, history: History | None = None, order_by: str | None = None
) -> Sequence[tuple[str, str]]:
    """The table's columns and their types for this contract."""
    plain = [(column.name, column.type.duckdb) for column in contract.columns]
    time = dict(plain).get(order_by or "", "TIMESTAMP WITH TIME ZONE")
    return [*plain, *(history.columns(time, dict(plain)) if history else [])]
