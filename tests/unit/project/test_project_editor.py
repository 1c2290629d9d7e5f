"""The schema that editors use takes what the reader takes, and refuses unknown keys, words, types and rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from tests.unit.docs.descriptions import FILE, written
from tests.unit.docs.sessions import ROOT, blocks, file_of

from headgate.cli.main import main
from headgate.contracts.named import FORMS
from headgate.contracts.rules import RULES
from headgate.core.errors import ProjectError
from headgate.models import keeping
from headgate.project import (
    children,
    contractfile,
    datatests,
    exposures,
    ingest,
    layers,
    load,
    models,
    modeltests,
    observing,
    read,
    settings,
    snapshots,
    source,
    tasks,
    unittests,
)
from headgate.project.editor import CONTRACT_FILES, KINDS, Kind, schema
from headgate.project.read import read_project
from headgate.testing.oracle import Flow
from headgate.testing.strategies import flows, ingest_form
from headgate.types.logical import ALIASES


class Loader(yaml.SafeLoader):
    """YAML 1.2 as editors read it: only true and false are flags, dates are texts."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in found if tag.rpartition(":")[2] in ("int", "float", "null", "merge")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))

CHECKERS = {kind: jsonschema.Draft202012Validator(schema(kind)) for kind in KINDS}


def complaints(kind: Kind, text: str) -> list[str]:
    return [error.message for error in CHECKERS[kind].iter_errors(as_json(yaml.load(text, Loader)))]


def as_json(value: Any) -> Any:
    """Keys are texts, also `null:`."""
    if isinstance(value, dict):
        return {"null" if key is None else str(key): as_json(item) for key, item in value.items()}
    return [as_json(item) for item in value] if isinstance(value, list) else value


def kind_of(path: str) -> Kind | None:
    if path.endswith("headgate.yml"):
        return "project"
    parts = Path(path).parts
    return next((kind for kind in ("ingest", "models", "tasks") if kind in parts), None)  # type: ignore[return-value]


def files() -> Iterator[tuple[str, str]]:
    """Every project file of the examples and of the documentation."""
    for path in sorted((ROOT / "examples").rglob("*.yml")):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for block in blocks(page.read_text(encoding="utf-8")):
            if block.kind == "yaml":
                yield f"{page.relative_to(ROOT)}:{file_of(block)}", block.text


FILES = [(name, text) for name, text in files() if kind_of(name.rpartition(":")[2])]


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_one(kind: Kind) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(kind))


@pytest.mark.parametrize(("name", "text"), FILES, ids=[f"{number}-{name}" for number, (name, _) in enumerate(FILES)])
def test_every_example_and_every_snippet_of_the_documentation_is_taken(name: str, text: str) -> None:
    kind = kind_of(name.rpartition(":")[2])
    assert kind is not None
    assert complaints(kind, text) == []


def test_there_are_examples_of_every_kind() -> None:
    assert {kind_of(name.rpartition(":")[2]) for name, _ in FILES} == set(KINDS)


def properties(node: Any) -> Iterator[str]:
    """Every key that a schema takes anywhere."""
    if isinstance(node, dict):
        yield from node.get("properties", {})
        for value in node.values():
            yield from properties(value)
    elif isinstance(node, list):
        for value in node:
            yield from properties(value)


def test_every_key_option_and_word_of_the_reader_is_in_the_schema() -> None:
    options = {name for readers in source.ADAPTERS.values() for name in readers}
    forms = {key for kind, (keys, _) in FORMS.items() for key in (kind, *keys)}
    files = {models.KEY, *contractfile.KINDS, "object"}
    words = {*ingest.KEYS, *source.ADAPTERS, *options, *load.WORDS, *load.BESIDE, *load.TIMES, *forms, *files}
    words |= {*settings.RETRIES, *settings.WHEN}
    words |= {*children.KEYS}
    assert words == set(properties(schema("ingest")))
    watched = {name for names in observing.KEYS.values() for name in names}
    watched |= {*settings.RETRIES, *layers.LAYERS, layers.ALLOW}
    assert {*read.KEYS, *read.PROFILE_KEYS, *read.ENGINE_KEYS, *watched} == set(properties(schema("project")))
    words = {*datatests.COLUMN_TESTS, *datatests.MODEL_TESTS, *datatests.OPTIONS, *datatests.ARGUMENTS, "severity"}
    keys = {*modeltests.FILE_KEYS, *modeltests.MODEL_KEYS, *modeltests.COLUMN_KEYS}
    keys |= {*modeltests.CONTRACT_KEYS, *modeltests.GROUP_KEYS, *CONTRACT_FILES, "object", "python", *forms}
    keys |= {*exposures.KEYS, *exposures.OWNER_KEYS, *exposures.ON_KEYS}
    keys |= {*settings.KEYS, *settings.RETRIES, *settings.WHEN}
    units = {*unittests.KEYS, *unittests.GIVEN_KEYS, *unittests.EXPECT_KEYS, *unittests.OVERRIDES, "is_incremental"}
    kept = {*snapshots.KEYS, *snapshots.CONFIG_KEYS, *keeping.COLUMNS}
    assert {*words, *keys, *units, *kept} == set(properties(schema("models")))
    assert {*tasks.KEYS, *settings.RETRIES, *settings.WHEN} == set(properties(schema("tasks")))


