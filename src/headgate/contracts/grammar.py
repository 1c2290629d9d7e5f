"""The short form's grammar: one line of text into items with their places.

    line = item { "," item }             the first item is the type, the others are rules
    item = name [ "(" [ arg { "," arg } ] ")" ]
    arg  = word | 'quoted' | "quoted"    in quotes, the doubled quote stands for itself

A word holds anything but a comma, a parenthesis or a quote, without blanks at its ends.
"""

from __future__ import annotations

from dataclasses import field

from headgate.core.errors import Edit, Finding, Location
from headgate.core.records import dataclass

ENDS = ",()"
QUOTES = "'\""


@dataclass(frozen=True)
class TextPlace(Location):
    """Where a text begins, and where each of its characters stands (see PlacedText)."""

    offsets: tuple[tuple[int, int], ...] = field(default=(), compare=False, repr=False)

    def at(self, offset: int) -> Location:
        if not self.offsets:
            return Location(self.path, self.line, self.column + offset)
        return Location(self.path, *self.offsets[max(0, min(offset, len(self.offsets) - 1))])


@dataclass(frozen=True)
class PlacedText:
    """Text and where each of its characters stands in a file.

    Without `offsets` the text stands on one line, character by character, from `line` and `column` (1-based) on.
    """

    text: str
    path: str
    line: int = 1
    column: int = 1
    offsets: tuple[tuple[int, int], ...] = ()

    def at(self, offset: int) -> Location:
        """The place of the character at `offset`; behind the end, that of the last one."""
        return self.place().at(max(0, min(offset, len(self.text))))

    def place(self, start: int = 0) -> TextPlace:
        """The place of the text from `start` on, which knows the places of the characters behind it."""
        if not self.offsets:
            return TextPlace(self.path, self.line, self.column + start)
        offsets = self.offsets[start:] or self.offsets[-1:]
        return TextPlace(self.path, *offsets[0], offsets)


@dataclass(frozen=True)
class Change:
    """What would put a mistake right: from `start` on, `old` becomes `new`."""

    start: int
    old: str
    new: str


class Mistake(Exception):
    """Something wrong at one offset of one line; becomes a Finding where the line's place is known."""

    def __init__(self, code: str, what: str, offset: int, fix: str, change: Change | None = None) -> None:
        super().__init__(what)
        self.code, self.what, self.offset, self.fix, self.change = code, what, offset, fix, change

    def finding(self, text: PlacedText) -> Finding:
        edits: tuple[Edit, ...] = ()
        if self.change is not None and not text.offsets:
            edits = (Edit.at(text.at(self.change.start), self.change.old, self.change.new),)
        return Finding(self.code, "error", self.what, str(text.at(self.offset)), self.fix, edits=edits)


@dataclass(frozen=True)
class Arg:
    """One argument: its value, whether it stood in quotes, and where it begins."""

    value: str
    quoted: bool
    start: int


@dataclass(frozen=True)
class Item:
    """A name with its arguments; `args` is None where no parentheses follow. `text` is the item as written."""

    name: str
    args: tuple[Arg, ...] | None
    start: int
    text: str


def items(text: str) -> list[Item]:
    """The items of one line, in order. Raises Mistake at the first character that does not fit the grammar."""
    found: list[Item] = []
    at = 0
    while True:
        item, at = _item(text, at)
        found.append(item)
        if at >= len(text):
            return found
        at += 1


def _item(text: str, at: int) -> tuple[Item, int]:
    """The item that begins at `at`, and the offset of the comma behind it (or the end)."""
    start = _skip(text, at)
    end = _word_end(text, start)
    name = text[start:end].strip()
    if not name:
        raise _unexpected(text, start, "a type or a rule")
    if end >= len(text) or text[end] == ",":
        return Item(name, None, start, name), end
    if text[end] != "(":
        raise _unexpected(text, end, "a comma or an opening parenthesis")
    args, closed = _args(text, end)
    behind = _skip(text, closed)
    if behind < len(text) and text[behind] != ",":
        raise _unexpected(text, behind, "a comma")
    return Item(name, args, start, text[start:closed]), behind


def _args(text: str, opened: int) -> tuple[tuple[Arg, ...], int]:
    """The arguments behind the parenthesis at `opened`, and the offset behind the closing one."""
    at = _skip(text, opened + 1)
    if at < len(text) and text[at] == ")":
        return (), at + 1
    args: list[Arg] = []
    while True:
        arg, at = _arg(text, _skip(text, at), opened)
        args.append(arg)
        if text[at] == ")":
            return tuple(args), at + 1
        at += 1


def _arg(text: str, start: int, opened: int) -> tuple[Arg, int]:
    """One argument, and the offset of the comma or closing parenthesis behind it."""
    if start < len(text) and text[start] in QUOTES:
        value, end = _quoted(text, start)
        arg, end = Arg(value, True, start), _skip(text, end)
    else:
        end = _word_end(text, start)
        arg = Arg(text[start:end].strip(), False, start)
    if end >= len(text):
        raise Mistake("rule-syntax", "the parenthesis is never closed", opened, "add the closing parenthesis")
    if text[end] not in ",)":
        fix = "put a value that holds a parenthesis or a quote in quotes: 'value'"
        raise Mistake("rule-syntax", f"unexpected {text[end]!r} in an argument", end, fix)
    if not arg.quoted and not arg.value:
        raise Mistake("rule-syntax", "an argument is empty", start, "write a value, or '' for empty text")
    return arg, end


def _quoted(text: str, start: int) -> tuple[str, int]:
    """The value of the quoted text at `start`, and the offset behind its closing quote."""
    quote, at, parts = text[start], start + 1, []
    while True:
        end = text.find(quote, at)
        if end < 0:
            raise Mistake("rule-syntax", f"the quote {quote} is never closed", start, f"add the closing {quote}")
        parts.append(text[at:end])
        if text[end + 1 : end + 2] != quote:
            return "".join(parts), end + 1
        parts.append(quote)
        at = end + 2


def _word_end(text: str, at: int) -> int:
    while at < len(text) and text[at] not in ENDS and text[at] not in QUOTES:
        at += 1
    return at


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _unexpected(text: str, at: int, wanted: str) -> Mistake:
    got = repr(text[at]) if at < len(text) else "the end of the line"
    return Mistake("rule-syntax", f"expected {wanted}, found {got}", at, "write `type, rule, rule(...)`")
