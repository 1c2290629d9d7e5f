"""Answers survive a JSON round trip, and every key is documented."""

from __future__ import annotations

import dataclasses
import json
import re
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.api import results
from headgate.api.wire import cell
from headgate.core.errors import Finding

FINDING = Finding("some-code", "warning", "what", "where", "fix", {"n": 1, "list": [1, None]})
STEP = results.Step("raw.orders", "load", "ok", "3 new files", 10, 6, 2, 1, 1, (FINDING,), 0.25)
RECORD = results.QuarantineRecord(
    "q1",
    "raw.orders",
    (results.Reason("min", "amount", "must be at least 0"), results.Reason("closed_has_date", None, "closed_has_date")),
    "2026/06.csv",
    {"record": 7, "line": 9},
    "7,-1",
    {"id": "7", "amount": None},
    "open",
    "2026-06-01T00:00:00+00:00",
    "q0",
)
ENTRY = results.LedgerEntry(
    "e1", "2026-06-01T00:00:00+00:00", "raw.orders", "06.csv", 1, 2, "load", 10, 6, 2, 1, 1, 6, 0, None, {"record": 10}
)
TABLE = results.InitTable(
    "raw.a",
    "ingest/a.yml",
    "a.csv",
    1,
    9,
    1,
    3,
    ("id",),
    "append",
    ("x -> raw.b.id",),
    2,
    ("UTF-8",),
    ("n: int but for 1",),
)
CHANGE = results.SchemaChange(
    "2026-06-01T00:00:00+00:00", "raw.orders", "2", "evolve", ("added n VARCHAR",), "ab12", "anna",
    (results.ResultColumn("n", "VARCHAR"),),
)  # fmt: skip
ANSWERS = [
    results.RunResult("ok", True, (STEP,), (FINDING,)),
    results.PlanResult((results.PlanStep("raw.orders", "load", "run", "1 new file", ("ALTER TABLE t",)),)),
    results.SchemaHistory(3, (CHANGE,)),
    results.AdoptResult(
        "raw.orders", "anna", "1", False, 3, 2, 1, {"id.key": 1}, ("x",), ("ALTER",), 1, 2, 0, (FINDING,)
    ),
    results.RestoreResult("raw.orders", "anna", "3", 1, 2, "2026-06-01", "raw.orders__hg_kept", "seen"),
    results.CheckResult(False, (FINDING,)),
    results.AuditResult(True, (FINDING,), (results.Law("L1", "read = fates", 3, 0),), 2, 3),
    results.LedgerResult(3, (ENTRY,)),
    results.QuarantineList(2, (RECORD, dataclasses.replace(RECORD, raw=None, parent=None))),
    results.ReplayResult(3, 1, 1, 1, 0, 2, (FINDING,)),
    results.QuarantineList(
        1, (dataclasses.replace(RECORD, revisions=(results.Revision(1, "ada", "2026", "why", None, {"id": "7"}),)),)
    ),
    results.QuarantineSample(9, (results.ReasonGroup("raw.orders", "min", "amount", "at least 0", 9, (RECORD,)),)),
    results.ExportResult("x.csv", "csv", 2, ("_hg_id", "id"), True),
    results.FixResult(
        True,
        3,
        1,
        1,
        (results.RecordChange("q1", "raw.orders", 0, {"id": ["7", None]}, ("7,-1", None)),),
        results.ReplayResult(1),
    ),
    results.PurgeResult(2, 1, "why", "ada", (results.PurgeReceipt("raw.orders", "e3", 2, 1, "abc"),)),
    results.AdjustResult("raw.orders", "tests deleted", "anna", "e2", 10, 8, 0, 2),
    results.ContractText("raw.orders", "short", "columns:\n", (FINDING,)),
    results.ContractDiff("a", "b", "full", False, (results.ContractChange("what", None, "full", "ALTER TABLE t"),)),
    results.InitResult(True, "/p", (TABLE,), ("ingest/a.yml",), (results.LeftAlone("b.csv", "why"),), (FINDING,)),
    results.QueryResult.of([("n", "DECIMAL(5,2)"), ("s", "VARCHAR")], [(Decimal("1.50"), None)], total=9),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: type(answer).__name__)
