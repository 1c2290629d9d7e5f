"""What a Python model is given: each input in the form that the annotation of its parameter asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from headgate.adapters.python.arrow import pyarrow
from headgate.core import stop
from headgate.core.errors import AdapterError, ProjectError
from headgate.core.protocols import Engine
from headgate.core.records import dataclass
from headgate.models.python import telling
from headgate.models.python.function import Function, Read
from headgate.models.python.kinds import LIBRARY

WHO = "a Python model"


@dataclass(frozen=True)
class Taken:
    """An input in the engine: `select` gives its rows there."""

    read: Read
    select: str


def values(engine: Engine, taken: Sequence[Taken], folder: Path, function: Function) -> dict[str, Any]:
    """What the function is given, by the parameter. All rows are of one moment, as the engine's session sees them.

    An input that is read as a stream is not in memory: it is written to a file in `folder` first, unless nothing else
    needs the engine meanwhile.
    *Errors*: AdapterError `missing-extra` where the library of an annotation is not installed, `no-space`; ProjectError
    `unreadable-type`.
    """
    lazy = [one for one in taken if one.read.kind in ("relation", "batches")]
    alone = lazy[0] if len(lazy) == 1 else None
    found: dict[str, Any] = {}
    for number, one in enumerate(sorted(taken, key=lambda one: one is alone)):
        library = LIBRARY.get(one.read.kind)
        if library is not None:
            _needed(library, one.read, function)
        select = one.select if one.read.kind == "relation" else _exactly(engine, one, function)
        if one is alone and one.read.kind == "batches":
            found[one.read.name] = engine.batches(select)
        else:
            found[one.read.name] = _GIVEN[one.read.kind](engine, select, folder / f"input{number}.arrow")
    return found


def _exactly(engine: Engine, taken: Taken, function: Function) -> str:
    """The SELECT with texts for what Arrow would hand over as something else."""
    columns = [(row[0], row[1]) for row in engine.execute(f"DESCRIBE {taken.select}")]
    inside = telling.hidden(columns)
    if inside is not None:
        what = (
            f"column {inside[0]!r} of parameter {taken.read.name!r} is {inside[1]}, whose values would change in Arrow"
        )
        fix = "take a relation of DuckDB instead, or a model that casts the column to text"
        raise ProjectError.of("unreadable-type", what, function.file, fix)
    texts = telling.projection(columns)
    return f"SELECT {texts} FROM ({taken.select}) AS _hg_exact" if texts else taken.select


def _needed(library: str, read: Read, function: Function) -> None:
    try:
        __import__(library)
    except ImportError as error:
        what = f"parameter {read.name!r} of {function.file} wants a table of {library}, which is not installed"
        raise AdapterError.of("missing-extra", what, function.file, f"pip install {library}") from error


def _relation(engine: Engine, select: str, file: Path) -> Any:
    return engine.relation(select)


def _arrow(engine: Engine, select: str, file: Path) -> Any:
    return engine.arrow(select)


def _batches(engine: Engine, select: str, file: Path) -> Any:
    pa = pyarrow(WHO)
    _written(engine, select, file, pa.ipc.new_stream)
    return pa.ipc.open_stream(pa.memory_map(str(file)))


def _polars(engine: Engine, select: str, file: Path) -> Any:
    import polars

    return polars.from_arrow(engine.arrow(select))


def _lazy(engine: Engine, select: str, file: Path) -> Any:
    import polars

    _written(engine, select, file, pyarrow(WHO).ipc.new_file)
    return polars.scan_ipc(file)


def _pandas(engine: Engine, select: str, file: Path) -> Any:
    """Columns of Arrow: integers with NULL stay integers, decimals stay decimals."""
    import pandas

    return engine.arrow(select).to_pandas(types_mapper=pandas.ArrowDtype)


_GIVEN: dict[str, Callable[[Engine, str, Path], Any]] = {
    "relation": _relation,
    "arrow": _arrow,
    "batches": _batches,
    "polars": _polars,
    "lazy": _lazy,
    "pandas": _pandas,
}


def _written(engine: Engine, select: str, file: Path, writer: Callable[[str, Any], Any]) -> None:
    """Writes the rows to a file, batch by batch."""
    reader = engine.batches(select)
    try:
        with writer(str(file), reader.schema) as out:
            for batch in watched(reader):
                out.write_batch(batch)
    except OSError as error:
        what = f"a temporary file can't be written: {error.strerror or error}"
        raise AdapterError.of("no-space", what, file, "free some disk space, and run again") from error


def watched(items: Iterator[Any]) -> Iterator[Any]:
    """The items, until the step is asked to end."""
    for one in items:
        stop.check()
        yield one
