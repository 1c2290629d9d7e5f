from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from headgate.core.errors import Finding, Location, ProjectError
from headgate.core.values import TableRef
from headgate.models.compile import compile_models
from headgate.models.model import Model, ModelCheck, ModelSource
from headgate.models.names import read_view_sql

Make = Callable[..., ModelSource]
One = Callable[..., Model]
ORDERS = TableRef("raw", "orders")


def refused(*sources: ModelSource, loaded: tuple[TableRef, ...] = (ORDERS,)) -> tuple[Finding, ...]:
    with pytest.raises(ProjectError) as caught:
        compile_models(sources, loaded)
    return caught.value.findings


def test_config_and_names_become_a_model(source: Make) -> None:
    text = (
        "{{ config(materialized='table', schema='mart', tags=['a', 'b', 'a']) }}\nselect * from {{ ref('clean') }};\n"
    )
    clean, daily = compile_models(
        [source("daily", text, "gold/x"), source("clean", "select * from {{ source('raw', 'orders') }}", "silver")],
        [ORDERS],
    )
    assert (clean.target, clean.materialized, clean.tags) == (TableRef("silver", "clean"), "view", ())
    assert (clean.sql, clean.inputs) == ('select * from "_hg_raw"."orders"', ("raw.orders",))
    assert (daily.target, daily.materialized, daily.tags) == (TableRef("mart", "daily"), "table", ("a", "b"))
    assert (daily.sql, daily.inputs) == ('select * from "silver"."clean"', ("clean",))
    assert daily.places == (Location("models/gold/x/daily.sql", 2),)


def test_a_model_directly_under_models_lives_in_main(one: One) -> None:
    assert one("select 1", folder="").target == TableRef("main", "daily")


@pytest.mark.parametrize("name", ["orders", "raw.orders", "RAW.Orders", "ORDERS"])
def test_a_loaded_table_may_be_named_short_or_whole_in_any_case(one: One, name: str) -> None:
    model = one(f"select * from {{{{ ref('{name}') }}}}")
    assert model.inputs == ("raw.orders",)
    assert model.sql.endswith('"_hg_raw"."orders"')


def test_a_model_may_be_named_with_its_schema(source: Make) -> None:
    models = compile_models([source("a", "select 1", "s"), source("b", "from {{ ref('s.a') }}")], [])
    assert (models[1].inputs, models[1].sql) == (("a",), 'from "s"."a"')


def test_a_branch_that_is_not_taken_hides_no_reference(source: Make) -> None:
    text = "{% if false %}\nfrom {{ ref('raw.orders') }}\n{% else %}\nfrom {{ ref('a') }}{% endif %}"
    models = compile_models([source("a", "select 1"), source("b", text)], [ORDERS])
    assert models[1].inputs == ("raw.orders", "a")
    assert [place.line for place in models[1].places] == [2, 4]


def test_references_that_are_computed_are_found(source: Make) -> None:
    text = "{% for n in ['a', 'b'] %}\nfrom {{ ref(n) }}{% if not loop.last %} union all {% endif %}{% endfor %}"
    models = compile_models([source("a", "select 1"), source("b", "select 1"), source("c", text)], [])
    assert models[2].inputs == ("a", "b")
    assert [place.line for place in models[2].places] == [2, 2]


def test_an_unknown_reference_names_line_and_nearest(source: Make) -> None:
    (finding,) = refused(source("b", "select 1\nfrom {{ ref('raw.order') }}", "gold"))
    assert (finding.code, finding.where) == ("unknown-ref", "models/gold/b.sql:2")
    assert "did you mean 'raw.orders'?" in finding.what


def test_an_unknown_reference_in_a_branch_that_is_not_taken_is_an_error(source: Make) -> None:
    (finding,) = refused(source("b", "select 1\n{% if false %}{{ ref('nix') }}{% endif %}"))
    assert (finding.code, finding.where) == ("unknown-ref", "models/b.sql:2")


