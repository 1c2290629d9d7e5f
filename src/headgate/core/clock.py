"""The only place that reads the clock, waits and draws ids."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def stamp() -> str:
    """The current time as ISO 8601 text in UTC with microseconds: `2026-06-01T02:03:04.000005+00:00`."""
    return now().isoformat(timespec="microseconds")


def monotonic() -> float:
    """Seconds on a clock that never goes back, for durations."""
    return time.monotonic()


def pause(secs: float) -> None:
    """Waits."""
    time.sleep(secs)


def awaited(event: threading.Event, secs: float) -> bool:
    """Waits for the event at most so long; whether it came."""
    return event.wait(secs)


def chance() -> float:
    """A number drawn from [0, 1), for waits that are not to fall on the same instant."""
    return (int.from_bytes(os.urandom(7)) >> 3) / (1 << 53)


def new_id() -> str:
    """A new id of 19 lower-case letters and digits; later ids sort after earlier ones (to the millisecond)."""
    return f"{int(time.time() * 1000):011x}{os.urandom(4).hex()}"[-19:]
