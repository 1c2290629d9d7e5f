"""Avro and ORC files as sources: turned into Parquet of the same types, type by type without loss, and read as that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from headgate.adapters.files.origin import corrupt, opened
from headgate.adapters.files.parquet import ParquetSource, Readable
from headgate.core.errors import AdapterError, HeadgateError

ROWS = 50_000
"""Records that are held at once."""


class Converted(Readable):
    """A Parquet file in a temporary folder, written by `write(file, target)`."""

    def __init__(self, path: Path, tmp: Path, write: Callable[[Path, Path], None]) -> None:
        super().__init__(Path("/"), tmp)
        self.path = self.beside(tmp)
        try:
            write(path, self.path)
        except BaseException:
            self.close()
            raise


class OrcSource(ParquetSource):
    """ORC files under `options["path"]`. *Errors*: AdapterError `missing-extra`, and those of Parquet."""

    def readable(self, path: Path) -> Readable:
        return Converted(path, self.tmp, _from_orc)


class AvroSource(ParquetSource):
    """Avro files under `options["path"]`. *Errors*: AdapterError `missing-extra`, `unreadable-type`, and those of
    Parquet."""

    def readable(self, path: Path) -> Readable:
        return Converted(path, self.tmp, _from_avro)


def _module(name: str, kind: str, extra: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        what = f"{kind} files need {name.split('.')[0]}, which is not installed"
        raise AdapterError.of("missing-extra", what, "", f"pip install 'headgate[{extra}]'") from error


def _from_orc(path: Path, target: Path) -> None:
    orc, pq = _module("pyarrow.orc", "ORC", "arrow"), _module("pyarrow.parquet", "ORC", "arrow")
    with opened(path) as file:
        try:
            source = orc.ORCFile(file)
            with _space(target), pq.ParquetWriter(target, source.schema, version="2.6") as out:
                for stripe in range(source.nstripes):
                    out.write_batch(source.read_stripe(stripe))
                rows = source.nrows
        except HeadgateError:
            raise
        except Exception as error:  # Arrow's own classes, which are imported lazily
            raise corrupt(path, f"this is no readable ORC file: {_first_line(error)}") from error
    _same(path, pq.ParquetFile(target).metadata.num_rows, rows)


def _from_avro(path: Path, target: Path) -> None:
    fastavro, pa = _module("fastavro", "Avro", "avro"), _module("pyarrow", "Avro", "avro")
    pq = _module("pyarrow.parquet", "Avro", "avro")
    rows = 0
    with opened(path) as file:
        try:
            blocks = fastavro.block_reader(file)
            types = Schema(pa, path)
            schema = types.of(blocks.writer_schema)
            with _space(target), pq.ParquetWriter(target, schema, version="2.6") as out:
                for block in blocks:
                    rows += block.num_records
                    records = iter(block)
                    while chunk := list(islice(records, ROWS)):
                        rows_now = [_texts(one) for one in chunk] if types.uuids else chunk
                        out.write_table(pa.Table.from_pylist(rows_now, schema))
        except HeadgateError:
            raise
        except Exception as error:  # fastavro raises what its codecs, its schemas and struct raise
            raise corrupt(path, f"this is no readable Avro file: {_first_line(error)}") from error
    _same(path, pq.ParquetFile(target).metadata.num_rows, rows)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _same(path: Path, written: int, told: int) -> None:
    """The file's own count must be what was written."""
    if written != told:
        raise corrupt(path, f"the file says that it holds {told} records, and {written} were read")


def _texts(value: Any) -> Any:
    """The value with its uuids as text."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict):
        return {key: _texts(inner) for key, inner in value.items()}
    return [_texts(inner) for inner in value] if isinstance(value, list) else value


class _space:
    """*Errors*: AdapterError `no-space` where the temporary file can't be written."""

    def __init__(self, target: Path) -> None:
        self._target = target

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        import errno

        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            what = f"cannot write a temporary file: {error.strerror}"
            raise AdapterError.of("no-space", what, self._target, "free some disk space") from error


