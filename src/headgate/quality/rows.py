"""The rows of a source's partitions as one relation that can be read again and again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace

from headgate.core.errors import InternalError
from headgate.core.protocols import Engine, Source
from headgate.core.records import dataclass
from headgate.core.values import Batch, Partition, SourceColumn
from headgate.sql.quote import ident
from headgate.types import jsonvalue
from headgate.types.codec import encode

PART = "_hg_part"
"""In a relation: the number of the partition that a row is from."""
ALL = 2**60


@dataclass(frozen=True)
class Rows:
    """*Shape*: `relation`, which may stand behind FROM, has `columns` and PART.

    `malformed` records are in no row. `total`: rows before a sample was taken. `uneven`: not every partition has all
    columns.
    """

    name: str
    relation: str
    columns: tuple[SourceColumn, ...]
    malformed: int = 0
    total: int | None = None
    uneven: bool = False


@contextmanager
def opened(session: Engine, source: Source, name: str, partitions: Sequence[Partition]) -> Iterator[Rows]:
    """The rows of these partitions, in full. Text is parsed once, into a table of the session's own catalog.

    A column that some partitions lack is NULL there; one whose types differ is text. *Errors*: those of the source.
    """
    with ExitStack() as stack:
        batches = list(_batches(session, source, partitions, stack))
        columns = _columns(batches)
        # A JSON record that lacks a key has NULL there; a file that lacks a column is of another table.
        uneven = any(len(batch.columns) < len(columns) for batch in batches if not batch.sparse)
        if all(batch.rescan for batch in batches):
            malformed = sum(batch.malformed for batch in batches)
            yield Rows(name, f"({_union(batches, columns)})", columns, malformed, uneven=uneven)
            return
        batches = _staged(session, batches, stage := ident(f"hg rows {name}"))
        try:
            malformed = sum(batch.malformed for batch in batches)
            relation, columns = _unfolded(session, stage, _columns(batches))
            yield Rows(name, relation, columns, malformed, uneven=uneven)
        finally:
            session.execute(f"DROP TABLE IF EXISTS {stage}")


@contextmanager
def sampled(session: Engine, rows: Rows, size: int | None) -> Iterator[Rows]:
    """At most `size` of the rows, each as likely as any other; all of them where no size is given."""
    if size is None:
        yield rows
        return
    stage = ident(f"hg sample {rows.name}")
    session.execute(f"DROP TABLE IF EXISTS {stage}")
    ((total,),) = session.execute(f"SELECT count(*) FROM {rows.relation}")
    sample = f"SELECT * FROM {rows.relation} USING SAMPLE reservoir({int(size)} ROWS) REPEATABLE (1)"
    session.execute(f"CREATE TEMP TABLE {stage} AS {sample}")
    try:
        yield replace(rows, relation=stage, total=total)
    finally:
        session.execute(f"DROP TABLE IF EXISTS {stage}")


def _batches(session: Engine, source: Source, partitions: Sequence[Partition], stack: ExitStack) -> Iterator[Batch]:
    """Everything that the partitions hold; readers stay open as long as the stack."""
    for partition in partitions:
        reader = stack.enter_context(closing(source.open(session, partition, None)))
        while (batch := reader.read(ALL, ALL)) is not None:
            yield from batch.pieces


def _columns(batches: Iterable[Batch]) -> tuple[SourceColumn, ...]:
    """Every column of any batch, in the order in which they first come."""
    types: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    for batch in batches:
        for column in batch.columns:
            names.setdefault(column.name.lower(), column.name)
            types.setdefault(column.name.lower(), set()).add(column.physical)
    return tuple(
        SourceColumn(name, kinds.pop() if len(kinds := types[lower]) == 1 else "VARCHAR")
        for lower, name in names.items()
    )


def _union(batches: Sequence[Batch], columns: Sequence[SourceColumn]) -> str:
    return " UNION ALL ".join(f"({_select(batch, columns, part)})" for part, batch in enumerate(batches))


def _select(batch: Batch, columns: Sequence[SourceColumn], part: int) -> str:
    there = {column.name.lower(): column for column in batch.columns}
    picked = [_pick(there.get(column.name.lower()), column) for column in columns]
    return f"SELECT {', '.join([*picked, f'{part} AS {ident(PART)}'])} FROM ({batch.relation}) AS src"


def _pick(found: SourceColumn | None, wanted: SourceColumn) -> str:
    if found is None:
        kind = "VARCHAR" if wanted.physical == jsonvalue.PHYSICAL else wanted.physical
        return f"CAST(NULL AS {kind}) AS {ident(wanted.name)}"
    expr = f"src.{ident(found.name)}"
    value = expr if found.physical == wanted.physical else encode(expr, found.physical)
    return f"{value} AS {ident(wanted.name)}"


def _unfolded(session: Engine, stage: str, columns: Sequence[SourceColumn]) -> tuple[str, tuple[SourceColumn, ...]]:
    """The relation with values of JSON documents as text, or as JSON where lists or objects are among them."""
    values = [column for column in columns if column.physical == jsonvalue.PHYSICAL]
    if not values:
        return stage, tuple(columns)
    nested = ", ".join(f"count(*) FILTER (WHERE NOT {jsonvalue.is_scalar(ident(one.name))})" for one in values)
    (counts,) = session.execute(f"SELECT {nested} FROM {stage}")
    made = {one.name: "JSON" if count else "VARCHAR" for one, count in zip(values, counts, strict=True)}
    shown = [_shown(column, made.get(column.name)) for column in columns]
    found = tuple(SourceColumn(column.name, made.get(column.name, column.physical)) for column in columns)
    return f"(SELECT {', '.join([*shown, ident(PART)])} FROM {stage})", found


def _shown(column: SourceColumn, made: str | None) -> str:
    name = ident(column.name)
    if made is None:
        return name
    return f"CAST({name} AS JSON) AS {name}" if made == "JSON" else f"{jsonvalue.text(name)} AS {name}"


def _staged(session: Engine, batches: list[Batch], stage: str) -> list[Batch]:
    """The batches that were read into the table: the careful form of all where the strict parser can't be believed."""
    if _stage(session, batches, _columns(batches), stage):
        return batches
    careful = [batch.careful() if batch.careful is not None else batch for batch in batches]
    if not _stage(session, careful, _columns(careful), stage):
        what = "the parser found another number of records than were counted"
        raise InternalError.of("read-mismatch", what, batches[0].location, "report it with the file's first lines")
    return careful


def _stage(session: Engine, batches: Sequence[Batch], columns: Sequence[SourceColumn], stage: str) -> bool:
    """Whether as many rows were read as were counted."""
    session.execute(f"DROP TABLE IF EXISTS {stage}")
    wanted = sum(batch.records - batch.malformed for batch in batches)
    try:
        session.execute(f"CREATE TABLE {stage} AS {_union(batches, columns)}")
    except Exception:
        if all(batch.careful is None for batch in batches):
            raise
        return False
    ((there,),) = session.execute(f"SELECT count(*) FROM {stage}")
    return bool(there == wanted)
