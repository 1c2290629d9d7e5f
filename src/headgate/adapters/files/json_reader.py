"""Reads one file of JSON records: the fast way where every line proves that nothing is lost, else record by record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from itertools import islice
from pathlib import Path
from typing import Protocol

from headgate.adapters.files.constants import columns, selected
from headgate.adapters.files.jsonkeys import Keys
from headgate.adapters.files.jsonquery import SAMPLE, Template, proven, strict, template
from headgate.adapters.files.jsontext import NoRecord
from headgate.adapters.files.shape import RESERVED, has_magic
from headgate.adapters.files.spool import Table, malformed_rows, original_rows, quoted_line, shown
from headgate.adapters.files.text import Layout, Mark, write
from headgate.adapters.files.text_reader import Job, TextReader, once
from headgate.adapters.files.window import copy_range
from headgate.core.errors import AdapterError
from headgate.core.protocols import Session
from headgate.core.records import dataclass
from headgate.core.values import Batch, Partition, Position, SourceColumn
from headgate.sql.quote import ident
from headgate.types.jsonvalue import PHYSICAL, encoded

SLOW_SHARE = 0.3
"""Of so many lines without a proof or more, all are read record by record."""
MOST_COLUMNS = 5_000


@dataclass(frozen=True)
class JsonJob(Job[Layout]):
    """`documents`: records are read whole, each as the text that it is."""

    keys: Keys = field(default_factory=Keys)
    documents: bool = False


class Keeper(Protocol):
    """Who keeps the temporary files of records, and how columns are spelled."""

    @property
    def location(self) -> str: ...

    def temporary(self, kind: str) -> Path: ...

    def spelled(self, key: str) -> str: ...


@dataclass
class Rows:
    """Records written apart: one temporary file per set of columns, which only grows."""

    folder: Keeper
    names: list[str] = field(default_factory=list)
    files: list[tuple[Path, int, int]] = field(default_factory=list)
    """Path, number of columns, longest line."""
    malformed: int = 0

    def _columns(self, found: Mapping[str, str | None]) -> None:
        known = {name.lower() for name in self.names}
        for key in found:
            if key.lower() not in known:
                self.names.append(self.folder.spelled(key))
                known.add(key.lower())
        if len(self.names) > MOST_COLUMNS:
            what = f"the records have more than {MOST_COLUMNS} different keys"
            fix = "deliver keys that vary as one object, and take it as a json column"
            raise AdapterError.of("too-many-columns", what, self.folder.location, fix)

    def write(self, records: Iterator[tuple[int, Mapping[str, str | None]]]) -> None:
        """Writes number and values of every record."""
        while chunk := list(islice(records, 20_000)):
            for _, found in chunk:
                self._columns(found)
            places = {name.lower(): place for place, name in enumerate(self.names)}
            lines = [quoted_line(number, *_placed(found, places)) for number, found in chunk]
            longest = max(map(len, lines))
            if self.files and self.files[-1][1] == len(self.names):
                path, width, before = self.files[-1]
                self.files[-1] = (path, width, max(before, longest))
            else:
                path = self.folder.temporary("rows")
                self.files.append((path, len(self.names), longest))
            with path.open("ab") as out:
                out.writelines(lines)

    def selects(self) -> list[str]:
        """SELECTs of `_hg_row` and the values, `v0` to the last."""
        made = []
        for path, width, longest in self.files:
            values = [f"c{place + 1}" if place < width else "CAST(NULL AS VARCHAR)" for place in range(len(self.names))]
            named = ", ".join(f"{value} AS v{place}" for place, value in enumerate(values))
            comma = ", " if named else ""
            table = Table(path, width + 1, longest=longest, parallel=False)
            made.append(f"SELECT CAST(c0 AS BIGINT) AS {ident(RESERVED)}{comma}{named} FROM {table.read()}")
        return made


def _placed(found: Mapping[str, str | None], places: Mapping[str, int]) -> list[str | None]:
    values: list[str | None] = [None] * len(places)
    for key, value in found.items():
        values[places[key.lower()]] = value
    return values


class JsonReader(TextReader[Layout]):
    """Reads one file. Every value is given as JSON_VALUE; keys that a record lacks are NULL."""

    _job: JsonJob

    def __init__(self, job: JsonJob, session: Session, partition: Partition, at: Position | None) -> None:
        self._session = session
        super().__init__(job, partition, at)

    @property
    def location(self) -> str:
        return self._partition.location

    def temporary(self, kind: str) -> Path:
        return self._temporary(kind)

    def spelled(self, key: str) -> str:
        """The column's name: as it was written first, upper and lower case being the same."""
        return self._spelled.setdefault(key.lower(), key)

    def _opened(self) -> None:
        self._spelled: dict[str, str] = {}
        self._given = self._job.constants.of(self._partition)

    # -- batches -------------------------------------------------------------------------------------------------

    def _batch(self, shell: Batch, start: Mark, end: Mark) -> Batch:
        shell = replace(shell, sparse=True)
        careful = once(lambda: self._careful(shell, start, end))
        tallies = self._window.tallies(start, end)
        found = self._template(start, end) if shell.records and all(one.strict for one in tallies) else None
        if found is None:
            return careful()
        lines = self._lines(start, end, max(self._window.scan.longest, 1))
        named = {self.spelled(key): key for key in (*found.names, *self._job.keys.paths) if self._is_column(key)}
        if not named:
            return careful()
        relation = strict(lines, found, self._job.keys.paths, named)
        return replace(
            shell,
            relation=self._with_constants(relation, list(named)),
            columns=self._columns_of(list(named)),
            row_base=start.records + 1,
            careful=careful,
        )

    def _is_column(self, key: str) -> bool:
        return self._job.keys.is_column(key)

    def _columns_of(self, names: Sequence[str]) -> tuple[SourceColumn, ...]:
        self._job.constants.beside(names, self._partition, self.location, "bad-schema")
        return (*(SourceColumn(name, PHYSICAL) for name in names), *columns(self._given))

    def _with_constants(self, select: str, names: Sequence[str]) -> str:
        if not self._given:
            return select
        return f"SELECT {', '.join([*map(ident, names), *selected(self._given)])} FROM ({select})"

    def _template(self, start: Mark, end: Mark) -> Template | None:
        records = self._records(start, end)
        return template([raw.decode() for _, _, raw, problem in islice(records, SAMPLE) if not problem])

    def _records(self, start: Mark, end: Mark) -> Iterator[tuple[int, int, bytes, str]]:
        """Number, line, bytes and fault of every record of a range."""
        for number, line, buf, extent in self._window.records(start, end):
            yield number, line, buf[extent[0] : extent[1]], extent[3] or ""

    def _lines(self, start: Mark, end: Mark, longest: int) -> str:
        """A SELECT of `l`, the lines of a range without blank lines or carriage returns."""
        path, whole = self._window.text.path, (start, end) == (self._window.scan.start, self._window.scan.end)
        if not whole or has_magic(path) or not self._window.scan.head.simple:
            path = self._temporary("slice")
            copy_range(self._window.text.path, start.offset, end.offset, path)
        return f"SELECT c0 AS l FROM {line_table(path, longest)}"

    # -- record by record ----------------------------------------------------------------------------------------

    def _careful(self, shell: Batch, start: Mark, end: Mark) -> Batch:
        rows, bad = self._rows(), self._temporary("bad")
        fast = self._proven_lines(start, end, rows)
        longest = self._write(start, end, rows, bad, fast[1] if fast else None)
        self._verify()
        names = rows.names
        parts = rows.selects()
        if fast:
            parts.append(
                fast[0] + "".join(f", CAST(NULL AS VARCHAR) AS v{place}" for place in range(fast[2], len(names)))
            )
            parts[-1] += fast[3]
        listed = [f"v{place} AS {ident(name)}" for place, name in enumerate(names)] + selected(self._given)
        row = ident(RESERVED)
        union = " UNION ALL ".join(parts) or f"SELECT CAST(NULL AS BIGINT) AS {row} WHERE false"
        order = f" ORDER BY {row}" if fast else ""
        return replace(
            shell,
            relation=f"SELECT {', '.join([row, *listed])} FROM ({union}){order}",
            columns=self._columns_of(names),
            malformed=rows.malformed,
            malformed_relation=malformed_rows(Table(bad, 4, longest=longest, parallel=False)) if rows.malformed else "",
        )

    def _rows(self) -> Rows:
        return Rows(self)

    def _proven_lines(self, start: Mark, end: Mark, rows: Rows) -> tuple[str, frozenset[int], int, str] | None:
        """The lines that prove themselves: a SELECT up to its FROM, the numbers of all others, how many columns it
        has, and the rest of it; None where they are too few."""
        if end.records - start.records < 1_000 or not all(one.strict for one in self._window.tallies(start, end)):
            return None
        found = self._template(start, end)
        if found is None:
            return None
        lines = self._lines(start, end, max(self._window.scan.longest, 1))
        made = proven(lines, found, self._job.keys.paths, numbered=True)
        base = start.records
        others = [base + n for (n,) in self._session.execute(f"SELECT n FROM ({made}) WHERE NOT proof")]
        if len(others) > SLOW_SHARE * (end.records - base):
            return None
        places = {name: place for place, name in enumerate([*found.keys, *self._job.keys.paths])}
        kept = [name for name in (*found.names, *self._job.keys.paths) if self._is_column(name)]
        rows.names = [self.spelled(name) for name in kept]
        values = ", ".join(f"v{places[name]} AS v{place}" for place, name in enumerate(kept))
        select = f"SELECT n + {base} AS {ident(RESERVED)}" + (f", {values}" if values else "")
        return select, frozenset(others), len(rows.names), f" FROM ({made}) WHERE proof"

    def _write(self, start: Mark, end: Mark, rows: Rows, bad: Path, only: frozenset[int] | None) -> int:
        """Writes records (those of the numbers, or all) and malformed ones apart; the longest line of these."""
        refused: list[bytes] = []

        def good() -> Iterator[tuple[int, Mapping[str, str | None]]]:
            for number, line, raw, problem in self._records(start, end):
                if only is not None and number not in only:
                    continue
                try:
                    yield number, self._values(raw, problem)
                except NoRecord as why:
                    refused.append(quoted_line(number, line, shown(raw), str(why)))

        rows.write(good())
        rows.malformed = len(refused)
        write(bad, refused)
        return max(map(len, refused), default=0)

    def _values(self, raw: bytes, problem: str) -> dict[str, str | None]:
        """The record's columns. Raises NoRecord."""
        if problem:
            raise NoRecord(problem)
        return self._job.keys.values(raw.decode())

    def _originals(self, rows: Sequence[int] | str) -> str:
        assert not isinstance(rows, str), "text is not read again as a whole"
        path = self._temporary("originals")
        longest = 0

        def lines() -> Iterator[bytes]:
            nonlocal longest
            for number, line, buf, extent in self._window.numbered(rows):
                raw = buf[extent[0] : extent[1]]
                text = quoted_line(number, line, shown(raw), self._row(raw, extent[3] or ""))
                longest = max(longest, len(text))
                yield text

        write(path, lines())
        self._verify()
        return original_rows(Table(path, 4, longest=longest, parallel=False))

    def _row(self, raw: bytes, problem: str) -> str | None:
        try:
            found = self._values(raw, problem)
        except NoRecord:
            return None
        row = {self.spelled(key): encoded(value) for key, value in found.items()}
        return json.dumps({**row, **self._given}, ensure_ascii=False)


def line_table(path: Path, longest: int) -> str:
    """The `read_csv(...)` call that gives every line of a text as `c0`."""
    return Table(path, 1, longest=longest, nulls=(), lines=True).read()
