"""Replay: quarantined records go through the gate again, by the contract as it stands now, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from headgate.books import child_tables, ledger, tables
from headgate.books.ledger import Counts, Seat
from headgate.books.work import Commit, Committed, Lost, Outcome, Part
from headgate.contracts.children import family
from headgate.contracts.model import Contract
from headgate.core.clock import new_id
from headgate.core.errors import CommitError, Finding, tidied
from headgate.core.protocols import Session, Store, StoreSession
from headgate.core.records import dataclass
from headgate.core.values import Batch, SourceColumn
from headgate.gate.blame import blaming
from headgate.gate.judge import Gate, Rules
from headgate.gate.scan import RECORD
from headgate.run import landing
from headgate.run.commits import TRIES, counts_of, lookups_of, standing_rows, try_commit
from headgate.run.evolve import due, follow
from headgate.run.flow import Flow, refuse_broken, typed
from headgate.run.learned import as_known
from headgate.run.readings import refused_columns
from headgate.sql import quote
from headgate.types.codec import decode_column

ROW = 'q."row"'


@dataclass(frozen=True)
class _Group:
    """Open records of one partition that were read with the same columns."""

    partition: str
    shape: str
    rows: int
    malformed: int


def replay(store: Store, flow: Flow, ids: Sequence[int] | None, author: str) -> Counts | None:
    """Replays the table's open records (all, or those of `ids`); None where there are none.

    *Guarantee*: claimed, judged and committed together or not at all; a record refused again is a new record whose
    parent is the old one.
    """
    for _ in range(TRIES):
        with store.lock(flow.table), store.session() as session:
            outcome = _tried(store, session, flow, ids, author)
        if outcome is None:
            return None
        if isinstance(outcome, Committed):
            return sum((counts_of(entry) for entry in outcome.entries), Counts())
    raise CommitError(
        Finding(
            "commit-contested",
            "error",
            f"{TRIES} times another runner changed {flow.name} first",
            flow.name,
            "let one run end before the next begins",
        )
    )


def _tried(store: Store, session: StoreSession, flow: Flow, ids: Sequence[int] | None, author: str) -> Outcome | None:
    """One try; None where there is nothing to replay. A conflict or a broken connection before it counts as lost."""
    try:
        with tidied(lambda: _forget(session)):
            groups = _claim_list(session, flow.name, ids)
            return _commit(store, session, flow, groups, author) if groups else None
    except Exception as error:
        if not store.is_conflict(error):
            raise
        return Lost()


def _forget(session: StoreSession) -> None:
    for one in (session, session.engine):
        one.execute("DROP TABLE IF EXISTS hg_replay")
        one.execute("DROP TABLE IF EXISTS hg_records")


def _claim_list(session: Session, table: str, ids: Sequence[int] | None) -> list[_Group]:
    chosen = "" if ids is None else f" AND id IN ({', '.join(str(int(one)) for one in ids) or 'NULL'})"
    session.execute(
        f"""CREATE TEMP TABLE hg_replay AS SELECT id, partition, shape, revision, "row" IS NULL AS malformed
            FROM _headgate.quarantine WHERE table_name = {quote.literal(table)} AND status = 'open'{chosen}"""
    )
    rows = session.execute(
        """SELECT partition, min(shape), count(*), count(*) FILTER (WHERE malformed), count(DISTINCT shape)
           FROM hg_replay GROUP BY partition ORDER BY partition"""
    )
    if any(row[4] > 1 for row in rows):
        # A partition whose file changed its columns: one shape at a time, oldest first.
        session.execute(
            """DELETE FROM hg_replay WHERE id NOT IN (
                   SELECT r.id FROM hg_replay AS r
                   JOIN hg_replay AS o ON o.partition = r.partition AND o.shape = r.shape
                   WHERE o.id IN (SELECT min(id) FROM hg_replay GROUP BY partition))"""
        )
        return _groups(session)
    return [_Group(*row[:4]) for row in rows]


def _groups(session: Session) -> list[_Group]:
    rows = session.execute(
        """SELECT partition, min(shape), count(*), count(*) FILTER (WHERE malformed)
           FROM hg_replay GROUP BY partition ORDER BY partition"""
    )
    return [_Group(*row) for row in rows]


def _commit(store: Store, session: StoreSession, flow: Flow, groups: list[_Group], author: str) -> Outcome:
    flow = as_known(session, flow)
    contract, spec = _contract(session, flow), flow.ingest.load
    state = ledger.table_state(session, flow.table)
    if flow.contract and (due(session, flow, contract, state) or spec.deleted_if):
        refuse_broken(flow)
        if state and state.version:
            child_tables.expected(session, flow.table, family(contract))
            follow(session, flow, new_id(), author)
    records = session.take(
        """SELECT q.id, q.partition, q.record, q.line, q.reasons, q.raw, q."row", q.shape, q.origin, r.malformed
           FROM _headgate.quarantine AS q JOIN hg_replay AS r ON r.id = q.id""",
        "hg_records",
    )
    tables.prepare(session, flow.table, flow.columns(contract), rebuild=False)
    child_tables.prepare(session, flow.table, family(contract), rebuild=False)
    attempt = new_id()
    gate = _gate(session, flow, contract, records, attempt, [_columns(session, group.shape) for group in groups])
    seats = ledger.seats(session, flow.name)
    with tidied(gate.close), blaming(gate.scan, flow.name, flow.ingest.places):
        parts = []
        for number, group in enumerate(groups):
            gate.add(number, _batch(session, group, records))
            parts.append(_part(number, group, seats[group.partition], flow.ingest.land))
        gate.decide()
        work = Commit(
            flow.table,
            attempt,
            "replay",
            tuple(parts),
            tuple(flow.columns(contract)),
            gate,
            contract.digest(),
            author,
            flow.disposition,
            spec.keys,
            lookups=lookups_of(contract, spec.keys),
            history=spec.history,
            children=family(contract),
        )
        return try_commit(store, session, work)


def would(session: StoreSession, flow: Flow, records: str) -> Counts:
    """What a replay of the records would end in; nothing is changed.

    `records`: a relation of the engine, as `Rules.records` has them, with `partition` and `malformed`.
    """
    flow = as_known(session, flow)
    contract = _contract(session, flow)
    if flow.contract:
        refuse_broken(flow)
    tables.compare(session, flow.table, flow.columns(contract))
    rows = session.engine.execute(
        f"""SELECT q.partition, q.shape, count(*), count(*) FILTER (WHERE q.malformed) FROM {records} AS q
            GROUP BY 1, 2 ORDER BY 1, 2"""
    )
    gate = _gate(session, flow, contract, records, new_id(), [_columns(session, row[1]) for row in rows])
    with tidied(gate.close), blaming(gate.scan, flow.name, flow.ingest.places):
        for number, row in enumerate(rows):
            gate.add(number, _batch(session, _Group(*row), records))
        gate.decide()
        session.execute("BEGIN")
        try:
            found = sum(gate.judge(session).values(), Counts())
            return replace(found, loaded=found.read - found.quarantined - found.deduplicated - found.skipped)
        finally:
            session.abandon()


def _contract(session: StoreSession, flow: Flow) -> Contract:
    """The contract as it stands now; for a two-line ingest the one that its first load pinned."""
    known = flow.contract or landing.known(session, flow)
    assert known is not None
    return known if flow.contract is not None or flow.ingest.land == "raw" else typed(flow, known)


def _gate(
    session: StoreSession,
    flow: Flow,
    contract: Contract,
    records: str,
    attempt: str,
    shapes: Sequence[tuple[SourceColumn, ...]],
) -> Gate:
    """`shapes`: the columns with which the records were read."""
    spec = flow.ingest.load
    rules = Rules(
        flow.table,
        contract,
        flow.disposition,
        spec.keys,
        spec.order_by,
        spec.duplicates == "refuse",
        spec.history,
        str(flow.ingest.source.options.get("timezone") or "UTC"),
        records=records,
        extra=flow.ingest.extra in ("ignore", "quarantine"),
        unknown=refused_columns(flow, shapes, former=True),
        gone=flow.gone,
        previous=spec.previous,
        horizon=spec.horizon,
        kind=flow.kind,
        refuses_extra=flow.ingest.extra == "quarantine",
    )
    return Gate(session, rules, standing_rows(flow.table, []), f"hg_{attempt}")


def _part(number: int, group: _Group, seat: Seat, land: str) -> Part:
    # Of the revision that was judged: a fix in between makes the claim fail, and all is read again.
    claims = f"""SELECT r.id FROM hg_replay AS r JOIN _headgate.quarantine AS now
                 ON now.id = r.id AND now.revision = r.revision WHERE r.partition = {quote.literal(group.partition)}"""
    facts = {"shape": group.shape} if land else {}  # the columns that its rows came with, for those who read them
    return Part(
        number, group.partition, seat, seat.generation, seat.position, seat.position, group.rows,
        claims=claims, facts=facts,
    )  # fmt: skip


def _columns(session: Session, shape: str) -> tuple[SourceColumn, ...]:
    """The columns that the records were read with."""
    body = session.execute("SELECT columns FROM _headgate.shape WHERE id = ?", [shape])[0][0]
    return tuple(SourceColumn(name, physical) for name, physical in json.loads(body))


def _batch(session: Session, group: _Group, records: str) -> Batch:
    """The records of a group as the gate reads them: their numbers are the quarantine's ids."""
    columns = _columns(session, group.shape)
    values = ", ".join(f"{decode_column(ROW, column)} AS {quote.ident(column.name)}" for column in columns)
    same = f"q.partition = {quote.literal(group.partition)} AND q.shape = {quote.literal(group.shape)}"
    mine = f"{records} AS q WHERE {same}"
    numbers = f"q.id AS _hg_row, q.record AS {RECORD}"
    return Batch(
        group.partition,
        f"SELECT {numbers}, {values} FROM {mine} AND NOT q.malformed",
        columns,
        group.rows,
        {},
        {},
        rescan=True,
        first_record=0,
        originals=lambda numbers: f'SELECT q.id AS _hg_row, q.line, q.raw, q."row" FROM {mine}',
        malformed=group.malformed,
        malformed_relation=f"SELECT q.id AS _hg_row FROM {mine} AND q.malformed",
    )
