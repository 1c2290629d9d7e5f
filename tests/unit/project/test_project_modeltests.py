"""Models and the tests that YAML files beside them declare."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.core.errors import ProjectError
from headgate.project.model import ModelFile
from headgate.project.read import read_project


def models(root: Path, files: dict[str, str]) -> tuple[ModelFile, ...]:
    for name, text in {"headgate.yml": "project: p\n", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_project(root).models


def test_models_of_all_folders(tmp_path: Path) -> None:
    found = models(tmp_path, {"models/b.sql": "select 2\n", "models/gold/day/a.sql": "select 1\n"})
    assert [(model.name, model.folder, model.text) for model in found] == [
        ("a", "gold/day", "select 1\n"),
        ("b", "", "select 2\n"),
    ]
    assert found[0].path == tmp_path / "models/gold/day/a.sql"


YAML = """\
version: 2
models:
  - name: orders
    description: one row per order
    config: {tags: [a]}
    columns:
      - name: id
        data_tests: [not_null, unique, {unique: {config: {severity: warn}}}]
      - name: amount
        tests:
          - not_null: {severity: WARN, name: amount_is_there}
          - dbt_utils.expression_is_true: {expression: ">= 0"}
    tests:
      - expression: {sql: "amount >= 0"}
      - expression: amount < 100
      - dbt_utils.expression_is_true:
          name: dates
          arguments: {expression: "start <= stop"}
"""


def test_every_form_of_test(tmp_path: Path) -> None:
    (found,) = models(tmp_path, {"models/orders.sql": "select 1", "models/any/schema.yml": YAML})
    assert [(test.kind, test.column, test.sql, test.name, test.severity) for test in found.tests] == [
        ("not_null", "id", None, "not_null_orders_id", "error"),
        ("unique", "id", None, "unique_orders_id", "error"),
        ("unique", "id", None, "unique_orders_id", "warn"),
        ("not_null", "amount", None, "amount_is_there", "warn"),
        ("expression", None, '"amount" >= 0', "expression_orders_amount_2", "error"),
        ("expression", None, "amount >= 0", "expression_orders_1", "error"),
        ("expression", None, "amount < 100", "expression_orders_2", "error"),
        ("expression", None, "start <= stop", "dates", "error"),
    ]
    assert str(found.tests[0].where) == "models/any/schema.yml:8:22"


MORE = """\
models:
  - name: orders
    tests:
      - unique: {columns: [id, day], where: "id > 0"}
      - dbt_utils.unique_combination_of_columns: {combination_of_columns: [a, b]}
      - row_count: {arguments: {min: 1, max: 9}, severity: warn}
      - few: {arguments: {most: 3}, name: not_many}
    columns:
      - name: state
        tests:
          - accepted_values: {values: [new, "it's", 1]}
          - accepted_values: {arguments: {values: [1, 2.5, true], quote: false}}
          - relationships: {to: ref('states'), field: id, config: {where: "state <> ''"}}
          - few: {most: NO}
