"""A batch through a Pydantic model: what it refuses, and the values that it makes of the rest, as a relation."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from headgate.adapters.python.arrow import pyarrow
from headgate.adapters.python.cells import decode
from headgate.contracts.model import Contract, ModelRule
from headgate.contracts.pydantic import Model, load_model
from headgate.core.errors import AdapterError
from headgate.core.protocols import Engine
from headgate.core.values import Batch, SourceColumn
from headgate.gate.bits import Reason
from headgate.gate.exact import kept
from headgate.gate.scan import Scan, missing_column, refuse_unknown
from headgate.gate.stage import staged
from headgate.gate.told import Told, Word
from headgate.gate.validate import Manner, Validated, validate
from headgate.sql.quote import ident

PIECE_ROWS = 10_000
WAITING_ROWS, WAITING_BYTES = 200_000, 64 << 20
"""How much of what was made is handed to the engine at once; a hand-over costs as much as thousands of rows."""
REFUSED = "_hg_refused"
_names = itertools.count(1)
_AS_TEXT = ("UUID", "HUGEINT", "UHUGEINT")
_FINE = ("TIMESTAMP_NS", "TIME_NS")
_TEXT_KINDS = ("csv", "fixed", "excel")
_JSON_KINDS = ("json", "ndjson")


def manner_of(kind: str) -> Manner:
    """How Pydantic is asked about records of such a source."""
    return "strings" if kind in _TEXT_KINDS else "json" if kind in _JSON_KINDS else "python"


@dataclass
class Modelled:
    """The model of one commit."""

    scan: Scan
    told: Told
    contract: Contract
    kind: str
    ignore: bool
    """Columns that the model does not know are left out."""

    def __post_init__(self) -> None:
        rule = self.contract.model
        assert rule is not None
        self.rule: ModelRule = rule
        self.model: Model = load_model(rule.program, rule.name)
        self.private = frozenset(column.name for column in self.contract.columns if column.pii)
        self.manner = manner_of(self.kind)
        self._waiting: list[Any] = []

    def judged(self, part: int, batch: Batch, first_id: int) -> tuple[Batch, Batch]:
        """The batch as it was really read, and as it is judged: a column of each field and `_hg_refused`.

        *Errors*: ContractError `missing-column`, `unknown-column`, `rule-stopped`.
        """
        self._structure(batch)
        raw = self.scan.temp.name(f"raw_{len(self.scan.temp.tables)}")
        batch, number = staged(self.scan.session, raw, batch)
        made = self._made_table()
        for table in self._pieces(raw, number, batch):
            numbers = table.column("_hg_row").to_pylist()
            records = self._documents(batch, numbers) if self.manner == "json" else self._records(table, batch)
            with self.rule.program.running():
                found = validate(self.model, records, self.manner, self.private)
            self._keep(made, numbers, found, part, first_id - batch.first_record)
        self._insert(made)
        self.scan.session.execute(f"DROP TABLE IF EXISTS {raw}")
        names = ", ".join(ident(column.name) for column in self.contract.columns)
        columns = tuple(SourceColumn(one.name, one.type.duckdb) for one in self.contract.columns)
        relation = f"SELECT _hg_row, {REFUSED}, {names} FROM {made}"
        return batch, replace(batch, relation=relation, columns=columns, rescan=True)

    def _structure(self, batch: Batch) -> None:
        if batch.sparse:
            return
        if self.rule.extra == "forbid" and not self.ignore:
            fields = [(one.name, known) for one in self.model.fields for known in one.names]
            by_name = {column.name: column for column in self.contract.columns}
            refuse_unknown(
                replace(self.contract, columns=tuple(replace(by_name[name], source=known) for name, known in fields)),
                batch,
            )
        there = {column.name.lower() for column in batch.columns}
        for column in self.contract.columns:
            if column.source not in self.rule.optional and column.source.lower() not in there:
                raise missing_column(batch, column)

    def _made_table(self) -> str:
        made = self.scan.temp.name(f"made_{len(self.scan.temp.tables)}")
        columns = ", ".join(f"{ident(column.name)} {column.type.duckdb}" for column in self.contract.columns)
        self.scan.session.execute(f"CREATE TEMP TABLE {made} (_hg_row BIGINT, {REFUSED} BOOLEAN, {columns})")
        return made

    def _pieces(self, raw: str, number: str, batch: Batch) -> Iterator[Any]:
        engine: Engine = self.scan.session  # type: ignore[assignment]
        rows = batch.records - batch.malformed
        given = [_given(f"c{place}", column) for place, column in enumerate(batch.columns)]
        listed = ", ".join([f"{number} AS _hg_row", *given])
        for start in range(0, rows, PIECE_ROWS):
            yield engine.arrow(
                f"SELECT {listed} FROM {raw} WHERE rowid BETWEEN {start} AND {start + PIECE_ROWS - 1} ORDER BY rowid"
            )

    def _documents(self, batch: Batch, numbers: Sequence[int]) -> Sequence[str]:
        """The records' own texts: what was taken apart no longer tells null from a key that is lacking."""
        found = dict(
            self.scan.session.execute(
                f"SELECT _hg_row, raw FROM ({batch.originals(numbers)}) AS o"
                f" WHERE _hg_row BETWEEN {numbers[0]} AND {numbers[-1]}"
            )
        )
        return [found[number] for number in numbers]

    def _records(self, table: Any, batch: Batch) -> Iterator[dict[str, Any]]:
        """Each record as a dict of what its columns hold."""
        chosen = [(place, name) for place, name in enumerate(self._keys(batch)) if name is not None]
        physical = [batch.columns[place].physical for place, _ in chosen]
        cells = self.kind == "python" and "JSON" in physical
        absent = self.manner != "python" or batch.sparse or cells
        try:
            columns = [_values(table.column(f"c{place}"), batch.columns[place], cells) for place, _ in chosen]
        except ValueError as error:
            what = f"a nested value can't be told to Python: {error}"
            raise AdapterError.of("unreadable-type", what, batch.partition, "give times in microseconds") from error
        names = [name for _, name in chosen]
        holes = absent and any(table.column(f"c{place}").null_count for place, _ in chosen)
        rows = zip(*columns, strict=True) if columns else itertools.repeat((), table.num_rows)
        if not holes:
            return (dict(zip(names, row, strict=True)) for row in rows)
        # What is absent is no None: a cell decodes to None where None was given.
        given = [table.column(f"c{place}").is_valid().to_pylist() for place, _ in chosen]
        return (
            {name: value for name, value, there in zip(names, row, present, strict=True) if there}
            for row, present in zip(rows, zip(*given, strict=True), strict=True)
        )

    def _keys(self, batch: Batch) -> list[str | None]:
        """What the model is told that each column is called; None for one that it is not told of.

        Letter case does not count for columns, so a field's own spelling is told.
        """
        known = {name.lower(): name for name in reversed(self.rule.known)}
        exact = set(self.rule.known)
        names = []
        for column in batch.columns:
            name = column.name if column.name in exact else known.get(column.name.lower())
            names.append(name if name is not None or self.ignore else column.name)
        return names

    def _keep(self, made: str, numbers: Sequence[int], found: Validated, part: int, shift: int) -> None:
        """Writes the values, and the reasons of what was refused, or can't be kept."""
        pa = pyarrow()
        refused: dict[int, list[Reason]] = dict(found.refused)
        arrays: dict[str, Any] = {}
        for column in self.contract.columns:
            name = column.name
            values = [one if one is None else one.get(name) for one in found.values]
            one = kept(values, column.type, self.scan.timezone)
            arrays[name] = one.array
            for place in one.lost:
                refused.setdefault(place, []).append(Reason("type", name, f"expected {column.type}"))
        flags = pa.array([place in refused for place in range(len(numbers))], pa.bool_())
        if len(refused) > len(found.refused):  # some row that the model accepts can't be kept
            arrays = {name: pa.compute.if_else(flags, None, array) for name, array in arrays.items()}
        self._waiting.append(pa.table({"_hg_row": pa.array(numbers, pa.int64()), REFUSED: flags, **arrays}))
        rows, size = (sum(getattr(one, what) for one in self._waiting) for what in ("num_rows", "nbytes"))
        if rows >= WAITING_ROWS or size >= WAITING_BYTES:
            self._insert(made)
        bit = self.scan.bits.model_bit
        assert bit is not None
        self.told.add([
            Word(numbers[place] + shift, part, bit, number, reason)
            for place, reasons in refused.items()
            for number, reason in enumerate(reasons)
        ])  # fmt: skip

    def _insert(self, made: str) -> None:
        if not self._waiting:
            return
        table = pyarrow().concat_tables(self._waiting)
        self._waiting.clear()
        name, engine = f"hg_made_{next(_names)}", self.scan.session
        engine.register(name, table)  # type: ignore[attr-defined]
        try:
            engine.execute(f"INSERT INTO {made} SELECT * FROM {name}")
        finally:
            engine.unregister(name)  # type: ignore[attr-defined]


def _given(name: str, column: SourceColumn) -> str:
    """The column as Arrow carries it to Python."""
    if column.physical in _AS_TEXT or column.physical == "JSON":
        return f"CAST({name} AS VARCHAR) AS {name}"
    if column.physical in _FINE:
        coarse = f"CAST({name} AS {column.physical.removesuffix('_NS')})"
        return f"CASE WHEN CAST({coarse} AS {column.physical}) = {name} THEN {coarse} END AS {name}"
    return name


def _values(array: Any, column: SourceColumn, cells: bool) -> list[Any]:
    """The column's values as Python has them."""
    values: list[Any] = array.to_pylist()
    make: Any = None
    if column.physical == "UUID":
        make = UUID
    elif column.physical in ("HUGEINT", "UHUGEINT"):
        make = int
    elif column.physical == "JSON" and cells:
        make = decode
    return values if make is None else [None if value is None else make(value) for value in values]
