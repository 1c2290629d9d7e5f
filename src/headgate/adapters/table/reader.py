"""Reads one partition of a table that was landed raw, entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from headgate.adapters.table.documents import Documents
from headgate.adapters.table.landing import GONE, LOAD, RECORD, Chain, Landed, Landing, Progress
from headgate.core.clock import new_id
from headgate.core.errors import AdapterError
from headgate.core.protocols import Engine
from headgate.core.records import dataclass
from headgate.core.values import Batch, Position, SourceColumn
from headgate.sql import quote
from headgate.sql.quote import ident
from headgate.types.codec import decode, encode_row

WHOLE = 1 << 60
ROW = "_hg_row"


def changed(landing: Landing, partition: str) -> AdapterError:
    what = f"{partition} of {landing.table} changed while it was read; nothing of this was kept"
    made = AdapterError.of("file-changed", what, landing.table, "let the landing end, then run again")
    assert isinstance(made, AdapterError)
    return made


@dataclass(frozen=True)
class Stretch:
    """Rows of one entry: `rows` of them, with numbers behind `after` and from `first` to `last`."""

    entry: Landed
    after: int
    first: int
    last: int
    rows: int

    def condition(self) -> str:
        more = (
            f" AND {RECORD} > {self.after} AND {RECORD} <= {self.last}"
            if self.after or self.rows < self.entry.rows
            else ""
        )
        return f"{LOAD} = {self.entry.id}{more}"


class TableReader:
    """Reads on from `progress`. `fresh`: nothing was read of the partition, so that one batch is given in any case."""

    def __init__(
        self,
        landing: Landing,
        session: Engine,
        chain: Chain,
        progress: Progress,
        *,
        fresh: bool,
        wanted: Sequence[str],
        tmp: Path,
    ) -> None:
        self._landing, self._engine, self._chain = landing, session, chain
        self._at, self._fresh = progress, fresh
        self._table = quote.table(landing.table)
        self._spelled = {name.lower(): (name, kind) for name, kind in landing.stored.items()}
        self._documents = Documents(session, tuple(wanted), tmp)
        self._made: list[list[str]] = []
        """Tables of the engine, by the batch that reads them."""
        self._closers: list[Callable[[], None]] = []

    def read(self, max_rows: int, max_bytes: int) -> Batch | None:
        """The next batch: whole entries where they fit, each a piece of it.

        *Errors*: AdapterError `file-changed` if rows were exchanged since it was opened, `rows-differ` where the table
        does not have the rows that its books say.
        """
        todo = self._at.todo(self._chain)
        if not todo and not self._fresh:
            return None
        self._fresh = False
        start, end, stretches = self._cut(todo, self._limit(max_rows, max_bytes))
        self._at = end
        self._forget(keep=1)
        self._made.append([])
        shell = Batch(
            self._chain.partition, f"SELECT CAST(NULL AS BIGINT) AS {ROW} WHERE false", (), 0,
            start.position(self._landing.table), self._end(end),
            rescan=True, originals=lambda rows: "", location=self._place,
        )  # fmt: skip
        pieces = [self._piece(shell, one) for one in stretches] or [shell]
        return replace(pieces[0], also=tuple(pieces[1:]))

    @property
    def _place(self) -> str:
        return f"{self._landing.table} {self._chain.partition}"

    def _end(self, at: Progress) -> Position:
        position = at.position(self._landing.table)
        return position if self._chain.entries else {**position, GONE: True}

    def _limit(self, max_rows: int, max_bytes: int) -> int:
        if max_rows >= WHOLE:
            return max_rows
        rows, size = self._chain.rows, max(self._chain.size, self._chain.rows, 1)
        return max(1, min(max_rows, max_bytes * rows // size))

    def _cut(self, todo: Sequence[Landed], limit: int) -> tuple[Progress, Progress, list[Stretch]]:
        start = at = self._at
        stretches: list[Stretch] = []
        for entry in todo:
            one = self._measured(entry, at.record)
            taken = sum(each.rows for each in stretches)
            if taken and taken + one.rows > limit:
                break
            if one.rows > limit:
                one = self._shortened(one, limit)
                stretches.append(one)
                at = replace(at, record=one.last)
                break
            stretches.append(one)
            at = Progress(at.generation, entry.id, at.rows + entry.rows)
        return start, at, stretches

    def _measured(self, entry: Landed, after: int) -> Stretch:
        """What the table has of the entry behind a number. Another number of rows than the books say is an error."""
        behind = f"FILTER (WHERE {RECORD} > {after})"
        found = self._landing.session.execute(
            f"""SELECT count(*), count(*) {behind}, min({RECORD}) {behind}, max({RECORD}) {behind}
                FROM {self._table} WHERE {LOAD} = {entry.id}"""
        )
        total, rows, first, last = found[0]
        if total != entry.rows or (not after and rows != total):  # a row without a number was made by hand
            raise changed(self._landing, self._chain.partition) if self._made else self._differs(entry, total)
        return Stretch(entry, after, first or 1, last or 0, rows)

    def _differs(self, entry: Landed, total: int) -> AdapterError:
        table = self._landing.table
        what = f"entry {entry.id} of {table} has {total} rows, its books say {entry.rows}; nothing of it was read"
        fix = f"see what was changed by hand: headgate audit; land it anew: headgate run --full-refresh {table}"
        made = AdapterError.of("rows-differ", what, table, fix)
        assert isinstance(made, AdapterError)
        return made

    def _shortened(self, one: Stretch, limit: int) -> Stretch:
        numbers = f"SELECT {RECORD} AS n FROM {self._table} WHERE {one.condition()} ORDER BY 1 LIMIT {limit}"
        last = self._landing.session.execute(f"SELECT max(n) FROM ({numbers}) AS s")[0][0]
        return replace(one, last=last, rows=limit)

    def _piece(self, shell: Batch, one: Stretch) -> Batch:
        taken = self._taken(one, [self._stored(column.name)[0] for column in one.entry.columns])
        extent = max(one.last - one.first + 1, 0)
        shell = replace(
            shell, records=one.rows, first_record=one.first, extent=extent, verify=partial(self._verify, one)
        )
        if one.entry.documents:
            return self._of_documents(shell, one.entry, taken)
        values = "".join(f", {self._value(column)} AS {ident(column.name)}" for column in one.entry.columns)
        relation = f"SELECT CAST(t.{RECORD} AS BIGINT) AS {ROW}{values} FROM {taken} AS t"
        return replace(
            shell,
            relation=relation,
            columns=one.entry.columns,
            originals=partial(self._originals, one, relation),
        )

    def _of_documents(self, shell: Batch, entry: Landed, taken: str) -> Batch:
        names = {column.name: ident(self._stored(column.name)[0]) for column in entry.columns}
        document, *given = names
        lines = f"SELECT CAST(t.{RECORD} AS BIGINT) AS n, CAST(t.{names[document]} AS VARCHAR) AS l FROM {taken} AS t"
        constants: dict[str, str | None] = dict.fromkeys(given)
        if given:  # all rows of an entry are of one file
            values = ", ".join(f"t.{names[name]}" for name in given)
            found = self._engine.execute(f"SELECT {values} FROM {taken} AS t LIMIT 1")
            constants = dict(zip(given, found[0], strict=True)) if found else constants
        return self._documents.batch(shell, lines, constants, partial(self._as_in_file, entry))

    def _taken(self, one: Stretch, names: Sequence[str]) -> str:
        """The rows in the engine."""
        select = f"SELECT {', '.join(map(ident, [RECORD, *names]))} FROM {self._table} WHERE {one.condition()}"
        name = f"hg_{new_id()}_from"
        taken = self._landing.session.take(select, name)
        self._made[-1] += [name] if taken == name else []
        return taken

    def _stored(self, name: str) -> tuple[str, str]:
        """The table's own spelling of a column, and its type. *Errors*: AdapterError `rows-differ`."""
        found = self._spelled.get(name.lower())
        if found is None:
            table = self._landing.table
            fix = f"land it anew: headgate run --full-refresh {table}"
            raise AdapterError.of("rows-differ", f"{table} has lost its column {name!r}", table, fix)
        return found

    def _value(self, column: SourceColumn) -> str:
        """The value as the source gave it: the type of the table takes every one without loss."""
        name, stored = self._stored(column.name)
        value = f"t.{ident(name)}"
        if stored == column.physical:
            return value
        if stored in ("VARCHAR", "JSON"):
            return decode(f"CAST({value} AS VARCHAR)", column.physical)
        return f"CAST({value} AS {column.physical})"

    def _originals(self, one: Stretch, relation: str, rows: Sequence[int] | str) -> str:
        numbers = [int(row[0]) for row in self._engine.execute(rows)] if isinstance(rows, str) else list(rows)
        chosen = ", ".join(map(str, numbers)) or "NULL"
        row = encode_row(one.entry.columns, "t")
        told = self._as_in_file(one.entry, numbers)
        line, raw, join = "CAST(NULL AS BIGINT)", "CAST(NULL AS VARCHAR)", ""
        if told:
            line, raw, join = "f.line", "f.raw", f"LEFT JOIN ({told}) AS f ON f.{ROW} = t.{ROW}"
        return f"""SELECT t.{ROW}, {line} AS line, {raw} AS raw, {row} AS "row"
                   FROM ({relation}) AS t {join} WHERE t.{ROW} IN ({chosen})"""

    def _as_in_file(self, entry: Landed, numbers: Sequence[int]) -> str:
        """Line and text of the records, where the file still is what was landed."""
        if self._landing.originals is None or not entry.from_file or not numbers:
            return ""
        found = self._landing.originals(self._engine, self._chain.partition, self._chain.position, numbers)
        if found is None:
            return ""
        self._closers.append(found[1])
        return found[0]

    def _verify(self, one: Stretch) -> None:
        """An entry's rows never change but by going: as many as were there are the same. Raises `file-changed`."""
        self._measured(one.entry, one.after)

    def _forget(self, keep: int = 0) -> None:
        """Drops what earlier batches read, but for the last `keep` of them."""
        while len(self._made) > keep:
            for name in self._made.pop(0):
                self._engine.execute(f"DROP TABLE IF EXISTS {name}")

    def close(self) -> None:
        """Drops what was made in the engine; relations of this reader's batches are unreadable from now on."""
        self._forget()
        for close in self._closers:
            close()
        self._closers.clear()
        self._documents.close()
