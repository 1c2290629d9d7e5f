"""A flow: one ingest file made ready to run, and which of its partitions a run would read, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from headgate.books.adopt import ADOPTED
from headgate.books.ledger import Entry, Seat, TableState
from headgate.books.work import IDENTIFIED, Disposition
from headgate.contracts.children import Kin, family
from headgate.contracts.great_expectations.bind import bind
from headgate.contracts.model import Contract, Limit
from headgate.contracts.verify import verify
from headgate.core import registry
from headgate.core.errors import ContractError, Finding
from headgate.core.protocols import Source
from headgate.core.records import dataclass
from headgate.core.values import Partition, TableRef
from headgate.gate import pin
from headgate.gate.scan import columns_of
from headgate.project.model import Ingest

REPLACE_LIMIT = Limit(share=0.05)
TWIN_OF = "twin_of"
"""In the position of a file that was skipped: the partition whose content it has."""


@dataclass(frozen=True)
class Flow:
    """`contract` is None until a two-line ingest, or a raw landing, has seen its data.

    `bronze`: the raw landing that it reads. `as_file`: a source that reads those files as this flow would.
    """

    ingest: Ingest
    source: Source
    contract: Contract | None
    bronze: Flow | None = None
    as_file: Source | None = None
    optional: tuple[str, ...] = ()
    """Columns that a file may lack: others brought them."""

    @property
    def table(self) -> TableRef:
        return self.ingest.table

    @property
    def name(self) -> str:
        return str(self.ingest.table)

    @property
    def kind(self) -> str:
        """The kind of source that the records came from first."""
        return self.bronze.kind if self.bronze is not None else self.ingest.source.kind

    @property
    def needs(self) -> list[str]:
        """Other tables that must be loaded before this one."""
        refers = self.contract.targets if self.contract else ()
        reads = [self.bronze.name] if self.bronze is not None else []
        return [name for name in dict.fromkeys([*reads, *refers]) if name != self.name]

    @property
    def replaces(self) -> bool:
        return self.ingest.load.kind == "replace"

    @property
    def disposition(self) -> Disposition:
        """What an accepted row does to the table that is there: a replacement appends to an empty one."""
        kind = self.ingest.load.kind
        return "append" if kind == "replace" else kind

    def columns(self, contract: Contract) -> Sequence[tuple[str, str]]:
        """Names and types of the table's columns under the contract."""
        found = columns_of(contract, self.ingest.load.history, self.ingest.load.order_by)
        types = dict(found)
        kept = [(name, types[column]) for column, name in self.ingest.load.previous]
        return [*found, *kept, *([(self.gone[0], "BOOLEAN")] if self.gone is not None else [])]

    @property
    def gone(self) -> tuple[str, str] | None:
        """Under upsert, the column that tells that an identity is gone, and the condition on a record that it says."""
        found = self.ingest.load.tombstones
        return (found.column, found.condition) if found is not None else None

    @property
    def children(self) -> tuple[Kin, ...]:
        """The tables of lists inside of the records."""
        return family(self.contract) if self.contract is not None else ()

    @property
    def tables(self) -> tuple[TableRef, ...]:
        """All that a load of the flow changes: its table, and those of the lists inside of its records."""
        return (self.table, *(TableRef.parse(kin.child.table) for kin in self.children))

    @property
    def appends(self) -> bool:
        return self.ingest.load.kind == "append"

    @property
    def snapshots(self) -> bool:
        """True where every file is a snapshot that ends what it does not deliver: a commit of its own."""
        history = self.ingest.load.history
        return history is not None and history.closes

    @property
    def limit(self) -> Limit | None:
        declared = self.contract.refuse_at_most if self.contract else self.ingest.limit
        whole = self.replaces or self.ingest.load.kind == "partition" or self.snapshots
        limit = declared or (REPLACE_LIMIT if whole else None)
        return None if limit and limit.share is not None and limit.share >= 1 else limit

    @property
    def judged_whole(self) -> bool:
        """True where a rule needs the whole load: it is then one commit."""
        contract, load = self.contract, self.ingest.load
        if self.replaces or load.kind == "partition" or self.limit:
            return True
        if contract is None:
            return self.ingest.land != "raw"
        if load.history is not None and load.order_by is None:
            return True  # all of it is of one time
        if load.duplicates == "refuse":
            return True
        if contract.batches or contract.thresholds:
            return True
        beside = [rule for rule in contract.uniques if load.kind in IDENTIFIED and rule.columns != load.keys]
        whole = any(rule.keep != "first" for rule in contract.uniques)
        return whole or bool(beside) or any(ref.to_table == self.name for ref in contract.references)


