"""Q1: completeness per column, duplicate keys with counts, values out of range as one number: the figures are exact."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.cli.main import main

INGEST = """table: raw.users
from: data/users.csv
columns:
  user_id: int
  email: text
  age: int
rules:
  out_of_range: {sql: "count(*) filter (where age not between 0 and 120)", max: 2, severity: warn}
"""
ROWS = [
    (number % 190, f"u{number}@example.com" if number % 7 else None, number % 130 if number % 11 else None)
    for number in range(200)
]


def folder_of(tmp_path: Path, ingest: str = INGEST) -> Folder:
    lines = (",".join("" if value is None else str(value) for value in row) for row in ROWS)
    data = "user_id,email,age\n" + "\n".join(lines) + "\n"
    return Folder.make(tmp_path, {"ingest/users.yml": ingest, "data/users.csv": data})


def test_the_figures_are_those_of_plain_counting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(tmp_path)
    wrong = sum(age is not None and not 0 <= age <= 120 for _, _, age in ROWS)
    step = folder.step("raw.users")
    assert wrong > 2
    assert [(one.code, str(wrong) in one.what) for one in step.warnings] == [("batch-warning", True)]

    assert main(["profile", "raw.users", "--tier", "2", "--json", "--project", str(folder.root)]) == 0
    (table,) = json.loads(capsys.readouterr().out)["tables"]
    assert table["rows"] == len(ROWS)
    for number, column in enumerate(table["columns"]):
        filled = sum(row[number] is not None for row in ROWS)
        assert (column["rows"], column["filled"], column["percent"]) == (200, filled, pytest.approx(filled / 2))
    repeated = {key: rows for key, rows in Counter(row[0] for row in ROWS).items() if rows > 1}
    (key,) = (one for one in table["keys"] if one["columns"] == ["user_id"])
    assert (key["unique"], key["repeated"], key["rows"]) == (False, len(repeated), sum(repeated.values()))


def test_the_same_figures_of_rules_without_a_load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(tmp_path)
    folder.run()
    strict = INGEST.replace("user_id: int", "user_id: int, unique").replace("age: int", "age: int, between(0, 120)")
    folder.write("ingest/users.yml", strict + "load: replace\n")
    assert main(["check", "--data", "raw.users", "--json", "--project", str(folder.root)]) == 1
    (table,) = json.loads(capsys.readouterr().out)["tables"]
    for number, column in enumerate(table["columns"]):
        filled = sum(row[number] is not None for row in ROWS)
        assert (column["rows"], column["filled"], column["percent"]) == (200, filled, pytest.approx(filled / 2))
    rules = {one["rule"]: one for one in table["rules"]}
    repeated = {key: rows for key, rows in Counter(row[0] for row in ROWS).items() if rows > 1}
    assert (rules["unique"]["repeated"], rules["unique"]["broken"]) == (len(repeated), sum(repeated.values()))
    wrong = sum(age is not None and not 0 <= age <= 120 for _, _, age in ROWS)
    assert (rules["between"]["broken"], rules["out_of_range"]["value"]) == (wrong, str(wrong))
    assert [rules[name]["status"] for name in ("unique", "between", "out_of_range")] == ["error", "error", "warn"]


def test_too_many_out_of_range_stop_the_load(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, INGEST.replace(", severity: warn", ""))
    assert [one.code for one in folder.run().findings] == ["batch-rule"]
    assert folder.behind("SELECT count(*) FROM raw.users") == [(0,)]
