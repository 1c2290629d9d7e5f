"""Drives the real gate and books with the oracle's cases, and reads a warehouse into the oracle's `view`."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headgate.adapters.duckdb.store import DuckDBStore
from headgate.books import ledger
from headgate.books.audit import audit
from headgate.books.schema import migrate
from headgate.books.work import LOAD_COLUMN
from headgate.core.errors import CommitError, ContractError
from headgate.core.protocols import Store, StoreSession
from headgate.core.values import TableRef
from headgate.project.model import Ingest
from headgate.project.read import read_project
from headgate.run.flow import Flow
from headgate.run.job import Job, Loaded
from headgate.run.load import load
from headgate.run.replay import replay
from headgate.run.restore import restore
from headgate.sql import quote
from headgate.testing import called, oracle
from headgate.testing.memory import Malformed, MemoryFile, MemorySource
from headgate.testing.oracle.values import accept, written
from headgate.testing.strategies import PARENTS, TABLE, Step, ingest_form
from headgate.types.lexical import read
from headgate.types.logical import parse

_ALL_HEX = re.compile(r"\\x(?:[0-9a-f]{2})*")
PARENT_FILE = f"table: {PARENTS}\nfrom: parents.csv\ncolumns:\n  pid: int\n  qid: int\n"


@dataclass(frozen=True)
class Referenced:
    """The columns of the table that references point to: their type, and the first one's values as text. Every row has
    in the second what the row behind it has in the first."""

    type: str = "int"
    values: tuple[str | None, ...] = ("1", "2", None)

    def state(self) -> oracle.State:
        """What the oracle knows of it."""
        pairs = ({"pid": accept(one, self.type), "qid": accept(two, self.type)} for one, two in self.pairs)
        return oracle.State(tables={PARENTS: [*pairs]})

    @property
    def pairs(self) -> list[tuple[str | None, str | None]]:
        return list(zip(self.values, (*self.values[1:], *self.values[:1]), strict=True))

    def make(self, session: StoreSession) -> None:
        """The table, if it is not there yet."""
        table, kind = TableRef.parse(PARENTS), parse(self.type)
        if session.columns(table) is None:
            session.execute('CREATE SCHEMA IF NOT EXISTS "raw"')
            session.create(table, [("pid", kind.duckdb), ("qid", kind.duckdb)])
            said = (["NULL" if one is None else quote.literal(one) for one in pair] for pair in self.pairs)
            texts = ", ".join(f"({', '.join(pair)})" for pair in said)
            made = ", ".join(f"{read(text, kind, 'UTC')} AS {name}" for text, name in (("t", "pid"), ("u", "qid")))
            session.execute("BEGIN")
            session.append(table, ["pid", "qid"], f"SELECT {made} FROM (VALUES {texts}) AS v(t, u)")
            session.execute("COMMIT")


PAIR = Referenced()


def ingest_of(flow: oracle.Flow, referenced: str = "int") -> Ingest:
    """The oracle's flow, said in YAML and read back as a user's file."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "ingest").mkdir()
        (root / "headgate.yml").write_text("project: p\nwarehouse: duckdb:w.duckdb\n")
        (root / "ingest" / "parents.yml").write_text(PARENT_FILE.replace("int", referenced))
        form = "orders/*.ndjson" if flow.contract.children else "orders/*.csv"
        (root / "ingest" / "orders.yml").write_text(ingest_form(flow, form))
        (root / "rules").mkdir()
        (root / called.FILE).write_text(called.SOURCE)
        project = read_project(root)
        for rule in (rule for one in project.ingests if one.contract for rule in one.contract.calls):
            rule.program.loaded()  # while its file is there
    return next(ingest for ingest in project.ingests if str(ingest.table) == flow.table)


def memory_file(file: oracle.File) -> MemoryFile:
    records = tuple(
        Malformed(one.raw, one.message) if isinstance(one, oracle.Malformed) else one for one in file.records
    )
    return MemoryFile(file.identity, tuple(file.header), records)


