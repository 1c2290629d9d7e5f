"""The intervals of a model by time that a run is asked to build once more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from headgate.books.known import Known
from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.models.model import Grain, Model

_LENGTHS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}


@dataclass(frozen=True)
class Intervals:
    """`count` intervals of this grain; `first` and `last` are when the first and the last of them begin.

    `whole`: nothing stands yet, or nothing is to stay: all rows are built, whatever was asked for.
    """

    grain: Grain
    first: datetime
    last: datetime
    count: int
    whole: bool = False

    @property
    def said(self) -> str:
        """The same for people."""
        if self.whole:
            return "all of it, as nothing stands yet"
        end = "" if self.count == 1 else f" to {_short(self.last, self.grain)}"
        return f"{self.count:,} {self.grain}{'' if self.count == 1 else 's'}, {_short(self.first, self.grain)}{end}"


def again_of(session: StoreSession, model: Model, again: tuple[str, str], known: Known) -> Intervals | None:
    """The intervals from the first moment on and before the second; None where the model is not built by time."""
    how = model.incremental.intervals if model.incremental is not None else None
    if how is None:
        return None
    stands = known.build(session, model.target) is not None and session.standing(model.target) == "table"
    return replace(between(*again, how.grain), whole=not stands)


def between(begins: str, ends: str, grain: Grain) -> Intervals:
    """The intervals in which a moment lies from `begins` on and before `ends`; without a zone they are in UTC."""
    first, last = _start(_moment(begins), grain), _start(_moment(ends) - timedelta(microseconds=1), grain)
    return Intervals(grain, first, last, _number(first, last, grain))


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _start(at: datetime, grain: Grain) -> datetime:
    """When the interval of the moment begins; weeks begin on Mondays."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    if grain == "hour":
        return hour
    day = hour.replace(hour=0)
    if grain == "week":
        return day - timedelta(days=day.weekday())
    if grain == "day":
        return day
    return day.replace(day=1) if grain == "month" else day.replace(month=1, day=1)


def _number(first: datetime, last: datetime, grain: Grain) -> int:
    years = last.year - first.year
    if grain == "year":
        return years + 1
    return 12 * years + last.month - first.month + 1 if grain == "month" else (last - first) // _LENGTHS[grain] + 1


def _short(at: datetime, grain: Grain) -> str:
    text = at.replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")
    return text if grain == "hour" else text.partition(" ")[0]
