"""A model with a contract: its rows pass the gate one by one, and what it refuses is quarantined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Literal

from headgate.books import ledger, tables
from headgate.books.commit import carry_out
from headgate.books.ledger import Seat
from headgate.books.work import Commit, Committed, Lost, Part, Staged, Stopped
from headgate.contracts.model import Contract
from headgate.contracts.verify import verify
from headgate.core.errors import ContractError, Finding, nearest, tidied
from headgate.core.protocols import Engine, Reader, Session, StoreSession
from headgate.core.values import Batch, Partition, Position, SourceColumn, TableRef
from headgate.gate.blame import blaming, said
from headgate.gate.judge import Gate
from headgate.gate.scan import columns_of
from headgate.models.build import AS_NEEDED, How, inspect, stage_rows, staged_ref
from headgate.models.explain import select_problem
from headgate.models.failed import BuildFailed
from headgate.models.model import BuildOutcome, Model, ModelContract
from headgate.project.model import Ingest, SourceSpec
from headgate.run import joining
from headgate.run.commits import counts_of, lookups_of, standing_rows
from headgate.run.flow import Flow
from headgate.sql import quote
from headgate.types.codec import encode_row

ROW = "_hg_row"


class _Ended:
    """A reader behind its last row."""

    def read(self, max_rows: int, max_bytes: int) -> Batch | None:
        return None

    def close(self) -> None:
        return None


@dataclass
class BuiltRows:
    """The source of a model's table: its rows come from builds and replays, and nowhere else is there one to read."""

    replay: Literal["stable", "moving"] = "moving"
    unit: str = "build"
    typed: bool = False

    def partitions(self, known: Mapping[str, Position]) -> list[Partition]:
        return []

    def open(self, session: Engine, partition: Partition, at: Position | None) -> Reader:
        return _Ended()

    def check(self, session: Session, columns: Sequence[str]) -> list[Finding]:
        return []


def split_of(model: Model) -> ModelContract:
    """The contract of a model that has one."""
    assert model.split is not None
    return model.split


def flow_of(model: Model) -> Flow:
    """The model's table as replays and fixes see it: rows are added to what stands there."""
    split = split_of(model)
    spec = SourceSpec("model", {}, split.where)
    ingest = Ingest(model.target, spec, joining.load_of(model), split.contract, where=split.where, places=split.places)
    return Flow(ingest, BuiltRows(), split.contract)


