"""Files of fixed width: every line is a record, and a column is where its characters stand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from headgate.adapters.files.constants import columns as given_columns
from headgate.adapters.files.constants import selected
from headgate.adapters.files.lines import Lines
from headgate.adapters.files.listing import Listing
from headgate.adapters.files.options import constants, encoding, flag
from headgate.adapters.files.shape import RESERVED, compare, has_magic
from headgate.adapters.files.spool import Table, malformed_rows, original_rows, quoted_line, shown
from headgate.adapters.files.text import Mark, write
from headgate.adapters.files.text_reader import Job, TextReader, once
from headgate.adapters.files.window import copy_range
from headgate.core.errors import Finding, HeadgateError, ProjectError
from headgate.core.protocols import Engine, Session
from headgate.core.records import dataclass
from headgate.core.suffixes import PACKED
from headgate.core.values import Batch, Partition, Position, SourceColumn
from headgate.sql.quote import ident

SUFFIXES = tuple(suffix + packed for suffix in (".txt", ".dat", ".fwf", ".prn") for packed in ("", *PACKED))
"""Members of an archive that are taken for files of fixed width."""
SPAN = re.compile(r"\s*([1-9][0-9]*)\s*(?:-\s*([1-9][0-9]*)\s*)?")


@dataclass(frozen=True)
class Column:
    """Characters `first` to `last` of a line, from 1."""

    name: str
    first: int
    last: int

    def of(self, line: str) -> str | None:
        """The field without the blanks around it; None where nothing is left."""
        return line[self.first - 1 : self.last].strip(" ") or None

    @property
    def sql(self) -> str:
        return f"nullif(trim(substr(l, {self.first}, {self.last - self.first + 1}), ' '), '')"


@dataclass(frozen=True)
class FixedJob(Job[Lines]):
    """`pad`: a line that ends early goes on in blanks."""

    fields: tuple[Column, ...] = ()
    pad: bool = False

    @property
    def width(self) -> int:
        return max(field.last for field in self.fields)


class FixedSource:
    """Files under `options["path"]`; `options["columns"]`: name -> `first-last`, characters from 1.

    *Errors*: ProjectError `bad-option`.
    """

    replay: Literal["stable", "moving"] = "stable"
    unit = "file"
    typed = False
    OPTIONS: ClassVar[frozenset[str]] = frozenset(
        {"path", "columns", "pad", "encoding", "timezone", "file_column", "hive"}
    )

    def __init__(self, options: Mapping[str, Any], root: Path, tmp: Path) -> None:
        layout = Lines(encoding(options.get("encoding")))
        listing = Listing(options["path"], root, SUFFIXES)
        pad = flag(options.get("pad", False), "pad")
        self._job = FixedJob(
            layout, tmp, listing, constants(options, root), fields=_fields(options.get("columns")), pad=pad
        )

    def partitions(self, known: Mapping[str, Position]) -> list[Partition]:
        """Every file in name order, judged against the `known` end positions."""
        return self._job.listing.judge(known)

    def open(self, session: Engine, partition: Partition, at: Position | None) -> FixedReader:
        """A reader of the file from position `at` on. The whole file is scanned now: counted, hashed, cut in blocks.

        *Errors*: AdapterError `unreadable-file`, `corrupt-file`, `file-changed`, `bad-header`, `bad-path`.
        """
        return FixedReader(self._job, partition, at)

    def check(self, session: Session, columns: Sequence[str]) -> list[Finding]:
        """What would keep these columns from being read: the positions say which there are."""
        names = [field.name for field in self._job.fields]
        try:
            files = self._job.listing.files()
            if not files:
                return [self._job.listing.none_found()]
            given = [self._job.constants.beside(names, one.partition, str(one.path), "bad-header") for one in files]
        except HeadgateError as error:
            return list(error.findings)
        return compare([*names, *given[0]], columns, str(files[0].path))


class FixedReader(TextReader[Lines]):
    """Reads one file."""

    _job: FixedJob

    def _opened(self) -> None:
        names = [field.name for field in self._job.fields]
        self._given = self._job.constants.beside(names, self._partition, self._partition.location, "bad-header")

    def _batch(self, shell: Batch, start: Mark, end: Mark) -> Batch:
        named = tuple(SourceColumn(field.name, "VARCHAR") for field in self._job.fields)
        shell = replace(shell, columns=(*named, *given_columns(self._given)))
        careful = once(lambda: self._careful(shell, start, end))
        if not shell.records or not all(one.strict for one in self._window.tallies(start, end)):
            return careful()
        path, whole = self._window.text.path, (start, end) == (self._window.scan.start, self._window.scan.end)
        if not whole or has_magic(path) or not self._window.scan.head.simple:
            path = self._temporary("slice")
            copy_range(self._window.text.path, start.offset, end.offset, path)
        lines = Table(path, 1, longest=self._window.scan.longest, nulls=(), lines=True).read()
        fits = f"length(l) {'<=' if self._job.pad else '='} {self._job.width}"
        parts = [
            f"CASE WHEN {fits} THEN {field.sql} ELSE error('a line of another width') END AS {ident(field.name)}"
            for field in self._job.fields
        ]
        select = f"SELECT {', '.join([*parts, *selected(self._given)])} FROM (SELECT c0 AS l FROM {lines})"
        return replace(shell, relation=select, row_base=start.records + 1, careful=careful)

    def _careful(self, shell: Batch, start: Mark, end: Mark) -> Batch:
        good, bad = self._temporary("good"), self._temporary("bad")
        refused: list[bytes] = []
        longest = 0

        def lines() -> Iterator[bytes]:
            nonlocal longest
            for number, line, buf, extent in self._window.records(start, end):
                raw = buf[extent[0] : extent[1]]
                problem = extent[3] or self._problem(raw)
                if problem:
                    refused.append(quoted_line(number, line, shown(raw), problem))
                    continue
                text = raw.decode()
                made = quoted_line(number, *(field.of(text) for field in self._job.fields))
                longest = max(longest, len(made))
                yield made

        write(good, lines())
        write(bad, refused)
        self._verify()
        table = Table(good, len(self._job.fields) + 1, longest=longest, parallel=False)
        parts = [f"CAST(c0 AS BIGINT) AS {ident(RESERVED)}"]
        parts += [f"c{place} AS {ident(field.name)}" for place, field in enumerate(self._job.fields, 1)]
        longest_bad = max(map(len, refused), default=0)
        return replace(
            shell,
            relation=f"SELECT {', '.join([*parts, *selected(self._given)])} FROM {table.read()}",
            malformed=len(refused),
            malformed_relation=malformed_rows(Table(bad, 4, longest=longest_bad, parallel=False)) if refused else "",
        )

    def _problem(self, raw: bytes) -> str:
        wide, wanted = len(raw.decode()), self._job.width
        if wide == wanted or (self._job.pad and wide < wanted):
            return ""
        return f"expected {wanted} characters, found {wide}"

    def _originals(self, rows: Sequence[int] | str) -> str:
        assert not isinstance(rows, str), "text is not read again as a whole"
        path = self._temporary("originals")
        longest = 0

        def lines() -> Iterator[bytes]:
            nonlocal longest
            for number, line, buf, extent in self._window.numbered(rows):
                raw = buf[extent[0] : extent[1]]
                row = None
                if not (extent[3] or self._problem(raw)):
                    text = raw.decode()
                    named = {field.name: field.of(text) for field in self._job.fields}
                    row = json.dumps({**named, **self._given}, ensure_ascii=False)
                made = quoted_line(number, line, shown(raw), row)
                longest = max(longest, len(made))
                yield made

        write(path, lines())
        self._verify()
        return original_rows(Table(path, 4, longest=longest, parallel=False))


def _fields(value: object) -> tuple[Column, ...]:
    fix = "write columns: {id: 1-10, name: 11-30}, characters from 1"
    if not isinstance(value, Mapping) or not value:
        raise ProjectError.of("bad-option", "`columns`: expected names and where they stand", "", fix)
    made = []
    for name, span in value.items():
        match = SPAN.fullmatch(str(span))
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first or not str(name) or str(name).lower() == RESERVED:
            raise ProjectError.of("bad-option", f"`columns`: {name!r} can't stand at {span!r}", "", fix)
        made.append(Column(str(name), first, last))
    if len({one.name.lower() for one in made}) < len(made):
        raise ProjectError.of("bad-option", "`columns`: a name stands twice", "", fix)
    return tuple(made)
