"""Rules in Python under `rules:`: `name: {python: rules/orders.py:check_amount, severity: warn}`."""

from __future__ import annotations

from pathlib import Path

from headgate.contracts.calls import call_rule
from headgate.contracts.model import CallRule, Severity
from headgate.contracts.short import RESERVED_CODES
from headgate.project import fields
from headgate.project.fields import Notes
from headgate.project.source import function
from headgate.project.yaml import Mapping, Node, Scalar


def python_rules(notes: Notes, node: Node | None, root: Path) -> tuple[CallRule, ...]:
    """The rules that name a function, in the order written. No file is run. Everything wrong is noted."""
    found = [_rule(notes, name, value, root) for name, value in _entries(node) if _is_python(value)]
    return tuple(rule for rule in found if rule is not None)


def others(node: Node | None) -> Node | None:
    """What is under `rules:` without the rules in Python; None where nothing is left."""
    if not isinstance(node, Mapping):
        return node
    rest = tuple((name, value) for name, value in node.entries if not _is_python(value))
    return Mapping(rest, node.where) if rest or not node.entries else None


def _entries(node: Node | None) -> tuple[tuple[Scalar, Node], ...]:
    return node.entries if isinstance(node, Mapping) else ()


def _is_python(value: Node) -> bool:
    return isinstance(value, Mapping) and value.get("python") is not None


def _rule(notes: Notes, name: Scalar, value: Node, root: Path) -> CallRule | None:
    assert isinstance(value, Mapping)
    fields.known(notes, value, ("python", "severity"), f"rule {name.text}")
    if name.text in RESERVED_CODES:
        what = f"a rule can't be named {name.text!r}: reasons use that word for a rule of one column"
        notes.error("reserved-name", what, name.where, "give the rule another name")
    severity: Severity = "error"
    if (word := value.get("severity")) is not None:
        severity = "warn" if fields.choice(notes, word, "severity", ("error", "warn")) == "warn" else "error"
    written = value.get("python")
    assert written is not None
    called = function(notes, written, "python")
    return call_rule(name.text, called, root, severity, written.where) if called is not None else None
