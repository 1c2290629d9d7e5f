"""What list, show, sample and export tell of refused records, and what they hide."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from tests.unit.project_kit import Folder

from headgate.core.errors import CommitError, ProjectError

PEOPLE = """
table: raw.people
from: data/people/*.csv
columns:
  id:    int, key
  email: text, required, pattern('^[^@]+@[^@]+$'), from('E-Mail'), pii
  age:   int, between(0, 130)
  city:  text, in(Paris, Rome), warn
"""
SHOPS = "table: raw.shops\nfrom: data/shops/*.csv\ncolumns:\n  id: int, key\n  name: text, required\n"
FILES = {
    "ingest/people.yml": PEOPLE,
    "ingest/shops.yml": SHOPS,
    "data/people/a.csv": (
        'id,E-Mail,age,city\n1,a@x,20,Paris\n2,bee,20,Oslo\n3,,999,Rome\n4,dee,999,Rome\n5,"e, broken\n'
    ),
    "data/people/b.csv": "id,E-Mail,age,city\n6,eff,20,Oslo\n7,g@x,20,Oslo\n",
    "data/shops/a.csv": 'id,name\nx,=1+1\ny,""\nz,\n',
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder.make(tmp_path_factory.mktemp("built"), FILES)
    folder.run()
    return folder


@pytest.fixture
def folder(built: Folder, tmp_path: Path) -> Folder:
    return built.copy(tmp_path)


def numbers(folder: Folder, **filters: str) -> list[int]:
    return [one.position["record"] for one in folder.open().quarantine("raw.people", **filters).records]  # type: ignore[arg-type]


def test_a_list_is_narrowed_by_reason_column_partition_and_time(built: Folder) -> None:
    assert numbers(built) == [2, 3, 4, 5, 1]
    assert numbers(built, rule="pattern") == [2, 4, 1]
    assert numbers(built, column="AGE") == [3, 4]
    assert numbers(built, rule="pattern", column="age") == []
    assert numbers(built, rule="record") == [5]
    assert numbers(built, partition="b.csv") == [1]
    assert numbers(built, since="1d") == [2, 3, 4, 5, 1]
    assert numbers(built, since="2999-01-01T00:00:00+02:00") == []
    with pytest.raises(ProjectError, match="neither a time nor an age"):
        numbers(built, since="yesterday-ish")


def test_a_sample_has_some_of_each_reason_and_counts_all(built: Folder) -> None:
    sample = built.open().quarantine_sample("raw.people", per_reason=1)
    assert sample.total == 5
    assert [(one.rule, one.column, one.count, len(one.records)) for one in sample.groups] == [
        ("pattern", "email", 3, 1), ("between", "age", 2, 1), ("record", None, 1, 1), ("required", "email", 1, 1),
    ]  # fmt: skip
    assert sample == built.open().quarantine_sample("raw.people", per_reason=1)


def test_rows_that_only_break_a_rule_that_warns_are_in_no_sample(built: Folder) -> None:
    groups = built.open().quarantine_sample("raw.people").groups
    assert "city" not in {one.column for one in groups}


def test_a_sample_of_one_column_has_only_its_reasons(built: Folder) -> None:
    sample = built.open().quarantine_sample("raw.people", column="age")
    assert ([(one.rule, one.count) for one in sample.groups], sample.total) == ([("between", 2)], 2)


def test_personal_values_are_hidden_everywhere(built: Folder, tmp_path: Path) -> None:
    project = built.open()
    told = [
        project.quarantine("raw.people"),
        project.quarantine_show(["1", "4"]),
        project.quarantine_sample("raw.people"),
    ]
    for answer in told:
        text = json.dumps(answer.to_json(), ensure_ascii=False)
        assert "bee" not in text
        assert "broken" not in text
        assert "•••" in text
    project.quarantine_export(tmp_path / "x.ndjson", table="raw.people")
    text = (tmp_path / "x.ndjson").read_text()
    assert "bee" not in text
    assert "broken" not in text
    first = project.quarantine("raw.people").records[0]
    assert (first.row, first.raw, first.masked) == (
        {"id": "2", "E-Mail": "•••", "age": "20", "city": "Oslo"},
        "•••",
        True,
    )


def test_what_is_missing_is_shown_as_missing(built: Folder) -> None:
    record = built.open().quarantine("raw.people", rule="required").records[0]
    assert record.row is not None
    assert record.row["E-Mail"] is None


def test_a_table_without_personal_columns_is_shown_as_it_is(built: Folder) -> None:
    record = built.open().quarantine("raw.shops").records[0]
    assert (record.raw, record.masked) == ("x,=1+1", False)


def test_who_sees_hidden_values_is_noted(folder: Folder) -> None:
    project = folder.open()
    assert project.quarantine("raw.people", unmask=True).records[0].raw == "2,bee,20,Oslo"
    project.quarantine_show(["1"], unmask=True)
    project.quarantine_sample(unmask=True, per_reason=9)
    project.quarantine_export(folder.root / "x.csv", unmask=True)
    project.quarantine("raw.shops", unmask=True)
    rows = folder.behind("SELECT verb, table_name, records, author <> '' FROM _headgate.disclosure ORDER BY id")
    assert rows == [
        ("quarantine list", "raw.people", 5, True), ("quarantine show", "raw.people", 1, True),
        ("quarantine sample", "raw.people", 5, True), ("quarantine export", "raw.people", 5, True),
    ]  # fmt: skip
    assert folder.codes() == []
    folder.behind("UPDATE _headgate.disclosure SET author = 'nobody' WHERE id = 2")
    assert folder.codes() == ["disclosure-edited"]


def test_a_look_that_was_taken_out_is_found(folder: Folder) -> None:
    for _ in range(3):
        folder.open().quarantine("raw.people", unmask=True)
    folder.behind("DELETE FROM _headgate.disclosure WHERE id = 2")
    assert folder.codes() == ["disclosure-edited"]


def test_what_a_fix_changes_is_hidden_too(folder: Folder) -> None:
    done = folder.open().quarantine_fix(["1"], set={"E-Mail": "'new@x.org'"}, reason="x", dry_run=True)
    assert done.changes[0].columns == {"E-Mail": ["•••", "•••"]}
    folder.open().quarantine_fix(["1"], set={"E-Mail": "'new@x.org'"}, reason="x")
    text = json.dumps(folder.open().quarantine_show(["1"]).to_json())
    assert "bee" not in text
    assert "new@x.org" not in text


@pytest.mark.parametrize("suffix", ["csv", "ndjson"])
def test_an_edited_export_fixes_what_was_edited_and_nothing_else(folder: Folder, suffix: str) -> None:
    path = folder.root / f"edit.{suffix}"
    told = folder.open().quarantine_export(path, table="raw.people")
    assert (told.records, told.format, told.masked) == (5, suffix, True)
    path.write_text(path.read_text().replace("999", "33"))
    dry = folder.open().quarantine_fix(file=path, dry_run=True)
    assert (dry.chosen, dry.fixed) == (5, 2)
    assert {tuple(one.columns) for one in dry.changes} == {("age",)}
    done = folder.open().quarantine_fix(file=path, reason="ages mended by the shop")
    assert done.fixed == 2
    rows = folder.open().quarantine_show(["3"], unmask=True).records
    assert rows[0].row == {"id": "4", "E-Mail": "dee", "age": "33", "city": "Rome"}
    with pytest.raises(CommitError, match="has revision 1, and the fix was made for revision 0"):
        folder.open().quarantine_fix(file=path, reason="again")
    assert folder.codes() == []


def test_a_malformed_record_is_mended_in_an_unmasked_export(folder: Folder) -> None:
    path = folder.root / "edit.ndjson"
    folder.open().quarantine_export(path, rule="record", unmask=True)
    cells = json.loads(path.read_text())
    path.write_text(json.dumps({**cells, "_hg_raw": "5,e@x,30,Rome"}) + "\n")
    done = folder.open().quarantine_fix(file=path, reason="quote", replay=True)
    assert done.replay is not None
    assert (done.fixed, done.replay.rows_loaded) == (1, 1)
    assert folder.rows("SELECT email FROM raw.people WHERE id = 5") == [("e@x",)]


def test_a_spreadsheet_sees_no_formula_and_what_comes_back_is_what_was(folder: Folder) -> None:
    path = folder.root / "sheet.csv"
    folder.open().quarantine_export(path, table="raw.shops", spreadsheet=True)
    text = path.read_text()
    assert text.splitlines()[1].endswith(",yes,x,'=1+1")
    path.write_bytes(b"\xef\xbb\xbf" + text.replace(',yes,y,""', ",yes,y,").encode())  # as a spreadsheet saves it
    assert folder.open().quarantine_fix(file=path, dry_run=True).fixed == 0
    path.write_text(text.replace("'=1+1", "Corner"))
    done = folder.open().quarantine_fix(file=path, reason="name")
    assert done.changes[0].columns == {"name": ["=1+1", "Corner"]}


def test_an_export_keeps_null_apart_from_an_empty_text(folder: Folder) -> None:
    for name in ("x.csv", "x.ndjson", "x.parquet"):
        folder.open().quarantine_export(folder.root / name, table="raw.shops")
    assert [line.rpartition(",")[2] for line in (folder.root / "x.csv").read_text().splitlines()[1:]] == [
        "=1+1",
        '""',
        "",
    ]
    assert [json.loads(line)["name"] for line in (folder.root / "x.ndjson").read_text().splitlines()] == [
        "=1+1",
        "",
        None,
    ]
    rows = duckdb.sql(f"SELECT _hg_id, name FROM '{folder.root / 'x.parquet'}'").fetchall()
    assert [row[1] for row in rows] == ["=1+1", "", None]


def test_an_export_never_takes_the_place_of_a_file(folder: Folder) -> None:
    path = folder.write("x.csv", "mine")
    with pytest.raises(ProjectError, match="exists already") as caught:
        folder.open().quarantine_export(path)
    assert (caught.value.finding.code, path.read_text()) == ("export-exists", "mine")
    with pytest.raises(ProjectError, match=r"\.csv, \.ndjson or \.parquet"):
        folder.open().quarantine_export(folder.root / "x.xlsx")


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("a.csv", "id,x\n1,2\n", "there is no column _hg_id"),
        ("a.csv", "_hg_id,_hg_revision\none,0\n", "_hg_id is 'one', not a number"),
        ("a.csv", "_hg_id,_hg_revision\n1,0\n1,0\n", "record 1 is there twice"),
        ("a.csv", "_hg_id,_hg_revision\n1\n", "expected 2 fields, found 1"),
        ("a.csv", '_hg_id,_hg_revision\n1,"0\n', "closing quote"),
        ("a.ndjson", "[1]\n", "no JSON object"),
        ("a.ndjson", "{\n", "no JSON"),
        ("a.ndjson", '{"_hg_id": 1, "_hg_revision": 0, "age": [1]}\n', "'age' is neither text nor null"),
        ("a.csv", "_hg_id,_hg_revision,agee\n1,0,2\n", "no column 'agee' (did you mean 'age'?)"),
        ("a.csv", "_hg_id,_hg_revision\n99,0\n", "no quarantine record 99"),
        ("missing.csv", None, "can't be read"),
        ("a.xlsx", "", "does not say how to read it"),
    ],
)
def test_a_file_that_is_no_edited_export_is_refused(folder: Folder, name: str, text: str | None, what: str) -> None:
    if text is not None:
        folder.write(name, text)
    with pytest.raises(ProjectError) as caught:
        folder.open().quarantine_fix(file=folder.root / name, reason="x")
    assert what in caught.value.finding.what
