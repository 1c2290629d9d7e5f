"""Contracts shown and compared through a project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.cli.main import main
from headgate.core.errors import HeadgateError

FILES = {
    "ingest/o.yml": "table: raw.o\nfrom: data/*.csv\ncolumns:\n  id: int, key\n  n: text(3), in(a, b)\n",
    "ingest/p.yml": "table: raw.p\nfrom: more/*.csv\n",
    "new/o.yml": "table: raw.o\nfrom: data/*.csv\ncolumns:\n  id: int, key\n  n: text(3), in(a, b, c)\n",
    "new/o.schema.json": json.dumps({"properties": {"id": {"type": "integer"}}}),
    "data/a.csv": "id,n\n1,a\n",
    "more/a.csv": "x\n1\n",
}


def test_a_contract_is_shown_in_every_form(tmp_path: Path) -> None:
    project = Folder.make(tmp_path, FILES)
    short = project.open().contract_show("raw.o")
    assert short.text == "columns:\n  id: int, key\n  n: text(3), in(a, b)\n"
    project.write("contracts/o.odcs.yaml", project.open().contract_show("raw.o", "odcs").text)
    project.write("ingest/o.yml", "table: raw.o\nfrom: data/*.csv\ncontract: contracts/o.odcs.yaml\n")
    assert project.open().contract_show("raw.o").text == short.text
    schema = project.open().contract_show("raw.o", "json-schema")
    assert json.loads(schema.text)["properties"]["n"] == {
        "type": ["string", "null"],
        "maxLength": 3,
        "enum": ["a", "b", None],
    }
    assert [one.code for one in schema.findings] == ["not-written"]


def test_types_from_the_data_are_known_after_the_first_load(tmp_path: Path) -> None:
    project = Folder.make(tmp_path, FILES)
    with pytest.raises(HeadgateError, match="taken from its first load"):
        project.open().contract_show("raw.p")
    project.run("raw.p")
    assert project.open().contract_show("raw.p").text == "columns:\n  x: bigint\n"


def test_two_contracts_are_compared(tmp_path: Path) -> None:
    project = Folder.make(tmp_path, FILES)
    found = project.open().contract_diff("raw.o", "new/o.yml", "breaking")
    assert (found.verdict, found.failed) == ("backward", False)
    assert [one.what for one in found.changes] == ["rule changed: in(a, b) is now in(a, b, c)"]
    broken = project.open().contract_diff("raw.o", "new/o.schema.json", "breaking")
    assert (broken.verdict, broken.failed) == ("breaking", True)
    assert 'ALTER TABLE "raw"."o" DROP COLUMN "n"' in [one.sql for one in broken.changes]


@pytest.mark.parametrize(
    ("name", "code"), [("raw.x", "unknown-step"), ("data/a.csv", "unknown-format"), ("ingest/p.yml", "unknown-format")]
)
def test_what_is_no_contract_is_told(tmp_path: Path, name: str, code: str) -> None:
    project = Folder.make(tmp_path, FILES)
    with pytest.raises(HeadgateError) as error:
        project.open().contract_diff("raw.o", name)
    assert error.value.finding.code == code


def test_the_commands_show_and_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = Folder.make(tmp_path, FILES)
    assert main(["contract", "show", "raw.o", "--project", str(project.root)]) == 0
    assert capsys.readouterr().out.startswith("columns:\n  id: int, key\n")
    line = ["contract", "diff", "raw.o", "new/o.schema.json", "--fail-on", "breaking", "--project", str(project.root)]
    assert main(line) == 1
    out = capsys.readouterr().out
    assert "column removed" in out
    assert out.rstrip().endswith("verdict: breaking")
