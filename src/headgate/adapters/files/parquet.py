"""Parquet files as a source: counted by their footers, numbered by the reader, sliced along row groups."""

from __future__ import annotations

import bisect
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any, ClassVar, Literal

from headgate.adapters.files.constants import columns, selected
from headgate.adapters.files.listing import Found, Listing, changed_error
from headgate.adapters.files.options import constants
from headgate.adapters.files.origin import identity, open_file
from headgate.adapters.files.shape import RESERVED, compare, has_magic
from headgate.core.errors import AdapterError, Finding, HeadgateError
from headgate.core.protocols import Session
from headgate.core.records import dataclass
from headgate.core.values import Batch, Partition, Position, SourceColumn
from headgate.sql.quote import columns as quoted_columns
from headgate.sql.quote import ident, literal
from headgate.types.nested import bases

ROW_NUMBER = "file_row_number"
"""DuckDB's own name for the row's number; a file with a column of that name is numbered by a window instead."""

_AGAIN = "have the file delivered again (nothing of it was loaded), then run again"


@dataclass(frozen=True)
class Footer:
    """What a file says of itself: columns, rows, and the last row of each row group."""

    columns: tuple[SourceColumn, ...]
    rows: int
    bounds: tuple[int, ...]


class ParquetSource:
    """Parquet files under `options["path"]` (a path, a glob or a list of them), relative to `root`.

    `tmp`: an existing folder for temporary files.
    """

    replay: Literal["stable", "moving"] = "stable"
    unit = "file"
    typed = True
    OPTIONS: ClassVar[frozenset[str]] = frozenset({"path", "file_column", "hive", "timezone"})

    def __init__(self, options: Mapping[str, Any], root: Path, tmp: Path) -> None:
        self.constants = constants(options, root)
        self.tmp = tmp
        self.listing = Listing(options["path"], root)

    def partitions(self, known: Mapping[str, Position]) -> list[Partition]:
        """Every file in name order, judged against the `known` end positions."""
        return self.listing.judge(known)

    def open(self, session: Session, partition: Partition, at: Position | None) -> ParquetReader:
        """A reader of the file from position `at` on. *Errors*: AdapterError as `footer`, `file-changed`."""
        return ParquetReader(self, session, partition, at)

    def check(self, session: Session, columns: Sequence[str]) -> list[Finding]:
        """What would keep these columns from being read, file by file."""
        try:
            files = self.listing.files()
        except HeadgateError as error:
            return list(error.findings)
        findings = [] if files else [self.listing.none_found()]
        for file in files:
            try:
                with self.readable(file.path) as path:
                    found = footer(session, path, file.path)
                given = self.given(found, file.partition)
                names = [*(column.name for column in own(found)), *given]
                findings += compare(names, bases(own(found), columns), str(file.path))
            except HeadgateError as error:
                findings += error.findings
        return findings

    def readable(self, path: Path) -> Readable:
        """The file as the engine reads it."""
        return Readable(path, self.tmp)

    def given(self, found: Footer, partition: Partition) -> dict[str, str | None]:
        """The columns that the path gives. *Errors*: AdapterError `bad-schema`, `bad-path`."""
        names = [column.name for column in found.columns]
        return self.constants.beside(names, partition, partition.location, "bad-schema")


def own(found: Footer) -> tuple[SourceColumn, ...]:
    """The columns that a file yields by itself."""
    return tuple(column for column in found.columns if column.name.lower() != RESERVED)


class Readable:
    """A path that DuckDB does not take for a pattern: the file's own, or a link to it in a temporary folder."""

    def __init__(self, path: Path, tmp: Path) -> None:
        self._folder: Path | None = None
        self.path = path
        if has_magic(path):
            self.path = self.beside(tmp)
            self.path.symlink_to(path)

    def beside(self, tmp: Path) -> Path:
        """The name of a file in a temporary folder, which lives until `close`."""
        self._folder = Path(tempfile.mkdtemp(prefix="parquet-", dir=tmp))
        return self._folder / "file.parquet"

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def footer(session: Session, path: Path, shown: Path) -> Footer:
    """The file's footer. *Errors*: AdapterError `unreadable-file`, `corrupt-file`, `bad-schema`."""
    identity(shown)
    try:
        return _footer(session, literal(str(path)), shown)
    except HeadgateError:
        raise
    except Exception as error:  # the engine's own error class is not known here
        open_file(shown).close()
        first = str(error).splitlines()[0]
        raise AdapterError.of("corrupt-file", f"this is no readable Parquet file: {first}", shown, _AGAIN) from error


