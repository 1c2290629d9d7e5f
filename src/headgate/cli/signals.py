"""Ctrl-C and SIGTERM end a command in order: what is open rolls back. A second one ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from headgate.core import stop

ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def heard() -> Iterator[None]:
    """Inside, the first of these signals raises KeyboardInterrupt, and leaves the next one to the system.

    One that the caller has ignored (`nohup`, a shell's background) stays ignored.
    """
    stop.forget_signals()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: handler for one in ENDING if (handler := signal.getsignal(one)) not in (signal.SIG_IGN, None)}

    def end(number: int, frame: FrameType | None) -> None:
        stop.signalled(number)
        for one in before:
            signal.signal(one, signal.SIG_DFL)
        raise KeyboardInterrupt

    for one in before:
        signal.signal(one, end)
    try:
        yield
    finally:
        stop.forget_signals()
        for one, handler in before.items():
            signal.signal(one, handler)
