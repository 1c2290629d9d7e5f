"""The commits of one try of a load: batches are grouped, judged and written, one group after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace

from headgate.books import child_tables, tables
from headgate.books.ledger import Counts, Seat
from headgate.books.work import IDENTIFIED, Commit, Committed, Lost, Part, Stopped
from headgate.contracts.children import family
from headgate.core.errors import ContractError, Finding, HeadgateError, tidied
from headgate.core.protocols import Reader, StoreSession
from headgate.core.values import Batch
from headgate.gate import pin
from headgate.gate.blame import blaming
from headgate.gate.judge import Gate, Rules
from headgate.gate.scan import RECORD
from headgate.run import landing
from headgate.run.commits import counts_of, lookups_of, seq_after, standing_rows, try_commit
from headgate.run.deadletter import TRANSIENT, cut_off, keep
from headgate.run.evolve import follow
from headgate.run.flow import TWIN_OF, Choice, Flow, Reading, typed
from headgate.run.job import Job, Loaded, Slices
from headgate.run.learned import grows, is_brought, learn
from headgate.run.readings import WHOLE, Once, close_all, no_file, no_position, reads_records, refused_columns
from headgate.run.sparse import filled, names_of


@dataclass
class Loader:
    """The commits of one try, one after the other."""

    job: Job
    session: StoreSession
    attempt: str
    choice: Choice
    stack: ExitStack
    fresh: bool = True
    """The load makes the table, or all of it anew."""
    grown: str = ""
    """What the table took in of what its files bring; the load begins again then."""
    number: int = 0
    pin: str = ""
    taken: dict[str, Batch | None] = field(default_factory=dict)
    """By partition, what was read to see its types, where it can't be had twice."""
    absent: dict[str, int] = field(default_factory=dict)
    """By column that files lacked: records that have NULL there."""
    evolved: list[str] = field(default_factory=list)
    """What became of the columns of a raw landing."""
    hand: list[Batch] = field(default_factory=list)
    """What is being judged."""
    readers: list[Reader] = field(default_factory=list)

    def commits_or_letters(self, done: Loaded) -> Iterator[tuple[Committed | Lost | Stopped, Counts]]:
        """The commits; where an error that may pass ends the last attempt, what it had in hand is kept."""
        try:
            yield from self.commits()
        except HeadgateError as error:
            batches = [*self.hand, *(one for reader in self.readers if (one := cut_off(reader)))]
            if error.finding.code == TRANSIENT and self.job.last and self.job.flow.contract and batches:
                with suppress(Exception):  # the error is the one to tell
                    done.findings.append(keep(self.session, self.job.flow, self.attempt, batches, error))
            raise

    def commits(self) -> Iterator[tuple[Committed | Lost | Stopped, Counts]]:
        flow = self._prepared()
        if flow is None:
            yield Lost(), Counts()
            return
        reloads = any(reading.reload for reading in self.choice.readings)
        whole = flow.judged_whole or self.choice.anew or reloads
        for group in self._groups(whole or flow.snapshots):
            self.hand = [batch for _, batch, _ in group]
            try:
                outcome = self._commit(flow, group)
            except ContractError as error:
                if self.fresh or not is_brought(flow, error):
                    raise
                self._grow(flow)
                outcome = Lost()
            self.hand = []
            total = Counts()
            if isinstance(outcome, Stopped):
                total = outcome.counts
            elif isinstance(outcome, Committed):
                total = sum((counts_of(entry) for entry in outcome.entries), Counts())
            yield outcome, total

    def _prepared(self) -> Flow | None:
        """The flow with its contract, and its table in place; None where another runner was making them, too."""
        flow = self.job.flow
        if flow.ingest.land == "raw":
            return flow  # each commit may bring columns of its own
        try:
            if flow.contract is None:
                flow = self._pinned(flow)
            elif self.fresh:
                flow = self._taking(flow)
            assert flow.contract is not None
            tables.prepare(self.session, flow.table, flow.columns(flow.contract), self.choice.rebuild)
            child_tables.prepare(self.session, flow.table, flow.children, self.choice.rebuild)
        except Exception as error:
            if self.job.store.is_conflict(error):
                return None
            raise
        return flow

    def _pinned(self, flow: Flow) -> Flow:
        """A two-line ingest: its types are those that the whole first load fits, kept in the books."""
        known = pin.pinned(self.session, flow.table)
        files = [reading for reading in self.choice.readings if reading.partition.name]
        if known is None and not files:
            raise _no_types(flow)
        if known is None or (self.choice.rebuild and files):
            seen = [piece for reading in files for piece in self._whole(reading)]
            if not any(piece.columns for piece in seen):
                raise _no_types(flow)
            # The careful form of a batch may know of more columns.
            seen = [pin.readable(self.session.engine, one) if one.sparse else one for one in seen]
            names = names_of(seen)
            known = pin.infer(self.session.engine, [filled(one, names) for one in seen], flow.ingest.source.options)
            self.pin = pin.body(known)
            made = replace(flow, contract=typed(flow, known))
            if grows(flow):
                made, self.pin = learn(self.session, made, seen)
            return made
        return replace(flow, contract=typed(flow, known))

    def _taking(self, flow: Flow) -> Flow:
        """The flow of a table that is made of these files, with what they bring; what others brought before is
        forgotten."""
        made, body = flow, "[]"
        if grows(flow):
            made, body = learn(self.session, flow, self._pieces())
        if made.optional or (self.choice.rebuild and pin.brought(self.session, flow.table)):
            self.pin = body
        return made

    def _grow(self, flow: Flow) -> None:
        """Lets table and contract take in what the files of this load bring, as a commit of its own."""
        made, body = learn(self.session, flow, self._pieces())
        self.grown = follow(self.session, made, self.attempt, self.job.author, body)

    def _pieces(self) -> list[Batch]:
        """All that is left of what this load reads."""
        files = [one for one in self.choice.readings if one.partition.name and not one.skip]
        return [piece for reading in files for piece in self._whole(reading)]

    def _whole(self, reading: Reading) -> tuple[Batch, ...]:
        """All that is left of the partition; kept for the load where the source may give something else next time."""
        batch = self._reader(reading).read(WHOLE, WHOLE)
        if self.job.flow.source.replay == "moving":
            self.taken[reading.partition.name] = batch
        return batch.pieces if batch else ()

    def _groups(self, whole: bool) -> Iterator[list[tuple[Reading, Batch, Seat | None]]]:
        """Batches to commit together: at most one of each partition, until the slice is full."""
        limits = Slices(WHOLE, WHOLE) if whole else self.job.slices
        group: list[tuple[Reading, Batch, Seat | None]] = []
        ended: list[Reader] = []
        rows = size = 0
        for reading in self.choice.readings:
            reader, seat, first = self._reader(reading), reading.seat, True
            most = Slices(WHOLE, WHOLE) if reading.skip else limits
            while True:
                try:
                    batch = reader.read(most.rows, most.size)
                except HeadgateError:
                    if group and not whole:  # what was read before does not depend on what can't be read
                        yield group
                    raise
                if batch is None:
                    break
                if batch.uncovered and self.job.flow.appends:
                    raise no_position(self.job.flow, batch)
                if reading.skip:
                    batch = replace(batch, end={**batch.end, TWIN_OF: reading.partition.twin_of})
                if not first:
                    yield group
                    group, rows, size = [], 0, 0
                    close_all(ended)
                group.append((reading, batch, seat))
                rows, size, first = rows + batch.total, size + reading.partition.size, False
                seat = Seat(reading.generation, seq_after(seat, reading.generation), batch.end)
                if rows >= limits.rows or size >= limits.size or self.job.flow.snapshots:
                    yield group
                    group, rows, size, first = [], 0, 0, True
                    close_all(ended)
            ended.append(reader)
        if group:
            yield group

    def _reader(self, reading: Reading) -> Reader:
        if not reading.partition.name:
            return no_file()
        if reading.partition.name in self.taken:
            return Once(self.taken.pop(reading.partition.name))
        goes_on = reading.seat if reading.seat and reading.seat.generation == reading.generation else None
        reader = self.job.flow.source.open(
            self.session.engine, reading.partition, goes_on.position if goes_on else None
        )
        self.stack.callback(reader.close)
        self.readers = [reader]
        return reader

    def _commit(self, flow: Flow, group: list[tuple[Reading, Batch, Seat | None]]) -> Committed | Lost | Stopped:
        if flow.ingest.land != "raw":
            return self._judge(flow, group)
        read = [batch for reading, batch, _ in group if reads_records(reading)]
        with landing.landed(self.session, flow, read, f"hg_{self.attempt}_{self.number}") as (columns, batches):
            seen = iter(batches)
            group = [(one, next(seen) if reads_records(one) else batch, seat) for one, batch, seat in group]
            try:
                flow, changed = landing.opened(
                    self.session, flow, columns, self.choice.rebuild, self.attempt, self.job.author
                )
            except Exception as error:
                if self.job.store.is_conflict(error):
                    return Lost()
                raise
            self.evolved += [changed] if changed else []
            return self._judge(flow, group)

    def _judge(self, flow: Flow, group: list[tuple[Reading, Batch, Seat | None]]) -> Committed | Lost | Stopped:
        gate = Gate(
            self.session, self._rules(flow, group), self._target(flow, group), f"hg_{self.attempt}_{self.number}"
        )
        self.number += 1
        with tidied(gate.close), blaming(gate.scan, flow.name, flow.ingest.places):
            parts = [self._part(gate, number, *item) for number, item in enumerate(group)]
            gate.decide()
            gone = all(reading.partition.status == "gone" for reading, _, _ in group)
            outcome = self._write(flow, gate, tuple(parts), gone)
        if not isinstance(outcome, Lost):
            for name, rows in gate.scan.absent.items():
                self.absent[name] = self.absent.get(name, 0) + rows
        return outcome

    def _part(self, gate: Gate, number: int, reading: Reading, batch: Batch, seat: Seat | None) -> Part:
        if not reads_records(reading):
            gate.skip(number, batch, reading.skip)
        else:
            batch = self._judged(gate, number, batch)
        goes_on = seat is not None and seat.generation == reading.generation
        if self.job.flow.snapshots and not goes_on and reads_records(reading):
            gate.snapshot = reading.partition.name
        start = seat.position if seat and goes_on else {}
        self.job.pace.read(reading, batch)
        return Part(
            number, reading.partition.name, seat, reading.generation, start, batch.end, batch.total,
            reload=reading.reload and not goes_on, facts=batch.facts,
        )  # fmt: skip

    def _judged(self, gate: Gate, number: int, batch: Batch) -> Batch:
        """Adds every piece of the batch; the batch as it was really read."""
        contract = gate.rules.contract
        names = [name for name in contract.sources if name != RECORD]
        names = [] if contract.model else names  # a model tells them apart
        first, *rest = (gate.add(number, filled(piece, names)) for piece in batch.pieces)
        return replace(first, also=tuple(rest))

    def _rules(self, flow: Flow, group: list[tuple[Reading, Batch, Seat | None]]) -> Rules:
        assert flow.contract is not None
        pieces = [piece for reading, batch, _ in group if not reading.skip for piece in batch.pieces]
        spec, options = flow.ingest.load, flow.ingest.source.options
        return Rules(
            flow.table,
            flow.contract,
            flow.disposition,
            spec.keys,
            spec.order_by,
            spec.duplicates == "refuse",
            spec.history,
            str(options.get("timezone") or "UTC"),
            extra=flow.ingest.extra in ("ignore", "quarantine"),
            lenient=flow.ingest.missing == "null",
            unknown=refused_columns(flow, [piece.columns for piece in pieces]),
            gone=flow.gone,
            previous=spec.previous,
            horizon=spec.horizon,
            kind=flow.kind,
            refuses_extra=flow.ingest.extra == "quarantine",
            optional=flow.optional,
        )

    def _target(self, flow: Flow, group: list[tuple[Reading, Batch, Seat | None]]) -> str | None:
        """The rows that set rules see: the table as it will be without what this commit replaces."""
        if self.choice.anew:
            return None
        reloads = [reading.partition.name for reading, _, seat in group if reading.reload and seat == reading.seat]
        return standing_rows(flow.table, [] if flow.disposition in IDENTIFIED else reloads)

    def _write(self, flow: Flow, gate: Gate, parts: tuple[Part, ...], gone: bool) -> Committed | Lost | Stopped:
        assert flow.contract is not None
        spec = flow.ingest.load
        work = Commit(
            flow.table,
            self.attempt,
            "load",
            parts,
            tuple(flow.columns(flow.contract)),
            gate,
            flow.contract.digest(),
            self.job.author,
            flow.disposition,
            spec.keys,
            self.choice.anew,
            flow.limit,
            (self.choice.anew or flow.snapshots) and not spec.allow_empty and not gone,
            self.pin,
            lookups_of(flow.contract, spec.keys),
            facts=self.job.facts,
            history=spec.history,
            children=family(flow.contract),
        )
        outcome = try_commit(self.job.store, self.session, work)
        if isinstance(outcome, Committed):
            self.pin = ""
        return outcome


def _no_types(flow: Flow) -> ContractError:
    return ContractError(
        Finding(
            "no-types",
            "error",
            f"{flow.name} has no columns in its ingest file and no file to take them from",
            str(flow.ingest.where or flow.name),
            "put a file in place, or write columns: into the ingest file",
        )
    )
