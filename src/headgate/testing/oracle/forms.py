"""How a column's texts are written, read character by character."""

from __future__ import annotations

from dataclasses import dataclass

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DIGITS = "0123456789"


@dataclass(frozen=True)
class Form:
    """`pattern`: letters of the JDK for dates and times; `decimal`, `group`: marks of numbers; `true`, `false`: words
    of a bool; `nulls`: texts that mean NULL."""

    pattern: str = ""
    decimal: str = ""
    group: str = ""
    true: str = ""
    false: str = ""
    nulls: tuple[str, ...] = ()

    def plain(self, text: str) -> str | None:
        """The text in the spelling of the lexical table; None where it is not written so."""
        if self.pattern:
            return _moment(text, self.pattern)
        if self.decimal:
            return _number(text, self.decimal, self.group)
        if self.true:
            return {self.true: "true", self.false: "false"}.get(text)
        return text


def _number(text: str, decimal: str, group: str) -> str | None:
    sign, body = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    whole, mark, fraction = body.partition(decimal)
    if (mark and not fraction) or any(digit not in DIGITS for digit in fraction):
        return None
    parts = whole.split(group) if group else [whole]
    if any(digit not in DIGITS for part in parts for digit in part) or not parts[0]:
        return None
    if len(parts) > 1 and (len(parts[0]) > 3 or any(len(part) != 3 for part in parts[1:])):
        return None
    return sign + "".join(parts) + ("." + fraction if mark else "")


def _tokens(pattern: str) -> list[str]:
    """Runs of one letter, and fixed characters behind a `=`."""
    found: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "'":
            end = pattern.index("'", at + 1)
            found.append("=" + (pattern[at + 1 : end] or "'"))
            at = end + 1
        elif char.isascii() and char.isalpha():
            end = at
            while end < len(pattern) and pattern[end] == char:
                end += 1
            found.append(pattern[at:end])
            at = end
        else:
            found.append("=" + char)
            at += 1
    return found


def _moment(text: str, pattern: str) -> str | None:
    for said in _readings(text, _tokens(pattern)):
        day = "-".join([said["y"], said["M"], said["d"]]) if "y" in said else ""
        clock = ""
        if "m" in said:
            hour = said["H"] if "H" in said else f"{int(said['h']) % 12 + (12 if said['a'] == 'PM' else 0):02}"
            clock = hour + ":" + said["m"] + (":" + said["s"] if "s" in said else "")
            clock += "." + said["S"] if "S" in said else ""
        return " ".join(part for part in (day, clock) if part) + said.get("X", "")
    return None


def _readings(text: str, tokens: list[str]) -> list[dict[str, str]]:
    """Every way in which the tokens make up the whole text."""
    if not tokens:
        return [{}] if not text else []
    token, found = tokens[0], []
    for length, value in _taken(text, token):
        for rest in _readings(text[length:], tokens[1:]):
            name = {"u": "y", "x": "X"}.get(token[0], token[0])
            found.append(rest if token[0] == "=" else {name: value, **rest})
    return found


def _taken(text: str, run: str) -> list[tuple[int, str]]:
    """How many characters the run may take from the front, and what they say."""
    if run[0] == "=":
        return [(len(run) - 1, "")] if text.startswith(run[1:]) else []
    if run in ("MMM", "MMMM"):
        names = [name[:3] for name in MONTHS] if run == "MMM" else list(MONTHS)
        return [(len(name), f"{number:02}") for number, name in enumerate(names, 1) if text.startswith(name)]
    if run == "a":
        return [(2, text[:2])] if text[:2] in ("AM", "PM") else []
    if run[0] in "Xx":
        return _offsets(text, run)
    if len(run) > 1 or run == "S":
        digits = text[: len(run)]
        good = len(digits) == len(run) and all(digit in DIGITS for digit in digits)
        return [(len(run), digits)] if good and (run != "hh" or 1 <= int(digits) <= 12) else []
    low, high = {"M": (1, 12), "d": (1, 31), "H": (0, 23), "h": (1, 12)}[run]
    return [(len(str(n)), f"{n:02}") for n in range(low, high + 1) if text.startswith(str(n))]


def _offsets(text: str, token: str) -> list[tuple[int, str]]:
    found = [(1, "Z")] if token[0] == "X" and text[:1] == "Z" else []
    shapes = {1: ["+00", "+0000"], 2: ["+0000"], 3: ["+00:00"]}[len(token)]
    for shape in shapes:
        part = text[: len(shape)]
        same = len(part) == len(shape) and part[0] in "+-"
        if same and all((a in DIGITS) if b == "0" else a == b for a, b in zip(part[1:], shape[1:], strict=True)):
            found.append((len(shape), part))
    return found
