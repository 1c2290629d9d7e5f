"""The transform kit: every macro on the same rows on every engine, its guards, its arguments, its documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from jinja2 import meta
from tests.unit.models.kit_cases import GUARDED, MADE_OF, READERS, Case, Guarded, cases

from headgate.core.errors import ProjectError
from headgate.core.values import TableRef
from headgate.models import kit
from headgate.models.checks import failing
from headgate.models.compile import compile_models
from headgate.models.context import Settings, Target
from headgate.models.kit import guards, tables
from headgate.models.lineage import Surroundings, trace_models
from headgate.models.macros import MacroFile, library
from headgate.models.model import Model, ModelCheck, ModelSource
from headgate.models.template import compiled as compiled_template
from headgate.models.template import unknown_names
from headgate.sql.lineage.flow import DIRECT
from headgate.sql.lineage.known import Dialect, Known

CASES = list(cases())


def compiled(text: str, engine: str = "duckdb", tests: tuple[ModelCheck, ...] = ()) -> Model:
    source = ModelSource("m", Path("models/gold/m.sql"), text, "gold", tests)
    (model,) = compile_models([source], [TableRef("raw", "orders")], engine, Settings(target=Target(type=engine)))
    return model


@pytest.fixture(scope="module")
def duck() -> Iterator[Any]:
    with duckdb.connect() as connection:
        yield connection.execute


@pytest.fixture
def postgres_query(postgres_of_worker: str) -> Iterator[Any]:
    import psycopg

    with psycopg.connect(postgres_of_worker, autocommit=True) as connection:
        yield connection.execute


def plain(cell: Any) -> str | None:
    """A value as text; decimals without the zeros at their end, flags as SQL writes them."""
    if cell is None or isinstance(cell, bool):
        return None if cell is None else str(cell).lower()
    return f"{cell.normalize():f}" if isinstance(cell, Decimal) else str(cell)


def texts(rows: Iterable[tuple[Any, ...]]) -> list[list[str | None]]:
    return sorted(([plain(cell) for cell in row] for row in rows), key=str)


def difference(case: Case, engine: str, execute: Callable[[str], Any]) -> tuple[object, ...] | None:
    """What the macro gives and what it should give, where they differ."""
    found, expected = texts(execute(compiled(case.model, engine).sql).fetchall()), texts(case.rows)
    return None if found == expected else (case.text, found, expected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.macro)
def test_macros_on_duckdb(case: Case, duck: Callable[[str], Any]) -> None:
    assert difference(case, "duckdb", duck) is None


def test_macros_on_postgres(postgres_query: Callable[[str], Any]) -> None:
    assert [found for case in CASES if (found := difference(case, "postgres", postgres_query))] == []


def guarded(one: Guarded, engine: str, execute: Callable[[str], Any]) -> None:
    """The query ends itself, and its error leads to the guard's finding, which names no value."""
    model = compiled(Case("", one.text, [], one.given).model, engine)
    with pytest.raises(Exception, match=one.code) as caught:
        execute(model.sql)
    finding = guards.told(model, " ".join(str(caught.value).split()))
    assert finding is not None
    assert (finding.code, finding.where) == (one.code, "models/gold/m.sql")
    assert finding.what.endswith(f": {one.keys} key" + "s" * (one.keys > 1))


@pytest.mark.parametrize("one", GUARDED, ids=lambda one: one.code)
def test_guards_on_duckdb(one: Guarded, duck: Callable[[str], Any]) -> None:
    guarded(one, "duckdb", duck)


def test_guards_on_postgres(postgres_query: Callable[[str], Any]) -> None:
    for one in GUARDED:
        guarded(one, "postgres", postgres_query)


