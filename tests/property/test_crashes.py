"""Crashes at every fault point, and two runners at once: the books end as after one quiet run."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from tests.property.driver import Warehouse, differences, oracle_view

from headgate.adapters.duckdb.store import DuckDBSession, DuckDBStore
from headgate.core import faults
from headgate.core.errors import CommitError
from headgate.core.values import TableRef
from headgate.testing import oracle
from headgate.testing.strategies import (
    PARENTS,
    Step,
    contracts,
    crash_schedules,
    flows,
    histories,
    ingest_form,
    interleavings,
    parents,
    play,
)

REFERENCES = (f"{PARENTS}.pid", "raw.orders.id")
PATIENCE = 60.0
"""Seconds after which a runner that waits for its turn has hung."""
GLANCE = 0.02
"""Seconds after which one looks whether the other waits in the store."""


class Dead(BaseException):
    """What a process that was killed runs into; nothing catches it."""


# Crashes


class MortalStore(DuckDBStore):
    """A warehouse whose process can die: from then on no statement reaches it, clean-up included."""

    dead = False

    @contextmanager
    def session(self) -> Iterator[DuckDBSession]:
        with super().session() as session:
            yield MortalSession(session.cursor, self)


class MortalSession(DuckDBSession):
    def __init__(self, cursor: Any, store: MortalStore) -> None:
        super().__init__(cursor)
        self.store = store

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if self.store.dead:
            raise Dead(sql)
        return super().execute(sql, params)


@dataclass
class Death:
    """A hook under which the process dies at a fault point of its n-th commit (1-based)."""

    store: Any
    commit: int
    point: str
    begun: int = 0

    def __call__(self, point: str) -> None:
        self.begun += point == "before_write"
        if (self.begun, point) == (self.commit, self.point):
            self.store.dead = True
            raise Dead(point)


@contextmanager
def hooked(hook: Callable[[str], None]) -> Iterator[None]:
    faults.install(hook)
    try:
        yield
    finally:
        faults.install(None)


def dies(real: Warehouse, when: tuple[int, str], work: Callable[[], object]) -> bool:
    """Whether the work ended in the death that was planned. The warehouse is opened again as by a new process."""
    try:
        with hooked(Death(real.store, *when)):
            work()
    except Dead:
        real.reopen()
        return True
    return False


def play_through(real: Warehouse, step: Step, schedule: Sequence[tuple[int, str]]) -> int:
    """The step, begun again after every crash, with clean books in between; how many crashes there were.

    A user who was cut off repeats the very command, but a full refresh that is in the books is not asked for twice:
    that would be another refresh.
    """
    before, crashes, ids = real.version(), 0, real.picked(step.picks) if step.kind == "replay" else []

    def attempt() -> None:
        done = step.kind == "full_refresh" and real.version() > before
        if step.kind == "replay":
            real.replay(ids)
        else:
            real.play(replace(step, kind="load") if done else step)

    for when in schedule:
        if not dies(real, when, attempt):
            return crashes
        crashes += 1
        assert real.findings() == [], f"after a crash at {when}"
    attempt()
    return crashes


@contextmanager
def on_disk(flow: oracle.Flow) -> Iterator[Warehouse]:
    with tempfile.TemporaryDirectory() as folder:
        real = Warehouse(flow, Path(folder) / "w.duckdb", MortalStore)
        try:
            yield real
        finally:
            real.close()


Crash = tuple[int, str]


@st.composite
def crashing(draw: st.DrawFn) -> tuple[oracle.Flow, list[tuple[Step, list[Crash]]]]:
    flow = draw(flows(made=contracts(references=REFERENCES, calls=True)))
    steps = draw(histories(flow, max_steps=3))
    return flow, [(step, draw(crash_schedules(faults.POINTS))) for step in steps]


@pytest.mark.slow
@given(crashing())
def test_any_crashes_end_in_the_state_of_no_crash(case: tuple[oracle.Flow, list[tuple[Step, list[Crash]]]]) -> None:
    flow, steps = case
    note(ingest_form(flow, "orders/*.csv"))
    state = parents()
    with on_disk(flow) as real:
        for step, schedule in steps:
            note(f"{step.kind} {step.files} slices={step.slices} picks={step.picks} crashes={schedule}")
            state = play(state, flow, step)
            play_through(real, step, schedule)
            assert differences(real.view(), oracle_view(state)) == []
            assert real.findings() == []


def _flow(disposition: oracle.model.Disposition) -> oracle.Flow:
    """Rows, refused records and versions of a key in each of the three slices of `_file`."""
    contract = oracle.Contract(
        (
            oracle.Column("id", "int", required="error", key=disposition == "append"),
            oracle.Column("v", "int", required="error"),
        )
    )
    keys = ("id",) if disposition == "upsert" else ()
    if disposition == "replace":
        contract = replace(contract, refuse_at_most=oracle.Limit.of("share", 1))
    return oracle.Flow("raw.orders", contract, disposition, keys=keys)


def _file(shift: int = 0) -> oracle.File:
    texts = [("1", "1"), ("1", "2"), ("2", "x"), ("2", "2"), ("1", "3"), (None, "4"), ("3", "5"), ("2", "6")]
    records = tuple({"id": one and str(int(one) + shift), "v": two} for one, two in texts)
    return oracle.File("1", records, ("id", "v"))


LOADS = [Step("load", {"a": _file()}, {"a": [3, 6]}), Step("load", {"a": _file(), "b": _file(1)}, {"b": [2, 5]})]


@pytest.mark.parametrize("point", faults.POINTS)
@pytest.mark.parametrize("disposition", ["append", "upsert", "replace"])
def test_every_fault_point_is_reached_and_survived(disposition: oracle.model.Disposition, point: str) -> None:
    """The property above crashes where chance wants it; here each point is met in every commit of a load, a replay and
    a full refresh."""
    flow, state, crashes = _flow(disposition), parents(), []
    steps = [*LOADS, Step("replay"), Step("full_refresh", LOADS[1].files)]
    with on_disk(flow) as real:
        for step in steps:
            state = play(state, flow, step)
            crashes.append(play_through(real, step, [(1, point), (2, point), (1, point)]))
            assert differences(real.view(), oracle_view(state)) == []
            assert real.findings() == []
    sliced = 2 if disposition != "replace" else 1
    assert all(made >= wanted for made, wanted in zip(crashes, [sliced, sliced, 1, 1], strict=True))


# Two runners


class Hung(BaseException):
    """A runner waited too long for its turn."""


@dataclass
class Turns:
    """Whose turn it is among threads: exactly one runs at a time, and gives way where it calls `point`.

    `order`: the runner of the next turn, turn after turn; when it ends, turns of `after` points alternate.
    `waits(thread)` tells that the thread waits for another in the store itself: the other goes on then.
    """

    order: Sequence[int]
    after: int = 1
    waits: Callable[[int], bool] = lambda thread: False
    runners: int = 2
    used: int = 0
    current: int = 0
    stopped: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)
    threads: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.alive = set(range(self.runners))
        self._next()

    def _next(self) -> None:
        at = self.used
        self.used += 1
        wanted = self.order[at] if at < len(self.order) else (at - len(self.order)) // self.after % self.runners
        self.current = wanted if wanted in self.alive else min(self.alive, default=0)

    def wait(self, me: int) -> None:
        with self.changed:
            self.threads[me] = threading.get_ident()
            until = time.monotonic() + PATIENCE
            while not self.changed.wait_for(lambda: self.stopped or self.current == me, GLANCE):
                if self.waits(self.threads.get(self.current, 0)):
                    self.current = me
                if time.monotonic() > until:
                    self.stop()
            if self.stopped:
                raise Hung(f"runner {me} never had its turn")

    def point(self, me: int) -> None:
        with self.changed:
            self._next()
            self.changed.notify_all()
        self.wait(me)

    def leave(self, me: int) -> None:
        with self.changed:
            self.alive.discard(me)
            self._next()
            self.changed.notify_all()

    def stop(self) -> None:
        with self.changed:
            self.stopped = True
            self.changed.notify_all()


class OpenStore(DuckDBStore):
    """A warehouse without the lock among its users, so that only the compare-and-set protects.

    `before_statement` is called before each statement.
    """

    before_statement: Callable[[], None] = staticmethod(lambda: None)

    @contextmanager
    def lock(self, table: TableRef) -> Iterator[None]:
        yield

    @contextmanager
    def session(self) -> Iterator[DuckDBSession]:
        with super().session() as session:
            yield OpenSession(session.cursor, self)


class OpenSession(DuckDBSession):
    def __init__(self, cursor: Any, store: OpenStore) -> None:
        super().__init__(cursor)
        self.store = store

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self.store.before_statement()
        return super().execute(sql, params)


@dataclass
class Race:
    """Two runners on one warehouse, each in its thread. `errors`: what ended them."""

    real: Warehouse
    turns: Turns
    errors: dict[int, BaseException] = field(default_factory=dict)
    seat: threading.local = field(default_factory=threading.local)

    def give_way(self) -> None:
        me = getattr(self.seat, "runner", None)
        if me is not None:
            self.turns.point(me)

    def _runner(self, me: int, work: Callable[[], object]) -> None:
        try:
            self.turns.wait(me)
            self.seat.runner = me
            work()
        except BaseException as error:
            self.errors[me] = error
        finally:
            self.turns.leave(me)

    def run(self, works: Sequence[Callable[[], object]]) -> None:
        """Both to their end. One that gave up because the other was always first goes again when that is done."""
        threads = [threading.Thread(target=self._runner, args=(me, work), daemon=True) for me, work in enumerate(works)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * PATIENCE)
        assert not any(thread.is_alive() for thread in threads), "a runner hangs"
        for me, error in sorted(self.errors.items()):
            if not (isinstance(error, CommitError) and error.finding.code == "commit-contested"):
                raise error
            works[me]()


def turns_on(real: Warehouse, order: Sequence[int], after: int = 1) -> Turns:
    return Turns(order, after, waits=getattr(real.store, "waits", lambda thread: False))


def at_fault_points(real: Warehouse, order: Sequence[int], works: Sequence[Callable[[], object]]) -> None:
    race = Race(real, turns_on(real, order))
    with hooked(lambda point: race.give_way()):
        race.run(works)


def at_statements(real: Warehouse, order: Sequence[int], works: Sequence[Callable[[], object]]) -> None:
    """As above, with a turn at every statement; the rest of a long order alternates in bursts."""
    race = Race(real, turns_on(real, order, after=25))
    open_to_all: Any = real.store
    open_to_all.before_statement = race.give_way
    try:
        race.run(works)
    finally:
        open_to_all.before_statement = lambda: None


@contextmanager
def shared(flow: oracle.Flow) -> Iterator[Warehouse]:
    real = Warehouse(flow, None, OpenStore)
    try:
        yield real
    finally:
        real.close()


def bursts() -> st.SearchStrategy[list[int]]:
    """Turns at statements: each runner's go on for a while."""
    lengths = st.lists(st.integers(1, 40), max_size=16)
    return lengths.map(lambda found: [turn % 2 for turn, length in enumerate(found) for _ in range(length)])