"""


def test_tests_with_arguments(tmp_path: Path) -> None:
    few = "{% test few(model, column_name=none, most=1) %}select 1 where false{% endtest %}"
    files = {"models/orders.sql": "select 1", "models/s.yml": MORE, "tests/generic/few.sql": few}
    (found,) = models(tmp_path, files)
    state = [one for one in found.tests if one.column]
    assert [(one.kind, one.values, one.to, one.field, one.only, one.arguments) for one in state] == [
        ("accepted_values", ("'new'", "'it''s'", "'1'"), "", "", "", ()),
        ("accepted_values", ("1", "2.5", "TRUE"), "", "", "", ()),
        ("relationships", (), "ref('states')", "id", "state <> ''", ()),
        ("query", (), "", "", "", (("most", "NO"),)),
    ]
    whole = [one for one in found.tests if not one.column]
    assert [(one.kind, one.columns, one.only, one.name, one.severity) for one in whole] == [
        ("unique", ("id", "day"), "id > 0", "unique_orders_id_day", "error"),
        ("unique", ("a", "b"), "", "unique_orders_a_b", "error"),
        ("row_count", (), "", "row_count_orders", "warn"),
        ("query", (), "", "not_many", "error"),
    ]
    assert (whole[2].least, whole[2].most, whole[3].test, whole[3].arguments) == (1, 9, "few", (("most", 3),))


def entry(text: str) -> str:
    return f"models:\n  - name: orders\n{text}"


@pytest.mark.parametrize(
    ("text", "code", "place", "what"),
    [
        ("models: [{name: order}]", "unknown-model", ":1:10", "there is no model 'order' (did you mean 'orders'?)"),
        ("models: [{columns: []}]", "missing-key", ":1:10", "a model has no name"),
        ("models: {name: orders}", "bad-value", ":1:9", "models must be a list, not a mapping"),
        ("modles: []", "unknown-key", ":1:1", "unknown key 'modles' in a model file (did you mean 'models'?)"),
        ("metrics: []", "not-supported", ":1:1", "'metrics' is not supported in a model file"),
        (entry("    unit_tests: []"), "unknown-key", ":3:5", "unit tests stand beside models, not within one"),
        ("snapshots: {name: a}", "bad-value", ":1:12", "snapshots must be a list, not a mapping"),
        ("snapshots: [{relation: ref('a')}]", "missing-key", ":1:13", "a snapshot has no name"),
        ("snapshots: [{name: a}]", "missing-key", ":1:13", "snapshot 'a' has no relation"),
        ("snapshots: [{name: a b, relation: ref('a')}]", "reserved-name", ":1:20", None),
        (
            "snapshots: [{name: a, relation: \"ref('a') }} drop\"}]",
            "bad-value",
            ":1:33",
            "the relation of snapshot 'a' is no ref() and no source()",
        ),
        ("snapshots: [{name: orders, relation: ref('a')}]", "duplicate-model", "", None),
        ("snapshots: [{name: a, relation: ref('a'), contract: {}}]", "unknown-key", ":1:43", None),
        ("snapshots: [{name: a, relation: ref('a'), config: {strateg: a}}]", "unknown-key", ":1:52", None),
        ("models: [{name: orders}, {name: orders}]", "duplicate-key", ":1:26", None),
        (entry("    test: []"), "unknown-key", ":3:5", "unknown key 'test' in a model (did you mean 'tests'?)"),
        (entry("    config: {materialized: view}"), "unknown-key", ":3:14", None),
        (entry("    tests: [uniqe]"), "unknown-test", ":3:13", "unknown test 'uniqe' (did you mean 'unique'?)"),
        (entry("    tests: [not_null]"), "bad-value", ":3:13", "test 'not_null' does not go with model 'orders'"),
        (entry("    tests: [unique]"), "missing-key", ":3:13", "test 'unique' has no columns"),
        (entry("    tests: [{row_count: {min: many}}]"), "bad-value", ":3:31", "min is a number of rows"),
        (entry("    tests: [row_count]"), "missing-key", ":3:13", "test 'row_count' has neither min nor max"),
        (entry("    tests: [expression]"), "missing-key", ":3:13", "test 'expression' has no expression"),
        (
            entry("    tests: [{a: 1, b: 2}]"),
            "bad-value",
            ":3:13",
            "a test is a name with its arguments, not a mapping",
        ),
        (entry("    tests: [{expression: {sqll: a}}]"), "unknown-key", ":3:27", None),
        (
            entry("    columns: [{name: a, tests: [uniqe]}]"),
            "unknown-test",
            ":3:33",
            "unknown test 'uniqe' (did you mean 'unique'?)",
        ),
        (
            entry("    columns: [{name: a, tests: [relationships]}]"),
            "missing-key",
            ":3:33",
            "test 'relationships' has no to",
        ),
        (entry("    columns: [{name: a, tests: [accepted_values]}]"), "missing-key", ":3:33", None),
        (
            entry("    columns: [{name: a, tests: [{unique: {severity: wran}}]}]"),
            "bad-value",
            ":3:53",
            "severity can't be 'wran' (did you mean 'warn'?)",
        ),
        (entry("    columns: [{name: a, tests: [{unique: {config: {limit: 3}}}]}]"), "not-supported", ":3:52", None),
        (
            entry("    columns: [{name: a, tests: [unique], data_tests: []}]"),
            "duplicate-key",
            ":3:42",
            "tests and data_tests are the same",
        ),
    ],
)
def test_mistakes(tmp_path: Path, text: str, code: str, place: str, what: str | None) -> None:
    with pytest.raises(ProjectError) as caught:
        models(tmp_path, {"models/orders.sql": "select 1", "models/s.yml": text})
    first = caught.value.findings[0]
    assert (first.code, first.where) == (code, "models/s.yml" + place)
    assert what is None or first.what == what
    assert all(finding.fix for finding in caught.value.findings)


@pytest.mark.parametrize(
    ("files", "code", "where"),
    [
        ({"models/a.sql": "select 1", "models/x/A.sql": "select 2"}, "duplicate-model", "models/x/A.sql"),
        ({"models/a b.sql": "select 1"}, "reserved-name", "models/a b.sql"),
        ({"models/a__hg_1.sql": "select 1"}, "reserved-name", "models/a__hg_1.sql"),
        ({"models/a.sql": " \n"}, "missing-key", "models/a.sql"),
    ],
)
def test_mistakes_of_files(tmp_path: Path, files: dict[str, str], code: str, where: str) -> None:
    with pytest.raises(ProjectError) as caught:
        models(tmp_path, files)
    assert [(finding.code, finding.where) for finding in caught.value.findings] == [(code, where)]
