"""A column's type is one that every value fits, by the conversions of the gate."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from tests.unit.quality.quality_kit import column_of, profiled, surveyed

from headgate.quality.model import Misfit


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2"], "int"),
        (["1", "2.50"], "decimal(18,2)"),
        (["1", "1e3"], "double"),
        (["yes", "no"], "bool"),
        (["0", "1"], "int"),
        (["2026-01-01"], "date"),
        (["2026-01-01", "2026-02-30"], "text"),
        (["2026-01-01 10:00:00"], "timestamp"),
        (["2026-01-01T10:00:00Z"], "timestamptz"),
        (["00000000-0000-0000-0000-000000000001"], "uuid"),
        (["1", "x"], "text"),
        (["007", "8"], "text"),
        (["+4930", "+4931"], "text"),
        (["-007"], "text"),
        (["0", "0.5"], "decimal(18,1)"),
        (["12345678901234567890"], "decimal(38,0)"),
        (["1" * 50], "double"),
        (["", ""], "text"),
        (["", "7"], "int"),
        (["9223372036854775808"], "decimal(38,0)"),
    ],
)
def test_the_type_that_every_value_fits(tmp_path: Path, values: list[str], kind: str) -> None:
    assert profiled(tmp_path, column_of(values)).column("v").type == kind


def test_a_value_behind_the_sample_counts_as_much(tmp_path: Path) -> None:
    found = profiled(tmp_path, column_of(["1"] * 5000 + ["x;y"])).column("v")
    assert found.type == "text"
    assert found.misfits[0] == Misfit("int", 1, "x;y")


def test_a_tolerated_value_does_not_decide(tmp_path: Path) -> None:
    found = profiled(tmp_path, column_of(["1"] * 99 + ["?"]), tolerate=0.01).column("v")
    assert (found.type, found.filled, found.misfits[0].rows) == ("int", 99, 1)
    assert profiled(tmp_path, column_of(["1"] * 98 + ["?", "?"]), tolerate=0.01).column("v").type == "text"


def test_types_that_most_values_do_not_fit_are_not_told(tmp_path: Path) -> None:
    assert profiled(tmp_path, column_of(["1", "a", "b"])).column("v").misfits == ()


def test_a_typed_column_keeps_its_type_unless_a_value_does_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    duckdb.sql(
        f"copy (select 1::utinyint as a, 18446744073709551615::ubigint as b, [1] as c, 1.5::decimal(9,1) as d,"
        f" timestamp_ns '2026-01-01 00:00:00.123456789' as e, null::date as f, 'x' as g) to '{path}'"
    )
    with surveyed(tmp_path, {"raw.t": "t.parquet"}) as (_, (seen,)):
        kinds = [one.type for one in seen.profile.columns]
    assert kinds == ["int", "text", "json", "decimal(9,1)", "text", "date", "text"]


def test_a_column_of_two_types_is_judged_as_text(tmp_path: Path) -> None:
    duckdb.sql(f"copy (select 1 as v) to '{tmp_path}/a.parquet'")
    duckdb.sql(f"copy (select 2.5::double as v, 1 as more) to '{tmp_path}/b.parquet'")
    with surveyed(tmp_path, {"raw.t": "*.parquet"}) as (_, (seen,)):
        assert (seen.profile.column("v").type, seen.profile.column("v").max) == ("decimal(18,1)", "2.5")
        assert (seen.profile.column("more").filled, seen.profile.rows) == (1, 2)


DOCUMENTS = """{"id": 1, "code": "007", "price": 1.50, "day": "2024-01-01", "ok": true, "at": {"x": 1}, "mixed": "5"}
{"id": "2", "price": 2, "day": null, "ok": false, "at": [1], "mixed": 5, "late": "z"}
{"id": 3, "code": "x", "price": 1e2, "day": "2024-02-01", "mixed": 5.5, "late": "a"}
"""


def test_values_of_documents_have_the_types_that_a_load_accepts(tmp_path: Path) -> None:
    (tmp_path / "t.ndjson").write_text(DOCUMENTS, encoding="utf-8")
    (tmp_path / "u.ndjson").write_text('{"id": 4, "other": 1}\n{"id": \n', encoding="utf-8")
    with surveyed(tmp_path, {"raw.t": "*.ndjson"}) as (_, (seen,)):
        found = seen.profile
    kinds = {one.name: one.type for one in found.columns}
    assert kinds == {
        "id": "int", "code": "text", "price": "double", "day": "date", "ok": "bool", "at": "json",
        "mixed": "decimal(18,1)", "late": "text", "other": "int",
    }  # fmt: skip
    assert (found.rows, found.malformed, found.column("late").filled) == (4, 1, 2)
    assert (found.column("late").min, found.column("late").max) == ("a", "z")