def test_a_view_is_guarded_whenever_it_is_read(duck: Callable[[str], Any]) -> None:
    duck("create schema if not exists _hg_raw")
    duck("create or replace table _hg_raw.orders as select 1 as id, 5 as x")
    text = "{{ hg.lookup(ref('raw.orders'), ref('raw.orders'), on='id', take={'x': 'found'}) }}"
    duck(f"create or replace view guarded as {compiled(text).sql}")
    assert duck("select found from guarded").fetchall() == [(5,)]
    duck("insert into _hg_raw.orders values (1, 6)")
    for query in ("select * from guarded", "select count(*) from guarded"):
        with pytest.raises(duckdb.Error, match="lookup-duplicates"):
            duck(query)


def test_an_error_of_the_data_is_never_taken_for_a_guard() -> None:
    said = guards.marker("lookup-duplicates", "a cell says so", "drop table x") + "1"
    text = "{{ hg.lookup(ref('raw.orders'), ref('raw.orders'), on='id', take={'id': 'other'}) }}"
    for model in (compiled("select cast(x as int) as x from {{ ref('raw.orders') }}"), compiled(text)):
        assert guards.told(model, f"Could not convert string '{said}' to INT32") is None


@pytest.mark.parametrize(
    ("call", "what"),
    [
        ("hg.clean_txt('x')", "the kit has no macro hg.clean_txt (did you mean 'clean_text'?)"),
        ("hg.clean_text('x', case='title')", "hg.clean_text: case='title' is unknown"),
        ("hg.clean_text('x', cas='upper')", "macro 'clean_text' takes no keyword argument 'cas'"),
        ("hg.phone('x', country='XX')", "hg.phone: country='XX' has no numbers"),
        ("hg.to_utc('x')", "hg.to_utc: it needs zone or zone_column, and not both"),
        ("hg.convert_unit('x', 'u', {})", "hg.convert_unit: units is a mapping, not {}"),
        ("hg.convert_unit('x', 'u', {'g': 'x'})", "hg.convert_unit: a factor is a number, not 'x'"),
        ("hg.convert_unit('x', 'u', {'g': [1, 2, 3]})", "hg.convert_unit: the rule of 'g' is no factor"),
        ("hg.date_dimension('2024-02-30', '2024-12-31')", "hg.date_dimension: first='2024-02-30' is no day"),
        ("hg.date_dimension('2024-01-01', '2024-12-31', fiscal_year_start=13)", "fiscal_year_start=13 is no month"),
        ("hg.deduplicate('select 1', by='x', order_by='x')", "hg.deduplicate: 'select 1' is no relation"),
        ("hg.deduplicate('t', by=[], order_by='x')", "hg.deduplicate: by=[] names no columns"),
        ("hg.deduplicate('t', by='x', order_by='')", "hg.deduplicate: order_by='' orders nothing"),
        ("hg.lookup('a', 'b', on='x', take='y', unmatched='unknown')", "hg.lookup: unknown says nothing about 'y'"),
        ("hg.lookup('a', 'b', on='x', take='y', unmatched='nul')", "unmatched='nul' is unknown (did you mean 'null'?)"),
        ("hg.pivot('t', by='x', column='y', values='z')", "hg.pivot: values='z' is no list of values"),
        ("hg.dimension('t', key='k', by='x', columns='x', unknown={'z': 1})", "hg.dimension: unknown speaks of 'z'"),
        ("hg.rollup('t', 'at', 'decade', {'n': 'count(*)'})", "hg.rollup: grain='decade' is unknown"),
    ],
)
def test_wrong_arguments_are_told_at_the_line_of_the_model(call: str, what: str) -> None:
    with pytest.raises(ProjectError) as caught:
        compiled("select 1 as id,\n{{ " + call + " }}")
    finding = caught.value.finding
    assert (finding.code, finding.where) == ("model-template", "models/gold/m.sql:2")
    assert what in finding.what


