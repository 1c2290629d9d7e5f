"""Literals: canonical text, typed SQL, nothing lost; and the engine agrees with the value."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from headgate.contracts import literals
from headgate.types.logical import parse

GOOD = [
    ("int", "+007", "7", 7),
    ("bigint", "-9223372036854775808", "-9223372036854775808", -(2**63)),
    ("decimal(12,2)", "100000", "100000", Decimal(100000)),
    ("decimal(12,2)", "00.5000", "0.5", Decimal("0.5")),
    ("decimal(12,2)", "-0", "0", Decimal(0)),
    ("decimal(38,38)", ".12345678901234567890123456789012345678", "0.12345678901234567890123456789012345678", None),
    ("double", "1e-3", "0.001", 0.001),
    ("double", ".5", "0.5", 0.5),
    ("text", "it's", "it's", "it's"),
    ("text(2)", "é👍", "é👍", "é👍"),
    ("bool", "Yes", "true", True),
    ("bool", "0", "false", False),
    ("date", "2024-02-29", "2024-02-29", None),
    ("time", "08:30", "08:30:00", None),
    ("time", "08:30:01.5000000", "08:30:01.500000", None),
    ("timestamp", "2024-01-01", "2024-01-01 00:00:00", datetime(2024, 1, 1)),
    ("timestamp", "0001-01-01T10:00", "0001-01-01 10:00:00", datetime(1, 1, 1, 10)),
    ("timestamptz", "2024-01-01", "2024-01-01 00:00:00+00", None),
    ("timestamptz", "2024-01-01 10:30", "2024-01-01 10:30:00+00", None),
    ("timestamptz", "2024-01-01T10:00:00+0230", "2024-01-01 07:30:00+00", datetime(2024, 1, 1, 7, 30, tzinfo=UTC)),
    ("timestamptz", "2024-01-01T10:00:00-02", "2024-01-01 12:00:00+00", None),
    ("timestamptz", "2024-01-01T10:00z", "2024-01-01 10:00:00+00", None),
    ("uuid", "6F9619FF-8B86-D011-B42D-00CF4FC964FF", "6f9619ff-8b86-d011-b42d-00cf4fc964ff", None),
]


@pytest.mark.parametrize(("kind", "text", "canonical", "value"), GOOD)
def test_good(kind: str, text: str, canonical: str, value: Any) -> None:
    found = literals.read(parse(kind), text)
    assert found.text == canonical
    assert value is None or found.value == value
    assert literals.read(parse(kind), found.text) == found


@pytest.mark.parametrize(("kind", "text", "canonical", "value"), GOOD)
def test_the_engine_reads_the_same(kind: str, text: str, canonical: str, value: Any) -> None:
    found = literals.read(parse(kind), text)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone='UTC'")
        row = connection.execute(f"SELECT {found.sql}, typeof({found.sql})").fetchone()
    assert row is not None
    assert row[1] == parse(kind).duckdb
    if isinstance(value, datetime) and value.tzinfo:
        assert row[0].timestamp() == value.timestamp()
    elif value is not None:
        assert row[0] == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("int", "3.0"),
        ("int", "1e3"),
        ("int", "1_000"),
        ("int", "0x1F"),
        ("int", " 1"),
        ("int", "9223372036854775808"),
        ("int", "9" * 5000),
        ("int", "٣"),
        ("decimal(4,2)", "0.005"),
        ("decimal(4,2)", "100"),
        ("decimal(4,2)", "1e1"),
        ("double", "nan"),
        ("double", "1e999"),
        ("double", "1e-999"),
        ("text(2)", "abc"),
        ("text", "a\x00"),
        ("bool", "maybe"),
        ("date", "2024-02-30"),
        ("date", "2024-1-1"),
        ("date", "0000-01-01"),
        ("date", "2024-01-01 junk"),
        ("time", "24:00"),
        ("time", "08:30:01.0000001"),
        ("timestamp", "2024-01-01T10:00:00Z"),
        ("timestamp", "2024-01-01T"),
        ("timestamp", "2024-01-01  10:00"),
        ("timestamptz", "2024-01-01T10:00+16"),
        ("timestamptz", "2024-01-01T10:00+02:60"),
        ("timestamptz", "0001-01-01T00:00+02"),
        ("uuid", "6f9619ff8b86d011b42d00cf4fc964ff"),
    ],
)
def test_bad(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match="without loss"):
        literals.read(parse(kind), text)
