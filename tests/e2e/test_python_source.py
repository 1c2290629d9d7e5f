"""A user's function as a source, through `headgate run`: what it yields, where it stops, how it goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from typing import Any

import pytest
from tests.forks.client import run

from conftest import PATIENCE_SECS, Lab

COLUMNS = """\
columns:
  id: int, key
  amount: decimal(10,2), min(0)
  note: text
"""


def project(lab: Lab, code: str, from_: str = "{python: sources/x.py:orders}", more: str = "") -> Lab:
    lab.write({"ingest/orders.yml": f"table: raw.orders\nfrom: {from_}\n{more}{COLUMNS}"})
    return source(lab, code)


def source(lab: Lab, code: str) -> Lab:
    lab.write({"sources/x.py": textwrap.dedent(code)})
    return lab


def counts(step: dict[str, Any]) -> tuple[int, ...]:
    return tuple(step[f"rows_{name}"] for name in ("read", "loaded", "quarantined"))


def reasons(lab: Lab) -> list[tuple[str, str | None]]:
    listed = lab.ok("quarantine", "list")["records"]
    return [(reason["rule"], reason["column"]) for one in listed for reason in one["reasons"]]


PAGES = """
    import decimal
    import duckdb
    import pyarrow as pa

    def orders(position):
        print("asked from", position)
        start = position or 1
        for page in range(start, 4):
            yield rows(page), page + 1

    def rows(page):
        if page == 1:
            return [{"id": 1, "amount": decimal.Decimal("1.50")}, {"id": "x"}, {"id": 2, "amount": -1, "note": "n"}]
        if page == 2:
            return pa.table({"id": [3, 3], "amount": [1.25, 2.0], "note": ["a", "b"]})
        return duckdb.sql("SELECT 4 AS id, 1.999 AS amount, NULL AS note UNION ALL SELECT 5, 2.00, 'z'")
"""


def test_rows_of_every_kind_are_judged_and_read_once(lab: Lab) -> None:
    project(lab, PAGES)
    assert lab.ok("check")["findings"] == []
    assert lab.ok("plan")["steps"][0]["reason"] == "1 new partition"
    assert counts(lab.step()) == (7, 3, 4)
    assert lab.rows("SELECT id, amount, note FROM raw.orders ORDER BY id") == [
        [1, "1.50", None], [3, "1.25", "a"], [5, "2.00", "z"],
    ]  # fmt: skip
    assert sorted(reasons(lab), key=str) == [
        ("key", "id"), ("min", "amount"), ("type", "amount"), ("type", "id"),
    ]  # fmt: skip
    again = lab.step()
    assert (again["status"], again["reason"]) == ("skipped", "nothing new")
    assert lab.ok("ledger")["total"] == 1
    source(lab, PAGES.replace("range(start, 4)", "range(start, 5)").replace("SELECT 4", "SELECT 6 + 0 * 7"))
    assert counts(lab.step()) == (2, 0, 2)
    assert lab.ok("audit")["balanced"] is True


def test_quarantined_records_can_be_replayed(lab: Lab) -> None:
    project(lab, PAGES)
    lab.step()
    lab.edit("ingest/orders.yml", ", min(0)", "")
    assert lab.ok("quarantine", "replay", "--all")["rows_loaded"] == 1
    assert lab.rows("SELECT note FROM raw.orders WHERE id = 2") == [["n"]]
    assert lab.ok("audit")["balanced"] is True


RAISING = """
    def parse(line):
        return {"id": int(line), "amount": "1"}

    def orders():
        return map(parse, ["1", "two", "3"]), "end"
"""


def test_a_record_that_can_not_be_parsed_is_quarantined_alone(lab: Lab) -> None:
    project(lab, RAISING)
    assert counts(lab.step()) == (3, 2, 1)
    (record,) = lab.ok("quarantine", "list")["records"]
    assert (record["row"], record["raw"], record["position"]["record"]) == (None, None, 2)
    assert record["reasons"] == [
        {"rule": "record", "column": None, "message": "ValueError: invalid literal for int() with base 10: 'two'"}
    ]
    assert counts({**lab.ok("quarantine", "replay", "--all")}) == (1, 0, 1)
    assert lab.ok("audit")["balanced"] is True


DYING = """
    def orders(position):
        for number in range(position or 0, 40):
            if number == 25:
                raise RuntimeError("the secret 4711")
            yield {"id": number, "amount": number}, number + 1
