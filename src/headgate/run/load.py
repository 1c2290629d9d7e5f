"""Loads one table: reads what is new, has it judged, commits, and begins again where another runner was first."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from headgate.books import child_tables, ledger
from headgate.books.work import Lost, Stopped
from headgate.core.clock import new_id
from headgate.core.errors import Finding
from headgate.core.protocols import StoreSession
from headgate.run.commits import TRIES, contested
from headgate.run.evolve import due, follow
from headgate.run.flow import Flow, choose, refuse_broken, twins, unclear_snapshots
from headgate.run.job import Job, Loaded
from headgate.run.learned import as_known


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
    flow = job.flow
    if flow.bronze is not None:
        from headgate.run.bronze import bound

        flow = bound(flow, session)
    seats = ledger.seats(session, flow.name)
    state = ledger.table_state(session, flow.table)
    choice = choose(flow, seats, state, refresh)
    fresh = choice.anew or state is None or not state.version
    flow = as_known(session, flow, fresh)
    job = replace(job, flow=flow)
    if flow.contract and due(session, flow, flow.contract, state):
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
    from headgate.run.loader import Loader  # with the gate, which a run with nothing to read does without

    job.pace.begun(choice.readings)
    with ExitStack() as stack:
        loader = Loader(job, session, attempt, choice, stack, fresh)
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


def _absent(flow: Flow, name: str, rows: int) -> Finding:
    return Finding(
        "column-absent",
        "warning",
        f"{name} is not in the source of {rows:,} records: it is NULL in them",
        flow.name,
        "",
        {"column": name, "records": rows},
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
