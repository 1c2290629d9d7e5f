"""Lengths of time that users write: `36h`, `90 days`."""

from __future__ import annotations

import re

from headgate.project import fields
from headgate.project.fields import Notes
from headgate.project.yaml import Node

AGE = r"\s*([1-9][0-9]{0,4})\s*(m|min|minutes?|h|hours?|d|days?|w|weeks?)\s*"
FOREVER = "forever"
_SECS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def age(notes: Notes, node: Node, what: str, forever: bool = False) -> int | None:
    """Seconds of `26h`, `90 days`, `2 weeks`; None for `forever`, and (with a note) for anything else."""
    word = fields.text(notes, node, what)
    if word is None or (forever and word.strip() == FOREVER):
        return None
    found = re.fullmatch(AGE, word)
    if found is None:
        more = f", or {what}: {FOREVER}" if forever else ""
        fix = f"write a number and a unit: {what}: 36h, {what}: 90 days{more}"
        notes.error("bad-value", f"{what} can't be {word!r}", node.where, fix)
        return None
    return int(found[1]) * _SECS[found[2][0]]
