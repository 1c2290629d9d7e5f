"""Loads one table: reads what is new, has it judged, commits, and begins again where another runner was first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from headgate.books import child_tables, ledger, tables
from headgate.books.commit import commit
from headgate.books.ledger import Counts, Seat
from headgate.books.work import IDENTIFIED, Commit, Committed, Lost, Part, Stopped
from headgate.contracts.children import family
from headgate.contracts.model import Contract
from headgate.core.clock import new_id
from headgate.core.errors import CommitError, ContractError, Finding, HeadgateError, tidied
from headgate.core.faults import fault
from headgate.core.protocols import Reader, Store, StoreSession
from headgate.core.values import Batch, SourceColumn, TableRef
from headgate.gate import pin
from headgate.gate.blame import blaming
from headgate.gate.judge import Gate, Rules
from headgate.gate.scan import RECORD, unknown_columns
from headgate.run import bronze, landing
from headgate.run.deadletter import TRANSIENT, cut_off, keep
from headgate.run.evolve import follow
from headgate.run.flow import (
    TWIN_OF,
    Choice,
    Flow,
    Reading,
    choose,
    refuse_broken,
    twins,
    typed,
    unclear_snapshots,
)
from headgate.run.learned import as_known, grows, is_brought, learn
from headgate.run.pace import Pace
from headgate.run.sparse import filled, names_of
from headgate.sql import quote

TRIES = 8
WHOLE = 1 << 62
PRINTED = ("reasons", "skips", "deduplicated", "warnings", "nulled", "breaches", "children")


@dataclass(frozen=True)
class Slices:
    """How much a visible load commits at once."""

    rows: int = 4_000_000
    size: int = 1 << 30


DEFAULT_SLICES = Slices()


@dataclass
class Loaded:
    """What a load did. `status`: ok | skipped | refused. `evolved`: how the table followed its contract first."""

    status: str
    reason: str
    counts: Counts = field(default_factory=Counts)
    findings: list[Finding] = field(default_factory=list)
    evolved: str = ""
    begun: bool = False
    """Whether something was committed."""

    def ended(self) -> Loaded:
        """The same, with what became of the table's columns in its reason."""
        if self.evolved:
            self.reason = f"{self.evolved}; {self.reason}" if self.status != "skipped" else self.evolved
            self.status = "ok" if self.status == "skipped" else self.status
        return self


@dataclass(frozen=True)
class Job:
    """A load with all that it needs. `progress` is told how many records are committed."""

    store: Store
    flow: Flow
    author: str
    full_refresh: bool = False
    slices: Slices = DEFAULT_SLICES
    progress: Callable[[int], None] = lambda rows: None
    last: bool = True
    """Whether nobody tries again where an error that may pass ends it."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What every entry says besides."""
    pace: Pace = field(default_factory=Pace)
    """Hears of what was read, long before it is committed."""


def load(job: Job, done: Loaded | None = None) -> Loaded:
    """Loads the flow's table until nothing is left to read.

    `done`: what an earlier attempt did before an error ended it; it is added to, also where this one raises.

    *Guarantee*: what is committed is whole and in the books; killed anywhere, the next run goes on from there.
    *Errors*: ContractError, AdapterError, CommitError; nothing of the slice at hand is kept then.
    """
    attempt, done = new_id(), Loaded("skipped", "nothing new") if done is None else done
    refresh = job.full_refresh and not done.begun
    for _ in range(TRIES):
        with job.store.lock(job.flow.table), job.store.session() as session:
            finished, refresh = _tried(job, session, attempt, done, refresh)
        if finished:
            return done.ended()
    raise contested(job.flow.name)


def contested(table: str) -> CommitError:
    """Every try found that another runner had been first."""
    return CommitError(
        Finding(
            "commit-contested",
            "error",
            f"{TRIES} times another runner committed {table} first",
            table,
            "let one run end before the next begins",
        )
    )


def _tried(job: Job, session: StoreSession, attempt: str, done: Loaded, refresh: bool) -> tuple[bool, bool]:
    """One try; one that a conflict or a broken connection ended is begun again from what is committed by then."""
    try:
        return _once(job, session, attempt, done, refresh)
    except Exception as error:
        if not job.store.is_conflict(error):
            raise
        return False, refresh and done.status == "skipped"


def _once(job: Job, session: StoreSession, attempt: str, done: Loaded, refresh: bool) -> tuple[bool, bool]:
    """One try from the positions as they are now; (True, _) when there is nothing left to do."""
    flow = bronze.bound(job.flow, session)
    seats = ledger.seats(session, flow.name)
    state = ledger.table_state(session, flow.table)
    choice = choose(flow, seats, state, refresh)
    fresh = choice.anew or state is None or not state.version
    flow = as_known(session, flow, fresh)
    job = replace(job, flow=flow)
    if flow.contract and (state is None or state.contract != flow.contract.digest()):
        refuse_broken(flow)
        if state and state.version and not choice.rebuild:
            child_tables.expected(session, flow.table, flow.children)
            done.evolved = follow(session, flow, attempt, job.author) or done.evolved
    elif flow.ingest.load.deleted_if:  # which the digest does not cover
        refuse_broken(flow)
    if not choice.readings:
        if done.status == "skipped":
            done.reason = choice.reason
            done.findings += [] if state and state.version else [_nothing_to_read(flow)]
        return True, refresh
    if done.status == "skipped":
        done.reason = choice.reason
        done.findings += twins(choice.readings)
    job.pace.begun(choice.readings)
    with ExitStack() as stack:
        loader = _Loader(job, session, attempt, choice, stack, fresh)
        for outcome, counts in loader.commits_or_letters(done):
            done.evolved = "; ".join(filter(None, (done.evolved, loader.grown)))
            if isinstance(outcome, Lost):
                return False, refresh
            done.counts += counts
            done.evolved = "; ".join(loader.evolved) or done.evolved
            done.status = "ok"
            refresh, done.begun = False, True
            if isinstance(outcome, Stopped):
                done.status = "refused"
                done.findings.append(outcome.finding)
                return True, refresh
            done.findings += unclear_snapshots(flow, outcome.entries)
            job.progress(done.counts.read)
            if choice.anew and flow.snapshots:
                return False, refresh  # the others come after it, each a commit of its own
        done.findings += [_absent(flow, name, rows) for name, rows in loader.absent.items()]
    if done.status == "skipped" and not done.begun:  # whatever was asked for more has no more
        done.reason = "nothing new"
    return True, refresh


