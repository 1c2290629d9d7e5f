"""Several steps of a run at once: a step begins as soon as all that it needs has ended.

What they did is told in the order of the plan, whichever ended first. Commits of one table take turns, those of several
don't meet: the chain of entries is each table's own.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from headgate.core import clock
from headgate.core.values import TableRef
from headgate.models.model import Model
from headgate.run.flow import Flow
from headgate.run.outcome import Done
from headgate.run.pipeline import Unit
from headgate.run.standing import Standing
from headgate.run.steps import Before, Run
from headgate.run.tries import Way, timed
from headgate.run.watch import AGAIN_SECS, Watch
from headgate.sql import quote


def side_by_side(run: Run, units: Sequence[Unit], standing: Standing) -> Iterator[Done]:
    """Each step's outcome, in the order of the units; `run.threads` of them work at once.

    *Guarantee*: the same outcomes as one after the other. Where this is left early, by a signal or a defect, every step
    that still runs is interrupted, and has ended when this raises.
    """
    _make_schemas(run, units)
    crew = _Crew(_locked(run), units, standing)
    with ThreadPoolExecutor(run.threads, "step") as pool:
        try:
            for number in range(len(units)):
                while number not in crew.ended:
                    crew.go_on(pool)
                yield from crew.ended[number]
        except BaseException:
            crew.halt()
            raise


def _make_schemas(run: Run, units: Sequence[Unit]) -> None:
    """Each in a transaction of its own: two long ones that make the same schema can't both commit."""
    made = (_tables(step) for unit in units for step in unit)
    with run.store.session() as session:
        for schema in sorted({table.schema for tables in made for table in tables}):
            session.execute(f"CREATE SCHEMA IF NOT EXISTS {quote.ident(schema)}")


def _tables(step: object) -> tuple[TableRef, ...]:
    if isinstance(step, Flow):
        return step.tables
    return (step.target,) if isinstance(step, Model) else ()


def _locked(run: Run) -> Run:
    """The same run, whose progress is told by one thread at a time."""
    lock = threading.Lock()

    def progress(step: str, rows: int, phase: str) -> None:
        with lock:
            run.progress(step, rows, phase)

    def read(step: str, rows: int, done: int, total: int) -> None:
        with lock:
            run.read(step, rows, done, total)

    return replace(run, progress=progress, read=read)


@dataclass
class _Crew:
    """`ended`: by the unit's number, what became of it. Only the thread that leads changes this and `standing`."""

    run: Run
    units: Sequence[Unit]
    standing: Standing
    ended: dict[int, list[Done]] = field(default_factory=dict)
    begun: dict[Future[list[Done]], int] = field(default_factory=dict)
    watches: list[Watch] = field(default_factory=list)
    halted: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        made = {step.name: number for number, unit in enumerate(self.units) for step in unit}
        self.needs = [
            {made[need] for step in unit for need in self.run.pipeline.needs(step) if need in made} - {number}
            for number, unit in enumerate(self.units)
        ]
        self.left = list(range(len(self.units)))
        said = self.run.pipeline.settings
        self.pools = [{pool for step in unit if (pool := said[step.name].pool)} for unit in self.units]

    def go_on(self, pool: ThreadPoolExecutor) -> None:
        """Begins what can be begun, and waits until one ends."""
        if self._begin(pool):
            return
        done, _ = wait(self.begun, return_when=FIRST_COMPLETED)
        for future in sorted(done, key=self.begun.__getitem__):
            self._note(self.begun.pop(future), future.result())

    def _begin(self, pool: ThreadPoolExecutor) -> bool:
        """Begins units, in their order, while a thread and a place in their pools are free; True where one turned out
        to be blocked or skipped. Places are given away here alone, all that a unit takes at once: nobody waits for one
        while holding another."""
        for number in tuple(self.left):
            if len(self.begun) >= self.run.threads:
                return False
            if not self.needs[number] <= self.ended.keys() or self._full(number):
                continue
            self.left.remove(number)
            if held := self.standing.blocked(self.units[number]):
                self._note(number, held)
                return True
            self.begun[pool.submit(self._work, number, self.standing.before(self.units[number]))] = number
        return False

    def _full(self, number: int) -> bool:
        """Whether a pool of the unit has no place left."""
        taken = Counter(pool for other in self.begun.values() for pool in self.pools[other])
        return any(taken[pool] >= self.run.pipeline.pools[pool] for pool in self.pools[number])

    def _note(self, number: int, found: list[Done]) -> None:
        for done in found:
            self.standing.note(done)
        self.ended[number] = found

    def _work(self, number: int, before: Before) -> list[Done]:
        way = Way(lambda secs: clock.awaited(self.halted, secs), self.halted, self._watched)
        return timed(self.run, self.units[number], before, way)

    @contextmanager
    def _watched(self, watch: Watch) -> Iterator[None]:
        self.watches.append(watch)
        try:
            yield
        finally:
            self.watches.remove(watch)

    def halt(self) -> None:
        """Ends every step that still runs."""
        self.halted.set()
        running = set(self.begun)
        while running:
            for watch in tuple(self.watches):
                watch.strike()
            _, running = wait(running, timeout=AGAIN_SECS)
