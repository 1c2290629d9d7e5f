"""Suites of Great Expectations as contracts: 0.x and 1.x, as JSON and as Python source that is read and never run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

OLD_JSON = json.dumps(
    {
        "expectation_suite_name": "orders",
        "expectations": [
            {"expectation_type": "expect_column_to_exist", "kwargs": {"column": "note"}},
            {"expectation_type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}},
            {"expectation_type": "expect_column_values_to_be_unique", "kwargs": {"column": "id"}},
            {
                "expectation_type": "expect_column_values_to_be_between",
                "kwargs": {"column": "amount", "min_value": 0, "max_value": 100},
            },
            {
                "expectation_type": "expect_column_values_to_be_in_set",
                "kwargs": {"column": "status", "value_set": ["open", "closed"], "mostly": 0.5},
            },
            {
                "expectation_type": "expect_column_values_to_match_regex",
                "kwargs": {"column": "email", "regex": "^[^@ ]+@[^@ ]+$"},
            },
            {"expectation_type": "expect_column_kl_divergence_to_be_less_than", "kwargs": {"column": "amount"}},
        ],
    },
    indent=1,
)
NEW_JSON = json.dumps(
    {
        "name": "orders",
        "expectations": [
            {"type": one["expectation_type"], "kwargs": one["kwargs"], "severity": "critical"}
            for one in json.loads(OLD_JSON)["expectations"]
        ],
    },
    indent=1,
)
OLD_PYTHON = """
import great_expectations as ge

STATUS = ["open", "closed"]
raise SystemExit("this file is never run")
df = ge.read_csv("orders.csv")
df.expect_column_to_exist("note")
df.expect_column_values_to_not_be_null("id")
df.expect_column_values_to_be_unique(column="id")
df.expect_column_values_to_be_between("amount", 0, 100)
df.expect_column_values_to_be_in_set("status", STATUS, mostly=0.5)
df.expect_column_values_to_match_regex("email", r"^[^@ ]+@[^@ ]+$")
df.expect_column_kl_divergence_to_be_less_than("amount", partition_object=None, threshold=0.1)
"""
NEW_PYTHON = """
import great_expectations as gx
import great_expectations.expectations as gxe
from great_expectations.expectations import ExpectColumnToExist

suite = gx.ExpectationSuite(name="orders")
suite.add_expectation(ExpectColumnToExist(column="note"))
suite.add_expectation(gx.expectations.ExpectColumnValuesToNotBeNull(column="id"))
suite.add_expectation(gxe.ExpectColumnValuesToBeUnique(column="id"))
suite.add_expectation(gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0, max_value=100))
for expectation in [
    gxe.ExpectColumnValuesToBeInSet(column="status", value_set=["open", "closed"], mostly=0.5),
    gxe.ExpectColumnValuesToMatchRegex(column="email", regex="^[^@ ]+@[^@ ]+$"),
    gxe.ExpectColumnKLDivergenceToBeLessThan(column="amount", threshold=0.1),
]:
    suite.add_expectation(expectation)
"""
ORDERS = """id,amount,status,email,note
1,0,open,a@b,
2,100,closed,c@d,x
3,100.5,open,e@f,
4,-1,open,g@h,
5,,open,,
6,5,lost,i@j,
7,5,open,no mail,
8,5,open,k@l,
8,6,open,m@n,
,7,open,o@p,
"""
REASONS = {
    "3": [("between", "amount")],
    "4": [("between", "amount")],
    "6": [("in", "status")],
    "7": [("pattern", "email")],
    "8": [("unique", "id")],
    "": [("required", "id")],
}
SUITES = {"old.json": OLD_JSON, "new.json": NEW_JSON, "old.py": OLD_PYTHON, "new.py": NEW_PYTHON}


def folder(root: Path, name: str, suite: str, data: str = ORDERS, more: str = "") -> Folder:
    ingest = f"table: raw.orders\nfrom: data/*.csv\ncontract: {{great_expectations: suites/{name}}}\n{more}"
    return Folder.make(root, {"ingest/o.yml": ingest, f"suites/{name}": suite, "data/a.csv": data})


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_judges_rows(tmp_path: Path, name: str) -> None:
    project = folder(tmp_path, name, SUITES[name])
    step = project.step("raw.orders")
    assert step.status == "ok"
    with project.open() as opened:
        rows = opened.query("SELECT id, amount FROM raw.orders ORDER BY id").rows
        refused = opened.quarantine().records
    reasons = {(one.row or {}).get("id") or "": [(why.rule, why.column) for why in one.reasons] for one in refused}
    assert [int(row[0]) for row in rows] == [1, 2, 5]
    assert reasons == REASONS
    assert project.codes() == []


@pytest.mark.parametrize("name", SUITES)
def test_what_is_not_supported_is_listed_by_line(tmp_path: Path, name: str) -> None:
    project = folder(tmp_path, name, SUITES[name])
    project.step("raw.orders")
    found = [one for one in project.open().check().findings if one.code == "not-enforced"]
    (finding,) = found
    assert "divergence" in finding.what
    line = int(finding.where.split(":")[1])
    assert "ivergence" in "".join(SUITES[name].splitlines()[line - 1 : line + 2])


@pytest.mark.parametrize("name", SUITES)
def test_an_expected_column_that_is_missing_stops_the_load(tmp_path: Path, name: str) -> None:
    data = ORDERS.replace("note", "notes")
    project = folder(tmp_path, name, SUITES[name], data)
    done = project.run("raw.orders")
    assert done.status == "refused"
    (finding,) = done.findings
    assert finding.code == "missing-column"
    assert "'note', which the data does not have (did you mean 'notes'?)" in finding.what
    assert finding.where.startswith(f"suites/{name}:")
    assert finding.fix


@pytest.mark.parametrize("name", SUITES)
def test_too_few_good_values_stop_the_load(tmp_path: Path, name: str) -> None:
    project = folder(tmp_path, name, SUITES[name], ORDERS.replace("open", "lost"))
    (step,) = (done := project.run("raw.orders")).steps
    assert (done.status, step.status, step.rows_loaded) == ("refused", "refused", 0)
    assert "status" in done.findings[0].what
    assert "50%" in done.findings[0].what


def test_a_value_that_is_no_number_is_refused_where_the_suite_wants_numbers(tmp_path: Path) -> None:
    project = folder(tmp_path, "s.json", OLD_JSON, ORDERS + "9,many,open,q@r,\n")
    project.step("raw.orders")
    with project.open() as opened:
        assert opened.query("SELECT typeof(amount), count(*) FROM raw.orders GROUP BY 1").rows == (("DOUBLE", 3),)


def test_types_and_rules_stay_from_load_to_load(tmp_path: Path) -> None:
    project = folder(tmp_path, "s.json", OLD_JSON)
    project.step("raw.orders")
    project.write("data/b.csv", "id,amount,status,email,note\n20,1,open,a@b,\n1,1,open,a@b,\n21,x,open,a@b,\n")
    step = project.step("raw.orders")
    assert step.status == "ok"
    with project.open() as opened:
        assert opened.query("SELECT count(*) FROM raw.orders").rows == ((4,),)
        assert len(opened.quarantine().records) == 9
