"""JSON documents that were landed whole, read as their file would be: by the same proofs, and record by record else."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from headgate.adapters.files.constants import columns, selected
from headgate.adapters.files.json_reader import SLOW_SHARE, Rows
from headgate.adapters.files.jsonkeys import Keys
from headgate.adapters.files.jsonquery import SAMPLE, Template, proven, strict, template
from headgate.adapters.files.spool import Table, original_rows, quoted_line
from headgate.adapters.files.text import write
from headgate.adapters.files.text_reader import once
from headgate.core.protocols import Engine
from headgate.core.values import Batch, SourceColumn
from headgate.sql.quote import ident
from headgate.types.jsonvalue import PHYSICAL, encoded

CHUNK = 20_000
ROW = "_hg_row"
InFile = Callable[[Sequence[int]], str]
"""A SELECT of `_hg_row, line, raw` for records by their numbers; "" where their file does not say any more."""


@dataclass
class Documents:
    """Makes batches of documents. Temporary files live until `close`."""

    engine: Engine
    wanted: tuple[str, ...]
    tmp: Path
    location: str = ""
    _spelled: dict[str, str] = field(default_factory=dict)
    _folder: Path | None = None
    _count: int = 0

    def __post_init__(self) -> None:
        self.keys = Keys(self.wanted)

    def temporary(self, kind: str) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="table-", dir=self.tmp))
        self._count += 1
        return self._folder / f"{self._count}-{kind}.txt"

    def spelled(self, key: str) -> str:
        """The column's name: as it was written first, upper and lower case being the same."""
        return self._spelled.setdefault(key.lower(), key)

    def close(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def batch(self, shell: Batch, lines: str, given: Mapping[str, str | None], in_file: InFile) -> Batch:
        """The shell with the documents' values. `lines`: a SELECT of `n`, the record's number, and `l`, its text;
        `given`: columns that the path of their file gives; `in_file`: where records stand in it."""
        self.location = shell.location
        made = _Batch(self, lines, given, in_file, (shell.first_record, shell.first_record + max(shell.extent, 1) - 1))
        shell = replace(shell, sparse=True, rescan=False, originals=made.originals)
        return made.fast(shell) if shell.records else made.careful(shell)


@dataclass
class _Batch:
    """One stretch of documents, numbered within `span`."""

    of: Documents
    lines: str
    given: Mapping[str, str | None]
    in_file: InFile
    span: tuple[int, int]

    def fast(self, shell: Batch) -> Batch:
        found = self._template()
        careful = once(lambda: self.careful(shell, found))
        keys = self.of.keys
        listed = (*found.names, *keys.paths) if found is not None else ()
        named = {self.of.spelled(key): key for key in listed if keys.is_column(key)}
        if found is None or not named:
            return careful()
        relation = strict(self.lines, found, keys.paths, named, given=True)
        return replace(
            shell,
            relation=self._with_given(f"SELECT * FROM ({relation}) ORDER BY {ROW}", list(named)),
            columns=self._columns(list(named)),
            careful=careful,
        )

    def _template(self) -> Template | None:
        found = self.of.engine.execute(f"SELECT l FROM ({self.lines}) ORDER BY n LIMIT {SAMPLE}")
        return template([row[0] for row in found])

    def careful(self, shell: Batch, found: Template | None = None) -> Batch:
        rows, paths = Rows(self.of), self.of.keys.paths
        proof, others = "", None
        if found is not None:
            proof = proven(self.lines, found, paths, numbered=True, given=True)
            astray = {n for (n,) in self.of.engine.execute(f"SELECT n FROM ({proof}) WHERE NOT proof")}
            others = astray if len(astray) <= SLOW_SHARE * shell.records else None
        kept = [key for key in (*found.names, *paths) if self.of.keys.is_column(key)] if found is not None else []
        if others is not None:
            rows.names = [self.of.spelled(key) for key in kept]
        rows.write((number, self.of.keys.values(text)) for number, text in self._texts(others))
        parts = rows.selects()
        if others is not None and found is not None:
            places = {key: place for place, key in enumerate([*found.keys, *paths])}
            values = [f"v{places[key]} AS v{place}" for place, key in enumerate(kept)]
            values += [f"CAST(NULL AS VARCHAR) AS v{place}" for place in range(len(kept), len(rows.names))]
            parts.append(f"SELECT {', '.join([f'n AS {ROW}', *values])} FROM ({proof}) WHERE proof")
        listed = ", ".join([ROW, *(f"v{place} AS {ident(name)}" for place, name in enumerate(rows.names))])
        union = " UNION ALL ".join(parts) or f"SELECT CAST(NULL AS BIGINT) AS {ROW} WHERE false"
        relation = self._with_given(f"SELECT {listed} FROM ({union}) ORDER BY {ROW}", rows.names)
        return replace(shell, relation=relation, columns=self._columns(rows.names), careful=None)

    def _texts(self, only: set[int] | None) -> Iterator[tuple[int, str]]:
        """Number and text of every document, or of these numbers, in order, some thousand at a time."""
        first, last = self.span
        for start in range(first, last + 1, CHUNK):
            end = start + CHUNK - 1
            if only is not None and not any(start <= number <= end for number in only):
                continue
            chunk = f"SELECT n, l FROM ({self.lines}) WHERE n BETWEEN {start} AND {end} ORDER BY n"
            for number, text in self.of.engine.execute(chunk):
                if only is None or number in only:
                    yield number, text

    def _columns(self, names: Sequence[str]) -> tuple[SourceColumn, ...]:
        return (*(SourceColumn(name, PHYSICAL) for name in names), *columns(dict(self.given)))

    def _with_given(self, select: str, names: Sequence[str]) -> str:
        if not self.given:
            return select
        return f"SELECT {', '.join([ROW, *map(ident, names), *selected(dict(self.given))])} FROM ({select})"

    def originals(self, rows: Sequence[int] | str) -> str:
        assert not isinstance(rows, str), "documents are not read again as a whole"
        path = self.of.temporary("originals")
        lines = [quoted_line(number, None, text, self._row(text)) for number, text in self._texts(set(rows))]
        write(path, lines)
        own = original_rows(Table(path, 4, longest=max(map(len, lines), default=0), parallel=False))
        told = self.in_file(rows)
        if not told:
            return own
        return (
            f"""SELECT o.{ROW}, f.line, o.raw, o."row" FROM ({own}) AS o LEFT JOIN ({told}) AS f ON f.{ROW} = o.{ROW}"""
        )

    def _row(self, text: str) -> str:
        row = {self.of.spelled(key): encoded(value) for key, value in self.of.keys.values(text).items()}
        return json.dumps({**row, **self.given}, ensure_ascii=False)
