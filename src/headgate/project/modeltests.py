"""Tests and contracts of models and groups of them, as YAML files beside them declare them in dbt's manner."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from headgate.contracts.great_expectations.suite import Suite
from headgate.core.errors import Location, nearest
from headgate.project import contractfile, fields, ingest, settings
from headgate.project.fields import Notes
from headgate.project.model import ModelSplit, ModelTest, StepSettings
from headgate.project.yaml import Mapping, Node, Scalar
from headgate.project.yaml import Sequence as YamlSequence
from headgate.sql.quote import ident

FILE_KEYS = ("version", "models", "exposures", "groups")
FILE_LATER = ("sources", "seeds", "snapshots", "macros", "unit_tests", "metrics", "semantic_models", "saved_queries")
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

COLUMN_TESTS = ("not_null", "unique", "dbt_utils.expression_is_true")
MODEL_TESTS = ("expression", "dbt_utils.expression_is_true")
TEST_LATER = ("accepted_values", "relationships")
Kind = Literal["not_null", "unique", "expression"]
_KINDS: dict[str, Kind] = {"not_null": "not_null", "unique": "unique"}
ARGUMENTS = ("expression", "sql")
OPTIONS = ("name", "severity", "config", "description", "arguments")


@dataclass(frozen=True)
class ModelEntry:
    """What one YAML file says about one model."""

    name: str
    tests: tuple[ModelTest, ...]
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


@dataclass(frozen=True)
class _Spot:
    """What a test is written for: a model, or a column of it."""

    model: str
    column: str | None = None
    number: int = 1


def groups(notes: Notes, node: Mapping) -> list[GroupEntry]:
    """The groups that the file names; everything wrong is noted."""
    found = []
    for entry in _list(notes, node.get("groups"), "groups"):
        group = fields.mapping(notes, entry, "a group")
        name = _name(notes, group, "a group") if group is not None else None
        if group is not None and name is not None:
            fields.known(notes, group, GROUP_KEYS, "a group")
            found.append(_group(notes, group, name))
    return found


def _group(notes: Notes, node: Mapping, name: str) -> GroupEntry:
    value = node.get("publish_together")
    if isinstance(value, YamlSequence):
        listed = [item for item in value.items if fields.text(notes, item, "a model") is not None]
        return GroupEntry(name, value.where, True, tuple(item for item in listed if isinstance(item, Scalar)))
    together = value is not None and bool(fields.flag(notes, value, "publish_together"))
    return GroupEntry(name, (value or node).where, together)


def read(notes: Notes, node: Mapping, root: Path) -> list[ModelEntry]:
    """The models that the file names, with their tests; everything wrong is noted."""
    fields.known(notes, node, FILE_KEYS, "a model file", FILE_LATER)
    found = []
    for entry in _list(notes, node.get("models"), "models"):
        model = fields.mapping(notes, entry, "a model")
        name = _name(notes, model, "a model") if model is not None else None
        if model is not None and name is not None:
            tests = tuple(_model(notes, model, name))
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


def _model(notes: Notes, node: Mapping, name: str) -> list[ModelTest]:
    fields.known(notes, node, MODEL_KEYS, "a model", LATER)
    config = fields.mapping(notes, node.get("config"), "config")
    if config is not None:
        fields.known(notes, config, CONFIG_KEYS, f"config of a model's YAML (write the rest in {name}.sql)")
    tests: list[ModelTest] = []
    for entry in _list(notes, node.get("columns"), "columns"):
        column = fields.mapping(notes, entry, "a column")
        column_name = _name(notes, column, "a column") if column is not None else None
        if column is not None and column_name is not None:
            fields.known(notes, column, COLUMN_KEYS, "a column of a model", LATER)
            tests += _tests(notes, column, _Spot(name, column_name))
    return tests + _tests(notes, node, _Spot(name))


def _tests(notes: Notes, node: Mapping, spot: _Spot) -> list[ModelTest]:
    """The tests under `tests:` or `data_tests:`."""
    if node.get("tests") is not None and (again := node.key("data_tests")) is not None:
        notes.error("duplicate-key", "tests and data_tests are the same", again.where, "keep one of the two")
    entries = _list(notes, node.get("tests") or node.get("data_tests"), "tests")
    tests = []
    for number, entry in enumerate(entries, 1):
        test = _test(notes, entry, _Spot(spot.model, spot.column, number))
        tests += [test] if test is not None else []
    return tests


def _test(notes: Notes, node: Node, spot: _Spot) -> ModelTest | None:
    """One test: a bare name, or `{name: {arguments and config}}`."""
    if isinstance(node, Scalar):
        return _named(notes, node, Mapping((), node.where), spot)
    if not isinstance(node, Mapping) or len(node.entries) != 1:
        fix = "write - not_null, or - unique: {config: {severity: warn}}"
        notes.error("bad-value", f"a test is a name with its arguments, not {fields.kind(node)}", node.where, fix)
        return None
    name, value = node.entries[0]
    if isinstance(value, Scalar) and (value.empty or name.text in MODEL_TESTS):
        entries = () if value.empty else ((Scalar("expression", value.where, value.placed), value),)
        return _named(notes, name, Mapping(entries, value.where), spot)
    arguments = fields.mapping(notes, value, name.text)
    return _named(notes, name, arguments, spot) if arguments is not None else None


def _named(notes: Notes, name: Scalar, node: Mapping, spot: _Spot) -> ModelTest | None:
    known = COLUMN_TESTS if spot.column else MODEL_TESTS
    if name.text not in known:
        _unknown(notes, name, known, spot)
        return None
    expression = name.text in MODEL_TESTS
    fields.known(notes, node, (*OPTIONS, *(ARGUMENTS if expression else ())), f"test {name.text}", ("where", "limit"))
    severity, given = _severity(notes, node), node.get("name")
    sql = _expression(notes, name, node, spot) if expression else None
    if expression and sql is None:
        return None
    kind: Kind = _KINDS.get(name.text, "expression")
    default = f"{kind}_{spot.model}_{spot.column}" if not expression else f"expression_{spot.model}_{_of(spot)}"
    label = fields.text(notes, given, "name") if given is not None else default
    column = None if expression else spot.column
    return ModelTest(kind, column, sql, label or default, severity, name.where)


def _of(spot: _Spot) -> str:
    return f"{spot.column}_{spot.number}" if spot.column else str(spot.number)


def _unknown(notes: Notes, name: Scalar, known: Iterable[str], spot: _Spot) -> None:
    listed = ", ".join(known)
    place = f"column {spot.column!r}" if spot.column else f"model {spot.model!r}"
    if name.text in TEST_LATER:
        notes.error("not-supported", f"test {name.text!r} is not supported", name.where, f"use one of {listed}")
        return
    if name.text in (*COLUMN_TESTS, *MODEL_TESTS):
        what = f"test {name.text!r} does not go with {place}"
        fix = f"for a {'column' if spot.column else 'model'}, use one of {listed}"
        notes.error("bad-value", what, name.where, fix)
        return
    what = f"unknown test {name.text!r}{nearest(name.text, known)}"
    notes.error("unknown-test", what, name.where, f"use one of {listed}", fields.meant(name, known))


def _severity(notes: Notes, node: Mapping) -> Literal["error", "warn"]:
    """From `severity:` or `config: {severity:}`; error by default."""
    config = fields.mapping(notes, node.get("config"), "config")
    if config is not None:
        fields.known(
            notes, config, ("severity", *NOTES_ONLY), "config of a test", ("where", "limit", "error_if", "warn_if")
        )
    value = node.get("severity") or (config.get("severity") if config is not None else None)
    if value is None:
        return "error"
    word = (fields.text(notes, value, "severity") or "error").lower()
    if word not in ("error", "warn"):
        notes.error(
            "bad-value",
            f"severity can't be {word!r}{nearest(word, ('error', 'warn'))}",
            value.where,
            "use error or warn",
        )
    return "warn" if word == "warn" else "error"


def _expression(notes: Notes, name: Scalar, node: Mapping, spot: _Spot) -> str | None:
    """The condition; for a column, what is written goes on from its name (`>= 0`)."""
    bare = fields.mapping(notes, node.get("arguments"), "arguments")
    value = next((v for n in (bare, node) if n is not None for a in ARGUMENTS if (v := n.get(a)) is not None), None)
    if value is None:
        notes.error(
            "missing-key", f"test {name.text!r} has no expression", name.where, 'write expression: "amount >= 0"'
        )
        return None
    sql = fields.text(notes, value, "expression")
    return f"{ident(spot.column)} {sql}" if sql is not None and spot.column else sql


def _list(notes: Notes, node: Node | None, what: str) -> tuple[Node, ...]:
    if node is None or isinstance(node, YamlSequence):
        return node.items if node is not None else ()
    notes.error("bad-value", f"{what} must be a list, not {fields.kind(node)}", node.where, f"write - under {what}:")
    return ()


def _name(notes: Notes, node: Mapping, what: str) -> str | None:
    name = node.get("name")
    if name is None:
        notes.error("missing-key", f"{what} has no name", node.where, "write - name: ...")
        return None
    return fields.text(notes, name, "name")
