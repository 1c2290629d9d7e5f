"""What one rule of a column says about itself: `between(0, 9, severity=warn)`, `in(a, b, mostly=95%)`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from headgate.contracts.batch import Share
from headgate.contracts.grammar import Arg, Item, Mistake
from headgate.contracts.model import Severity
from headgate.contracts.rules import Draft, Rule, share_of
from headgate.core.records import dataclass

FORMED = ("from", "pii", "warn", "mostly", "key", "format", "number", "comma", "words", "null")
"""What takes neither `severity=` nor `mostly=`."""


@dataclass(frozen=True)
class Said:
    """What a rule says about itself by `severity=` (of references also `unmatched=`) and `mostly=`."""

    severity: Severity | None = None
    mostly: Share | None = None
    nulls: bool = False


def split(item: Item) -> tuple[Item, Said]:
    """The rule without its words `severity=warn` and `mostly=95%`, and what these say. Raises Mistake."""
    said, kept = Said(), []
    for arg in item.args or ():
        match = None if arg.quoted or item.name in FORMED else _SAYING.fullmatch(arg.value)
        if match is None or (match[1] == "unmatched" and item.name != "references"):
            kept.append(arg)
        elif match[1] == "mostly":
            said = replace(said, mostly=share_of(arg, match[2]))
        else:
            nulls = match[1] == "unmatched" and match[2] == "null"
            severity = "error" if nulls else _severity(arg, match[1], match[2])
            said = replace(said, severity=severity, nulls=nulls)
    if len(kept) == len(item.args or ()):
        return item, said
    return replace(item, args=tuple(kept) or None), said


_SAYING = re.compile(r"(severity|mostly|unmatched)\s*=\s*(.*)")


def apply(draft: Draft, compile_rule: Callable[[Draft, Item], None], item: Item) -> None:
    """Read one rule with what it says about itself into the draft. Raises Mistake."""
    bare, said = split(item)
    before = len(draft.rows), len(draft.uniques), len(draft.references)
    compile_rule(draft, bare)
    if said == Said():
        return
    if said.severity is not None and len(draft.uniques) > before[1]:
        raise Mistake("rule-syntax", "unique always refuses", item.start, "remove severity=, or write mostly=95%")
    draft.uniques[before[1] :] = [replace(rule, mostly=said.mostly) for rule in draft.uniques[before[1] :]]
    _settle(draft, "rows", draft.rows, before[0], said)
    _settle(draft, "references", draft.references, before[2], said)
    draft.references[before[2] :] = [replace(rule, nulls=said.nulls) for rule in draft.references[before[2] :]]


def _settle(draft: Draft, group: str, rules: list[Rule], first: int, said: Said) -> None:
    for number in range(first, len(rules)):
        severity = said.severity or rules[number].severity
        rules[number] = replace(rules[number], severity=severity, mostly=said.mostly)
        draft.settled |= {(group, number)} if said.severity is not None else set()


def _severity(arg: Arg, key: str, word: str) -> Severity:
    words: dict[str, Severity] = {"error": "error", "warn": "warn"}
    if key == "unmatched":
        words = {"quarantine": "error", "refuse": "error", "warn": "warn"}
    if word not in words:
        listed = "quarantine, null or warn" if key == "unmatched" else " or ".join(words)
        fix = f"write {key}={listed}"
        raise Mistake("rule-syntax", f"{key} can't be {word!r}", arg.start, fix)
    return words[word]
