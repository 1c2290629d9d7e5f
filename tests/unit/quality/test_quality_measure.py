"""Measures against plain Python."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.quality.quality_kit import column_of, profiled, surveyed

from headgate.quality.measure import share
from headgate.quality.model import Share


@given(values=st.lists(st.one_of(st.none(), st.integers(-1000, 1000)), min_size=1, max_size=80))
def test_numbers_are_measured_as_numbers(values: list[int | None], tmp_path_factory: pytest.TempPathFactory) -> None:
    tmp = tmp_path_factory.mktemp("n")
    found = profiled(tmp, column_of(["" if value is None else str(value) for value in values])).column("v")
    there = [value for value in values if value is not None]
    assert (found.rows, found.filled) == (len(values), len(there))
    assert found.percent == share(len(there), len(values))
    if not there:
        assert (found.min, found.mean, found.distinct) == (None, None, 0)
        return
    assert (found.min, found.max, found.distinct) == (str(min(there)), str(max(there)), len(set(there)))
    assert found.distinct_exact
    assert found.mean == pytest.approx(statistics.fmean(there), rel=1e-4, abs=1e-9)
    assert sum(one.rows for one in found.top) in (0, len(there))
    assert all(one.rows == there.count(int(one.value)) for one in found.top)


def test_texts_are_measured_in_characters(tmp_path: Path) -> None:
    found = profiled(tmp_path, 'a,b\n1,äöü\n2,""\n3,"  "\n4,äöü\n5,\n').column("b")
    assert (found.filled, found.empty, found.blank, found.shortest, found.longest) == (4, 1, 1, 0, 3)
    assert (found.mean_length, found.distinct) == (2.0, 3)


def test_the_most_frequent_come_first(tmp_path: Path) -> None:
    found = profiled(tmp_path, column_of(["a"] * 3 + ["b"] * 5 + ["c"])).column("v")
    assert found.top == (Share("b", 5), Share("a", 3), Share("c", 1))


def test_a_single_gap_is_not_100_percent() -> None:
    assert [share(999_999, 1_000_000), share(10**9 - 1, 10**9), share(5, 5), share(0, 0)] == [
        99.999,
        99.999,
        100.0,
        0.0,
    ]


def test_values_that_break_sums_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    numbers = "('nan'::double), ('inf'::double), ('-inf'::double), (1e308), (-1e308), (2), (4)"
    duckdb.sql(f"copy (select v::double as v from (values {numbers}) t(v)) to '{path}'")
    with surveyed(tmp_path, {"raw.t": "t.parquet"}) as (_, (seen,)):
        found = seen.profile.column("v")
    assert (found.filled, found.mean, found.min, found.max) == (7, 3.0, "-inf", "nan")


def test_dates_and_times_have_quantiles(tmp_path: Path) -> None:
    found = profiled(tmp_path, column_of([f"2026-01-{day:02}" for day in range(1, 32)])).column("v")
    assert (found.quantiles["0.5"], found.min, found.max) == ("2026-01-16", "2026-01-01", "2026-01-31")


@pytest.mark.parametrize("tier", [0, 1, 2])
def test_a_file_without_rows_and_malformed_records(tmp_path: Path, tier: int) -> None:
    empty = profiled(tmp_path, "a,b\n", tier)
    assert (empty.rows, empty.malformed, [one.type for one in empty.columns]) == (0, 0, ["text", "text"])
    broken = profiled(tmp_path, "a,b\n1,2\n3\n4,5,6\n7,8\n", tier)
    assert (broken.rows, broken.malformed, broken.column("a").max) == (2, 2, "7")


def test_tier_0_counts_and_bounds_only(tmp_path: Path) -> None:
    found = profiled(tmp_path, "a,b\n1,x\n2,\n", 0).column("b")
    assert (found.filled, found.min, found.distinct, found.top) == (1, "x", None, ())


def test_more_columns_than_one_query_measures(tmp_path: Path) -> None:
    text = ",".join(f"c{number}" for number in range(300)) + "\n" + ",".join(["1"] * 300) + "\n"
    found: Any = profiled(tmp_path, text, 1)
    assert [one.type for one in found.columns] == ["int"] * 300
