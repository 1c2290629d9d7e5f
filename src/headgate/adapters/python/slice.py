"""One slice in the making: tables in memory, or in files where they are too many, and their relation for the engine."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from headgate.adapters.python.arrow import RESERVED, joined, numbers, pyarrow
from headgate.adapters.python.cells import is_cells
from headgate.core.errors import AdapterError, HeadgateError
from headgate.core.protocols import Engine
from headgate.core.records import dataclass
from headgate.core.values import Batch, Position, SourceColumn
from headgate.sql.quote import ident
from headgate.types.codec import encode_row
from headgate.types.schema import parse_physical

_names = itertools.count(1)


@dataclass
class Run:
    """Tables of one schema, numbered, that follow each other; on disk once `spill` was called."""

    first: int
    schema: Any
    text: bool
    tables: list[Any] = field(default_factory=list)
    file: Path | None = None
    writer: Any = None
    rows: int | None = None
    """How many of its rows count; None: all."""

    def spill(self, folder: Path) -> None:
        """Moves the tables to a file in the folder, which is kept open for more. *Errors*: AdapterError `no-space`."""
        pa = pyarrow()
        try:
            if self.writer is None:
                self.file = folder / f"rows{next(_names)}.arrow"
                self.writer = pa.ipc.new_stream(str(self.file), self.schema)
            for table in self.tables:
                self.writer.write_table(table)
        except OSError as error:
            raise _no_space(folder, error) from error
        self.tables = []

    def whole(self, folder: Path) -> Any:
        """All of it that counts as one table; of a spilled run, mapped from its file."""
        return self._all(folder).slice(0, self.rows)

    def _all(self, folder: Path) -> Any:
        if self.file is None:
            return joined(self.tables)
        self.spill(folder)
        try:
            self.writer.close()
        except OSError as error:
            raise _no_space(folder, error) from error
        pa = pyarrow()
        return pa.ipc.open_stream(pa.memory_map(str(self.file))).read_all()

    def discard(self) -> None:
        """Closes and removes its file."""
        if self.writer is not None:
            self.writer.close()
        if self.file is not None:
            self.file.unlink(missing_ok=True)


def _no_space(folder: Path, error: OSError) -> HeadgateError:
    what = f"a temporary file can't be written: {error.strerror or error}"
    return AdapterError.of("no-space", what, folder, "free some disk space, and run again")


@dataclass(frozen=True)
class Held:
    """What a slice keeps until it is released: names registered in the engine, files, bytes in memory."""

    names: tuple[str, ...]
    files: tuple[Path, ...]
    size: int


@dataclass
class Slice:
    """Records from number `first` on. `size`: bytes of its tables; `held`: those of them that are in memory."""

    first: int
    folder: Path
    records: int = 0
    size: int = 0
    held: int = 0
    runs: list[Run] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)

    def add(self, table: Any, records: int, refused: dict[int, str], text: bool) -> None:
        """Takes records: the table's rows and, by their place among them, those refused."""
        start = self.first + self.records
        self.records += records
        self.refused += [(start + place, why) for place, why in sorted(refused.items())]
        if text and not table.num_rows:  # an empty table still says what columns there are
            return
        numbered = table.append_column(RESERVED, numbers(start, records, refused))
        if not self.runs or self.runs[-1].text != text or not self.runs[-1].schema.equals(numbered.schema):
            self.runs.append(Run(start, numbered.schema, text))
        self.runs[-1].tables.append(numbered)
        self.size += numbered.nbytes
        self.held += numbered.nbytes

    def spill(self) -> None:
        """Moves what is in memory to files."""
        for run in self.runs:
            if run.tables:
                run.spill(self.folder)
        self.held = 0

    def keep(self, records: int) -> None:
        """Forgets what is behind the first `records`, at least one."""
        behind = self.first + records
        self.records = records
        self.refused = [one for one in self.refused if one[0] < behind]
        while self.runs and self.runs[-1].first >= behind:
            self.runs.pop().discard()
        if self.runs:
            last = self.runs[-1]
            last.rows = behind - last.first - sum(last.first <= number for number, _ in self.refused)

    def files(self) -> tuple[Path, ...]:
        return tuple(run.file for run in self.runs if run.file is not None)

    def discard(self) -> None:
        """Closes and removes its files."""
        for run in self.runs:
            run.discard()


@dataclass(frozen=True)
class Sealed:
    """What of a batch is not in the slice: where it stands."""

    partition: str
    start: Position
    end: Position
    uncovered: int
    where: str


