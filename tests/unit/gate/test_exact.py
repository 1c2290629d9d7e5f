"""Which of Python's values a column keeps, and which it would change."""

from __future__ import annotations

import ipaddress
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any
from uuid import UUID

import pytest

from headgate.gate.exact import kept
from headgate.types.logical import parse


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


PLUS2 = timezone(timedelta(hours=2))
KEPT: list[tuple[str, Any, Any]] = [
    ("bigint", 2**63 - 1, 2**63 - 1),
    ("bigint", Level.LOW, 1),
    ("double", 1.5, 1.5),
    ("double", 3, 3.0),
    ("decimal(38,9)", Decimal("1E+3"), Decimal("1000")),
    ("decimal(6,2)", 5, Decimal("5.00")),
    ("bool", True, True),
    ("text", "é", "é"),
    ("text", Colour.RED, "red"),
    ("text", timedelta(hours=3), "PT3H"),
    ("text", ipaddress.IPv4Address("1.2.3.4"), "1.2.3.4"),
    ("date", date(1, 1, 1), date(1, 1, 1)),
    ("time", time(1, 2, 3, 4), time(1, 2, 3, 4)),
    ("timestamp", datetime(2024, 1, 2, 3, 4, 5, 6), datetime(2024, 1, 2, 3, 4, 5, 6)),
    ("timestamptz", datetime(2024, 1, 2, tzinfo=PLUS2), datetime(2024, 1, 1, 22, tzinfo=UTC)),
    ("timestamptz", datetime(2024, 1, 2), datetime(2024, 1, 2, tzinfo=UTC)),
    ("uuid", UUID(int=5), str(UUID(int=5))),
    ("binary", b"\xff", b"\xff"),
    ("json", {"a": Decimal("1.50"), "b": [date(2024, 1, 2)]}, '{"a":"1.50","b":["2024-01-02"]}'),
    ("json", "x", '"x"'),
]
LOST: list[tuple[str, Any]] = [
    ("bigint", 2**63),
    ("bigint", True),
    ("bigint", 1.0),
    ("bigint", "1"),
    ("double", 2**53 + 1),
    ("double", True),
    ("decimal(38,9)", Decimal("0.0123456789")),
    ("decimal(6,2)", Decimal("12345")),
    ("decimal(6,2)", Decimal("NaN")),
    ("decimal(6,2)", 1.5),
    ("bool", 1),
    ("text", 5),
    ("text", "\ud800"),
    ("date", datetime(2024, 1, 2)),
    ("time", time(1, tzinfo=UTC)),
    ("timestamp", datetime(2024, 1, 2, tzinfo=UTC)),
    ("timestamptz", date(2024, 1, 2)),
    ("uuid", "0a0b0c0d-0000-4000-8000-000000000001"),
    ("binary", "a"),
    ("json", object()),
    ("json", b"\xff"),
]


@pytest.mark.parametrize(("kind", "value", "expected"), KEPT)
def test_a_value_is_kept_as_it_is(kind: str, value: Any, expected: Any) -> None:
    found = kept([None, value, None], parse(kind))
    assert (found.array.to_pylist(), found.lost) == ([None, expected, None], ())


@pytest.mark.parametrize(("kind", "value"), LOST)
def test_a_value_that_would_change_is_told_by_place(kind: str, value: Any) -> None:
    good = next(one for known, one, _ in KEPT if known == kind)
    found = kept([good, value, None, good], parse(kind))
    assert found.lost == (1,)
    assert found.array.null_count == 2


def test_nan_and_the_infinite_are_doubles() -> None:
    found = kept([float("nan"), float("inf"), Level.LOW], parse("double"))
    assert found.lost == ()
    assert str(found.array.to_pylist()) == "[nan, inf, 1.0]"


def test_a_moment_without_zone_is_read_in_the_sources() -> None:
    summer, skipped = datetime(2024, 7, 1), datetime(2024, 3, 31, 2, 30)
    found = kept([summer, skipped], parse("timestamptz"), "Europe/Paris")
    assert found.array.to_pylist() == [datetime(2024, 6, 30, 22, tzinfo=UTC), None]
    assert found.lost == (1,)