def test_source_takes_loaded_tables_only(source: Make) -> None:
    (finding,) = refused(source("a", "select 1", "s"), source("b", "from {{ source('s', 'a') }}"))
    assert (finding.code, finding.fix) == ("unknown-ref", "Write ref('a')")


def test_a_name_without_a_schema_is_the_models_of_that_name(source: Make) -> None:
    sources = [source("orders", "select 1", "silver"), source("b", "from {{ ref('Orders') }}")]
    assert compile_models(sources, [ORDERS])[0].inputs == ("orders",)


def test_a_short_name_of_two_loaded_tables_is_an_error_that_lists_them(source: Make) -> None:
    (finding,) = refused(source("b", "\nfrom {{ ref('orders') }}"), loaded=(ORDERS, TableRef("web", "orders")))
    assert (finding.code, finding.where) == ("ambiguous-ref", "models/b.sql:2")
    assert finding.fix == "Write ref('raw.orders') or ref('web.orders')"


def test_two_models_of_one_name_are_an_error(source: Make) -> None:
    (finding,) = refused(source("a", "select 1", "s"), source("A", "select 1", "t"))
    assert finding.code == "model-duplicate"
    assert {finding.where, finding.what.rpartition(" ")[2]} == {"models/s/a.sql", "models/t/A.sql"}


def test_a_model_in_the_place_of_a_loaded_table_is_an_error(source: Make) -> None:
    (finding,) = refused(source("Orders", "select 1", "raw"))
    assert (finding.code, finding.where) == ("model-duplicate", "models/raw/Orders.sql")


@pytest.mark.parametrize(
    ("text", "code", "line", "what"),
    [
        ("select 1\n{{ reff('a') }}", "model-template", 2, "unknown name 'reff' (did you mean 'ref'?)"),
        ("\n\n{% if %}", "model-template", 3, "Expected an expression"),
        ("select {{ 1 / 0 }}", "model-template", 1, "division by zero"),
        ("{% set a = {} %}\n{{ a.b }}", "model-template", 2, "has no attribute 'b'"),
        ("\n{{ ''.__class__.__mro__ }}", "model-template", 2, "unsafe"),
        ("{% include 'x' %}", "model-template", 1, "the template fails"),
        ("{{ [1, 2] | random }}", "model-template", 1, "No filter named 'random'"),
        ("\n{{ config(materialised='table') }}", "model-config", 2, "did you mean 'materialized'?"),
        ("{{ config(materialized='tabel') }}", "model-config", 1, "did you mean 'table'?"),
        ("{{ config('table') }}", "model-config", 1, "by name"),
        ("{{ config(schema='_headgate') }}", "model-config", 1, "reserved"),
        ("{{ config(schema='_HG_raw') }}", "model-config", 1, "reserved"),
        ("{{ config(schema='') }}", "model-config", 1, "no name"),
        ("{{ config(tags=[1]) }}", "model-config", 1, "tags"),
        ("\n{{ ref('a', 'b') }}", "unknown-ref", 2, "takes one name"),
        ("{{ ref('a', v=2) }}", "unknown-ref", 1, "takes one name"),
        ("{{ ref(1) }}", "unknown-ref", 1, "takes one name"),
        ("{{ source('raw') }}", "unknown-ref", 1, "takes a schema and a table"),
        ("", "model-not-select", 0, "no SQL"),
        ("-- select 1", "model-not-select", 0, "no SQL"),
        ("select 1; drop table x", "model-not-select", 0, "2 statements"),
    ],
)
def test_a_mistake_is_named_with_its_line(source: Make, text: str, code: str, line: int, what: str) -> None:
    (finding,) = refused(source("b", text))
    assert (finding.code, finding.where) == (code, f"models/b.sql:{line}" if line else "models/b.sql")
    assert what in finding.what
    assert finding.fix


def test_every_mistake_is_told_at_once(source: Make) -> None:
    findings = refused(source("a", "{{ nix }}\n{{ nada }}"), source("b", "{{ config(x=1) }}"))
    assert [finding.where for finding in findings] == ["models/a.sql:1", "models/a.sql:2", "models/b.sql:1"]


