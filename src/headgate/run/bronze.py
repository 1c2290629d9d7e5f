"""Flows that read a table which was landed raw: what the books say of it, given to its source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from headgate.adapters.files.shape import DOCUMENT
from headgate.adapters.table.landing import Chain, Landed, Landing
from headgate.adapters.table.source import TableSource
from headgate.books import ledger, quarantine, tables
from headgate.books.ledger import DATA, Entry, Seat
from headgate.books.record import expected_by_entry
from headgate.core import registry
from headgate.core.errors import AdapterError, Finding
from headgate.core.protocols import Engine, StoreSession
from headgate.core.values import Partition, Position, SourceColumn
from headgate.run.flow import Flow
from headgate.types.jsonvalue import PHYSICAL


def linked(flows: Sequence[Flow], root: Path, temp: Path) -> list[Flow]:
    """The flows, each that reads a raw landing with the flow that lands it."""
    landings = {flow.name: flow for flow in flows if flow.ingest.land == "raw"}
    return [_linked(flow, landings, root, temp) for flow in flows]


def _linked(flow: Flow, landings: dict[str, Flow], root: Path, temp: Path) -> Flow:
    bronze = landings.get(str(flow.ingest.reads)) if flow.ingest.reads is not None else None
    if bronze is None:
        return flow
    spec = bronze.ingest.source
    options = dict(spec.options)
    if flow.contract is not None and "wanted" in registry.options_of(spec.kind):
        options["wanted"] = [column.source for column in flow.contract.columns]
    return replace(flow, bronze=bronze, as_file=registry.open_source(spec.kind, options, root, temp))


def bound(flow: Flow, session: StoreSession) -> Flow:
    """The flow with a source that reads its raw landing as it is now; as it is where it reads none.

    *Errors*: CommitError `table-missing`, `column-missing` where the books know rows that the warehouse has not.
    """
    if flow.bronze is None or not isinstance(flow.source, TableSource):
        return flow
    return replace(flow, source=flow.source.over(_landing(flow.bronze, session)))


def _landing(bronze: Flow, session: StoreSession) -> Landing:
    state = ledger.table_state(session, bronze.table)
    history = ledger.entries(session, bronze.name) if state is not None else []
    chains = _chains(bronze, session, history)
    stored = session.columns(bronze.table)
    if stored is None and any(chain.rows for chain in chains):
        raise tables.missing(bronze.table)
    kinds = {name: session.engine_type(kind) for name, kind in stored or []}
    by_name = {chain.partition: chain for chain in sorted(chains, key=lambda one: one.partition)}
    return Landing(session, bronze.table, kinds, by_name, bool(history), _Files(bronze, by_name).originals)


def _chains(bronze: Flow, session: StoreSession, history: Sequence[Entry]) -> list[Chain]:
    left = expected_by_entry(history)
    shapes = quarantine.shapes(session, (one.facts["shape"] for one in history if "shape" in one.facts))
    seats = ledger.seats(session, bronze.name)
    entries: dict[str, list[Landed]] = {}
    for one in history:
        seat = seats.get(one.partition)
        if one.stream == DATA and seat is not None and (found := _landed(one, seat, left, shapes)) is not None:
            entries.setdefault(one.partition, []).append(found)
    return [_chain(name, seats[name], landed) for name, landed in entries.items()]


def _landed(
    entry: Entry, seat: Seat, left: dict[int, int], shapes: dict[str, tuple[SourceColumn, ...]]
) -> Landed | None:
    """What is left of an entry. One that brought no row still tells the columns of its file."""
    columns = shapes.get(entry.facts.get("shape", ""))
    rows = left.get(entry.id, 0)
    empty = not entry.rows_loaded and entry.kind == "load" and entry.generation == seat.generation
    if columns is None or not (rows or empty):
        return None
    documents = columns[:1] == (SourceColumn(DOCUMENT, PHYSICAL),)
    return Landed(entry.id, rows, columns, documents, entry.kind == "load")


def _chain(name: str, seat: Seat, landed: Sequence[Landed]) -> Chain:
    size = seat.position.get("size")
    return Chain(name, seat.generation, tuple(landed), size if isinstance(size, int) else 0, seat.position)


@dataclass
class _Files:
    """The files of a landing, where they still are as they were landed: what its records looked like in them."""

    bronze: Flow
    chains: Mapping[str, Chain]
    _found: dict[str, Partition] = field(default_factory=dict)

    def originals(
        self, engine: Engine, partition: str, position: Position, rows: Sequence[int]
    ) -> tuple[str, Callable[[], None]] | None:
        """A SELECT of `_hg_row, line, raw` for records of a text file, and what releases it; None where it changed, or
        is gone, or holds no texts."""
        source = self.bronze.source
        if source.typed or "digest" not in position:
            return None
        try:
            if not self._found:
                known = {name: chain.position for name, chain in self.chains.items()}
                self._found = {one.name: one for one in source.partitions(known)}
            if partition not in self._found:
                return None
            reader = source.open(engine, self._found[partition], position)
        except AdapterError:  # another file stands there by now
            return None
        give: Callable[[Sequence[int]], str] | None = getattr(reader, "originals", None)
        if give is None:
            reader.close()
            return None
        return f"SELECT _hg_row, line, raw FROM ({give(sorted(rows))}) AS o", reader.close


def checked(flow: Flow, reading: Engine, columns: Sequence[str]) -> list[Finding]:
    """What keeps the source's columns from being read: of the files that are there, else of what was landed of them."""
    if flow.as_file is None:
        return flow.source.check(reading, columns)
    found = flow.as_file.check(reading, columns)
    return found if not any(one.code == "no-files" for one in found) else flow.source.check(reading, columns)
