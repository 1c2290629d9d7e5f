"""How far a run is, as it is told while it runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.project_kit import Folder

from headgate.api.pacing import Pacing
from headgate.api.results import Progress
from headgate.core import clock

FILES = {
    "ingest/orders.yml": "table: raw.orders\nfrom: data/*.csv\ncolumns:\n  id: int, key\n",
    "data/1.csv": "id\n1\n2\n",
    "data/2.csv": "id\n3\n",
    "models/daily.sql": "select count(*) as n from {{ ref('raw.orders') }}",
    "models/late.sql": "select nope from {{ ref('daily') }}",
    "models/later.sql": "select * from {{ ref('late') }}",
}


def test_bytes_rows_and_steps_are_told_up_to_their_totals(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, FILES)
    heard: list[Progress] = []
    log: list[dict[str, Any]] = []
    folder.open().run(progress=heard.append, log=lambda event: log.append(dict(event)))
    loads = [one for one in heard if one.step == "raw.orders"]
    assert [(one.bytes, one.bytes_total) for one in loads if one.bytes_total] == [(0, 12), (7, 12), (12, 12), (12, 12)]
    assert loads[-2].rows == 3
    assert [one.phase for one in loads] == ["reading", "loading", "loading", "writing", "writing", "ended"]
    # The third model fails while it is built, the fourth is not begun at all: both have ended.
    assert [(one.ended, one.steps) for one in heard if one.phase == "ended"] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {one.steps for one in heard} == {4}
    begun = [event["step"] for event in log if event["event"] == "step.begun"]
    assert begun == ["raw.orders", "daily", "late"]


def test_what_was_read_before_is_not_counted_again(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, FILES)
    folder.run("raw.orders")
    folder.write("data/3.csv", "id\n10\n11\n")
    heard: list[Progress] = []
    folder.open().run(["raw.orders"], progress=heard.append)
    assert {(one.bytes_total, one.steps) for one in heard if one.bytes_total} == {(9, 1)}
    heard.clear()
    folder.open().run(["raw.orders"], progress=heard.append)
    assert [one.phase for one in heard] == ["reading", "ended"]


def test_several_threads_tell_of_all_steps(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, FILES)
    heard: list[Progress] = []
    folder.open().run(["raw.orders", "daily"], progress=heard.append, threads=2)
    assert [one.ended for one in heard if one.phase == "ended"] == [1, 2]
    assert max(one.bytes for one in heard) == 12


def test_what_was_read_stays_when_less_is_committed() -> None:
    heard: list[Progress] = []
    pacing = Pacing(heard.append, 1)
    pacing.phase("a", 0, "reading")
    pacing.read("a", 100, 10, 20)
    pacing.phase("a", 60, "loading")
    assert heard[-1] == Progress("a", 100, "loading", 10, 20, 0, 1)
    pacing.ended("a")
    pacing.ended("a")
    assert [one.ended for one in heard].count(1) == 1


def test_another_try_is_an_event_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "pause", lambda secs: None)
    folder = Folder.make(tmp_path, {"fetch.py": FETCH, "ingest/a.yml": RETRIED})
    log: list[dict[str, Any]] = []
    folder.open().run(log=lambda event: log.append(json.loads(json.dumps(event))))
    events = [(event["event"], event["level"]) for event in log if event.get("step")]
    assert events == [("step.begun", "info"), ("step.retry", "warning"), ("step.ended", "info")]
    assert [event["attempt"] for event in log if event["event"] == "step.retry"] == [2]


FETCH = """
from pathlib import Path
from headgate import TransientError

def fetch():
    seen = Path(__file__).with_name("seen")
    if not seen.exists():
        seen.write_text("x")
        raise TransientError("busy")
    yield [{"id": 1}]
"""
RETRIED = (
    "table: raw.a\nfrom: {python: fetch.py:fetch, replay: moving}\nload: replace\n"
    "retries: {attempts: 2, wait: 1s}\ncolumns:\n  id: int, key\n"
)