def test_an_answer_survives_a_json_round_trip(answer: results.Answer) -> None:
    wire = json.dumps(answer.to_json(), allow_nan=False)
    assert type(answer).from_json(json.loads(wire)) == answer


def test_unknown_keys_of_a_newer_sender_are_ignored() -> None:
    assert results.CheckResult.from_json({"ok": True, "findings": [], "later": 1}) == results.CheckResult(True)


def test_the_keys_that_programs_rely_on() -> None:
    run = ANSWERS[0].to_json()
    assert list(run) == ["status", "balanced", "steps", "findings", "run", "notes"]
    assert list(run["steps"][0]) == [
        "id",
        "kind",
        "status",
        "reason",
        "rows_read",
        "rows_loaded",
        "rows_quarantined",
        "rows_deduplicated",
        "rows_skipped",
        "warnings",
        "seconds",
        "attempts",
        "stale",
        "optional",
        "children",
        "passed",
        "result",
    ]
    assert run["steps"][0]["warnings"] == [FINDING.to_json()]
    assert {"id", "table", "reasons", "source", "position", "raw", "row", "status"} <= RECORD.to_json().keys()
    assert RECORD.to_json()["reasons"][1] == {"rule": "closed_has_date", "column": None, "message": "closed_has_date"}
    assert {"columns": [{"name": "n", "type": "DECIMAL(5,2)"}, {"name": "s", "type": "VARCHAR"}]}.items() <= (
        ANSWERS[-1].to_json().items()
    )


def test_every_key_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "json.md").read_text()
    sections = dict(re.findall(r"^## .*?`(\w+)`\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    kinds = [kind for name in results.__all__ if dataclasses.is_dataclass(kind := getattr(results, name))]
    answers = [kind for kind in kinds if issubclass(kind, results.Answer) and kind is not results.Answer]
    for kind in [*answers, Finding]:
        documented = re.findall(r"^\| `(\w+)` \|", sections.get(kind.__name__, ""), re.M)
        assert documented == [item.name for item in dataclasses.fields(kind)], kind.__name__


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (2**127 - 1, 2**127 - 1),
        (0.1, 0.1),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0E-10"), "0.0000000000"),
        (Decimal("-12.340"), "-12.340"),
        (date(2026, 6, 1), "2026-06-01"),
        (time(1, 2, 3, 4), "01:02:03.000004"),
        (datetime(2026, 6, 1, 2, 3, 4), "2026-06-01T02:03:04"),
        (datetime(2026, 6, 1, tzinfo=UTC), "2026-06-01T00:00:00+00:00"),
        (timedelta(days=3, hours=4, microseconds=7), "3 days 04:00:00.000007"),
        (timedelta(hours=-1), "-01:00:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\x00\xff", "\\x00ff"),
        ([Decimal("1.0"), None, {"a": b"\x01"}], ["1.0", None, {"a": "\\x01"}]),
        ({date(2026, 1, 1): 1, 2: 2}, {"2026-01-01": 1, "2": 2}),
    ],
)
def test_a_value_as_json(value: Any, expected: Any) -> None:
    assert cell(value) == expected
    assert type(cell(value)) is type(expected)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_keeps_every_digit(value: Decimal) -> None:
    assert Decimal(cell(value)) == value
    assert "E" not in cell(value)


@given(st.timedeltas())
def test_an_interval_reads_back(value: timedelta) -> None:
    match = re.fullmatch(r"(-?)(?:(\d+) days )?(\d\d):(\d\d):(\d\d)(?:\.(\d{6}))?", cell(value))
    assert match
    days, hours, minutes, seconds, micros = (int(part or 0) for part in match.groups()[1:])
    size = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=micros)
    assert (-size if match[1] else size) == value


def test_a_query_says_how_many_rows_there_were() -> None:
    assert results.QueryResult.of([("a", "BIGINT")], [(1,), (2,)]).total == 2
    assert results.QueryResult.of([("a", "BIGINT")], [(1,)], total=5).to_json()["total"] == 5
