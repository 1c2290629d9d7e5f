"""Snapshots that YAML files describe in dbt's manner: a name, the relation whose versions are kept, and how."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from headgate.models import keeping
from headgate.project import fields, modeltests
from headgate.project.datatests import listed
from headgate.project.fields import Notes
from headgate.project.model import ModelFile
from headgate.project.modeltests import ModelEntry
from headgate.project.yaml import Mapping, Scalar, Sequence

HOW = ("unique_key", *keeping.KEYS)
CONFIG_KEYS = ("schema", *HOW, *modeltests.CONFIG_KEYS)
KEYS = tuple(key for key in ("name", "relation", *modeltests.MODEL_KEYS[1:]) if key != "contract")
LATER = ("enabled", "alias", "database", "target_schema", "target_database", "quote_columns", "persist_docs", "grants")
_NAME = re.compile(r"[^\W\d]\w*")
_TEXT = r"""\s*(?:'[^'"{}%\\]*'|"[^'"{}%\\]*")\s*"""
_RELATION = re.compile(rf"(?:\{{\{{)?\s*((?:ref\({_TEXT}\))|(?:source\({_TEXT},{_TEXT}\)))\s*(?:\}}\}})?")


def can_be_named(name: str) -> bool:
    """Whether a model can have this name."""
    return bool(_NAME.fullmatch(name)) and not name.lower().startswith("_hg") and "__hg_" not in name.lower()


def files(notes: Notes, node: Mapping, path: Path, root: Path) -> Iterator[ModelFile]:
    """The snapshots of one file as models, whose SQL says what the YAML says; everything wrong is noted."""
    folder = path.parent.relative_to(root / "models").as_posix()
    for entry in listed(notes, node.get("snapshots"), "snapshots"):
        one = fields.mapping(notes, entry, "a snapshot")
        if one is not None and (text := _text(notes, one)) is not None:
            name, sql = text
            yield ModelFile(name, path, sql, "" if folder == "." else folder)


def _text(notes: Notes, node: Mapping) -> tuple[str, str] | None:
    name, relation = _named(notes, node), node.get("relation")
    if name is None:
        return None
    if relation is None:
        notes.error("missing-key", f"snapshot {name!r} has no relation", node.where, "write relation: ref('customers')")
        return None
    said = fields.text(notes, relation, "relation")
    found = _RELATION.fullmatch(said.strip()) if said is not None else None
    if found is None:
        what = f"the relation of snapshot {name!r} is no ref() and no source()"
        notes.error(
            "bad-value", what, relation.where, "write relation: ref('customers'), or source('raw', 'customers')"
        )
        return None
    config = {"materialized": "snapshot", **_config(notes, node)}
    listing = ", ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in config.items())
    lines = "\n" * max(0, relation.where.line - 1)  # so that an error in it is told at its line
    return name, f"{lines}{{{{ config({listing}) }}}} select * from {{{{ {found[1]} }}}}"


def _named(notes: Notes, node: Mapping) -> str | None:
    named = node.get("name")
    name = fields.text(notes, named, "name") if named is not None else None
    if named is None:
        notes.error("missing-key", "a snapshot has no name", node.where, "write - name: ...")
    elif name is not None and not can_be_named(name):
        fix = "name it by letters, digits and underscores, without _hg_"
        notes.error("reserved-name", f"{name!r} can't be a snapshot's name", named.where, fix)
        return None
    return name


def _config(notes: Notes, node: Mapping) -> dict[str, object]:
    """What `config:` says of the snapshot itself."""
    config = fields.mapping(notes, node.get("config"), "config")
    if config is None:
        return {}
    said = {key.text: fields.value(value) for key, value in config.entries if key.text in ("schema", *HOW)}
    return {key: value for key, value in said.items() if value is not None}


def entries(notes: Notes, node: Mapping, custom: Collection[str]) -> Iterator[ModelEntry]:
    """What the file says of each snapshot besides: tests, how it is run, its group."""
    listing = node.get("snapshots")
    for entry in listing.items if isinstance(listing, Sequence) else ():
        named = entry.get("name") if isinstance(entry, Mapping) else None
        if isinstance(entry, Mapping) and isinstance(named, Scalar):
            fields.known(notes, entry, KEYS, "a snapshot", (*modeltests.LATER, *LATER))
            config = entry.get("config")
            if isinstance(config, Mapping):
                fields.known(notes, config, CONFIG_KEYS, "config of a snapshot", LATER)
            yield modeltests.besides(notes, entry, named.text, custom)
