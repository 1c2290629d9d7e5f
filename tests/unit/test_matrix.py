"""The page of `make test-matrix`: that it hides nothing, and that the committed one fits the tests and the pin."""

from __future__ import annotations

import ast
import re

from tests.matrix import FACTS, PAGE, ROOT, Case, Result, cause_of, page, pinned, read_report

REPORT = """<testsuites><testsuite>
<testcase classname="tests.engine.test_facts" name="test_f1_rows_are_visible[csv]">
  <failure message="assert 0 == 500"/>
</testcase>
<testcase classname="tests.engine.test_facts" name="test_f1_rows_are_visible[parquet]"/>
<testcase classname="tests.engine.test_facts" name="test_f2_kept">
  <skipped type="pytest.xfail" message="known"/>
</testcase>
<testcase classname="tests.suites.test_store.TestStore" name="test_a"><error message="failed on setup"/></testcase>
<testcase classname="tests.unit.test_b" name="test_b"><skipped type="pytest.skip" message="no engine"/></testcase>
<testcase classname="tests.unit.test_b" name="test_c"><failure message="assert 7 == 500"/></testcase>
</testsuite></testsuites>"""
CASES = (
    Case("tests/engine/test_facts.py::test_f1_rows_are_visible[csv]", "failed", "assert N == N"),
    Case("tests/engine/test_facts.py::test_f1_rows_are_visible[parquet]", "passed"),
    Case("tests/engine/test_facts.py::test_f2_kept", "expected", "known"),
    Case("tests/suites/test_store.py::TestStore::test_a", "failed", "failed on setup"),
    Case("tests/unit/test_b.py::test_b", "skipped", "no engine"),
    Case("tests/unit/test_b.py::test_c", "failed", "assert N == N"),
)


def cells(text: str) -> dict[str, list[str]]:
    """The lines of all tables by their first cell; the last one of a name counts."""
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in re.findall(r"^\|.*\|$", text, re.M)]
    return {row[0]: row[1:] for row in rows}


def test_every_outcome_is_read_from_the_report() -> None:
    assert read_report(REPORT) == CASES


def test_a_cause_is_without_what_differs_from_run_to_run() -> None:
    first, second = (
        f"IOException: file {path} has {number} rows\nmore"
        for path, number in (("/tmp/a-1/w.db", 3), ("/var/b/w.db", 1.5))
    )
    assert cause_of(first) == cause_of(second) == "IOException: file PATH has N rows"
    assert cause_of("") == "no message"


def test_the_page_shows_every_failure_and_calls_wrong_what_was_expected_to_fail() -> None:
    good = Result("1.5.6", ">=1.5.5,<2", ("tests",), (Case(CASES[0].id, "passed"), Case(CASES[2].id, "skipped")))
    bad = Result("2.0.0", ">=2,<3", ("tests",), CASES)
    text = page([good, bad], {(1, 1): True, (1, 2): True, (2, 1): False, (2, 2): True})
    found = cells(text)
    assert found["passed"] == ["1", "1"]
    assert found["failed"] == ["0", "3"]
    assert found["failed as expected"] == ["0", "1"]
    assert "| F1 | rows are visible: `csv` | right | **wrong** |" in text
    assert "| F2 | kept | not tried | **wrong** |" in text
    assert f"| F1 | {FACTS['F1']} | right | **wrong** |" in text
    assert found["2.0.0"] == ["**no**", "yes"]
    assert re.findall(r"^- `(.*)`$", text, re.M) == [CASES[0].id, CASES[3].id, CASES[5].id]
    assert "1 × `assert N == N`" in text
    assert "1 × rows behind an INSERT or CREATE .. AS of no rows" in text
    assert "Failing tests with DuckDB 1.5.6" not in text


def test_the_committed_page_is_of_the_pinned_versions_and_lists_as_many_failures_as_it_counts() -> None:
    text = PAGE.read_text(encoding="utf-8")
    found = cells(text)
    assert f"Headgate is pinned to `duckdb{pinned()}`." in text
    assert found["versions"] == [f"`{pinned()}`", "`>=2,<3`"]
    versions = re.findall(r"^\|  \| DuckDB (\S+) \| DuckDB (\S+) \|$", text, re.M)
    assert [[one.partition(".")[0] for one in pair] for pair in versions] == [["1", "2"]]
    listed = dict(re.findall(r"^## Failing tests with DuckDB (\S+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    for version, number in zip(versions[0], found["failed"], strict=True):
        assert len(re.findall(r"^- `", listed.get(version, ""), re.M)) == int(number)
    assert min(map(int, found["passed"])) > 2000, "the page is of all tests, not of a part"


def test_the_committed_page_knows_every_observation_there_is() -> None:
    tree = ast.parse((ROOT / "tests" / "engine" / "test_facts.py").read_text(encoding="utf-8"))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    shown = re.findall(r"^\| (F\d) \| (.*?)(?:: `.*?`)? \|", PAGE.read_text(encoding="utf-8"), re.M)
    tried = {f"test_{fact.lower()}_{label.replace(' ', '_')}" for fact, label in shown if label not in FACTS.values()}
    assert sorted(tried) == sorted(names)
    assert {fact for fact, label in shown if label in FACTS.values()} == set(FACTS)
