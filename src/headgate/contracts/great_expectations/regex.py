"""Regular expressions of Python as RE2: equal in what `re.search` finds, or refused."""

from __future__ import annotations

import re
import warnings
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from headgate.contracts.ecma import MOST_REPEATS, Untranslatable

_SETS = {
    codes.CATEGORY_DIGIT: r"\p{Nd}",
    codes.CATEGORY_NOT_DIGIT: r"\P{Nd}",
    codes.CATEGORY_WORD: r"\p{L}\p{N}_",
    codes.CATEGORY_SPACE: r"\t-\r\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}"
    r"\x{3000}",
}
_NEGATED = {codes.CATEGORY_NOT_WORD: codes.CATEGORY_WORD, codes.CATEGORY_NOT_SPACE: codes.CATEGORY_SPACE}
_ASCII = {
    codes.CATEGORY_DIGIT: "0-9",
    codes.CATEGORY_WORD: "0-9A-Za-z_",
    codes.CATEGORY_SPACE: r"\t-\r ",
}
_AT = {codes.AT_BEGINNING: r"\A", codes.AT_BEGINNING_STRING: r"\A", codes.AT_END_STRING: r"\z"}


def to_re2(pattern: str) -> str:
    """The pattern in RE2's spelling. Raises Untranslatable, saying what stands in the way."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later Python may read otherwise
            tree = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise Untranslatable(f"this is no regular expression of Python: {error}") from error
    flags = tree.state.flags
    for flag in (re.IGNORECASE, re.MULTILINE, re.LOCALE):
        if flags & flag:
            raise Untranslatable("flags other than (?s), (?x) and (?a) are not supported")
    return _Writer(bool(flags & re.DOTALL), bool(flags & re.ASCII)).sequence(tree, last=True)


class _Writer:
    def __init__(self, dot_all: bool, ascii_only: bool) -> None:
        self.any = "(?s:.)" if dot_all else "."
        self.ascii = ascii_only

    def sequence(self, items: Any, last: bool) -> str:
        """The items in order; `last`: nothing of the pattern follows them."""
        items = list(items)
        return "".join(
            self.item(item[0], item[1], last and number == len(items) - 1) for number, item in enumerate(items)
        )

    def item(self, code: Any, value: Any, last: bool) -> str:
        if code is codes.LITERAL:
            return _char(value)
        if code is codes.NOT_LITERAL:
            return f"[^{_char(value, _IN_CLASS)}]"
        if code is codes.ANY:
            return self.any
        if code is codes.IN:
            return self.members(value)
        if code is codes.BRANCH:
            return "(?:" + "|".join(self.sequence(one, last) for one in value[1]) + ")"
        if code is codes.SUBPATTERN:
            _, added, removed, inner = value
            if added or removed:
                raise Untranslatable("flags of a group are not supported")
            return f"(?:{self.sequence(inner, last)})"
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            return self.repeat(code, *value)
        if code is codes.AT:
            return self.anchor(value, last)
        raise Untranslatable(_WHY.get(code, "this has no counterpart in RE2"))

    def anchor(self, code: Any, last: bool) -> str:
        if code in _AT:
            return _AT[code]
        if code is codes.AT_END and last:
            return r"\n?\z"  # Python's $ also matches before a line feed at the end
        if code is codes.AT_BOUNDARY and self.ascii:
            return r"\b"
        raise Untranslatable("a $ before the end, or a \\b that knows Unicode, has no counterpart in RE2")

    def repeat(self, code: Any, low: int, high: Any, inner: Any) -> str:
        unbounded = high is codes.MAXREPEAT
        if low > MOST_REPEATS or (not unbounded and high > MOST_REPEATS):
            raise Untranslatable(f"RE2 repeats at most {MOST_REPEATS} times")
        most = None if unbounded else int(high)
        many = _MANY.get((low, most)) or (f"{{{low}}}" if low == most else f"{{{low},{'' if most is None else most}}}")
        text = self.sequence(inner, last=False)
        one = text if len(inner) == 1 and inner[0][0] in _ATOMS else f"(?:{text})"
        return f"{one}{many}{'?' if code is codes.MIN_REPEAT else ''}"

    def members(self, items: Any) -> str:
        negated = items[0][0] is codes.NEGATE
        rest = items[1:] if negated else items
        if len(rest) == 1 and rest[0][0] is codes.CATEGORY and rest[0][1] in _NEGATED:
            return f"[{'' if negated else '^'}{self.category(_NEGATED[rest[0][1]])}]"
        return f"[{'^' if negated else ''}{''.join(self.member(*one) for one in rest)}]"

    def member(self, code: Any, value: Any) -> str:
        if code is codes.LITERAL:
            return _char(value, _IN_CLASS)
        if code is codes.RANGE:
            return f"{_char(value[0], _IN_CLASS)}-{_char(value[1], _IN_CLASS)}"
        return self.category(value)

    def category(self, value: Any) -> str:
        found = (_ASCII if self.ascii else _SETS).get(value)
        if found is None:
            raise Untranslatable("a set like \\W or \\S among others in a class has no counterpart in RE2")
        return found


_WHY = {
    codes.ASSERT: "look-around has no counterpart in RE2",
    codes.ASSERT_NOT: "look-around has no counterpart in RE2",
    codes.GROUPREF: "back-references have no counterpart in RE2",
    codes.GROUPREF_EXISTS: "back-references have no counterpart in RE2",
}


_MANY: dict[tuple[int, int | None], str] = {(0, None): "*", (1, None): "+", (0, 1): "?"}
_ATOMS = (codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN, codes.BRANCH, codes.SUBPATTERN)
_ALONE, _IN_CLASS = r"\.+*?()|[]{}^$", r"\[]^-"


def _char(code: int, meta: str = _ALONE) -> str:
    """The character, behind a backslash where it means something; `meta`: which ones do."""
    char = chr(code)
    if 0xD800 <= code < 0xE000:
        raise Untranslatable("half of a surrogate pair matches no character")
    if not char.isascii() or not char.isprintable():
        return f"\\x{{{code:x}}}"
    return f"\\{char}" if char in meta else char
