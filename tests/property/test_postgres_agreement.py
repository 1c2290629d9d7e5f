"""On PostgreSQL, too: any history, any crash and two runners end in the state of the oracle."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, note, settings
from tests.property.driver import differences, oracle_view
from tests.property.postgres import warehouse
from tests.property.test_crashes import (
    LOADS,
    Crash,
    _file,
    _flow,
    at_fault_points,
    at_statements,
    crashing,
    differing,
    play_through,
    racing,
)
from tests.property.test_oracle_agreement import cases

from headgate.core import faults
from headgate.testing import oracle
from headgate.testing.strategies import Step, ingest_form, parents, play

SOME = settings(max_examples=max(5, settings().max_examples // 3))


@SOME
@given(case=cases())
def test_any_history_ends_in_the_state_of_the_oracle(
    postgres_of_worker: str, case: tuple[oracle.Flow, list[Step]]
) -> None:
    flow, steps = case
    note(ingest_form(flow, "orders/*.csv"))
    state = parents()
    with warehouse(postgres_of_worker, flow) as real:
        for step in steps:
            note(f"{step.kind} {step.files} slices={step.slices} picks={step.picks}")
            state = play(state, flow, step)
            real.play(step)
            assert differences(real.view(), oracle_view(state)) == []
            assert real.findings() == []


@SOME
@given(case=crashing())
def test_any_crashes_end_in_the_state_of_no_crash(
    postgres_of_worker: str, case: tuple[oracle.Flow, list[tuple[Step, list[Crash]]]]
) -> None:
    flow, steps = case
    note(ingest_form(flow, "orders/*.csv"))
    state = parents()
    with warehouse(postgres_of_worker, flow) as real:
        for step, schedule in steps:
            note(f"{step.kind} {step.files} slices={step.slices} picks={step.picks} crashes={schedule}")
            state = play(state, flow, step)
            play_through(real, step, schedule)
            assert differences(real.view(), oracle_view(state)) == []
            assert real.findings() == []


@pytest.mark.parametrize("disposition", ["append", "upsert", "replace"])
def test_every_fault_point_is_reached_and_survived(
    postgres_of_worker: str, disposition: oracle.model.Disposition
) -> None:
    flow = _flow(disposition)
    for point in faults.POINTS:
        state, crashes = parents(), []
        with warehouse(postgres_of_worker, flow) as real:
            for step in [*LOADS, Step("replay"), Step("full_refresh", LOADS[1].files)]:
                state = play(state, flow, step)
                crashes.append(play_through(real, step, [(1, point), (2, point), (1, point)]))
                assert differences(real.view(), oracle_view(state)) == [], point
                assert real.findings() == [], point
        sliced = 2 if disposition != "replace" else 1
        assert all(made >= wanted for made, wanted in zip(crashes, [sliced, sliced, 1, 1], strict=True)), point


@SOME
@given(case=racing())
def test_two_runners_of_one_load_end_as_one(
    postgres_of_worker: str, case: tuple[oracle.Flow, list[Step], Step, list[int], bool]
) -> None:
    flow, before, step, order, fine = case
    note(ingest_form(flow, "orders/*.csv"))
    state = parents()
    with warehouse(postgres_of_worker, flow) as real:
        for one in before:
            state = play(state, flow, one)
            real.play(one)
        note(f"{before} {step.files} slices={step.slices} order={order} fine={fine}")
        race = at_statements if fine else at_fault_points
        race(real, order, [lambda: real.play(step)] * 2)
        assert differences(real.view(), oracle_view(play(state, flow, step))) == []
        assert real.findings() == []


@pytest.mark.parametrize("race", [at_fault_points, at_statements])
@pytest.mark.parametrize("disposition", ["append", "upsert", "replace"])
def test_two_runners_of_the_first_load(
    postgres_of_worker: str, disposition: oracle.model.Disposition, race: Any
) -> None:
    """Both find no table, and make it at once."""
    flow, step = _flow(disposition), LOADS[0]
    for pace in (1, 2, 3, 5, 8, 13, 21):
        with warehouse(postgres_of_worker, flow) as real:
            race(real, [turn // pace % 2 for turn in range(400)], [lambda real=real: real.play(step)] * 2)
            assert differences(real.view(), oracle_view(play(parents(), flow, step))) == [], pace
            assert real.findings() == [], pace


@SOME
@given(case=differing())
def test_two_different_runners_end_as_one_after_the_other(
    postgres_of_worker: str, case: tuple[oracle.Flow, list[Step], list[Step], list[int], bool]
) -> None:
    flow, before, steps, order, fine = case
    note(ingest_form(flow, "orders/*.csv"))
    state = parents()
    with warehouse(postgres_of_worker, flow) as real:
        for one in before:
            state = play(state, flow, one)
            real.play(one)
        note(f"{before} {steps} order={order} fine={fine}")
        race = at_statements if fine else at_fault_points
        race(real, order, [lambda step=step: real.play(step) for step in steps])  # type: ignore[misc]
        one, two = steps
        orders = [play(play(state, flow, one), flow, two), play(play(state, flow, two), flow, one)]
        found = [differences(real.view(), oracle_view(end)) for end in orders]
        assert [] in found, "\n--- or ---\n".join("\n".join(lines) for lines in found)
        assert real.findings() == []


@pytest.mark.parametrize("disposition", ["append", "upsert", "replace"])
def test_the_first_rows_of_another_runner_are_seen(
    postgres_of_worker: str, disposition: oracle.model.Disposition
) -> None:
    flow = _flow(disposition)
    steps = [Step("load", {name: _file(shift)}) for name, shift in (("a", 0), ("b", 1))]
    with warehouse(postgres_of_worker, flow) as real:
        at_fault_points(real, [0, *[1] * 20], [lambda step=step: real.play(step) for step in steps])  # type: ignore[misc]
        state = play(play(parents(), flow, steps[1]), flow, steps[0])
        assert differences(real.view(), oracle_view(state)) == []
        assert real.findings() == []


@pytest.mark.parametrize("race", [at_fault_points, at_statements])
def test_two_runners_replay_a_record_once(postgres_of_worker: str, race: Any) -> None:
    flow = _flow("append")
    for pace in (1, 3, 8, 21):
        with warehouse(postgres_of_worker, flow) as real:
            real.play(LOADS[0])
            ids = real.picked(())
            race(real, [turn // pace % 2 for turn in range(400)], [lambda real=real, ids=ids: real.replay(ids)] * 2)
            state = play(play(parents(), flow, LOADS[0]), flow, Step("replay"))
            assert len(ids) > 1
            assert differences(real.view(), oracle_view(state)) == [], pace
            assert real.findings() == [], pace
