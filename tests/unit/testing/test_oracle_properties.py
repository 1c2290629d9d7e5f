"""What must hold of the oracle after any history."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.testing.oracle import Flow, State, check_laws, differences, full_refresh, load, same_state, view
from headgate.testing.oracle.judge import key_of
from headgate.testing.strategies import (
    PARENTS,
    Step,
    contracts,
    flows,
    histories,
    parents,
    play,
    slicings,
)

REFERENCES = (f"{PARENTS}.pid", "raw.orders.id")
MANY = settings(max_examples=60, deadline=None)


@st.composite
def cases(draw: st.DrawFn, **kinds: object) -> tuple[Flow, list[Step]]:
    flow = draw(flows(made=contracts(references=REFERENCES)))
    return flow, draw(histories(flow, **kinds))  # type: ignore[arg-type]


@st.composite
def visible(draw: st.DrawFn) -> tuple[Flow, list[Step]]:
    plain = contracts(keeps=("first",), limits=False)
    flow = draw(flows(("append", "append", "upsert"), plain).filter(lambda flow: not flow.judged))
    return flow, draw(histories(flow, kinds=("load", "load", "full_refresh"), faults=False))


def laws(state: State) -> list[str]:
    """The broken laws, of the tables that have books."""
    return [law for law in check_laws(state) if PARENTS not in law]


@MANY
@given(cases())
def test_the_laws_hold_after_every_step(case: tuple[Flow, list[Step]]) -> None:
    flow, steps = case
    state = parents()
    for step in steps:
        state = play(state, flow, step)
        assert laws(state) == []


@MANY
@given(cases())
def test_no_step_changes_the_state_it_was_given(case: tuple[Flow, list[Step]]) -> None:
    flow, steps = case
    state = parents()
    for step in steps:
        before, shown = repr(state), view(state)
        play(state, flow, step)
        assert (repr(state), view(state)) == (before, shown)


@MANY
@given(visible(), st.data())
def test_any_slicing_and_any_crash_is_as_one_slice(case: tuple[Flow, list[Step]], data: st.DataObject) -> None:
    flow, steps = case
    sliced = whole = parents()
    for step in steps:
        if step.kind == "load":
            for deaths in data.draw(st.lists(st.integers(0, 3), max_size=2)):
                sliced = load(sliced, flow, step.files, data.draw(slicings(step.files)), stop_after=deaths)
                assert laws(sliced) == []
            sliced = load(sliced, flow, step.files, step.slices)
            whole = load(whole, flow, step.files)
        else:
            sliced, whole = play(sliced, flow, step), play(whole, flow, step)
        assert differences(sliced, whole) == []


@MANY
@given(cases(kinds=("load",)))
def test_a_load_of_nothing_new_changes_nothing(case: tuple[Flow, list[Step]]) -> None:
    flow, steps = case
    state = parents()
    for step in steps:
        state = play(state, flow, step)
    again = play(state, flow, steps[-1])
    assert same_state(again, state)
    assert again.entries == state.entries


SET_RULES = ("key", "unique", "references", "replay")


@MANY
@given(cases(kinds=("load", "full_refresh")))
def test_a_replay_keeps_every_reason_that_needs_no_other_row(case: tuple[Flow, list[Step]]) -> None:
    flow, steps = case
    state = parents()
    for step in steps:
        state = play(state, flow, step)
    again = {record.parent: record for record in play(state, flow, Step("replay")).records(flow.table)}
    for record in state.records(flow.table):
        alone = [reason for reason in record.reasons if reason.rule not in SET_RULES]
        if alone:
            assert [reason for reason in again[record.id].reasons if reason.rule not in SET_RULES] == alone


@MANY
@given(cases(kinds=("load",)))
def test_replay_after_nothing_changed_gives_the_same_open_reasons(case: tuple[Flow, list[Step]]) -> None:
    """The first replay may still see later rows than the load did; once a replay loads nothing, it is the last word."""
    flow, steps = case
    state = parents()
    for step in steps:
        state = play(state, flow, step)
    once = play(state, flow, Step("replay"))
    while len(once.records(flow.table)) < len(state.records(flow.table)):
        state, once = once, play(once, flow, Step("replay"))
    twice = play(once, flow, Step("replay"))
    assert opened(twice) == opened(once)
    assert laws(twice) == []


def opened(state: State) -> object:
    return view(state).get("raw.orders", {}).get("open")


@MANY
@given(cases())
def test_no_two_rows_share_a_unique_value(case: tuple[Flow, list[Step]]) -> None:
    flow, steps = case
    state = parents()
    for step in steps:
        state = play(state, flow, step)
    key = () if flow.disposition == "upsert" or not flow.contract.key else (flow.contract.key,)
    for columns in (*(unique.columns for unique in flow.contract.uniques), *key, *([flow.keys] if flow.keys else [])):
        taken = [value for row in state.rows(flow.table) if (value := key_of(row, columns)) is not None]
        assert len(taken) == len(set(taken))


@MANY
@given(cases(kinds=("load", "replay")))
def test_a_full_refresh_is_as_a_first_load_of_the_same_files(case: tuple[Flow, list[Step]]) -> None:
    flow, steps = case
    state = parents()
    for step in steps:
        state = play(state, flow, step)
    files = next(step.files for step in reversed(steps) if step.kind == "load")
    refreshed, first = full_refresh(state, flow, files), load(parents(), flow, files)
    if len(refreshed.refusals) == len(state.refusals) and not first.refusals:
        parts = [view(s).get("raw.orders", {}) for s in (refreshed, first)]
        for part in ("rows", "open", "positions"):
            assert (not parts[0].get(part) and not parts[1].get(part)) or parts[0].get(part) == parts[1].get(part)
