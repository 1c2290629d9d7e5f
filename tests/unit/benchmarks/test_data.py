"""The benchmark data are what the bars say they are."""

from __future__ import annotations

import csv
import hashlib
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks import data

SCALE = 0.002


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(data, "WORK", tmp_path)
    return tmp_path


def rows(query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


def test_one_order_in_a_hundred_is_bad_by_one_of_eight_rules() -> None:
    path = data.orders(SCALE)
    rules = """customer_id is null, status = 'shiped', amount < 0, email not like '%@%', country = 'XX', quantity < 1,
               price > 10000, seen > 1"""
    sums = ", ".join(f"count(*) filter ({rule})" for rule in rules.replace("\n", " ").split(", "))
    numbered = f"select *, row_number() over (partition by id) as seen from '{path}'"
    (counts,) = rows(f"select count(*), {sums} from ({numbered})")
    assert counts[0] == 20_000
    assert all(0.0005 < bad / counts[0] < 0.0025 for bad in counts[1:])
    assert 0.007 < sum(counts[1:]) / counts[0] < 0.013


def test_orders_have_twelve_columns_and_lines_sixteen() -> None:
    assert len(rows(f"describe select * from '{data.orders(SCALE)}'")) == 12
    assert len(rows(f"describe select * from '{data.lineitem_parquet(SCALE)}'")) == 16
    assert rows(f"select count(*) from '{data.lineitem_csv(SCALE)}'") == [(10_000,)]


def test_changes_hold_known_ids_new_ids_and_doubles() -> None:
    base, changes = data.accounts(SCALE), data.changes(SCALE)
    query = f"""select count(*), count(distinct id), count(*) filter (id >= (select count(*) from '{base}'))
                from '{changes}'"""
    ((number, ids, new),) = rows(query)
    assert number == 2000
    assert new == 200
    assert new < ids < number


def test_slices_grow_without_a_gap() -> None:
    first, second = data.slices(SCALE, 2)
    assert rows(f"select min(id), max(id), count(*) from '{first}'") == [(0, 199, 200)]
    assert rows(f"select min(id), max(id), count(*) from '{second}'") == [(200, 399, 200)]


@pytest.mark.parametrize("share", data.MALFORMED)
def test_the_share_of_malformed_lines_is_exact(share: float) -> None:
    lines = data.malformed(SCALE, share).read_bytes().splitlines()[1:]
    assert len(lines) == 4000
    assert sum(map(_is_bad, lines)) == data.malformed_lines(SCALE, share) == int(4000 * share)


def _is_bad(line: bytes) -> bool:
    try:
        (fields,) = csv.reader([line.decode()], strict=True)
    except (UnicodeDecodeError, csv.Error):
        return True
    return len(fields) != 6


def test_data_are_made_once_and_the_same_again(work: Path) -> None:
    path = data.malformed(SCALE, 0.1)
    before = path.stat().st_mtime_ns
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (path, data.malformed(SCALE, 0.1))}
    assert path.stat().st_mtime_ns == before
    path.unlink()
    digests.add(hashlib.sha256(data.malformed(SCALE, 0.1).read_bytes()).hexdigest())
    assert len(digests) == 1
    assert [path.suffix for path in (work / "data").iterdir()] == [".csv"]
