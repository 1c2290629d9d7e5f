"""What `check --fix` edits, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.api import Project
from headgate.cli.main import main
from headgate.core.errors import only_match

RIGHT = "table: raw.t\nfrom: data/*.csv\ncolumns:\n  id: int, key\n  day: date, required\n"


def made(root: Path, text: str) -> Folder:
    return Folder.make(root, {"ingest/t.yml": text, "data/a.csv": "id,day\n1,2026-01-01\n"})


def text_of(folder: Folder, name: str = "ingest/t.yml") -> str:
    return (folder.root / name).read_bytes().decode()


CERTAIN = [
    ("key", "columns:", "colums:"),
    ("case of a key", "table:", "Table:"),
    ("type", "int, key", "intt, key"),
    ("type with arguments", "int, key", "intege, key"),
    ("case of a rule", "int, key", "int, KEY"),
    ("rule", "required", "requird"),
    ("rule of another tool", "date, required", "date, not_null"),
    ("comma", "int, key", "int key"),
    ("rule twice", "int, key", "int, key, key"),
]


@pytest.mark.parametrize(("right", "wrong"), [one[1:] for one in CERTAIN], ids=[one[0] for one in CERTAIN])
def test_what_is_certain_is_put_right(tmp_path: Path, right: str, wrong: str) -> None:
    folder = made(tmp_path, RIGHT.replace(right, wrong))
    answer = Project.mend(folder.root)
    assert (answer.ok, answer.findings, len(answer.applied)) == (True, (), 1)
    expected = RIGHT.replace(right, "integer, key") if wrong == "intege, key" else RIGHT
    assert text_of(folder) == expected
    assert folder.run().status == "ok"


MORE = [
    ("on_change: relod\n", "on_change: reload\n"),
    ("load: apend\n", "load: append\n"),
    ("rules:\n  r: {check: id > 0, severty: wran}\n", "rules:\n  r: {check: id > 0, severity: warn}\n"),
    ("load: {upsrt: id}\n", "load: {upsert: id}\n"),
    ("rules:\n  later: dayy > date '2000-01-01'\n", "rules:\n  later: day > date '2000-01-01'\n"),
    ("rules:\n  text: id > 0 or 'a: b' = 'c'\n", "rules:\n  text: 'id > 0 or ''a: b'' = ''c'''\n"),
]


@pytest.mark.parametrize(("wrong", "right"), MORE)
def test_words_columns_and_quotes_are_put_right(tmp_path: Path, wrong: str, right: str) -> None:
    folder = made(tmp_path, RIGHT + wrong)
    answer = Project.mend(folder.root)
    assert (text_of(folder), answer.findings) == (RIGHT + right, ())


def test_comments_layout_and_line_ends_stay(tmp_path: Path) -> None:
    wrong = "# é: mine\r\nTable:   raw.t   # the table\r\nfrom: data/*.csv\r\n\r\n"
    wrong += "colums: {id:   'int,  key',day: date }\r\n"
    folder = made(tmp_path, "")
    (folder.root / "ingest/t.yml").write_bytes(wrong.encode())
    (folder.root / "ingest/t.yml").chmod(0o640)
    answer = Project.mend(folder.root)
    assert text_of(folder) == wrong.replace("Table", "table").replace("colums", "columns")
    assert (folder.root / "ingest/t.yml").stat().st_mode & 0o777 == 0o640
    assert answer.ok
    assert "-colums: {id:   'int,  key',day: date }" in answer.diff
    assert "+columns: {id:   'int,  key',day: date }" in answer.diff


UNSURE = [
    ("two near names", RIGHT + "refuse_at_mos: 1\nrefuse_at_most: 2\n"),
    ("no near name", RIGHT + "frobnicate: 1\n"),
    ("not near enough", RIGHT.replace("key", "kee")),
    ("a rule twice with other bounds", RIGHT.replace("int, key", "int, unique, unique(keep=last)")),
    ("a bound of another type", RIGHT.replace("int, key", "int, min(x)")),
    ("a column that may be another", RIGHT + "rules:\n  a: dax > date '2000-01-01' or idd > 1 or dayid = 1\n"),
    ("a key twice", RIGHT + "table: raw.u\n"),
]


@pytest.mark.parametrize("wrong", [one[1] for one in UNSURE], ids=[one[0] for one in UNSURE])
def test_what_is_not_certain_is_left_alone(tmp_path: Path, wrong: str) -> None:
    folder = made(tmp_path, wrong)
    answer = Project.mend(folder.root)
    assert (text_of(folder), answer.applied, answer.diff) == (wrong, (), ())
    assert not answer.ok
    assert answer.findings


def test_one_mistake_that_hides_others_is_no_hindrance(tmp_path: Path) -> None:
    folder = made(
        tmp_path, RIGHT.replace("int", "intt").replace("columns", "colums") + "rules:\n  a: id > 0 or 'x: y' = ''\n"
    )
    answer = Project.mend(folder.root)
    assert (answer.ok, len(answer.applied)) == (True, 3)
    assert folder.run().status == "ok"


def test_several_edits_of_one_line_are_all_made(tmp_path: Path) -> None:
    folder = made(tmp_path, RIGHT.replace("date, required", "dat, requird, requird"))
    Project.mend(folder.root)
    assert text_of(folder) == RIGHT


def test_tests_of_models_and_the_main_file_are_mended_too(tmp_path: Path) -> None:
    folder = made(tmp_path, RIGHT)
    folder.write("models/m.sql", "select 1 as a")
    folder.write("models/m.yml", "models:\n  - name: m\n    colums:\n      - name: a\n        tests: [not_nul]\n")
    folder.write("headgate.yml", "projct: p\nwarehouse: duckdb:w.duckdb\n")
    assert Project.mend(folder.root).ok
    assert (
        text_of(folder, "models/m.yml")
        == "models:\n  - name: m\n    columns:\n      - name: a\n        tests: [not_null]\n"
    )
    assert text_of(folder, "headgate.yml").startswith("project: p\n")


def test_a_right_project_is_not_touched(tmp_path: Path) -> None:
    folder = made(tmp_path, RIGHT)
    before = (folder.root / "ingest/t.yml").stat()
    assert Project.mend(folder.root) == Project.mend(folder.root)
    after = (folder.root / "ingest/t.yml").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_file_outside_of_the_project_is_not_written(tmp_path: Path) -> None:
    folder = made(tmp_path / "p", RIGHT)
    outside = tmp_path / "shared.yml"
    outside.write_text(RIGHT.replace("columns", "colums"))
    (folder.root / "ingest/t.yml").unlink()
    (folder.root / "ingest/t.yml").symlink_to(outside)
    assert Project.mend(folder.root).applied == ()
    assert "colums" in outside.read_text()


def test_the_command_shows_the_diff_and_checks_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = made(tmp_path, RIGHT.replace("columns", "colums"))
    assert main(["check", "--project", str(folder.root)]) == 2
    capsys.readouterr()
    assert main(["check", "--project", str(folder.root), "--json"]) == 2
    (found,) = json.loads(capsys.readouterr().out)["findings"]
    edit = {"file": "ingest/t.yml", "line": 3, "column": 1, "end_column": 7, "old": "colums", "new": "columns"}
    assert found["edits"] == [edit]
    assert main(["check", "--fix", "--project", str(folder.root)]) == 0
    out = capsys.readouterr().out
    assert "-colums:\n+columns:\n" in out
    assert out.endswith("1 edit made\n\nok: 0 errors, 0 warnings\n")
    assert main(["check", "--fix", "--project", str(folder.root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["applied"] == []


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("relod", ["reload", "ignore"], "reload"),
        ("RELOAD", ["reload", "ignore"], "reload"),
        ("test_a", ["test_b", "test_c"], None),
        ("a", ["A", "a "], "A"),
        ("id", ["ID", "Id"], None),
        ("x", [], None),
        ("kee", ["key"], None),
    ],
)
def test_only_what_is_near_alone_was_certainly_meant(name: str, known: list[str], meant: str | None) -> None:
    assert only_match(name, known) == meant