@dataclass
class _Loader:
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
                    raise _no_position(self.job.flow, batch)
                if reading.skip:
                    batch = replace(batch, end={**batch.end, TWIN_OF: reading.partition.twin_of})
                if not first:
                    yield group
                    group, rows, size = [], 0, 0
                    _close(ended)
                group.append((reading, batch, seat))
                rows, size, first = rows + batch.total, size + reading.partition.size, False
                seat = Seat(reading.generation, seq_after(seat, reading.generation), batch.end)
                if rows >= limits.rows or size >= limits.size or self.job.flow.snapshots:
                    yield group
                    group, rows, size, first = [], 0, 0, True
                    _close(ended)
            ended.append(reader)
        if group:
            yield group

    def _reader(self, reading: Reading) -> Reader:
        if not reading.partition.name:
            return _no_file()
        if reading.partition.name in self.taken:
            return _Once(self.taken.pop(reading.partition.name))
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


def reads_records(reading: Reading) -> bool:
    """Whether the records of the partition are judged, if it has any at all."""
    return not (reading.skip or not reading.partition.name or reading.partition.status == "gone")


def refused_columns(flow: Flow, shapes: Iterable[Sequence[SourceColumn]], former: bool = False) -> tuple[str, ...]:
    """Under `extra: quarantine`, the columns in which no record may have a value; letter case does not count."""
    if flow.ingest.extra != "quarantine" or flow.contract is None:
        return ()
    found: dict[str, str] = {}
    for columns in shapes:
        for name in unknown_columns(flow.contract, columns, former):
            found.setdefault(name.lower(), name)
    return tuple(found.values())


def _absent(flow: Flow, name: str, rows: int) -> Finding:
    return Finding(
        "column-absent",
        "warning",
        f"{name} is not in the source of {rows:,} records: it is NULL in them",
        flow.name,
        "",
        {"column": name, "records": rows},
    )


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


def _nothing_to_read(flow: Flow) -> Finding:
    where = str(flow.ingest.source.places.get("path") or flow.ingest.source.where)
    return Finding(
        "nothing-to-read",
        "warning",
        f"{flow.name} was never loaded, and its source has no {flow.source.unit}",
        where,
        "see that the source is right: headgate check",
    )


def _no_position(flow: Flow, batch: Batch) -> ContractError:
    return ContractError(
        Finding(
            "no-position",
            "error",
            f"{batch.uncovered} records lie behind the last position that the source gave; nothing of them was loaded, "
            "for under load: append every run would load them again",
            str(flow.ingest.source.where),
            "yield (rows, position), say load: {upsert: key} or replace, or give partitions:",
            {"records": batch.uncovered},
        )
    )


def _close(readers: list[Reader]) -> None:
    """Closes readers all of whose batches are committed."""
    for reader in readers:
        reader.close()
    readers.clear()


@dataclass
class _Once:
    """A reader of what was read already; its batch is another's to close."""

    batch: Batch | None

    def read(self, max_rows: int, max_bytes: int) -> Batch | None:
        batch, self.batch = self.batch, None
        return batch

    def close(self) -> None:
        return None


def _no_file() -> Reader:
    """What is read where a rebuilt table has no file at all: nothing, once."""
    return _Once(Batch("", "", (), 0, {}, {}, rescan=True, originals=lambda rows: ""))


def try_commit(store: Store, session: StoreSession, work: Commit) -> Committed | Lost | Stopped:
    """The commit; a conflict with another transaction counts as lost, to be tried again from fresh positions."""
    try:
        return commit(session, work)
    except Exception as error:
        if store.is_conflict(error):
            fault("before_ack")
            return Lost()
        raise


def standing_rows(table: TableRef, reloaded: list[str]) -> str:
    """The table's rows but those of partitions that are being reloaded."""
    if not reloaded:
        return f"SELECT * FROM {quote.table(table)}"
    names = ", ".join(quote.literal(name) for name in reloaded)
    return f"""SELECT * FROM {quote.table(table)} WHERE _hg_load NOT IN (SELECT id FROM _headgate.entry
               WHERE table_name = {quote.literal(str(table))} AND stream = 'data' AND partition IN ({names}))"""


def lookups_of(contract: Contract, keys: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The columns by which set rules find rows of the table."""
    found = [keys] if keys else []
    return tuple(dict.fromkeys([*found, *(unique.columns for unique in contract.uniques)]))


def seq_after(seat: Seat | None, generation: int) -> int:
    return seat.seq + 1 if seat and seat.generation == generation else 1


def counts_of(entry: ledger.Entry) -> Counts:
    """The counts of an entry, as printed: numbers that users see come from entries only."""
    facts = {key: value for key, value in entry.facts.items() if key in PRINTED}
    return Counts(
        entry.rows_read,
        entry.rows_loaded,
        entry.rows_quarantined,
        entry.rows_deduplicated,
        entry.rows_skipped,
        entry.rows_inserted,
        entry.rows_updated,
        facts,
    )
