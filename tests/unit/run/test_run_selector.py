"""Selections in dbt's words, over loads and models at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core.errors import ProjectError
from headgate.run.selector import Node, Selection, Web

ONE = "table: raw.{0}\nfrom: data/{0}/*.csv\n{1}columns:\n  id: int, key{2}\n"

WEB = Web(
    (
        Node("raw.customers", "load", ("raw.customers",), ("crm", "raw"), "ingest/crm/customers.yml", ("daily",)),
        Node("raw.orders", "load", ("raw.orders",), ("raw",), "ingest/orders.yml"),
        Node("clean", "model", ("clean", "silver.clean"), ("silver",), "models/silver/clean.sql", ("daily",), "view"),
        Node("totals", "model", ("totals", "gold.totals"), ("gold",), "models/gold/totals.sql", (), "table"),
        Node(
            "report", "model", ("report", "gold.report"), ("gold", "gold.web"), "models/gold/web/report.sql", ("web",)
        ),
        Node("other", "model", ("other", "main.other"), ("main",), "models/other.sql"),
    ),
    {
        "raw.orders": frozenset({"raw.customers"}),
        "clean": frozenset({"raw.orders"}),
        "totals": frozenset({"clean"}),
        "report": frozenset({"totals", "raw.customers"}),
        "other": frozenset({"raw.customers"}),
    },
    ("inside",),
)
ALL = {node.id for node in WEB.nodes}
STATES = {"new": {"other"}, "modified": {"other", "clean"}, "stale": {"clean", "totals"}}


def chosen(*words: str, exclude: str = "") -> set[str]:
    return Selection.of(words, [exclude] if exclude else []).chosen(WEB, lambda: STATES)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", ALL),
        ("totals", {"totals"}),
        ("GOLD.Totals", {"totals"}),
        ("+totals", {"totals", "clean", "raw.orders", "raw.customers"}),
        ("1+totals", {"totals", "clean"}),
        ("2+totals", {"totals", "clean", "raw.orders"}),
        ("0+totals", {"totals"}),
        ("raw.orders+", {"raw.orders", "clean", "totals", "report"}),
        ("raw.orders+1", {"raw.orders", "clean"}),
        ("+clean+1", {"raw.customers", "raw.orders", "clean", "totals"}),
        ("@totals", {"raw.customers", "raw.orders", "clean", "totals", "report"}),
        ("gold", {"totals", "report"}),
        ("gold.web", {"report"}),
        ("gold.*", {"totals", "report"}),
        ("crm", {"raw.customers"}),
        ("tag:daily", {"raw.customers", "clean"}),
        ("tag:d*", {"raw.customers", "clean"}),
        ("tag:daily+1", {"raw.customers", "clean", "raw.orders", "totals", "report", "other"}),
        ("path:models/gold", {"totals", "report"}),
        ("path:./models/gold/", {"totals", "report"}),
        ("path:models/gold/web/report.sql", {"report"}),
        ("path:models/*/clean.sql", {"clean"}),
        ("source:raw.orders", {"raw.orders"}),
        ("source:raw", {"raw.orders", "raw.customers"}),
        ("source:raw+1,kind:model", {"clean", "report", "other"}),
        ("kind:load", {"raw.orders", "raw.customers"}),
        ("resource_type:model,tag:daily", {"clean"}),
        ("config.materialized:table", {"totals"}),
        ("totals other", {"totals", "other"}),
        ("tag:daily,+totals", {"raw.customers", "clean"}),
        ("tag:web,tag:daily", set()),
        ("state:new", {"other"}),
        ("state:stale+1", {"clean", "totals", "report"}),
        ("state:modified,gold", set()),
    ],
)
def test_words_choose_steps(words: str, expected: set[str]) -> None:
    assert chosen(*words.split(" ") if words else ()) == expected
    if words:  # in one word, as a shell's quotes give them
        assert chosen(words) == expected


def test_what_is_excluded_is_left_out_whatever_chose_it() -> None:
    assert chosen(exclude="raw gold") == {"clean", "other"}
    assert chosen("+report", exclude="tag:daily,kind:model") == ALL - {"clean", "other"}
    assert chosen("totals", exclude="@totals") == set()


def test_a_state_is_looked_up_only_where_it_is_spoken_of() -> None:
    def never() -> dict[str, set[str]]:
        raise AssertionError("nobody asked")

    assert Selection.of(["totals"]).chosen(WEB, never) == {"totals"}
    assert Selection.of(["state:new"]).chosen(WEB) == set()  # only read for its mistakes


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("total", "unknown-step", "no table or model 'total' (did you mean 'totals'?)"),
        ("goldd", "unknown-step", "(did you mean 'gold'?)"),
        ("+silver.INSIDE", "unknown-step", "model 'inside' is ephemeral"),
        ("silver.*s", "nothing-matches", "no step matches 'silver.*s'"),
        ("tag:dayly", "nothing-matches", "no step matches 'tag:dayly' (did you mean 'daily'?)"),
        ("path:models/silvr", "nothing-matches", "(did you mean 'models/silver'?)"),
        ("source:clean", "nothing-matches", "no step matches 'source:clean'"),
        ("tga:daily", "bad-selector", "unknown method 'tga' (did you mean 'tag'?)"),
        ("tag:", "bad-selector", "tag: names nothing"),
        ("state:stail", "bad-selector", "no step can be 'stail' (did you mean 'stale'?)"),
        ("@totals+", "bad-selector", "'@totals+' is no selection"),
        ("totals,,other", "bad-selector", "no selection of steps: ''"),
        ("++totals", "bad-selector", "'++totals' is no selection"),
        ("+", "bad-selector", "'+' is no selection"),
    ],
)
@pytest.mark.parametrize("way", ["select", "exclude"])
def test_a_mistake_is_told_with_what_was_meant(words: str, code: str, said: str, way: str) -> None:
    with pytest.raises(ProjectError) as caught:
        Selection.of(**{"include": [], way.replace("select", "include"): [words]}).chosen(WEB)
    assert (caught.value.finding.code, said in caught.value.finding.what) == (code, True), caught.value.finding
    assert caught.value.finding.fix


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder.make(
        tmp_path,
        {
            "ingest/customers.yml": ONE.format("customers", "tags: [daily, crm]\n", ""),
            "ingest/orders.yml": ONE.format("orders", "", ", references(raw.customers.id)"),
            "models/gold/sold.sql": "{{ config(tags='daily') }} select count(*) as n from {{ ref('raw.orders') }}",
            "models/gold/more.sql": "select n + 1 as m from {{ ref('sold') }}",
            "models/models.yml": "models:\n  - {name: more, tags: hourly, config: {tags: [late]}}\n",
            "data/customers/1.csv": "id\n1\n2\n",
            "data/orders/1.csv": "id\n1\n",
        },
    )


def test_runs_plans_and_checks_take_them(folder: Folder) -> None:
    def planned(*words: str, **options: list[str]) -> list[str]:
        return [step.id for step in folder.open().plan(words, **options).steps]

    assert planned("tag:daily") == ["raw.customers", "sold"]
    assert planned("tag:hourly") == planned("tag:late") == ["more"]
    assert [step.id for step in folder.run("+sold").steps] == ["raw.customers", "raw.orders", "sold"]
    assert planned("state:new") == planned("state:modified") == planned("state:stale") == ["more"]
    folder.write("models/gold/sold.sql", "select count(*) + 0 as n from {{ ref('raw.orders') }}")
    assert planned("state:modified") == ["sold", "more"]
    assert planned("state:modified", exclude=["state:new"]) == ["sold"]
    folder.write("data/orders/2.csv", "id\n2\n")
    assert planned("state:stale") == ["raw.orders", "sold", "more"]
    assert [step.id for step in folder.run("state:stale", "raw.customers").steps][:2] == ["raw.customers", "raw.orders"]
    folder.write("data/customers/1.csv", "nr\n1\n")
    assert not folder.open().check().ok
    assert folder.open().check(["raw.orders+"]).ok
    assert folder.open().check(exclude=["tag:crm"]).ok


def test_models_that_are_published_together_are_chosen_together(folder: Folder) -> None:
    folder.write("models/models.yml", "groups: [{name: g, publish_together: [sold, more]}]\n")
    plan = folder.open().plan
    assert [step.id for step in plan(["sold"]).steps] == ["sold", "more"]
    assert [step.id for step in plan(exclude=["more"]).steps] == ["raw.customers", "raw.orders"]


def test_an_empty_selection_runs_nothing(folder: Folder) -> None:
    done = folder.run("tag:daily,tag:hourly")
    assert (done.status, done.balanced, done.steps) == ("ok", True, ())
