"""Set rules, example by example: who holds a value, who is refused, and that every reason is told."""

from __future__ import annotations

import pytest
from tests.unit.gate.history_kit import SMALL, Reasons, Row, ends, file, flow, loads

from headgate.testing.oracle import Column, Reference, Unique
from headgate.testing.oracle.model import Keep
from headgate.testing.strategies import PARENTS, TABLE

ID = Column("id", "int")


def unique(keep: Keep) -> tuple[Unique, ...]:
    return (Unique(("id",), keep),)


@pytest.mark.parametrize(
    ("keep", "rows", "reasons"),
    [
        ("first", [("1", "1"), ("2", "3")], {("a", 2): ["unique"]}),
        ("last", [("1", "2"), ("2", "3")], {("a", 1): ["unique"]}),
        ("none", [("2", "3")], {("a", 1): ["unique"], ("a", 2): ["unique"]}),
    ],
)
def test_which_of_two_rows_is_kept(keep: Keep, rows: list[Row], reasons: Reasons) -> None:
    made = flow(ID, SMALL, uniques=unique(keep))
    steps = loads(a=file("id v", ("1", "1"), ("1", "2"), ("2", "3")))
    assert ends([(made, step) for step in steps]) == (rows, reasons)


@pytest.mark.parametrize("keep", ["first", "last", "none"])
def test_a_value_that_the_table_has_is_taken_whatever_is_kept(keep: Keep) -> None:
    made = flow(ID, SMALL, uniques=unique(keep))
    steps = loads(a=file("id v", ("1", "1")), b=file("id v", ("1", "2"), ("2", "2"), ("1", "9")))
    rows, reasons = ends([(made, step) for step in steps])
    assert rows == [("1", "1"), ("2", "2")]
    assert reasons == {("b", 1): ["unique"], ("b", 3): ["max", "unique"]}


@pytest.mark.parametrize("keep", ["first", "last", "none"])
def test_a_refused_row_takes_no_value_and_is_told_that_it_is_taken(keep: Keep) -> None:
    made = flow(ID, SMALL, uniques=unique(keep))
    steps = loads(a=file("id v", ("1", "9"), ("1", "1"), ("2", "2"), ("2", "9")))
    rows, reasons = ends([(made, step) for step in steps])
    assert rows == [("1", "1"), ("2", "2")]
    later = {"first": (["max"], ["max", "unique"]), "last": (["max", "unique"], ["max"])}
    first, last = later.get(keep, (["max", "unique"], ["max", "unique"]))
    assert reasons == {("a", 1): first, ("a", 4): last}


def test_a_value_that_is_shared_stays_shared_for_a_refused_row() -> None:
    made = flow(ID, SMALL, uniques=unique("none"))
    steps = loads(a=file("id v", ("1", "1"), ("1", "2"), ("1", "9")))
    both = ["unique"]
    assert ends([(made, step) for step in steps]) == ([], {("a", 1): both, ("a", 2): both, ("a", 3): ["max", "unique"]})


PAIR = Reference(("id", "n"), PARENTS, ("pid", "qid"), code="pair")


@pytest.mark.parametrize("keep", ["first", "last", "none"])
def test_rows_without_a_value_never_clash(keep: Keep) -> None:
    made = flow(ID, SMALL, uniques=unique(keep))
    steps = loads(a=file("id v", (None, "1"), ("1", "1"), (None, "2"), ("1", "2")), b=file("id v", (None, "1")))
    rows, reasons = ends([(made, step) for step in steps])
    assert [row for row in rows if row[0] is None] == [(None, "1"), (None, "1"), (None, "2")]
    assert {number for _, number in reasons} <= {2, 4}