@pytest.mark.parametrize("name", ["a.b", "x__hg_1", " ", "a\x00b"])
def test_a_file_name_that_cannot_name_a_model_is_an_error(source: Make, name: str) -> None:
    (finding,) = refused(source(name, "select 1"))
    assert (finding.code, finding.fix) == ("model-name", "Rename the file")


def test_a_folder_with_a_reserved_name_is_an_error(source: Make) -> None:
    (finding,) = refused(source("a", "select 1", "_hg_raw"))
    assert (finding.code, finding.where) == ("model-config", "models/_hg_raw/a.sql")


@pytest.mark.parametrize(
    ("check", "what"),
    [
        (ModelCheck("not_null"), "names no column"),
        (ModelCheck("expression"), "has no expression"),
        (ModelCheck("expression", sql="a) or (b"), "closes a parenthesis"),
    ],
)
def test_a_check_that_says_too_little_is_an_error(source: Make, check: ModelCheck, what: str) -> None:
    check = replace(check, where=Location("models/schema.yml", 7))
    (finding,) = refused(source("a", "select 1", tests=[check]))
    assert (finding.code, finding.where) == ("model-check", "models/schema.yml:7")
    assert what in finding.what


def test_names_are_quoted_whatever_they_hold(source: Make) -> None:
    hostile = 'a"; drop table x; --'
    models = compile_models([source(hostile, "select 1", 'g"old'), source("b", "from {{ ref(\"g'x.t\\\"\") }}")],
                            [TableRef("g'x", 't"')])  # fmt: skip
    assert models[0].target == TableRef('g"old', hostile)
    assert models[1].sql == 'from "_hg_g\'x"."t"""'


def test_the_fingerprint_ignores_layout_comments_tags_and_places(source: Make) -> None:
    def of(text: str, where: Location | None) -> str:
        check = ModelCheck("expression", sql="a  > 0 -- x" if where else "a > 0", where=where)
        return compile_models([source("m", text, "gold", [check])], [], "e")[0].fingerprint

    one = of("select  1 as a -- one\n;", Location("y.yml", 3))
    assert one == of("{{ config(tags='x') }}\nselect 1\nas a", None)


def test_the_fingerprint_changes_with_all_that_may_change_the_rows_or_their_checks(source: Make) -> None:
    def of(text: str = "select 1 as a", engine: str = "e", folder: str = "gold", **check: Any) -> str:
        checks = [ModelCheck(**check)] if check else []
        return compile_models([source("m", text, folder, checks)], [], engine)[0].fingerprint

    variants = [
        of(),
        of("select 2 as a"),
        of("{{ config(materialized='table') }} select 1 as a"),
        of(engine="f"),
        of(folder="silver"),
        of(kind="not_null", column="a"),
        of(kind="unique", column="a"),
        of(kind="unique", column="b"),
        of(kind="unique", column="a", severity="warn"),
        of(kind="expression", sql="a > 0"),
        of(kind="expression", sql="a > 1"),
    ]
    assert len(set(variants)) == len(variants)


def test_the_read_view_hides_the_internal_column_and_allows_the_tables_name(session: Any, one: One) -> None:
    table = TableRef("raw", 'or"ders')
    session.execute('CREATE SCHEMA raw; CREATE TABLE raw."or""ders" (id BIGINT, "a ""b" TEXT, _hg_load TEXT)')
    session.execute("INSERT INTO raw.\"or\"\"ders\" VALUES (1, 'x', 'e1')")
    for _ in range(2):
        for statement in read_view_sql(table, ["id", 'a "b']):
            session.execute(statement)
    (model,) = compile_models(
        [ModelSource("m", one("select 1").path, 'select "or""ders".* from {{ ref(\'raw.or\\"ders\') }}')], [table]
    )
    assert session.execute(model.sql) == [(1, "x")]