"""
SMALL = "import sys; from headgate.adapters.python import reader; reader.SLICE_ROWS = 10; "
MAIN = "from headgate.cli.main import main; sys.exit(main(['run', '--json']))"
KILLED = """
import os, signal
from headgate.core import faults
seen = []
def kill(point):
    seen.append(point)
    if seen.count("{point}") == 2 and point == "{point}":
        os.kill(os.getpid(), signal.SIGKILL)
faults.install(kill)
"""


def run_small(lab: Lab, before: str = "") -> subprocess.CompletedProcess[str]:
    """A run that commits every ten rows."""
    return run(
        [sys.executable, "-c", SMALL + before + "\n" + MAIN],
        cwd=lab.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_SECS,
    )  # fmt: skip


@pytest.mark.parametrize("replay", ["stable", "moving"])
def test_a_generator_that_dies_keeps_what_was_committed_and_goes_on_when_mended(lab: Lab, replay: str) -> None:
    project(lab, DYING, f"{{python: sources/x.py:orders, replay: {replay}}}")
    died = run_small(lab)
    assert died.returncode == 1, died.stdout + died.stderr
    assert '"source-raised"' in died.stdout
    assert "sources/x.py:5" in died.stdout
    assert "4711" not in died.stdout + died.stderr
    assert lab.rows("SELECT count(*) FROM raw.orders") == [[25]]
    source(lab, DYING.replace("number == 25", "False"))
    assert counts(lab.step()) == (15, 15, 0)
    assert lab.rows("SELECT count(*), sum(id) FROM raw.orders") == [[40, 780]]
    assert lab.step()["status"] == "skipped"
    assert lab.ok("audit")["balanced"] is True


NO_POSITIONS = """
    import pyarrow as pa

    def orders():
        for start in range(0, 42, 6):
            yield pa.table({"id": range(start, start + 6), "amount": [1.5] * 6, "note": [None] * 6})
"""


@pytest.mark.parametrize("point", ["before_write", "after_write", "after_commit"])
def test_a_stable_source_goes_on_after_a_kill(lab: Lab, point: str) -> None:
    project(lab, NO_POSITIONS, "{python: sources/x.py:orders, replay: stable}")
    killed = run_small(lab, KILLED.format(point=point))
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    kept = 20 if point == "after_commit" else 10
    assert lab.rows("SELECT count(*) FROM raw.orders") == [[kept]]
    assert counts(lab.step()) == (42 - kept, 42 - kept, 0)
    assert lab.rows("SELECT count(*), sum(id) FROM raw.orders") == [[42, 861]]
    assert lab.step()["reason"] == "nothing new"
    assert lab.ok("audit")["balanced"] is True


def test_a_moving_source_without_positions_is_not_appended(lab: Lab) -> None:
    project(lab, NO_POSITIONS)
    found = lab.fails(1, "run")
    assert (found["code"], found["where"]) == ("no-position", "ingest/orders.yml:2:8")
    assert "42 records" in found["what"]
    assert lab.ok("ledger")["total"] == 0
    lab.write(
        {"ingest/orders.yml": f"table: raw.orders\nfrom: {{python: sources/x.py:orders}}\nload: upsert\n{COLUMNS}"}
    )
    assert [counts(lab.step()) for _ in range(2)] == [(42, 42, 0)] * 2
    assert lab.rows("SELECT count(*) FROM raw.orders") == [[42]]


def test_replace_reads_anew_each_run_and_a_limit_judges_the_whole(lab: Lab) -> None:
    code = """
        def orders():
            for number in range({count}):
                yield {{"id": number, "amount": number - {bad}}}
    """
    project(lab, code.format(count=30, bad=0), more="load: replace\nrefuse_at_most: 2\n")
    assert counts(lab.step()) == (30, 30, 0)
    source(lab, code.format(count=20, bad=2))
    assert counts(lab.step()) == (20, 18, 2)
    source(lab, code.format(count=25, bad=3))
    assert lab.fails(1, "run")["code"] == "refuse-limit"
    assert lab.rows("SELECT count(*) FROM raw.orders") == [[18]]
    assert len(lab.ok("quarantine", "list", "--status", "held")["records"]) == 3
    source(lab, code.format(count=0, bad=0))
    assert lab.fails(1, "run")["code"] == "empty-replace"
    assert lab.ok("audit")["balanced"] is True


SPOOLED = "from headgate.adapters.python import reader as r; r.MEMORY_BYTES = 1"


def test_a_limit_over_a_load_that_went_to_files(lab: Lab) -> None:
    project(lab, NO_POSITIONS.replace("1.5", "-1.5"), more="load: replace\nrefuse_at_most: 50%\n")
    assert '"refuse-limit"' in run_small(lab, SPOOLED).stdout
    source(lab, NO_POSITIONS.replace("[1.5] * 6", "[1.5, 1, 2, -1, -1, 3]"))
    assert run_small(lab, SPOOLED).returncode == 0
    assert lab.rows("SELECT count(*), sum(id) FROM raw.orders") == [[28, 560]]
    assert {tuple(one) for one in reasons(lab)} == {("min", "amount")}
    assert list((lab.root / ".headgate" / "tmp").iterdir()) == []


DAYS = """
    DAYS = {days!r}

    def days():
        return {{day: version for day, (version, _) in DAYS.items()}}

    def orders(partition):
        yield from ({{"id": n, "amount": 1, "note": partition}} for n in DAYS[partition][1])
