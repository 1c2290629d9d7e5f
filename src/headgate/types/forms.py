"""How the texts of one column are written, where that is not as docs/types.md says.

SQL makes of each text that of the table there. A text that does not fit the declared form becomes NULL, and so is not
accepted. Nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from headgate.core.records import dataclass
from headgate.sql.quote import literal
from headgate.types.logical import LogicalType

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DECIMAL_MARKS = (",", ".")
GROUP_MARKS = (".", ",", " ", "'", "’", "\u00a0", "\u202f", "_")

_LETTERS = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|(.)", re.DOTALL)
_FIELDS = {
    "yyyy": ("year", "([0-9]{4})"),
    "uuuu": ("year", "([0-9]{4})"),
    "MM": ("month", "([0-9]{2})"),
    "M": ("month", "([1-9]|1[0-2])"),
    "MMM": ("month", "(" + "|".join(name[:3] for name in MONTHS) + ")"),
    "MMMM": ("month", "(" + "|".join(MONTHS) + ")"),
    "dd": ("day", "([0-9]{2})"),
    "d": ("day", "([1-9]|[12][0-9]|3[01])"),
    "HH": ("hour", "([0-9]{2})"),
    "H": ("hour", "([0-9]|1[0-9]|2[0-3])"),
    "hh": ("half", "(0[1-9]|1[0-2])"),
    "h": ("half", "([1-9]|1[0-2])"),
    "a": ("noon", "(AM|PM)"),
    "mm": ("minute", "([0-9]{2})"),
    "ss": ("second", "([0-9]{2})"),
    "X": ("offset", "(Z|[+-][0-9]{2}(?:[0-9]{2})?)"),
    "XX": ("offset", "(Z|[+-][0-9]{4})"),
    "XXX": ("offset", "(Z|[+-][0-9]{2}:[0-9]{2})"),
    "xx": ("offset", "([+-][0-9]{4})"),
    "xxx": ("offset", "([+-][0-9]{2}:[0-9]{2})"),
}
"""Letters of the JDK's DateTimeFormatter (and of ODCS) that are read, and what they stand for."""

_VARYING = ("M", "d", "H", "h")
_DAY = {"year", "month", "day"}
_CLOCK = {"hour", "half", "noon", "minute", "second", "fraction"}


@dataclass(frozen=True)
class Form:
    """How a column's texts are written. Empty parts are as in docs/types.md.

    `pattern`: of dates and times, in letters of the JDK. `decimal` and `group`: the marks of numbers. `true`, `false`:
    the words of a bool. `nulls`: texts that mean NULL.
    """

    pattern: str = ""
    decimal: str = ""
    group: str = ""
    true: str = ""
    false: str = ""
    nulls: tuple[str, ...] = ()

    def received(self, text: str) -> str:
        """SQL of the text, NULL where it is a word for it."""
        if not self.nulls:
            return text
        words = ", ".join(literal(word) for word in self.nulls)
        return f"CASE WHEN {text} IN ({words}) THEN NULL ELSE {text} END"

    def plain(self, text: str, logical: LogicalType) -> str:
        """SQL of the text as the table of types wants it; NULL where it does not fit the form."""
        if self.pattern:
            return _moment(text, fields(self.pattern))
        if self.decimal:
            return _number(text, self.decimal, self.group)
        if self.true:
            return f"CASE {text} WHEN {literal(self.true)} THEN 'true' WHEN {literal(self.false)} THEN 'false' END"
        return text


@dataclass(frozen=True)
class Part:
    """One piece of a pattern: a field with its regular expression, or (`field` empty) fixed characters."""

    field: str
    regex: str
    letters: str = ""


def fields(pattern: str) -> tuple[Part, ...]:
    """The pieces of a pattern. Raises ValueError with what is not read."""
    parts = []
    for match in _LETTERS.finditer(pattern):
        text, quoted = match[0], match[1]
        if quoted is not None:
            parts.append(Part("", re.escape(quoted.replace("''", "'") or "'")))
        elif match[3] is not None:
            if text in "'[]{}#":
                raise ValueError(f"{text!r} in a pattern is not read; put characters into '...'")
            parts.append(Part("", re.escape(text)))
        elif set(text) == {"S"} and len(text) <= 9:
            parts.append(Part("fraction", f"([0-9]{{{len(text)}}})", text))
        elif text in _FIELDS:
            parts.append(Part(*_FIELDS[text], text))
        else:
            raise ValueError(f"the letters {text!r} are not read")
    named = [part.field for part in parts if part.field]
    if len(set(named)) < len(named):
        raise ValueError("a field stands twice in the pattern")
    return tuple(parts)