def test_a_key_of_two_columns_is_compared_whole() -> None:
    made = flow(Column("a", "int", key=True), Column("b", "int", key=True), SMALL)
    steps = loads(
        x=file("a b v", ("1", "1", "1"), ("1", "2", "2"), ("2", "1", "3"), ("1", "1", "4")),
        y=file("a b v", ("2", "1", "1"), ("2", "2", "2")),
    )
    rows, reasons = ends([(made, step) for step in steps])
    assert rows == [("1", "1", "1"), ("1", "2", "2"), ("2", "1", "3"), ("2", "2", "2")]
    assert reasons == {("x", 4): ["key"], ("y", 1): ["key"]}


def test_a_reference_is_found_beside_a_null_and_null_refers_to_nothing() -> None:
    to = (Reference(("n",), PARENTS, ("pid",)),)
    made = flow(ID, Column("n", "int"), SMALL, references=to)
    steps = loads(a=file("id n v", ("1", "1", "1"), ("2", "9", "1"), ("3", None, "1"), ("4", "9", "9")))
    rows, reasons = ends([(made, step) for step in steps])
    assert rows == [("1", "1", "1"), ("3", None, "1")]
    assert reasons == {("a", 2): ["references"], ("a", 4): ["max", "references"]}


def test_a_reference_of_two_columns_is_compared_whole_and_one_null_refers_to_nothing() -> None:
    # The rows of the parents are (1, 2), (2, NULL) and (NULL, 1).
    made = flow(ID, Column("n", "int"), SMALL, references=(PAIR,))
    rows_of = [("1", "2", "1"), ("2", "1", "1"), ("1", "1", "1"), ("2", None, "1"), (None, "7", "1"), ("7", "2", "9")]
    rows, reasons = ends([(made, step) for step in loads(a=file("id n v", *rows_of))])
    assert rows == [("1", "2", "1"), ("2", None, "1"), (None, "7", "1")]
    assert reasons == {("a", 2): ["pair"], ("a", 3): ["pair"], ("a", 6): ["max", "pair"]}


def test_a_reference_of_two_columns_to_the_own_table_is_compared_whole() -> None:
    own = Reference(("n", "id"), TABLE, ("id", "n"), code="mutual")
    made = flow(ID, Column("n", "int"), SMALL, references=(own,))
    first = file("id n v", ("1", "2", "1"), ("2", "1", "1"), ("3", "1", "1"), ("4", None, "1"), ("5", "5", "1"))
    steps = loads(a=first, b=file("id n v", ("6", "7", "1"), ("7", "6", "9"), ("8", "8", "1")))
    rows, reasons = ends([(made, step) for step in steps])
    assert [row[0] for row in rows] == ["1", "2", "4", "5", "8"]
    assert reasons == {("a", 3): ["mutual"], ("b", 1): ["mutual"], ("b", 2): ["max", "mutual"]}


def test_a_reference_to_the_own_table_counts_what_is_loaded_and_stays_from_row_to_row() -> None:
    to = (Reference(("n",), TABLE, ("id",)),)
    made = flow(ID, Column("n", "int"), SMALL, references=to)
    first = file("id n v", ("1", None, "1"), ("3", "2", "1"), ("2", "1", "1"), ("4", "5", "1"), ("5", "9", "1"))
    steps = loads(a=first, b=file("id n v", ("6", "2", "1"), ("7", "8", "9")))
    rows, reasons = ends([(made, step) for step in steps])
    assert [row[0] for row in rows] == ["1", "2", "3", "6"]
    assert reasons == {("a", 4): ["references"], ("a", 5): ["references"], ("b", 2): ["max", "references"]}


def test_a_row_is_told_of_every_rule_it_breaks() -> None:
    made = flow(
        ID, Column("n", "int"), SMALL, uniques=unique("first"), references=(Reference(("n",), PARENTS, ("pid",)),)
    )
    steps = loads(a=file("id n v", ("1", "1", "1"), ("1", "9", "9"), ("1", "9", "1")))
    _, reasons = ends([(made, step) for step in steps])
    assert reasons == {("a", 2): ["max", "unique", "references"], ("a", 3): ["unique", "references"]}
