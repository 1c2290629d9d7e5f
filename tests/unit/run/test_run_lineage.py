"""Lineage of a whole project, what follows from an edit, exposures, and what is kept between commands."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import duckdb
import pytest
from tests.unit.project_kit import WAREHOUSE, Folder

from headgate.api.results import LineageEdge, LineageResult, PlanResult
from headgate.cli.main import main
from headgate.core.errors import ProjectError

FILES = {
    "ingest/orders.yml": (
        "table: raw.orders\nfrom: data/orders.csv\ncolumns:\n  id: int, key, from('Order ID')\n  day: date\n"
        "  amount: decimal(12,2)\n  note: text\n"
    ),
    "data/orders.csv": "Order ID,day,amount,note\n1,2026-06-01,10.00,a\n2,2026-06-02,5.50,b\n",
    "models/daily.sql": (
        "{{ config(materialized='table') }}\nselect day, sum(amount) as revenue from {{ ref('raw.orders') }}\n"
        "where note <> 'x' group by day\n"
    ),
    "models/gold/top.sql": "{{ config(materialized='table') }}\nselect *, revenue > 5 as big from {{ ref('daily') }}\n",
    "models/shop.yml": (
        "exposures:\n"
        "  - name: Takings\n    type: dashboard\n    owner: {name: Anna, email: a@shop.example}\n"
        "    url: https://boards.example/1\n    depends_on: [ref('top'), {table: daily, columns: [day]}]\n"
        "  - name: App\n    owner: Bo\n    depends_on: main.daily.revenue\n"
    ),
}


@pytest.fixture
def shop(tmp_path: Path) -> Folder:
    return Folder.make(tmp_path, FILES)


def up(folder: Folder, name: str | None, depth: int | None = None) -> LineageResult:
    with folder.open() as project:
        return project.lineage(name, down=False, depth=depth)


def down(folder: Folder, name: str) -> LineageResult:
    with folder.open() as project:
        return project.lineage(name, up=False)


def plan(folder: Folder) -> PlanResult:
    with folder.open() as project:
        return project.plan()


def ends(edges: tuple[LineageEdge, ...], *kinds: str) -> list[str]:
    return [
        f"{one.from_table}.{one.from_column} > {one.to_table}.{one.to_column}" for one in edges if one.kind in kinds
    ]


def test_a_column_leads_up_to_the_column_of_its_file(shop: Folder) -> None:
    found = up(shop, "gold.top.BIG")
    assert (found.table, found.column, found.down) == ("top", "big", ())
    assert ends(found.up, "identity", "transformation", "aggregation") == [
        "daily.revenue > top.big",
        "raw.orders.amount > daily.revenue",
        "data/orders.csv.amount > raw.orders.amount",
        "data/orders.csv.day > raw.orders.day",  # by which the rows of daily are grouped
        "data/orders.csv.note > raw.orders.note",
    ]
    assert "raw.orders.note > daily.None" in ends(found.up, "filter")
    assert "data/orders.csv.Order ID > raw.orders.None" in ends(found.up, "filter")
    assert [one.depth for one in found.up if one.direct] == [1, 2, 3, 3, 3]
    assert {one.name: one.kind for one in found.tables} == {
        "top": "model",
        "daily": "model",
        "raw.orders": "table",
        "data/orders.csv": "file",
    }
    assert up(shop, "top.big", 1).up == tuple(one for one in found.up if one.depth == 1)


def test_what_is_made_of_a_column_ends_at_the_exposures(shop: Folder) -> None:
    found = down(shop, "raw.orders.amount")
    assert ends(found.down, "identity", "transformation", "aggregation") == [
        "raw.orders.amount > daily.revenue",
        "daily.revenue > top.revenue",
        "daily.revenue > top.big",
        "daily.revenue > App.None",
        "top.revenue > Takings.None",
        "top.big > Takings.None",
    ]
    takings = next(one for one in found.tables if one.name == "Takings")
    assert (takings.kind, dict(takings.detail)) == (
        "exposure",
        {"type": "dashboard", "owner": "Anna <a@shop.example>", "url": "https://boards.example/1"},
    )
    assert {one.to_table for one in down(shop, "raw.orders.note").down} == {"daily", "top", "Takings", "App"}


def test_the_whole_project_and_a_round_trip(shop: Folder) -> None:
    found = up(shop, None)
    assert LineageResult.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert {one.name for one in found.tables} == {"data/orders.csv", "raw.orders", "daily", "top", "Takings", "App"}
    assert {one.depth for one in found.up} == {1}


def test_columns_that_only_the_engine_knows_come_from_the_warehouse(shop: Folder) -> None:
    shop.write("ingest/loose.yml", "table: raw.loose\nfrom: data/orders.csv\n")
    shop.write("models/made.sql", "select *, upper(note) from {{ ref('raw.loose') }}")
    before = next(one for one in up(shop, None).tables if one.name == "made")
    assert not before.complete
    shop.run()
    after = next(one for one in up(shop, None).tables if one.name == "made")
    assert after.complete
    assert after.columns == ("Order ID", "day", "amount", "note", "upper(note)")
    assert ends(up(shop, "made.Order ID", 1).up, "identity") == ["raw.loose.Order ID > made.Order ID"]


def test_another_way_to_write_a_model_rebuilds_nothing(shop: Folder) -> None:
    shop.run()
    text = FILES["models/daily.sql"]
    shop.write("models/daily.sql", text.replace("select day, sum(amount)", "SELECT day,\n  (sum((amount))) -- all\n"))
    assert [step.status for step in plan(shop).steps] == ["skip", "skip", "skip"]
    assert {step.status for step in shop.run().steps} == {"skipped"}
    shop.write("models/daily.sql", text.replace("sum(amount)", "sum(amount + 1)"))
    assert [step.status for step in plan(shop).steps] == ["skip", "run", "run"]


def test_a_plan_says_what_an_edit_does_and_who_follows(shop: Folder) -> None:
    shop.run()
    text = FILES["models/daily.sql"]
    shop.write("models/daily.sql", text.replace("as revenue", "as revenue, count(*) as orders"))
    found = plan(shop)
    change = found.steps[1].change
    assert change is not None
    assert (change.verdict, change.added, change.rows) == ("additive", ("orders",), False)
    assert [(one.name, one.kind, one.reads, one.touched) for one in change.followers] == [
        ("top", "model", ("day", "revenue", "orders"), True),  # its star takes the new column in
        ("App", "exposure", ("revenue",), False),
        ("Takings", "exposure", ("day", "revenue", "orders"), True),
    ]
    assert [(one.name, one.owner, one.through) for one in found.exposures] == [
        ("App", "Bo", ("daily",)),
        ("Takings", "Anna <a@shop.example>", ("daily", "top")),
    ]
    assert PlanResult.from_json(found.to_json()) == found
    shop.write("models/daily.sql", text.replace("select day", "select day as d"))
    change = plan(shop).steps[1].change
    assert change is not None
    assert (change.verdict, change.added, change.removed) == ("breaking", ("d",), ("day",))
    assert [(one.name, one.touched) for one in change.followers if "day" in one.reads] == [
        ("top", True),
        ("Takings", True),
    ]


def test_what_an_exposure_needs_and_is_not_there_is_an_error_of_check(shop: Folder) -> None:
    shop.write(
        "models/shop.yml",
        "exposures:\n  - name: A\n    depends_on: [dialy, {table: daily, columns: [revenu, day]}, daily.nothing]\n",
    )
    with shop.open() as project:
        found = project.check().findings
    assert [(one.code, one.where) for one in found] == [
        ("unknown-table", "models/shop.yml:3:18"),
        ("no-such-column", "models/shop.yml:3:25"),
        ("no-such-column", "models/shop.yml:3:65"),
    ]
    assert "did you mean 'daily'" in found[0].what
    assert "did you mean 'revenue'" in found[1].what
    assert plan(shop).exposures[0].through == ("daily",)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("- type: dashboard\n    depends_on: daily", "missing-key", "an exposure has no name"),
        ("- name: A", "missing-key", "depends on nothing"),
        ("- name: A\n    type: dashbord\n    depends_on: daily", "bad-value", "did you mean 'dashboard'"),
        ("- name: A\n    ownr: B\n    depends_on: daily", "unknown-key", "did you mean 'owner'"),
        ("- name: A\n    depends_on: daily\n  - name: a\n    depends_on: daily", "duplicate-key", "described twice"),
        ("A", "bad-value", "exposures must be a list"),
        ("- name: A\n    depends_on: [{columns: [a]}]", "missing-key", "names no table"),
    ],
)
def test_a_wrong_exposure_is_told_with_its_place(text: str, code: str, said: str, shop: Folder) -> None:
    shop.write("models/shop.yml", f"exposures:\n  {text}\n")
    with pytest.raises(ProjectError) as told:
        shop.open()
    assert told.value.finding.code == code
    assert said in told.value.finding.what
    assert told.value.finding.where.startswith("models/shop.yml:")


def test_names_that_are_not_there(shop: Folder) -> None:
    with pytest.raises(ProjectError) as told:
        up(shop, "dialy")
    assert (told.value.finding.code, "did you mean 'daily'" in told.value.finding.what) == ("unknown-table", True)
    with pytest.raises(ProjectError) as told:
        up(shop, "daily.revenu")
    assert told.value.finding.code == "no-such-column"
    assert told.value.finding.fix == "name one of day, revenue"


def test_hostile_names_are_shown_harmlessly(shop: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    name = "a.b \x1b[31m'\"; drop"
    shop.write("models/odd.sql", 'select day as "a.b \x1b[31m\'""; drop" from {{ ref(\'daily\') }}')
    assert ends(up(shop, f"odd.{name}", 1).up, "identity") == [f"daily.day > odd.{name}"]
    assert main(["lineage", f"odd.{name}", "--project", str(shop.root)]) == 0
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "└─ daily.day  identity" in told


def test_a_models_contract_and_its_references_decide_about_rows(shop: Folder) -> None:
    shop.write(
        "models/gold/gold.yml",
        "models:\n  - name: top\n    contract:\n      columns:\n        date: date, required, from('day')\n"
        "        revenue: text, references(raw.orders.note)\n        label: text, from('big')\n",
    )
    shop.write("models/shop.yml", "exposures: []\n")
    found = up(shop, "top.label", 1)
    assert ends(found.up, "transformation") == ["daily.revenue > top.label"]
    assert ends(found.up, "filter") == [
        "daily.day > top.None",
        "daily.revenue > top.None",
        "raw.orders.note > top.None",
    ]


def test_a_macro_of_the_warehouse_leads_to_the_tables_that_it_reads(shop: Folder) -> None:
    shop.run()
    with duckdb.connect(str(shop.root / WAREHOUSE)) as connection:
        connection.execute("create macro best(d) as (select max(amount) from raw.orders where day = d)")
    shop.write("models/peak.sql", "select day, best(day) as top from {{ ref('daily') }}")
    found = up(shop, "peak.top", 1)
    assert ends(found.up, "aggregation") == ["raw.orders.amount > peak.top"]
    assert ends(found.up, "filter") == ["daily.day > peak.top", "raw.orders.day > peak.top"]


def test_a_model_that_reads_itself_ends_somewhere(shop: Folder) -> None:
    shop.write("models/own.sql", "select a.day, b.revenue from {{ ref('daily') }} a left join main.own b using (day)")
    assert ends(up(shop, "own.revenue").up, "identity")[0] == "own.revenue > own.revenue"
    assert {one.to_table for one in down(shop, "own.revenue").down} == {"own"}


def test_what_was_found_is_kept_and_nothing_depends_on_it(shop: Folder) -> None:
    shop.run()
    first = up(shop, None)
    kept = shop.root / ".headgate" / "state.db"
    with sqlite3.connect(kept) as connection:
        (number,) = connection.execute("select count(*) from kept").fetchone()
    connection.close()
    assert number == 2
    assert up(shop, None) == first
    with sqlite3.connect(kept) as connection:
        connection.execute("update kept set text = '{\"columns\": 7}'")
    connection.close()
    assert up(shop, None) == first
    kept.write_bytes(b"no database at all" * 100)
    assert up(shop, None) == first


def test_the_parser_is_loaded_only_for_what_is_new(shop: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.run()
    first = up(shop, None)
    monkeypatch.setattr("headgate.sql.lineage.trace.trace", None)
    assert up(shop, None) == first


def test_the_command_shows_both_ways(shop: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    shop.run()
    where = ["--project", str(shop.root)]
    assert main(["lineage", "daily.revenue", *where]) == 0
    told = capsys.readouterr().out
    assert "made of:\n└─ raw.orders.amount  aggregation\n   └─ data/orders.csv: amount  identity\n" in told
    assert "goes into:\n├─ top.revenue  identity\n│  └─ Takings  identity\n" in told
    assert "└─ App  identity\n" in told
    assert main(["lineage", "raw.orders.note", "--down", *where]) == 0
    told = capsys.readouterr().out
    assert "made of" not in told
    assert "so all of: daily, top, App, Takings" in told
    assert main(["lineage", *where]) == 0
    assert "Takings          exposure" in capsys.readouterr().out
    shop.write("models/daily.sql", FILES["models/daily.sql"].replace("as revenue", "as revenue, 1 as one"))
    assert main(["plan", *where]) == 0
    told = capsys.readouterr().out
    assert "daily changed (additive): adds one\n" in told
    assert "  exposure App reads revenue: no value of it changes\n" in told
    assert "reaches App (Bo) through daily\n" in told
    assert main(["lineage", "nothing", *where]) == 2
