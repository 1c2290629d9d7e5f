"""Text that DuckDB's strict parser stops at, though its counts look clean, is read the careful way."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.api.project import Project
from headgate.gate.scan import is_parse_error

INGEST = "table: t\nfrom: data/*.csv\ncolumns:\n  a: int\n  b: int\n"
MADE_UP = b"a,b\n1\n1,2,3\n4,5\n"
"""One field too few is made up for by one too many: only the parser can tell that the file is not clean."""


def project(root: Path, ingest: str, files: dict[str, bytes]) -> Project:
    (root / "headgate.yml").write_text("project: p\nwarehouse: duckdb:w.duckdb\n")
    for folder in ("ingest", "data"):
        (root / folder).mkdir()
    (root / "ingest" / "t.yml").write_text(ingest)
    for name, data in files.items():
        (root / "data" / name).write_bytes(data)
    return Project.open(root)


@pytest.mark.parametrize(
    "files",
    [{"a.csv": MADE_UP}, {"a.csv": b"a,b\n7,8\n", "b.csv": MADE_UP}, {"a.csv": MADE_UP, "b.csv": MADE_UP + b"6,7\n"}],
)
def test_a_file_that_the_strict_parser_stops_at_is_loaded_all_the_same(tmp_path: Path, files: dict[str, bytes]) -> None:
    with project(tmp_path, INGEST, files) as opened:
        done = opened.run()
        lines = sum(data.count(b"\n") - 1 for data in files.values())
        bad = 2 * sum(MADE_UP in data for data in files.values())
        (step,) = done.steps
        assert (done.status, step.rows_read, step.rows_quarantined) == ("ok", lines, bad)
        assert [one.raw for one in opened.quarantine().records] == ["1", "1,2,3"] * (bad // 2)
        assert opened.audit().findings == ()


def test_without_columns_such_a_file_is_typed_by_its_good_records(tmp_path: Path) -> None:
    with project(tmp_path, "table: t\nfrom: data/*.csv\n", {"a.csv": MADE_UP}) as opened:
        assert opened.run().status == "ok"
        assert [list(row) for row in opened.query("select a, b from t").rows] == [[4, 5]]


def test_the_parallel_reader_that_lost_its_place_is_no_crash() -> None:
    import duckdb

    assert is_parse_error(duckdb.NotImplementedException("The Parallel CSV Reader currently does not support ..."))
    assert not is_parse_error(duckdb.OutOfMemoryException("failed to allocate"))
