"""What this process has used so far; the only place that asks the system for it."""

from __future__ import annotations

import resource
import sys

from headgate.core.records import dataclass

_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Usage:
    """`cpu_secs` of all threads, in user and kernel mode; `peak_bytes`: the most memory that was ever resident."""

    cpu_secs: float
    peak_bytes: int


def usage() -> Usage:
    """The use up to now: of one process, so what other threads do at the same time counts, too."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Usage(used.ru_utime + used.ru_stime, used.ru_maxrss * _UNIT_BYTES)
