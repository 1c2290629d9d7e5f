"""Arrow as the engine can read it without loss: what it would cut short is set aside, row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from functools import lru_cache
from typing import Any

from headgate.core.errors import AdapterError, HeadgateError
from headgate.core.records import dataclass

RESERVED = "_hg_row"
_PANDAS_INDEX = re.compile(r"__index_level_\d+__")
_SMALL_CHUNK_ROWS = 10_000


@lru_cache(4)
def pyarrow(who: str = "a python source") -> Any:
    """The module, for what `who` names. *Errors*: AdapterError `missing-extra`."""
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.ipc
    except ImportError as error:
        what = f"{who} needs pyarrow, which is not installed"
        raise AdapterError.of("missing-extra", what, "", "pip install 'headgate[arrow]'") from error
    return pyarrow


def is_arrow(made: object) -> bool:
    """Whether it hands out its rows through Arrow's C interface: Arrow, pandas, polars, DuckDB."""
    return hasattr(made, "__arrow_c_stream__") or hasattr(made, "__arrow_c_array__")


def batches(made: object) -> Iterator[Any]:
    """The record batches of anything that `is_arrow`, one by one."""
    pa = pyarrow()
    if hasattr(made, "__arrow_c_stream__"):
        yield from pa.RecordBatchReader.from_stream(made)
    else:
        yield pa.record_batch(made)


@dataclass(frozen=True)
class Exact:
    """A table that the engine reads as it is; `refused`: place of each row that it could not hold, with the reason."""

    table: Any
    refused: dict[int, str] = field(default_factory=dict)


def exact(batch: Any, where: str) -> Exact:
    """The batch as the engine can read it. *Errors*: AdapterError `bad-schema`, `unreadable-type`."""
    pa = pyarrow()
    names, columns = [], []
    refused: dict[int, str] = {}
    for name, column in _named(batch, where):
        made, lost, why = _column(name, column, where)
        names.append(name)
        columns.append(made)
        for place in lost:
            refused.setdefault(place, f"column {name!r}: {why}")
    if not names:
        raise AdapterError.of("bad-schema", "the rows have no column", where, "give rows with columns")
    table = pa.table(columns, names=names)
    if refused:
        kept = [place for place in range(batch.num_rows) if place not in refused]
        table = table.take(pa.array(kept, pa.int64()))
    return Exact(table, refused)


def _named(batch: Any, where: str) -> list[tuple[str, Any]]:
    """The columns to keep: without the index that pandas adds, and without the name that is ours."""
    pandas = b"pandas" in (batch.schema.metadata or {})
    pairs = [
        (name, batch.column(place))
        for place, name in enumerate(batch.schema.names)
        if name.lower() != RESERVED and not (pandas and _PANDAS_INDEX.fullmatch(name))
    ]
    seen: set[str] = set()
    for name, _ in pairs:
        if not name or name.lower() in seen:
            what = f"the rows name column {name!r} twice (upper and lower case are the same)" if name else (
                "a column of the rows has no name"
            )  # fmt: skip
            raise AdapterError.of("bad-schema", what, where, "give every column a name of its own")
        seen.add(name.lower())
    return pairs


def _column(name: str, column: Any, where: str) -> tuple[Any, list[int], str]:
    """The column as the engine reads it without loss, the rows where it can't, and why not."""
    pa = pyarrow()
    kind = column.type
    types = pa.types
    if types.is_null(kind):
        return column.cast(pa.string()), [], ""
    if types.is_float16(kind):
        return column.cast(pa.float32()), [], ""
    if types.is_date64(kind):
        return column.cast(pa.timestamp("ms")), [], ""
    if types.is_decimal256(kind):
        return _narrowed(name, column, where), [], ""
    if types.is_duration(kind) or (types.is_timestamp(kind) and kind.tz is not None):
        return _microseconds(column)
    if types.is_nested(kind) and _loses_inside(kind):
        raise _unreadable(name, kind, where)
    return column, [], ""


def _narrowed(name: str, column: Any, where: str) -> Any:
    pa = pyarrow()
    try:
        return column.cast(pa.decimal128(38, column.type.scale))
    except (pa.ArrowInvalid, ValueError) as error:
        raise _unreadable(name, column.type, where) from error


def _microseconds(column: Any) -> tuple[Any, list[int], str]:
    """Moments and durations in the engine's unit; those with nanoseconds, or too great for it, are told by place."""
    pa = pyarrow()
    kind = column.type
    wanted = pa.timestamp("us", kind.tz) if pa.types.is_timestamp(kind) else pa.duration("us")
    if kind == wanted:
        return column, [], ""
    try:
        return column.cast(wanted), [], ""
    except pa.ArrowInvalid:
        pass
    near = column.cast(wanted, safe=False)
    back = near.cast(kind, safe=False)
    differs = pa.compute.fill_null(pa.compute.not_equal(back.cast(pa.int64()), column.cast(pa.int64())), False)
    lost = pa.compute.indices_nonzero(differs).to_pylist()
    return near, lost, "the value has nanoseconds, or is out of range"


def _loses_inside(kind: Any) -> bool:
    """Whether something inside a nested type is of a kind that the engine would cut short."""
    pa = pyarrow()
    if pa.types.is_nested(kind):
        return any(_loses_inside(kind.field(place).type) for place in range(kind.num_fields))
    fine = pa.types.is_timestamp(kind) and kind.unit == "ns" and kind.tz is not None
    return bool(
        fine
        or pa.types.is_date64(kind)
        or pa.types.is_decimal256(kind)
        or pa.types.is_float16(kind)
        or (pa.types.is_duration(kind) and kind.unit == "ns")
    )


def _unreadable(name: str, kind: Any, where: str) -> HeadgateError:
    what = f"column {name!r}: the engine can't hold every value of Arrow's type {kind}"
    return AdapterError.of("unreadable-type", what, where, "cast the column before it is given, e.g. to text")


def numbers(first: int, count: int, without: dict[int, str]) -> Any:
    """Record numbers from `first` on as an int64 array, without those at the places given."""
    pa = pyarrow()
    if not count:
        return pa.array([], pa.int64())
    ones = pa.repeat(pa.scalar(1, pa.int64()), count)
    made = pa.compute.cumulative_sum(ones, start=pa.scalar(first - 1, pa.int64()))
    if not without:
        return made
    return made.take(pa.array([place for place in range(count) if place not in without], pa.int64()))


def joined(tables: list[Any]) -> Any:
    """One table of tables that have the same schema; many small chunks become few, which are read faster."""
    pa = pyarrow()
    table = pa.concat_tables(tables)
    pieces = sum(one.column(0).num_chunks for one in tables)
    return table.combine_chunks() if pieces > 1 and table.num_rows < pieces * _SMALL_CHUNK_ROWS else table
