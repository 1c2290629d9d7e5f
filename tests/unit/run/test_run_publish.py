"""Models that are published together: all of them, or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from tests.unit.project_kit import WAREHOUSE, Folder

from headgate.core import faults
from headgate.core.errors import ProjectError

TABLE = "{{ config(materialized='table') }}\n"
RAW = "table: raw.orders\nfrom: data/*.csv\ncolumns:\n  id: int\n  amount: int\n"
TOGETHER = "groups:\n  - name: sales\n    publish_together: [orders, lines, totals]\n"
SPLIT = "models:\n  - name: lines\n    contract:\n      columns:\n        id: int, key\n        amount: int, min(0)\n"
FILES = {
    "ingest/orders.yml": RAW,
    "models/gold/orders.sql": TABLE + "select id from {{ ref('raw.orders') }}\n",
    "models/gold/lines.sql": TABLE + "select id, amount from {{ ref('raw.orders') }}\n",
    "models/gold/totals.sql": TABLE + "select sum(amount) as total from {{ ref('lines') }}\n",
    "models/gold/models.yml": TOGETHER + SPLIT,
    "data/a.csv": "id,amount\n1,10\n2,-5\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder.make(tmp_path, FILES)


@pytest.fixture(autouse=True)
def no_faults() -> Iterator[None]:
    yield
    faults.install(None)


def shown(folder: Folder) -> tuple[int, int, int | None]:
    """Orders, lines and the total, as one reader finds them."""
    return folder.behind(
        "SELECT (SELECT count(*) FROM gold.orders), (SELECT count(*) FROM gold.lines), (SELECT total FROM gold.totals)"
    )[0]  # type: ignore[return-value]


def statuses(folder: Folder) -> dict[str, str]:
    return {step.id: step.status for step in folder.run().steps if step.kind == "model"}


def test_all_are_published_and_a_member_reads_the_new_rows_of_another(folder: Folder) -> None:
    assert statuses(folder) == {"orders": "ok", "lines": "ok", "totals": "ok"}
    assert shown(folder) == (2, 1, 10)
    folder.write("data/b.csv", "id,amount\n3,30\n")
    assert statuses(folder) == {"orders": "ok", "lines": "ok", "totals": "ok"}
    assert shown(folder) == (3, 2, 40)
    assert folder.codes() == []
    assert statuses(folder) == {"orders": "skipped", "lines": "skipped", "totals": "skipped"}


def test_only_members_that_are_due_are_built(folder: Folder) -> None:
    folder.run()
    folder.write("models/gold/lines.sql", TABLE + "select id, amount + 1 as amount from {{ ref('raw.orders') }}\n")
    assert statuses(folder) == {"orders": "skipped", "lines": "ok", "totals": "ok"}
    assert shown(folder) == (2, 1, 11)


@pytest.mark.parametrize("culprit", ["orders", "lines", "totals"])
def test_one_that_fails_keeps_every_old_table(folder: Folder, culprit: str) -> None:
    folder.run()
    folder.write("data/b.csv", "id,amount\n3,30\n")
    failing = f"  - name: {culprit}\n    tests: [{{expression: false}}]\n"
    if culprit == "lines":
        failing = "    tests: [{expression: false}]\n"
    folder.write("models/gold/models.yml", TOGETHER + SPLIT + failing)
    answer = folder.run()
    assert answer.status == "failed"
    assert [one.code for one in answer.findings] == ["check-failed"]
    assert f"model {culprit!r}" in answer.findings[0].what
    states = {step.id: (step.status, step.reason) for step in answer.steps if step.kind == "model"}
    blocked = ("blocked", f"{culprit} did not succeed, and they are published together")
    assert {name: state for name, state in states.items() if name != culprit} == {
        name: blocked for name in ("orders", "lines", "totals") if name != culprit
    }
    assert states[culprit][0] == "failed"
    assert shown(folder) == (2, 1, 10)
    assert folder.codes() == []
    # What reads another member is built once that stands within the transaction: then its rows go with it.
    left = [] if culprit == "totals" else [(f"{culprit}__hg_failed",)]
    assert folder.behind("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '%hg%'") == left


def test_to_leave_rows_that_failed_publishes_nothing_of_the_group(folder: Folder) -> None:
    folder.run()
    folder.write("data/b.csv", "id,amount\n3,30\n")
    failing = "  - name: totals\n    tests: [{expression: false}]\n"
    folder.write("models/gold/models.yml", TOGETHER.replace("orders, ", "") + SPLIT + failing)
    assert [one.code for one in folder.run().findings] == ["check-failed"]
    assert shown(folder)[1:] == (1, 10)
    assert folder.codes() == []


def test_broken_sql_and_a_limit_keep_every_old_table(folder: Folder) -> None:
    folder.run()
    folder.write("models/gold/models.yml", TOGETHER + SPLIT + "      refuse_at_most: 0\n")
    answer = folder.run()
    assert (answer.status, [one.code for one in answer.findings]) == ("refused", ["refuse-limit"])
    assert answer.findings[0].evidence["reasons"] == {"amount.min": 1}
    assert folder.refused("gold.lines", "held") == []
    folder.write("models/gold/models.yml", TOGETHER + SPLIT)
    folder.write("models/gold/orders.sql", TABLE + "select nothing from {{ ref('raw.orders') }}\n")
    assert [one.code for one in folder.run().findings] == ["model-sql"]
    assert (shown(folder), folder.codes()) == ((2, 1, 10), [])


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("point", ["after_begin", "after_stage", "after_decide", "after_write", "after_commit"])
def test_killed_at_any_instant_readers_find_all_or_nothing(tmp_path: Path, point: str) -> None:
    folder = Folder.make(tmp_path, FILES)
    folder.run()
    folder.write("data/b.csv", "id,amount\n3,30\n")
    folder.run("raw.orders")
    for nth in range(1, 20):
        seen: Counter[str] = Counter()

        def kill(name: str, nth: int = nth, seen: Counter[str] = seen) -> None:
            seen[name] += 1
            if name == point and seen[name] == nth:
                raise Killed

        copied = folder.copy(tmp_path / f"{point}{nth}")
        faults.install(kill)
        try:
            copied.run("totals")
        except Killed:
            faults.install(None)
            assert shown(copied) == ((3, 2, 40) if point == "after_commit" else (2, 1, 10))
            assert copied.codes() == []
        else:
            break
    assert nth > 1
    faults.install(None)


def test_a_reader_in_the_middle_sees_the_old_tables(folder: Folder) -> None:
    folder.run()
    folder.write("data/b.csv", "id,amount\n3,30\n")
    found = []

    def look(name: str) -> None:
        if name == "after_write":
            with duckdb.connect(str(folder.root / WAREHOUSE)) as reader:
                found.append(
                    reader.execute("SELECT (SELECT count(*) FROM gold.orders), total FROM gold.totals").fetchall()
                )

    folder.run("raw.orders")
    faults.install(look)
    folder.run("totals")
    assert found == [[(2, 10)]] * 3
    assert shown(folder) == (3, 2, 40)


def test_a_member_alone_takes_the_others_with_it(folder: Folder) -> None:
    folder.run("raw.orders")
    assert {step.id for step in folder.run("orders").steps} == {"orders", "lines", "totals"}


def test_models_may_name_their_group(folder: Folder) -> None:
    text = "groups: [{name: sales, publish_together: true}]\n" + SPLIT + "    config: {group: sales}\n"
    folder.write("models/gold/models.yml", text + "  - {name: orders, group: sales}\n")
    folder.write("models/gold/orders.sql", TABLE + "select id / 0 as id, nothing from {{ ref('raw.orders') }}\n")
    assert statuses(folder) == {"orders": "failed", "lines": "blocked", "totals": "blocked"}


def test_a_missing_input_of_one_blocks_all(folder: Folder) -> None:
    folder.write("ingest/other.yml", "table: raw.other\nfrom: none/*.csv\ncolumns:\n  id: int\n")
    folder.write("models/gold/orders.sql", TABLE + "select id from {{ ref('raw.other') }}\n")
    answer = folder.run()
    assert [one.code for one in answer.findings] == ["input-missing"]
    assert {one.status for one in answer.steps if one.kind == "model"} == {"blocked"}


@pytest.mark.parametrize(
    ("yaml", "code", "said"),
    [
        ("groups: [{name: a, publish_together: [orders, line]}]", "unknown-model", "no model 'line' (did you mean"),
        ("groups: [{name: a, publish_together: true}]", "missing-key", "no model is in it"),
        (
            "groups: [{name: a, publish_together: [orders, lines]}, {name: b, publish_together: [Lines, totals]}]",
            "duplicate-key",
            "published together with two groups: 'a' and 'b'",
        ),
        ("groups: [{name: a}, {name: A}]", "duplicate-key", "described twice"),
        ("groups: [{name: a, together: true}]", "unknown-key", "'together'"),
        ("groups: [{name: a, publish_together: [orders, totals]}]", "group-cycle", "a -> lines -> a"),
    ],
)
def test_what_is_no_group(folder: Folder, yaml: str, code: str, said: str) -> None:
    folder.write("models/gold/models.yml", yaml + "\n")
    folder.write("models/gold/lines.sql", TABLE + "select id, id as amount from {{ ref('gold.orders') }}\n")
    with pytest.raises(ProjectError) as caught:
        folder.run()
    assert caught.value.finding.code == code
    assert said in caught.value.finding.what
    assert caught.value.finding.where.startswith("models/gold/models.yml:1:")
