"""Tests of models and their columns, as YAML says them in dbt's manner.

`tests` or `data_tests`, arguments bare or under `arguments:`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from headgate.core.errors import nearest
from headgate.core.records import dataclass
from headgate.models.model import CheckKind, ModelCheck, Severity
from headgate.project import fields
from headgate.project.fields import Notes
from headgate.project.yaml import Mapping, Node, Scalar
from headgate.project.yaml import Sequence as YamlSequence
from headgate.sql.quote import ident, literal

COLUMN_TESTS = ("not_null", "unique", "accepted_values", "relationships", "dbt_utils.expression_is_true")
MODEL_TESTS = (
    "expression",
    "unique",
    "row_count",
    "dbt_utils.expression_is_true",
    "dbt_utils.unique_combination_of_columns",
)
NEEDS = {
    "expression": ("expression", "sql"),
    "dbt_utils.expression_is_true": ("expression", "sql"),
    "accepted_values": ("values", "quote"),
    "relationships": ("to", "field"),
    "unique": ("columns",),
    "dbt_utils.unique_combination_of_columns": ("combination_of_columns",),
    "row_count": ("min", "max"),
}
"""What each test takes besides the options of every test."""
EXPRESSIONS = ("expression", "dbt_utils.expression_is_true")
KINDS: dict[str, CheckKind] = {
    "not_null": "not_null",
    "unique": "unique",
    "dbt_utils.unique_combination_of_columns": "unique",
    "accepted_values": "accepted_values",
    "relationships": "relationships",
    "row_count": "row_count",
}
ARGUMENTS = tuple(dict.fromkeys(word for words in NEEDS.values() for word in words))
OPTIONS = ("name", "severity", "where", "config", "description", "arguments")
CONFIG = ("severity", "where")
LATER = ("limit", "error_if", "warn_if", "fail_calc", "store_failures", "enabled")
NOTES_ONLY = ("meta", "tags", "docs")


@dataclass(frozen=True)
class Spot:
    """What a test is written for: a model, or a column of it."""

    model: str
    column: str | None = None
    number: int = 1


def tests(notes: Notes, node: Mapping, spot: Spot, custom: Collection[str]) -> list[ModelCheck]:
    """The tests under `tests:` or `data_tests:`. `custom`: the tests that the project defines."""
    if node.get("tests") is not None and (again := node.key("data_tests")) is not None:
        notes.error("duplicate-key", "tests and data_tests are the same", again.where, "keep one of the two")
    entries = listed(notes, node.get("tests") or node.get("data_tests"), "tests")
    found = []
    for number, entry in enumerate(entries, 1):
        test = _test(notes, entry, _Written(replace(spot, number=number), custom))
        found += [test] if test is not None else []
    return found


@dataclass(frozen=True)
class _Written:
    spot: Spot
    custom: Collection[str]

    @property
    def known(self) -> tuple[str, ...]:
        return (*(COLUMN_TESTS if self.spot.column else MODEL_TESTS), *sorted(self.custom))


def _test(notes: Notes, node: Node, written: _Written) -> ModelCheck | None:
    """One test: a bare name, or `{name: {arguments and config}}`."""
    if isinstance(node, Scalar):
        return _named(notes, node, Mapping((), node.where), written)
    if not isinstance(node, Mapping) or len(node.entries) != 1:
        fix = "write - not_null, or - unique: {config: {severity: warn}}"
        notes.error("bad-value", f"a test is a name with its arguments, not {fields.kind(node)}", node.where, fix)
        return None
    name, value = node.entries[0]
    if isinstance(value, Scalar) and (value.empty or name.text in EXPRESSIONS):
        entries = () if value.empty else ((Scalar("expression", value.where, value.placed), value),)
        return _named(notes, name, Mapping(entries, value.where), written)
    arguments = fields.mapping(notes, value, name.text)
    return _named(notes, name, arguments, written) if arguments is not None else None


def _named(notes: Notes, name: Scalar, node: Mapping, written: _Written) -> ModelCheck | None:
    if name.text not in written.known:
        _unknown(notes, name, written)
        return None
    own = name.text in written.custom
    if not own:
        takes = _takes(name.text, written.spot)
        fields.known(notes, node, (*OPTIONS, *takes), f"test {name.text}", LATER)
    given = _arguments(notes, name, node, own, written.spot)
    before = len(notes.findings)
    check = _check(notes, name, given, written) if not own else _custom(name, given, written)
    if check is None or len(notes.findings) > before:
        return None
    label = fields.text(notes, called, "name") if (called := node.get("name")) is not None else check.name
    severity, only = _config(notes, node)
    return replace(check, name=label or check.name, severity=severity, only=only, where=name.where)


def _takes(name: str, spot: Spot) -> tuple[str, ...]:
    return () if name == "unique" and spot.column else NEEDS.get(name, ())


def _arguments(notes: Notes, name: Scalar, node: Mapping, own: bool, spot: Spot) -> dict[str, Node]:
    """What stands beside the options or under `arguments:`."""
    inside = fields.mapping(notes, node.get("arguments"), "arguments")
    if inside is not None and not own:
        fields.known(notes, inside, _takes(name.text, spot), f"arguments of test {name.text}")
    beside = {key.text: value for key, value in node.entries if key.text not in OPTIONS}
    return {**beside, **({key.text: value for key, value in inside.entries} if inside is not None else {})}


def _custom(name: Scalar, given: dict[str, Node], written: _Written) -> ModelCheck:
    arguments = tuple((key, fields.value(node)) for key, node in given.items())
    label = f"{name.text}_{written.spot.model}_{_of(written.spot)}"
    return ModelCheck("query", written.spot.column, name=label, test=name.text, arguments=arguments)


def _check(notes: Notes, name: Scalar, given: dict[str, Node], written: _Written) -> ModelCheck | None:
    spot = written.spot
    if name.text in EXPRESSIONS:
        sql = _expression(notes, name, given, spot)
        return ModelCheck("expression", None, sql, f"expression_{spot.model}_{_of(spot)}") if sql is not None else None
    kind = KINDS[name.text]
    made = ModelCheck(kind, spot.column, name=f"{kind}_{spot.model}" + (f"_{spot.column}" if spot.column else ""))
    if kind == "accepted_values":
        return replace(made, values=_values(notes, name, given))
    if kind == "relationships":
        to, field = (_text(notes, name, given, key, "to: ref('dim_users'), field: id") for key in ("to", "field"))
        return replace(made, to=to, field=field)
    if kind == "row_count":
        return _row_count(notes, name, given, made)
    return _together(notes, name, given, made) if spot.column is None else made


def _together(notes: Notes, name: Scalar, given: dict[str, Node], made: ModelCheck) -> ModelCheck | None:
    key = NEEDS[name.text][0]
    if (node := given.get(key)) is None:
        notes.error("missing-key", f"test {name.text!r} has no {key}", name.where, f"write {key}: [day, shop]")
        return None
    columns = fields.texts(notes, node, key) or ()
    return replace(made, columns=columns, name=f"{made.name}_{'_'.join(columns)}")


def _values(notes: Notes, name: Scalar, given: dict[str, Node]) -> tuple[str, ...]:
    """Literals; with `quote: false` numbers and flags are not in quotes."""
    node = given.get("values")
    if node is None:
        notes.error("missing-key", f"test {name.text!r} has no values", name.where, "write values: [new, paid]")
        return ()
    quoted = fields.flag(notes, given["quote"], "quote") if "quote" in given else True
    items = node.items if isinstance(node, YamlSequence) else (node,)
    return tuple(_literal(notes, item, quoted is not False) for item in items)


def _literal(notes: Notes, node: Node, quoted: bool) -> str:
    word = fields.text(notes, node, "a value") or ""
    if quoted:
        return literal(word)
    plain = fields.value(node)
    if isinstance(plain, bool):
        return "TRUE" if plain else "FALSE"
    if not isinstance(plain, int | float):
        notes.error("bad-value", f"{word!r} is no number", node.where, "leave quote: false out")
    return word


def _row_count(notes: Notes, name: Scalar, given: dict[str, Node], made: ModelCheck) -> ModelCheck | None:
    bounds: dict[str, int] = {}
    for key in ("min", "max"):
        if key in given:
            number = fields.value(given[key])
            if not isinstance(number, int) or isinstance(number, bool) or number < 0:
                notes.error("bad-value", f"{key} is a number of rows", given[key].where, f"write {key}: 100")
                return None
            bounds[key] = number
    if not bounds:
        notes.error("missing-key", f"test {name.text!r} has neither min nor max", name.where, "write min: 1")
        return None
    return replace(made, least=bounds.get("min"), most=bounds.get("max"))


def _of(spot: Spot) -> str:
    return f"{spot.column}_{spot.number}" if spot.column else str(spot.number)


def _unknown(notes: Notes, name: Scalar, written: _Written) -> None:
    known, spot = written.known, written.spot
    words = ", ".join(known)
    place = f"column {spot.column!r}" if spot.column else f"model {spot.model!r}"
    if name.text in (*COLUMN_TESTS, *MODEL_TESTS):
        what = f"test {name.text!r} does not go with {place}"
        fix = f"for a {'column' if spot.column else 'model'}, use one of {words}"
        notes.error("bad-value", what, name.where, fix)
        return
    what = f"unknown test {name.text!r}{nearest(name.text, known)}"
    fix = f"use one of {words}; or write {{% test {name.text}(model) %}} into a file under tests/generic/"
    notes.error("unknown-test", what, name.where, fix, fields.meant(name, known))


def _config(notes: Notes, node: Mapping) -> tuple[Severity, str]:
    """Severity and condition, from the test itself or from its `config:`."""
    config = fields.mapping(notes, node.get("config"), "config")
    if config is not None:
        fields.known(notes, config, (*CONFIG, *NOTES_ONLY), "config of a test", LATER)
    said = {key: node.get(key) or (config.get(key) if config is not None else None) for key in CONFIG}
    only = fields.text(notes, said["where"], "where") if said["where"] is not None else ""
    return _severity(notes, said["severity"]), only or ""


def _severity(notes: Notes, value: Node | None) -> Severity:
    if value is None:
        return "error"
    word = (fields.text(notes, value, "severity") or "error").lower()
    if word not in ("error", "warn"):
        what = f"severity can't be {word!r}{nearest(word, ('error', 'warn'))}"
        notes.error("bad-value", what, value.where, "use error or warn")
    return "warn" if word == "warn" else "error"


def _expression(notes: Notes, name: Scalar, given: dict[str, Any], spot: Spot) -> str | None:
    """The condition; for a column, what is written goes on from its name (`>= 0`)."""
    value = next((given[key] for key in NEEDS["expression"] if key in given), None)
    if value is None:
        fix = 'write expression: "amount >= 0"'
        notes.error("missing-key", f"test {name.text!r} has no expression", name.where, fix)
        return None
    sql = fields.text(notes, value, "expression")
    return f"{ident(spot.column)} {sql}" if sql is not None and spot.column else sql


def _text(notes: Notes, name: Scalar, given: dict[str, Node], key: str, example: str) -> str:
    if key not in given:
        notes.error("missing-key", f"test {name.text!r} has no {key}", name.where, f"write {example}")
        return ""
    return fields.text(notes, given[key], key) or ""


def listed(notes: Notes, node: Node | None, what: str) -> tuple[Node, ...]:
    """The items of a list; none where there is none, or (with a note) something else."""
    if node is None or isinstance(node, YamlSequence):
        return node.items if node is not None else ()
    notes.error("bad-value", f"{what} must be a list, not {fields.kind(node)}", node.where, f"write - under {what}:")
    return ()
