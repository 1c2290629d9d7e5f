"""Tests and contracts of models and groups of them, as YAML files beside them declare them in dbt's manner."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import field, replace
from pathlib import Path

from headgate.contracts.great_expectations.suite import Suite
from headgate.core.errors import Location
from headgate.core.records import dataclass
from headgate.models.model import ModelCheck
from headgate.project import contractfile, fields, ingest, settings
from headgate.project.datatests import Spot, listed, tests
from headgate.project.fields import Notes
from headgate.project.model import ModelSplit, StepSettings
from headgate.project.yaml import Mapping, Node, Scalar
from headgate.project.yaml import Sequence as YamlSequence

FILE_KEYS = ("version", "models", "snapshots", "unit_tests", "exposures", "groups")
FILE_LATER = ("sources", "macros", "metrics", "semantic_models", "saved_queries")
MODEL_KEYS = (
    "name",
    "description",
    "columns",
    "tests",
    "data_tests",
    "contract",
    "group",
    "docs",
    "meta",
    "tags",
    "config",
)
CONTRACT_KEYS = ("columns", "rules", "skip", "refuse_at_most")
CONTRACT_LATER = ("enforced", "alias_types", "pydantic")
GROUP_KEYS = ("name", "publish_together", "description", "owner", "config", "meta")
COLUMN_KEYS = ("name", "description", "tests", "data_tests", "data_type", "meta", "tags", "quote", "docs")
LATER = ("constraints", "versions", "access", "latest_version", "deprecation_date", "time_spine")
NOTES_ONLY = ("meta", "tags", "docs")
CONFIG_KEYS = ("meta", "docs", "group", *settings.KEYS)
"""Of a model's `config:` in YAML: everything else is written in its SQL file."""


@dataclass(frozen=True)
class ModelEntry:
    """What one YAML file says about one model."""

    name: str
    tests: tuple[ModelCheck, ...]
    where: Location
    split: ModelSplit | None = None
    group: str | None = None
    settings: StepSettings = field(default_factory=StepSettings)


@dataclass(frozen=True)
class GroupEntry:
    """A group as one file says it. `members`: the models named in it; None where models name the group themselves, and
    `together` says whether these are published together."""

    name: str
    where: Location
    together: bool
    members: tuple[Scalar, ...] | None = None


def groups(notes: Notes, node: Mapping) -> list[GroupEntry]:
    """The groups that the file names; everything wrong is noted."""
    found = []
    for entry in listed(notes, node.get("groups"), "groups"):
        group = fields.mapping(notes, entry, "a group")
        name = _name(notes, group, "a group") if group is not None else None
        if group is not None and name is not None:
            fields.known(notes, group, GROUP_KEYS, "a group")
            found.append(_group(notes, group, name))
    return found


def _group(notes: Notes, node: Mapping, name: str) -> GroupEntry:
    value = node.get("publish_together")
    if isinstance(value, YamlSequence):
        named = [item for item in value.items if fields.text(notes, item, "a model") is not None]
        return GroupEntry(name, value.where, True, tuple(item for item in named if isinstance(item, Scalar)))
    together = value is not None and bool(fields.flag(notes, value, "publish_together"))
    return GroupEntry(name, (value or node).where, together)


def read(notes: Notes, node: Mapping, root: Path, custom: Collection[str] = ()) -> list[ModelEntry]:
    """The models that the file names, with their tests; everything wrong is noted. `custom`: tests of the project."""
    fields.known(notes, node, FILE_KEYS, "a model file", FILE_LATER)
    found = []
    for entry in listed(notes, node.get("models"), "models"):
        model = fields.mapping(notes, entry, "a model")
        name = _name(notes, model, "a model") if model is not None else None
        if model is not None and name is not None:
            tests = tuple(_model(notes, model, name, custom))
            split, group = _split(notes, model, root, name), _group_of(notes, model)
            found.append(ModelEntry(name, tests, model.where, split, group, _settings(notes, model)))
    return found


