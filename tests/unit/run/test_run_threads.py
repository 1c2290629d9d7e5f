"""Several steps at once: the same outcomes as one after the other, in the order of the plan."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.api.results import RunResult
from headgate.core import clock, faults

PATIENCE = 60.0
"""Seconds after which a step that waits for another one has waited in vain."""
LOAD = "table: raw.t{0}\nfrom: data/{0}/*.csv\n{1}columns:\n  id: int, key{2}\n"
TABLE = "{{ config(materialized='table') }} "


@pytest.fixture(autouse=True)
def no_faults() -> Iterator[None]:
    yield
    faults.install(None)


NO_END = TABLE + "select sum(a.range * b.range) as n from range(9000000) a, range(9000000) b"
API = """table: raw.api
from: {python: api.py:rows}
load: upsert
retries: {attempts: 2, wait: 5m}
columns:
  id: int, key
"""
ROWS = """from headgate import TransientError

CALLS = []


def rows():
    CALLS.append(1)
    if len(CALLS) < 2:
        raise TransientError
    yield {"id": 1}
"""


def wide(tmp_path: Path, models: int = 4) -> Folder:
    files = {f"ingest/t{at}.yml": LOAD.format(at, "", "") for at in range(2)}
    files |= {f"data/{at}/1.csv": "id\n1\n2\n" for at in range(2)}
    files |= {
        f"models/gold/m{at}.sql": TABLE
        + f"select count(*) + {at} as n from {{{{ ref('raw.t0') }}}}, {{{{ ref('raw.t1') }}}}"
        for at in range(models)
    }
    union = " union all ".join(f"select n from {{{{ ref('m{at}') }}}}" for at in range(models))
    files["models/gold/total.sql"] = TABLE + f"select sum(n) as n from ({union})"
    return Folder.make(tmp_path, files)


def outcome(done: RunResult) -> list[tuple[object, ...]]:
    return [
        (step.id, step.status, step.reason, step.rows_read, step.rows_loaded, step.stale, step.attempts)
        for step in done.steps
    ]


def test_steps_that_do_not_need_each_other_meet(tmp_path: Path) -> None:
    folder = wide(tmp_path)
    meeting, met = threading.Barrier(4), []

    def wait(name: str) -> None:
        """Four models stand staged at one time, or the barrier breaks."""
        if name == "after_stage" and len(met) < 4 and threading.current_thread() is not threading.main_thread():
            try:
                met.append(meeting.wait(PATIENCE))
            except threading.BrokenBarrierError:
                met.append(-1)

    folder.run("kind:load")
    faults.install(wait)
    done = folder.open().run(threads=4)
    assert sorted(met) == [0, 1, 2, 3]
    assert [step.id for step in done.steps] == ["raw.t0", "raw.t1", "m0", "m1", "m2", "m3", "total"]
    assert {step.status for step in done.steps[2:]} == {"ok"}
    assert folder.rows("SELECT n FROM gold.total") == [(22,)]
    assert folder.codes() == []


def test_a_step_begins_only_when_what_it_needs_has_ended(tmp_path: Path) -> None:
    folder = wide(tmp_path)
    order: list[tuple[str, str]] = []
    done = folder.open().run(threads=8, progress=lambda news: order.append((news.step, news.phase)))
    assert done.status == "ok"
    begun = [step for step, phase in order if phase in ("reading", "building")]
    assert begun[-1] == "total"
    assert set(begun[:2]) == {"raw.t0", "raw.t1"}
    assert len(begun) == len(set(begun)) == 7  # what several read is made once


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 5])
def test_any_graph_ends_as_one_after_the_other(tmp_path: Path, seed: int) -> None:
    draw, root = random.Random(seed), tmp_path
    files = {}
    for at in range(3):
        refers = f", references(raw.t{draw.randrange(at)}.id)" if at and draw.random() < 0.5 else ""
        files[f"ingest/t{at}.yml"] = LOAD.format(at, "optional: true\n" if draw.random() < 0.3 else "", refers)
        files[f"data/{at}/1.csv"] = "nr\n1\n" if draw.random() < 0.2 else "id\n1\n2\n"
    names = [f"raw.t{at}" for at in range(3)]
    for at in range(5):
        read = draw.sample(names, draw.randrange(1, 3))
        broken = "nothing, " if draw.random() < 0.15 else ""
        counts = " + ".join(f"(select count(*) from {{{{ ref('{name}') }}}})" for name in read)
        files[f"models/m{at}.sql"] = (TABLE if draw.random() < 0.7 else "") + f"select {broken}{counts} as n"
        names.append(f"m{at}")
    one, many = Folder.make(root / "one", files), Folder.make(root / "many", files)
    assert outcome(one.open().run(threads=1)) == outcome(many.open().run(threads=3))
    for folder in (one, many):
        folder.write("data/0/2.csv", "id\n3\n")
    assert outcome(one.open().run(threads=1)) == outcome(many.open().run(threads=3))
    assert many.codes() == []


def test_fail_fast_lets_what_runs_end_and_begins_nothing_more(tmp_path: Path) -> None:
    folder = wide(tmp_path)
    folder.write("data/0/1.csv", "nr\n1\n")
    done = folder.open().run(threads=2, fail_fast=True)
    assert [(step.id, step.status) for step in done.steps][:3] == [
        ("raw.t0", "refused"), ("raw.t1", "ok"), ("m0", "blocked"),
    ]  # fmt: skip


def test_a_run_that_is_left_early_ends_what_still_runs(tmp_path: Path) -> None:
    folder = wide(tmp_path, models=1)
    folder.run()
    folder.write("models/gold/m0.sql", NO_END)
    folder.write("models/gold/other.sql", TABLE + "select 1 as x")

    def leave(name: str) -> None:
        """As a signal would: `other` raises what ends a run."""
        if name == "after_stage":
            raise KeyboardInterrupt

    faults.install(leave)
    with pytest.raises(KeyboardInterrupt):
        folder.open().run(["m0", "other"], threads=2)
    faults.install(None)
    assert threading.active_count() == 1 or not [one for one in threading.enumerate() if one.name.startswith("step")]
    assert folder.rows("SELECT n FROM gold.m0") == [(4,)]
    assert folder.codes() == []


@pytest.mark.slow
def test_a_wait_for_the_next_attempt_holds_up_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = wide(tmp_path, models=1)
    folder.write("ingest/api.yml", API)
    folder.write("api.py", ROWS)
    others, real = threading.Event(), clock.awaited

    def waits(event: threading.Event, secs: float) -> bool:
        """Five minutes are over when the last of the others has begun."""
        return others.wait(PATIENCE) and False if secs == 300 else real(event, secs)

    monkeypatch.setattr(clock, "awaited", waits)
    done = folder.open().run(threads=2, progress=lambda news: others.set() if news.step == "total" else None)
    assert done.status == "ok"
    assert others.is_set()
    assert {step.id: step.attempts for step in done.steps}["raw.api"] == 2
