"""What stands under `history:`, `health:` and `report:` of headgate.yml, and `freshness:` of an ingest file."""

from __future__ import annotations

from headgate.project import fields, load
from headgate.project.ages import age
from headgate.project.fields import Notes
from headgate.project.model import Observing
from headgate.project.yaml import Mapping, Node

KEYS = {"history": ("keep",), "health": ("quarantine_at_most",), "report": ("after_run", "samples")}
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
