"""What stands under `history:`, `health:` and `report:` of headgate.yml, and `freshness:` of an ingest file."""

from __future__ import annotations

import re

from headgate.project import fields, load
from headgate.project.fields import Notes
from headgate.project.model import Observing
from headgate.project.yaml import Mapping, Node

KEYS = {"history": ("keep",), "health": ("quarantine_at_most",), "report": ("after_run", "samples")}
AGE = r"\s*([1-9][0-9]{0,4})\s*(m|min|minutes?|h|hours?|d|days?|w|weeks?)\s*"
FOREVER = "forever"
_SECS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
MOST_SAMPLES = 20


def read(notes: Notes, node: Mapping) -> Observing:
    """The settings; defaults where nothing is said or it can't be known."""
    found = Observing()
    parts = {key: fields.mapping(notes, node.get(key), key) for key in KEYS}
    said: dict[str, Node] = {}
    for key, part in parts.items():
        if part is not None:
            fields.known(notes, part, KEYS[key], key)
            said |= {name: value for name in KEYS[key] if (value := part.get(name)) is not None}
    keep, page, samples = found.keep_secs, found.page, found.samples
    if "keep" in said:
        keep = age(notes, said["keep"], "keep", forever=True)
    if "after_run" in said:
        page = fields.flag(notes, said["after_run"], "after_run") is not False
    if "samples" in said:
        samples = _samples(notes, said["samples"])
    limit = load.limit(notes, said.get("quarantine_at_most"), "quarantine_at_most") or found.quarantine_at_most
    return Observing(keep, limit, page, samples)


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


def freshness(notes: Notes, node: Node | None) -> int | None:
    """After how many seconds without a load the table is stale; None where nothing is declared."""
    return None if node is None else age(notes, node, "freshness")


def _samples(notes: Notes, node: Node) -> int:
    word = fields.text(notes, node, "samples")
    if word is not None and word.isdecimal() and int(word) <= MOST_SAMPLES:
        return int(word)
    if word is not None:
        what = f"samples is a number from 0 to {MOST_SAMPLES}, not {word!r}"
        notes.error("bad-value", what, node.where, "write samples: 3")
    return 0