"""
LONG = """
  python:
    function: sources/x.py:orders
    partitions: sources/x.py:days
    on_change: reload
"""


def test_partitions_are_read_once_and_again_when_they_change(lab: Lab) -> None:
    project(lab, DAYS.format(days={"mon": (1, [1, 2]), "tue": (1, [3])}), LONG)
    assert counts(lab.step()) == (3, 3, 0)
    assert lab.step()["reason"] == "nothing new"
    source(lab, DAYS.format(days={"mon": (2, [1, 7]), "tue": (1, [3]), "wed": ("a", [])}))
    step = lab.step()
    assert (counts(step), step["reason"]) == ((2, 2, 0), "1 changed partition, 1 new partition")
    assert lab.rows("SELECT id, note FROM raw.orders ORDER BY id") == [[1, "mon"], [3, "tue"], [7, "mon"]]
    lab.edit("ingest/orders.yml", "    on_change: reload\n", "")
    source(lab, DAYS.format(days={"mon": (3, [1])}))
    assert lab.fails(1, "run")["code"] == "file-changed-since"
    assert lab.ok("audit")["balanced"] is True


def test_the_same_value_has_the_same_verdict_as_text_and_as_arrow(lab: Lab) -> None:
    code = """
        import pyarrow as pa

        def orders():
            rows = [{"id": n, "x": x} for n, x in enumerate([1.0, float("nan"), 7.0, float("inf"), None])]
            return ([*rows, pa.Table.from_pylist([{**row, "id": row["id"] + 5} for row in rows])]), 1
    """
    lab.write(
        {"ingest/a.yml": "table: raw.a\nfrom: {python: sources/x.py:orders}\ncolumns: {id: int, x: 'double, min(5)'}\n"}
    )
    assert counts(source(lab, code).step()) == (10, 6, 4)
    assert lab.rows("SELECT id FROM raw.a ORDER BY id") == [[n] for n in (2, 3, 4, 7, 8, 9)]
    assert reasons(lab) == [("min", "x")] * 4


def test_keys_that_are_missing_are_null_and_unknown_ones_stop_the_load(lab: Lab) -> None:
    project(lab, "def orders(): return [{'ID': 1}, {'id': 2}], 1")
    assert counts(lab.step()) == (2, 2, 0)
    source(lab, "def orders(): return [{'id': 3, 'amuont': 2}], 2")
    found = lab.fails(1, "run")
    assert (found["code"], "did you mean 'amount'" in found["what"]) == ("unknown-column", True)
    lab.edit("ingest/orders.yml", "columns:", "extra: ignore\ncolumns:")
    assert counts(lab.step()) == (1, 1, 0)
    source(lab, "import pyarrow as pa\ndef orders(): return pa.table({'id': [4]}), 3")
    assert lab.fails(1, "run")["code"] == "missing-column"


@pytest.mark.parametrize("replay", ["stable", "moving"])
def test_types_are_taken_from_rows_that_are_asked_for_once(lab: Lab, replay: str) -> None:
    lab.write({"ingest/a.yml": f"table: raw.a\nfrom: {{python: sources/x.py:rows, replay: {replay}}}\n"})
    code = """
        import pathlib
        CALLS = pathlib.Path(__file__).with_name("calls")

        def rows(position):
            CALLS.open("a").write("x")
            yield [{"id": 1}, {"id": 2, "day": "2024-01-02"}], 1
    """
    source(lab, code)
    assert counts(lab.step()) == (2, 2, 0)
    assert lab.rows("SELECT id, day FROM raw.a ORDER BY id") == [[1, None], [2, "2024-01-02"]]
    assert (lab.root / "sources" / "calls").read_text() == ("x" if replay == "moving" else "xx")
    source(lab, "def rows(position): return [{'id': 3}], 2")
    assert counts(lab.step()) == (1, 1, 0)
    assert lab.rows("SELECT typeof(day) FROM raw.a LIMIT 1") == [["DATE"]]


def test_a_function_that_never_gave_a_row_has_no_types(lab: Lab) -> None:
    lab.write({"ingest/a.yml": "table: raw.a\nfrom: {python: sources/x.py:rows}\n"})
    source(lab, "def rows(): return []")
    assert lab.fails(1, "run")["code"] == "no-types"


def test_a_table_goes_on_where_the_file_of_another_is_broken(orders: Lab) -> None:
    orders.write({"ingest/a.yml": "table: raw.a\nfrom: {python: sources/x.py:rows}\ncolumns: {id: int}\n"})
    source(orders, "def rows(:")
    ran = orders.headgate("run", "--json")
    steps = {step["id"]: step["status"] for step in ran.json()["steps"]}
    assert steps == {"raw.a": "failed", "raw.orders": "ok"}
    finding = ran.json()["findings"][0]
    assert (finding["code"], finding["where"]) == ("python-file", "sources/x.py:1:10")
    assert orders.headgate("check", "--json").json()["findings"][0]["code"] == "python-file"
    assert orders.ok("audit")["balanced"] is True


@pytest.mark.parametrize(
    ("from_", "code"),
    [
        ("{python: sources/x.py}", "bad-value"),
        ("{python: 'sources/x.py:a b'}", "bad-value"),
        ("{python: ../x.py:rows}", "path-escapes"),
        ("{python: /etc/x.py:rows}", "path-escapes"),
        ("{python: sources/x.py:rows, replay: steady}", "bad-value"),
        ("{python: sources/x.py:rows, reply: stable}", "unknown-key"),
        ("{python: sources/x.py:rows, function: sources/x.py:rows}", "duplicate-key"),
        ("{python: {replay: stable}}", "missing-key"),
        ("{python: {function: sources/x.py:rows, path: data}}", "unknown-key"),
    ],
)
def test_mistakes_in_the_ingest_file_are_told_with_their_place(lab: Lab, from_: str, code: str) -> None:
    lab.write({"ingest/a.yml": f"table: raw.a\nfrom: {from_}\n"})
    found = lab.fails(2, "check")
    assert (found["code"], found["where"].startswith("ingest/a.yml:2:")) == (code, True)


def test_options_may_stand_beside_the_short_form(lab: Lab) -> None:
    code = "def orders(): return [{'id': 1, 'note': '2024-07-01 12:00'}], 1"
    project(lab, code, "{python: sources/x.py:orders, replay: moving, timezone: Europe/Paris, extra: ignore}")
    lab.edit("ingest/orders.yml", "note: text", "note: timestamptz")
    assert counts(lab.step()) == (1, 1, 0)
    assert lab.rows("SELECT note = TIMESTAMPTZ '2024-07-01 10:00:00+00' FROM raw.orders") == [[True]]
