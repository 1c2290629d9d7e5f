"""What a Python model gave: taken from any library as rows that the engine reads without loss."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from headgate.adapters.python.arrow import exact, is_arrow, joined, pyarrow
from headgate.adapters.python.slice import Run
from headgate.core import stop
from headgate.core.errors import HeadgateError, ProjectError
from headgate.core.records import dataclass
from headgate.models.python import telling
from headgate.models.python.given import WHO
from headgate.models.python.kinds import SPELLED

HELD_BYTES = 64 << 20
"""So much of rows that come one by one is held in memory; with more, all of them are in a file."""
BATCH_ROWS = 100_000


@dataclass(frozen=True)
class Place:
    """Where the function stands, for messages: `file:line` and its name."""

    where: str
    name: str

    def refuse(self, what: str, fix: str, code: str = "not-a-table") -> HeadgateError:
        return ProjectError.of(code, f"{self.name} gave {what}", self.where, fix)


@dataclass(frozen=True)
class Streamed:
    """The rows of a file, read from its beginning by everybody who asks; never all of them in memory."""

    file: Path

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        pa = pyarrow(WHO)
        return pa.ipc.open_stream(pa.OSFile(str(self.file))).__arrow_c_stream__(requested_schema)


@dataclass
class Rows:
    """Rows of one schema. `kinds`: the engine's types that columns have, where Arrow knows them under another one."""

    folder: Path
    place: Place
    run: Run | None = None
    kinds: dict[str, str] = field(default_factory=dict)
    count: int = 0
    _held: int = 0
    _whole: bool = False

    def take(self, made: Any) -> Rows:
        """All rows of what the function gave. Raises as the function does while it yields.

        *Errors*: ProjectError `not-a-table`, `mixed-column`, `unreadable-value`; AdapterError `bad-schema`,
        `unreadable-type`, `no-space`.
        """
        self._whole = is_whole(made)
        for part in self._parts(made):
            self._add(part)
        if self.run is None:
            fix = "yield at least one table, an empty one with its columns: table.slice(0, 0)"
            raise self.place.refuse("nothing, so its columns are unknown", fix)
        return self

    def whole(self) -> Any:
        """What gives the rows to the engine, as often as it likes; from a file, where they were too many."""
        assert self.run is not None
        if self.run.file is None:
            return joined(self.run.tables)
        self.run.spill(self.folder)
        self.run.writer.close()
        return Streamed(self.run.file)

    def discard(self) -> None:
        if self.run is not None:
            self.run.discard()

    def _add(self, batch: Any) -> None:
        stop.check()
        made = exact(batch, self.place.where)
        if made.refused:
            number, why = next(iter(made.refused.items()))
            what = f"a value that would be cut short: {why} (row {self.count + number + 1})"
            fix = "round or cast the column to microseconds before it is returned"
            raise self.place.refuse(what, fix, "unreadable-value")
        if self.run is None:
            self.run = Run(0, made.table.schema, text=False)
        elif not made.table.schema.equals(self.run.schema):
            raise self._other(made.table.schema)
        self.run.tables.append(made.table)
        self.count += made.table.num_rows
        self._held += made.table.nbytes
        if self._held > HELD_BYTES and not self._whole:
            self.run.spill(self.folder)
            self._held = 0

    def _other(self, schema: Any) -> HeadgateError:
        assert self.run is not None
        first, now = ({one.name: str(one.type) for one in listed} for listed in (self.run.schema, schema))
        apart = [name for name in {**first, **now} if first.get(name) != now.get(name)]
        shown = f"column {apart[0]!r} is {first.get(apart[0], 'not there')}, then {now.get(apart[0], 'not there')}" if (
            apart
        ) else "their columns stand in another order"  # fmt: skip
        fix = "give every table the same columns, in one order and with the same types (cast them)"
        return self.place.refuse(f"tables that do not fit each other: {shown}", fix, "bad-schema")

    # -- what it may be ------------------------------------------------------------------------------------------------

    def _parts(self, made: Any) -> Iterator[Any]:
        """Record batches and tables, out of whatever the function gave."""
        library = type(made).__module__.partition(".")[0]
        if library in ("_duckdb", "duckdb") and type(made).__name__ == "DuckDBPyRelation":
            yield from self._relation(made)
        elif library == "polars" and type(made).__name__ == "LazyFrame":
            yield from self._lazy(made)
        elif library == "pandas" and type(made).__name__ == "DataFrame":
            yield self._frame(made)
        elif is_arrow(made):
            self._refuse_objects(made)
            yield from self._stream(made)
        elif isinstance(made, Iterable) and not isinstance(made, str | bytes | bytearray | Mapping):
            for one in made:
                if not is_table(one):
                    raise self._no_table(one, " among others")
                yield from self._parts(one)
        else:
            raise self._no_table(made)

    def _no_table(self, made: object, more: str = "") -> HeadgateError:
        what = "None" if made is None else f"a {type(made).__name__}"
        fix = "return one of " + ", ".join(SPELLED) + ", or yield several"
        return self.place.refuse(f"{what}{more}, which is no table", fix)

    def _relation(self, made: Any) -> Iterator[Any]:
        columns = list(zip(made.columns, map(str, made.types), strict=True))
        self.kinds |= dict(columns)
        inside = telling.hidden(columns)
        if inside is not None:
            what = f"column {inside[0]!r} of the engine's type {inside[1]}, whose values would change on their way"
            raise self.place.refuse(what, "cast the column before it is returned, e.g. to text", "unreadable-type")
        texts = telling.projection(columns)
        yield from batches_of((made.project(texts) if texts else made).to_arrow_reader(BATCH_ROWS))

    def _unknown_type(self, made: object, error: Exception) -> HeadgateError:
        said = (str(error).splitlines() or [""])[0]
        what = f"a {type(made).__name__} with a type that can't be handed over: {said}"
        return self.place.refuse(what, "cast the column before it is returned", "unreadable-type")

    def _refuse_objects(self, made: Any) -> None:
        """Columns of polars that hold any object of Python: what they hand over is no value."""
        polars = type(made).__module__.startswith("polars.") and type(made).__name__ == "DataFrame"
        for name, kind in made.schema.items() if polars else ():
            if str(kind) == "Object":
                fix = f"cast it to one kind: pl.col({name!r}).map_elements(str, return_dtype=pl.String)"
                raise self.place.refuse(f"column {name!r} with objects of any kind", fix, "mixed-column")

    def _lazy(self, made: Any) -> Iterator[Any]:
        """A lazy frame is computed batch by batch, where polars can."""
        frames: Callable[[], Iterable[Any]] | None = getattr(made, "collect_batches", None)
        none = True
        for frame in frames() if frames is not None else [made.collect(engine="streaming")]:
            none = False
            self._refuse_objects(frame)
            yield from self._stream(frame)
        if none:
            yield from self._stream(made.limit(0).collect())

    def _stream(self, made: Any) -> Iterator[Any]:
        pa = pyarrow(WHO)
        if hasattr(made, "__arrow_c_array__") and not hasattr(made, "__arrow_c_stream__"):
            if not pa.types.is_struct(pa.array(made).type):
                raise self._no_table(made)
            yield pa.record_batch(made)
            return
        try:
            reader = pa.RecordBatchReader.from_stream(made)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, TypeError) as error:
            raise (self._unknown_type(made, error) if is_whole(made) else self._no_table(made)) from error
        yield from batches_of(reader)

    def _frame(self, made: Any) -> Any:
        """A frame of pandas; an index without a name is left out."""
        pa = pyarrow(WHO)
        twice = [str(name) for name in made.columns[made.columns.duplicated()]]
        if twice:
            fix = "give every column a name of its own"
            raise self.place.refuse(f"two columns called {twice[0]!r}", fix, "bad-schema")
        for name in made.columns:
            try:
                pa.array(made[name], from_pandas=True)
            except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
                kinds = sorted({type(one).__name__ for one in made[name].dropna()})
                what = f"column {str(name)!r} with values of several kinds ({', '.join(kinds)})"
                fix = f"cast it to one: df[{str(name)!r}] = df[{str(name)!r}].astype('string[pyarrow]')"
                raise self.place.refuse(what, fix, "mixed-column") from error
        return pa.Table.from_pandas(made)


def batches_of(reader: Any) -> Iterator[Any]:
    """The batches, at least one that says what columns there are."""
    none = True
    for batch in reader:
        none = False
        yield batch
    if none:
        yield reader.schema.empty_table()


def is_whole(made: object) -> bool:
    """Whether all of its rows are in memory already."""
    return type(made).__name__ in ("Table", "RecordBatch", "DataFrame")


def is_table(made: object) -> bool:
    """Whether it has rows and columns, as far as its type tells."""
    name = type(made).__name__
    return is_arrow(made) or name in ("DuckDBPyRelation", "LazyFrame")
