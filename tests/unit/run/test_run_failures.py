"""What a failure does to the rest of a run: retries, optional steps, the first that fails, time that is up."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core import clock
from headgate.core.errors import AdapterError, Finding
from headgate.project.model import Retries
from headgate.run import build as building
from headgate.run.retry import told_to_pass, waits

ONE = "table: raw.{0}\nfrom: data/{0}/*.csv\n{1}columns:\n  id: int, key\n"
NO_END = """{{ config(materialized='table') }}
select sum(a.range * b.range) as n from range(9000000) as a, range(9000000) as b"""
COUNTS = "import itertools\n\n\ndef orders():\n    for at in itertools.count():\n        yield {'id': at}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder.make(
        tmp_path,
        {
            "ingest/rates.yml": ONE.format("rates", "optional: true\n"),
            "ingest/orders.yml": ONE.format("orders", ""),
            "models/gold/valued.sql": "{{ config(materialized='table') }} "
            "select count(*) as n, (select count(*) from {{ ref('raw.rates') }}) as r from {{ ref('raw.orders') }}",
            "models/gold/shown.sql": "select n + r as s from {{ ref('valued') }}",
            "data/orders/1.csv": "id\n1\n2\n",
            "data/rates/1.csv": "id\n7\n",
        },
    )


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(clock, "pause", found.append)
    return found


@pytest.mark.parametrize(
    ("retries", "expected"),
    [
        (Retries(), []),
        (Retries(3), [1, 2]),
        (Retries(5, 0.5, 3, 10), [0.5, 1.5, 4.5, 10]),
        (Retries(4, 100, 2, 60), [60, 60, 60]),
        (Retries(3, 2, 1), [2, 2]),
    ],
)
def test_waits_grow_to_a_limit(retries: Retries, expected: list[float]) -> None:
    assert list(waits(retries)) == expected


def test_jitter_moves_waits_by_its_share_at_most() -> None:
    drawn = list(islice(waits(Retries(100, 10, 1, 60, 0.2)), 99))
    assert all(8 <= wait <= 12 for wait in drawn)
    assert len(set(drawn)) > 50


def test_a_step_passes_only_if_all_that_it_says_may() -> None:
    lost = Finding("warehouse-unreachable", "error", "gone")
    wrong = Finding("model-sql", "error", "wrong")
    told = Finding("rule-warning", "warning", "see")
    assert [told_to_pass(found) for found in ([lost], [lost, told], [lost, wrong], [told], [])] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_a_connection_that_is_lost_in_a_model_is_tried_again(
    folder: Folder, waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, calls = building.build_model, []

    def broken(*given: object) -> object:
        calls.append(given)
        if len(calls) < 3:
            raise AdapterError.of("warehouse-unreachable", "the warehouse does not answer")
        return before(*given)  # type: ignore[arg-type]

    folder.write("headgate.yml", "project: p\nwarehouse: duckdb:w.duckdb\nretries: {attempts: 4, wait: 250ms}\n")
    folder.write("models/models.yml", "models: [{name: shown, config: {retries: 1}}]\n")
    monkeypatch.setattr(building, "build_model", broken)
    assert {step.id: step.attempts for step in folder.run().steps} == {
        "raw.rates": 1, "raw.orders": 1, "valued": 3, "shown": 1,
    }  # fmt: skip
    assert waited == [0.25, 0.5]


def test_what_needs_an_optional_step_goes_on_with_its_former_rows(folder: Folder) -> None:
    assert folder.run().status == "ok"
    folder.write("data/orders/2.csv", "id\n3\n")
    folder.write("data/rates/2.csv", "nr\n8\n")
    done = folder.run()
    steps = {step.id: step for step in done.steps}
    assert (done.status, done.findings) == ("ok", ())
    assert {name: step.status for name, step in steps.items()} == {
        "raw.rates": "refused", "raw.orders": "ok", "valued": "ok", "shown": "ok",
    }  # fmt: skip
    assert {name: step.stale for name, step in steps.items()} == {
        "raw.rates": (), "raw.orders": (), "valued": ("raw.rates",), "shown": ("raw.rates",),
    }  # fmt: skip
    assert [one.code for one in steps["raw.rates"].warnings] == ["unknown-column"]
    assert [step.optional for step in done.steps] == [step.id == "raw.rates" for step in done.steps]
    assert folder.rows("SELECT n, r FROM gold.valued") == [(3, 1)]
    assert folder.open().ledger("gold.valued").entries[0].detail["stale"] == ["raw.rates"]
    assert {step.id: step.stale for step in folder.open().plan().steps}["valued"] == ("raw.rates",)
    folder.write("data/rates/2.csv", "id\n8\n")
    steps = {step.id: step for step in folder.run().steps}
    assert (steps["valued"].status, steps["valued"].stale) == ("ok", ())
    assert "stale" not in folder.open().ledger("gold.valued").entries[0].detail
    assert {step.id: step.stale for step in folder.open().plan().steps}["valued"] == ()
    assert folder.codes() == []


def test_an_optional_step_that_never_was_loaded_still_blocks(folder: Folder) -> None:
    folder.write("data/rates/1.csv", "nr\n7\n")
    done = folder.run()
    assert done.status == "failed"
    assert {step.id: step.status for step in done.steps} == {
        "raw.rates": "refused", "raw.orders": "ok", "valued": "blocked", "shown": "blocked",
    }  # fmt: skip
    assert [one.code for one in done.findings] == ["input-missing"]


def test_an_optional_model_that_is_blocked_holds_nobody_up(folder: Folder) -> None:
    folder.write("models/models.yml", "models: [{name: valued, config: {optional: true}}]\n")
    folder.run()
    folder.write("data/orders/2.csv", "nr\n3\n")
    done = folder.run()
    assert {step.id: (step.status, step.stale) for step in done.steps} == {
        "raw.rates": ("skipped", ()), "raw.orders": ("refused", ()),
        "valued": ("blocked", ()), "shown": ("skipped", ("valued",)),
    }  # fmt: skip
    assert done.status == "refused"  # because of raw.orders


def test_fail_fast_begins_nothing_after_the_first_that_fails(folder: Folder) -> None:
    folder.write("data/orders/1.csv", "nr\n1\n")
    folder.write("data/rates/1.csv", "nr\n1\n")
    assert {step.id: step.status for step in folder.run().steps}["raw.rates"] == "refused"
    done = folder.open().run(fail_fast=True)
    assert {step.id: step.status for step in done.steps} == {
        "raw.orders": "refused", "raw.rates": "blocked", "valued": "blocked", "shown": "blocked",
    }  # fmt: skip
    assert "--fail-fast" in done.steps[1].reason
    folder.write("data/orders/1.csv", "id\n1\n")
    done = folder.open().run(fail_fast=True)  # one that is optional ends nothing
    assert [step.status for step in done.steps] == ["ok", "refused", "blocked", "blocked"]


def test_a_model_that_takes_too_long_is_ended(folder: Folder) -> None:
    folder.run()
    folder.write("models/gold/valued.sql", NO_END)
    folder.write("models/models.yml", "models: [{name: valued, config: {timeout: 100ms, retries: 3}}]\n")
    done = folder.run()
    valued = {step.id: step for step in done.steps}["valued"]
    assert (done.status, valued.status, valued.attempts) == ("failed", "failed", 1)
    assert done.findings[0].code == "step-timeout"
    assert "valued took longer than its timeout of 0.1s" in done.findings[0].what
    assert folder.rows("SELECT n, r FROM gold.valued") == [(2, 1)]
    assert folder.codes() == []


def test_a_source_without_end_is_ended(folder: Folder) -> None:
    folder.write("ingest/orders.yml", "table: raw.orders\nfrom: {python: o.py:orders, replay: stable}\n"
                 "timeout: 300ms\ncolumns:\n  id: int, key\n")  # fmt: skip
    folder.write(
        "o.py", "import itertools\n\n\ndef orders():\n    for at in itertools.count():\n        yield {'id': at}\n"
    )
    done = folder.open().run(["raw.orders"])
    assert [one.code for one in done.findings] == ["step-timeout"]
    assert (done.steps[0].attempts, done.steps[0].status) == (1, "failed")
    assert done.steps[0].rows_loaded == folder.rows("SELECT count(*) FROM raw.orders")[0][0]
    assert folder.codes() == []


def test_a_timeout_that_is_not_needed_changes_nothing(folder: Folder) -> None:
    folder.write("headgate.yml", "project: p\nwarehouse: duckdb:w.duckdb\ntimeout: 1h\n")
    assert folder.run().status == "ok"
    assert folder.codes() == []
