"""Reads one CSV file: the whole of it, or slice by slice, the strict way or the careful one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from headgate.adapters.files.constants import columns, selected
from headgate.adapters.files.records import Tally
from headgate.adapters.files.shape import RESERVED, has_magic
from headgate.adapters.files.spool import Spooled, Spooler, Table, malformed_rows, original_rows, write_originals
from headgate.adapters.files.text import Format, Mark
from headgate.adapters.files.text_reader import Job, TextReader, once
from headgate.adapters.files.window import copy_range
from headgate.core.records import dataclass
from headgate.core.values import Batch, SourceColumn
from headgate.sql.quote import ident


@dataclass(frozen=True)
class CsvJob(Job[Format]):
    """With the texts that stand for NULL."""

    nulls: tuple[bytes, ...] = (b"",)


class CsvReader(TextReader[Format]):
    """Reads one file. Temporary files live until `close`."""

    _job: CsvJob

    def _opened(self) -> None:
        head = self._window.scan.head.names
        self._given = self._job.constants.beside(head, self._partition, f"{self._path}:1", "bad-header")
        self._names = [name for name in head if name.lower() != RESERVED]

    def _batch(self, shell: Batch, start: Mark, end: Mark) -> Batch:
        named = tuple(SourceColumn(name, "VARCHAR") for name in self._names)
        shell = replace(shell, columns=(*named, *columns(self._given)))
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
        careful = once(lambda: self._careful(shell, start, end))
        return replace(shell, relation=self._select(table, 0), row_base=start.records + 1, careful=careful)

    def _careful(self, shell: Batch, start: Mark, end: Mark) -> Batch:
        good, bad = self._temporary("good"), self._temporary("bad")
        made = Spooler(self._window, self._job.form).run(start, end, good, bad)
        self._verify()
        return replace(
            shell,
            relation=self._select(self._spooled_table(made), 1),
            malformed=made.malformed,
            malformed_relation=malformed_rows(Table(made.bad, 4, longest=made.longest, parallel=False)),
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
        parts += selected(self._given)
        return f"SELECT {', '.join(parts)} FROM {table.read() if table.columns else ''}"

    def _originals(self, rows: Sequence[int] | str) -> str:
        assert not isinstance(rows, str), "text is not read again as a whole"
        path = self._temporary("rows")
        longest = write_originals(self._window, self._job.form, rows, self._given, self._job.nulls, path)
        self._verify()
        return original_rows(Table(path, 4, longest=longest, parallel=False))


def _clean(tallies: Sequence[Tally]) -> bool:
    """Whether DuckDB's strict parser reads these blocks as we do, or raises.

    It takes the first line break that it meets, even a quoted one, for the kind of the file. `new_line` = LF prevents
    that, but CRLF given there makes it read wrongly (DuckDB 1.5.6): such a file must have no line break inside quotes.
    """
    ends = {tally.ends for tally in tallies} - {""}
    spread = any(tally.spread for tally in tallies)
    return all(tally.strict for tally in tallies) and len(ends) <= 1 and not (spread and "crlf" in ends)
