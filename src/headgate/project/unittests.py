"""Unit tests of models, as YAML says them in dbt's manner: rows that are given, rows that are expected."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from headgate.core.errors import Location
from headgate.models.unit import Fixture, UnitSpec
from headgate.project import fields
from headgate.project.datatests import NOTES_ONLY, listed
from headgate.project.fields import Notes
from headgate.project.yaml import Mapping, Node

KEYS = ("name", "model", "description", "given", "expect", "overrides", "config")
GIVEN_KEYS = ("input", "rows", "format", "fixture")
EXPECT_KEYS = ("rows", "format", "fixture")
OVERRIDES = ("vars", "macros")
FORMATS = ("dict", "csv", "sql")
FIXTURES = "tests/fixtures"


def read(notes: Notes, node: Mapping, root: Path) -> Iterator[tuple[str, UnitSpec]]:
    """Every unit test of a file with the name of its model; everything wrong is noted."""
    for entry in listed(notes, node.get("unit_tests"), "unit_tests"):
        test = fields.mapping(notes, entry, "a unit test")
        if test is None:
            continue
        before = len(notes.findings)
        fields.known(notes, test, KEYS, "a unit test", ("versions",))
        for key in (one for one in ("name", "model", "expect") if test.get(one) is None):
            notes.error("missing-key", f"a unit test has no {key}", test.where, f"write {key}:")
        config = fields.mapping(notes, test.get("config"), "config")
        if config is not None:
            fields.known(notes, config, NOTES_ONLY, "config of a unit test", ("enabled",))
        made = _made(notes, test, root) if len(notes.findings) == before else None
        if made is not None and len(notes.findings) == before:
            yield made


def _made(notes: Notes, test: Mapping, root: Path) -> tuple[str, UnitSpec] | None:
    words = {key: fields.text(notes, test.get(key) or test, key) for key in ("name", "model")}
    given = []
    for item in listed(notes, test.get("given"), "given"):
        one = fields.mapping(notes, item, "an input")
        if one is None:
            continue
        fields.known(notes, one, GIVEN_KEYS, "an input of a unit test")
        said = one.get("input")
        if said is None:
            notes.error("missing-key", "what is given has no input", one.where, "write - input: ref('orders')")
            continue
        fixture = _fixture(notes, one, root)
        if (word := fields.text(notes, said, "input")) is not None and fixture is not None:
            given.append((word.strip(), fixture))
    expect = fields.mapping(notes, test.get("expect"), "expect")
    if expect is None:
        return None
    fields.known(notes, expect, EXPECT_KEYS, "expect")
    wanted = _fixture(notes, expect, root)
    vars, incremental = _overrides(notes, test.get("overrides"))
    if wanted is None or words["name"] is None or words["model"] is None:
        return None
    return words["model"], UnitSpec(words["name"], test.where, tuple(given), wanted, vars, incremental)


def _overrides(notes: Notes, node: Node | None) -> tuple[dict[str, object], bool]:
    over = fields.mapping(notes, node, "overrides")
    if over is None:
        return {}, False
    fields.known(notes, over, OVERRIDES, "overrides", ("env_vars",))
    said = fields.mapping(notes, over.get("vars"), "vars")
    macros = fields.mapping(notes, over.get("macros"), "macros")
    if macros is not None:
        fields.known(notes, macros, ("is_incremental",), "macros of a unit test")
    flag = macros.get("is_incremental") if macros is not None else None
    incremental = fields.flag(notes, flag, "is_incremental") if flag is not None else False
    values = {key.text: fields.value(value) for key, value in said.entries} if said is not None else {}
    return values, bool(incremental)


def _fixture(notes: Notes, node: Mapping, root: Path) -> Fixture | None:
    """The rows that stand there, or in a file of `tests/fixtures/`."""
    form = fields.choice(notes, said, "format", FORMATS) if (said := node.get("format")) is not None else "dict"
    rows, named = node.get("rows"), node.get("fixture")
    if form is None or (rows is None) == (named is None):
        if form is not None:
            notes.error("missing-key", "write either rows or fixture", node.where, "write rows: []")
        return None
    if named is not None:
        return _from_file(notes, node, form, root)
    assert rows is not None
    if form == "dict":
        return _mappings(notes, rows)
    text = fields.text(notes, rows, "rows")
    return _parsed(notes, text, form, rows.where) if text is not None else None


def _mappings(notes: Notes, rows: Node) -> Fixture:
    items = [fields.mapping(notes, item, "a row") for item in listed(notes, rows, "rows")]
    made = ({key.text: fields.value(value) for key, value in item.entries} for item in items if item is not None)
    return Fixture(rows.where, tuple(made))


def _from_file(notes: Notes, node: Mapping, form: str, root: Path) -> Fixture | None:
    named = node.get("fixture")
    assert named is not None
    name = fields.text(notes, named, "fixture")
    if name is None:
        return None
    if form == "dict" or not name.replace("_", "").replace("-", "").isalnum():
        fix = "write format: csv and the name of a file there, without its suffix"
        notes.error("bad-value", f"a fixture is a file of {FIXTURES}", named.where, fix)
        return None
    path = root / FIXTURES / f"{name}.{form}"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        what = f"the fixture {path.relative_to(root).as_posix()} can't be read"
        notes.error("unreadable-file", what, named.where, "write the file, in UTF-8")
        return None
    return _parsed(notes, text, form, named.where)


def _parsed(notes: Notes, text: str, form: str, where: Location) -> Fixture | None:
    if form == "sql":
        return Fixture(where, sql=text.strip().rstrip(";"))
    reader = csv.reader(StringIO(text.strip("\n")), skipinitialspace=True)
    head, *lines = [line for line in reader if line] or [[]]
    if any(len(line) != len(head) for line in lines):
        notes.error("bad-value", "a line has more or fewer fields than the first", where, "write one for each column")
        return None
    return Fixture(where, tuple({name: cell or None for name, cell in zip(head, line, strict=True)} for line in lines))