def _split(notes: Notes, node: Mapping, root: Path, name: str) -> ModelSplit | None:
    """The contract under `contract:`."""
    named = node.get("contract")
    if named is not None and contractfile.is_file(named):
        return _from_file(notes, named, root, name)
    given = fields.mapping(notes, named, "contract")
    if given is None:
        return None
    before = len(notes.findings)
    fields.known(notes, given, CONTRACT_KEYS, "the contract of a model", CONTRACT_LATER)
    if len(notes.findings) > before:
        return None
    contract, places = ingest.rows_contract(notes, given, root)
    return ModelSplit(contract, given.where, places) if contract is not None else None


def _from_file(notes: Notes, node: Node, root: Path, name: str) -> ModelSplit | None:
    """The contract in the file that the node names; in a file with several objects, that of the model's name."""
    found = contractfile.read(notes, node, root, name)
    if isinstance(found, Suite):
        fix = "write its columns with their types: columns: {id: int, key}"
        notes.error("not-supported", "a suite of expectations says no types, which a model needs", node.where, fix)
        return None
    return ModelSplit(found, node.where) if found is not None else None


def _settings(notes: Notes, node: Mapping) -> StepSettings:
    """What `config:` says of how the model is run; tags may also stand beside its name."""
    config = node.get("config")
    said = settings.read(notes, config if isinstance(config, Mapping) else None)
    return replace(said, tags=tuple(dict.fromkeys((*settings.tags(notes, node.get("tags")), *said.tags))))


def _group_of(notes: Notes, node: Mapping) -> str | None:
    """The group that the model names itself, beside its name or under `config:`."""
    config = node.get("config")
    values = [node.get("group"), config.get("group") if isinstance(config, Mapping) else None]
    value = next((one for one in values if one is not None), None)
    return fields.text(notes, value, "group") if value is not None else None


def _model(notes: Notes, node: Mapping, name: str, custom: Collection[str]) -> list[ModelCheck]:
    fields.known(notes, _without_units(notes, node, name), MODEL_KEYS, "a model", LATER)
    config = fields.mapping(notes, node.get("config"), "config")
    if config is not None:
        fields.known(notes, config, CONFIG_KEYS, f"config of a model's YAML (write the rest in {name}.sql)")
    return _checks(notes, node, name, custom)


def besides(notes: Notes, node: Mapping, name: str, custom: Collection[str]) -> ModelEntry:
    """What a snapshot's entry says like a model's: tests, how it is run, its group."""
    tests = tuple(_checks(notes, node, name, custom))
    return ModelEntry(name, tests, node.where, None, _group_of(notes, node), _settings(notes, node))


def _checks(notes: Notes, node: Mapping, name: str, custom: Collection[str]) -> list[ModelCheck]:
    found: list[ModelCheck] = []
    for entry in listed(notes, node.get("columns"), "columns"):
        column = fields.mapping(notes, entry, "a column")
        column_name = _name(notes, column, "a column") if column is not None else None
        if column is not None and column_name is not None:
            fields.known(notes, column, COLUMN_KEYS, "a column of a model", LATER)
            found += tests(notes, column, Spot(name, column_name), custom)
    return found + tests(notes, node, Spot(name), custom)


def _without_units(notes: Notes, node: Mapping, name: str) -> Mapping:
    """The model's keys but for `unit_tests`, which stand elsewhere: that is noted."""
    key = node.key("unit_tests")
    if key is None:
        return node
    fix = f"write unit_tests: at the top of the file, beside models:, with model: {name} in each of them"
    notes.error("unknown-key", "unit tests stand beside models, not within one", key.where, fix)
    return Mapping(tuple(entry for entry in node.entries if entry[0] is not key), node.where)


def _name(notes: Notes, node: Mapping, what: str) -> str | None:
    name = node.get("name")
    if name is None:
        notes.error("missing-key", f"{what} has no name", node.where, "write - name: ...")
        return None
    return fields.text(notes, name, "name")
