"""Reads one CSV file: the whole of it, or slice by slice, the strict way or the careful one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from headgate.adapters.files.compress import compressed
from headgate.adapters.files.listing import Identity, Listing, changed_error, identity
from headgate.adapters.files.records import Tally
from headgate.adapters.files.shape import RESERVED, has_magic
from headgate.adapters.files.spool import Spooled, Spooler, Table, write_originals
from headgate.adapters.files.text import Format, Mark, Scan, Window, copy_range, prepare, scan
from headgate.core.errors import AdapterError
from headgate.core.values import Batch, Partition, Position, SourceColumn
from headgate.sql.quote import ident, literal


@dataclass(frozen=True)
class Known:
    """What a scan found, kept for the next reader of the same file."""

    seen: Identity
    scan: Scan


@dataclass(frozen=True)
class Job:
    """What every reader of one source shares. `scans` are kept from reader to reader."""

    form: Format
    nulls: tuple[bytes, ...]
    file_column: str | None
    tmp: Path
    listing: Listing
    scans: dict[Path, Known] = field(default_factory=dict)

    def columns_of(self, header: Sequence[str], path: Path) -> list[str]:
        """The names that a file yields. *Errors*: AdapterError `bad-header` if `file_column` is already there."""
        names = [name for name in header if name.lower() != RESERVED]
        if self.file_column is None:
            return names
        if self.file_column.lower() in (name.lower() for name in header):
            what = f"the file already has a column {self.file_column!r}"
            raise AdapterError.of("bad-header", what, f"{path}:1", "choose another name for `file_column:`")
        return [*names, self.file_column]


class CsvReader:
    """Reads one file. Temporary files live until `close`."""

    def __init__(self, job: Job, partition: Partition, at: Position | None) -> None:
        self._job = job
        self._partition = partition
        self._path = Path(partition.location)
        self._folder: Path | None = None
        self._made = 0
        try:
            self._open(at)
        except BaseException:
            self.close()
            raise

    def _open(self, at: Position | None) -> None:
        source = self._job
        self._seen = identity(self._path)
        kept = source.scans.get(self._path)
        text = prepare(self._path, source.form, self._temporary("text") if self._needs_text() else self._path)
        if kept and kept.seen == self._seen and (not text.digest or text.digest == kept.scan.digest):
            found = kept.scan
        else:
            found = scan(text, source.form)
        self._verify()
        source.scans[self._path] = Known(self._seen, found)
        source.listing.remember(self._path, self._seen, found.digest)
        self._window = Window(text, source.form, found)
        source.columns_of(found.head.names, self._path)
        self._at, self._done = self._resume(at)

    def _needs_text(self) -> bool:
        return compressed(self._path) or self._job.form.encoding != "utf-8"

    def _resume(self, at: Position | None) -> tuple[Mark, bool]:
        if at is None:
            return self._window.scan.start, False
        if at.get("digest") != self._window.scan.digest:
            raise changed_error(self._path)
        return Mark(int(at["offset"]), int(at["records"]), int(at["line"])), bool(at["done"])

    def read(self, max_rows: int, max_bytes: int) -> Batch | None:
        """The next batch. The last one's end position says `done`; a file without records gives one empty batch.

        *Errors*: AdapterError `file-changed` if the file is no longer as it was when it was opened.
        """
        self._verify()
        if self._done:
            return None
        start = self._at
        end = self._window.cut(start, max(max_rows, 1), max(max_bytes, 1))
        batch = self._batch(start, end)
        self._at, self._done = end, end == self._window.scan.end
        return batch

    def close(self) -> None:
        """Removes the temporary files; relations of this reader's batches are unreadable from now on."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    # -- batches -------------------------------------------------------------------------------------------------

    def _batch(self, start: Mark, end: Mark) -> Batch:
        shell = Batch(
            partition=self._partition.name,
            relation="",
            columns=tuple(SourceColumn(name, "VARCHAR") for name in self._names()),
            records=end.records - start.records,
            start=self._position(start, False),
            end=self._position(end, end == self._window.scan.end),
            rescan=False,
            first_record=start.records + 1,
            originals=self._originals,
            location=self._partition.location,
            verify=self._verify,
        )
        if shell.records == 0:
            nothing = self._select(Table(Path("x"), 0), 0)[: -len(" FROM ")]
            return replace(shell, relation=f"{nothing} WHERE false", row_base=start.records + 1)
        tallies = self._window.tallies(start, end)
        return self._strict(shell, start, end, tallies) if _clean(tallies) else self._careful(shell, start, end)

    def _strict(self, shell: Batch, start: Mark, end: Mark, tallies: Sequence[Tally]) -> Batch:
        found, form = self._window.scan, self._job.form
        ends = {found.head.ends, *(tally.ends for tally in tallies)} - {""}
        in_place = (start, end) == (found.start, found.end) and found.head.simple and len(ends) <= 1
        path = self._window.text.path
        if not in_place or has_magic(path):
            path = self._temporary("slice")
            copy_range(self._window.text.path, start.offset, end.offset, path)
            ends = {tally.ends for tally in tallies}
        table = Table(
            path,
            len(found.head.names),
            form.dialect,
            self._job.nulls,
            header=form.header and path == self._window.text.path,
            longest=found.longest,
            parallel=not any(tally.serial for tally in tallies),
            crlf="crlf" in ends,
        )
        careful = _once(lambda: self._careful(shell, start, end))
        return replace(shell, relation=self._select(table, 0), row_base=start.records + 1, careful=careful)

    def _careful(self, shell: Batch, start: Mark, end: Mark) -> Batch:
        good, bad = self._temporary("good"), self._temporary("bad")
        made = Spooler(self._window).run(start, end, good, bad)
        self._verify()
        return replace(
            shell,
            relation=self._select(self._spooled_table(made), 1),
            malformed=made.malformed,
            malformed_relation=_malformed(made),
        )

    def _spooled_table(self, made: Spooled) -> Table:
        count = len(self._window.scan.head.names) + 1
        return Table(made.good, count, made.dialect, self._job.nulls, longest=made.longest, parallel=False)

    def _select(self, table: Table, shift: int) -> str:
        """A SELECT of the file's columns under their own names; with `shift` 1, the record number comes first."""
        parts = [f"CAST(c0 AS BIGINT) AS {ident(RESERVED)}"] if shift else []
        for number, name in enumerate(self._window.scan.head.names):
            if name.lower() != RESERVED:
                value = f"c{number + shift}" if table.columns else "NULL::VARCHAR"
                parts.append(f"{value} AS {ident(name)}")
        if self._job.file_column is not None:
            parts.append(f"{literal(self._partition.name)} AS {ident(self._job.file_column)}")
        return f"SELECT {', '.join(parts)} FROM {table.read() if table.columns else ''}"

    def _originals(self, rows: Sequence[int] | str) -> str:
        assert not isinstance(rows, str), "text is not read again as a whole"
        path = self._temporary("rows")
        column = self._job.file_column
        extra = {} if column is None else {column: self._partition.name}
        longest = write_originals(self._window, rows, extra, self._job.nulls, path)
        self._verify()
        table = Table(path, 4, longest=longest, parallel=False)
        return (
            f"SELECT CAST(c0 AS BIGINT) AS {ident(RESERVED)}, CAST(c1 AS BIGINT) AS line, c2 AS raw, "
            f'c3 AS "row" FROM {table.read()}'
        )

    # -- small things --------------------------------------------------------------------------------------------

    def _names(self) -> list[str]:
        return self._job.columns_of(self._window.scan.head.names, self._path)

    def _position(self, mark: Mark, done: bool) -> Position:
        return {
            "size": self._seen.size,
            "mtime_ns": self._seen.mtime_ns,
            "digest": self._window.scan.digest,
            "records": mark.records,
            "offset": mark.offset,
            "line": mark.line,
            "done": done,
        }

    def _verify(self) -> None:
        if identity(self._path) != self._seen:
            raise changed_error(self._path)

    def _temporary(self, kind: str) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="csv-", dir=self._job.tmp))
        self._made += 1
        return self._folder / f"{self._made}-{kind}.csv"


def _clean(tallies: Sequence[Tally]) -> bool:
    """Whether DuckDB's strict parser reads these blocks as we do, or raises.

    It takes the first line break that it meets, even a quoted one, for the kind of the file. `new_line` = LF prevents
    that, but CRLF given there makes it read wrongly (DuckDB 1.5.6): such a file must have no line break inside quotes.
    """
    ends = {tally.ends for tally in tallies} - {""}
    spread = any(tally.spread for tally in tallies)
    return all(tally.strict for tally in tallies) and len(ends) <= 1 and not (spread and "crlf" in ends)


def _once(make: Callable[[], Batch]) -> Callable[[], Batch]:
    made: list[Batch] = []

    def remembered() -> Batch:
        if not made:
            made.append(make())
        return made[0]

    return remembered


def _malformed(made: Spooled) -> str:
    table = Table(made.bad, 4, longest=made.longest, parallel=False)
    return (
        f"SELECT CAST(c0 AS BIGINT) AS {ident(RESERVED)}, CAST(c1 AS BIGINT) AS line, c2 AS raw, c3 AS message "
        f"FROM {table.read()}"
    )