def _footer(session: Session, path: str, shown: Path) -> Footer:
    ((rows,),) = session.execute(f"SELECT num_rows FROM parquet_file_metadata({path})")
    groups = session.execute(
        f"SELECT row_group_id, any_value(row_group_num_rows) FROM parquet_metadata({path}) GROUP BY 1 ORDER BY 1"
    )
    held = sum(count for _, count in groups)
    if held != rows:  # the engine believes the row groups
        what = f"this Parquet file is damaged: it speaks of {rows:,} rows, and its row groups of {held:,}"
        raise AdapterError.of("corrupt-file", what, shown, _AGAIN)
    described = session.execute(f"DESCRIBE SELECT * FROM read_parquet({path}, hive_partitioning = false)")
    written = {name for (name,) in session.execute(f"SELECT name FROM parquet_schema({path})")}
    columns = tuple(SourceColumn(name, physical) for name, physical, *_ in described)
    for column in columns:
        if column.name not in written:  # the engine renames the second of two equal names
            what = "the file names a column twice (upper and lower case are the same)"
            raise AdapterError.of("bad-schema", what, shown, "rename the column where the file is made")
    return Footer(columns, rows, tuple(accumulate(count for _, count in groups)))


class ParquetReader:
    """Reads one file."""

    def __init__(self, source: ParquetSource, session: Session, partition: Partition, at: Position | None) -> None:
        self._partition = partition
        self._file = Path(partition.location)
        self._path = source.readable(self._file)
        try:
            self._open(source, session, at)
        except BaseException:
            self.close()
            raise

    def _open(self, source: ParquetSource, session: Session, at: Position | None) -> None:
        self._seen = identity(self._file)
        self._footer = footer(session, self._path.path, self._file)
        self._own, self._given = own(self._footer), source.given(self._footer, self._partition)
        self._columns = (*self._own, *columns(self._given))
        self._digest = source.listing.digest(Found(self._partition.name, self._file, self._seen))
        self._verify()
        if at is not None and at.get("digest") != self._digest:
            raise changed_error(self._file)
        self._at = int(at["records"]) if at else 0
        self._done = bool(at["done"]) if at else False

    def read(self, max_rows: int, max_bytes: int) -> Batch | None:
        """The next batch: whole row groups where they fit. A file without rows gives one empty batch.

        *Errors*: AdapterError `file-changed` if the file is no longer as it was when it was opened.
        """
        self._verify()
        if self._done:
            return None
        start, end = self._at, self._cut(max_rows, max_bytes)
        self._at, self._done = end, end == self._footer.rows
        return Batch(
            partition=self._partition.name,
            relation=self._relation(start, end),
            columns=self._columns,
            records=end - start,
            start=self._position(start, False),
            end=self._position(end, self._done),
            rescan=True,
            originals=partial(self._originals, start, end),
            first_record=start + 1,
            location=self._partition.location,
            verify=self._verify,
        )

    def close(self) -> None:
        """Removes what was made in the temporary folder."""
        self._path.close()

    def _cut(self, max_rows: int, max_bytes: int) -> int:
        rows = self._footer.rows
        by_bytes = max_bytes * rows // max(self._seen.size, 1)
        limit = self._at + max(1, min(max_rows, by_bytes))
        if limit >= rows:
            return rows
        bounds = self._footer.bounds
        group = bisect.bisect_right(bounds, limit) - 1
        return bounds[group] if group >= 0 and bounds[group] > self._at else limit

    def _relation(self, start: int, end: int) -> str:
        """Rows `start` + 1 to `end`."""
        row = ident(RESERVED)
        path = literal(str(self._path.path))
        named = [column.name for column in self._own]
        picked = ([quoted_columns(named)] if named else []) + selected(self._given)
        whole = (start, end) == (0, self._footer.rows)
        if any(column.name.lower() == ROW_NUMBER for column in self._footer.columns):
            numbered = f"row_number() OVER () AS {row}"
            every = f"SELECT {', '.join([numbered, *picked])} FROM read_parquet({path}, hive_partitioning = false)"
            return every if whole else f"SELECT * FROM ({every}) WHERE {row} BETWEEN {start + 1} AND {end}"
        numbered = f"{ROW_NUMBER} + 1 AS {row}"
        options = f"{ROW_NUMBER} = true, hive_partitioning = false"
        every = f"SELECT {', '.join([numbered, *picked])} FROM read_parquet({path}, {options})"
        return every if whole else f"{every} WHERE {ROW_NUMBER} BETWEEN {start} AND {end - 1}"

    def _originals(self, start: int, end: int, rows: Sequence[int] | str) -> str:
        from headgate.types.codec import encode_row

        row = ident(RESERVED)
        text = encode_row(self._columns, "hg_source")
        if isinstance(rows, str):
            near, chosen = self._relation(start, end), rows
        else:
            there = sorted({number for number in rows if 1 <= number <= self._footer.rows})
            chosen = ", ".join(map(str, there)) or "NULL"
            near = self._relation(there[0] - 1, there[-1]) if there else self._relation(0, self._footer.rows)
        return (
            f'SELECT {row}, NULL::BIGINT AS line, NULL::VARCHAR AS raw, {text} AS "row" '
            f"FROM ({near}) AS hg_source WHERE {row} IN ({chosen})"
        )

    def _position(self, records: int, done: bool) -> Position:
        return {
            "size": self._seen.size,
            "mtime_ns": self._seen.mtime_ns,
            "digest": self._digest,
            "records": records,
            "done": done,
        }

    def _verify(self) -> None:
        if identity(self._file) != self._seen:
            raise changed_error(self._file)
