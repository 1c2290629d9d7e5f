"""A step is ended from outside, because its time is up or the run ends: its statement is interrupted, and nothing that
it left open is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

from headgate.contracts.bounds import lasting
from headgate.core import clock, stop
from headgate.core.errors import AdapterError, HeadgateError
from headgate.core.protocols import Store, StoreSession
from headgate.core.values import TableRef

AGAIN_SECS = 0.05
"""Between two interruptions: one that comes between two statements ends none."""


class Interruptible(Protocol):
    """What another thread can end: the statement of a session, a program."""

    def interrupt(self) -> None: ...


@dataclass
class Watch:
    """A store for one step, whose statements are interrupted from the end of its time on, until it has ended.

    `seconds`: how much time it has, if that is limited; `halted`: that the whole run ends.
    """

    store: Store
    step: str
    seconds: float | None = None
    halted: threading.Event = field(default_factory=threading.Event)
    passed: bool = False
    _sessions: list[Interruptible] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.atomicity: Literal["transaction", "log", "none"] = self.store.atomicity

    @contextmanager
    def session(self) -> Iterator[StoreSession]:
        with self.store.session() as session, self.lent(session):
            yield session

    @contextmanager
    def lent(self, thing: Interruptible) -> Iterator[None]:
        """Inside, it is interrupted with the step, too."""
        self._sessions.append(thing)
        try:
            yield
        finally:
            self._sessions.remove(thing)

    def lock(self, table: TableRef) -> AbstractContextManager[None]:
        return self.store.lock(table)

    def is_conflict(self, error: BaseException) -> bool:
        """Nothing is tried again when it is to end."""
        return not self.passed and not self.halted.is_set() and self.store.is_conflict(error)

    def close(self) -> None:
        self.store.close()

    @contextmanager
    def running(self) -> Iterator[None]:
        """The time in which the step runs."""
        if self.seconds is None:
            with stop.asked_by(self._why):
                yield
            return
        watcher = threading.Thread(target=self._wait, name=f"timeout of {self.step}", daemon=True)
        watcher.start()
        try:
            with stop.asked_by(self._why):
                yield
        finally:
            self._ended.set()
            watcher.join()

    def _wait(self) -> None:
        assert self.seconds is not None
        if clock.awaited(self._ended, self.seconds):
            return
        self.passed = True
        while not clock.awaited(self._ended, AGAIN_SECS):
            self.strike()

    def strike(self) -> None:
        """Interrupts whatever statement runs now."""
        for session in tuple(self._sessions):
            with suppress(Exception):  # it may end at this instant
                session.interrupt()

    def _why(self) -> BaseException | None:
        return KeyboardInterrupt() if self.halted.is_set() else self.overdue()

    def overdue(self) -> HeadgateError | None:
        """The error that says so, once the time is up."""
        if not self.passed or self.seconds is None:
            return None
        what = f"{self.step} took longer than its timeout of {lasting(Decimal(str(self.seconds)))}"
        fix = "give it more time (timeout: 1h), or less to do; what it had committed stays"
        return AdapterError.of("step-timeout", what, self.step, fix, seconds=self.seconds)