class Schema:
    """Avro's types as Arrow's. *Errors*: AdapterError `unreadable-type`."""

    def __init__(self, pa: Any, path: Path) -> None:
        self._pa, self._path = pa, path
        self._named: dict[str, Any] = {}
        self._open: set[str] = set()
        self.uuids = False
        """Whether there are uuids among the types: Arrow takes them as text."""
        self._logical: dict[tuple[str, str], Any] = {
            ("int", "date"): pa.date32(),
            ("int", "time-millis"): pa.time32("ms"),
            ("long", "time-micros"): pa.time64("us"),
            ("long", "timestamp-millis"): pa.timestamp("ms", "UTC"),
            ("long", "timestamp-micros"): pa.timestamp("us", "UTC"),
            ("long", "local-timestamp-millis"): pa.timestamp("ms"),
            ("long", "local-timestamp-micros"): pa.timestamp("us"),
        }
        self._plain: dict[str, Any] = {
            "null": pa.null(),
            "boolean": pa.bool_(),
            "int": pa.int32(),
            "long": pa.int64(),
            "float": pa.float32(),
            "double": pa.float64(),
            "bytes": pa.binary(),
            "string": pa.string(),
            "fixed": pa.binary(),
            "enum": pa.string(),
        }

    def of(self, written: Any) -> Any:
        """The Arrow schema of a file's records."""
        made = self._type(written, "")
        if not self._pa.types.is_struct(made):
            raise self._unreadable("", "a file whose records are not of the type record")
        return self._pa.schema(list(made))

    def _type(self, written: Any, field: str) -> Any:
        if isinstance(written, list):
            return self._union(written, field)
        if isinstance(written, str):
            return self._reference(written, field)
        kind = written["type"]
        if isinstance(kind, list | dict):
            return self._type(kind, field)
        if kind in ("record", "error"):
            return self._record(written, field)
        if kind == "array":
            return self._pa.list_(self._type(written["items"], field))
        if kind == "map":
            return self._pa.map_(self._pa.string(), self._type(written["values"], field))
        made = self._scalar(written, kind, field)
        if "name" in written:
            self._named[str(written["name"])] = made
        return made

    def _reference(self, name: str, field: str) -> Any:
        if name in self._plain:
            return self._plain[name]
        if name in self._open:
            raise self._unreadable(field, f"the type {name}, which holds itself")
        if name not in self._named:
            raise self._unreadable(field, f"an unknown type {name}")
        return self._named[name]

    def _union(self, written: list[Any], field: str) -> Any:
        others = [one for one in written if one != "null"]
        if len(others) > 1:
            raise self._unreadable(field, "a union of several types")
        return self._type(others[0], field) if others else self._pa.null()

    def _record(self, written: Mapping[str, Any], field: str) -> Any:
        name = str(written.get("name", ""))
        self._open.add(name)
        dot = field + "." if field else ""
        parts = [self._pa.field(one["name"], self._type(one["type"], dot + one["name"])) for one in written["fields"]]
        self._open.discard(name)
        self._named[name] = self._pa.struct(parts)
        return self._named[name]

    def _scalar(self, written: Mapping[str, Any], kind: str, field: str) -> Any:
        logical = written.get("logicalType")
        if logical == "decimal" and kind in ("bytes", "fixed"):
            precision, scale = int(written["precision"]), int(written.get("scale", 0))
            if precision > 38:
                raise self._unreadable(field, f"a decimal of {precision} digits")
            return self._pa.decimal128(precision, scale)
        if logical == "uuid" and kind == "string":
            self.uuids = True
            return self._pa.string()
        return self._logical.get((kind, str(logical)), None) or self._reference(kind, field)

    def _unreadable(self, field: str, what: str) -> AdapterError:
        named = f"field {field!r}: " if field else ""
        fix = "write the field as another type where the file is made, or take the files as JSON lines"
        made = AdapterError.of("unreadable-type", f"{named}{what} has no columns of ours", self._path, fix)
        assert isinstance(made, AdapterError)
        return made