def make_flow(ingest: Ingest, root: Path, temp: Path) -> Flow:
    """The ingest with its adapter."""
    options = dict(ingest.source.options)
    if ingest.contract is not None and "wanted" in registry.options_of(ingest.source.kind):
        named = options.get("file_column")
        options["wanted"] = [name for name in ingest.contract.sources if name != named]
    if ingest.land == "raw" and "documents" in registry.options_of(ingest.source.kind):
        options["documents"] = True
    if ingest.source.kind == "python" and ingest.contract is not None and ingest.contract.model is not None:
        options["cells"] = True  # a model is asked about the values themselves, not about their texts
    source = registry.open_source(ingest.source.kind, options, root, temp)
    return Flow(ingest, source, ingest.contract)


def refuse_broken(flow: Flow) -> None:
    """A contract's conditions and patterns must bind before it judges its first record. Raises ContractError."""
    assert flow.contract is not None
    broken = verify(flow.contract, flow.ingest.places, flow.ingest.load.deleted_if)
    if broken:
        raise ContractError(*broken)


def typed(flow: Flow, known: Contract) -> Contract:
    """The contract of a flow whose types are those of the data (`known`): with the rules of its suite, if it has one.

    *Errors*: ContractError missing-column, and those of conditions that do not bind.
    """
    load = flow.ingest.load
    if flow.ingest.suite is None:
        return pin.keyed(known, load.kind, load.keys)
    made = pin.keyed(bind(flow.ingest.suite, known), load.kind, load.keys)
    refuse_broken(replace(flow, contract=made))
    return made


@dataclass(frozen=True)
class Reading:
    """One partition that a run will read. `generation` is the one its entry will have."""

    partition: Partition
    seat: Seat | None
    generation: int
    reload: bool = False
    skip: str = ""


@dataclass(frozen=True)
class Choice:
    """What a run would read of a flow, and why; nothing to read means nothing to do.

    `anew`: the load makes the whole table (replace, full refresh); `rebuild`: there is an old one that it replaces.
    """

    readings: tuple[Reading, ...]
    anew: bool
    reason: str
    rebuild: bool = False


def choose(flow: Flow, seats: Mapping[str, Seat], state: TableState | None, full_refresh: bool) -> Choice:
    """Compares the source with the positions. Raises ContractError `file-changed-since` under `on_change: error`."""
    found = flow.source.partitions({name: seat.position for name, seat in seats.items() if name})
    generation = state.live_generation if state else 1
    gone = [name for name in seats if name and name not in {part.name for part in found}]
    moved = [part for part in found if part.status != "unchanged"]
    if full_refresh or (flow.replaces and (moved or gone)):
        newest = max([generation, *(seat.generation for seat in seats.values())])
        opened = newest + 1 if seats or (state and state.version) else newest
        fresh = [Reading(part, seats.get(part.name), opened) for part in flow.source.partitions({})]
        if not fresh and not state:
            return Choice((), False, f"no {flow.source.unit} yet")
        reason = "full refresh" if full_refresh else _why(flow, moved, gone)
        nothing = [Reading(Partition("", "new", 0), seats.get(""), opened)]
        return Choice(tuple(_skip_twins(flow, fresh, {}, set()) or nothing), True, reason, bool(state))
    readings = [reading for part in found for reading in _read(flow, part, seats.get(part.name), generation)]
    if not readings:
        return Choice((), False, "nothing new" if found else f"no {flow.source.unit} yet")
    going = {one.partition.name for one in readings if one.reload}
    carriers = {name: str(seat.position[TWIN_OF]) for name, seat in seats.items() if TWIN_OF in seat.position}
    readings += [
        Reading(replace(part, status="twin", twin_of=carriers[part.name], former=True), seats[part.name],
                seats[part.name].generation + 1, reload=True)
        for part in found
        if part.status == "unchanged" and carriers.get(part.name) in going
    ]  # fmt: skip
    readings.sort(key=lambda reading: reading.partition.name)
    return Choice(tuple(_skip_twins(flow, readings, carriers, going)), False, _why(flow, moved, []))


