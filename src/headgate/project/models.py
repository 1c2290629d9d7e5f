"""A Pydantic model under `contract:`: `contract: {pydantic: schemas.py:SalesRecord}`."""

from __future__ import annotations

from pathlib import Path

from headgate.contracts.model import Contract
from headgate.contracts.pydantic import model_contract
from headgate.core.errors import HeadgateError
from headgate.project.fields import Notes
from headgate.project.source import function
from headgate.project.yaml import Mapping, Node

KEY = "pydantic"


def names_model(node: Node | None) -> bool:
    """Whether what stands under `contract:` names a Pydantic model."""
    return isinstance(node, Mapping) and node.names() == [KEY]


def read(notes: Notes, node: Mapping, root: Path, beside: Contract) -> Contract | None:
    """The model's contract, with the rules, skips and limit of `beside`; its file is run. Everything wrong is noted."""
    written = node.get(KEY)
    assert written is not None
    reference = function(notes, written, KEY)
    if reference is None:
        return None
    try:
        return model_contract(reference, root, written.where, beside)
    except HeadgateError as error:
        notes.take(error)
        return None
