"""The canonical text of Python values, and rows of text from dicts."""

from __future__ import annotations

import enum
from collections import OrderedDict
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from headgate.adapters.python.text import NoText, TextRows, text


class Color(enum.Enum):
    RED = "red"


class Size(enum.IntEnum):
    BIG = 3


class Word(str):
    def __str__(self) -> str:
        return "other"


class NAType:
    """As pandas calls its missing value."""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("  NO ", "  NO "),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (-7, "-7"),
        (10**30, "1" + "0" * 30),
        (0.1, "0.1"),
        (3.0, "3.0"),
        (1e300, "1e+300"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("-Infinity"), "-inf"),
        (Decimal("1E+999999"), "1E+999999"),
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 1, 2, 3, 4, 5), "2024-01-02 03:04:05"),
        (datetime(2024, 1, 2, 3, 4, 5, 120), "2024-01-02 03:04:05.000120"),
        (datetime(2024, 1, 2, tzinfo=UTC), "2024-01-02 00:00:00+00:00"),
        (datetime(2024, 1, 2, tzinfo=timezone(timedelta(hours=-3, minutes=-30))), "2024-01-02 00:00:00-03:30"),
        (datetime(1900, 1, 1, tzinfo=timezone(timedelta(minutes=9, seconds=21))), "1899-12-31 23:50:39+00:00"),
        (time(3, 4), "03:04:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\x00\xff", "\\x00ff"),
        (bytearray(b"a"), "\\x61"),
        (Color.RED, "red"),
        (Size.BIG, "3"),
        (Word("mine"), "mine"),
        (NAType(), None),
        ({"b": 1, "a": [Decimal("1.5"), None, date(2024, 1, 1)]}, '{"b": 1, "a": ["1.5", null, "2024-01-01"]}'),
        (OrderedDict(é=1), '{"é": 1}'),
        ((1, 2), "[1, 2]"),
    ],
)
def test_every_value_has_one_text(value: Any, expected: str | None) -> None:
    assert text(value) == expected


@pytest.mark.parametrize("value", [object(), {1, 2}, timedelta(1), 1j, lambda: 1])
def test_what_has_no_text_is_told_by_its_type(value: Any) -> None:
    with pytest.raises(NoText, match=type(value).__name__):
        text(value)


def test_columns_are_the_keys_in_order_of_first_sight() -> None:
    rows = TextRows()
    rows.add({"b": 1, "a": None})
    rows.add({"C": 2, "B": 3, "_hg_row": 9})
    made = rows.table()
    assert made.table.to_pylist() == [{"b": "1", "a": None, "C": None}, {"b": "3", "a": None, "C": "2"}]
    rows.add({})
    assert rows.table().table.to_pylist() == [{"b": None, "a": None, "C": None}]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"a": object()}, "column 'a': a value of type 'object' has no text"),
        ({1: "x"}, "a key is of type 'int', not text"),
        ({"": "x"}, "a key is empty"),
        ({"\ud800": "x"}, "a key is no text in UTF-8"),
        ({"a": "\ud800"}, "a value is no text in UTF-8"),
        ({"a": 1, "A": None}, "two keys differ in upper and lower case only"),
        ({"a": 10**5000}, "a value has no text (ValueError)"),
        ({"a": datetime.max.replace(tzinfo=timezone(timedelta(seconds=-1)))}, "a value has no text (OverflowError)"),
    ],
)
def test_a_record_without_text_is_refused_alone(record: dict[Any, Any], reason: str) -> None:
    rows = TextRows()
    for one in ({"a": "1"}, record, {"a": "2"}):
        rows.add(one)
    made = rows.table()
    assert [row["a"] for row in made.table.to_pylist()] == ["1", "2"]
    assert made.refused == {1: reason}
