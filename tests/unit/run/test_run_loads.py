"""Rules about a load as a whole: shares, row counts, totals, freshness."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

HEAD = "table: raw.sales\nfrom: data/*.csv\ncolumns:\n  id: int, unique\n  day: timestamp\n  amount: decimal(9,2)"
COUNT = "SELECT count(*) FROM raw.sales"


def rows(first: int, last: int, amount: str = "1.50", day: str = "2024-01-01 00:00:00") -> str:
    return "id,day,amount\n" + "".join(f"{number},{day},{amount}\n" for number in range(first, last + 1))


def folder_of(tmp_path: Path, rules: str, first: str) -> Folder:
    return Folder.make(tmp_path, {"ingest/sales.yml": HEAD + rules, "data/a.csv": first})


@pytest.mark.parametrize(
    ("rules", "good", "bad", "code"),
    [
        ("\nrules:\n  enough: {rows: 3..}\n", rows(1, 3), rows(4, 5), "batch-rule"),
        ("\nrules:\n  total: {sql: sum(amount), between: [0, 4.5]}\n", rows(1, 3), rows(4, 7), "batch-rule"),
        (", between(0, 9, mostly=50%)\n", rows(1, 2), rows(3, 4) + "5,,10\n6,,11\n7,,12\n8,,\n", "share-missed"),
        (
            "\nrules:\n  dated: {check: day > '2020-01-01', mostly: 60%, severity: warn}\n",
            rows(1, 2),
            rows(3, 4) + "5,2019-01-01,1\n6,2019-01-01,1\n",
            "share-missed",
        ),
    ],
)
def test_a_load_out_of_range_is_stopped_whole(rules: str, good: str, bad: str, code: str, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, rules, good)
    assert folder.step("raw.sales").status == "ok"
    before = folder.behind(COUNT)
    folder.write("data/b.csv", bad)
    result = folder.run()
    assert (result.status, [one.code for one in result.findings]) == ("refused", [code])
    assert result.findings[0].where.startswith("ingest/sales.yml:")
    assert folder.behind(COUNT) == before
    assert folder.codes() == []
    folder.write("data/b.csv", good.replace("\n1,", "\n101,").replace("\n2,", "\n102,").replace("\n3,", "\n103,"))
    assert folder.step("raw.sales").status == "ok"
    assert folder.codes() == []


def test_a_load_is_compared_with_the_median_of_those_before(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "\nrules:\n  volume: {rows: 0.5x..2x, of: last 3}\n", rows(1, 10))
    assert folder.step("raw.sales").status == "ok"
    folder.write("data/b.csv", rows(11, 15))
    assert folder.step("raw.sales").status == "ok"
    folder.write("data/c.csv", rows(16, 31))  # median of 10 and 5 is 7.5
    result = folder.run()
    assert [one.code for one in result.findings] == ["batch-rule"]
    assert "the loads before had 10, 5" in result.findings[0].what
    folder.write("data/c.csv", rows(16, 30))
    assert folder.step("raw.sales").status == "ok"
    assert folder.codes() == []


def test_a_load_of_several_files_counts_as_one(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "\nrules:\n  volume: {rows: 1x..1x, of: last 1}\n", rows(1, 2))
    folder.write("data/b.csv", rows(3, 4))
    assert folder.step("raw.sales").status == "ok"
    folder.write("data/c.csv", rows(5, 8))
    assert folder.step("raw.sales").status == "ok"


def test_a_breach_that_only_warns_is_told_and_kept_in_the_books(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path, "\nrules:\n  total: {sql: sum(amount), max: 2, severity: warn}\n", rows(1, 3, amount="1.50")
    )
    step = folder.step("raw.sales")
    assert (step.status, [one.code for one in step.warnings]) == ("ok", ["batch-warning"])
    assert "4.50" in step.warnings[0].what
    [(details,)] = folder.behind("SELECT details FROM _headgate.entry")
    assert '"measures":{"total":"4.50"}' in details


def test_stale_data_is_stopped(tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    old, fresh = (str((now - timedelta(hours=hours)).replace(microsecond=0)) for hours in (3, 1))
    folder = folder_of(tmp_path, "\nrules:\n  fresh: {freshness: day, within: 2h}\n", rows(1, 2, day=old))
    assert [one.code for one in folder.run().findings] == ["batch-rule"]
    folder.write("data/a.csv", rows(1, 2, day=fresh))
    assert folder.step("raw.sales").status == "ok"


def test_a_share_of_unique_and_referring_rows(tmp_path: Path) -> None:
    files = {
        "ingest/a.yml": "table: raw.a\nfrom: data/a.csv\ncolumns:\n  id: int, key\n",
        "ingest/b.yml": "table: raw.b\nfrom: data/b*.csv\ncolumns:\n  id: int, unique, mostly(60%)\n"
        "  a: int, references(raw.a.id, severity=warn, mostly=50%)\n",
        "data/a.csv": "id\n1\n2\n",
        "data/b.csv": "id,a\n1,1\n1,1\n2,9\n3,2\n,9\n",
    }
    folder = Folder.make(tmp_path, files)
    step = folder.step("raw.b")
    assert (step.status, step.rows_loaded, step.rows_quarantined) == ("ok", 4, 1)
    folder.write("data/b2.csv", "id,a\n11,1\n11,1\n11,1\n")
    assert [(one.code, one.evidence["rule"]) for one in folder.run().findings] == [("share-missed", "id.unique")]
    folder.write("data/b2.csv", "id,a\n11,8\n12,8\n13,1\n")
    assert [(one.code, one.evidence["rule"]) for one in folder.run().findings] == [("share-missed", "a.references")]
    assert folder.codes() == []


def test_no_rule_about_loads_holds_a_replay_back(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ", min(2)\nrules:\n  enough: {rows: 2..}\n", rows(1, 2, amount="3") + "3,,1\n")
    assert folder.step("raw.sales").rows_quarantined == 1
    folder.write("ingest/sales.yml", HEAD + "\nrules:\n  enough: {rows: 2..}\n")
    assert folder.open().replay(all=True).rows_loaded == 1
