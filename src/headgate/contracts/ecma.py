"""Regular expressions of ECMA-262 (ODCS, JSON Schema) as RE2: equal in what they match, or refused.

Read as with the flag `u`: a character is a code point. What RE2 reads otherwise is written so that it means the same:
`.` (all but four line ends), `\\s` (Unicode blanks), `[^]`, `\\uXXXX`, `\\cX`. Look-around, back-references and flags
inside of the pattern have no counterpart.
"""

from __future__ import annotations

import re

ANY = r"[^\n\r\x{2028}\x{2029}]"
BLANKS = r"\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}"
NO_BLANKS = (
    r"\x{0}-\x{8}\x{e}-\x{1f}!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}"
    r"\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}"
)
MOST_REPEATS = 1000
"""RE2 repeats nothing more often."""

_QUANTIFIER = re.compile(r"\{([0-9]{1,9})(?:(,)([0-9]{0,9}))?\}")
_ESCAPE = re.compile(
    r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})"
    r"|x([0-9a-fA-F]{2})|c([A-Za-z])|(0)(?![0-9])|([fnrtv])|([pP])\{([A-Za-z_]+=)?([A-Za-z_]+)\}|(.))",
    re.DOTALL,
)
_CATEGORIES = re.compile("C[cfo]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?")
_SCRIPTS = ("Arabic", "Cyrillic", "Greek", "Han", "Hebrew", "Hiragana", "Katakana", "Latin", "Thai")
_CONTROLS = {"f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_PLAIN_CLASS = re.compile(r"\[\^?(?:[^\\\[\]^]|\\[dwDW.*+?()\[\]{}|^$/\\-])+\]")


class Untranslatable(ValueError):
    """The pattern has no equal in RE2; the message says what stands in the way."""


def to_re2(pattern: str) -> str:
    """The pattern in RE2's spelling; unchanged where it means the same as it is. Raises Untranslatable."""
    reader = _Reader(pattern)
    parts: list[str] = []
    while reader.at < len(pattern):
        parts.append(reader.next())
    if reader.depth:
        raise Untranslatable("a group is never closed")
    return "".join(parts)


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern, self.at, self.depth = pattern, 0, 0
        self.atom = False
        """Whether a quantifier may follow."""

    def next(self) -> str:
        """The next piece, translated."""
        char = self.pattern[self.at]
        if char == "[":
            return self._atom(self._class())
        if char == "\\":
            return self._escape()
        if char == "(":
            return self._group()
        if char in "*+?{" or char == "}":
            return self._quantifier(char)
        self.at += 1
        if char == ")":
            self.depth -= 1
            if self.depth < 0:
                raise Untranslatable("a group is closed that was never opened")
            return self._atom(char)
        if char == "]":
            raise Untranslatable("a ] stands alone; write \\]")
        if char in "^$|":
            self.atom = False
            return char
        return self._atom(ANY if char == "." else char)

    def _atom(self, text: str) -> str:
        self.atom = True
        return text

    def _group(self) -> str:
        rest = self.pattern[self.at :]
        self.depth, self.atom = self.depth + 1, False
        if not rest.startswith("(?"):
            self.at += 1
            return "("
        if rest.startswith("(?:"):
            self.at += 3
            return "(?:"
        named = re.match(r"\(\?<[A-Za-z_$][\w$]*>", rest)
        if named is not None:
            self.at += named.end()
            return "(?:"
        if rest.startswith(("(?=", "(?!", "(?<=", "(?<!")):
            raise Untranslatable("look-around has no counterpart in RE2")
        raise Untranslatable("flags inside of a pattern are not supported")

    def _quantifier(self, char: str) -> str:
        match = _QUANTIFIER.match(self.pattern, self.at) if char == "{" else None
        if char in "{}" and match is None:
            raise Untranslatable(f"a {char} stands alone; write \\{char}")
        if not self.atom:
            raise Untranslatable(f"nothing stands before {char}")
        text = match[0] if match is not None else char
        self.at += len(text)
        if match is not None:
            low, high = int(match[1]), int(match[3]) if match[3] else int(match[1])
            if max(low, high) > MOST_REPEATS:
                raise Untranslatable(f"RE2 repeats at most {MOST_REPEATS} times")
            if low > high:
                raise Untranslatable(f"the numbers of {text} are out of order")
        if self.pattern.startswith("?", self.at):
            self.at += 1
            text += "?"
        self.atom = False
        return text

    def _escape(self) -> str:
        match = _ESCAPE.match(self.pattern, self.at)
        if match is None:
            raise Untranslatable("a backslash ends the pattern")
        self.at = match.end()
        letter = match[12]
        if letter in ("b", "B"):
            self.atom = False
            return match[0]
        if letter in ("d", "D", "w", "W"):
            return self._atom(match[0])
        if letter in ("s", "S"):
            return self._atom(f"[{'^' if letter == 'S' else ''}{BLANKS}]")
        return self._atom(_single(match))

    def _class(self) -> str:
        """The class that begins here."""
        plain = _PLAIN_CLASS.match(self.pattern, self.at)
        if plain is not None and not _odd_range(plain[0]):
            self.at = plain.end()
            return plain[0]
        self.at += 1
        negated = self.pattern.startswith("^", self.at)
        self.at += negated
        members: list[str] = []
        while not self.pattern.startswith("]", self.at):
            members.append(self._member())
        self.at += 1
        if not members:
            return r"[\x{0}-\x{10ffff}]" if negated else r"[^\x{0}-\x{10ffff}]"
        return f"[{'^' if negated else ''}{''.join(members)}]"

    def _member(self) -> str:
        """One character, range or set of a class."""
        low = self._point()
        behind = self.pattern[self.at + 1 : self.at + 2]
        if not self.pattern.startswith("-", self.at) or behind in ("]", ""):
            return low if isinstance(low, str) else f"\\x{{{low:x}}}"
        self.at += 1
        high = self._point()
        if isinstance(low, str) or isinstance(high, str):
            raise Untranslatable("a range of a class ends in a set of characters")
        if low > high:
            raise Untranslatable("a range of a class is out of order")
        return f"\\x{{{low:x}}}-\\x{{{high:x}}}"

    def _point(self) -> int | str:
        """A code point, or the text of a set."""
        if self.at >= len(self.pattern):
            raise Untranslatable("a class is never closed")
        char = self.pattern[self.at]
        if char != "\\":
            self.at += 1
            return ord(char)
        match = _ESCAPE.match(self.pattern, self.at)
        if match is None:
            raise Untranslatable("a class is never closed")
        self.at = match.end()
        letter = match[12]
        if letter in ("d", "D", "w", "W"):
            return match[0]
        if letter in ("s", "S"):
            return BLANKS if letter == "s" else NO_BLANKS
        if letter == "b":
            return 8
        if match[9]:
            return _property(match)
        return _code(match)


def _odd_range(text: str) -> bool:
    """Whether a class of plain members has a range that is not one of single characters in order."""
    inside = re.sub(r"\\([dwDW])", "\x00", text[1:-1].removeprefix("^"))
    inside = re.sub(r"\\(.)", "\x01", inside)
    ranges = re.findall(r"(.)-(.)", inside, re.DOTALL)
    return any(low in "\x00\x01" or high in "\x00\x01" or low > high for low, high in ranges)


def _single(match: re.Match[str]) -> str:
    """An escape outside of a class."""
    if match[9]:
        return _property(match)
    code = _code(match)
    if match[12] or match[8]:
        return match[0]
    return f"\\x{{{code:x}}}"


def _property(match: re.Match[str]) -> str:
    kind, key, name = match[9], match[10], match[11]
    if key in (None, "gc=", "General_Category=") and _CATEGORIES.fullmatch(name):
        return f"\\{kind}{{{name}}}"
    if key in ("sc=", "Script=") and name in _SCRIPTS:
        return f"\\{kind}{{{name}}}"
    raise Untranslatable(f"{match[0]} has no counterpart in RE2")


def _code(match: re.Match[str]) -> int:
    """The code point of an escape of one character."""
    point, high, low, unit, byte, control, zero, letter = match.groups()[:8]
    if high:
        return 0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00)
    if digits := point or unit or byte:
        return _scalar(int(digits, 16))
    if control:
        return ord(control) % 32
    if zero:
        return 0
    if letter:
        return _CONTROLS[letter]
    char = match[12]
    if char.isdigit() or char == "k":
        raise Untranslatable("back-references have no counterpart in RE2")
    if char not in "^$\\.*+?()[]{}|/-":
        raise Untranslatable(f"\\{char} is no escape of ECMA-262")
    return ord(char)


def _scalar(code: int) -> int:
    if 0xD800 <= code < 0xE000 or code > 0x10FFFF:
        raise Untranslatable("half of a surrogate pair matches no character")
    return code
