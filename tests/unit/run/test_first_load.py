"""A load that never committed binds nobody: neither its table's columns nor the types that it saw are kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headgate.api import Project
from headgate.core import faults


class Dead(BaseException):
    """What a process that is killed runs into."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("ingest", "data"):
        (tmp_path / name).mkdir()
    (tmp_path / "headgate.yml").write_text("project: p\nwarehouse: duckdb:w.duckdb\n")
    return tmp_path


def ingest(home: Path, more: str = "") -> None:
    (home / "ingest" / "t.yml").write_text(f"table: raw.t\nfrom: data/*.csv\n{more}")


def deliver(home: Path, name: str, *lines: str) -> None:
    path = home / "data" / name
    path.write_text("\n".join(lines) + "\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))


def rows(home: Path) -> list[tuple[object, ...]]:
    return [tuple(row) for row in Project.open(home).query("SELECT v, typeof(v) FROM raw.t ORDER BY v").rows]


def test_a_contract_may_change_after_its_first_load_was_refused(home: Path) -> None:
    ingest(home, "columns:\n  v: int\nrefuse_at_most: 0\n")
    deliver(home, "a.csv", "v", "1.5")
    assert Project.open(home).run().status == "refused"
    ingest(home, "columns:\n  v: decimal(4,1)\n  w: text\nextra: ignore\nrefuse_at_most: 0\n")
    deliver(home, "a.csv", "v,w", "1.5,x")
    assert Project.open(home).check().ok
    result = Project.open(home).run()
    assert (result.status, "".join(one.what for one in result.findings)) == ("ok", "")
    assert rows(home) == [("1.5", "DECIMAL(4,1)")]
    assert Project.open(home).audit().balanced


def test_a_table_that_holds_rows_keeps_its_columns(home: Path) -> None:
    ingest(home, "columns:\n  v: int\n")
    deliver(home, "a.csv", "v", "1")
    assert Project.open(home).run().status == "ok"
    ingest(home, "columns:\n  v: text\n")
    deliver(home, "b.csv", "v", "2")
    (finding,) = Project.open(home).run().findings
    assert finding.code == "contract-misfit"


@pytest.mark.parametrize("point", ["before_write", "after_begin", "after_decide", "after_write"])
def test_types_taken_from_the_data_are_kept_with_the_rows_or_not_at_all(home: Path, point: str) -> None:
    ingest(home)
    deliver(home, "a.csv", "v", "1")
    assert Project.open(home).run().status == "ok"
    deliver(home, "a.csv", "v", "one")

    def die(at: str) -> None:
        if at == point:
            raise Dead(at)

    faults.install(die)
    try:
        with pytest.raises(Dead):
            Project.open(home).run(full_refresh=True)
    finally:
        faults.install(None)
    deliver(home, "a.csv", "v", "1")
    deliver(home, "b.csv", "v", "2")
    assert Project.open(home).run().status == "ok"
    assert rows(home) == [(1, "BIGINT"), (2, "BIGINT")]


def test_types_are_kept_from_the_first_load_on_and_renewed_by_a_full_refresh(home: Path) -> None:
    ingest(home)
    deliver(home, "a.csv", "v", "1")
    Project.open(home).run()
    deliver(home, "b.csv", "v", "two")
    assert Project.open(home).run().steps[0].rows_quarantined == 1
    assert Project.open(home).run(full_refresh=True).steps[0].rows_loaded == 2
    assert rows(home) == [("1", "VARCHAR"), ("two", "VARCHAR")]
    deliver(home, "a.csv", "v", "1")
    deliver(home, "b.csv", "v", "2")
    Project.open(home).run(full_refresh=True)
    assert rows(home) == [(1, "BIGINT"), (2, "BIGINT")]
    deliver(home, "c.csv", "v", "3")
    assert Project.open(home).run().steps[0].rows_loaded == 1


def test_a_full_refresh_without_any_file_keeps_the_table(home: Path) -> None:
    ingest(home)
    deliver(home, "a.csv", "v", "1")
    Project.open(home).run()
    (home / "data" / "a.csv").unlink()
    result = Project.open(home).run(full_refresh=True)
    assert [finding.code for finding in result.findings] == ["empty-replace"]
    assert rows(home) == [(1, "BIGINT")]


def test_a_full_refresh_of_nothing_at_all_says_so(home: Path) -> None:
    ingest(home)
    result = Project.open(home).run(full_refresh=True)
    assert [finding.code for finding in result.findings] == ["no-types"]
    deliver(home, "a.csv", "v", "1")
    assert Project.open(home).run().status == "ok"
    assert rows(home) == [(1, "BIGINT")]
