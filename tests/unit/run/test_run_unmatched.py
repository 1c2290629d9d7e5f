"""`references(table.column, unmatched=null)`: the row loads with NULL in place of what is not there, and is counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.driver import Warehouse, differences, oracle_view
from tests.property.postgres import warehouse
from tests.unit.gate.history_kit import file, loads
from tests.unit.project_kit import Folder

from headgate.core.errors import ProjectError
from headgate.testing.oracle import Column, Contract, Flow, Reference, Unique
from headgate.testing.strategies import PARENTS, Step, histories, parents, play

CUSTOMERS = {
    "ingest/customers.yml": "table: raw.customers\nfrom: data/customers.csv\ncolumns:\n  id: int, key\n",
    "data/customers.csv": "id\n1\n2\n",
}
ORDERS = """table: raw.orders
from: data/orders*.csv
columns:
  id: int, key
  customer: int, references(raw.customers.id, unmatched=null)
  second: int, unique
"""


def folder_of(tmp_path: Path, ingest: str = ORDERS, **files: str) -> Folder:
    data = "id,customer,second\n1,1,5\n2,9,6\n3,,7\n4,8,6\n5,7,\n"
    return Folder.make(tmp_path, {**CUSTOMERS, "ingest/orders.yml": ingest, "data/orders.csv": data, **files})


def test_what_is_not_there_is_null_and_counted(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    step = folder.step("raw.orders")
    assert (step.status, step.rows_loaded, step.rows_quarantined) == ("ok", 4, 1)
    assert folder.rows("SELECT id, customer FROM raw.orders ORDER BY id") == [(1, 1), (2, None), (3, None), (5, None)]
    assert folder.refused("raw.orders") == [("orders.csv", 4, [("unique", "second")])]
    # The record that another rule refused was not loaded with NULL: it counts as refused alone, and is kept as it was.
    assert [(one.code, one.evidence) for one in step.warnings] == [
        ("value-nulled", {"rule": "customer.references", "rows": 2})
    ]
    assert "2 rows were loaded with NULL in customer" in step.warnings[0].what
    (entry,) = folder.open().ledger("raw.orders").entries
    assert entry.detail["nulled"] == {"customer.references": 2}
    assert folder.open().quarantine("raw.orders").records[0].row == {"id": "4", "customer": "8", "second": "6"}
    assert folder.codes() == []
    assert folder.open().check_data(["raw.orders"]).ok


def test_where_all_is_there_nothing_is_told(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, **{"data/customers.csv": "id\n" + "".join(f"{n}\n" for n in range(10))})
    step = folder.step("raw.orders")
    assert step.warnings == ()
    assert "nulled" not in folder.open().ledger("raw.orders").entries[0].detail
    assert folder.rows("SELECT customer FROM raw.orders WHERE id = 2") == [(9,)]


def test_an_upsert_writes_the_null_and_finds_the_value_when_it_is_there(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ORDERS.replace("second: int, unique", "second: int") + "load: upsert\n")
    folder.run()
    folder.write("data/customers.csv", "id\n1\n2\n9\n")
    folder.write("ingest/customers.yml", CUSTOMERS["ingest/customers.yml"] + "load: replace\n")
    folder.write("data/orders2.csv", "id,customer,second\n2,9,6\n")
    folder.run()
    assert folder.rows("SELECT id, customer FROM raw.orders ORDER BY id") == [
        (1, 1), (2, 9), (3, None), (4, None), (5, None),
    ]  # fmt: skip
    assert folder.codes() == []


@pytest.mark.parametrize(("share", "status"), [("40%", "ok"), ("60%", "refused")])
def test_mostly_says_how_many_may_be_emptied(tmp_path: Path, share: str, status: str) -> None:
    # Two of the four values are there.
    ingest = ORDERS.replace("unmatched=null", f"unmatched=null, mostly={share}").replace(", unique", "")
    data = "id,customer,second\n1,1,5\n2,2,6\n3,,7\n4,8,6\n5,7,\n"
    folder = folder_of(tmp_path, ingest, **{"data/orders.csv": data})
    assert folder.step("raw.orders").status == status


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("customer: int,", "customer: int, required,"), "it is required"),
        (("raw.customers.id, un", "raw.orders.second, un"), "the reference is to the own table"),
        (("columns:", "load: {upsert: id, order_by: customer}\ncolumns:"), "the load is ordered by it"),
        (("columns:", "load: {partition: customer}\ncolumns:"), "it is required"),
        (("second: int, unique", "second: int\nload: {scd2: id, order_by: second}"), "a version would say other"),
    ],
)
def test_where_it_can_not_be_emptied(tmp_path: Path, change: tuple[str, str], why: str) -> None:
    folder = folder_of(tmp_path, ORDERS.replace(*change))
    with pytest.raises(ProjectError, match=why) as error:
        folder.open()
    assert error.value.finding.code == "rule-mismatch"
    assert error.value.finding.where.startswith("ingest/orders.yml:")


@pytest.mark.parametrize("rule", ["customer > 0 or id = 1", "{when: id > 1, then: Customer is not null}"])
def test_a_condition_over_the_column_would_not_hold_for_what_is_loaded(tmp_path: Path, rule: str) -> None:
    folder = folder_of(tmp_path, f"{ORDERS}rules:\n  known: {rule}\n")
    (found,) = [one for one in folder.open().check().findings if one.level == "error"]
    assert (found.code, "unmatched=null may empty" in found.what) == ("rule-mismatch", True)
    assert [one.code for one in folder.run().findings] == ["rule-mismatch"]


def test_a_model_with_a_contract(tmp_path: Path) -> None:
    model = "models:\n  - name: paid\n    contract:\n      columns:\n        id: int\n"
    model += "        customer: int, references(raw.customers.id, unmatched=null)\n"
    folder = folder_of(
        tmp_path,
        ORDERS.replace(", unmatched=null", ", unmatched=warn"),
        **{
            "models/paid.sql": "{{ config(materialized='table') }} select id, customer from {{ ref('raw.orders') }}",
            "models/paid.yml": model,
        },
    )
    step = folder.step("paid")
    assert [one.code for one in step.warnings] == ["value-nulled"]
    assert folder.rows("SELECT id, customer FROM paid ORDER BY id") == [(1, 1), (2, None), (3, None), (5, None)]


REFERENCE = Reference(("n",), PARENTS, ("pid",), nulls=True)


@st.composite
def emptying(draw: st.DrawFn) -> tuple[Flow, list[Step]]:
    """Flows whose `n` may be emptied, beside rules that look at it."""
    columns = (Column("id", "int", key=True), Column("n", "int"), Column("v", "int"))
    uniques = draw(st.sampled_from([(), (Unique(("n",)),), (Unique(("n",), "none"),), (Unique(("v",), "last"),)]))
    warning, own = Reference(("n",), PARENTS, ("pid",), "warn"), Reference(("v",), "raw.orders", ("n",))
    others = draw(st.sampled_from([(), (warning,), (Reference(("v",), PARENTS, ("pid",)),), (own,)]))
    contract = Contract(columns, uniques=uniques, references=(REFERENCE, *others))
    kind = draw(st.sampled_from(["append", "upsert", "insert", "replace"]))
    keys = ("id",) if kind in ("upsert", "insert") else ()
    flow = Flow("raw.orders", contract, kind, keys=keys, on_change="reload")  # type: ignore[arg-type]
    return flow, draw(histories(flow))


@settings(max_examples=12)
@given(emptying())
def test_any_history_ends_in_the_state_of_the_oracle(case: tuple[Flow, list[Step]]) -> None:
    flow, steps = case
    state, real = parents(), Warehouse(flow)
    try:
        for step in steps:
            state = play(state, flow, step)
            real.play(step)
            assert differences(real.view(), oracle_view(state)) == []
            assert real.findings() == []
    finally:
        real.close()


def test_on_postgres_as_well(postgres_of_worker: str) -> None:
    columns = (Column("id", "int", key=True), Column("n", "int"), Column("v", "int"))
    steps = loads(
        a=file("id n v", ("1", "1", "1"), ("2", "7", "2"), ("3", None, "3"), ("x", "8", "4")),
        b=file("id n v", ("2", "2", "2"), ("4", "9", "4"), ("5", "1", "5"), ("6", "9", "6")),
    )
    for uniques in ((), (Unique(("n",)),)):
        contract = Contract(columns, uniques=uniques, references=(REFERENCE,))
        made = Flow("raw.orders", contract, "upsert", keys=("id",), on_change="reload")
        state = parents()
        with warehouse(postgres_of_worker, made) as real:
            for step in steps:
                state = play(state, made, step)
                real.play(step)
                assert differences(real.view(), oracle_view(state)) == []
                assert real.findings() == []
        assert sum(row["n"] is None for row in state.rows("raw.orders")) == 3
