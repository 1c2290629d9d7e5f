"""What stands under `evolution:`."""

from __future__ import annotations

from dataclasses import asdict

from headgate.contracts.evolution import CASES, WORDS, Policy, Word
from headgate.project import fields
from headgate.project.fields import Notes
from headgate.project.yaml import Mapping, Node


def read(notes: Notes, node: Node | None) -> Policy:
    """One word for every case, or a word per case; the defaults where nothing is said or it can't be known."""
    if node is None:
        return Policy()
    if isinstance(node, Mapping):
        return _mapping(notes, node)
    word = fields.choice(notes, node, "evolution", WORDS)
    return Policy() if word is None else Policy.all(_word(word))


def _mapping(notes: Notes, node: Mapping) -> Policy:
    fields.known(notes, node, CASES, "evolution")
    policy = Policy()
    for key, value in node.entries:
        word = fields.choice(notes, value, key.text, WORDS) if key.text in CASES else None
        if word is not None:
            policy = Policy(**(asdict(policy) | {key.text: _word(word)}))
    return policy


def _word(text: str) -> Word:
    return next(word for word in WORDS if word == text)
