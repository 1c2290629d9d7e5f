"""Named instants at which a test may stop, kill or delay the process.

In production no hook is installed and a call costs one comparison.
"""

from __future__ import annotations

from collections.abc import Callable

POINTS = (
    "before_write",
    "after_begin",
    "after_stage",
    "after_decide",
    "after_write",
    "after_commit",
    "before_ack",
)
_hook: Callable[[str], None] | None = None


def fault(point: str) -> None:
    """Announce that `point` was reached."""
    if _hook is not None:
        _hook(point)


def install(hook: Callable[[str], None] | None) -> None:
    """Call `hook(point)` at every fault point from now on; None removes it."""
    global _hook
    _hook = hook
