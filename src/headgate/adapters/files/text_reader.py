"""Reads one file whose records are pieces of text: opened once, scanned once, given slice by slice."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import field
from pathlib import Path
from typing import Generic, TypeVar

from headgate.adapters.files.constants import Constants
from headgate.adapters.files.listing import Listing, changed_error
from headgate.adapters.files.origin import Identity, identity
from headgate.adapters.files.text import Layout, Mark, Scan, scan
from headgate.adapters.files.window import Window
from headgate.core.records import dataclass
from headgate.core.values import Batch, Partition, Position

Form = TypeVar("Form", bound=Layout)


@dataclass(frozen=True)
class Known:
    """What a scan found, kept for the next reader of the same file."""

    seen: Identity
    scan: Scan


@dataclass(frozen=True)
class Job(Generic[Form]):
    """What every reader of one source shares. `scans` are kept from reader to reader."""

    form: Form
    tmp: Path
    listing: Listing
    constants: Constants
    scans: dict[Path, Known] = field(default_factory=dict)


class TextReader(Generic[Form]):
    """Reads one file. Temporary files live until `close`. What a batch is, a format says in `_batch`."""

    def __init__(self, job: Job[Form], partition: Partition, at: Position | None) -> None:
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
        text = source.form.prepare(self._path, self._temporary)
        if kept and kept.seen == self._seen and (not text.digest or text.digest == kept.scan.digest):
            found = kept.scan
        else:
            found = scan(text, source.form)
        self._verify()
        source.scans[self._path] = Known(self._seen, found)
        source.listing.remember(self._path, self._seen, found.digest)
        self._window = Window(text, source.form, found)
        self._opened()
        self._at, self._done = self._resume(at)

    def _opened(self) -> None:
        """Called once the file is scanned."""

    def _batch(self, shell: Batch, start: Mark, end: Mark) -> Batch:
        """The shell with its relation and columns, for the records from `start` to `end`, at least one."""
        raise NotImplementedError

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
        batch = self._batch(self._shell(start, end), start, end)
        self._at, self._done = end, end == self._window.scan.end
        return batch

    def close(self) -> None:
        """Removes the temporary files; relations of this reader's batches are unreadable from now on."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _shell(self, start: Mark, end: Mark) -> Batch:
        return Batch(
            partition=self._partition.name,
            relation="",
            columns=(),
            records=end.records - start.records,
            start=self._position(start, False),
            end=self._position(end, end == self._window.scan.end),
            rescan=False,
            first_record=start.records + 1,
            originals=self._originals,
            location=self._partition.location,
            verify=self._verify,
        )

    def originals(self, rows: Sequence[int]) -> str:
        """As those of a batch, for records of the whole file."""
        return self._originals(rows)

    def _originals(self, rows: Sequence[int] | str) -> str:
        raise NotImplementedError

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
            self._folder = Path(tempfile.mkdtemp(prefix="file-", dir=self._job.tmp))
        self._made += 1
        return self._folder / f"{self._made}-{kind}.txt"


def once(make: Callable[[], Batch]) -> Callable[[], Batch]:
    """The same batch each time."""
    made: list[Batch] = []

    def remembered() -> Batch:
        if not made:
            made.append(make())
        return made[0]

    return remembered
