"""Short histories of files that change, vanish and come back, of slices and replays, each with the end it must have."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.gate.history_kit import SMALL, eased, ends, file, flow, loads

from headgate.testing.oracle import Column, Flow, Limit, Reference, Unique
from headgate.testing.strategies import TABLE, Step

KEY = Column("id", "int", key=True)
RELOADED = flow(KEY, SMALL, on_change="reload")
REPLACED = flow(KEY, SMALL, disposition="replace")
REPLACED = replace(REPLACED, contract=replace(REPLACED.contract, refuse_at_most=Limit.of("share", 1)))
A, B = file("id v", ("1", "1"), ("2", "9")), file("id v", ("3", "3"), ("4", "9"))
MENDED = file("id v", ("1", "1"), ("2", "2"), ("5", "9"), identity="2")


def every(made: Flow, *steps: Step) -> list[tuple[Flow, Step]]:
    return [(made, step) for step in steps]


def test_a_reload_settles_the_records_of_its_file_and_no_others() -> None:
    rows, reasons = ends(every(RELOADED, *loads(a=A, b=B), Step("load", {"a": MENDED, "b": B})))
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert reasons == {("a", 3): ["max"], ("b", 2): ["max"]}


@pytest.mark.parametrize("keyed", [True, False])
def test_a_reload_takes_what_was_replayed_away_before_anything_is_judged(keyed: bool) -> None:
    made = RELOADED if keyed else flow(Column("id", "int"), SMALL, on_change="reload")
    history = [*every(made, *loads(a=A, b=B)), (eased(made), Step("replay"))]
    rows, reasons = ends([*history, (made, Step("load", {"a": MENDED, "b": B}))])
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]
    assert reasons == {("a", 3): ["max"]}


def test_a_replacement_settles_every_record_and_forgets_files_that_are_gone() -> None:
    only_b, again = Step("load", {"b": B}), Step("load", {"a": A, "b": B})
    rows, reasons = ends(every(REPLACED, *loads(a=A), only_b))
    assert ([row[0] for row in rows], reasons) == (["3"], {("b", 2): ["max"]})
    rows, reasons = ends(every(REPLACED, *loads(a=A), only_b, again))
    assert ([row[0] for row in rows], reasons) == (["1", "3"], {("a", 2): ["max"], ("b", 2): ["max"]})


def test_a_file_that_is_taken_away_is_taken_out_of_a_replaced_table() -> None:
    both = Step("load", {"a": A, "b": B})
    rows, _ = ends(every(REPLACED, both, Step("load", {"b": B})))
    assert [row[0] for row in rows] == ["3"]


@pytest.mark.parametrize(
    "made",
    [
        flow(Column("id", "int"), SMALL, uniques=(Unique(("id",), "last"),)),
        flow(Column("id", "int"), SMALL, uniques=(Unique(("id",), "none"),)),
        flow(Column("id", "int"), SMALL, references=(Reference(("v",), TABLE, ("id",)),)),
        flow(Column("id", "int"), SMALL, disposition="upsert", keys=("id",), uniques=(Unique(("v",), "first"),)),
        replace(RELOADED, contract=replace(RELOADED.contract, refuse_at_most=Limit.of("rows", 2))),
        replace(RELOADED, contract=replace(RELOADED.contract, refuse_at_most=Limit.of("rows", 3))),
    ],
    ids=["keep=last", "keep=none", "own references", "unique beside an identity", "over a limit", "within a limit"],
)
@pytest.mark.parametrize("cut", [1, 2, 3])
def test_what_needs_the_whole_load_is_judged_over_the_whole_load(made: Flow, cut: int) -> None:
    whole = file("id v", ("1", "2"), ("3", "9"), ("2", "2"), ("1", "1"), ("4", "9"))
    uncut = every(made, Step("load", {"a": whole}))
    assert ends(every(made, Step("load", {"a": whole}, {"a": [cut]}))) == ends(uncut)


@pytest.mark.parametrize("names", ["a", "ab"])
def test_a_refresh_keeps_every_slice(names: str) -> None:
    files = {name: made for name, made in (("a", file("id v", ("1", "1"), ("2", "2"))), ("b", B)) if name in names}
    refreshed = Step("full_refresh", files, {name: [1] for name in files})
    rows, _ = ends(every(flow(KEY, SMALL), *loads(**files), refreshed))
    assert [row[0] for row in rows] == ["1", "2", "3"][: len(names) + 1]


def test_the_content_of_a_skipped_twin_is_kept_when_the_file_that_carried_it_changes() -> None:
    made = replace(RELOADED, twin_files="skip")
    twins = Step("load", {"a": A, "b": A})
    rows, reasons = ends(every(made, twins))
    assert ([row[0] for row in rows], reasons) == (["1"], {("a", 2): ["max"]})
    rows, reasons = ends(every(made, twins, Step("load", {"a": B, "b": A})))
    assert ([row[0] for row in rows], reasons) == (["1"], {("a", 2): ["max"]})
    changed = Step("load", {"a": replace(B, identity="2"), "b": A})
    rows, reasons = ends(every(made, twins, changed))
    assert ([row[0] for row in rows], reasons) == (["1", "3"], {("a", 2): ["max"], ("b", 2): ["max"]})


def test_refused_records_of_a_later_slice_are_told_by_their_own_number_and_text() -> None:
    rows, reasons = ends(every(RELOADED, Step("load", {"a": file("id v", ("1", "1"), ("2", "9"))}, {"a": [1]})))
    assert ([row[0] for row in rows], reasons) == (["1"], {("a", 2): ["max"]})