@dataclass
class Warehouse:
    """A real warehouse that one flow is loaded into. `opened` opens its store: with DuckDB in memory or at `path`."""

    flow: oracle.Flow
    path: Path | None = None
    opened: Callable[[Path | None], Store] = DuckDBStore
    referenced: Referenced = PAIR
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.ingest = ingest_of(self.flow, self.referenced.type)
        self.store = self.opened(self.path)
        with self.store.session() as session:
            migrate(session)
            self.referenced.make(session)

    def close(self) -> None:
        self.store.close()

    def reopen(self) -> None:
        """As a new process finds it."""
        self.store.close()
        self.store = self.opened(self.path)

    def real_flow(self, step: Step) -> Flow:
        files = {name: memory_file(file) for name, file in step.files.items()}
        return Flow(self.ingest, MemorySource(files, step.slices), self.ingest.contract)

    def play(self, step: Step) -> Loaded | None:
        """The step, as a user would do it; a load that the contract stops is a refusal, as in the oracle."""
        if step.kind == "replay":
            # Of all records, which are open is asked by the replay itself: another runner may have superseded some.
            self.replay(self.picked(step.picks) if step.picks else None)
            return None
        if step.kind == "restore":
            self.restore()
            return None
        job = Job(self.store, self.real_flow(step), "test", full_refresh=step.kind == "full_refresh")
        with suppress(ContractError):
            return load(job)
        return None

    def picked(self, picks: Sequence[int]) -> list[int]:
        """The open records that the step means."""
        with self.store.session() as session:
            found = session.execute(
                """SELECT id FROM _headgate.quarantine WHERE status = 'open' AND table_name = ?
                   ORDER BY partition, record, id""",
                [self.flow.table],
            )
        open_ = [row[0] for row in found]
        return sorted({open_[pick % len(open_)] for pick in picks}) if open_ and picks else open_

    def replay(self, ids: Sequence[int] | None) -> None:
        """Those of the records (all without `ids`) that are still open go through the gate again."""
        if ids is None or ids:
            replay(self.store, self.real_flow(Step("replay")), ids, "test")

    def restore(self) -> None:
        """The table that was replaced last, if there is one."""
        try:
            restore(self.store, TableRef.parse(self.flow.table), "test", seen=self.flow.disposition == "replace")
        except CommitError as error:
            if error.finding.code != "nothing-kept":
                raise

    def version(self) -> int:
        """How many entries the table has."""
        with self.store.session() as session:
            state = ledger.table_state(session, TableRef.parse(self.flow.table))
        return state.version if state else 0

    def findings(self) -> list[str]:
        with self.store.session() as session:
            return [finding.render() for finding in audit(session).findings]

    def view(self) -> dict[str, dict[str, Any]]:
        """The warehouse in the shape of the oracle's `view`, without the referenced table."""
        with self.store.session() as session:
            table = TableRef.parse(self.flow.table)
            state = ledger.table_state(session, table)
            shown = {
                "rows": Counter(self._rows(session)) if state else Counter(),
                "open": Counter(self._open(session)),
                "positions": {
                    name: (seat.position.get("identity"), seat.position.get("at"))
                    for name, seat in ledger.seats(session, self.flow.table).items()
                    if name
                },
                **_sums(ledger.entries(session, self.flow.table)),
            }
        return {self.flow.table: shown} if any(shown.values()) else {}

    def _rows(self, session: Any) -> list[tuple[tuple[str, str | None], ...]]:
        columns = sorted(self._columns(), key=lambda column: column.name)
        picked = ", ".join(f'CAST("{column.name}" AS VARCHAR)' for column in columns)
        raw = session.execute(f"SELECT {picked} FROM {TABLE} WHERE {LOAD_COLUMN} IS NOT NULL")
        return [
            tuple((column.name, _canonical(text, column.type)) for column, text in zip(columns, row, strict=True))
            for row in raw
        ]

    def _columns(self) -> list[oracle.Column]:
        found = list(self.flow.contract.columns)
        if self.flow.disposition == "scd2":
            [time] = [column.type for column in found if column.name == self.flow.order_by]
            time = "date" if self.flow.dates else time
            found += [oracle.Column(name, time) for name in ("valid_from", "valid_to")]
            found.append(oracle.Column("is_current", "bool"))
            types = {column.name: column.type for column in found}
            found += [oracle.Column(name, types[column]) for column, name in self.flow.latest]
        types = {column.name: column.type for column in found}
        found += [oracle.Column(name, types[column]) for column, name in self.flow.previous]
        if self.flow.keep_deleted:
            found.append(oracle.Column(self.flow.keep_deleted, "bool"))
        return found

    def _open(self, session: Any) -> list[Any]:
        rows = session.execute(
            """SELECT partition, record, raw, "row", reasons FROM _headgate.quarantine
               WHERE status = 'open' AND table_name = ?""",
            [self.flow.table],
        )
        return [
            (
                partition,
                record,
                raw if values is None else tuple(sorted(json.loads(values).items())),
                tuple((reason["rule"], reason["column"]) for reason in json.loads(reasons)),
            )
            for partition, record, raw, values, reasons in rows
        ]


def _canonical(text: str | None, kind: str) -> str | None:
    """The engine's text of a value, as the oracle writes the same value."""
    if text is None or kind.startswith(("text", "json")):
        return text
    if kind == "binary":
        # PostgreSQL gives all digits in lower case, which the engine's text never is.
        return written(accept(text if _ALL_HEX.fullmatch(text) else "\\x" + _hex(text), kind))
    return written(accept(text, kind))


def _hex(text: str) -> str:
    """DuckDB shows a BLOB with printable bytes as they are and others as \\xNN."""
    out, at = [], 0
    while at < len(text):
        if text[at : at + 2] == "\\x":
            out.append(text[at + 2 : at + 4])
            at += 4
        else:
            out.append(f"{ord(text[at]):02x}")
            at += 1
    return "".join(out)


def _sums(entries: Sequence[ledger.Entry]) -> Mapping[str, int]:
    return {
        "read": sum(entry.rows_read for entry in entries),
        "quarantined": sum(entry.rows_quarantined for entry in entries),
        "settled": sum(entry.rows_loaded + entry.rows_deduplicated for entry in entries),
    }


def oracle_view(state: oracle.State) -> dict[str, dict[str, Any]]:
    """The oracle's view without the referenced table, which no entry tells of."""
    return {table: shown for table, shown in oracle.view(state).items() if table != PARENTS}


def differences(real: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """What the two views disagree on, one line per part."""
    found = []
    for table in sorted({*real, *expected}):
        one, two = real.get(table, {}), expected.get(table, {})
        for part in sorted({*one, *two}):
            if one.get(part) != two.get(part):
                found.append(f"{part}:\n  real     {one.get(part)}\n  expected {two.get(part)}")
    return found
