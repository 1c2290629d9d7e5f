"""Adopts a table that somebody else made: its rows are judged by its contract where they stand, and it gets books."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

from headgate.books import adopt as books
from headgate.books.adopt import ADOPTED, Adoption, Judgement, unfit
from headgate.books.evolve import Edit, Evolution
from headgate.books.history import HASH_COLUMN, History
from headgate.books.ledger import Counts, Entry
from headgate.books.quarantine import Refused
from headgate.books.work import IDENTIFIED, Part
from headgate.contracts.model import Contract, ContractColumn
from headgate.core.clock import new_id
from headgate.core.errors import ContractError, Finding, tidied
from headgate.core.protocols import Store, StoreSession, Takeover
from headgate.core.records import dataclass
from headgate.core.values import Batch, SourceColumn
from headgate.gate import pin
from headgate.gate.blame import blaming, said
from headgate.gate.history import hashed
from headgate.gate.judge import Gate, Rules
from headgate.run.commits import TRIES, contested, lookups_of
from headgate.run.flow import Flow, refuse_broken, typed
from headgate.run.readings import WHOLE
from headgate.run.split import referable
from headgate.run.versions import Versions
from headgate.sql import quote
from headgate.types.codec import encode_row
from headgate.types.inferred import of_physical

SourceWord = Literal["seen", "new"]
_DELETES = ("upsert", "partition", "replace", "scd2")


@dataclass(frozen=True)
class Wanted:
    """How a table is to be adopted. `source`: what of it is there now counts as read (seen), or waits for the next run
    (new); None where nothing was said. `trial`: all of it is done, told and undone."""

    author: str
    source: SourceWord | None = None
    quarantine: bool = False
    trial: bool = False


def adopt(store: Store, flow: Flow, wanted: Wanted) -> tuple[Entry, ...]:
    """The entries of the adopted table; under `trial` those that it would have.

    *Errors*: ContractError `adopt-source` where it must be said whether the source's rows are in the table already;
    those of `books.adopt.adopt`; CommitError `commit-contested`.
    """
    _must_be_adoptable(flow)
    for _ in range(TRIES):
        attempt = new_id()
        with store.lock(flow.table), store.session() as session:
            try:
                return _tried(session, flow, wanted, attempt)
            except Exception as error:
                if not store.is_conflict(error):
                    raise
    raise contested(flow.name)


def _tried(session: StoreSession, flow: Flow, wanted: Wanted, attempt: str) -> tuple[Entry, ...]:
    books.must_be_new(session, flow.table)
    known = None if flow.contract is not None else _taken(session, flow)
    made = replace(flow, contract=typed(flow, known)) if known is not None else flow
    contract = made.contract
    assert contract is not None
    refuse_broken(made)
    referable(session, contract, flow.table)
    rows = _Rows(session, made, f"hg_{attempt}")
    work = Adoption(
        flow.table,
        _edit(made, contract, attempt, wanted.author),
        rows.gate,
        _parts(session, made, wanted.source),
        wanted.quarantine,
        flow.ingest.load.kind in _DELETES or flow.ingest.on_change == "reload",
        lookups_of(contract, flow.ingest.load.keys),
        pin.body(known) if known is not None else "",
        wanted.trial,
        flow.ingest.load.history is not None,
    )
    with tidied(rows.close), rows.blamed():
        return books.adopt(session, work)


def _must_be_adoptable(flow: Flow) -> None:
    """Raises CommitError `adopt-unfit` for what no table can be adopted into."""
    fix = f"load it into another table, or rename the old one and run: headgate run {flow.name}"
    if flow.children:
        names = ", ".join(kin.child.table for kin in flow.children)
        why = f"its contract has child tables ({names}), and of rows that stand nobody can tell which lines were theirs"
        raise unfit(flow.table, why, f"take children: out, or the list as a json column; or {fix}")
    if flow.contract is not None and flow.contract.model is not None:
        raise unfit(flow.table, "a Pydantic model judges records as they come, not rows that stand", fix)
    if flow.gone is not None:
        raise unfit(flow.table, "nobody can tell of another's rows which were deleted (keep_deleted)", fix)
    if flow.ingest.load.previous:
        raise unfit(flow.table, "nobody can tell of another's rows what they said before (previous)", fix)
    sources = [column.source.lower() for column in flow.contract.columns] if flow.contract is not None else []
    twice = [name for name in sources if sources.count(name) > 1]
    if twice:
        why = f"two columns of its contract are fed from {twice[0]!r}, and its rows can't have two values for it"
        raise unfit(flow.table, why, fix)


def _edit(flow: Flow, contract: Contract, attempt: str, author: str) -> Edit:
    history = flow.ingest.load.history
    return Edit(contract, flow.ingest.evolution, attempt, author, history.beside if history is not None else ())


def _taken(session: StoreSession, flow: Flow) -> Contract:
    """The types of a two-line ingest: those of the table itself."""
    history = flow.ingest.load.history
    beside = history.beside if history is not None else ()
    found = [one for one in session.columns(flow.table) or [] if one[0] not in beside]
    kinds = [(name, of_physical(session.engine_type(kind))) for name, kind in found]
    return Contract(tuple(ContractColumn(name, kind, name) for name, kind in kinds))


def _parts(session: StoreSession, flow: Flow, word: SourceWord | None) -> tuple[Part, ...]:
    """What of the source counts as read: each partition to its end, every record skipped."""
    there = [part for part in flow.source.partitions({}) if part.name]
    if word is None and there and flow.ingest.load.kind == "append":
        many = f"1 {flow.source.unit}" if len(there) == 1 else f"{len(there)} {flow.source.unit}s"
        what = f"the source of {flow.name} has {many}, and nothing says whether their rows are in the table already"
        fix = "say --source seen if they are (a run begins with what comes after), --source new if a run is to add them"
        raise ContractError(Finding("adopt-source", "error", what, flow.name, fix, {"partitions": len(there)}))
    parts: list[Part] = []
    for partition in there if word == "seen" else ():
        reader = flow.source.open(session.engine, partition, None)
        try:
            batch = reader.read(WHOLE, WHOLE)
        finally:
            reader.close()
        if batch is not None:
            end = {**batch.end, ADOPTED: True}
            parts.append(Part(len(parts) + 1, partition.name, None, 1, {}, end, batch.total))
    return tuple(parts)


def _as_it_stands(contract: Contract) -> Contract:
    """The contract as it judges rows that stand in a table: without what it says of loads, and of texts in files."""
    return replace(
        contract,
        columns=tuple(replace(column, form=None) for column in contract.columns),
        rows=tuple(replace(rule, mostly=None) for rule in contract.rows),
        uniques=tuple(replace(rule, mostly=None) for rule in contract.uniques),
        references=tuple(replace(rule, mostly=None, nulls=False) for rule in contract.references),
        skips=(),
        batches=(),
    )


class _Rows:
    """The rows of the table on their way through the gate. `close` drops what was made on the way."""

    def __init__(self, session: StoreSession, flow: Flow, prefix: str) -> None:
        self._session, self._flow, self._prefix = session, flow, prefix
        self._gate: Gate | None = None
        self._taken = self._digests = ""

    def gate(self, takeover: Takeover, found: Evolution, rows: int) -> Judgement:
        """Judges by all that no table has a say in; the rest is judged by what it gives."""
        flow, contract = self._flow, self._flow.contract
        assert contract is not None
        old = {change.column: change.before for change in found.changes if change.case == "renamed"}
        spec = flow.ingest.load
        versions = spec.history is not None
        rules = Rules(
            flow.table,
            _as_it_stands(contract),
            "append" if versions else flow.disposition,
            spec.keys,
            spec.order_by,
            flow.disposition in IDENTIFIED and not versions,
            extra=True,
            lenient=True,
            kind=flow.ingest.source.kind,
            horizon=spec.horizon,
        )
        self._gate = Gate(self._session, rules, None, self._prefix)
        with blaming(self._gate.scan, flow.name, flow.ingest.places):
            self._gate.add(0, self._batch(takeover, contract, old, rows))
            self._gate.decide()
        return self

    def judge(self, session: StoreSession) -> Mapping[int, Counts]:
        assert self._gate is not None
        counts, history = self._gate.judge(session), self._flow.ingest.load.history
        if history is not None and not sum(one.quarantined for one in counts.values()):
            self._digests = self._versions(self._gate, history)
        return counts

    def refused(self, session: StoreSession) -> Refused:
        assert self._gate is not None
        return self._gate.refused(session)

    def digests(self) -> str:
        return self._digests

    def _versions(self, gate: Gate, history: History) -> str:
        """Looks at the rows as versions; a SELECT of the digest of each."""
        contract, spec = gate.rules.contract, self._flow.ingest.load
        own = {column.name for column in contract.columns}
        beside = [one for one in self._flow.columns(contract) if one[0] not in (*own, HASH_COLUMN)]
        versions = Versions(self._flow.table, contract, history, spec.keys, spec.order_by, tuple(beside))
        versions.must_have_columns(self._session)
        judged = f"SELECT _hg_id + 1 AS _hg_row, * FROM ({gate.scan.sql}) AS scan"
        versions.must_be_a_history(self._session, judged, f"SELECT * FROM {self._taken}")
        digest = hashed(contract, history, spec.keys, spec.order_by)
        made = gate.scan.temp.keep("digests", f"SELECT _hg_row, {digest} AS {HASH_COLUMN} FROM ({judged}) AS judged")
        return f"SELECT * FROM {made}"

    def _batch(self, takeover: Takeover, contract: Contract, old: Mapping[str, str], rows: int) -> Batch:
        """The rows as records of the source: under the names that its columns have there."""
        engine = self._session.engine
        there = {name for name, _ in self._session.columns(self._flow.table) or []}
        fed = [(old.get(one.name, one.name), one.source) for one in contract.columns]
        listed = [f"t.{quote.ident(name)} AS {quote.ident(source)}" for name, source in fed if name in there]
        taken = self._taken = self._session.take(takeover.rows(), f"{self._prefix}_standing")
        relation = f"SELECT t._hg_row, {', '.join(listed)} FROM {taken} AS t"
        shape = [SourceColumn(row[0], row[1]) for row in engine.execute(f"DESCRIBE {relation}")][1:]

        def originals(numbers: Sequence[int] | str) -> str:
            chosen = numbers if isinstance(numbers, str) else ", ".join(map(str, numbers)) or "NULL"
            return f"""SELECT _hg_row, NULL::BIGINT AS line, NULL::VARCHAR AS raw, {encode_row(shape, "r")} AS "row"
                       FROM ({relation}) AS r WHERE _hg_row IN ({chosen})"""

        return Batch("", relation, tuple(shape), rows, {}, {}, True, originals)

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """A condition that can't be evaluated for a row is the contract's mistake. Where the engine is the store, the
        error ends the transaction, and which condition it was can't be tried any more."""
        try:
            yield
        except Exception as error:
            trouble = self._session.trouble(error)
            if trouble is None or trouble.kind != "value":
                raise
            what = f"a condition can't be evaluated for some row of {self._flow.name}: {said(error)}"
            fix = "write conditions that give true, false or NULL for every row: try_cast(x as int)"
            raise ContractError(Finding("rule-failed", "error", what, self._flow.name, fix)) from error

    def close(self) -> None:
        if self._gate is not None:
            self._gate.close()
        engine: object = self._session.engine
        if engine is not self._session:
            self._session.engine.execute(f"DROP TABLE IF EXISTS {self._prefix}_standing")