def seal(session: Engine, made: Slice, about: Sealed) -> tuple[Batch, Held]:
    """The slice as a batch, its runs registered in the engine. *Errors*: AdapterError `unreadable-type`, `no-space`."""
    names: list[str] = []

    def register(table: Any) -> str:
        names.append(f"hg_rows_{next(_names)}")
        session.register(names[-1], table)
        return names[-1]

    try:
        if made.files():
            made.spill()
        batch = _batch(session, made, about, register)
    except BaseException:
        release(session, Held(tuple(names), (), 0))
        raise
    return batch, Held(tuple(names), made.files(), made.held)


def release(session: Engine, held: Held) -> None:
    """Forgets what a slice held."""
    for name in held.names:
        session.unregister(name)
    for file in held.files:
        file.unlink(missing_ok=True)


def _batch(session: Engine, made: Slice, about: Sealed, register: Callable[[Any], str]) -> Batch:
    """One batch per run, the later ones hanging on the first."""
    firsts = [made.first, *(run.first for run in made.runs[1:]), made.first + made.records]
    runs: Sequence[Run | None] = made.runs or [None]
    bad = _refused_table(made.refused)
    malformed = register(bad) if made.refused else ""
    batches = []
    for run, first, behind in zip(runs, firsts, firsts[1:], strict=False):
        count = sum(first <= number < behind for number, _ in made.refused)
        relation, columns = _relation(session, run, made.folder, about.where, register)
        batches.append(
            Batch(
                about.partition,
                relation,
                columns,
                behind - first,
                about.start,
                about.end,
                rescan=True,
                originals=_originals(relation, columns),
                malformed=count,
                malformed_relation=f"SELECT * FROM {malformed} WHERE _hg_row BETWEEN {first} AND {behind - 1}"
                if count
                else "",
                first_record=first,
                sparse=run is None or run.text,
                uncovered=about.uncovered,
            )
        )
    head, *rest = batches
    return replace(head, also=tuple(rest))


def _refused_table(refused: list[tuple[int, str]]) -> Any:
    pa = pyarrow()
    count = len(refused)
    columns = {
        RESERVED: pa.array([number for number, _ in refused], pa.int64()),
        "line": pa.nulls(count, pa.int64()),
        "raw": pa.nulls(count, pa.string()),
        "message": pa.array([why.encode("utf-8", "backslashreplace").decode() for _, why in refused], pa.string()),
    }
    return pa.table(columns)


def _relation(
    session: Engine, run: Run | None, folder: Path, where: str, register: Callable[[Any], str]
) -> tuple[str, tuple[SourceColumn, ...]]:
    if run is None:
        return f"SELECT CAST(NULL AS BIGINT) AS {ident(RESERVED)} WHERE false", ()
    table = run.whole(folder)
    try:
        kind = "JSON" if is_cells(table.schema) else ""
        guarded = ", ".join([RESERVED, *(_guarded(name, kind) for name in table.column_names if name != RESERVED)])
        relation = f"SELECT {guarded} FROM {register(table)}"
        described = session.execute(f"DESCRIBE {relation}")
        columns = tuple(SourceColumn(row[0], row[1]) for row in described if row[0] != RESERVED)
        for column in columns:
            parse_physical(column.physical)
    except HeadgateError:
        raise
    except Exception as error:  # the engine's own error class is not known here
        what = f"the engine can't read the rows: {str(error).splitlines()[0]}"
        raise AdapterError.of("unreadable-type", what, where, "cast the column before it is given") from error
    return relation, columns


def _guarded(name: str, kind: str = "") -> str:
    """The column as an expression that is always the column; as the type `kind`, if one is given.

    DuckDB pushes conditions on bare columns into a table of pyarrow, which evaluates them otherwise: there `x > 5`
    is false for a NaN, in DuckDB it is true (1.5.6). The comparison costs next to nothing: where it holds for all rows
    of a vector, the vector is passed on.
    """
    value = f"CAST({ident(name)} AS {kind})" if kind else ident(name)
    return f"CASE WHEN {RESERVED} > 0 THEN {value} END AS {ident(name)}"


def _originals(relation: str, columns: tuple[SourceColumn, ...]) -> Callable[[Sequence[int] | str], str]:
    def originals(rows: Sequence[int] | str) -> str:
        chosen = rows if isinstance(rows, str) else ", ".join(map(str, rows)) or "NULL"
        row = encode_row(columns, "hg_source") if columns else "CAST('{}' AS VARCHAR)"
        return (
            f'SELECT {RESERVED}, NULL::BIGINT AS line, NULL::VARCHAR AS raw, {row} AS "row" '
            f"FROM ({relation}) AS hg_source WHERE {RESERVED} IN ({chosen})"
        )

    return originals