def _skip_twins(flow: Flow, readings: Sequence[Reading], carriers: Mapping[str, str], going: set[str]) -> list[Reading]:
    """Under `twin_files: skip`, every reading whose content the table has, or gets from another file, is skipped.

    `carriers`: file skipped before -> the one that has its content. Where that one is `going` (reloaded with other
    content), the first of its twins is read in its place, or the content would be lost.
    """
    if flow.ingest.twin_files != "skip":
        return list(readings)
    heirs: dict[str, str] = {}
    chains = dict(carriers)
    settled = []
    for one in readings:
        part = one.partition
        carrier = chains.get(part.twin_of, part.twin_of)
        # What it had before it changed goes with it; what it has now is loaded with it.
        if carrier in going and (part.former or carriers.get(part.twin_of) == carrier):
            carrier = heirs.get(carrier, "")
            heirs.setdefault(chains.get(part.twin_of, part.twin_of), part.name)
        if carrier:
            chains[part.name] = carrier
            one = replace(one, partition=replace(part, twin_of=carrier), skip="twin_files")
        settled.append(one)
    return settled


def _read(flow: Flow, part: Partition, seat: Seat | None, generation: int) -> list[Reading]:
    if part.status == "unchanged":
        return []
    if part.status in ("changed", "gone") and seat is not None:
        if flow.ingest.on_change == "error":
            raise _changed(flow, part)
        if flow.ingest.on_change == "ignore":
            return []
        if ADOPTED in seat.position and flow.disposition not in IDENTIFIED:
            raise _unknown_rows(flow, part)
        return [Reading(part, seat, max(seat.generation, generation) + 1, reload=True)]
    return [Reading(part, seat, seat.generation if seat else generation)]


def twins(readings: Sequence[Reading]) -> list[Finding]:
    """A finding for every partition whose content came before under another name."""
    return [
        Finding(
            "twin-file",
            "warning",
            f"{one.partition.name} has the content of {one.partition.twin_of}; it was "
            + ("skipped" if one.skip else "loaded, too"),
            one.partition.location or one.partition.name,
            "" if one.skip else "if it is a second delivery of the same file, say twin_files: skip",
        )
        for one in readings
        if one.partition.status == "twin"
    ]


def unclear_snapshots(flow: Flow, entries: Sequence[Entry]) -> list[Finding]:
    """A finding for every snapshot that ended no version, because it could not tell which."""
    found = []
    for entry in entries:
        history = entry.facts.get("history", {})
        if history.get("late"):
            what = "came after one whose name is later"
            fix = (
                "give later snapshots later names; to build the history anew: headgate run --full-refresh " + flow.name
            )
        elif unknown := history.get("unknown"):
            what = f"has {unknown} record{'s' if unknown > 1 else ''} that can't be told to be of any identity"
            fix = f"see which: headgate quarantine list --table {flow.name}; the next whole snapshot ends what is gone"
        else:
            continue
        what = f"{entry.partition} {what}: no version of {flow.name} ended for being absent from it"
        found.append(Finding("snapshot-unclear", "warning", what, entry.partition, fix))
    return found


def _changed(flow: Flow, part: Partition) -> ContractError:
    return ContractError(
        Finding(
            "file-changed-since",
            "error",
            f"{part.name} was loaded before and has changed since ({part.reason})",
            part.location or part.name,
            f"say what a changed {flow.source.unit} means in the ingest file: "
            "on_change: reload (its rows are replaced) or ignore",
        )
    )


def _unknown_rows(flow: Flow, part: Partition) -> ContractError:
    what = (
        f"{part.name} has changed since {flow.name} was adopted, and nobody can tell which of its rows came from there"
    )
    fix = f"leave it out (on_change: ignore), or load the table anew: headgate run --full-refresh {flow.name}"
    return ContractError(Finding("file-changed-since", "error", what, part.location or part.name, fix))


def _why(flow: Flow, moved: Sequence[Partition], gone: Sequence[str]) -> str:
    words = {"new": "new", "changed": "changed", "partial": "partly loaded", "twin": "new (a twin)", "open": "open"}
    words["gone"] = "gone"
    unit = flow.source.unit
    counts: dict[str, int] = {}
    for part in moved:
        word = words.get(part.status, "unchanged")
        counts[word] = counts.get(word, 0) + 1
    parts = [f"{number} {word} {unit}{'s' if number > 1 else ''}" for word, number in counts.items()]
    return ", ".join(parts + ([f"{len(gone)} gone"] if gone else []))
