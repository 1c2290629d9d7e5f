"""Cells keep what a value is: 5 is not "5", and a Decimal is no float."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.adapters.python.cells import decode, encode
from headgate.adapters.python.text import NoText

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.decimals(allow_nan=False), st.dates(), st.times(), st.datetimes(timezones=st.just(UTC) | st.none()), st.uuids(),
    st.binary(), st.timedeltas(),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text("$ab", max_size=9) | st.sampled_from(["$decimal", "$dict"]), inner, max_size=2)
    ),
    max_leaves=6,
)


def typed(value: Any) -> Any:
    """The value with its types, which equality alone does not tell."""
    if isinstance(value, dict):
        return {key: typed(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return (type(value), [typed(one) for one in value])
    return (type(value), repr(value) if isinstance(value, Decimal | float) else value)


@given(values)
def test_a_cell_gives_the_value_back(value: Any) -> None:
    cell = encode(value)
    json.loads(cell)
    assert typed(decode(cell)) == typed(value)


class Colour(Enum):
    RED = "red"


class Word(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "back"),
    [
        (Colour.RED, "red"),
        (Word("a"), "a"),
        ({1: "a", (2, 3): "b"}, {1: "a", (2, 3): "b"}),
        ({1, 2}, {1, 2}),
        (frozenset("a"), frozenset("a")),
        (bytearray(b"\xff"), b"\xff"),
        (datetime(2024, 1, 2, tzinfo=timezone(timedelta(hours=2))), datetime(2024, 1, 1, 22, tzinfo=UTC)),
        (date(2024, 1, 2), date(2024, 1, 2)),
        (time(1, 2, 3, 4), time(1, 2, 3, 4)),
        (UUID(int=5), UUID(int=5)),
        (2**200, 2**200),
    ],
)
def test_values_beyond_json(value: Any, back: Any) -> None:
    assert decode(encode(value)) == back


def test_nan_stays_nan() -> None:
    assert decode(encode(float("nan"))) != decode(encode(float("nan")))


def test_a_scalar_of_numpy_is_the_value_that_it_holds() -> None:
    numpy = pytest.importorskip("numpy")
    assert [decode(encode(one)) for one in (numpy.int64(5), numpy.float64(1.5), numpy.bool_(True))] == [5, 1.5, True]


def test_what_has_no_text_is_told() -> None:
    with pytest.raises(NoText):
        encode(object())