INGEST = "table: raw.t\nfrom: data/*.csv\ncolumns:\n  id: int, key\n"
WRONG = [
    ("ingest", INGEST + "colums: {}\n"),
    ("ingest", INGEST.replace("table:", "Table:")),
    ("ingest", INGEST + "on_change: relod\n"),
    ("ingest", INGEST + "when: {iff: day == 1}\n"),
    ("project", "pools: {api: many}\n"),
    ("tasks", "python: jobs.py\n"),
    ("tasks", "sql: a.sql\nshell: b\n"),
    ("tasks", "needs: a\n"),
    ("tasks", "shell: a\ntrigger_rule: allways\n"),
    ("tasks", "shell: a\nretry_on_exit: [x]\n"),
    ("ingest", INGEST + "extra: maybe\n"),
    ("ingest", INGEST + "rules: {r: {python: a.py:f, severty: warn}}\n"),
    ("ingest", INGEST + "contract: {pydntic: a.py:F}\n"),
    ("ingest", INGEST + "rules: {r: {chek: id > 0}}\n"),
    ("ingest", INGEST + "rules: {r: {check: id > 0, severty: warn}}\n"),
    ("ingest", INGEST + "rules: {r: {check: id > 0, severity: fatal}}\n"),
    ("ingest", INGEST + "children: {raw.c: {from: a, columns: {x: int}, positon: p}}\n"),
    ("ingest", INGEST + "children: {raw.c: {from: a}}\n"),
    ("ingest", INGEST + "children: {raw.c: {from: a, columns: {x: int}, children: {raw.d: {columns: {x: int}}}}}\n"),
    ("ingest", INGEST + "rules: {r: {references: raw.p}}\n"),
    ("ingest", INGEST + "rules: {r: {references: raw.p, columns: [id], unmatched: drop}}\n"),
    ("ingest", INGEST + "rules: {r: {references: raw.p, columns: [id], too: [id]}}\n"),
    ("ingest", INGEST + "twin_files: both\n"),
    ("ingest", INGEST + "load: apend\n"),
    ("ingest", INGEST + "load: {upsrt: id}\n"),
    ("ingest", INGEST + "load: {upsert: id, orderby: id}\n"),
    ("ingest", INGEST + "load: {upsert: id, replace: true}\n"),
    ("ingest", INGEST + "refuse_at_most: many\n"),
    ("ingest", INGEST + "allow_empty: perhaps\n"),
    ("ingest", INGEST.replace("int, key", "intt, key")),
    ("ingest", INGEST.replace("int, key", "int, kee")),
    ("ingest", INGEST.replace("int, key", "int, Key")),
    ("ingest", INGEST.replace("int, key", "int key")),
    ("ingest", INGEST.replace("int, key", "int, min(0")),
    ("ingest", INGEST.replace("int, key", "int, in(1,,2)")),
    ("ingest", INGEST.replace("data/*.csv", "{cvs: {path: a}}")),
    ("ingest", INGEST.replace("data/*.csv", "{csv: {path: a, delimiter: ';'}}")),
    ("ingest", INGEST.replace("data/*.csv", "{csv: {header: true}}")),
    ("ingest", INGEST.replace("data/*.csv", "{csv: {path: a, header: perhaps}}")),
    ("ingest", INGEST.replace("data/*.csv", "{csv: {path: a}, parquet: {path: a}}")),
    ("ingest", INGEST.replace("data/*.csv", "{python: a.py:f, repaly: stable}")),
    ("ingest", INGEST.replace("data/*.csv", "{python: {function: a.py:f, replay: often}}")),
    ("ingest", "table: raw.t\ncolumns: {id: int}\n"),
    ("ingest", "table: raw.t\nfrom: a.csv\ncontract: {ocds: a.yaml}\n"),
    ("project", "projct: p\n"),
    ("project", "engine: {memroy: 2GB}\n"),
    ("project", "engine: {memory: much}\n"),
    ("project", "profiles: {prod: {warehous: duckdb:x}}\n"),
    ("project", "warehouse: mysql://x\n"),
    ("models", "modles: []\n"),
    ("models", "models: [{name: m, colums: []}]\n"),
    ("models", "models: [{name: m, columns: [{name: a, tests: [{unique: {severty: warn}}]}]}]\n"),
    ("models", "models: [{name: m, columns: [{name: a, tests: [{unique: {severity: fatal}}]}]}]\n"),
    ("models", "models: [{name: m, tests: [{row_count: {mn: 1}}]}]\n"),
    ("models", "models: [{description: nameless}]\n"),
    ("models", "unit_tests: [{name: u, model: m, expct: {rows: []}}]\n"),
    ("models", "unit_tests: [{name: u, model: m, expect: {rows: [], format: xml}}]\n"),
    ("models", "unit_tests: [{name: u, model: m, given: [{rows: []}], expect: {rows: []}}]\n"),
]


