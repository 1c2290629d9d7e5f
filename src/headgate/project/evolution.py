"""What stands under `evolution:`."""

from __future__ import annotations

from dataclasses import asdict

from headgate.contracts.evolution import CASES, WORDS, Policy, Word
from headgate.contracts.model import Contract
from headgate.project import fields
from headgate.project.fields import Notes
from headgate.project.model import LoadSpec
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


def may_grow(notes: Notes, node: Mapping, policy: Policy, how: LoadSpec, contract: Contract | None) -> None:
    """Notes what forbids that files bring columns: `extra: evolve`."""
    why = ""
    if policy.new == "freeze":
        why = "evolution: {new: freeze} adds no column"
    elif how.history is not None:
        why = "a table of versions keeps its columns: each row carries a digest of them"
    elif contract is not None and contract.model is not None:
        why = "a Pydantic model says which columns there are"
    if why:
        notes.error("bad-value", f"extra: evolve can't be: {why}", node.where, "say extra: quarantine, or ignore")
