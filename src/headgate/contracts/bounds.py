"""Shares, ranges of rows, bounds of numbers and durations, as they stand in rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from headgate.contracts.batch import Share
from headgate.contracts.grammar import PlacedText
from headgate.core.records import dataclass

WORDS = ("between", "min", "max", "above", "below", "equals")
"""The keys that bound a number."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?")
_SHARE = re.compile(r"(>?)\s*([0-9]{1,3}(?:\.[0-9]{1,20})?)\s*%")
_COUNT = r"[0-9]{1,15}(?:\.[0-9]{1,9})?x?"
_ROWS = re.compile(rf"\s*({_COUNT})?\s*(\.\.)?\s*({_COUNT})?\s*")
_LAST = re.compile(r"\s*last\s+([0-9]{1,4})\s*")
_DURATION = re.compile(r"\s*(?:[0-9]{1,9}(?:\.[0-9]{1,6})?\s*[wdhms]\s*)+")
_STEP = re.compile(r"([0-9.]+)\s*([wdhms])")
SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}


class BadBound(ValueError):
    """A bound that can't be read; `text` is what was written."""

    def __init__(self, what: str, text: PlacedText) -> None:
        super().__init__(what)
        self.text = text


@dataclass(frozen=True)
class Span:
    """Between two bounds; None is none. `relative`: multiples of what is usual."""

    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False
    relative: bool = False

    def words(self) -> str:
        """As messages say it: `between 0 and 5`, `at least 1000`, `exactly 3`, `above 0`."""
        mark = "x" if self.relative else ""
        low, high = (None if one is None else plain(one) + mark for one in (self.low, self.high))
        if low == high:
            return f"exactly {low}"
        if low is not None and high is not None and not (self.low_open or self.high_open):
            return f"between {low} and {high}"
        parts = [f"{'above' if self.low_open else 'at least'} {low}"] if low is not None else []
        parts += [f"{'below' if self.high_open else 'at most'} {high}"] if high is not None else []
        return " and ".join(parts)


def plain(value: Decimal) -> str:
    """The number without an exponent and without zeros behind its fraction."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def share(text: str) -> Share:
    """`95%`, or `>95%` for more than that. Raises ValueError with the reason."""
    match = _SHARE.fullmatch(text.strip())
    if match is None or Decimal(match[2]) > 100:
        raise ValueError(f"{text.strip()!r} is no share from 0% to 100%")
    return Share(plain(Decimal(match[2])), bool(match[1]))


def rows(text: str) -> Span:
    """`1000..`, `..5000`, `1000..5000`, `1000`, `0.5x..2x`. Raises ValueError with the reason."""
    match = _ROWS.fullmatch(text)
    if match is None or not (match[1] or match[3]) or (match[3] and not match[2]):
        raise ValueError(f"{text.strip()!r} is no range of rows")
    relative = {one.endswith("x") for one in (match[1], match[3]) if one}
    if len(relative) > 1:
        raise ValueError(f"{text.strip()!r} mixes rows and multiples")
    low, high = (Decimal(one.rstrip("x")) if one else None for one in (match[1], match[3]))
    high = low if match[2] is None else high
    if low is not None and high is not None and low > high:
        raise ValueError(f"no number of rows is in {text.strip()!r}")
    if relative == {False} and any(one is not None and one != one.to_integral_value() for one in (low, high)):
        raise ValueError(f"{text.strip()!r} is no whole number of rows")
    return Span(low, high, relative=relative == {True})


def last(text: str) -> int:
    """The n of `last n`. Raises ValueError with the reason."""
    match = _LAST.fullmatch(text)
    if match is None or not int(match[1]):
        raise ValueError(f"{text.strip()!r} does not say how many loads")
    return int(match[1])


def given(parts: Mapping[str, Sequence[PlacedText]]) -> Span | None:
    """What the keys of WORDS say together; None where there is none. Raises BadBound."""
    span: dict[str, Decimal | bool] = {}
    first: PlacedText | None = None
    for word, texts in parts.items():
        wanted = 2 if word == "between" else 1
        if len(texts) != wanted:
            some = texts[0] if texts else PlacedText("", "")
            raise BadBound(f"{word} takes {wanted} number{'s' * (wanted > 1)}, not {len(texts)}", some)
        first = first or texts[0]
        numbers = [_number(text) for text in texts]
        for side, number in zip(_SIDES[word], numbers * (3 - wanted), strict=False):
            if side in span:
                raise BadBound(f"{word} sets a bound that is set already", texts[0])
            span[side] = number
        span |= {f"{side}_open": True for side in _SIDES[word] if word in ("above", "below")}
    if first is None:
        return None
    made = Span(**span)  # type: ignore[arg-type]
    if made.low is not None and made.high is not None:
        open_ = made.low_open or made.high_open
        if made.low > made.high or (made.low == made.high and open_):
            raise BadBound("no number is within the bounds", first)
    return made


_SIDES = {
    "between": ("low", "high"),
    "equals": ("low", "high"),
    "min": ("low",),
    "above": ("low",),
    "max": ("high",),
    "below": ("high",),
}


def written(span: Span) -> dict[str, str | list[str]]:
    """The keys of WORDS that say this span, with their numbers as text."""
    if span.low is not None and span.high is not None and not (span.low_open or span.high_open):
        if span.low == span.high:
            return {"equals": plain(span.low)}
        return {"between": [plain(span.low), plain(span.high)]}
    found: dict[str, str | list[str]] = {}
    if span.low is not None:
        found["above" if span.low_open else "min"] = plain(span.low)
    if span.high is not None:
        found["below" if span.high_open else "max"] = plain(span.high)
    return found


def duration(text: str) -> Decimal:
    """The seconds of `26h`, `30m`, `1d12h`; weeks, days of 24 hours, hours, minutes, seconds. Raises ValueError."""
    if _DURATION.fullmatch(text) is None:
        raise ValueError(f"{text.strip()!r} is no length of time")
    return sum((Decimal(number) * SECONDS[unit] for number, unit in _STEP.findall(text)), Decimal(0))


def lasting(seconds: Decimal) -> str:
    """The seconds as a length of time in the largest unit that divides them."""
    for unit, length in SECONDS.items():
        if seconds and seconds % length == 0:
            return f"{plain(seconds / length)}{unit}"
    return f"{plain(seconds)}s"


def number(text: str) -> Decimal | None:
    """The number that the text is, without an exponent; None for another text."""
    return Decimal(text.strip()) if _NUMBER.fullmatch(text.strip()) else None


def _number(text: PlacedText) -> Decimal:
    found = number(text.text)
    if found is None:
        raise BadBound(f"{text.text.strip()!r} is no number", text)
    return found