@pytest.mark.parametrize(("kind", "text"), WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_what_the_reader_refuses_by_its_shape_the_schema_refuses_too(kind: Kind, text: str, tmp_path: Path) -> None:
    for name, right in (("headgate.yml", "project: p\n"), ("models/m.sql", "select 1 as a\n")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(right)
    path = (
        tmp_path
        / {"ingest": "ingest/t.yml", "project": "headgate.yml", "models": "models/m.yml", "tasks": "tasks/t.yml"}[kind]
    )
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    with pytest.raises(ProjectError):
        read_project(tmp_path)
    assert complaints(kind, text) != []


@pytest.mark.parametrize("name", [*ALIASES, *(one.upper() for one in ALIASES)])
def test_every_type_is_taken_in_any_case(name: str) -> None:
    spelled = f"{name}(9,2)" if ALIASES[name.lower()] == "decimal" else name
    assert complaints("ingest", f"table: t\nfrom: a.csv\ncolumns: {{id: '{spelled}'}}\n") == []


@pytest.mark.parametrize("name", RULES)
def test_every_rule_is_taken(name: str) -> None:
    for line in (f"text, {name}", f"text , {name}('a,(b', \"c\", d e ) , warn"):
        assert complaints("ingest", f"table: t\nfrom: a.csv\ncolumns: {{id: {json.dumps(line)}}}\n") == []


@given(flows())
def test_whatever_contract_is_drawn_its_file_is_taken(flow: Flow) -> None:
    assert complaints("ingest", ingest_form(flow, "data/*.csv")) == []


def test_the_texts_are_those_of_the_documentation() -> None:
    assert FILE.read_text(encoding="utf-8") == written(), "run: python -m tests.unit.docs.descriptions"


def test_keys_are_explained() -> None:
    told = schema("ingest")["properties"]
    assert told["on_change"]["description"].startswith("a file (or partition) that changed")
    assert all("description" in told[key] for key in ingest.KEYS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_prints_the_schema_without_a_project(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["schema", "editor", "--kind", kind]) == 0
    plain = capsys.readouterr().out
    assert main(["schema", "editor", "--kind", kind, "--json"]) == 0
    assert json.loads(plain) == json.loads(capsys.readouterr().out) == schema(kind)


@pytest.mark.parametrize(
    "contract",
    ["contracts/a.odcs.yaml", "{odcs: a.yaml, object: orders}", "{json_schema: a.json}", "{great_expectations: a.py}",
     "{pydantic: a.py:Record}"],
)  # fmt: skip
def test_every_way_to_name_a_contract_is_right(contract: str) -> None:
    text = f"table: raw.t\nfrom: a.csv\ncontract: {contract}\n"
    assert list(jsonschema.Draft202012Validator(schema("ingest")).iter_errors(yaml.safe_load(text))) == []


def test_what_only_some_files_may_say_is_taken() -> None:
    """A word that YAML takes for nothing, and lists that a contract in a file of its own describes."""
    assert complaints("ingest", INGEST + "rules: {r: {references: raw.p, columns: [id], unmatched: null}}\n") == []
    named = INGEST.partition("columns:")[0] + "contract: o.odcs.yaml\n"
    assert complaints("ingest", named + "children: {raw.c: {from: a, children: {raw.d: {from: b}}}}\n") == []
