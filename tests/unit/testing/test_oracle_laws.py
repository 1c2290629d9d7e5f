"""Every law finds the damage that it is there to find; `same_state` sees every difference that matters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from oracle_kit import AMOUNT, ID, file, orders, run

from headgate.testing.oracle import (
    Limit,
    Point,
    Position,
    Reason,
    State,
    check_laws,
    differences,
    full_refresh,
    replay,
    same_state,
    view,
)

TABLE = "raw.orders"
FLOW = orders(refuse_at_most=Limit.of("rows", 3))


def books() -> State:
    """Two files, one record refused in each; the first one's was replayed and refused again; a stopped load."""
    state = run(FLOW, {"a": file("id,amount", "1,1", "2,2", "3,-3")}, {"b": file("id,amount", "4,4", "1,1")})
    state = replay(state, FLOW, [1])
    return run(FLOW, {"c": file("id,amount", *(f"{i},-1" for i in range(9, 14)))}, state=state)


def entry(state: State, index: int, **facts: object) -> None:
    state.entries[index] = replace(state.entries[index], **facts)  # type: ignore[arg-type]


def record(state: State, index: int, **facts: object) -> None:
    state.quarantine[index] = replace(state.quarantine[index], **facts)  # type: ignore[arg-type]


def position(state: State, **facts: object) -> None:
    state.positions[TABLE, "a"] = replace(state.positions[TABLE, "a"], **facts)  # type: ignore[arg-type]


def a_row_moved_between_loads(state: State) -> None:
    state.tables[TABLE][0] = {**state.tables[TABLE][0], "_hg_load": 2}


def all_rows_of_one_load(state: State) -> None:
    state.tables[TABLE] = [{**row, "_hg_load": 2} for row in state.rows(TABLE)]


DAMAGE: list[tuple[str, str, Callable[[State], object]]] = [
    ("L1", "a fate count edited", lambda s: entry(s, 0, deduplicated=1)),
    ("L1", "read and a fate edited together", lambda s: entry(s, 0, read=4, skipped=1)),
    ("L1", "the end of an entry edited", lambda s: entry(s, 1, end=Point("1", 3))),
    ("L1", "a replay that claims nothing", lambda s: record(s, 0, settled_by=1)),
    ("L2", "a row deleted", lambda s: s.tables[TABLE].pop()),
    ("L2", "a row doubled", lambda s: s.tables[TABLE].append(s.tables[TABLE][0])),
    ("L2", "the table dropped", lambda s: s.tables.pop(TABLE)),
    ("L2", "rows_after edited", lambda s: entry(s, 0, rows_after=7)),
    ("L2", "a row of an unknown load", lambda s: s.tables[TABLE].append({"id": 8, "amount": None, "_hg_load": 99})),
    ("L3", "an entry removed", lambda s: s.entries.pop(0)),
    ("L3", "an entry doubled", lambda s: s.entries.append(s.entries[-1])),
    ("L3", "the chain cut", lambda s: entry(s, 2, start=Point("0", 1))),
    ("L3", "the position moved back", lambda s: position(s, end=Point("1", 1))),
    ("L3", "the position's seq edited", lambda s: position(s, seq=1)),
    ("L3", "the position's generation edited", lambda s: position(s, generation=2)),
    ("L3", "the position removed", lambda s: s.positions.pop((TABLE, "a"))),
    ("L3", "a position of nothing", lambda s: s.positions.update({(TABLE, "z"): Position(1, 1, Point("1", 1))})),
    ("L4", "a quarantine record removed", lambda s: s.quarantine.pop(1)),
    ("L4", "a replayed record opened again", lambda s: record(s, 0, status="open")),
    ("L4", "an open record settled by nobody", lambda s: record(s, 1, status="replayed")),
    ("L4", "an open record said to be held", lambda s: record(s, 1, status="held")),
    ("L4", "a record given to another entry", lambda s: record(s, 1, entry=1)),
    ("L4", "a record without reasons", lambda s: record(s, 1, reasons=())),
    ("L4", "a held record removed", lambda s: s.quarantine.pop()),
    ("L4", "a held record opened", lambda s: record(s, -1, status="open")),
    ("L5", "a row moved between loads", a_row_moved_between_loads),
    (
        "L5",
        "rows swapped for others",
        lambda s: s.tables.update({TABLE: [{**r, "_hg_load": 3} for r in s.rows(TABLE)]}),
    ),
]


def test_the_books_that_are_damaged_here_balance() -> None:
    assert check_laws(books()) == []


@pytest.mark.parametrize(("law", "damage"), [pytest.param(law, do, id=what) for law, what, do in DAMAGE])
def test_damage_breaks_its_law(law: str, damage: Callable[[State], object]) -> None:
    state = books()
    damage(state)
    assert law in {broken[:2] for broken in check_laws(state)}


@pytest.mark.parametrize(
    "damage",
    [
        lambda s: s.tables[TABLE].pop(),
        lambda s: s.tables[TABLE].append(s.tables[TABLE][0]),
        lambda s: s.tables.update({TABLE: [{**s.rows(TABLE)[0], "id": 5}, *s.rows(TABLE)[1:]]}),
        lambda s: record(s, 1, status="superseded"),
        lambda s: record(s, 1, reasons=(Reason("min", "id", ""),)),
        lambda s: record(s, 1, record={"id": "1", "amount": "2"}),
        lambda s: position(s, end=Point("1", 1)),
        lambda s: entry(s, 0, read=9),
        lambda s: entry(s, 0, quarantined=9),
        lambda s: entry(s, 0, deduplicated=9),
    ],
)
def test_states_that_differ_are_not_the_same(damage: Callable[[State], object]) -> None:
    state = books()
    damage(state)
    assert not same_state(state, books())
    assert len(differences(state, books())) == 1


def test_order_ids_and_number_of_entries_do_not_matter() -> None:
    flow = orders(ID, AMOUNT)
    one = run(flow, {"a": file("id,amount", "1,1"), "b": file("id,amount", "2,2")})
    two = run(flow, {"b": file("id,amount", "2,2")}, {"a": file("id,amount", "1,1")})
    assert one != two
    assert same_state(one, two)


def test_a_position_of_an_older_generation_may_go() -> None:
    state = full_refresh(books(), FLOW, {"b": file("id,amount", "4,4")})
    assert check_laws(state) == []
    assert list(view(state)[TABLE]["positions"]) == ["b"]
