"""Arrow as the engine reads it: nothing is cut short."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from headgate.adapters.python.arrow import batches, exact, numbers
from headgate.core.errors import AdapterError
from headgate.testing.source_suite import DuckSession

ZONED = "TIMESTAMP WITH TIME ZONE"


def made(values: list[Any], kind: pa.DataType) -> pa.RecordBatch:
    return pa.record_batch({"x": pa.array(values, kind)})


@pytest.mark.parametrize(
    ("values", "kind", "physical", "texts"),
    [
        ([None, None], pa.null(), "VARCHAR", [None, None]),
        ([1.5, None], pa.float16(), "FLOAT", ["1.5", None]),
        ([86_400_001, None], pa.date64(), "TIMESTAMP_MS", ["1970-01-02 00:00:00.001", None]),
        ([Decimal("1.50"), None], pa.decimal256(60, 2), "DECIMAL(38,2)", ["1.50", None]),
        ([1_001_000, None], pa.timestamp("ns", "UTC"), ZONED, ["1970-01-01 00:00:00.001001+00", None]),
        ([1_000, None], pa.duration("ns"), "INTERVAL", ["00:00:00.000001", None]),
        (["a", None], pa.string_view(), "VARCHAR", ["a", None]),
        (["a", None], pa.dictionary(pa.int8(), pa.string()), "VARCHAR", ["a", None]),
        ([1001, None], pa.timestamp("ns"), "TIMESTAMP_NS", ["1970-01-01 00:00:00.000001001", None]),
    ],
)  # fmt: skip
def test_values_arrive_whole(values: list[Any], kind: pa.DataType, physical: str, texts: list[Any]) -> None:
    found = exact(made(values, kind), "x.py")
    session = DuckSession()
    session.register("t", found.table)
    assert found.refused == {}
    assert session.execute("DESCRIBE t")[0][1] == physical
    assert [row[0] for row in session.execute("SELECT x::VARCHAR FROM t")] == texts


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1000, 1001, None], pa.timestamp("ns", "Europe/Paris")),
        ([0, 2**62, None], pa.timestamp("ms", "UTC")),
        ([1000, 1, None], pa.duration("ns")),
    ],
)
def test_a_row_that_would_be_cut_short_is_refused_alone(values: list[Any], kind: pa.DataType) -> None:
    found = exact(made(values, kind), "x.py")
    assert found.refused == {1: "column 'x': the value has nanoseconds, or is out of range"}
    assert found.table.num_rows == 2
    assert found.table["x"][1].as_py() is None


@pytest.mark.parametrize(
    ("batch", "code"),
    [
        (made([[1001]], pa.list_(pa.timestamp("ns", "UTC"))), "unreadable-type"),
        (made([Decimal(10**50)], pa.decimal256(60, 2)), "unreadable-type"),
        (pa.RecordBatch.from_arrays([pa.array([1]), pa.array([1])], names=["a", "A"]), "bad-schema"),
        (pa.RecordBatch.from_arrays([pa.array([1])], names=[""]), "bad-schema"),
        (pa.RecordBatch.from_arrays([pa.array([1])], names=["_hg_row"]), "bad-schema"),
    ],
)
def test_a_schema_that_can_not_be_kept_is_an_error(batch: pa.RecordBatch, code: str) -> None:
    with pytest.raises(AdapterError) as caught:
        exact(batch, "sources/x.py")
    assert (caught.value.finding.code, caught.value.finding.where) == (code, "sources/x.py")
    assert caught.value.finding.fix


def test_the_index_of_pandas_is_no_column() -> None:
    batch = pa.record_batch({"a": [1], "__index_level_0__": [7]})
    assert exact(batch, "x.py").table.column_names == ["a", "__index_level_0__"]
    pandas = batch.replace_schema_metadata({b"pandas": b"{}"})
    assert exact(pandas, "x.py").table.column_names == ["a"]


class OnlyArray:
    """Hands out one array, no stream."""

    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        return pa.record_batch({"a": [1, 2]}).__arrow_c_array__(requested_schema)


def test_everything_with_the_c_interface_is_read() -> None:
    session = DuckSession()
    relation = session._connection.sql("SELECT 1 AS a UNION ALL SELECT 2")
    table = pa.table({"a": [1, 2]})
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
    for one in (table, table.to_batches()[0], reader, relation, OnlyArray()):
        assert sorted(row["a"] for batch in batches(one) for row in batch.to_pylist()) == [1, 2]


def test_numbers_leave_out_what_was_refused() -> None:
    assert numbers(5, 4, {}).to_pylist() == [5, 6, 7, 8]
    assert numbers(5, 4, {0: "", 2: ""}).to_pylist() == [6, 8]
    assert numbers(5, 0, {}).to_pylist() == []
