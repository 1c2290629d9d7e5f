"""Profiles of files, tables and models through the API, and what the command line shows of them."""

from __future__ import annotations

import json
import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.api import profile_files, results
from headgate.cli.main import main
from headgate.cli.screen import Screen
from headgate.cli.show_profile import profile as shown
from headgate.core.errors import ProjectError
from headgate.quality import model

FILES = {
    "ingest/orders.yml": "table: raw.orders\nfrom: data/*.csv\n",
    "models/totals.sql": "select customer, sum(amount) as total from {{ ref('raw.orders') }} group by customer",
    "data/a.csv": "id,customer,amount\n1,ada@x.org,2.50\n2,ben@x.org,\n2,ben@x.org,4.00\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder.make(tmp_path, FILES)


def test_completeness_and_duplicates_of_a_loaded_table(folder: Folder) -> None:
    folder.run()
    (found,) = folder.open().profile(["raw.orders"], tier=2).tables
    assert (found.name, found.rows, [one.name for one in found.columns]) == (
        "raw.orders", 3, ["id", "customer", "amount"],
    )  # fmt: skip
    amount = found.column("amount")
    assert (amount.rows, amount.filled, amount.percent, amount.type) == (3, 2, 66.666, "decimal(18,2)")
    assert [(key.columns, key.repeated, key.rows) for key in found.keys if key.columns == ("id",)] == [(("id",), 1, 2)]
    assert found.column("customer").min == "aaa@a.aaa"


def test_models_and_every_table_without_a_name(folder: Folder) -> None:
    folder.run()
    assert [one.name for one in folder.open().profile(["totals"]).tables] == ["main.totals"]
    assert [one.name for one in folder.open().profile().tables] == ["raw.orders"]


def test_a_table_that_is_not_there(folder: Folder) -> None:
    for name, what in (("raw.ordrs", "did you mean"), ("raw.orders", "not in the warehouse yet")):
        with pytest.raises(ProjectError, match=what) as error:
            folder.open().profile([name])
        assert error.value.finding.code == "unknown-table"
    assert folder.open().profile().tables == ()


def test_a_sample_says_of_how_many(folder: Folder) -> None:
    folder.write("data/b.csv", "id,customer,amount\n" + "".join(f"{number},c,1\n" for number in range(500)))
    (found,) = profile_files(["data/b.csv"], sample=100, base=folder.root).tables
    assert (found.rows, found.total) == (100, 500)
    folder.run()
    assert [(one.rows, one.total) for one in folder.open().profile(sample=50).tables] == [(50, 503)]


def test_files_are_put_together_as_tables(folder: Folder) -> None:
    folder.write("data/a2.csv", "id,customer,amount\n3,x,1\n")
    folder.write("data/other.csv", "k\n1\n")
    found = profile_files(["data"], base=folder.root).tables
    assert [(one.name, one.rows) for one in found] == [("data/a.csv", 3), ("data/a2.csv", 1), ("data/other.csv", 1)]


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as error:
        profile_files(["gone.csv"], base=tmp_path)
    assert error.value.finding.code == "no-files"
    (tmp_path / "x.what").touch()
    with pytest.raises(ProjectError) as error:
        profile_files(["x.what"], base=tmp_path)
    assert error.value.finding.code == "unknown-format"


def test_a_profile_survives_a_json_round_trip(folder: Folder) -> None:
    answer = profile_files(["data/a.csv"], tier=2, base=folder.root)
    assert results.ProfileResult.from_json(json.loads(json.dumps(answer.to_json(), allow_nan=False))) == answer


def test_every_key_of_a_profile_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "json.md").read_text()
    sections = dict(re.findall(r"^## .*?`(\w+)`\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    for kind in [kind for kind in vars(model).values() if is_dataclass(kind)]:
        documented = re.findall(r"^\| `(\w+)` \|", sections.get(kind.__name__, ""), re.M)
        assert documented == [item.name for item in fields(kind)], kind.__name__


def test_hostile_names_and_cells_are_harmless(tmp_path: Path) -> None:
    (tmp_path / "e\x1b[31m.csv").write_text('id,"a""b\x1b[2J"\n1,"\x1b]0;x\x07"\n2,"\u202e"\n')
    answer = profile_files([tmp_path / "e\x1b[31m.csv"], tier=2)
    for width in (None, 60):
        text = "\n".join(shown(answer, Screen(width)))
        assert text.isprintable() or set(text) - {"\n"} == {one for one in text if one.isprintable()}


def test_a_table_fits_the_terminal(folder: Folder) -> None:
    folder.run()
    lines = shown(folder.open().profile(), Screen(100))
    assert max(map(len, lines)) <= 100


def test_the_command_line(folder: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(folder.root)
    assert main(["profile", "data/a.csv", "--json", "--tier", "0"]) == 0
    assert json.loads(capsys.readouterr().out)["tables"][0]["rows"] == 3
    assert main(["profile"]) == 0
    assert capsys.readouterr().out == "no table in the warehouse yet: headgate run\n"
    folder.run()
    assert main(["profile", "raw.orders"]) == 0
    assert capsys.readouterr().out.startswith("raw.orders: 3 rows, 3 columns\n")
    assert main(["profile", "raw.nothing"]) == 2
    assert "unknown-table" in capsys.readouterr().err


def test_no_project_is_needed_for_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("id\n1\n")
    assert main(["profile", "a.csv"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv"]
    assert main(["profile", "raw.orders"]) == 2
    assert "no-project" in capsys.readouterr().err


def test_init_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("id,v\n1,x\n")
    assert main(["init", "--project", "my shop", "--from", "a.csv"]) == 0
    out = capsys.readouterr().out
    assert out.endswith("next: headgate run --project 'my shop'\n")
    assert main(["init", "--from", "a.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["written"] == ["ingest/a.yml", "headgate.yml", ".gitignore"]
    assert main(["init", "--from", "gone*.csv"]) == 2
    assert main(["init", "--tolerate", "150%"]) == 2


def test_tables_and_models_of_a_postgres_warehouse(
    folder: Folder, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROFILED", postgres)
    folder.write("headgate.yml", "project: p\nwarehouse: ${secret:PROFILED}\n")
    folder.run()
    first, second = folder.open().profile(["raw.orders", "totals"], tier=2).tables
    assert (first.rows, first.column("amount").filled, first.column("amount").max) == (3, 2, "4.00")
    assert (second.name, second.rows) == ("main.totals", 2)
