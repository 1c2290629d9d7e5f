"""Variables, seeds and unit tests as files say them."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.core.errors import ProjectError
from headgate.project.model import Project
from headgate.project.read import read_project


def project(root: Path, files: dict[str, str], profile: str | None = None, variables: str | None = None) -> Project:
    for name, text in {"headgate.yml": "project: p\n", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_project(root, profile, variables)


VARS = """\
vars: {country: NO, days: 3, share: 0.5, flag: true, quoted: "3", none: null, list: [a, 1], day: 2024-01-01}
profiles:
  prod: {vars: {days: 30}}
"""


def test_variables_are_what_yaml_says_without_its_traps(tmp_path: Path) -> None:
    found = project(tmp_path, {"headgate.yml": VARS})
    assert found.vars == {
        "country": "NO", "days": 3, "share": 0.5, "flag": True, "quoted": "3", "none": None, "list": ["a", 1],
        "day": "2024-01-01",
    }  # fmt: skip
    assert project(tmp_path, {"headgate.yml": VARS}, "prod").vars["days"] == 30
    given = project(tmp_path, {"headgate.yml": VARS}, "prod", "{days: 7, more: x}").vars
    assert (given["days"], given["more"], given["country"]) == (7, "x", "NO")


@pytest.mark.parametrize("text", ["- a", "day", "{day: 1"])
def test_variables_of_the_command_line_are_a_mapping(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProjectError) as caught:
        project(tmp_path, {}, variables=text)
    assert caught.value.finding.where.startswith("--vars")


SEEDS = """\
version: 2
seeds:
  - name: countries
    description: where we sell
    config: {delimiter: ";"}
    contract:
      columns:
        code: text(2), key
        name: text, required
"""


def test_a_seed_is_an_ingest_that_nobody_wrote(tmp_path: Path) -> None:
    files = {"seeds/geo/deep/countries.csv": "code;name\n", "seeds/plain.tsv": "id\n", "seeds/s.yml": SEEDS}
    found = {str(one.table): one for one in project(tmp_path, files).ingests}
    assert set(found) == {"geo.countries", "main.plain"}
    countries = found["geo.countries"]
    assert countries.source.options == {"path": "seeds/geo/deep/countries.csv", "delim": ";"}
    assert (countries.load.kind, countries.on_change) == ("replace", "reload")
    assert countries.contract is not None
    assert [column.name for column in countries.contract.columns] == ["code", "name"]
    assert found["main.plain"].contract is None
    assert found["main.plain"].source.options["delim"] == "\t"


@pytest.mark.parametrize(
    ("files", "code", "where"),
    [
        ({"seeds/s.yml": SEEDS.replace("countries", "contries")}, "unknown-model", "seeds/s.yml:3:5"),
        ({"seeds/s.yml": SEEDS + "  - name: countries\n"}, "duplicate-key", "seeds/s.yml:10:5"),
        ({"seeds/s.yml": "seeds:\n  - name: countries\n    tests: []\n"}, "not-supported", "seeds/s.yml:3:5"),
        ({"seeds/s.yml": SEEDS.replace("text(2)", "txt(2)")}, "unknown-type", "seeds/s.yml:8:15"),
        (
            {"seeds/a/countries.csv": "a\n", "ingest/c.yml": "table: a.countries\nfrom: x.csv\n"},
            "duplicate-table",
            None,
        ),
        ({"seeds/a[1]/x.csv": "a\n"}, "reserved-name", "seeds/a[1]/x.csv"),
        ({"seeds/a b.csv": "a\n"}, "bad-value", "seeds/a b.csv"),
    ],
)
def test_mistakes_about_seeds(tmp_path: Path, files: dict[str, str], code: str, where: str | None) -> None:
    with pytest.raises(ProjectError) as caught:
        project(tmp_path, {"seeds/countries.csv": "code;name\n", **files})
    first = caught.value.findings[0]
    assert first.code == code
    assert where is None or first.where == where


UNIT = """\
unit_tests:
  - name: sums
    model: daily
    given:
      - input: ref('orders')
        rows: [{id: 1, day: 2024-01-01}, {id: null}]
      - input: source('raw', 'x')
        format: csv
        rows: |
          id, note
          1, "a, b"
          2,
      - {input: this, format: sql, fixture: standing}
    overrides: {vars: {n: 3}, macros: {is_incremental: true}}
    expect: {format: csv, fixture: wanted}
"""
FIXTURES = {"tests/fixtures/standing.sql": "select 1 as id;\n", "tests/fixtures/wanted.csv": "n\n1\n"}


def test_every_form_of_given_rows(tmp_path: Path) -> None:
    files = {"models/daily.sql": "select 1", "models/u.yml": UNIT, **FIXTURES}
    found = project(tmp_path, files)
    (unit,) = found.models[0].unit_tests
    assert (unit.name, unit.vars, unit.incremental) == ("sums", {"n": 3}, True)
    assert [(said, fixture.rows, fixture.sql) for said, fixture in unit.given] == [
        ("ref('orders')", ({"id": 1, "day": "2024-01-01"}, {"id": None}), ""),
        ("source('raw', 'x')", ({"id": "1", "note": "a, b"}, {"id": "2", "note": None}), ""),
        ("this", (), "select 1 as id"),
    ]
    assert unit.expect.rows == ({"n": "1"},)
    assert found.sql_tests == ()


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("model: daily", "model: dayly", "unknown-model"),
        ("    model: daily\n", "", "missing-key"),
        ("input: ref('orders')", "name: x", "unknown-key"),
        ("fixture: wanted", "fixture: ../secrets", "bad-value"),
        ("fixture: wanted", "fixture: nothing", "unreadable-file"),
        ("fixture: wanted", "rows: a, fixture: wanted", "missing-key"),
        ("format: csv, fixture", "format: xml, fixture", "bad-value"),
        ('1, "a, b"', "1, a, b", "bad-value"),
        ("is_incremental: true", "other: true", "unknown-key"),
    ],
)
def test_mistakes_about_unit_tests(tmp_path: Path, before: str, after: str, code: str) -> None:
    assert before in UNIT
    with pytest.raises(ProjectError) as caught:
        project(tmp_path, {"models/daily.sql": "select 1", "models/u.yml": UNIT.replace(before, after), **FIXTURES})
    assert caught.value.findings[0].code == code
