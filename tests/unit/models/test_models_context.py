"""What templates know: variables, the environment, the target, macros, ephemeral models, incremental forms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from headgate.core.errors import ProjectError
from headgate.core.values import TableRef
from headgate.models.checkfiles import SqlTest
from headgate.models.compile import compile_models
from headgate.models.context import Settings, Target
from headgate.models.macros import MacroFile, library
from headgate.models.model import Model, ModelCheck, ModelSource

LOADED = [TableRef("raw", "orders")]


def source(name: str, text: str, tests: Sequence[ModelCheck] = ()) -> ModelSource:
    return ModelSource(name, Path(f"models/gold/{name}.sql"), text, "gold", tuple(tests))


def compiled(*sources: ModelSource, tests: Sequence[SqlTest] = (), **settings: Any) -> dict[str, Model]:
    return {one.name: one for one in compile_models(sources, LOADED, "", Settings(**settings), tests)}


def sql(text: str, **settings: Any) -> str:
    return compiled(source("m", text), **settings)["m"].sql


def findings(*sources: ModelSource, **more: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(ProjectError) as caught:
        compiled(*sources, **more)
    return [(one.code, one.where, one.what) for one in caught.value.findings]


def test_variables_keep_their_kind() -> None:
    text = "select {{ var('n') + 1 }}, '{{ var('country') }}', {{ var('gone', 5) }}{% if var('flag') %}, 1{% endif %}"
    assert sql(text, vars={"n": 2, "country": "NO", "flag": False}) == "select 3, 'NO', 5"
    assert sql("select {{ var.has_var('n') }}", vars={"n": None}) == "select True"


def test_a_variable_that_nobody_set_is_an_error_at_its_line() -> None:
    (found,) = findings(source("m", "select\n{{ var('dya') }}"), vars={"day": 1})
    assert found == ("unknown-var", "models/gold/m.sql:2", "var('dya') is not set (did you mean 'day'?)")


def test_the_environment_is_read_but_for_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_REGION", "north")
    monkeypatch.setenv("DBT_ENV_SECRET_TOKEN", "hidden")
    assert sql("select '{{ env_var('SHOP_REGION') }}', '{{ env_var('SHOP_NONE', 'x') }}'") == "select 'north', 'x'"
    assert findings(source("m", "select '{{ env_var('SHOP_NONE') }}'"))[0][0] == "unknown-var"
    ((code, _, what),) = findings(source("m", "select '{{ env_var('DBT_ENV_SECRET_TOKEN') }}'"))
    assert (code, "hidden" in what) == ("unknown-var", False)


def test_a_model_knows_its_target_and_itself() -> None:
    text = "select '{{ target.name }}/{{ target.type }}', '{{ this.schema }}.{{ this.name }}', {{ this }}.x"
    made = sql(text, target=Target("prod", "main", "postgres"))
    assert made == """select 'prod/postgres', 'gold.m', "gold"."m".x"""
    assert (
        sql("select {{ execute }}, '{{ config.get('schema', 'none') }}'{{ config(schema='s') }}") == "select True, 's'"
    )


def test_macros_call_each_other_and_see_the_context() -> None:
    files = [
        MacroFile("macros/a.sql", "{# money #}\n{% macro euros(x) %}round({{ x }}/100, {{ places() }}){% endmacro %}"),
        MacroFile("macros/b.sql", "{%- macro places() -%}{{ var('places') }}{%- endmacro %}\n"
                  "{% macro orders() %}{{ ref('raw.orders') }}{% endmacro %}"),
    ]  # fmt: skip
    made = compiled(
        source("m", "select {{ euros('a') }} from {{ orders() }}"), macros=library(files), vars={"places": 2}
    )["m"]
    assert made.sql == 'select round(a/100, 2) from "_hg_raw"."orders"'
    assert made.inputs == ("raw.orders",)


def test_a_name_that_is_set_in_one_branch_is_known() -> None:
    text = "{% if target.type == 'duckdb' %}{% set n = 1 %}select {{ n }}{% else %}select 2{% endif %}"
    assert sql(text) == "select 1"
    assert sql(text, target=Target(type="postgres")) == "select 2"


def test_a_mistake_in_a_macro_is_told_there() -> None:
    bad = library([MacroFile("macros/a.sql", "{% macro bad() %}\n{{ var('nothing') }}\n{% endmacro %}")])
    assert [one[:2] for one in findings(source("m", "select {{ bad() }}"), macros=bad)] == [
        ("unknown-var", "macros/a.sql:2")
    ]


@pytest.mark.parametrize(
    ("text", "code", "what"),
    [
        ("{% macro a() %}{{ nobody }}{% endmacro %}", "model-template", "unknown name 'nobody'"),
        ("{% macro ref() %}{% endmacro %}", "macro-duplicate", "taken by the context of every template"),
        ("{% macro a() %}{% endmacro %}{% macro a() %}{% endmacro %}", "macro-duplicate", "taken by macros/m.sql:1"),
        ("select 1", "model-template", "text outside of a macro"),
        ("{% macro a() %}", "model-template", "Unexpected end of template"),
        ("{% macro a() %}{{ x | nofilter }}{% endmacro %}", "model-template", "No filter named 'nofilter'"),
    ],
)
def test_mistakes_of_macro_files(text: str, code: str, what: str) -> None:
    with pytest.raises(ProjectError) as caught:
        library([MacroFile("macros/m.sql", text)])
    assert caught.value.finding.code == code
    assert what in caught.value.finding.what
    assert caught.value.finding.where == "macros/m.sql:1"


EPHEMERAL = "{{ config(materialized='ephemeral') }}\n"


def test_an_ephemeral_model_is_a_part_of_the_query() -> None:
    made = compiled(
        source("one", EPHEMERAL + "with t as (select 1 as a) select a, 2 as b from t"),
        source("two", EPHEMERAL + "select a + 1 as a from {{ ref('one') }}"),
        source("m", "with one as (select * from {{ ref('one') }}), x as (select 5 as y)\n"
                    "select one.a, two.a, y from one, {{ ref('two') }} as two, x, {{ ref('raw.orders') }}"),
        source("r", "with recursive n as (select 1 as i union all select i + 1 from n where i < 3)\n"
                    "select sum(i) from n, {{ ref('two') }}"),
    )  # fmt: skip
    assert set(made) == {"m", "r"}
    assert (made["m"].inputs, made["r"].inputs) == (("raw.orders",), ())
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA _hg_raw; CREATE TABLE _hg_raw.orders AS SELECT 1 AS id")
        assert connection.execute(made["m"].sql).fetchall() == [(1, 2, 5)]
        assert connection.execute(made["r"].sql).fetchall() == [(6,)]


def test_a_change_of_an_ephemeral_model_changes_its_readers() -> None:
    def fingerprint(text: str) -> str:
        return compiled(source("e", EPHEMERAL + text), source("m", "select * from {{ ref('e') }}"))["m"].fingerprint

    assert fingerprint("select 1 as a") == fingerprint("select 1   as a -- same")
    assert fingerprint("select 1 as a") != fingerprint("select 2 as a")


def test_ephemeral_models_can_do_less() -> None:
    circle = [source("a", EPHEMERAL + "from {{ ref('b') }}"), source("b", EPHEMERAL + "from {{ ref('a') }}")]
    assert {one[0] for one in findings(*circle, source("m", "from {{ ref('a') }}"))} == {"model-cycle"}
    ((code, _, what),) = findings(source("a", EPHEMERAL + "select 1 as id", [ModelCheck("unique", "id")]))
    assert (code, "it has no rows" in what) == ("model-check", True)


def test_both_forms_of_an_incremental_model_are_compiled() -> None:
    text = "{{ config(materialized='incremental', unique_key='id') }}select * from {{ ref('raw.orders') }}"
    made = compiled(
        source("m", text + "{% if is_incremental() %} where id > (select max(id) from {{ this }}){% endif %}")
    )
    how = made["m"].incremental
    assert made["m"].sql == 'select * from "_hg_raw"."orders"'
    assert how is not None
    assert (how.strategy, how.unique_key) == ("merge", ("id",))
    assert how.sql.endswith('where id > (select max(id) from "gold"."m")')
    assert [(one.code, one.where) for one in made["m"].warnings] == [("late-rows-lost", "models/gold/m.sql:1")]


def test_what_is_said_to_lose_nothing_is_not_warned_of() -> None:
    head = "{{ config(materialized='incremental') }}select * from {{ ref('raw.orders') }}"
    for condition in ("id not in (select id from {{ this }})", "(select count(*) from {{ this }}) > 0", "true"):
        made = compiled(source("m", head + "{% if is_incremental() %} where " + condition + "{% endif %}"))
        assert made["m"].warnings == ()


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ("unique_key='id'", "unique_key does not go with materialized='view'"),
        ("materialized='table', lookback=3", "lookback does not go with materialized='table'"),
        ("materialized='incremental', lookback=3", "lookback needs a time_column"),
        ("materialized='incremental', incremental_strategy='merge'", "merge needs to know a row by its key"),
        ("materialized='incremental', incremental_strategy='delete+insert'", "needs to know what to delete"),
        ("materialized='incremental', incremental_strategy='append', unique_key='id'", "append takes no unique_key"),
        ("materialized='incremental', incremental_strategy='marge'", "(did you mean 'merge'?)"),
        ("materialized='incremental', unique_key=['a', 'A']", "names no columns"),
        ("materialized='incremental', unique_key=3", "names no columns"),
        ("materialized='incremental', time_column='d', lookback='3'", "lookback='3' is no number of intervals"),
        ("materialized='incremental', time_column='d', interval='decade'", "interval='decade' is unknown"),
        ("materialized='incremental', on_schema_change='explode'", "on_schema_change='explode' is unknown"),
        ("materialized='incrementel'", "(did you mean 'incremental'?)"),
        ("severity='warn'", "severity is a setting of tests"),
    ],
)
def test_settings_that_do_not_go_together(settings: str, what: str) -> None:
    ((code, where, told),) = findings(source("m", "{{ config(" + settings + ") }}select 1 as id"))
    assert (code, where.partition(":")[0]) == ("model-config", "models/gold/m.sql")
    assert what in told


def test_a_sql_file_tests_the_model_that_is_built_last() -> None:
    text = "{{ config(severity='warn') }}\nselect * from {{ ref('b') }} join {{ ref('a') }} using (id)"
    made = compiled(
        source("a", "select 1 as id"), source("b", "select 2 as id"), source("c", "select 3 as id"),
        tests=[SqlTest("no_overlap", Path("tests/no_overlap.sql"), text)],
    )  # fmt: skip
    (check,) = made["b"].checks
    assert (check.label, check.severity, made["b"].inputs) == ("no_overlap", "warn", ("a",))
    assert check.sql == '\nselect * from _hg_model join "gold"."a" using (id)'.strip("\n")
    assert made["a"].checks == made["c"].checks == ()


def test_a_sql_file_that_tests_no_model_is_an_error() -> None:
    tests = [SqlTest("t", Path("tests/t.sql"), "select * from {{ ref('raw.orders') }}")]
    ((code, where, what),) = findings(source("a", "select 1 as id"), tests=tests)
    assert (code, where) == ("model-check", "tests/t.sql")
    assert what == "the test 't' reads no model, so there is nothing that it could keep from being published"


POSITIVE = """\
{% test positive(model, column_name, least=0, but=none) %}
select * from {{ model }} where {{ column_name }} <= {{ least }}
{%- if but %} and {{ column_name }} not in (from {{ but }}){% endif %}
{% endtest %}
"""


def test_a_custom_test_is_rendered_with_its_arguments() -> None:
    check = ModelCheck("query", "n", name="p", test="positive", arguments=(("least", 3), ("but", "ref('a')")))
    tests = library([MacroFile("tests/generic/p.sql", POSITIVE)])
    made = compiled(source("a", "select 0 as n"), source("m", "select 1 as n", [check]), macros=tests)["m"]
    assert made.checks[0].sql == 'select * from _hg_model where n <= 3 and n not in (from "gold"."a")'
    assert made.inputs == ("a",)


@pytest.mark.parametrize(
    ("check", "what"),
    [
        (ModelCheck("query", "n", test="positve"), "there is no test 'positve' (did you mean 'positive'?)"),
        (
            ModelCheck("query", "n", test="positive", arguments=(("leest", 1),)),
            "takes no 'leest' (did you mean 'least'?)",
        ),
        (ModelCheck("relationships", "n", to="ref('a')", field="n", only="n > (1"), "leaves a parenthesis open"),
        (ModelCheck("accepted_values", "n"), "it names no values"),
        (ModelCheck("unique"), "it names no column"),
    ],
)
def test_mistakes_of_tests(check: ModelCheck, what: str) -> None:
    tests = library([MacroFile("tests/generic/p.sql", POSITIVE)])
    ((code, _, told),) = findings(source("a", "select 0 as n"), source("m", "select 1 as n", [check]), macros=tests)
    assert (code, what in told) == ("model-check", True)


def test_a_relationship_makes_the_other_model_an_input_or_a_circle() -> None:
    to = ModelCheck("relationships", "n", to="ref('a')", field="n")
    assert compiled(source("a", "select 1 as n"), source("m", "select 1 as n", [to]))["m"].inputs == ("a",)
    own = ModelCheck("relationships", "n", to="ref('m')", field="n")
    assert compiled(source("m", "select 1 as n", [own]))["m"].checks[0].to == "_hg_model"
