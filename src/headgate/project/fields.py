"""Typed access to the keys of a mapping; whatever is wrong is noted and reading goes on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from headgate.core.errors import Edit, Finding, HeadgateError, Location, nearest, only_match
from headgate.project.yaml import Mapping, Node, Scalar
from headgate.project.yaml import Sequence as YamlSequence

TRUE = ("true", "yes", "on")
FALSE = ("false", "no", "off")


class Notes:
    """The findings of one reading, in the order found."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def error(self, code: str, what: str, where: Location | str, fix: str, edits: tuple[Edit, ...] = ()) -> None:
        self.findings.append(Finding(code, "error", what, str(where), fix, edits=edits))

    def take(self, error: HeadgateError) -> None:
        self.findings.extend(error.findings)


def kind(node: Node) -> str:
    """What the node is, in the user's words."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, YamlSequence):
        return "a list"
    return "nothing" if node.empty else f"{node.text!r}"


def text(notes: Notes, node: Node, what: str) -> str | None:
    """The text of a scalar; None and a note where it is something else or nothing."""
    if isinstance(node, Scalar) and not node.empty:
        return node.text
    notes.error("bad-value", f"{what} must be one value, not {kind(node)}", node.where, f"write {what}: value")
    return None


def choice(notes: Notes, node: Node, what: str, words: Sequence[str]) -> str | None:
    """One of the words; None and a note otherwise."""
    word = text(notes, node, what)
    if word is None or word in words:
        return word
    listed, what = ", ".join(words), f"{what} can't be {word!r}{nearest(word, words)}"
    notes.error("bad-value", what, node.where, f"use one of {listed}", meant(node, words))
    return None


def meant(node: Node, words: Iterable[str]) -> tuple[Edit, ...]:
    """The edit that writes the one of `words` that was certainly meant; none where it is not certain."""
    if not isinstance(node, Scalar) or node.placed.offsets:
        return ()
    word = only_match(node.text, words)
    return (Edit.at(node.placed.at(0), node.text, word),) if word is not None else ()


def flag(notes: Notes, node: Node, what: str) -> bool | None:
    """true or false (also yes/no, on/off); None and a note otherwise."""
    word = (text(notes, node, what) or "").lower()
    if word in TRUE or word in FALSE:
        return word in TRUE
    if word:
        notes.error("bad-value", f"{what} is true or false, not {word!r}", node.where, f"write {what}: true")
    return None


_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_FRACTION = re.compile(r"-?[0-9]+\.[0-9]+([eE][-+]?[0-9]{1,3})?")


def value(node: Node) -> object:
    """The node as plain data: `true`, `false`, `null` and numbers in YAML's own spelling, written without quotes, are
    what they say; everything else is text as written (`NO` is "NO")."""
    if isinstance(node, Mapping):
        return {key.text: value(item) for key, item in node.entries}
    if isinstance(node, YamlSequence):
        return [value(item) for item in node.items]
    if node.empty or (node.plain and node.text in ("null", "~")):
        return None
    if node.plain and node.text in ("true", "false"):
        return node.text == "true"
    if node.plain and _WHOLE.fullmatch(node.text):
        return int(node.text)
    return float(node.text) if node.plain and _FRACTION.fullmatch(node.text) else node.text


def texts(notes: Notes, node: Node, what: str) -> tuple[str, ...] | None:
    """One value or a list of values; None and a note otherwise."""
    nodes = node.items if isinstance(node, YamlSequence) else (node,)
    values = [text(notes, item, what) for item in nodes]
    return tuple(value for value in values if value is not None) if None not in values else None


def mapping(notes: Notes, node: Node | None, what: str) -> Mapping | None:
    """The mapping; None (and a note if it is something else)."""
    if node is None or isinstance(node, Mapping):
        return node
    notes.error("bad-value", f"{what} must be a mapping, not {kind(node)}", node.where, f"write keys under {what}:")
    return None


def known(notes: Notes, node: Mapping, names: Iterable[str], what: str, later: Iterable[str] = ()) -> None:
    """Note every key that is none of `names`; those in `later` are real, but not supported."""
    allowed = list(names)
    for key, _ in node.entries:
        if key.text in allowed:
            continue
        fix = f"{what} takes {', '.join(allowed)}"
        if key.text in later:
            notes.error("not-supported", f"{key.text!r} is not supported in {what}", key.where, fix)
        else:
            hint = nearest(key.text, allowed)
            free = [name for name in allowed if node.key(name) is None]
            sure = only_match(key.text, allowed) in free
            edits = meant(key, allowed) if sure else ()
            notes.error("unknown-key", f"unknown key {key.text!r} in {what}{hint}", key.where, fix, edits)