def test_macros_of_a_project_may_use_the_kit_and_the_functions_of_templates() -> None:
    text = "{% macro both(x) %}{% for n in range(2) %}{{ hg.clean_text(x ~ n) }},{% endfor %}{% endmacro %}"
    shared = Settings(macros=library([MacroFile("macros/m.sql", text)]))
    source = ModelSource("m", Path("models/gold/m.sql"), "select {{ both('a') }} 1 as id", "gold")
    (model,) = compile_models([source], [], "", shared)
    assert "CAST(a0 AS VARCHAR)" in model.sql
    assert "CAST(a1 AS VARCHAR)" in model.sql


def test_only_what_a_model_calls_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    template = kit.template
    monkeypatch.setattr(kit, "template", lambda file: asked.append(file) or template(file))
    compiled("select 1 as id")
    assert asked == []
    compiled("select {{ hg.clean_text('x') }} as id")
    assert set(asked) == {"text"}


def test_every_macro_has_a_case() -> None:
    named = {name for name in kit.macros() if not name.startswith("test_")}
    assert {case.macro for case in CASES} == named


def test_files_of_macros_hold_no_unknown_names() -> None:
    for file in kit.FILES:
        tree, _ = compiled_template(kit.text(file), file)
        own = {name for name, where in kit.macros().items() if where == file}
        assert unknown_names(tree, file, meta.find_undeclared_variables(tree), {"kit", *own}) == []


def test_numbers_of_countries_are_as_their_plans_say() -> None:
    phones = tables.phones()
    assert phones.codes["FR"] == "33"
    assert len(phones.codes) > 230
    assert {len(code) for code in tables.countries()["alpha_2"].values()} == {2}
    assert len(set(tables.countries()["alpha_3"].values())) == 249


def leaking(text: str, check: ModelCheck) -> str:
    """The query that counts the rows that fail a test of the kit."""
    (found,) = compiled(text, tests=(check,)).checks
    return failing(found, f"({text})")


def test_leakage_is_found(duck: Callable[[str], Any]) -> None:
    rows = "select * from (values (1, 5, 4), (2, 5, 5), (3, 5, 6), (4, 5, null)) as t(id, label_at, feature_at)"
    for strict, count in ((False, 1), (True, 2)):
        given = (("label_time", "label_at"), ("strict", strict))
        check = ModelCheck("query", "feature_at", test="hg.no_leakage", arguments=given)
        assert duck(leaking(rows, check)).fetchone() == (count,)


def test_values_from_the_future_are_found_whatever_the_join_says(duck: Callable[[str], Any]) -> None:
    known = "values ('a', 1, 10), ('a', 5, 20), ('b', 9, 30)"
    duck("create schema if not exists _hg_raw")
    duck(f"create or replace table _hg_raw.orders as from ({known}) as t(k, since, v)")
    rows = "values (1,'a',4,10), (2,'a',4,20), (3,'a',5,20), (4,'b',4,30), (5,'c',4,null)"
    said = (("features", "ref('raw.orders')"), ("on", "k"), ("at", "label_at"), ("time", "since"), ("columns", ["v"]))
    for strict, count in ((False, 2), (True, 3)):
        check = ModelCheck("query", test="hg.only_past_values", arguments=(*said, ("strict", strict)))
        found = duck(leaking(f"select * from ({rows}) as t(id, k, label_at, v)", check))
        assert found.fetchone() == (count,)


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_lineage_sees_through_the_macros(engine: Dialect) -> None:
    table = TableRef("raw", "orders")
    around = Surroundings(engine, {table: Known("raw.orders", ("id", "name", "v", "since", "until"), False)})
    parts = "with t as (select * from {{ ref('raw.orders') }}), o as (select * from {{ ref('raw.orders') }})\n"
    for name, text in READERS.items():
        traced = trace_models([compiled(parts + text, engine)], around)["m"]
        assert (name, traced.doubt, traced.rest) == (name, "", None)
        found = {column: {one.column for one in flows if one.kind in DIRECT} for column, flows in traced.columns}
        assert {column: found[column] for column in MADE_OF[name]} == {
            column: set(sources.split()) for column, sources in MADE_OF[name].items()
        }, name
