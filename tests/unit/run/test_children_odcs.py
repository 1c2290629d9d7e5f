"""Child tables whose lines a document of ODCS describes: one of ours, and one of somebody else's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core.errors import ProjectError

OWN = """table: raw.orders
from: data/*.ndjson
load: {upsert: id, order_by: at}
columns:
  id: int, key
  at: date, required
children:
  raw.order_items:
    from: items
    parent: order_id
    position: line
    columns:
      sku: text, required, key
      qty: int, min(1)
    rules:
      few: qty < 100
    children:
      raw.item_tags:
        from: tags
        columns:
          tag: text, required, in(new, old), from('.')
"""
RECORDS = [
    '{"id":1,"at":"2024-01-01","items":[{"sku":"a","qty":1,"tags":["new"]},{"sku":"b","qty":2,"tags":[]}]}',
    '{"id":2,"at":"2024-01-01","items":[{"sku":"a","qty":0,"tags":["odd"]}]}',
    '{"id":3,"at":"2024-01-01","items":[]}',
]
FOREIGN = """apiVersion: v3.1.0
kind: DataContract
id: shop
version: 1.0.0
status: active
schema:
- name: orders
  physicalName: raw.orders
  properties:
  - {name: id, logicalType: integer, primaryKey: true}
  - {name: at, logicalType: date}
  - name: items
    logicalType: array
    items:
      logicalType: object
      properties:
      - {name: sku, logicalType: string, required: true}
      - {name: qty, logicalType: integer, logicalTypeOptions: {minimum: 1}}
      - {name: tags, logicalType: array, items: {logicalType: string, logicalTypeOptions: {maxLength: 3}}}
"""
ASKING = """table: raw.orders
from: data/*.ndjson
contract: contracts/orders.odcs.yaml
"""


def folder_of(root: Path, ingest: str, document: str = FOREIGN) -> Folder:
    files = {"contracts/orders.odcs.yaml": document, "data/a.ndjson": "\n".join(RECORDS) + "\n"}
    return Folder.make(root, {**files, "ingest/orders.yml": ingest})


def refusals(folder: Folder) -> list[tuple[str, str | None]]:
    return [reason for _, _, reasons in folder.refused("raw.orders") for reason in reasons]


def test_children_are_written_and_read_back_without_loss(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, OWN)
    shown = folder.open().contract_show("raw.orders", "odcs")
    assert shown.findings == ()
    folder.run()
    before = [folder.rows(f"FROM {table} ORDER BY ALL") for table in ("raw.orders", "raw.order_items", "raw.item_tags")]
    folder.write("contracts/orders.odcs.yaml", shown.text)
    assert folder.open().contract_diff("raw.orders", "contracts/orders.odcs.yaml").changes == ()
    short = folder.open().contract_show("raw.orders").text
    folder.write("ingest/orders.yml", ASKING + "load: {upsert: id, order_by: at}\n")
    assert folder.open().contract_show("raw.orders").text == short
    assert folder.open().check().findings == ()
    folder.run(full_refresh=True)
    after = [folder.rows(f"FROM {table} ORDER BY ALL") for table in ("raw.orders", "raw.order_items", "raw.item_tags")]
    assert [[row[:-1] for row in rows] for rows in after] == [[row[:-1] for row in rows] for rows in before]
    assert [len(rows) for rows in after] == [2, 2, 1]
    assert refusals(folder) == [("min", "raw.order_items.qty"), ("in", "raw.item_tags.tag")]
    assert folder.codes() == []


def test_a_list_of_another_tools_document_is_a_json_column(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ASKING)
    step = folder.step("raw.orders")
    assert (step.rows_loaded, step.rows_quarantined, step.children) == (2, 1, ())
    assert folder.rows("SELECT items ->> '$[1].sku' FROM raw.orders WHERE id = 1") == [("b",)]
    assert refusals(folder) == [("items/items", None)]


def test_the_ingest_file_asks_for_tables_of_its_lists(tmp_path: Path) -> None:
    asking = """children:
  raw.order_items:
    from: items
    parent: order_id
    rules:
      few: qty < 2
    children:
      raw.item_tags: {from: tags}
"""
    folder = folder_of(tmp_path, ASKING + asking)
    assert folder.open().check().findings == ()
    step = folder.step("raw.orders")
    # The rule besides refuses the first record, the document the second one.
    assert (step.rows_loaded, step.rows_quarantined) == (1, 2)
    assert refusals(folder) == [("few", "raw.order_items"), ("min", "raw.order_items.qty")]
    folder.write("ingest/orders.yml", ASKING + asking.replace("qty < 2", "qty < 3"))
    folder.run(full_refresh=True)
    assert folder.rows("SELECT * EXCLUDE (_hg_load) FROM raw.order_items ORDER BY ALL") == [
        (1, 1, "a", 1), (1, 2, "b", 2),
    ]  # fmt: skip
    assert folder.rows("SELECT * EXCLUDE (_hg_load) FROM raw.item_tags") == [(1, 1, 1, "new")]
    assert [name for name, *_ in folder.rows("DESCRIBE raw.orders")] == ["id", "at", "_hg_load"]
    assert folder.codes() == []


def test_some_lists_are_tables_and_others_stay_columns(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ASKING + "children:\n  raw.order_items: {from: items}\n")
    folder.run()
    shown = folder.rows("SELECT orders_id, position, sku, tags::text FROM raw.order_items ORDER BY ALL")
    assert shown == [(1, 1, "a", '["new"]'), (1, 2, "b", "[]")]


def test_a_list_within_an_object_is_asked_for_by_its_path(tmp_path: Path) -> None:
    document = FOREIGN.replace(
        "  - name: items\n", "  - name: cart\n    logicalType: object\n    properties:\n    - name: items\n"
    )
    head, tail = document.split("    - name: items\n")
    document = head + "    - name: items\n" + "".join(f"  {line}\n" for line in tail.splitlines())
    folder = folder_of(tmp_path, ASKING + "children:\n  raw.order_items: {from: cart.items}\n", document)
    folder.write("data/a.ndjson", '{"id":1,"at":"2024-01-01","cart":{"items":[{"sku":"a","qty":1,"tags":[]}]}}\n')
    folder.run()
    assert folder.rows("SELECT orders_id, position, sku FROM raw.order_items") == [(1, 1, "a")]


CHILD = "    customProperties: [{property: headgateChild, value: %s}]\n"


@pytest.mark.parametrize(
    ("ingest", "more", "code", "what"),
    [
        (
            "children:\n  raw.i: {from: at}\n",
            "",
            "odcs-object",
            "the property 'at' is no list that says what a line is",
        ),
        ("children:\n  raw.i: {from: things}\n", "", "odcs-object", "no property leads to the list 'things'"),
        (
            "children:\n  raw.i: {from: items, parent: {no: a}}\n",
            "",
            "unknown-column",
            "raw.orders is not told by 'no'",
        ),
        ("children:\n  raw.i: {from: items, position: sku}\n", "", "duplicate-column", "raw.i would have two columns"),
        ("", CHILD % "{parent: {id: a}}", "bad-value", "headgateChild names no table"),
        ("", CHILD % "{table: raw.i, parent: {no: a}}", "unknown-column", "raw.orders is not told by 'no'"),
        ("", CHILD % "{table: _headgate.i}", "reserved-name", "'_headgate.i' is a name that Headgate keeps"),
        ("", CHILD % "{table: raw.orders}", "duplicate-table", "raw.orders is filled twice"),
        ("", CHILD % "{table: raw.i, position: qty}", "duplicate-column", "raw.i would have two columns 'qty'"),
        ("load: {scd2: id, order_by: at}\n", CHILD % "{table: raw.i}", "bad-value", "children do not go with scd2"),
    ],
)
def test_what_can_not_be_a_table_is_told(tmp_path: Path, ingest: str, more: str, code: str, what: str) -> None:
    with pytest.raises(ProjectError) as error:
        folder_of(tmp_path, ASKING + ingest, FOREIGN + more).open()
    found = error.value.finding
    assert (found.code, found.what[: len(what)]) == (code, what)
    assert found.where.startswith(("contracts/orders.odcs.yaml:", "ingest/orders.yml:"))


def test_what_is_said_of_a_list_as_a_whole_is_told_as_not_checked(tmp_path: Path) -> None:
    document = FOREIGN.replace("  - name: items\n", "  - name: items\n    required: true\n    description: all lines\n")
    document = document.replace("name: sku, ", "name: sku, description: what it is, ")
    folder = folder_of(tmp_path, ASKING + "children:\n  raw.i: {from: items}\n", document)
    assert [(one.code, one.what) for one in folder.open().check().findings] == [
        ("not-enforced", "required of the list 'items' is not checked"),
        ("metadata-only", "schema.properties.description (2 times) is metadata only: nothing is checked by it"),
    ]


def test_a_schema_says_that_it_has_no_lines(tmp_path: Path) -> None:
    findings = folder_of(tmp_path, OWN).open().contract_show("raw.orders", "json-schema").findings
    assert [one.what[:25] for one in findings if one.code == "not-written"][-1:] == ["the lines of raw.order_it"]
