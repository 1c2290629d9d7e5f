"""The lexical table: what each type accepts, as which value, and what it must not."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

import pytest

from headgate.testing.oracle import NotAccepted, Rule, accept, canonical_spelling, written
from headgate.testing.oracle.rules import passes

ACCEPTED = [
    ("int", "0", 0),
    ("int", "+007", 7),
    ("int", "-0", 0),
    ("bigint", "9223372036854775807", 2**63 - 1),
    ("int", "-9223372036854775808", -(2**63)),
    ("int", "0" * 5000 + "1", 1),
    ("decimal(12,2)", "1.50", Decimal("1.50")),
    ("decimal(12,2)", "1.", Decimal("1.00")),
    ("decimal(12,2)", ".5", Decimal("0.50")),
    ("decimal(12,2)", "1.23000", Decimal("1.23")),
    ("decimal(3,2)", "-0009.99", Decimal("-9.99")),
    ("decimal(2,2)", "0.12", Decimal("0.12")),
    ("decimal(38,9)", "9" * 29 + "." + "9" * 9, Decimal("9" * 29 + "." + "9" * 9)),
    ("numeric(4)", "-12", Decimal("-12")),
    ("double", "1e3", 1000.0),
    ("double", ".5E-1", 0.05),
    ("double", "1.", 1.0),
    ("double", "-Infinity", -math.inf),
    ("double", "INF", math.inf),
    ("double", "0e-999", 0.0),
    ("double", "5e-324", 5e-324),
    ("text", " two blanks ", " two blanks "),
    ("text", "", ""),
    ("text(2)", "é😀", "é😀"),
    ("bool", "tRuE", True),
    ("bool", "Y", True),
    ("bool", "on", True),
    ("bool", "0", False),
    ("bool", "No", False),
    ("date", "2024-02-29", date(2024, 2, 29)),
    ("date", "0001-01-01", date(1, 1, 1)),
    ("timestamp", "2024-01-02", datetime(2024, 1, 2)),
    ("timestamp", "2024-01-02T03:04", datetime(2024, 1, 2, 3, 4)),
    ("timestamp", "2024-01-02 03:04:05.1234560", datetime(2024, 1, 2, 3, 4, 5, 123456)),
    ("timestamp", "2024-01-02 03:04:05.5", datetime(2024, 1, 2, 3, 4, 5, 500000)),
    ("timestamptz", "2024-01-02T03:04:05Z", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ("timestamptz", "2024-01-02 03:04:05+0530", datetime(2024, 1, 1, 21, 34, 5, tzinfo=UTC)),
    ("timestamptz", "2024-01-02 03:04-05:00", datetime(2024, 1, 2, 8, 4, tzinfo=UTC)),
    ("timestamptz", "2024-01-02 03:04+15", datetime(2024, 1, 1, 12, 4, tzinfo=UTC)),
    ("timestamptz", "2024-01-02 03:04", datetime(2024, 1, 2, 3, 4, tzinfo=UTC)),
    ("time", "23:59", time(23, 59)),
    ("time", "23:59:59.000001", time(23, 59, 59, 1)),
    ("uuid", "0A0B0C0D-0000-4000-8000-00000000000f", UUID("0a0b0c0d-0000-4000-8000-00000000000f")),
    ("json", ' {"a": [1, null]} ', ' {"a": [1, null]} '),
    ("json", "1" * 5000, "1" * 5000),
    ("binary", "\\x", b""),
    ("binary", "\\x00Ff", b"\x00\xff"),
]

NOT_ACCEPTED = [
    *[("int", text) for text in ("", " 1", "1 ", "1.0", "1e3", "1_000", "0x1F", "--1", "+", "９", "1\n", "NaN")],
    ("int", "9223372036854775808"),
    ("bigint", "-9223372036854775809"),
    *[("decimal(12,2)", text) for text in ("", ".", "1.239", "1e2", "1,5", "+-1", " 1", "1 ", "nan", "12345678901")],
    ("decimal(2,2)", "1.00"),
    ("decimal(3,2)", "10"),
    *[("double", text) for text in ("", ".", "e5", "1e", "0x1p3", "1_0", "1e309", "-1e400", "1e-400", "infinit", " 1")],
    ("text(2)", "abc"),
    *[("bool", text) for text in ("", "2", "truee", " true", "ſ", "null")],
    *[
        ("date", text)
        for text in (
            "",
            "2024-02-30",
            "2023-02-29",
            "0000-01-01",
            "2024-1-2",
            "2024-01-02 junk",
            "20240102",
            "02.01.2024",
        )
    ],
    *[
        ("timestamp", text)
        for text in (
            "",
            "2024-01-02T",
            "2024-01-02  03:04",
            "2024-01-02t03:04",
            "2024-01-02 03",
            "2024-01-02 24:00",
            "2024-01-02 23:60",
            "2024-01-02 23:59:60",
            "2024-01-02 03:04:05.",
            "2024-01-02 03:04:05.1234567",
            "2024-01-02 03:04:05Z",
            "2024-01-02 03:04:05+00",
        )
    ],
    *[
        ("timestamptz", text)
        for text in ("2024-01-02 03:04+16", "2024-01-02 03:04+01:60", "2024-01-02 03:04 UTC", "2024-01-02 03:04+1")
    ],
    ("timestamptz", "0001-01-01 00:00+01"),
    *[("time", text) for text in ("", "24:00", "1:00", "12:00:60", "12:00:00.1234567", "12:00Z", "noon")],
    *[("uuid", text) for text in ("", "0a0b0c0d00004000800000000000000f", "{0a0b0c0d-0000-4000-8000-00000000000f}")],
    *[("json", text) for text in ("", "{a: 1}", "NaN", "[1,]", "01", "'a'", '"\\ud800"', '"a\tb"', "[Infinity]")],
    *[("binary", text) for text in ("", "00ff", "\\x0", "\\xgg", "0x00")],
]


@pytest.mark.parametrize(("type_", "text", "value"), ACCEPTED)
def test_an_accepted_text_is_exactly_one_value(type_: str, text: str, value: object) -> None:
    got = accept(text, type_)
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(("type_", "text"), NOT_ACCEPTED)
def test_a_text_that_would_lose_something_is_not_accepted(type_: str, text: str) -> None:
    with pytest.raises(NotAccepted, match=f"^expected {type_.replace('(', '.').replace(')', '.')}$"):
        accept(text, type_)


@pytest.mark.parametrize(("code", "args"), [("min", (0,)), ("max", (0,)), ("between", (-1, 1))])
def test_nan_is_within_no_bound(code: str, args: tuple[int, ...]) -> None:
    assert not passes(Rule(code, args), math.nan, "double")
    assert passes(Rule(code, args), 0.0, "double")


def test_nan_is_a_double() -> None:
    assert math.isnan(accept("-NaN", "double"))


def test_null_is_accepted_by_every_type() -> None:
    assert [accept(None, name) for name in ("int", "date", "json", "decimal(3,1)")] == [None] * 4


def test_a_source_zone_decides_only_where_the_text_has_none() -> None:
    assert accept("2024-07-01 12:00", "timestamptz", "Europe/Paris") == datetime(2024, 7, 1, 10, tzinfo=UTC)
    assert accept("2024-07-01 12:00", "timestamptz", "-03:30") == datetime(2024, 7, 1, 15, 30, tzinfo=UTC)
    assert accept("2024-07-01 12:00Z", "timestamptz", "Europe/Paris") == datetime(2024, 7, 1, 12, tzinfo=UTC)


def test_messages_spell_a_type_in_one_way() -> None:
    assert canonical_spelling(" NUMERIC ( 12, 2 )") == "decimal(12,2)"
    assert canonical_spelling("varchar(3)") == "text(3)"
    assert canonical_spelling("numeric(5)") == "decimal(5,0)"
    with pytest.raises(ValueError, match="unknown type"):
        canonical_spelling("money")


@pytest.mark.parametrize(("type_", "text"), [(t, x) for t, x, _ in ACCEPTED if not t.startswith("json")])
def test_the_canonical_text_of_a_value_is_that_value_again(type_: str, text: str) -> None:
    value = accept(text, type_)
    assert accept(written(value), type_) == value
