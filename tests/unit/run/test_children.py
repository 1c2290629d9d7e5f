"""Lists inside of records as rows of child tables: the record is the unit of fate."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.project_kit import WAREHOUSE, Folder

from headgate.adapters.duckdb.store import DuckDBStore
from headgate.books.audit import audit
from headgate.cli.main import main
from headgate.core import faults
from headgate.core.errors import HeadgateError, ProjectError

ORDERS = """table: raw.orders
from: data/*.ndjson
load: {load}
on_change: reload
columns:
  id: int, key
  at: date
children:
  raw.order_items:
    from: items
    parent: order_id
    columns:
      sku: text, required, key
      qty: int, min(1)
      price: decimal(12,2)
    rules:
      cheap: qty * price < 1000
"""
ITEM = '{"sku":"a","qty":1,"price":2.50}'


def lines(*records: str) -> str:
    return "".join(record + "\n" for record in records)


def order(number: int, *items: str, at: str = "2024-01-01") -> str:
    return f'{{"id":{number},"at":"{at}","items":[{",".join(items)}]}}'


def folder(root: Path, *records: str, load: str = "upsert", more: Mapping[str, str] | None = None) -> Folder:
    files = {"ingest/orders.yml": ORDERS.format(load=load), "data/a.ndjson": lines(*records), **(more or {})}
    return Folder.make(root, files)


def items(made: Folder) -> list[tuple[Any, ...]]:
    return made.rows("SELECT * FROM raw.order_items ORDER BY ALL")


def test_a_record_loads_with_its_lines_and_is_refused_with_them(tmp_path: Path) -> None:
    bad = order(2, '{"sku":"a","qty":0}', ITEM, '{"qty":"x"}')
    made = folder(tmp_path, order(1, ITEM, '{"sku":"b"}'), bad, order(3), '{"id":4,"at":null,"items":null}', '{"id":5}')
    step = made.step("raw.orders")
    assert (step.status, step.rows_read, step.rows_loaded, step.rows_quarantined) == ("ok", 5, 4, 1)
    [child] = step.children
    assert (child.table, child.rows_read, child.rows_loaded, child.rows_quarantined) == ("raw.order_items", 5, 2, 3)
    assert items(made) == [(1, 1, "a", 1, "2.50", 1), (1, 2, "b", None, None, 1)]
    [refused] = made.open().quarantine().records
    assert [(one.rule, one.column, one.message) for one in refused.reasons] == [
        ("required", "raw.order_items.sku", "line 3: required"),
        ("type", "raw.order_items.qty", "line 3: expected int"),
        ("min", "raw.order_items.qty", "line 1: must be at least 1"),
        ("key", "raw.order_items.sku", "lines 1, 2: must be unique"),
    ]
    assert refused.raw == bad
    assert made.codes() == []


def test_a_newer_record_takes_the_lines_of_the_older_with_it(tmp_path: Path) -> None:
    made = folder(tmp_path, order(1, ITEM, '{"sku":"b"}'), order(2, ITEM), load="{upsert: id, order_by: at}")
    made.run()
    made.write("data/b.ndjson", lines(order(1, '{"sku":"new"}', at="2024-01-02"), order(2, at="2023-01-01")))
    step = made.step("raw.orders")
    assert items(made) == [(1, 1, "new", None, None, 2), (2, 1, "a", 1, "2.50", 1)]
    assert (step.rows_deduplicated, step.children[0].rows_removed, step.children[0].rows_loaded) == (1, 2, 1)
    assert made.codes() == []


def test_lines_go_with_the_records_of_their_partition(tmp_path: Path) -> None:
    made = folder(tmp_path, order(1, ITEM), order(2, ITEM, at="2024-01-02"), load="{partition: at}")
    made.run()
    made.write("data/b.ndjson", lines(order(1, '{"sku":"x"}', '{"sku":"y"}'), order(3)))
    assert made.step("raw.orders").children[0].rows_removed == 1
    assert [(row[0], row[2]) for row in items(made)] == [(1, "x"), (1, "y"), (2, "a")]
    assert made.codes() == []


HARD = [
    '{"sku":"1.10","price":1.10}',
    '{"sku":1.20,"price":12345678.90}',
    '{"sku":12345678901234567890.123456789,"price":10}',
    '{"sku":"\\u00e9\\/\\"$x","price":-0.0}',
    '{"sku":"#1","price":"3.10"}',
    '{"price":0.1,"sku":"$"}',
    '{"sku":"a:\\"#5\\",b","price":null}',
]


def test_numbers_and_texts_are_those_that_were_received(tmp_path: Path) -> None:
    made = folder(tmp_path, order(1, *HARD))
    assert made.step("raw.orders").rows_loaded == 1
    assert [(row[2], row[4]) for row in items(made)] == [
        ("1.10", "1.10"), ("1.20", "12345678.90"), ("12345678901234567890.123456789", "10.00"),
        ('é/"$x', "0.00"), ("#1", "3.10"), ("$", "0.10"), ('a:"#5",b', None),
    ]  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.sampled_from('$#",:[]{}\\ aé'), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab$#"), inner, max_size=2),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=15)
@given(st.lists(st.tuples(JSON, st.sampled_from(["1.50", "2.0", "1E3", "7", "0.10"])), min_size=1, max_size=4))
def test_any_json_in_a_line_is_kept_as_it_is(drawn: list[tuple[Any, str]]) -> None:
    from headgate.contracts.children import ITSELF
    from headgate.gate import lines as taking
    from headgate.gate.scan import Temp
    from headgate.types.nested import Fed

    texts = [f'{{"v":{json.dumps(value, separators=(",", ":"))},"n":{number}}}' for value, number in drawn]
    engine = _Engine()
    fed = Fed("l0", "JSON_VALUE", "l0")
    engine.execute("CREATE TEMP TABLE docs AS SELECT 0 AS d, 0 AS p, ? AS l0", [f"[{','.join(texts)}]"])
    lists = taking.as_lists(lambda text: f"SELECT d AS _hg_doc, p AS _hg_part, {text} AS l FROM docs", fed, False)
    assert lists is not None
    taken = taking.taken_apart(Temp(engine, "t"), "x", lists, taking.Wanted(0, ("v", "n", ITSELF), ()), True)
    assert taken.rest is not None
    both = f"{taken.select} UNION ALL {taken.rest()}"
    rows = engine.execute(f'SELECT v, n, "." FROM ({both}) ORDER BY _hg_p0')
    assert [row[1] for row in rows] == [number for _, number in drawn]
    for (value, _), (text, _, whole), received in zip(drawn, rows, texts, strict=True):
        assert (None if text is None else json.loads(text)) == value
        assert _numbers_as_written(whole) == _numbers_as_written(received)


def _numbers_as_written(text: str) -> Any:
    return json.loads(text, parse_float=lambda number: f"#{number}", parse_int=lambda number: f"#{number}")


class _Engine:
    def __init__(self) -> None:
        self.connection = duckdb.connect()

    def execute(self, sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, list(params)).fetchall()


MANY = ",".join(f'{{"sku":"s{number}","qty":1}}' for number in range(10_000))
DEEP = "[" * 196 + "]" * 196
HOSTILE = [
    ("5", [("type", "raw.order_items", "expected a list")]),
    ('"[]"', [("type", "raw.order_items", "expected a list")]),
    ('{"sku":"a"}', [("type", "raw.order_items", "expected a list")]),
    ("[null]", [("type", "raw.order_items", "line 1: expected an object")]),
    ('[1,{"sku":"a"},"x",[]]', [("type", "raw.order_items", "lines 1, 3, 4: expected an object")]),
    ('[{"sku":"a","sku":"b"}]', [("record", "raw.order_items", "line 1: expected every key once, found one twice")]),
    ('[{"sku":{"a":1}}]', [("type", "raw.order_items.sku", "line 1: expected text")]),
    ('[{"sku":"a","qty":500,"price":2}]', [("cheap", "raw.order_items", "line 1: must satisfy qty * price < 1000")]),
    (f'[{{"sku":{DEEP}}}]', [("type", "raw.order_items.sku", "line 1: expected text")]),
    (f'[{MANY},{{"sku":"s0"}}]', [("key", "raw.order_items.sku", "lines 1, 10001: must be unique")]),
    (f"[{','.join('0' * 7)}]", [("type", "raw.order_items", "lines 1, 2, 3, 4, 5 and 2 more: expected an object")]),
]


def test_what_is_no_list_of_lines_is_told_with_its_place(tmp_path: Path) -> None:
    records = [f'{{"id":{number},"items":{text}}}' for number, (text, _) in enumerate(HOSTILE)]
    good = f'{{"id":99,"items":[{MANY}]}}'
    made = folder(tmp_path, *records, good)
    step = made.step("raw.orders")
    assert (step.rows_quarantined, step.children[0].rows_loaded) == (len(HOSTILE), 10_000)
    told = {
        one.position["record"] - 1: [(x.rule, x.column, x.message) for x in one.reasons]
        for one in made.open().quarantine(limit=None).records
    }
    assert told == {number: reasons for number, (_, reasons) in enumerate(HOSTILE)}
    assert made.codes() == []


def test_a_refused_record_is_fixed_exported_replayed_and_purged_with_its_lines(tmp_path: Path) -> None:
    made = folder(tmp_path, order(1, '{"sku":"a","qty":0}'), order(2, '{"sku":"b","qty":-1}'), order(3, ITEM))
    made.run()
    with made.open() as project:
        first, second = sorted(project.quarantine().records, key=lambda one: one.position["record"])
        fixed = project.quarantine_fix(
            [first.id], set={"items": "replace(items, '\"qty\":0', '\"qty\":7')"}, reason="a typo", replay=True
        )
        assert fixed.replay is not None
        assert fixed.replay.rows_loaded == 1
        again = project.quarantine_fix([second.id], set={"items": "'[garbage'"}, reason="x", replay=True)
        assert again.replay is not None
        assert again.replay.rows_quarantined == 1
    [left] = made.open().quarantine().records
    assert [(one.rule, one.column) for one in left.reasons] == [("type", "raw.order_items")]
    assert [row[:4] for row in items(made)] == [(1, 1, "a", 7), (3, 1, "a", 1)]
    with made.open() as project:
        exported = project.quarantine_export(tmp_path / "out.ndjson")
        assert "items" in exported.columns
        assert project.quarantine_purge([left.id], reason="gone", yes=True).purged == 1
    assert made.codes() == []


MODEL = {"models/lines_per_order.sql": "select order_id, count(*) as n from {{ ref('raw.order_items') }} group by 1"}
STOCK = "table: raw.stock\nfrom: stock.csv\ncolumns:\n  sku: text, key\n"
SOLD = "table: raw.a_sold\nfrom: sold.csv\ncolumns:\n  sku: text, references(raw.order_items.sku)\n"


def test_models_and_references_know_child_tables(tmp_path: Path) -> None:
    more = {"ingest/stock.yml": STOCK, "stock.csv": "sku\na\nb\n", "ingest/a.yml": SOLD, "sold.csv": "sku\na\nc\n"}
    made = folder(tmp_path, order(1, ITEM, '{"sku":"b"}'), order(2, '{"sku":"c"}'), more={**more, **MODEL})
    form = ORDERS.format(load="append").replace("required, key", "required, references(raw.stock.sku)")
    made.write("ingest/orders.yml", form)
    steps = [step.id for step in made.run().steps]
    assert steps.index("raw.stock") < steps.index("raw.orders") < steps.index("raw.a_sold")
    assert made.rows("SELECT * FROM lines_per_order") == [(1, 2)]
    refused = {table: made.refused(table) for table in ("raw.orders", "raw.a_sold")}
    assert refused == {
        "raw.orders": [("a.ndjson", 2, [("references", "raw.order_items.sku")])],
        "raw.a_sold": [("sold.csv", 2, [("references", "sku")])],
    }
    with made.open() as project:
        found = project.lineage("lines_per_order.order_id")
    assert {(one.from_table, one.from_column) for one in found.up if one.to_table == "raw.order_items"} >= {
        ("data/*.ndjson", "id")
    }
    assert [one.kind for one in found.tables if one.name == "raw.order_items"] == ["table"]
    made.write("data/b.ndjson", lines(order(3, ITEM)))
    due = {step.id: step.reason for step in made.open().plan().steps if step.status == "run"}
    assert due == {"raw.orders": "1 new file", "lines_per_order": "raw.order_items changes"}
    assert [step.id for step in made.run("raw.order_items").steps] == ["raw.orders"]
    assert made.step("lines_per_order").status == "ok"
    assert made.codes() == []


def test_a_child_is_held_as_it_is_until_all_is_loaded_anew(tmp_path: Path) -> None:
    made = folder(tmp_path, order(1, ITEM), order(2))
    made.run()
    wider = ORDERS.format(load="upsert").replace("      qty: int", "      color: text\n      qty: int")
    for form in (wider, wider.replace("order_items:", "others:")):
        made.write("ingest/orders.yml", form)
        found = [one for one in made.open().check().findings if one.level == "error"]
        made.write("data/b.ndjson", lines(order(3, ITEM)))
        told = made.run().findings
        assert [one.code for one in (*found, *told)] == ["contract-misfit"] * 2
        assert all("--full-refresh raw.orders" in one.fix for one in (*found, *told))
        assert len(items(made)) == 1
    made.write("ingest/orders.yml", wider)
    step = made.step("raw.orders", full_refresh=True)
    assert (step.status, step.children[0].rows_loaded, step.children[0].rows_removed) == ("ok", 2, 1)
    assert [row[2:5] for row in items(made)] == [("a", None, 1)] * 2
    with made.open() as project:
        project.restore("raw.orders")
    assert items(made) == [(1, 1, "a", 1, "2.50", 1)]
    assert made.codes() == []


def test_a_child_that_is_taken_out_is_emptied_with_the_next_full_refresh(tmp_path: Path) -> None:
    made = folder(tmp_path / "p", order(1, ITEM), order(2))
    made.run()
    made.write("ingest/orders.yml", ORDERS.format(load="upsert").partition("children:")[0] + "extra: ignore\n")
    assert [one.code for one in made.run().findings] == ["contract-misfit"]
    assert made.step("raw.orders", full_refresh=True).status == "ok"
    assert items(made) == []
    assert made.codes() == []
    again = made.copy(tmp_path / "dropped")
    with made.open() as project:
        project.restore("raw.orders")
    assert len(items(made)) == 1
    assert made.codes() == []
    again.behind("DROP TABLE raw.order_items")
    assert again.codes() == []
    assert again.step("raw.orders", full_refresh=True).status == "ok"


SPOILED = [
    ("DELETE FROM raw.order_items WHERE order_id = 1 AND position = 2", ["law-origin", "law-table"]),
    ("INSERT INTO raw.order_items SELECT * FROM raw.order_items WHERE order_id = 2",
     ["law-origin", "law-origin", "law-table"]),
    ("UPDATE raw.order_items SET _hg_load = 2 WHERE order_id = 1 AND position = 2",
     ["law-origin", "law-origin", "law-origin", "law-origin"]),
    ("UPDATE raw.order_items SET order_id = 77 WHERE order_id = 2", ["law-origin"]),
    ("UPDATE raw.order_items SET order_id = 3 WHERE order_id = 2", ["law-origin"]),
    ("UPDATE raw.order_items SET position = 5 WHERE order_id = 1 AND position = 2", ["law-origin"]),
    ("DROP TABLE raw.order_items", ["table-missing"]),
    ("ALTER TABLE raw.order_items DROP COLUMN _hg_load", ["column-missing"]),
    ("UPDATE _headgate.table_state SET version = 9 WHERE table_name = 'raw.order_items'", ["state-edited"]),
]  # fmt: skip


@pytest.fixture(scope="module")
def two_loads(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    made = folder(tmp_path_factory.mktemp("two"), order(1, ITEM, '{"sku":"b"}'), order(2, ITEM))
    made.run()
    made.write("data/b.ndjson", lines(order(3, ITEM)))
    made.run()
    assert made.codes() == []
    return made


@pytest.mark.parametrize(("sql", "codes"), SPOILED)
def test_whatever_is_changed_in_a_child_table_is_found(two_loads: Folder, sql: str, codes: list[str]) -> None:
    store = DuckDBStore(two_loads.root / WAREHOUSE)
    with store.session() as session:
        session.execute("BEGIN")
        session.execute(sql)
        found = audit(session).findings
        session.abandon()
    store.close()
    assert sorted(one.code for one in found) == codes
    assert all("raw.order_items" in one.where for one in found)


def test_a_change_by_hand_is_accepted_with_the_records(two_loads: Folder, tmp_path: Path) -> None:
    made = two_loads.copy(tmp_path / "p")
    made.behind("DELETE FROM raw.order_items WHERE order_id = 1 AND position = 2")
    with pytest.raises(HeadgateError) as told:
        made.open().adjust("raw.order_items", "why not")
    assert told.value.finding.code == "child-table"
    assert "raw.orders" in told.value.finding.fix
    made.open().adjust("raw.orders", "sold twice")
    assert made.codes() == []
    made.write("data/c.ndjson", lines(order(1, ITEM)))
    assert made.step("raw.orders").children[0].rows_removed == 1
    assert made.codes() == []


def test_lines_that_no_record_brought_stop_the_commit(two_loads: Folder, tmp_path: Path) -> None:
    made = two_loads.copy(tmp_path / "p")
    made.behind("INSERT INTO raw.order_items SELECT * REPLACE (3 AS _hg_load) FROM raw.order_items LIMIT 1")
    made.write("data/c.ndjson", lines(order(4, ITEM)))
    with pytest.raises(HeadgateError) as told:
        made.run()
    assert told.value.finding.code == "books-unbalanced"
    assert "1 lines read for raw.order_items, 2 loaded" in told.value.finding.what
    assert made.rows("SELECT max(id) FROM raw.orders") == [(3,)]


class Died(Exception):
    """Stands for the death of the process."""


@pytest.fixture
def no_hook() -> Iterator[None]:
    yield
    faults.install(None)


@pytest.mark.parametrize("point", ["after_write", "after_commit"])
@pytest.mark.usefixtures("no_hook")
def test_no_line_is_without_its_record_wherever_a_run_dies(two_loads: Folder, tmp_path: Path, point: str) -> None:
    made = two_loads.copy(tmp_path / "p")
    made.write("data/c.ndjson", lines(order(1, '{"sku":"new"}'), order(4, ITEM, '{"sku":"z"}')))

    def die(name: str) -> None:
        if name == point:
            raise Died

    faults.install(die)
    with pytest.raises(Died):
        made.run()
    faults.install(None)
    both = made.rows("SELECT (SELECT count(*) FROM raw.orders), (SELECT count(*) FROM raw.order_items)")
    assert both == [(4, 5)] if point == "after_commit" else both == [(3, 4)]
    assert made.codes() == []
    made.run()
    assert [row[:3] for row in items(made)] == [(1, 1, "new"), (2, 1, "a"), (3, 1, "a"), (4, 1, "a"), (4, 2, "z")]
    assert made.codes() == []


NESTED = """table: raw.orders
from: {source}
load: upsert
columns:
  id: int, key
children:
  raw.order_items:
    from: {path}
    columns:
      sku: text, required
      qty: int, min(1)
    children:
      raw.tags:
        from: tags
        columns:
          tag: text, from('.'), required
"""


def test_lists_of_parquet_and_of_python_are_taken_apart_by_their_types(tmp_path: Path) -> None:
    source = "def orders():\n    yield [{'id': 1, 'items': [{'sku': 'a', 'qty': 1, 'tags': ['x', 'y']}]},\n"
    source += "           {'id': 2, 'items': [{'sku': None, 'qty': 0, 'tags': None}]}, {'id': 3, 'items': None}]\n"
    made = Folder.make(tmp_path, {"sources/s.py": source})
    select = """SELECT 1::BIGINT AS id, {'items': [{'sku': 'a', 'qty': 1, 'tags': ['x', 'y']}]} AS cart
                UNION ALL SELECT 2, {'items': [{'sku': NULL, 'qty': 0, 'tags': NULL}]} UNION ALL SELECT 3, NULL"""
    duckdb.execute(f"COPY ({select}) TO '{tmp_path / 'o.parquet'}'")
    for form, path in (("o.parquet", "cart.items"), ("{python: sources/s.py:orders}", "items")):
        made.write("ingest/orders.yml", NESTED.format(source=form, path=path))
        assert made.open().check().findings == ()
        step = made.step("raw.orders", full_refresh=True)
        assert [(one.rows_read, one.rows_loaded) for one in step.children] == [(2, 1), (2, 2)]
        rows = made.rows("SELECT orders_id, order_items_position, position, tag FROM raw.tags ORDER BY ALL")
        assert rows == [(1, 1, 1, "x"), (1, 1, 2, "y")]
        [(_, _, reasons)] = made.refused("raw.orders")
        assert reasons == [("required", "raw.order_items.sku"), ("min", "raw.order_items.qty")]
        assert made.codes() == []


@pytest.mark.parametrize(("extra", "status"), [("error", "refused"), ("ignore", "ok"), ("quarantine", "ok")])
def test_a_key_that_no_child_names_follows_the_files_word(tmp_path: Path, extra: str, status: str) -> None:
    made = folder(tmp_path, order(1, '{"sku":"a","colour":"red"}'), order(2, ITEM))
    made.write("ingest/orders.yml", ORDERS.format(load="upsert") + f"extra: {extra}\n")
    run = made.run()
    assert run.steps[0].status == status
    if extra == "error":
        assert "'colour' of a line is not in the contract of raw.order_items" in run.findings[0].what
    if extra == "quarantine":
        assert made.refused("raw.orders") == [("a.ndjson", 1, [("extra", "raw.order_items")])]
    assert len(made.rows("FROM information_schema.tables WHERE table_name = 'order_items'") or []) <= 1


def test_personal_data_of_lines_hides_their_list(tmp_path: Path) -> None:
    made = folder(tmp_path, order(1, '{"sku":"secret","qty":0}'))
    made.write("ingest/orders.yml", ORDERS.format(load="upsert").replace("required, key", "required, key, pii"))
    made.run()
    [shown] = made.open().quarantine().records
    assert shown.masked
    assert "secret" not in json.dumps(shown.to_json())


BAD = [
    (("load: upsert", "load: {scd2: id}"), "bad-value", "do not go with scd2"),
    (("int, key\n", "int\n"), "missing-key", "need a key"),
    (("data/*.ndjson", "data/*.csv"), "bad-value", "hold no lists"),
    (("from: items", "from: a..b"), "bad-value", "leads to no list"),
    (("    from: items\n", ""), "missing-key", "from is missing"),
    (("parent: order_id", "parent: sku"), "duplicate-column", "two columns 'sku'"),
    (("parent: order_id", "parent: {idd: order_id}"), "unknown-column", "did you mean 'id'"),
    (("parent: order_id", "position: _hg_x"), "reserved-name", "_hg_x"),
    (("min(1)", "min(1), unique(keep=last)"), "not-supported", "keep=last"),
    (("min(1)", "references(raw.orders.id)"), "not-supported", "filled with it"),
    (("min(1)", "references(raw.nowhere.id)"), "unknown-table", "no ingest file loads raw.nowhere"),
    (("cheap: qty", "cheap: {rows: 1..2}\n      x: qty"), "not-supported", "whole load"),
    (("raw.order_items", "raw.orders"), "duplicate-table", "filled twice"),
    (("    rules:", "    skip:"), "unknown-key", "skip"),
]


@pytest.mark.parametrize(("change", "code", "text"), BAD)
def test_what_children_can_not_say_is_told(tmp_path: Path, change: tuple[str, str], code: str, text: str) -> None:
    made = Folder.make(tmp_path, {"ingest/orders.yml": ORDERS.format(load="upsert").replace(*change)})
    with pytest.raises(ProjectError) as told:
        made.open()
    assert code in [one.code for one in told.value.findings]
    assert any(text in one.what for one in told.value.findings)
    assert all(one.where.startswith("ingest/orders.yml") for one in told.value.findings)


def test_a_condition_that_does_not_bind_is_told_at_its_place(tmp_path: Path) -> None:
    made = folder(tmp_path, order(1, ITEM))
    made.write("ingest/orders.yml", ORDERS.format(load="upsert").replace("qty * price", "qty * prise"))
    [found] = made.open().check().findings
    assert (found.code, found.where) == ("unknown-column", "ingest/orders.yml:17:20")


def test_the_summary_shows_lines_under_their_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder(tmp_path, order(1, ITEM, '{"sku":"b"}'))
    assert main(["--project", str(tmp_path), "run"]) == 0
    shown = capsys.readouterr().out
    assert "  raw.order_items  lines      2       2" in shown
    assert "1 read = 1 loaded" in shown
    assert (tmp_path / WAREHOUSE).exists()
