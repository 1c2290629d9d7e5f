"""One step's progress as one line: share, bar, rate and what is left, as far as there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from headgate.cli.text import clip, count, pad, width

if TYPE_CHECKING:
    from headgate.api.results import Progress

NAME = 32
"""Cells for the name of a step, at most."""

BAR = 20
SURE_SECS = 1.0
"""Before this a rate says nothing."""


class Room(NamedTuple):
    """Cells of the line, of the longest name beside it, and what bars are made of: full and empty."""

    cells: int
    name: int
    blocks: str


def line(news: Progress, secs: float, room: Room) -> str:
    """The step's line. What does not fit is left out, the least valuable first."""
    name = min(room.name, NAME, max(8, room.cells // 2))
    text = pad(clip(news.step, name), name) + "  " + news.phase
    parts = _parts(news, secs, room.blocks)
    left = room.cells - width(text)
    while parts and sum(width(part) + 2 for _, part in parts) > left:
        del parts[max(range(len(parts)), key=lambda at: parts[at][0])]
    return "  ".join([text, *(part for _, part in parts)])


def _parts(news: Progress, secs: float, blocks: str) -> list[tuple[int, str]]:
    """What there is to say, in its order, each with its rank: 0 is kept longest."""
    found: list[tuple[int, str]] = []
    share = min(1.0, news.bytes / news.bytes_total) if news.bytes_total else 0.0
    if news.bytes_total:
        full = int(share * BAR)
        found += [(2, blocks[0] * full + blocks[1] * (BAR - full)), (0, f"{int(share * 100):3d}%")]
    left = 0 < share < 1 and secs >= SURE_SECS
    found.append((1, f"{lasting(secs * (1 - share) / share)} left" if left else lasting(secs)))
    if news.rows:
        found.append((3, f"{count(news.rows)} rows"))
    if news.rows and share < 1 and secs >= SURE_SECS:
        found.append((4, f"{count(int(news.rows / secs))} rows/s"))
    if news.bytes_total:
        found.append((5, f"{amount(news.bytes)} of {amount(news.bytes_total)}"))
    return found


def total(ended: int, steps: int, secs: float) -> str:
    """All of the run in a line."""
    return f"{count(ended)} of {count(steps)} {'step' if steps == 1 else 'steps'}  {lasting(secs)}"


def lasting(secs: float) -> str:
    """`0:07`, `12:03`, `1:02:03`."""
    minutes, rest = divmod(int(secs), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def amount(size: int) -> str:
    """`999 B`, `1.2 MB`: by thousands."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"
