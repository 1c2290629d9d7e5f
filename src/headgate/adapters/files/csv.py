"""CSV files as a source: counted and cut by our own splitter, parsed by DuckDB, every column as text.

A file (or a slice of it) that the splitter finds clean is read by DuckDB's strict parallel parser as it stands; any
other goes the careful way, record by record, and its malformed records are set aside with line and raw text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from headgate.adapters.files.csv_reader import CsvJob, CsvReader
from headgate.adapters.files.listing import Listing
from headgate.adapters.files.options import constants, csv_format
from headgate.adapters.files.records import whole_record
from headgate.adapters.files.shape import RESERVED, compare
from headgate.adapters.files.sniff import Guess, guess
from headgate.adapters.files.text import Format, read_head, width
from headgate.core.errors import Finding, HeadgateError
from headgate.core.protocols import Session
from headgate.core.suffixes import suffixes
from headgate.core.values import Partition, Position


class CsvSource:
    """CSV files under `options["path"]` (a path, a glob or a list of them), relative to `root`.

    `tmp`: an existing folder for temporary files. *Errors*: ProjectError `bad-option`.
    """

    replay: Literal["stable", "moving"] = "stable"
    unit = "file"
    typed = False
    OPTIONS: ClassVar[frozenset[str]] = frozenset(
        {
            "path",
            "header",
            "null",
            "delim",
            "quote",
            "escape",
            "encoding",
            "columns",
            "timezone",
            "file_column",
            "hive",
            "comment",
        }
    )

    kind = "csv"

    def __init__(self, options: Mapping[str, Any], root: Path, tmp: Path) -> None:
        form, nulls = self.form(options)
        listing = Listing(options["path"], root, suffixes(self.kind))
        self._job = CsvJob(form, tmp, listing, constants(options, root), nulls=nulls)

    def form(self, options: Mapping[str, Any]) -> tuple[Format, tuple[bytes, ...]]:
        """How the text is to be read, and the texts that stand for NULL. *Errors*: ProjectError `bad-option`."""
        return csv_format(options)

    @staticmethod
    def guess(path: Path) -> Guess:
        """How a file seems to be written, where nobody said it. *Errors*: AdapterError where it can't be read."""
        return guess(path)

    def partitions(self, known: Mapping[str, Position]) -> list[Partition]:
        """Every file in name order, judged against the `known` end positions."""
        return self._job.listing.judge(known)

    def open(self, session: Session, partition: Partition, at: Position | None) -> CsvReader:
        """A reader of the file from position `at` on. The whole file is scanned now: counted, hashed, cut in blocks.

        *Errors*: AdapterError `unreadable-file`, `corrupt-file`, `no-header`, `bad-header`, `file-changed`.
        """
        return CsvReader(self._job, partition, at)

    def record_of(self, text: str, columns: Sequence[str], partition: str) -> dict[str, str | None] | str:
        """One record's text as the source reads it, column -> text or None; or what keeps it from being one record.

        `columns`: those that the file of `partition` yields, in its order.
        """
        job = self._job
        given = job.constants.named(partition)
        names = [name for name in columns if name not in given]
        made = whole_record(text, names, job.form.dialect, job.nulls)
        if isinstance(made, str):
            return made
        return {name: given[name] if name in given else made[name] for name in columns}

    def check(self, session: Session, columns: Sequence[str]) -> list[Finding]:
        """What would keep these columns from being read, file by file: `missing-column`, `unknown-column`, errors."""
        try:
            files = self._job.listing.files()
        except HeadgateError as error:
            return list(error.findings)
        findings = [] if files else [self._job.listing.none_found()]
        for file in files:
            try:
                start = self._job.form.start(file.path)
                names = [name for name in read_head(file.path, self._job.form, start).names if name.lower() != RESERVED]
                where = f"{file.path}:1"
                given = self._job.constants.beside(names, file.partition, where, "bad-header")
                findings += self._width(file.path, start)
                findings += compare([*names, *given], columns, where)
            except HeadgateError as error:
                findings += error.findings
        return findings

    def _width(self, path: Path, start: bytes) -> list[Finding]:
        """A warning where columns go by position and the first record has another number of fields."""
        form = self._job.form
        fields = 0 if form.header else width(form, start)
        if not fields or not form.names or fields == len(form.names):
            return []
        what = f"the first record has {fields} fields, and {len(form.names)} columns are named"
        fix = "name every column in the file's order, see that `delim:` is right; records of another width are refused"
        return [Finding("field-count", "warning", what, str(path), fix)]
