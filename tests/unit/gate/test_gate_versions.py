"""Upsert, example by example: which version of a key is in the table."""

from __future__ import annotations

import pytest
from tests.unit.gate.history_kit import SMALL, Row, eased, ends, file, flow, loads

from headgate.testing.oracle import Column, Flow
from headgate.testing.strategies import Step

ID, N = Column("id", "int"), Column("n", "int")
EVERY = flow(ID, N, SMALL, disposition="upsert", keys=("id",))
ORDERED = flow(ID, N, SMALL, disposition="upsert", keys=("id",), order_by="n")


@pytest.mark.parametrize(
    ("made", "rows", "kept"),
    [
        (EVERY, [("1", "2", "1"), ("1", "1", "2")], "2"),
        (EVERY, [("1", "1", "1"), ("1", "2", "9")], "1"),
        (ORDERED, [("1", "2", "1"), ("1", "1", "2")], "1"),
        (ORDERED, [("1", "2", "1"), ("1", "2", "2")], "2"),
        (ORDERED, [("1", "1", "1"), ("1", "2", "9")], "1"),
    ],
    ids=["later wins", "a refused row beats none", "newer wins", "of a tie the later wins", "a refused newer one"],
)
@pytest.mark.parametrize("together", [True, False], ids=["one file", "two loads"])
def test_which_version_is_kept(made: Flow, rows: list[Row], kept: str, together: bool) -> None:
    one, other = rows
    files = {"a": file("id n v", one, other)} if together else {"a": file("id n v", one), "b": file("id n v", other)}
    found, _ = ends([(made, step) for step in loads(**files)])
    assert [row[2] for row in found] == [kept]


@pytest.mark.parametrize("order_by", [None, "n"])
def test_an_identity_of_two_columns_is_compared_whole(order_by: str | None) -> None:
    columns = (Column("a", "int"), Column("b", "int"), N)
    made = flow(*columns, disposition="upsert", keys=("a", "b"), order_by=order_by)
    steps = loads(
        x=file("a b n", ("1", "1", "1"), ("1", "2", "1"), ("2", "1", "1"), ("1", "1", "2")),
        y=file("a b n", ("1", "2", "3"), ("2", "2", "0")),
    )
    rows, _ = ends([(made, step) for step in steps])
    assert rows == [("1", "1", "2"), ("1", "2", "3"), ("2", "1", "1"), ("2", "2", "0")]


@pytest.mark.parametrize(("age", "kept"), [("1", "1"), ("2", "1"), ("3", "9")], ids=["older", "as old", "newer"])
def test_a_replayed_version_loses_ties(age: str, kept: str) -> None:
    steps = loads(a=file("id n v", ("1", age, "9")), b=file("id n v", ("1", "2", "1")))
    rows, _ = ends([*((ORDERED, step) for step in steps), (eased(ORDERED), Step("replay"))])
    assert [row[2] for row in rows] == [kept]


@pytest.mark.parametrize("again", [0, 1, 2])
def test_without_an_order_a_replay_never_replaces_what_a_later_load_wrote(again: int) -> None:
    """However often the record was refused in between."""
    steps = loads(a=file("id n v", ("1", "1", "9"), ("2", "1", "9")), b=file("id n v", ("1", "2", "1")))
    refused = [(EVERY, Step("replay"))] * again
    rows, reasons = ends([*((EVERY, step) for step in steps), *refused, (eased(EVERY), Step("replay"))])
    assert rows == [("1", "2", "1"), ("2", "1", "9")]
    assert reasons == {("a", 1): ["replay"]}
