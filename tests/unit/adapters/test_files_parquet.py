from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from headgate.adapters.files.parquet import ParquetSource
from headgate.core.errors import AdapterError
from headgate.sql.quote import literal
from headgate.testing.source_suite import DuckSession, Seen, drain

SESSION = DuckSession()


def put(folder: Path, query: str, name: str = "a.parquet", options: str = "") -> Path:
    SESSION.execute(f"COPY ({query}) TO {literal(str(folder / 'made'))} (FORMAT parquet {options})")
    os.rename(folder / "made", folder / name)
    return folder / name


def source(folder: Path, **options: Any) -> ParquetSource:
    tmp = folder / "tmp"
    tmp.mkdir(exist_ok=True)
    return ParquetSource({"path": "*.parquet", **options}, folder, tmp)


def load(made: ParquetSource, max_rows: int = 1 << 40) -> Seen:
    reader = made.open(SESSION, made.partitions({})[0], None)
    try:
        return drain(SESSION, reader, max_rows)
    finally:
        reader.close()
        assert not list(made.tmp.iterdir())


def test_slices_end_at_row_groups_where_they_fit(tmp_path: Path) -> None:
    put(tmp_path, "SELECT i FROM range(10000) t(i)", options=", ROW_GROUP_SIZE 2048")
    seen = load(source(tmp_path), 5000)
    assert [batch.records for batch in seen.batches] == [4096, 4096, 1808]
    assert seen.rows == {number + 1: (number,) for number in range(10000)}
    assert [batch.records for batch in load(source(tmp_path), 1500).batches] == [1500, 548] * 4 + [1500, 308]


def test_physical_types_come_from_the_engine(tmp_path: Path) -> None:
    put(tmp_path, "SELECT 1::DECIMAL(9,2) d, NULL::INTEGER[] l, {'x': 1} s, '2024-01-01'::DATE t")
    (batch,) = load(source(tmp_path)).batches
    assert [(c.name, c.physical) for c in batch.columns] == [
        ("d", "DECIMAL(9,2)"),
        ("l", "INTEGER[]"),
        ("s", "STRUCT(x INTEGER)"),
        ("t", "DATE"),
    ]
    assert batch.rescan
    assert batch.row_base is None


@pytest.mark.parametrize(
    "name", ["file_row_number", "FILE_ROW_NUMBER", "filename", "hg_source", "a\"b'c", "line", "row"]
)
def test_columns_with_names_of_our_own_and_hostile_ones(tmp_path: Path, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    put(tmp_path, f"SELECT i + 100 AS {quoted} FROM range(5000) t(i)", options=", ROW_GROUP_SIZE 2048")
    for max_rows in (10_000, 1000):
        seen = load(source(tmp_path), max_rows)
        assert seen.rows == {number + 1: (number + 100,) for number in range(5000)}


def test_a_column_with_the_name_of_the_record_number_is_left_out(tmp_path: Path) -> None:
    put(tmp_path, "SELECT 7 AS _hg_row, 1 AS a")
    assert load(source(tmp_path)).rows == {1: (1,)}


def test_file_column_and_odd_file_names(tmp_path: Path) -> None:
    put(tmp_path, "SELECT 1 AS a", "x [1]*'.parquet")
    assert load(source(tmp_path, file_column="file")).rows == {1: (1, "x [1]*'.parquet")}
    findings = source(tmp_path, file_column="A").check(SESSION, ["a"])
    assert [finding.code for finding in findings] == ["bad-schema"]


def test_folders_that_look_like_partitions_add_no_columns(tmp_path: Path) -> None:
    (tmp_path / "year=2024").mkdir()
    put(tmp_path, "SELECT 1 AS a", "year=2024/x.parquet")
    made = source(tmp_path, path="year=*/*.parquet")
    assert load(made).rows == {1: (1,)}
    assert made.partitions({})[0].name == "year=2024/x.parquet"


@pytest.mark.parametrize("content", [b"", b"PAR1", b"id,name\n1,2\n", b"PAR1" + b"x" * 50 + b"\xff\xff\x00\x00PAR1"])
def test_files_that_are_no_parquet(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.parquet").write_bytes(content)
    made = source(tmp_path)
    (finding,) = made.check(SESSION, ["a"])
    assert (finding.code, finding.level) == ("corrupt-file", "error")
    assert "bad.parquet" in finding.where
    assert finding.fix
    with pytest.raises(AdapterError):
        made.open(SESSION, made.partitions({})[0], None)


def test_a_footer_that_does_not_agree_with_its_row_groups_is_refused(tmp_path: Path) -> None:
    """The engine reads what the row groups hold: records that the file speaks of would be missing."""
    put(tmp_path, "SELECT i AS a FROM range(50) t(i)", "bad.parquet")
    data = bytearray((tmp_path / "bad.parquet").read_bytes())
    begin = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    at = data.index(b"\x16\x64", begin)  # 50 as the footer writes it, first of the whole file
    data[at + 1] = 0x66
    (tmp_path / "bad.parquet").write_bytes(data)
    (finding,) = source(tmp_path).check(SESSION, ["a"])
    assert finding.code == "corrupt-file"
    assert "speaks of 51 rows, and its row groups of 50" in finding.what


def test_names_that_differ_by_case_only_are_refused(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = arrow.table([arrow.array([1]), arrow.array([2])], names=["a", "A"])
    parquet.write_table(table, tmp_path / "x.parquet")
    (finding,) = source(tmp_path).check(SESSION, ["a"])
    assert finding.code == "bad-schema"


def test_originals_are_the_rows_as_json(tmp_path: Path) -> None:
    pytest.importorskip("headgate.types.codec")
    put(tmp_path, 'SELECT i AS a, i / 4 AS "q\'x" FROM range(3000) t(i)', options=", ROW_GROUP_SIZE 2048")
    made = source(tmp_path, file_column="f")
    reader = made.open(SESSION, made.partitions({})[0], None)
    batch = reader.read(10_000, 1 << 40)
    assert batch is not None
    rows = SESSION.execute(f"SELECT * FROM ({batch.originals([2500, 2, 99_999])}) ORDER BY 1")
    assert [(row[0], row[1], row[2], json.loads(row[3])) for row in rows] == [
        (2, None, None, {"a": "1", "q'x": "0.25", "f": "a.parquet"}),
        (2500, None, None, {"a": "2499", "q'x": "624.75", "f": "a.parquet"}),
    ]
    assert SESSION.execute(batch.originals([])) == []