@st.composite
def racing(draw: st.DrawFn) -> tuple[oracle.Flow, list[Step], Step, list[int], bool]:
    """A flow, what was done before, the step that two runners do at once, whose turn it is, and where turns change."""
    flow = draw(flows(made=contracts(references=REFERENCES, calls=True)))
    *before, last = draw(histories(flow, max_steps=3, kinds=("load",)))
    fine = draw(st.booleans())
    return flow, before, last, draw(bursts() if fine else interleavings()), fine


@pytest.mark.slow
@given(racing())
def test_two_runners_of_one_load_end_as_one(case: tuple[oracle.Flow, list[Step], Step, list[int], bool]) -> None:
    flow, before, step, order, fine = case
    note(ingest_form(flow, "orders/*.csv"))
    state = parents()
    with shared(flow) as real:
        for one in before:
            state = play(state, flow, one)
            real.play(one)
        note(f"{step.files} slices={step.slices} order={order} fine={fine}")
        race = at_statements if fine else at_fault_points
        race(real, order, [lambda: real.play(step)] * 2)
        assert differences(real.view(), oracle_view(play(state, flow, step))) == []
        assert real.findings() == []


@pytest.mark.parametrize("race", [at_fault_points, at_statements])
@pytest.mark.parametrize("pace", [1, 2, 3, 5, 8, 13, 21])
@pytest.mark.parametrize("disposition", ["append", "upsert", "replace"])
def test_two_runners_of_the_first_load(disposition: oracle.model.Disposition, pace: int, race: Any) -> None:
    """Both find no table, and make it at once."""
    flow, step = _flow(disposition), LOADS[0]
    order = [turn // pace % 2 for turn in range(400)]
    with shared(flow) as real:
        race(real, order, [lambda: real.play(step)] * 2)
        assert differences(real.view(), oracle_view(play(parents(), flow, step))) == []
        assert real.findings() == []


@st.composite
def differing(draw: st.DrawFn) -> tuple[oracle.Flow, list[Step], list[Step], list[int], bool]:
    """As `racing`, but one runner does something else: it does not see a new file yet, replays, or refreshes."""
    flow, before, last, order, fine = draw(racing())
    last = replace(last, slices={})
    unseen = draw(st.sampled_from(sorted(last.files))) if last.files else ""
    early = Step("load", {name: file for name, file in last.files.items() if name != unseen})
    other = draw(st.sampled_from([early, Step("replay"), Step("full_refresh", last.files)]))
    return flow, before, draw(st.permutations([last, other])), order, fine


@pytest.mark.slow
@given(differing())
def test_two_different_runners_end_as_one_after_the_other(
    case: tuple[oracle.Flow, list[Step], list[Step], list[int], bool],
) -> None:
    """Each is one commit here, so that the state is that of one of the two orders, and not a mixture."""
    flow, before, steps, order, fine = case
    note(ingest_form(flow, "orders/*.csv"))
    state = parents()
    with shared(flow) as real:
        for one in before:
            state = play(state, flow, one)
            real.play(one)
        note(f"{before} {steps} order={order} fine={fine}")
        race = at_statements if fine else at_fault_points
        race(real, order, [lambda step=step: real.play(step) for step in steps])  # type: ignore[misc]
        one, two = steps
        orders = [play(play(state, flow, one), flow, two), play(play(state, flow, two), flow, one)]
        found = [differences(real.view(), oracle_view(end)) for end in orders]
        assert [] in found, "\n--- or ---\n".join("\n".join(lines) for lines in found)
        assert real.findings() == []


@pytest.mark.parametrize("disposition", ["append", "upsert", "replace"])
def test_the_first_rows_of_another_runner_are_seen(disposition: oracle.model.Disposition) -> None:
    """No partition in common, so that no seat moves under the later one; the table was empty when it began."""
    flow = _flow(disposition)
    steps = [Step("load", {name: _file(shift)}) for name, shift in (("a", 0), ("b", 1))]
    with shared(flow) as real:
        at_fault_points(real, [0, *[1] * 20], [lambda step=step: real.play(step) for step in steps])  # type: ignore[misc]
        state = play(play(parents(), flow, steps[1]), flow, steps[0])
        assert differences(real.view(), oracle_view(state)) == []
        assert real.findings() == []


@pytest.mark.parametrize("race", [at_fault_points, at_statements])
@pytest.mark.parametrize("pace", [1, 3, 8, 21])
def test_two_runners_replay_a_record_once(pace: int, race: Any) -> None:
    flow, state = _flow("append"), parents()
    with shared(flow) as real:
        real.play(LOADS[0])
        ids = real.picked(())
        race(real, [turn // pace % 2 for turn in range(400)], [lambda: real.replay(ids)] * 2)
        state = play(play(state, flow, LOADS[0]), flow, Step("replay"))
        assert len(ids) > 1
        assert differences(real.view(), oracle_view(state)) == []
        assert real.findings() == []