def check(pattern: str, logical: LogicalType) -> None:
    """Nothing, if the pattern says all that a value of the type needs, and no more. Raises ValueError."""
    parts = fields(pattern)
    found = {part.field for part in parts if part.field}
    for part, after in pairwise(parts):
        if part.letters in _VARYING and after.letters and after.letters not in ("a", "MMM", "MMMM"):
            raise ValueError(f"where {part.letters} ends and {after.letters} begins can't be told; double the letter")
    if "half" in found and ("noon" not in found or "hour" in found):
        raise ValueError("hours of h or hh need a (AM or PM), and no H beside")
    if "noon" in found and "half" not in found:
        raise ValueError("a (AM or PM) needs hours of h or hh")
    clock = found & _CLOCK
    if clock and not ({"hour", "half"} & clock and "minute" in clock):
        raise ValueError("a time needs hours and minutes")
    if "fraction" in clock and "second" not in clock:
        raise ValueError("fractions need seconds")
    wants_day = logical.name != "time"
    if wants_day is not _DAY.issubset(found) or (found & _DAY and not wants_day):
        raise ValueError("a day needs year, month and day" if wants_day else "a time has no day")
    if (logical.name == "date" and clock) or (logical.name == "time" and not clock):
        raise ValueError(f"a {logical} has {'no time' if logical.name == 'date' else 'hours and minutes'}")
    if "offset" in found and logical.name != "timestamptz":
        raise ValueError(f"a {logical} has no offset")


def _moment(text: str, parts: tuple[Part, ...]) -> str:
    regex = "^" + "".join(part.regex for part in parts) + "$"
    names = [part.field for part in parts if part.field]
    letters = {part.field: part.letters for part in parts}

    def piece(name: str) -> str:
        return f"regexp_extract({text}, {literal(regex)}, {names.index(name) + 1})"

    day = " || '-' || ".join(_day(name, letters, piece) for name in ("year", "month", "day") if name in names)
    clock = _clock(names, piece)
    whole = " || ' ' || ".join(one for one in (day, clock) if one)
    whole += f" || {piece('offset')}" if "offset" in names else ""
    return f"CASE WHEN regexp_matches({text}, {literal(regex)}) THEN {whole} END"


def _day(name: str, letters: dict[str, str], piece: Callable[[str], str]) -> str:
    value = piece(name)
    if name == "month" and len(letters[name]) > 2:
        cases = (f"WHEN {literal(month[:3])} THEN '{number:02}'" for number, month in enumerate(MONTHS, 1))
        return f"CASE substr({value}, 1, 3) {' '.join(cases)} END"
    return value if name == "year" else f"lpad({value}, 2, '0')"


def _clock(names: list[str], of: Callable[[str], str]) -> str:
    if "minute" not in names:
        return ""
    hour = f"lpad({of('hour')}, 2, '0')" if "hour" in names else ""
    if not hour:
        half, noon = of("half"), of("noon")
        later = f"CASE WHEN {noon} = 'PM' THEN 12 ELSE 0 END"
        hour = f"lpad(CAST(CAST({half} AS INTEGER) % 12 + {later} AS VARCHAR), 2, '0')"
    clock = f"{hour} || ':' || {of('minute')}"
    if "second" in names:
        clock += f" || ':' || {of('second')}"
    if "fraction" in names:
        clock += f" || '.' || {of('fraction')}"
    return clock


def _number(text: str, decimal: str, group: str) -> str:
    digits = "[0-9]+"
    if group:
        mark = f"\\x{{{ord(group):x}}}"
        digits = f"(?:[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+|[0-9]+)"
    point = f"\\x{{{ord(decimal):x}}}"
    bare = f"replace({text}, {literal(group)}, '')" if group else text
    return (
        f"CASE WHEN regexp_full_match({text}, {literal(f'[+-]?{digits}(?:{point}[0-9]+)?')}) "
        f"THEN replace({bare}, {literal(decimal)}, '.') END"
    )
