"""Whether what runs here is asked to end: its time is up, or a signal came. Long loops ask now and then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Why = Callable[[], BaseException | None]
"""The exception that ends what runs, once it is to end."""

_here = threading.local()
_signals: list[int] = []


@contextmanager
def asked_by(why: Why) -> Iterator[None]:
    """Inside, `check` of this thread raises what `why` gives."""
    before = getattr(_here, "why", None)
    _here.why = why
    try:
        yield
    finally:
        _here.why = before


def check() -> None:
    """Raises if what runs in this thread is asked to end."""
    why: Why | None = getattr(_here, "why", None)
    error = why() if why is not None else None
    if error is not None:
        raise error


def signalled(number: int | None = None) -> int | None:
    """Notes the signal that asks the process to end; the first one that did, or None."""
    if number is not None:
        _signals.append(number)
    return _signals[0] if _signals else None


def forget_signals() -> None:
    """As if none had come: a new command begins."""
    _signals.clear()
