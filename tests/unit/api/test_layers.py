"""What `check` says of the conventions of the layers, where a project declares them."""

from __future__ import annotations

from pathlib import Path

from tests.unit.project_kit import Folder

LANDED = "table: raw.events\nfrom: data/events.csv\nland: raw\n"
ORDERS = "table: silver.orders\nfrom: {table: raw.events}\ncolumns:\n  id: int, key\n  total: int\n"
MAIN = "project: p\nwarehouse: duckdb:w.duckdb\nlayers: {bronze: raw, silver: silver, gold: [gold, marts]}\n"
GOOD = {
    "headgate.yml": MAIN,
    "data/events.csv": "id,total\n1,2\n",
    "ingest/events.yml": LANDED,
    "ingest/orders.yml": ORDERS,
    "models/silver/clean.sql": "select id, total from {{ ref('silver.orders') }}",
    "models/silver/models.yml": "models:\n  - name: clean\n    columns: [{name: id, tests: [unique]}]\n",
    "models/gold/totals.sql": "select sum(total) as total from {{ ref('clean') }}",
    "models/gold/fct_orders.sql": "select id, total from {{ ref('clean') }}",
    "models/gold/python.py": "def model(clean):\n    return clean.aggregate('sum(total) as total')\n",
}


def told(folder: Folder, *select: str) -> list[tuple[str, str]]:
    """The findings about layers: code, and table or place."""
    found = [one for one in folder.open().check(select).findings if "layer" in one.evidence or "layer" in one.code]
    assert {one.level for one in found} <= {"warning"}
    return sorted((one.code, one.evidence.get("table", one.where)) for one in found)


def ingest(table: str, *more: str) -> str:
    return "\n".join([f"table: {table}", "from: data/events.csv", *more, ""])


BROKEN = {
    "ingest/a.yml": ingest("raw.judged", "columns: {id: int}"),
    "ingest/b.yml": ingest("raw.typed"),
    "ingest/c.yml": ingest("silver.typed"),
    "ingest/d.yml": ingest("silver.nameless", "columns: {id: int}"),
    "ingest/e.yml": ingest("silver.known", "load: {upsert: id}", "columns: {id: int}"),
    "models/raw/model.sql": "select 1 as id",
    "models/silver/bare.sql": "select 1 as id",
    "models/silver/early.sql": "select id, total from {{ ref('fct_orders') }}",
    "models/gold/plain.sql": "select id from {{ ref('clean') }}",
    "models/marts/different.sql": "select distinct id from {{ ref('clean') }}",
    "models/marts/wide.sql": "{{ hg.lookup(ref('clean'), ref('totals'), on={'id': 'total'}, take='total') }}",
    "models/gold/dim_raw.sql": "select * from {{ ref('raw.events') }}",
    "models/other/free.sql": "select * from {{ ref('raw.events') }}",
}


def test_what_keeps_to_the_conventions_is_not_spoken_of(tmp_path: Path) -> None:
    assert told(Folder.make(tmp_path, GOOD)) == []


def test_each_convention_has_its_code_and_says_what_to_do(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, GOOD | BROKEN)
    (found,) = (one for one in folder.open().check(["dim_raw"]).findings if one.code == "gold-reads-bronze")
    assert found.what == "gold.dim_raw is gold, and reads raw.events as it was received"
    assert found.where == "models/gold/dim_raw.sql"
    assert found.fix == "make a silver table of raw.events, and read that"
    assert told(folder) == [
        ("bronze-not-raw", "raw.judged"),
        ("bronze-not-raw", "raw.model"),
        ("bronze-not-raw", "raw.typed"),
        ("gold-not-shaped", "gold.plain"),
        ("gold-reads-bronze", "gold.dim_raw"),
        ("layer-reads-higher", "silver.early"),
        ("silver-no-key", "silver.bare"),
        ("silver-no-key", "silver.early"),
        ("silver-no-key", "silver.nameless"),
        ("silver-untested", "silver.bare"),
        ("silver-untested", "silver.early"),
        ("silver-untyped", "silver.typed"),
    ]


def test_nothing_is_said_without_layers(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, GOOD | BROKEN)
    folder.write("headgate.yml", "project: p\nwarehouse: duckdb:w.duckdb\n")
    assert told(folder) == []


def test_a_table_may_be_allowed_something_and_a_needless_allowance_is_told(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, GOOD | {"models/gold/m.sql": "select id from {{ ref('clean') }}"})
    allow = "  allow:\n    Gold.M: [gold-not-shaped, gold-reads-bronze]\n    gold.gone: gold-not-shaped\n"
    folder.write("headgate.yml", MAIN.replace("{bronze: raw, silver: silver, gold: [gold, marts]}\n", "\n" + allow))
    needless = [("layer-allowed-unused", "headgate.yml:5:13"), ("layer-allowed-unused", "headgate.yml:6:16")]
    assert told(folder) == needless
    assert told(folder, "m") == needless[:1]
