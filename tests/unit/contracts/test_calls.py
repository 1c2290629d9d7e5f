"""Functions as rules: found by name, told apart by what they take, and part of what a contract means."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.contracts.calls import call_rule, callee, verify_calls
from headgate.contracts.model import Contract
from headgate.core.errors import ProjectError

INGEST = """
table: raw.t
from: data/*.csv
columns:
  id: int
rules:
  good: {python: rules/t.py:judge}
"""


def contract(root: Path, code: str | None, name: str = "judge") -> Contract:
    if code is not None:
        (root / "t.py").write_text(code)
    return Contract((), calls=(call_rule("good", f"t.py:{name}", root),))


@pytest.mark.parametrize(
    ("code", "expected", "what"),
    [
        (None, "python-file", "can't be read"),
        ("def judge(:", "python-file", "this is not Python"),
        ("import nothing_like_it", "python-file", "can't be imported: ModuleNotFoundError"),
        ("raise SystemExit", "python-file", "can't be imported: SystemExit"),
        ("1 / 0", "python-file", "can't be imported: ZeroDivisionError"),
        ("def jugde(record): ...", "unknown-function", "has no function 'judge' (did you mean 'jugde'?)"),
        ("judge = 3", "bad-function", "is no function"),
        ("async def judge(record): ...", "bad-function", "is asynchronous"),
        ("def judge(): ...", "bad-function", "does not take one argument"),
        ("def judge(a, b): ...", "bad-function", "does not take one argument"),
    ],
)
def test_what_can_t_be_called_is_found_before_a_run(tmp_path: Path, code: str | None, expected: str, what: str) -> None:
    (finding,) = verify_calls(contract(tmp_path, code))
    assert finding.code == expected
    assert finding.what.startswith("rule 'good': ")
    assert what in finding.what
    assert finding.where.startswith("t.py")
    assert finding.fix


def test_check_and_run_say_so(tmp_path: Path) -> None:
    made = Folder.make(tmp_path, {"ingest/t.yml": INGEST, "rules/t.py": "def judge(): ...", "data/a.csv": "id\n1\n"})
    assert [one.code for one in made.open().check().findings] == ["bad-function"]
    assert [one.code for one in made.run().findings] == ["bad-function"]


@pytest.mark.parametrize(
    ("code", "whole"),
    [
        ("def judge(record): ...", False),
        ("def judge(record, limit=3): ...", False),
        ("class J:\n    def __call__(self, record): ...\njudge = J()", False),
        ("judge = print", False),
        ("def judge(record: dict) -> bool: ...", False),
        ("class Table: ...\ndef judge(record: Table): ...", False),
        ("import pyarrow as pa\ndef judge(rows: pa.Table): ...", True),
        ("import pyarrow\ndef judge(rows: 'pyarrow.Table'): ...", True),
        ("from __future__ import annotations\nimport pyarrow as pa\ndef judge(rows: pa.Table): ...", True),
    ],
)
def test_a_function_of_tables_is_known_by_its_annotation(tmp_path: Path, code: str, whole: bool) -> None:
    assert callee(contract(tmp_path, code).calls[0]).whole is whole


def test_an_edit_of_the_file_is_another_contract(tmp_path: Path) -> None:
    before = contract(tmp_path, "LIMIT = 3\ndef judge(record): return record['id'] < LIMIT\n")
    same = contract(tmp_path, None)
    assert same.digest() == before.digest()
    after = contract(tmp_path, "LIMIT = 4\ndef judge(record): return record['id'] < LIMIT\n")
    assert after.digest() != before.digest()
    assert Contract(()).digest() not in (before.digest(), after.digest())


def test_reading_a_project_runs_no_rule(tmp_path: Path) -> None:
    made = Folder.make(tmp_path, {"ingest/t.yml": INGEST, "rules/t.py": "raise SystemExit", "data/a.csv": "id\n1\n"})
    assert [one.id for one in made.open().plan().steps] == ["raw.t"]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("{python: rules/t.txt:judge}", "bad-value"),
        ("{python: ../t.py:judge}", "path-escapes"),
        ("{python: rules/t.py:judge, severity: eror}", "bad-value"),
        ("{python: rules/t.py:judge, when: id > 1}", "unknown-key"),
        ("{python: [a]}", "bad-value"),
    ],
)
def test_mistakes_in_the_ingest_file(tmp_path: Path, rule: str, code: str) -> None:
    text = INGEST.replace("{python: rules/t.py:judge}", rule)
    made = Folder.make(tmp_path, {"ingest/t.yml": text})
    with pytest.raises(ProjectError) as caught:
        made.open()
    assert (caught.value.finding.code, caught.value.finding.where.partition(":")[0]) == (code, "ingest/t.yml")


def test_a_name_that_reasons_use_is_reserved(tmp_path: Path) -> None:
    made = Folder.make(tmp_path, {"ingest/t.yml": INGEST.replace("good:", "type:")})
    with pytest.raises(ProjectError) as caught:
        made.open()
    assert caught.value.finding.code == "reserved-name"
