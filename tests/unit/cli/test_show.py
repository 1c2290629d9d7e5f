"""What people read after a command."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest
from fake_project import step

from headgate.api import results
from headgate.cli import bench, show, show_adopt
from headgate.cli.screen import Screen
from headgate.core.errors import Finding

PLAIN = Screen()
WARNING = Finding("late-file", "warning", "two\nlines", "raw.orders", "look at it")


def test_a_run_ends_with_the_balance_and_what_waits() -> None:
    orders = step(
        rows_read=300_512,
        rows_loaded=297_001,
        rows_quarantined=3_100,
        rows_deduplicated=411,
        seconds=1.234,
        warnings=(WARNING,),
        reason="31 new files",
    )
    model = results.Step("gold.daily_sales", "model", "skipped", "inputs unchanged")
    assert show.run(results.RunResult("ok", True, (orders, model)), PLAIN) == [
        "step              status      read   loaded  quarantined  deduplicated  skipped  seconds  reason",
        "----------------  -------  -------  -------  -----------  ------------  -------  -------  ----------------",
        "raw.orders        ok       300,512  297,001        3,100           411        0     1.23  31 new files",
        "gold.daily_sales  skipped        0        0            0             0        0     0.00  inputs unchanged",
        "",
        "warning[late-file]: two",
        "  lines",
        "  where: raw.orders",
        "  fix:   look at it",
        "",
        "balanced: 300,512 read = 297,001 loaded + 3,100 quarantined + 411 deduplicated + 0 skipped",
        "3,100 rows wait in quarantine: headgate quarantine list",
    ]


def test_a_refused_load_is_not_in_the_sum() -> None:
    refused = step("raw.stock", status="refused", rows_read=10, rows_quarantined=9)
    fine = step(rows_read=2, rows_loaded=1, rows_skipped=1)
    assert show.run(results.RunResult("refused", True, (refused, fine)), PLAIN)[-2:] == [
        "balanced: 2 read = 1 loaded + 0 quarantined + 0 deduplicated + 1 skipped",
        "what a refused load would not take: headgate quarantine list --status held",
    ]


@pytest.mark.parametrize("balanced", [True, False])
def test_a_sum_that_does_not_add_up_is_never_called_balanced(balanced: bool) -> None:
    lost = step(rows_read=3, rows_loaded=2)
    assert show.run(results.RunResult("ok", balanced, (lost,)), PLAIN)[-1] == (
        "NOT balanced: 3 read but 2 loaded + 0 quarantined + 0 deduplicated + 0 skipped; headgate audit says where"
    )


def test_a_run_without_steps() -> None:
    assert show.run(results.RunResult("ok", True), PLAIN) == [
        "",
        "balanced: 0 read = 0 loaded + 0 quarantined + 0 deduplicated + 0 skipped",
        "no step is selected: widen the selection, or say what to load: headgate init --from FILES",
    ]


def test_a_plan_says_why() -> None:
    steps = (
        results.PlanStep("raw.orders", "load", "run", "2 new files"),
        results.PlanStep("gold.sales", "model", "skip", "inputs unchanged"),
    )
    lines = show.plan(results.PlanResult(steps), PLAIN)
    assert lines[2:] == [
        "raw.orders  load   run    2 new files",
        "gold.sales  model  skip   inputs unchanged",
        "",
        "1 of 2 steps would run: headgate run",
    ]
    assert show.plan(results.PlanResult(steps[1:]), PLAIN)[-1] == "0 of 1 step would run"


def test_a_check_counts_what_it_found() -> None:
    assert show.check(results.CheckResult(True), PLAIN) == ["ok: 0 errors, 0 warnings"]
    error = dataclasses.replace(WARNING, level="error")
    assert show.check(results.CheckResult(False, (error, WARNING)), PLAIN)[-1] == "not ok: 1 error, 1 warning"


def test_an_audit_lists_the_laws() -> None:
    laws = (results.Law("L1", "read = fates", 12, 1),)
    good = show.audit(results.AuditResult(True, (), laws, 1, 12), PLAIN)
    assert good[2:] == ["L1   read = fates       12       1", "", "balanced: every law holds over 1 table, 12 entries"]
    bad = show.audit(results.AuditResult(False, (WARNING,), laws, 1, 12), PLAIN)
    assert bad[-1] == "NOT balanced: 1 finding over 1 table, 12 entries"
    assert "warning[late-file]: two" in bad


RECORD = results.QuarantineRecord(
    "q1",
    "raw.orders",
    (results.Reason("min", "amount", "must be at least 0"), results.Reason("dates", None, "opened before closed")),
    "2026/06.csv",
    {"record": 7, "line": 9},
    "7,-1\x1b[2J",
    {"id": "7", "amount": None},
    "open",
    parent="q0",
)


def test_the_quarantine_lists_every_reason_and_the_total() -> None:
    lines = bench.quarantine(results.QuarantineList(3100, (RECORD,)), PLAIN)
    assert lines[2:] == [
        "q1  raw.orders  2026/06.csv:9  amount: must be at least 0; dates: opened before closed  7,-1\\x1b[2J",
        "1 of 3,100 records (--limit 0 shows all)",
        "whole: headgate quarantine show q1   again through the gate: headgate quarantine replay",
    ]
    assert bench.quarantine(results.QuarantineList(0), PLAIN) == ["0 records"]
    columnar = dataclasses.replace(RECORD, raw=None, position={"record": 7})
    assert "2026/06.csv record 7" in bench.quarantine(results.QuarantineList(1, (columnar,)), PLAIN)[2]
    assert '{"id": "7", "amount": null}' in bench.quarantine(results.QuarantineList(1, (columnar,)), PLAIN)[2]


def test_a_record_is_shown_whole() -> None:
    long = dataclasses.replace(RECORD, raw="x" * 5000)
    lines = bench.quarantine_show(results.QuarantineList(2, (RECORD, long)), Screen(width=40))
    assert lines[:7] == [
        "q1  raw.orders  open  2026/06.csv:9",
        "  refused: amount: must be at least 0 (min)",
        "  refused: dates: opened before closed (dates)",
        "  refused before as q0",
        "  raw: 7,-1\\x1b[2J",
        "    id = 7",
        "    amount = NULL",
    ]
    assert "  raw: " + "x" * 5000 in lines
    assert bench.quarantine_show(results.QuarantineList(0), PLAIN) == []


def test_a_replay_says_what_became_of_the_records() -> None:
    assert show.replay(results.ReplayResult(120, 100, 20), PLAIN) == [
        "replayed: 120 read = 100 loaded + 20 quarantined + 0 deduplicated + 0 skipped",
        "20 rows wait again: headgate quarantine list",
    ]


def test_the_ledger_says_its_total() -> None:
    entry = results.LedgerEntry("e1", "2026-06-01", "raw.orders", "06.csv", 1, 2, "load", 1000, 1000, version=3)
    lines = show.ledger(results.LedgerResult(2, (entry,)), PLAIN)
    assert " ".join(lines[2].split()) == "2026-06-01 raw.orders load 06.csv v3 1 2 1,000 1,000 0 0 0"
    assert lines[3] == "1 of 2 entries (--limit 0 shows all)"


def test_an_adjustment_says_who_and_why() -> None:
    answer = results.AdjustResult("raw.orders", "tests deleted", "anna", "e1", 10, 8, 0, 2)
    assert show.adjust(answer, PLAIN) == [
        "adjusted raw.orders: 10 -> 8 rows (0 added, 2 removed), by anna: tests deleted"
    ]


def test_a_query_shows_values_as_they_are() -> None:
    columns = [("n", "BIGINT"), ("d", "DECIMAL(5,2)"), ("i", "INTERVAL"), ("s", "VARCHAR"), ("l", "INTEGER[]")]
    answer = results.QueryResult.of(
        columns, [(1, "1.50", "1 days 00:00:00", "a\tb", [1, None]), (None, None, None, "", [])]
    )
    assert show.query(answer, PLAIN) == [
        "   n     d  i                s     l",
        "----  ----  ---------------  ----  ---------",
        "   1  1.50  1 days 00:00:00  a\\tb  [1, null]",
        "NULL  NULL  NULL                   []",
        "2 rows",
    ]
    assert show.query(results.QueryResult.of([("n", "BIGINT")], [(1,)], total=9), PLAIN)[-1].startswith("1 of 9 rows")


def test_a_history_has_a_line_per_change() -> None:
    change = results.SchemaChange(
        "2026-06-01", "raw.orders", "2", "evolve", ("added n VARCHAR", "x: A to B"), "ab", "anna", version=2
    )
    shown = show.schema_history(results.SchemaHistory(2, (change,)), PLAIN)
    assert "  v2 ab" in shown[2]
    assert shown[2].split("  ")[-1].strip() == "added n VARCHAR; x: A to B"
    assert shown[-1].startswith("1 of 2 changes")


def test_a_plan_shows_the_statements_of_a_change() -> None:
    step = results.PlanStep("raw.orders", "load", "run", "added n VARCHAR", ('ALTER TABLE "raw"."orders" ...',))
    shown = show.plan(results.PlanResult((step,)), PLAIN)
    assert shown[3:6] == ["", "raw.orders would change:", '  ALTER TABLE "raw"."orders" ...;']


def test_an_adopted_table_says_what_became_of_its_rows_and_what_comes_next() -> None:
    change = "ALTER TABLE raw.a ALTER x TYPE BIGINT"
    answer = results.AdoptResult(
        "raw.a", "anna", "1", False, 1000, 998, 2, {"x.min": 2}, ("x: INTEGER to BIGINT",), (change,), 1, 5, 2
    )
    told = [
        "adopted raw.a: 1,000 rows = 998 adopted + 2 quarantined, by anna",
        "  x.min: 2 rows",
        "  x: INTEGER to BIGINT",
        "1 partition of its source counts as read: 5 records",
        "2 partitions of its source wait for the next run: headgate run raw.a",
        "2 rows wait in quarantine: headgate quarantine list",
    ]
    assert show_adopt.adopt(answer, PLAIN) == told
    trial = show_adopt.adopt(replace(answer, dry_run=True), PLAIN)
    assert trial == ["would " + told[0].replace("adopted", "adopt", 1), *told[1:3], f"    {change};", *told[3:5]]


def test_a_restored_table_says_what_comes_next() -> None:
    answer = results.RestoreResult("raw.a", "anna", "3", 1_000, 2, "2026-06-01", "raw.a__hg_kept", "back")
    assert show.restore(answer, PLAIN) == [
        "restored raw.a as it was before 2026-06-01: 1,000 -> 2 rows, by anna",
        "the next run goes on where the restored rows end; what stood until now is kept as raw.a__hg_kept: "
        "the same command undoes this",
    ]