@dataclass
class Split:
    """One build of a model with a contract: `prepare` judges its rows, `finish` publishes them.

    `facts`: what the entry says of the build. `stack` closes what was made on the way.
    """

    session: StoreSession
    model: Model
    attempt: str
    author: str
    facts: Mapping[str, object]
    stack: ExitStack
    prefix: str
    how: How = AS_NEEDED
    _work: Commit | None = None
    _onto: Seat | None = None
    """Where the build goes on, if it adds to rows that stand."""
    _warnings: list[Finding] = field(default_factory=list)

    @property
    def _contract(self) -> Contract:
        return split_of(self.model).contract

    def prepare(self, inside: bool = False) -> None:
        """Runs the model and judges its rows by all that no table has a say in. `inside` an open transaction or not.

        *Errors*: BuildFailed for the model's own mistakes; ContractError `model-contract`, `type-never-fits`,
        `rule-failed` and what `contracts.verify` finds; CommitError of a table that can't follow its contract.
        """
        split = split_of(self.model)
        broken = verify(split.contract, split.places)
        if broken:
            raise ContractError(*broken)
        seats, state = ledger.seats(self.session, str(self.model.target)), self._state()
        self._onto = joining.seat_of(self.session, self.model, self.how, seats)
        if self._onto is not None:
            joining.prepare(self.session, flow_of(self.model), self.author, self.attempt, inside)
        batch = self._batch()
        target = standing_rows(self.model.target, []) if self._onto is not None else None
        gate = Gate(self.session, joining.rules_of(self.model, split.contract), target, self.prefix)
        self.stack.enter_context(tidied(gate.close))
        self.stack.enter_context(blaming(gate.scan, self.model.name, split.places))
        try:
            batch = gate.add(0, batch)
            gate.decide()
        except Exception as error:
            raise self._told(error, inside) from error
        if self._onto is not None:
            self._work = self._commit(gate, batch, self._onto, self._onto.generation)
            return
        generations = [seat.generation for seat in seats.values()]
        generation = max([state.live_generation, *generations]) + (1 if seats or state.version else 0)
        self._work = self._commit(gate, batch, seats.get(self.model.name), generation)

    def _told(self, error: Exception, inside: bool) -> Exception:
        """An error within a transaction ends it: which condition it was can't be tried any more."""
        trouble = self.session.trouble(error)
        if not inside or trouble is None or trouble.kind != "value":
            return error
        what = f"a condition can't be evaluated for some row of model {self.model.name!r}: {said(error)}"
        fix = "write conditions that give true, false or NULL for every row: try_cast(x as int)"
        return ContractError.of("rule-failed", what, split_of(self.model).where, fix)

    def _state(self) -> ledger.TableState:
        return ledger.table_state(self.session, self.model.target) or ledger.TableState(0, 1, None)

    def _batch(self) -> Batch:
        """The model's rows in the engine, numbered from 1 in the order of their columns, from left to right."""
        problem = select_problem(self.session, self.model)
        if problem is not None:
            raise BuildFailed([problem])
        made, numbered = f"{self.prefix}_model", f"{self.prefix}_numbered"
        self._vanish(self.session, made)
        model = self.model if self._onto is None else joining.new_rows(self.model)
        records = stage_rows(self.session, model, made)
        taken = self.session.take(f"SELECT * FROM {made}", f"{self.prefix}_taken")
        self._vanish(self.session.engine, numbered, f"{self.prefix}_taken")
        engine = self.session.engine
        shape = tuple(SourceColumn(row[0], row[1]) for row in engine.execute(f"DESCRIBE SELECT * FROM {taken}"))
        self._refuse_other_columns([column.name for column in shape])
        by = quote.columns(column.name for column in shape)
        engine.execute(
            f"""CREATE TEMP TABLE {numbered} AS
                SELECT row_number() OVER (ORDER BY {by}) AS {ROW}, * FROM {taken} ORDER BY {ROW}"""
        )

        def originals(numbers: Sequence[int] | str) -> str:
            chosen = numbers if isinstance(numbers, str) else ", ".join(map(str, numbers)) or "NULL"
            return f"""SELECT {ROW}, NULL::BIGINT AS line, NULL::VARCHAR AS raw, {encode_row(shape, "r")} AS "row"
                       FROM {numbered} AS r WHERE {ROW} IN ({chosen})"""

        relation = f"SELECT {ROW}, {by} FROM {numbered}"
        place = str(self.model.path)
        return Batch(self.model.name, relation, shape, records, {}, {}, True, originals, location=place)

    def _vanish(self, session: Session, *names: str) -> None:
        def drop() -> None:
            for name in names:
                session.execute(f"DROP TABLE IF EXISTS {name}")

        self.stack.enter_context(tidied(drop))

    def _refuse_other_columns(self, found: Sequence[str]) -> None:
        """The contract names exactly the columns that the SELECT gives."""
        split, name = split_of(self.model), self.model.name
        have = {one.lower() for one in found}
        wanted = [column.source for column in split.contract.columns]
        for column in (one for one in split.contract.columns if one.source.lower() not in have):
            what = f"the contract of model {name!r} names column {column.source!r}, which its SELECT does not give"
            fix = "Give the column in the SELECT, or take it out of the contract"
            raise ContractError.of(
                "model-contract", what + nearest(column.source, found), column.where or split.where, fix
            )
        for one in (one for one in found if one.lower() not in {source.lower() for source in wanted}):
            what = f"model {name!r} gives column {one!r}, which its contract does not name{nearest(one, wanted)}"
            raise ContractError.of("model-contract", what, split.where, f"Add it to the contract: {one}: type")

    def _commit(self, gate: Gate, batch: Batch, seat: Seat | None, generation: int) -> Commit:
        position = seat.position if seat is not None and self._onto is not None else {}
        part = Part(0, self.model.name, seat, generation, position, position, batch.records)
        keys = joining.keys_of(self.model)
        code = {"code": self.model.incremental.code} if self.model.incremental is not None else {}
        return Commit(
            self.model.target,
            self.attempt,
            "build",
            (part,),
            tuple(columns_of(self._contract)),
            gate,
            self._contract.digest(),
            self.author,
            "upsert" if keys else "append",
            keys,
            replace=self._onto is None,
            limit=self._contract.refuse_at_most,
            lookups=lookups_of(self._contract, keys) if self._onto is not None else (),
            staged=Staged(staged_ref(self.model.target, self.attempt), self._inspect),
            facts={**self.facts, **code},
        )

    def _inspect(self, session: StoreSession, ref: TableRef) -> None:
        if self._onto is None:
            self._warnings += inspect(session, self.model, ref)
            return
        self._warnings += joining.last_code(ledger.last_build(session, self.model.target), self.model)
        self._warnings += joining.inspect(session, self.model, self._contract, ref)

    def finish(self) -> BuildOutcome | None:
        """Publishes the rows that passed, within the open transaction; None where another runner was first.

        `refused` where a limit stops it: then there is nothing in the transaction but the records that it holds.
        """
        assert self._work is not None
        session, target = self.session, self.model.target
        referable(session, self._contract, target)
        session.execute(f"CREATE SCHEMA IF NOT EXISTS {quote.ident(target.schema)}")
        if ledger.table_state(session, target) is None:
            tables.register(session, str(target))
        mended = self._mended() if self._onto is None else []
        outcome = carry_out(session, self._work)
        if isinstance(outcome, Lost):
            return None
        if isinstance(outcome, Stopped):
            return self._outcome("refused", [outcome.finding], outcome)
        return self._outcome("built", [*self.model.warnings, *self._warnings, *mended], outcome)

    def _outcome(self, status: str, findings: Iterable[Finding], done: Committed | Stopped) -> BuildOutcome:
        model = self.model
        counts = done.counts if isinstance(done, Stopped) else counts_of(done.entries[0])
        return BuildOutcome(
            model.name,
            model.target,
            model.materialized,
            self.attempt,
            model.fingerprint,
            "built" if status == "built" else "refused",
            rows=counts.loaded,
            findings=tuple(findings),
            counts=counts,
        )

    def _mended(self) -> list[Finding]:
        """What the build takes away: rows that a replay had published."""
        target = self.model.target
        last = ledger.last_build(self.session, target)
        rows = ledger.replayed_since(self.session, target, last.id) if last is not None else 0
        if not rows:
            return []
        which = "1 row" if rows == 1 else f"{rows:,} rows"
        what = f"{which} of {target} that a replay had published made room: a build takes all rows from its inputs"
        fix = "mend them where they come from: the inputs, or the model's SQL"
        return [Finding("replay-replaced", "warning", what, str(target), fix, {"rows": rows})]


def referable(session: StoreSession, contract: Contract, own: TableRef) -> None:
    """Every column that the contract refers to is there. Raises ContractError `unknown-column`."""
    for rule in contract.references:
        if rule.to_table == str(own):
            continue
        names = [name for name, _ in session.columns(TableRef.parse(rule.to_table)) or []]
        known = {name.lower() for name in names}
        if (missing := next((to for to in rule.to_columns if to.lower() not in known), None)) is not None:
            what = f"{rule.to_table} has no column {missing!r}{nearest(missing, names)}"
            raise ContractError.of("unknown-column", what, rule.where or own, "name one of its columns")
